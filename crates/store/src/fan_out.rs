//! Messages to many: accepted with a list of who gets them, and written down as deliveries afterwards, in portions.
//!
//! A lane's order is the order of places, and a place is given when the delivery is written down. So while one message
//! waits to be fanned out, whatever is accepted behind it waits there too (`FanOut::put`), and all go in the order in which they
//! were accepted (`step`). Whoever asks about deliveries first has those of what was accepted before written down
//! ([`Store::fan_out_now`]), so that nobody else need know of this.
//!
//! A step is careful work (`Db::write_flow`): of several servers one takes it at a time. What touches a list is careful,
//! too.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use carillon_model::id::MessageId;
use tokio::sync::Notify;

use crate::db::{Row, Tx, params};
use crate::delivery::{Ready, StoredMessage};
use crate::error::Error;
use crate::message::{self, read_message};
use crate::recipient::{Recipient, Recipients, TopicRecipients, pack, unpack};
use crate::setup::Store;

/// A message to more than this is fanned out afterwards: below, writing all down at once holds nobody up for long.
const OVER: usize = 256;
/// How many deliveries are written down in one step, so that others' writes wait for a few milliseconds at most.
const PORTION: usize = 512;
/// How many messages one step looks at.
const MESSAGES_MAX: u64 = 64;
/// How many deliveries may wait to be written down before publishers to many wait.
const UNPLACED_MAX: usize = 131_072;
/// How long such a publisher waits before it is told to come again.
const ROOM_WAIT: Duration = Duration::from_secs(5);
/// How many portions of lists are known to be whole at most.
const WHOLE_MAX: usize = 65_536;

/// A list, and the number of a portion of it.
type Portion = (i64, i64);

/// How messages are fanned out, and how far that is.
#[derive(Debug)]
pub(crate) struct FanOut {
    over: usize,
    portion: usize,
    /// How many deliveries of this server's messages are still to be written down.
    unplaced: AtomicUsize,
    /// Whether something may wait, as far as this server knows.
    may_wait: AtomicBool,
    /// The portions of which nobody had gone, when they were last looked through. That holds for as long as their list is a
    /// topic's: it ceases to be when a subscription of that topic is removed, and never is again. Not asked for on a server,
    /// where another one of the version before may remove and not say so.
    whole: Mutex<HashSet<Portion>>,
    added: Notify,
    placed: Notify,
}

impl Default for FanOut {
    /// After a start, something may wait from before.
    fn default() -> Self {
        Self::new(OVER, PORTION)
    }
}

impl FanOut {
    pub(crate) fn new(over: usize, portion: usize) -> Self {
        Self {
            over,
            portion,
            unplaced: AtomicUsize::new(0),
            may_wait: AtomicBool::new(true),
            whole: Mutex::default(),
            added: Notify::new(),
            placed: Notify::new(),
        }
    }

    /// Whether a message to so many is fanned out afterwards.
    pub(crate) fn is_many(&self, recipients: usize) -> bool {
        recipients > self.over
    }

    /// Waits until there is room for another message to many.
    pub(crate) async fn room(&self) -> Result<(), Error> {
        let room = async {
            loop {
                let placed = self.placed.notified();
                if self.unplaced.load(Ordering::Acquire) < UNPLACED_MAX {
                    return;
                }
                placed.await;
            }
        };
        let busy = |_elapsed| Error::Unavailable("too many deliveries wait to be written down".to_owned());
        tokio::time::timeout(ROOM_WAIT, room).await.map_err(busy)
    }

    /// Lets a message wait to be fanned out. Careful work, when it goes to many.
    pub(crate) fn put(
        &self,
        tx: &mut Tx<'_>,
        stored: &StoredMessage,
        recipients: &Recipients,
    ) -> Result<(), Error> {
        let portion = self.portion;
        let list = match recipients {
            // What is not careful work is never too many to stand in the row itself.
            few if few.len() <= portion.max(self.over) => None,
            Recipients::Topic(all) => Some(topic_list(tx, &stored.message.topic.to_string(), all, portion)?),
            Recipients::These(some) => Some(new_list(tx, None, None, some, portion)?),
        };
        let few = if list.is_none() { Some(pack(recipients)) } else { None };
        tx.execute(
            "INSERT INTO fan_out (message_id, list_id, recipients, portions_done, placed)
             VALUES ($1, $2, $3, 0, 0)",
            params![stored.message.id.to_string(), list, few],
        )?;
        Ok(())
    }

