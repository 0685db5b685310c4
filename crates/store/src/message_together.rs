//! Messages that are published at the same time, on a server's database: all that wait are written with one statement, and
//! all their deliveries with another, instead of with some of their own for each. Nobody waits for others to come; what
//! comes while some are being written goes with the next.
//!
//! Only ordinary ones go together: those that ask nothing of the store before they are written, and go to few. When the
//! statements fail, each message is written by itself, so that one that cannot be written harms no other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use carillon_model::id::AccountId;
use tokio::sync::oneshot;

use crate::db::{Tx, Value, Work, params};
use crate::delivery::{Ready, StoredMessage};
use crate::error::Error;
use crate::fan_out::FanOut;
use crate::message::{locale_text, ready};
use crate::recipient::Recipients;
use crate::setup::Store;
use crate::wake::Wake;

/// How many rows one portion writes, messages and deliveries; with the last message it may be some more.
const PORTION: usize = 1024;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Together {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// How many rows they are.
    rows: usize,
    /// How many portions were handed in and have not begun. They are enough for all rows.
    portions: usize,
}

/// A message that waits. Dropped without an answer, it is to be written by itself.
struct Entry {
    stored: Arc<StoredMessage>,
    to: Recipients,
    publisher: Option<AccountId>,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Entry {
    fn rows(&self) -> usize {
        1 + self.to.len()
    }
}

impl Waiting {
    /// Takes a message in, and tells whether another portion is to be handed in for it.
    fn put(&mut self, entry: Entry) -> bool {
        self.rows += entry.rows();
        self.entries.push_back(entry);
        let more = self.portions * PORTION < self.rows;
        self.portions += usize::from(more);
        more
    }

    /// Gives a portion what it is to write: at least [`PORTION`] rows, or all there is.
    fn take(&mut self) -> Vec<Entry> {
        self.portions -= 1;
        let (mut taken, mut rows) = (Vec::new(), 0);
        while rows < PORTION
            && let Some(entry) = self.entries.pop_front()
        {
            rows += entry.rows();
            taken.push(entry);
        }
        self.rows -= rows;
        taken
    }
}

impl Together {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no code panics while it holds what waits")
    }
}

/// Some of what waits, on its way through a committer.
struct Portion {
    together: Arc<Together>,
    wake: Arc<Wake>,
    fan_out: Arc<FanOut>,
    /// What it took, once it has begun.
    taken: Option<Vec<Entry>>,
    written: Option<Written>,
}

impl Work for Portion {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let taken = self.taken.insert(self.together.waiting().take());
        self.written = write(tx, taken, &self.fan_out).ok();
        self.written.is_some()
    }

    fn answer(mut self: Box<Self>, committed: Result<(), Error>) {
        let begun = self.taken.take();
        let is_begun = begun.is_some();
        let taken = begun.unwrap_or_else(|| self.together.waiting().take());
        // So that it is not taken for one that never began.
        self.taken = Some(Vec::new());
        match (committed, self.written.take()) {
            (Ok(()), Some(written)) => self.hand_over(taken, written),
            // Each is written by itself.
            (Ok(()), None) => drop(taken),
            (Err(_), None) if is_begun => drop(taken),
            (Err(error), _) => {
                for entry in taken {
                    // Nobody waits any more when the caller went away.
                    drop(entry.reply.send(Err(error.clone())));
                }
            }
        }
    }

    fn callers(&self) -> usize {
        self.taken.as_ref().map_or(1, Vec::len)
    }
}

impl Portion {
    /// Hands what is durable over to the engine, and answers.
    fn hand_over(&self, taken: Vec<Entry>, written: Written) {
        match written {
            Written::Placed(places) => {
                let mut places = places.as_slice();
                let mut all: Vec<Ready> = Vec::with_capacity(places.len());
                for entry in &taken {
                    let (own, others) = places.split_at(entry.to.len().min(places.len()));
                    all.extend(ready(&entry.stored, &entry.to, own, None));
                    places = others;
                }
                self.wake.hand(all);
            }
            Written::Waiting => {
                let waiting = taken.iter().filter(|entry| !entry.to.is_empty());
                waiting.for_each(|entry| self.fan_out.added(entry.to.len()));
            }
        }
        for entry in taken {
            // Nobody waits any more when the caller went away; what was written stays written.
            drop(entry.reply.send(Ok(())));
        }
    }
}

impl Drop for Portion {
    /// One that never began, since its caller went away or the store closes, was there for others as well.
    fn drop(&mut self) {
        if self.taken.is_none() {
            drop(self.together.waiting().take());
        }
    }
}

/// What became of messages that were written.
enum Written {
    /// Their deliveries are written down, in these places.
    Placed(Vec<i64>),
    /// Their deliveries are written down after those of others that wait.
    Waiting,
}

