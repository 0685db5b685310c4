//! Forgetting, in bounded batches: messages with their deliveries and attempts.

use carillon_model::clock::Timestamp;
use carillon_model::id::MessageId;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::pick::id_from;
use crate::setup::Store;
use crate::topic_messages;

/// How many messages one batch looks at, at most.
const LOOKED_AT: u64 = 32;
/// How many of them it takes out, at most: each is some statements, on pages of its own, and publishers wait meanwhile.
const MESSAGES_MAX: usize = 8;

/// What a batch took out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Messages, each without anything left of it.
    pub messages: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Attempts.
    pub attempts: u64,
}

impl Forgotten {
    /// Whether there was nothing to forget.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn rows(&self) -> u64 {
        self.messages + self.deliveries + self.attempts
    }
}

/// The oldest messages behind one, and whether something of each waits or moved since a time. So many are looked at and no
/// more, whatever is found: of a long backlog, a database might look at every message for one that is done.
const SELECT_OLD: &str = "SELECT m.id, (EXISTS
     (SELECT 1 FROM delivery d WHERE d.message_id = m.id AND (d.state IN (0, 1) OR d.due_at >= $3))
     OR EXISTS (SELECT 1 FROM fan_out f WHERE f.message_id = m.id))
     FROM (SELECT id FROM message WHERE id > $1 AND id < $2 ORDER BY id LIMIT $4) AS m ORDER BY m.id";

const SELECT_KEPT: &str = "SELECT 1 FROM delivery WHERE message_id = $1 AND (state IN (0, 1) OR due_at >= $2)
     UNION ALL SELECT 1 FROM fan_out WHERE message_id = $1 LIMIT 1";

const DELETE_ATTEMPTS: &str = "DELETE FROM attempt WHERE message_id = $1 AND (number, attempt) IN
     (SELECT number, attempt FROM attempt WHERE message_id = $1 ORDER BY number, attempt LIMIT $2)";

const DELETE_DELIVERIES: &str = "DELETE FROM delivery WHERE seq IN
     (SELECT seq FROM delivery WHERE message_id = $1 ORDER BY number LIMIT $2)";

/// Takes out what is left of a message, as far as `rows_max` rows go in this batch.
fn forget(
    tx: &mut Tx<'_>,
    message: &str,
    before: Timestamp,
    rows_max: u64,
    forgotten: &mut Forgotten,
) -> Result<(), Error> {
    // It may have been resent since it was looked for.
    if tx.query_one("delivery", SELECT_KEPT, params![message, before])?.is_some() {
        return Ok(());
    }
    let room = |forgotten: &Forgotten| rows_max.saturating_sub(forgotten.rows());
    forgotten.attempts += tx.execute(DELETE_ATTEMPTS, params![message, room(forgotten)])?;
    forgotten.deliveries += tx.execute(DELETE_DELIVERIES, params![message, room(forgotten)])?;
    if room(forgotten) > 0 {
        topic_messages::remove(tx, message)?;
        forgotten.messages += tx.execute("DELETE FROM message WHERE id = $1", params![message])?;
    }
    Ok(())
}

impl Store {
    /// The oldest messages that may go; none when there are none. Those that must stay are passed over once, until all were
    /// looked at.
    async fn find_old(&self, before: Timestamp, limit: u64) -> Result<Vec<MessageId>, Error> {
        loop {
            let passed = self.passed_over.lock().expect("no code panics while it holds the place").clone();
            let from = passed.clone();
            let find = move |tx: &mut Tx<'_>| {
                tx.query("message", SELECT_OLD, params![from, id_from(before), before, limit])
            };
            let (mut old, mut seen, mut last) = (Vec::new(), 0, passed);
            for mut row in self.db.read_alone(find).await? {
                let id = row.parsed(|text| MessageId::parse(text).ok())?;
                (seen, last) = (seen + 1, id.to_string());
                if row.int()? == 0 {
                    old.push(id);
                }
            }
            let ended = seen < limit;
            if old.is_empty() {
                let mut passed = self.passed_over.lock().expect("no code panics while it holds the place");
                *passed = if ended { String::new() } else { last };
            }
            if ended || !old.is_empty() {
                return Ok(old);
            }
        }
    }

    /// Takes out, in one transaction, at most `rows_max` rows of messages that were accepted before `before` and of
    /// which nothing waits and nothing was done since; the oldest first, and a few at a time. A message with more rows than
    /// that goes in several batches, itself in the last.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn message_forget(&self, before: Timestamp, rows_max: u64) -> Result<Forgotten, Error> {
        // What is being entered into its topic was read before; it must not go in between.
        let _one = self.wake.topics.one.lock().await;
        let old = self.find_old(before, rows_max.min(LOOKED_AT)).await?;
        if old.is_empty() {
            return Ok(Forgotten::default());
        }
        let work = move |tx: &mut Tx<'_>| {
            let mut forgotten = Forgotten::default();
            for message in old.iter().take(MESSAGES_MAX) {
                if forgotten.rows() >= rows_max {
                    break;
                }
                forget(tx, &message.to_string(), before, rows_max, &mut forgotten)?;
            }
            Ok(forgotten)
        };
        // What is old is nothing that is kept in memory.
        self.db.write_flow(work, |_forgotten| ()).await
    }
}