    /// A message to so many waits now.
    pub(crate) fn added(&self, recipients: usize) {
        self.unplaced.fetch_add(recipients, Ordering::AcqRel);
        self.may_wait.store(true, Ordering::Release);
        self.added.notify_one();
    }

    fn whole(&self) -> MutexGuard<'_, HashSet<Portion>> {
        self.whole.lock().expect("no code panics while it holds them")
    }

    fn found_whole(&self, portions: &[Portion]) {
        let mut whole = self.whole();
        if whole.len() >= WHOLE_MAX {
            whole.clear();
        }
        whole.extend(portions);
    }

    fn stepped(&self, placed: usize, next: Option<i64>) {
        let less = |unplaced: usize| if next.is_some() { unplaced.saturating_sub(placed) } else { 0 };
        let (set, look) = (Ordering::AcqRel, Ordering::Acquire);
        let _before = self.unplaced.fetch_update(set, look, |unplaced| Some(less(unplaced)));
        if next.is_none() {
            self.may_wait.store(false, Ordering::Release);
        }
        self.placed.notify_waiters();
    }
}

/// The list of all recipients of a topic: the one that is there, or a new one in its place.
fn topic_list(tx: &mut Tx<'_>, topic: &str, all: &TopicRecipients, portion: usize) -> Result<i64, Error> {
    let sql = "SELECT seq FROM recipient_list WHERE topic_id = $1 AND hash = $2";
    if let Some(mut row) = tx.query_one("recipient_list", sql, params![topic, all.hash().to_vec()])? {
        return row.int();
    }
    forget_topic(tx, topic)?;
    new_list(tx, Some(topic), Some(all.hash().to_vec()), all, portion)
}

fn new_list(
    tx: &mut Tx<'_>,
    topic: Option<&str>,
    hash: Option<Vec<u8>>,
    recipients: &[Recipient],
    portion: usize,
) -> Result<i64, Error> {
    let portions = recipients.chunks(portion);
    let sql = "INSERT INTO recipient_list (topic_id, hash, portions) VALUES ($1, $2, $3) RETURNING seq";
    let count = u64::try_from(portions.len()).unwrap_or(u64::MAX);
    let row = tx.query_one("recipient_list", sql, params![topic.map(str::to_owned), hash, count])?;
    let list = row.map_or(Err(Error::Conflict), |mut row| row.int())?;
    for (number, part) in (0_u32..).zip(portions) {
        let sql = "INSERT INTO recipient_list_portion (list_id, number, recipients) VALUES ($1, $2, $3)";
        tx.execute(sql, params![list, number, pack(part)])?;
    }
    Ok(list)
}

/// Forgets the list of a topic, as soon as no message waits for it. Whoever removes a subscription does so before anybody
/// else writes: what waits for the list is looked through for it.
pub(crate) fn forget_topic(tx: &mut Tx<'_>, topic: &str) -> Result<(), Error> {
    if tx.execute("UPDATE recipient_list SET topic_id = NULL WHERE topic_id = $1", params![topic])? > 0 {
        drop_unused(tx)?;
    }
    Ok(())
}

/// Takes out lists that are no topic's and that no message waits for.
fn drop_unused(tx: &mut Tx<'_>) -> Result<(), Error> {
    let sql = "DELETE FROM recipient_list WHERE topic_id IS NULL
         AND NOT EXISTS (SELECT 1 FROM fan_out f WHERE f.list_id = recipient_list.seq) RETURNING seq";
    let rows = tx.query("recipient_list", sql, &[])?;
    let lists = rows.into_iter().map(|mut row| row.int()).collect::<Result<Vec<_>, _>>()?;
    if !lists.is_empty() {
        let sql = "DELETE FROM recipient_list_portion WHERE list_id IN (SELECT value FROM json_each($1))";
        tx.execute(sql, params![lists])?;
    }
    Ok(())
}

/// A message that waits to be fanned out.
struct Waiting {
    seq: i64,
    message: MessageId,
    list: Option<i64>,
    few: Option<Vec<u8>>,
    portions_done: i64,
    placed: u32,
}

