//! Office apps and their sealed credentials.

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, ProjectId};
use carillon_model::limits;
use carillon_model::office::callback::Callback;
use carillon_model::office::{App, Connection, Platform, Range};

use serde::{Deserialize, Serialize};

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::pause::parse_fallback;
use crate::setup::Store;
use crate::vault::{Place, Vault};
use crate::{key_check, sealed};

/// What came of making or changing a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// It is done.
    Done(ConnectionId),
    /// The project has another of that name.
    NameTaken,
    /// The project has as many as it may.
    Full,
    /// There is no such connection.
    NotThere,
}

pub(crate) fn place(id: &str) -> Place<'_> {
    Place { table: "connection", row: id, column: "sealed" }
}

/// What is sealed of a connection.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The app.
    #[serde(flatten)]
    pub(crate) app: App,
    /// What proves its callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) callback: Option<Callback>,
}

/// Opens all that is sealed of a connection.
pub(crate) fn open_kept(vault: &Vault, id: &str, sealed: &[u8]) -> Result<Kept, Error> {
    let plain = vault.open_sealed(place(id), sealed)?;
    serde_json::from_slice(&plain).map_err(|_json| Error::Sealed("its content has another form"))
}

/// Opens an app from its sealed bytes.
pub(crate) fn open_app(vault: &Vault, id: &str, sealed: &[u8]) -> Result<App, Error> {
    open_kept(vault, id, sealed).map(|kept| kept.app)
}

/// Seals a connection's secrets.
pub(crate) fn seal(
    vault: &Vault,
    chance: &dyn carillon_model::Chance,
    id: &str,
    kept: &Kept,
) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(kept).map_err(|_json| Error::Sealed("it has no JSON form"))?;
    vault.seal(place(id), &zeroize::Zeroizing::new(plain), chance)
}

fn name_taken(tx: &mut Tx<'_>, project: &str, name: &str, except: &str) -> Result<bool, Error> {
    let sql = "SELECT id FROM connection WHERE project_id = $1 AND name = $2 AND id <> $3";
    Ok(tx.query_one("connection", sql, params![project, name, except])?.is_some())
}

macro_rules! select_connection {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.name, c.platform, x.bytes, c.created_at, c.updated_at, c.range,
             (SELECT count(*) FROM office_recipient r WHERE r.connection_id = c.id AND r.kind = 'member' AND r.state = 0),
             (SELECT count(*) FROM office_department d WHERE d.connection_id = c.id), c.notices
             FROM connection c JOIN sealed x ON x.seq = c.sealed_seq ",
            $rest
        )
    };
}

fn read_connection(vault: &Vault, mut row: Row) -> Result<Connection, Error> {
    let text = row.text()?;
    let id = ConnectionId::parse(&text).map_err(|_id| row.corrupt("it is no id"))?;
    let name = row.text()?;
    let platform = row.parsed(Platform::from_name)?;
    let app_masked = open_app(vault, &text, &row.bytes()?)?.masked();
    let created_at = row.time()?;
    let updated_at = row.maybe_time()?;
    let range = read_range(row.maybe_text()?);
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    let (members, departments) = (number(row.int()?), number(row.int()?));
    let notices = row.maybe_text()?.as_deref().and_then(parse_fallback);
    Ok(Connection {
        id,
        name,
        platform,
        app_masked,
        created_at,
        updated_at,
        range,
        members,
        departments,
        notices,
    })
}

pub(crate) fn read_range(text: Option<String>) -> Option<Range> {
    serde_json::from_str(&text?).ok()
}

/// Seals what a connection has anew, and erases what was in its place before.
pub(crate) fn reseal(
    tx: &mut Tx<'_>,
    vault: &Vault,
    chance: &dyn carillon_model::Chance,
    (connection, before): (&str, i64),
    kept: &Kept,
) -> Result<(), Error> {
    key_check::follow(tx, vault)?;
    sealed::erase(tx, before)?;
    let seq = sealed::append(tx, seal(vault, chance, connection, kept)?)?;
    let sql = "UPDATE connection SET sealed_seq = $2 WHERE id = $1";
    tx.execute(sql, params![connection, seq]).map(drop)
}

