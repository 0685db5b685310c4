//! What platforms tell by themselves: the secrets that prove it, what was heard, and when a directory is to be read for it.

use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, ProjectId};
use carillon_model::office::App;
use carillon_model::office::callback::Callback;
use data_encoding::HEXLOWER;

use crate::connection::{Kept, open_kept, reseal};
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// How long after a change a directory is read: what comes meanwhile is read with it.
const GATHER: Duration = Duration::from_secs(60);
/// How long it is remembered what was heard, so that hearing it again does nothing.
const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);

/// How a connection's callbacks stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackState {
    /// Whether their secrets are set.
    pub set: bool,
    /// When something was heard last.
    pub heard_at: Option<Timestamp>,
    /// What it was, in the platform's words.
    pub heard: Option<String>,
    /// When the directory is read for what was heard.
    pub update_due_at: Option<Timestamp>,
}

impl Store {
    /// Sets or takes away the secrets that prove a connection's callbacks; tells whether the connection is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn callback_set(
        &self,
        project: &ProjectId,
        id: ConnectionId,
        callback: Option<Callback>,
    ) -> Result<bool, Error> {
        let project = project.clone();
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let set = move |tx: &mut Tx<'_>| {
            let text = id.to_string();
            let sql = "SELECT c.sealed_seq, x.bytes FROM connection c JOIN sealed x ON x.seq = c.sealed_seq
                 WHERE c.id = $1 AND c.project_id = $2";
            let row = tx.query_one("connection", sql, params![text.as_str(), project.as_str()])?;
            let Some(mut row) = row else { return Ok(false) };
            let seq = row.int()?;
            let Kept { app, callback: _before } = open_kept(&vault, &text, &row.bytes()?)?;
            reseal(tx, &vault, chance.as_ref(), (&text, seq), &Kept { app, callback })?;
            // What was heard was proved by others.
            let sql = "UPDATE connection SET heard_at = NULL, heard = NULL WHERE id = $1";
            tx.execute(sql, params![text.as_str()])?;
            Ok(true)
        };
        self.db.write(set).await
    }

    /// Opens a connection's app and the secrets of its callbacks, whoever's project it is.
    ///
    /// # Errors
    /// When the store cannot be read or they cannot be opened.
    pub async fn callback_open(&self, id: ConnectionId) -> Result<Option<(App, Option<Callback>)>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql =
                "SELECT x.bytes FROM connection c JOIN sealed x ON x.seq = c.sealed_seq WHERE c.id = $1";
            tx.query_one("connection", sql, params![id.to_string()])
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let Kept { app, callback } = open_kept(&self.vault, &id.to_string(), &row.bytes()?)?;
        Ok(Some((app, callback)))
    }

    /// How a connection's callbacks stand.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn callback_state(
        &self,
        project: &ProjectId,
        id: ConnectionId,
    ) -> Result<Option<CallbackState>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT x.bytes, c.heard_at, c.heard, c.update_due FROM connection c
                 JOIN sealed x ON x.seq = c.sealed_seq WHERE c.id = $1 AND c.project_id = $2";
            tx.query_one("connection", sql, params![id.to_string(), project.as_str()])
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let set = open_kept(&self.vault, &id.to_string(), &row.bytes()?)?.callback.is_some();
        let (heard_at, heard) = (row.maybe_time()?, row.maybe_text()?);
        Ok(Some(CallbackState { set, heard_at, heard, update_due_at: row.maybe_time()? }))
    }

    /// Notes what was heard, once for each key; `changes` asks for a reading of the directory soon. Tells whether it is new.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn callback_heard(
        &self,
        id: ConnectionId,
        key: &str,
        event: String,
        changes: bool,
    ) -> Result<bool, Error> {
        let key = HEXLOWER.encode(&self.vault.hash("callback", key.as_bytes()));
        let now = self.clock.now();
        let note = move |tx: &mut Tx<'_>| {
            let text = id.to_string();
            let sql = "INSERT INTO callback_seen (connection_id, key, at)
                 SELECT c.id, $2, $3 FROM connection c WHERE c.id = $1 ON CONFLICT (connection_id, key) DO NOTHING";
            if tx.execute(sql, params![text.as_str(), key, now])? == 0 {
                return Ok(false);
            }
            let due = changes.then(|| now.plus(GATHER));
            let sql = "UPDATE connection SET heard_at = $2, heard = $3, update_due = coalesce(update_due, $4)
                 WHERE id = $1";
            tx.execute(sql, params![text, now, event.as_str(), due])?;
            Ok(true)
        };
        self.db.write_flow(note, |_new| ()).await
    }

    /// The connections whose directory is to be read for what was heard; one that is being read, or asks, is left alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn connection_list_changed(&self) -> Result<Vec<ConnectionId>, Error> {
        let now = self.clock.now();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT c.id FROM connection c WHERE c.update_due <= $1 AND NOT EXISTS
                 (SELECT 1 FROM office_run r WHERE r.connection_id = c.id AND r.state IN ('running', 'asks'))
                 ORDER BY c.id";
            tx.query("connection", sql, params![now])
        };
        let read = |mut row: Row| row.parsed(|text| ConnectionId::parse(text).ok());
        self.db.read(list).await?.into_iter().map(read).collect()
    }

    /// Forgets what was heard long ago, some at a time, and tells how many went.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn callback_forget(&self, limit: u64) -> Result<u64, Error> {
        let before = self.clock.now().minus(REMEMBERED);
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM callback_seen WHERE at < $1
                 AND key IN (SELECT key FROM callback_seen WHERE at < $1 ORDER BY key LIMIT $2)";
            tx.execute(sql, params![before, limit])
        };
        self.db.write_beside(forget, |_gone| ()).await
    }
}