const MESSAGES: &str = "INSERT INTO message
     (id, project_id, topic_id, topic_name, content, priority, locale, deliveries, created_at, expires_at, account_id)
     SELECT id, project_id, topic_id, topic_name, content, priority, locale, deliveries, created_at, expires_at,
         nullif(account_id, '')
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
         $9::bigint[], $10::bigint[], $11::text[])
     AS m(id, project_id, topic_id, topic_name, content, priority, locale, deliveries, created_at, expires_at, account_id)
     RETURNING (SELECT count(*) FROM (SELECT 1 FROM fan_out LIMIT 1) AS waiting)";

const DELIVERIES: &str = "INSERT INTO delivery
     (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts, parts_done)
     SELECT message_id, number, subscription_id, endpoint_id, channel, priority, 0, due_at, 0, 0
     FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
         WITH ORDINALITY
     AS d(message_id, number, subscription_id, endpoint_id, channel, priority, due_at, place)
     ORDER BY place RETURNING seq";

fn texts<'e, T>(some: &'e [T], text: impl Fn(&'e T) -> String) -> Value {
    some.iter().map(text).collect::<Vec<String>>().into()
}

fn numbers<'e, T>(some: &'e [T], number: impl Fn(&'e T) -> i64) -> Value {
    some.iter().map(number).collect::<Vec<i64>>().into()
}

/// Writes messages, in the order in which they came, with their deliveries.
fn write(tx: &mut Tx<'_>, entries: &[Entry], fan_out: &FanOut) -> Result<Written, Error> {
    if entries.is_empty() {
        return Ok(Written::Placed(Vec::new()));
    }
    let content = |entry: &Entry| serde_json::to_string(&entry.stored.message.content);
    let contents = entries.iter().map(content).collect::<Result<Vec<_>, _>>();
    let params = params![
        texts(entries, |entry| entry.stored.message.id.to_string()),
        texts(entries, |entry| entry.stored.message.project.as_str().to_owned()),
        texts(entries, |entry| entry.stored.message.topic.to_string()),
        texts(entries, |entry| entry.stored.topic_name.as_str().to_owned()),
        contents.map_err(|_json| Error::Conflict)?,
        numbers(entries, |entry| entry.stored.message.priority.number()),
        texts(entries, |entry| locale_text(entry.stored.message.locale).to_owned()),
        numbers(entries, |entry| i64::try_from(entry.to.len()).unwrap_or(i64::MAX)),
        numbers(entries, |entry| entry.stored.message.created_at.0),
        numbers(entries, |entry| entry.stored.message.expires_at.0),
        texts(entries, |entry| entry.publisher.map_or_else(String::new, |account| account.to_string()))
    ];
    let row = tx.query_one("message", MESSAGES, params)?;
    if row.map_or(Ok(0), |mut row| row.int())? > 0 {
        for entry in entries.iter().filter(|entry| !entry.to.is_empty()) {
            fan_out.put(tx, &entry.stored, &entry.to)?;
        }
        return Ok(Written::Waiting);
    }
    let all = entries.iter().flat_map(|entry| {
        let numbered = (1_i64..).zip(entry.to.iter());
        numbered.map(|(number, to)| (&entry.stored.message, number, to))
    });
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        return Ok(Written::Placed(Vec::new()));
    }
    let params = params![
        texts(&all, |(message, _, _)| message.id.to_string()),
        numbers(&all, |(_, number, _)| *number),
        texts(&all, |(_, _, to)| to.subscription.to_string()),
        texts(&all, |(_, _, to)| to.endpoint.to_string()),
        texts(&all, |(_, _, to)| to.channel.name().to_owned()),
        numbers(&all, |(message, _, _)| message.priority.number()),
        numbers(&all, |(message, _, _)| message.created_at.0)
    ];
    let rows = tx.query("delivery", DELIVERIES, params)?;
    Ok(Written::Placed(rows.into_iter().map(|mut row| row.int()).collect::<Result<_, _>>()?))
}

impl Store {
    /// Writes a message together with whatever else waits. Tells whether it was; if not, it is to be written by itself.
    ///
    /// # Errors
    /// When nothing can be written; then nothing was accepted.
    pub(crate) async fn publish_together(
        &self,
        stored: Arc<StoredMessage>,
        to: Recipients,
    ) -> Result<bool, Error> {
        let publisher = self.db.actor().map(|actor| actor.account);
        let (reply, answer) = oneshot::channel();
        let more = self.together.waiting().put(Entry { stored, to, publisher, reply });
        if more {
            let portion = Portion {
                together: Arc::clone(&self.together),
                wake: self.wake(),
                fan_out: Arc::clone(&self.fan_out),
                taken: None,
                written: None,
            };
            self.db.hand_in_beside(Box::new(portion)).await?;
        }
        answer.await.map_or(Ok(false), |written| written.map(|()| true))
    }
}

#[cfg(test)]
#[path = "message_together_tests.rs"]
mod tests;