fn read_waiting(mut row: Row) -> Result<Waiting, Error> {
    Ok(Waiting {
        seq: row.int()?,
        message: row.parsed(|text| MessageId::parse(text).ok())?,
        list: row.maybe_int()?,
        few: row.maybe_bytes()?,
        portions_done: row.int()?,
        placed: row.count()?,
    })
}

/// What one step wrote down.
#[derive(Default)]
struct Step {
    placed: usize,
    /// The first that still waits, or one before which none does.
    next: Option<i64>,
    ready: Vec<Ready>,
    /// The portions that were looked through, and nobody had gone.
    whole: Vec<Portion>,
}

/// Writes down the next deliveries, of as many messages as a step takes, in the order of their acceptance.
fn step(tx: &mut Tx<'_>, fan_out: &FanOut) -> Result<Step, Error> {
    let sql = "SELECT seq, message_id, list_id, recipients, portions_done, placed FROM fan_out ORDER BY seq LIMIT $1";
    let rows = tx.query("fan_out", sql, params![MESSAGES_MAX])?;
    let (mut step, mut done, mut lists) = (Step::default(), Vec::new(), false);
    for row in rows {
        let waiting = read_waiting(row)?;
        step.next = Some(waiting.seq);
        // Nobody passes by one that is not at its end.
        if step.placed >= fan_out.portion || !place(tx, fan_out, &waiting, &mut step)? {
            break;
        }
        done.push(waiting.seq);
        lists |= waiting.list.is_some();
    }
    let ended = step.next.is_some_and(|next| done.last() == Some(&next));
    if ended && u64::try_from(done.len()).is_ok_and(|done| done < MESSAGES_MAX) {
        step.next = None;
    }
    if !done.is_empty() {
        tx.execute("DELETE FROM fan_out WHERE seq IN (SELECT value FROM json_each($1))", params![done])?;
    }
    if lists {
        drop_unused(tx)?;
    }
    Ok(step)
}

/// Writes down a message's next portion; tells whether that was the last.
fn place(tx: &mut Tx<'_>, fan_out: &FanOut, waiting: &Waiting, step: &mut Step) -> Result<bool, Error> {
    let read = match (&waiting.few, waiting.list) {
        (Some(few), _) => Read { packed: few.clone(), portions: 1, of_topic: None },
        (None, Some(list)) => read_portion(tx, (list, waiting.portions_done))?,
        (None, None) => return Err(corrupt("a message waits for nobody")),
    };
    let to = unpack(&read.packed).ok_or_else(|| corrupt("it is no list of recipients"))?;
    let sql = "SELECT id, project_id, topic_id, topic_name, content, priority, locale, created_at, expires_at
         FROM message WHERE id = $1";
    let row = tx.query_one("message", sql, params![waiting.message.to_string()])?;
    let mut row = row.ok_or_else(|| corrupt("its message is gone"))?;
    let stored = Arc::new(read_message(&mut row)?);
    let known = !tx.is_shared() && read.of_topic.is_some_and(|portion| fan_out.whole().contains(&portion));
    let places = if known {
        message::insert_known(tx, &stored, &to, waiting.placed)?.into_iter().map(Some).collect()
    } else {
        let places = message::insert_later(tx, &stored, &to, waiting.placed)?;
        step.whole.extend(read.of_topic.filter(|_portion| places.iter().all(Option::is_some)));
        places
    };
    step.placed += to.len();
    step.ready.extend(message::ready_later(&stored, &to, &places, waiting.placed));
    let portions_done = waiting.portions_done + 1;
    if portions_done < read.portions {
        let placed = waiting.placed.saturating_add(u32::try_from(to.len()).unwrap_or(u32::MAX));
        let sql = "UPDATE fan_out SET portions_done = $2, placed = $3 WHERE seq = $1";
        tx.execute(sql, params![waiting.seq, portions_done, placed])?;
    }
    Ok(portions_done >= read.portions)
}

/// Recipients as they were written down.
struct Read {
    packed: Vec<u8>,
    /// How many portions there are of them.
    portions: i64,
    /// Which portion it is of a list that is a topic's.
    of_topic: Option<Portion>,
}

