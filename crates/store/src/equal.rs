//! What says the same as something that its topic was sent shortly before: recorded as a message, and sent to nobody.
//!
//! Only a keyed hash of the content is kept, in one row for each content within the window. Several servers meet in that
//! row: whoever writes it first is sent, whatever the others know.

use std::sync::atomic::Ordering;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::filter::Attributes;
use carillon_model::id::{MessageId, ProjectId, TopicId};
use carillon_model::topic::TopicName;

use crate::db::{Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::setup::Store;
use crate::vault::Vault;

/// A row from further in the future is by a clock that was set back since, and says nothing.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(60);

/// What a message says, on its way into the store.
pub(crate) struct Equal {
    hash: [u8; 32],
    window: Duration,
}

impl Equal {
    /// Content, attributes and priority make what it says; language, time to live, id and time do not. Attributes decide
    /// who gets it, and an urgent one is never kept back for one that was not.
    pub(crate) fn new(
        vault: &Vault,
        window: Duration,
        stored: &StoredMessage,
        attributes: &Attributes,
    ) -> Result<Self, Error> {
        let message = &stored.message;
        let content = serde_json::to_vec(&(&message.content, attributes, message.priority));
        let content = content.map_err(|_json| Error::Conflict)?;
        Ok(Self { hash: vault.hash("equal content", &content), window })
    }

    /// Takes the content for `stored`, or gives the message that was sent with it within the window. The window begins
    /// with that one, and not anew with each that is kept back.
    pub(crate) fn take(
        &self,
        tx: &mut Tx<'_>,
        stored: &StoredMessage,
        now: Timestamp,
    ) -> Result<Option<MessageId>, Error> {
        let (topic, id) = (stored.message.topic.to_string(), stored.message.id.to_string());
        // The row itself decides, also between servers that write it at the same time.
        let sql = "INSERT INTO equal_content (topic_id, hash, message_id, sent_at, ends_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (topic_id, hash) DO UPDATE
             SET message_id = excluded.message_id, sent_at = excluded.sent_at, ends_at = excluded.ends_at
             WHERE equal_content.sent_at <= $6 OR equal_content.sent_at > $7 RETURNING message_id";
        let shown = params![
            topic.as_str(),
            self.hash,
            id.as_str(),
            now,
            now.plus(self.window),
            now.minus(self.window),
            now.plus(CLOCKS_DIFFER_MAX)
        ];
        if tx.query_one("equal_content", sql, shown)?.is_some() {
            return Ok(None);
        }
        let sql = "SELECT message_id, CAST(CASE WHEN EXISTS (SELECT 1 FROM delivery d
             WHERE d.message_id = e.message_id AND d.state IN (0, 1, 2))
             OR EXISTS (SELECT 1 FROM fan_out f WHERE f.message_id = e.message_id) THEN 1 ELSE 0 END AS BIGINT)
             FROM equal_content e WHERE e.topic_id = $1 AND e.hash = $2";
        let row = tx.query_one("equal_content", sql, params![topic.as_str(), self.hash])?;
        let Some(mut row) = row else { return Ok(None) };
        let first = row.parsed(|text| MessageId::parse(text).ok())?;
        if row.int()? != 0 {
            return Ok(Some(first));
        }
        // The first reached nobody, and will not: this one takes its place, unless another just did.
        let sql = "UPDATE equal_content SET message_id = $3, sent_at = $4, ends_at = $5
             WHERE topic_id = $1 AND hash = $2 AND message_id = $6";
        let shown = params![topic, self.hash, id, now, now.plus(self.window), first.to_string()];
        Ok((tx.execute(sql, shown)? == 0).then_some(first))
    }
}

/// Says of a message that was written without deliveries why it has none.
pub(crate) fn mark(tx: &mut Tx<'_>, message: MessageId, first: MessageId) -> Result<(), Error> {
    let sql = "UPDATE message SET equal_to = $2 WHERE id = $1";
    tx.execute(sql, params![message.to_string(), first.to_string()]).map(drop)
}

impl Store {
    /// For how long a topic sends nothing that says the same again; not at all when it is nothing. Nothing is found where
    /// there is no such topic.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn suppression(&self, topic: TopicId) -> Result<Option<Duration>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            tx.query_one("topic", "SELECT suppress_s FROM topic WHERE id = $1", params![topic.to_string()])
        };
        let row = self.db.read(find).await?;
        row.map(|mut row| Ok(Duration::from_secs(row.count()?.into()))).transpose()
    }

    /// Sets for how many seconds a topic sends nothing that says the same again, none for not at all, and tells whether it is
    /// there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn suppression_set(
        &self,
        project: &ProjectId,
        topic: &TopicName,
        seconds: u32,
    ) -> Result<bool, Error> {
        let (project, topic, now) = (project.clone(), topic.clone(), self.clock.now());
        let set = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE topic SET suppress_s = $3, updated_at = $4 WHERE project_id = $1 AND name = $2";
            tx.execute(sql, params![project.as_str(), topic.as_str(), seconds, now])
        };
        Ok(self.db.write(set).await? > 0)
    }

    /// How many messages went to nobody because they say the same as this one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn suppressed_count(&self, first: MessageId) -> Result<u64, Error> {
        let count = move |tx: &mut Tx<'_>| {
            let sql = "SELECT count(*) FROM message WHERE equal_to = $1";
            tx.query_one("message", sql, params![first.to_string()])
        };
        self.db.read(count).await?.map_or(Ok(0), |mut row| row.count().map(u64::from))
    }

    /// How many messages this server recorded so since this was called last.
    #[must_use]
    pub fn suppressed_take(&self) -> u64 {
        self.suppressed.swap(0, Ordering::Relaxed)
    }

    /// Takes out at most `rows_max` contents whose window is over and tells how many.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn equal_forget(&self, rows_max: u64) -> Result<u64, Error> {
        let before = self.clock.now().minus(CLOCKS_DIFFER_MAX);
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM equal_content WHERE (topic_id, hash) IN
                 (SELECT topic_id, hash FROM equal_content WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)";
            tx.execute(sql, params![before, rows_max])
        };
        // Nothing of it is kept in memory.
        self.db.write_flow(forget, |_forgotten| ()).await
    }
}