impl Store {
    /// Makes a connection.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn connection_add(
        &self,
        project: &ProjectId,
        name: String,
        app: App,
    ) -> Result<Connected, Error> {
        let (project, now) = (project.clone(), self.clock.now());
        let id = ConnectionId::new(now, self.chance.as_ref());
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let add = move |tx: &mut Tx<'_>| {
            if name_taken(tx, project.as_str(), &name, "")? {
                return Ok(Connected::NameTaken);
            }
            let sql = "SELECT count(*) FROM connection WHERE project_id = $1";
            let count = tx.query_one("connection", sql, params![project.as_str()])?;
            let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
            if u64::try_from(count).unwrap_or(0) >= limits::CONNECTIONS_MAX {
                return Ok(Connected::Full);
            }
            key_check::follow(tx, &vault)?;
            let (text, platform) = (id.to_string(), app.platform());
            let seq =
                sealed::append(tx, seal(&vault, chance.as_ref(), &text, &Kept { app, callback: None })?)?;
            tx.execute(
                "INSERT INTO connection (id, project_id, name, platform, sealed_seq, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                params![text, project.as_str(), name.as_str(), platform.name(), seq, now],
            )?;
            Ok(Connected::Done(id))
        };
        self.db.write(add).await
    }

    /// Changes a connection's name, its credentials, or both. Its platform stays.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn connection_change(
        &self,
        project: &ProjectId,
        id: ConnectionId,
        name: Option<String>,
        app: Option<App>,
    ) -> Result<Connected, Error> {
        let project = project.clone();
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let change = move |tx: &mut Tx<'_>| {
            let text = id.to_string();
            let sql = "SELECT c.sealed_seq, x.bytes FROM connection c JOIN sealed x ON x.seq = c.sealed_seq
                 WHERE c.id = $1 AND c.project_id = $2";
            let row = tx.query_one("connection", sql, params![text.as_str(), project.as_str()])?;
            let Some(mut row) = row else { return Ok(Connected::NotThere) };
            let (seq, sealed) = (row.int()?, row.bytes()?);
            if let Some(name) = &name {
                if name_taken(tx, project.as_str(), name, &text)? {
                    return Ok(Connected::NameTaken);
                }
                let sql = "UPDATE connection SET name = $2 WHERE id = $1";
                tx.execute(sql, params![text.as_str(), name.as_str()])?;
            }
            if let Some(app) = app {
                let (platform, callback) = (app.platform(), open_kept(&vault, &text, &sealed)?.callback);
                reseal(tx, &vault, chance.as_ref(), (&text, seq), &Kept { app, callback })?;
                let sql = "UPDATE connection SET platform = $2 WHERE id = $1";
                tx.execute(sql, params![text.as_str(), platform.name()])?;
            }
            Ok(Connected::Done(id))
        };
        self.db.write(change).await
    }

    /// Lists a project's connections, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn connection_list(&self, project: &ProjectId) -> Result<Vec<Connection>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = select_connection!("WHERE c.project_id = $1 ORDER BY c.created_at, c.id");
            tx.query("connection", sql, params![project.as_str()])
        };
        self.db.read(list).await?.into_iter().map(|row| read_connection(&self.vault, row)).collect()
    }

    /// Finds a project's connection.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn connection_find(
        &self,
        project: &ProjectId,
        id: ConnectionId,
    ) -> Result<Option<Connection>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_connection!("WHERE c.id = $1 AND c.project_id = $2");
            tx.query_one("connection", sql, params![id.to_string(), project.as_str()])
        };
        self.db.read(find).await?.map(|row| read_connection(&self.vault, row)).transpose()
    }

    /// Opens a connection's app, to call its platform.
    ///
    /// # Errors
    /// When the store cannot be read or the app not be opened.
    pub async fn connection_open(&self, id: ConnectionId) -> Result<Option<App>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql =
                "SELECT x.bytes FROM connection c JOIN sealed x ON x.seq = c.sealed_seq WHERE c.id = $1";
            tx.query_one("connection", sql, params![id.to_string()])
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        open_app(&self.vault, &id.to_string(), &row.bytes()?).map(Some)
    }

    /// Removes a connection for good, with its directory and groups; what waits for its recipients is cancelled. When the
    /// call has answered, no byte of its credentials is left in the database's files. Tells whether it was there.
    ///
    /// # Errors
    /// When nothing can be written, or the bytes could not be taken out.
    pub async fn connection_delete(&self, project: &ProjectId, id: ConnectionId) -> Result<bool, Error> {
        let project = project.clone();
        let delete = move |tx: &mut Tx<'_>| {
            let id = id.to_string();
            let sql = "SELECT sealed_seq FROM connection WHERE id = $1 AND project_id = $2";
            let row = tx.query_one("connection", sql, params![id.as_str(), project.as_str()])?;
            let Some(mut row) = row else { return Ok(false) };
            sealed::erase(tx, row.int()?)?;
            crate::lane_index::list_all(tx)?;
            for sql in [
                "UPDATE delivery SET state = 5 WHERE seq IN (SELECT w.seq FROM office_recipient r
                 JOIN lane_waiting w ON w.endpoint_id = r.id WHERE r.connection_id = $1 AND w.state = 0)",
                "DELETE FROM office_membership WHERE connection_id = $1",
                "DELETE FROM office_department WHERE connection_id = $1",
                "DELETE FROM callback_seen WHERE connection_id = $1",
                "DELETE FROM office_contact WHERE connection_id = $1",
                "DELETE FROM office_recipient WHERE connection_id = $1",
                "DELETE FROM office_staged WHERE run_id IN (SELECT id FROM office_run WHERE connection_id = $1)",
                "DELETE FROM office_run WHERE connection_id = $1",
                "DELETE FROM office_group_part WHERE group_id IN (SELECT id FROM office_group WHERE connection_id = $1)",
                "DELETE FROM office_group WHERE connection_id = $1",
                "DELETE FROM connection WHERE id = $1",
            ] {
                tx.execute(sql, params![id.as_str()])?;
            }
            Ok(true)
        };
        self.db.write(delete).await
    }

    /// The connections whose directory was read before and whose latest reading began before `before`: their turn has come
    /// again. One that waits for an answer is left alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn connection_list_due(
        &self,
        before: Timestamp,
    ) -> Result<Vec<(ConnectionId, Timestamp)>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT r.connection_id, max(r.started_at) FROM office_run r
                 JOIN connection c ON c.id = r.connection_id WHERE c.updated_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM office_run o WHERE o.connection_id = c.id
                                 AND o.state IN ('running', 'asks'))
                 GROUP BY r.connection_id HAVING max(r.started_at) < $1";
            tx.query("office_run", sql, params![before])
        };
        let read = |mut row: Row| Ok((row.parsed(|text| ConnectionId::parse(text).ok())?, row.time()?));
        self.db.read(list).await?.into_iter().map(read).collect()
    }
}
