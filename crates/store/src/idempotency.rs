//! The publisher's own key for a publish: the same key again, for a while, is the same publish.

use carillon_model::clock::Timestamp;
use carillon_model::filter::Attributes;
use carillon_model::id::MessageId;
use carillon_model::limits;

use crate::db::{Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::setup::Store;
use crate::vault::Vault;

/// What came of publishing under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is new.
    New,
    /// The same was published under the key before; nothing was published now.
    Again {
        /// The message of the first time.
        message: MessageId,
        /// How many deliveries it was made into.
        deliveries: u32,
    },
    /// Something else was published under the key before; nothing was published now.
    Differs,
    /// It is new, and says the same as what its topic was sent shortly before: it is recorded, and goes to nobody.
    Equal {
        /// What it says the same as.
        to: MessageId,
    },
}

/// A key on its way into the store: only hashes of it and of what is published under it.
pub(crate) struct Claim {
    hash: [u8; 32],
    fingerprint: [u8; 32],
}

impl Claim {
    /// The claim of `key` for a message. Topic, content, attributes, priority, locale and time to live make the
    /// content; the id and the time of the call do not.
    pub(crate) fn new(
        vault: &Vault,
        key: &str,
        stored: &StoredMessage,
        attributes: &Attributes,
    ) -> Result<Self, Error> {
        let message = &stored.message;
        let life = message.expires_at.since(message.created_at).as_millis();
        let how = (message.priority, message.locale, life.to_string());
        let content = (message.topic, &message.content, attributes, how);
        let content = serde_json::to_vec(&content).map_err(|_json| Error::Conflict)?;
        Ok(Self {
            hash: vault.hash("idempotency key", format!("{}\n{key}", message.project).as_bytes()),
            fingerprint: vault.hash("idempotency content", &content),
        })
    }

    /// Takes the key for `stored`, or tells what it was taken for before.
    pub(crate) fn take(
        &self,
        tx: &mut Tx<'_>,
        stored: &StoredMessage,
        deliveries: usize,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let (project, message) = (stored.message.project.as_str(), stored.message.id);
        let sql = "SELECT fingerprint, message_id, deliveries FROM idempotency_key
             WHERE project_id = $1 AND hash = $2 AND created_at > $3";
        let valid_from = oldest(now);
        if let Some(mut row) =
            tx.query_one("idempotency_key", sql, params![project, self.hash, valid_from])?
        {
            let same = row.bytes()? == self.fingerprint;
            let message = row.parsed(|text| MessageId::parse(text).ok())?;
            let deliveries = row.count()?;
            return Ok(if same { Accepted::Again { message, deliveries } } else { Accepted::Differs });
        }
        let sql = "DELETE FROM idempotency_key WHERE project_id = $1 AND hash = $2";
        tx.execute(sql, params![project, self.hash])?;
        tx.execute(
            "INSERT INTO idempotency_key (project_id, hash, fingerprint, message_id, deliveries, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                project,
                self.hash,
                self.fingerprint,
                message.to_string(),
                u64::try_from(deliveries).unwrap_or(u64::MAX),
                now
            ],
        )?;
        Ok(Accepted::New)
    }

    /// Says that what the key was just taken for goes to nobody.
    pub(crate) fn goes_to_nobody(&self, tx: &mut Tx<'_>, stored: &StoredMessage) -> Result<(), Error> {
        let sql = "UPDATE idempotency_key SET deliveries = 0 WHERE project_id = $1 AND hash = $2";
        tx.execute(sql, params![stored.message.project.as_str(), self.hash]).map(drop)
    }
}

/// Keys taken then or before are honoured no more.
fn oldest(now: Timestamp) -> Timestamp {
    let life = i64::try_from(limits::IDEMPOTENCY_KEY_LIFE.as_millis()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(life))
}

/// How much longer keys are kept than they are honoured, in milliseconds, for a clock that is set back a little.
const SLACK_MS: i64 = 60_000;

impl Store {
    /// Takes out at most `rows_max` keys that are honoured no more and tells how many.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn idempotency_forget(&self, rows_max: u64) -> Result<u64, Error> {
        let before = Timestamp(oldest(self.clock.now()).0.saturating_sub(SLACK_MS));
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM idempotency_key WHERE (project_id, hash) IN
                 (SELECT project_id, hash FROM idempotency_key WHERE created_at < $1
                 ORDER BY created_at LIMIT $2)";
            tx.execute(sql, params![before, rows_max])
        };
        // Keys are nothing that is kept in memory.
        self.db.write_flow(forget, |_forgotten| ()).await
    }
}