fn read_portion(tx: &mut Tx<'_>, portion: Portion) -> Result<Read, Error> {
    let sql = "SELECT p.recipients, l.portions, l.topic_id FROM recipient_list l
         JOIN recipient_list_portion p ON p.list_id = l.seq WHERE l.seq = $1 AND p.number = $2";
    let row = tx.query_one("recipient_list", sql, params![portion.0, portion.1])?;
    let mut row = row.ok_or_else(|| corrupt("its list of recipients is gone"))?;
    let (packed, portions) = (row.bytes()?, row.int()?);
    Ok(Read { packed, portions, of_topic: row.maybe_text()?.map(|_topic| portion) })
}

fn corrupt(problem: &'static str) -> Error {
    Error::Corrupt { table: "fan_out", column: 0, problem }
}

impl Store {
    /// Waits until a message is to be fanned out.
    pub async fn fan_out_added(&self) {
        self.fan_out.added.notified().await;
    }

    /// How many deliveries of this server's messages are still to be written down.
    #[must_use]
    pub fn fan_out_unplaced(&self) -> usize {
        self.fan_out.unplaced.load(Ordering::Acquire)
    }

    /// Whether some message, whichever server accepted it, is still to be fanned out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn fan_out_waits(&self) -> Result<bool, Error> {
        let any = |tx: &mut Tx<'_>| tx.query_one("fan_out", "SELECT 1 FROM fan_out LIMIT 1", &[]);
        Ok(self.db.read_alone(any).await?.is_some())
    }

    /// Writes down the next deliveries of messages that were accepted, in the order of their acceptance, and hands them to
    /// the engine. Those whose subscription was removed meanwhile are cancelled. Tells whether more waits.
    ///
    /// # Errors
    /// When nothing can be written; then nothing of it was.
    pub async fn fan_out_step(&self) -> Result<bool, Error> {
        // A write of nothing would still keep the other servers waiting.
        if self.db.is_shared() && !self.fan_out_waits().await? {
            self.fan_out.stepped(0, None);
            return Ok(false);
        }
        Ok(self.fan_out_some().await?.is_some())
    }

    async fn fan_out_some(&self) -> Result<Option<i64>, Error> {
        let (wake, fan_out, told) = (self.wake(), Arc::clone(&self.fan_out), Arc::clone(&self.fan_out));
        let version = self.db.version_then();
        let hand = move |step: &Step| {
            told.stepped(step.placed, step.next);
            told.found_whole(&step.whole);
            let known = version();
            wake.hand(step.ready.iter().map(|ready| Ready { known, ..ready.clone() }).collect());
        };
        Ok(self.db.write_flow(move |tx: &mut Tx<'_>| step(tx, &fan_out), hand).await?.next)
    }

    /// Sees to it that the deliveries of every message that was accepted before this call are written down.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) async fn fan_out_now(&self) -> Result<(), Error> {
        if !self.db.is_shared() && !self.fan_out.may_wait.load(Ordering::Acquire) {
            return Ok(());
        }
        let last = |tx: &mut Tx<'_>| tx.query_one("fan_out", "SELECT max(seq) FROM fan_out", &[]);
        let Some(last) = self.db.read_alone(last).await?.map_or(Ok(None), |mut row| row.maybe_int())? else {
            return Ok(());
        };
        while self.fan_out_some().await?.is_some_and(|next| next <= last) {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use std::sync::atomic::Ordering;

    use super::{FanOut, UNPLACED_MAX};

    #[tokio::test]
    async fn a_publisher_waits_until_there_is_room() {
        let fan_out = FanOut::default();
        fan_out.added(UNPLACED_MAX - 1);
        fan_out.room().await.unwrap();
        fan_out.added(1);
        let mut room = pin!(fan_out.room());
        let mut look = || room.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(look().is_pending());
        fan_out.stepped(1, Some(1));
        assert!(matches!(look(), Poll::Ready(Ok(()))), "a step made room");
        fan_out.added(UNPLACED_MAX);
        fan_out.stepped(0, None);
        fan_out.room().await.unwrap();
        assert_eq!(fan_out.unplaced.load(Ordering::Acquire), 0, "nothing waits, whoever wrote it down");
    }
}
