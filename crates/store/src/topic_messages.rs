//! Which messages a topic has, for lists by topic. In a file it is a table beside the messages (`topic_message`), written
//! for many of them at once, sorted: with an index, each message wrote a page of its own, because its topic is another one than
//! that of the message before (ADR 43).
//!
//! Up to the mark (`topic_mark`) no message is missing in the table; those behind it are entered when they have become many,
//! and before somebody reads: whoever asks by topic begins with [`Store::topics_shown`]. Where several servers share a
//! database, `topic_message` is a view of the messages, which have an index by topic there.

use std::sync::atomic::{AtomicU64, Ordering};

use carillon_model::id::MessageId;
use tokio::sync::{Mutex, Notify};

use crate::db::{Row, Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::setup::Store;

/// How many messages are behind the mark before they are entered.
const BEHIND_MAX: u64 = 8_192;
/// How many are read at once: after an outage there may be more.
const PORTION: u64 = 16_384;
/// How many are written in one transaction: publishers wait meanwhile.
const SLICE: usize = 512;

const SELECT_NEXT: &str = "SELECT max(id) FROM (SELECT id FROM message
     WHERE id > (SELECT upto FROM topic_mark) ORDER BY id LIMIT $1) AS next";

const SELECT_BEHIND: &str = "SELECT project_id, topic_name, count(*), json_group_array(id) FROM message
     WHERE id > (SELECT upto FROM topic_mark) AND id <= $1 GROUP BY project_id, topic_name ORDER BY project_id, topic_name";

/// Some of them may stand there: those that came late, and what was entered when it was cut short.
const INSERT: &str = "INSERT INTO topic_message (project_id, topic_name, id)
     SELECT $1, $2, value FROM json_each($3) WHERE true ON CONFLICT DO NOTHING";

const REMOVE: &str = "DELETE FROM topic_message WHERE (project_id, topic_name, id) IN
     (SELECT project_id, topic_name, id FROM message WHERE id = $1)";

/// How far the table goes, or will, as far as this server knows.
#[derive(Debug)]
pub(crate) struct TopicMark {
    /// How the id begins up to which messages are in the table, or are being entered; never before the mark.
    upto: AtomicU64,
    behind: AtomicU64,
    many: Notify,
    /// Held by who enters them, or forgets some.
    pub(crate) one: Mutex<()>,
}

impl Default for TopicMark {
    /// After a start, where the mark is has to be looked up, and there may be some behind it.
    fn default() -> Self {
        let many = Notify::new();
        many.notify_one();
        Self { upto: AtomicU64::new(u64::MAX), behind: AtomicU64::new(0), many, one: Mutex::default() }
    }
}

/// The first half of an id: its time, and what tells most apart of the same time.
fn begin(id: MessageId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

impl TopicMark {
    /// A message was written down in this transaction.
    pub(crate) fn saw(&self, tx: &mut Tx<'_>, stored: &StoredMessage) -> Result<(), Error> {
        if begin(stored.message.id) <= self.upto.load(Ordering::Acquire) {
            return enter_one(tx, stored);
        }
        if self.behind.fetch_add(1, Ordering::AcqRel) + 1 >= BEHIND_MAX {
            self.many.notify_one();
        }
        Ok(())
    }

    /// Where the next portion ends, if there is any. Whatever is written down behind this in the order of the writer, and has
    /// its place before that end, is not left to the portion.
    fn next(&self, tx: &mut Tx<'_>) -> Result<Option<MessageId>, Error> {
        let next = tx.query_one("message", SELECT_NEXT, params![PORTION])?;
        let next = next.map(|mut row| row.maybe_parsed(|text| MessageId::parse(text).ok())).transpose()?;
        let next = next.flatten();
        let upto = match next {
            Some(next) => Some(next),
            None => mark(tx)?,
        };
        self.upto.store(upto.map_or(0, begin), Ordering::Release);
        self.behind.store(0, Ordering::Release);
        Ok(next)
    }
}

/// Where the mark is; nowhere before the first message.
fn mark(tx: &mut Tx<'_>) -> Result<Option<MessageId>, Error> {
    let sql = "SELECT upto FROM topic_mark WHERE upto > ''";
    let row = tx.query_one("topic_mark", sql, &[])?;
    row.map(|mut row| row.parsed(|text| MessageId::parse(text).ok())).transpose()
}

fn set_mark(tx: &mut Tx<'_>, upto: MessageId) -> Result<(), Error> {
    tx.execute("UPDATE topic_mark SET upto = $1", params![upto.to_string()]).map(drop)
}

/// Messages of one topic: their ids as a JSON list.
struct Part {
    project: String,
    topic: String,
    ids: String,
    count: usize,
}

impl Part {
    fn read(row: &mut Row) -> Result<Self, Error> {
        let (project, topic) = (row.text()?, row.text()?);
        let count = usize::try_from(row.int()?).unwrap_or(0);
        Ok(Self { project, topic, ids: row.text()?, count })
    }

    /// The same in parts that each fit into a slice.
    fn split(self) -> Result<Vec<Self>, Error> {
        if self.count <= SLICE {
            return Ok(vec![self]);
        }
        let ids: Vec<&str> = serde_json::from_str(&self.ids).map_err(|_json| Error::Conflict)?;
        let part = |ids: &[&str]| {
            let (project, topic, count) = (self.project.clone(), self.topic.clone(), ids.len());
            let ids = serde_json::to_string(ids).map_err(|_json| Error::Conflict)?;
            Ok(Self { project, topic, ids, count })
        };
        ids.chunks(SLICE).map(part).collect()
    }
}

/// What is behind the mark up to an id, topic by topic, in slices.
fn collect(tx: &mut Tx<'_>, upto: MessageId) -> Result<Vec<Vec<Part>>, Error> {
    let mut slices = Vec::new();
    let mut slice = Vec::new();
    let mut room = SLICE;
    for mut row in tx.query("message", SELECT_BEHIND, params![upto.to_string()])? {
        for part in Part::read(&mut row)?.split()? {
            if part.count > room {
                slices.push(std::mem::take(&mut slice));
                room = SLICE;
            }
            room = room.saturating_sub(part.count);
            slice.push(part);
        }
    }
    slices.push(slice);
    Ok(slices)
}

fn enter(tx: &mut Tx<'_>, slice: &[Part]) -> Result<(), Error> {
    for part in slice {
        tx.execute(INSERT, params![part.project.as_str(), part.topic.as_str(), part.ids.as_str()])?;
    }
    Ok(())
}

/// Enters a message by itself: nobody may find it behind the mark.
pub(crate) fn enter_one(tx: &mut Tx<'_>, stored: &StoredMessage) -> Result<(), Error> {
    if tx.is_shared() {
        return Ok(());
    }
    let (project, topic) = (stored.message.project.as_str(), stored.topic_name.as_str());
    tx.execute(INSERT, params![project, topic, vec![stored.message.id.to_string()]]).map(drop)
}

/// Takes out a message that is about to be forgotten.
pub(crate) fn remove(tx: &mut Tx<'_>, message: &str) -> Result<(), Error> {
    // Elsewhere that would take out the message itself.
    if tx.is_shared() { Ok(()) } else { tx.execute(REMOVE, params![message]).map(drop) }
}

/// Enters all there are; for who has the database alone.
pub(crate) fn enter_all(tx: &mut Tx<'_>) -> Result<(), Error> {
    if tx.is_shared() {
        return Ok(());
    }
    let alone = TopicMark::default();
    while let Some(upto) = alone.next(tx)? {
        collect(tx, upto)?.iter().try_for_each(|slice| enter(tx, slice))?;
        set_mark(tx, upto)?;
    }
    Ok(())
}

impl Store {
    /// Waits until many messages may not be found by their topics, but by who enters them first.
    pub async fn topic_messages_behind(&self) {
        self.wake.topics.many.notified().await;
    }

    /// Sees to it that whatever was accepted before this call is found by its topic. What takes long of it is only read, beside
    /// whoever writes.
    ///
    /// # Errors
    /// When the store cannot be read, or nothing can be written.
    pub async fn topic_messages_enter(&self) -> Result<(), Error> {
        let entered = self.enter_portions().await;
        if entered.is_err() {
            self.wake.topics.many.notify_one();
        }
        entered
    }

    async fn enter_portions(&self) -> Result<(), Error> {
        if self.is_shared() {
            return Ok(());
        }
        let _one = self.wake.topics.one.lock().await;
        let mut entered = PORTION;
        while entered >= PORTION {
            let wake = self.wake();
            let next = move |tx: &mut Tx<'_>| wake.topics.next(tx);
            let Some(upto) = self.db.write_flow(next, |_next| ()).await? else { return Ok(()) };
            let slices = self.db.read(move |tx| collect(tx, upto)).await?;
            let ids = slices.iter().flatten().map(|part| part.count as u64);
            entered = ids.sum();
            for slice in slices {
                self.db.write_flow(move |tx: &mut Tx<'_>| enter(tx, &slice), |()| ()).await?;
            }
            self.db.write_flow(move |tx: &mut Tx<'_>| set_mark(tx, upto), |()| ()).await?;
        }
        Ok(())
    }

    async fn enter_if_behind(&self) -> Result<(), Error> {
        let is_behind = |tx: &mut Tx<'_>| {
            let sql = "SELECT 1 FROM message WHERE id > (SELECT upto FROM topic_mark) LIMIT 1";
            tx.query_one("message", sql, &[]).map(|row| row.is_some())
        };
        if !self.is_shared() && self.db.read(is_behind).await? {
            self.topic_messages_enter().await?;
        }
        Ok(())
    }

    /// The same for what is only shown: where nothing can be written, what is read may miss the newest.
    pub(crate) async fn topics_shown(&self) {
        if let Err(error) = self.enter_if_behind().await {
            tracing::warn!(%error, "what was just published may be missing in what is shown of a topic");
        }
    }
}

#[cfg(test)]
#[path = "topic_messages_tests.rs"]
mod tests;
