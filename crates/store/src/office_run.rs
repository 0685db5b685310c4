//! Readings of a directory: asked for, under way, ended. What is read waits in `office_staged`, and is the directory only
//! when one transaction makes it so.

use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, ProjectId, RunId};
use carillon_model::office::Range;
use carillon_model::office::directory::{Counts, RunState};
use carillon_model::outcome::Advice;

use crate::connection::read_range;
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::office_missed::{Missed, read_missed};
use crate::setup::Store;
use crate::shard::Shard;

/// When a directory is read again for changes that were heard of, after a reading that failed.
const EVENTS_AGAIN: Duration = Duration::from_secs(15 * 60);

/// A reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The connection.
    pub connection: ConnectionId,
    /// Where it stands.
    pub state: RunState,
    /// Who or what asked for it: an account's name, or `timer`.
    pub caused_by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How many calls it has made.
    pub calls: u64,
    /// What it has read and would change, or did.
    pub counts: Counts,
    /// The permissions that are missing, by their exact names.
    pub missing: Vec<String>,
    /// What the app may see.
    pub range: Option<Range>,
    /// Why it failed.
    pub error: Option<Advice>,
    /// Who and what it found gone although subscriptions or groups name it.
    pub missed: Vec<Missed>,
}

/// How far a reading has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many calls it has made.
    pub calls: u64,
    /// The permissions that turned out to be missing.
    pub missing: Vec<String>,
    /// What the app may see, when that is known.
    pub range: Option<Range>,
}

macro_rules! select_run {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.connection_id, r.state, r.caused_by, r.started_at, r.ended_at, r.calls, r.departments, r.members,
             r.added, r.changed, r.moved, r.gone, r.missing, r.range, r.error_en, r.error_zh, r.missed FROM office_run r ",
            $rest
        )
    };
}

fn read_run(mut row: Row) -> Result<Run, Error> {
    let id = row.parsed(|text| RunId::parse(text).ok())?;
    let connection = row.parsed(|text| ConnectionId::parse(text).ok())?;
    let state = row.parsed(RunState::from_name)?;
    let caused_by = row.text()?;
    let started_at = row.time()?;
    let ended_at = row.maybe_time()?;
    let mut number = || Ok::<_, Error>(u64::try_from(row.int()?).unwrap_or(0));
    let calls = number()?;
    let counts = Counts {
        departments: number()?,
        members: number()?,
        added: number()?,
        changed: number()?,
        moved: number()?,
        gone: number()?,
    };
    let missing = serde_json::from_str(&row.text()?).unwrap_or_default();
    let range = read_range(row.maybe_text()?);
    let error = match (row.maybe_text()?, row.maybe_text()?) {
        (Some(en), Some(zh)) => Some(Advice { en: en.into(), zh: zh.into() }),
        _ => None,
    };
    let missed = read_missed(row.maybe_text()?);
    Ok(Run {
        id,
        connection,
        state,
        caused_by,
        started_at,
        ended_at,
        calls,
        counts,
        missing,
        range,
        error,
        missed,
    })
}

/// Ends a reading that is running or asks, and forgets what it read. Tells whether it was.
pub(crate) fn end(tx: &mut Tx<'_>, run: &str, now: Timestamp, error: &Advice) -> Result<bool, Error> {
    let sql =
        "UPDATE office_run SET state = 'failed', ended_at = $2, error_en = $3, error_zh = $4, cancelled = 1
         WHERE id = $1 AND state IN ('running', 'asks')";
    let ended = tx.execute(sql, params![run, now, error.en.as_ref(), error.zh.as_ref()])? > 0;
    if ended {
        tx.execute("DELETE FROM office_staged WHERE run_id = $1", params![run])?;
    }
    Ok(ended)
}

/// Whether a reading is still this server's: whoever serves the shard of its connection now is the one that reads. `node`
/// is nothing where there is only one server.
pub(crate) fn is_served_here(tx: &mut Tx<'_>, run: &str, node: Option<&str>) -> Result<bool, Error> {
    let Some(node) = node else { return Ok(true) };
    let sql = "SELECT connection_id FROM office_run WHERE id = $1";
    let Some(mut row) = tx.query_one("office_run", sql, params![run])? else { return Ok(false) };
    let connection = row.parsed(|text| ConnectionId::parse(text).ok())?;
    let shard = i64::from(Shard::of_connection(connection).0);
    // The shard stays where it is until this is written.
    let sql = "SELECT number FROM shard WHERE number = $1 AND node_id = $2 FOR SHARE";
    Ok(tx.query_one("shard", sql, params![shard, node])?.is_some())
}

impl Store {
    /// Asks for a reading, and tells the engine. One that is running already is the one; one that waits for an answer ends.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn run_begin(&self, connection: ConnectionId, caused_by: String) -> Result<RunId, Error> {
        let (now, wake) = (self.clock.now(), self.wake());
        let id = RunId::new(now, self.chance.as_ref());
        let begin = move |tx: &mut Tx<'_>| {
            let connection = connection.to_string();
            let sql =
                "SELECT id, state FROM office_run WHERE connection_id = $1 AND state IN ('running', 'asks')";
            for mut row in tx.query("office_run", sql, params![connection.as_str()])? {
                let other = row.text()?;
                if row.text()? == "running" {
                    return RunId::parse(&other).map_err(|_id| row.corrupt("it is no id"));
                }
                let superseded = Advice {
                    en: "A later update took its place before anybody confirmed it.".into(),
                    zh: "在确认之前已开始新的更新。".into(),
                };
                end(tx, &other, now, &superseded)?;
            }
            let sql = "INSERT INTO office_run (id, connection_id, state, caused_by, started_at, calls, departments, members,
                 added, changed, moved, gone, missing, cancelled)
                 VALUES ($1, $2, 'running', $3, $4, 0, 0, 0, 0, 0, 0, 0, '[]', 0)";
            tx.execute(sql, params![id.to_string(), connection.as_str(), caused_by.as_str(), now])?;
            // Whatever was heard of changes is read with it.
            tx.execute("UPDATE connection SET update_due = NULL WHERE id = $1", params![connection])?;
            Ok(id)
        };
        self.db.write_then(begin, move |_id| wake.ask_update()).await
    }

    /// The readings that are to be done, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_list_running(&self) -> Result<Vec<Run>, Error> {
        let list = |tx: &mut Tx<'_>| {
            tx.query("office_run", select_run!("WHERE r.state = 'running' ORDER BY r.started_at, r.id"), &[])
        };
        self.db.read(list).await?.into_iter().map(read_run).collect()
    }

    /// Finds a reading of a project's connection.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_find(
        &self,
        project: &ProjectId,
        connection: ConnectionId,
        run: RunId,
    ) -> Result<Option<Run>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_run!(
                "JOIN connection c ON c.id = r.connection_id
                 WHERE r.id = $1 AND r.connection_id = $2 AND c.project_id = $3"
            );
            tx.query_one(
                "office_run",
                sql,
                params![run.to_string(), connection.to_string(), project.as_str()],
            )
        };
        self.db.read(find).await?.map(read_run).transpose()
    }

    /// Lists a connection's latest readings, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_list(&self, connection: ConnectionId, limit: u64) -> Result<Vec<Run>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql =
                select_run!("WHERE r.connection_id = $1 ORDER BY r.started_at DESC, r.id DESC LIMIT $2");
            tx.query("office_run", sql, params![connection.to_string(), limit])
        };
        self.db.read(list).await?.into_iter().map(read_run).collect()
    }

    /// Ends a reading that is running or asks, and forgets what it read; the directory is as it was. Tells whether it was
    /// one of these.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn run_end(&self, run: RunId, error: Advice, missing: Vec<String>) -> Result<bool, Error> {
        let now = self.clock.now();
        let work = move |tx: &mut Tx<'_>| {
            let run = run.to_string();
            let ended = end(tx, &run, now, &error)?;
            if ended {
                // What was heard of changes is still to be read.
                let sql = "UPDATE connection SET update_due = coalesce(update_due, $2)
                     WHERE id = (SELECT connection_id FROM office_run WHERE id = $1 AND caused_by = 'events')";
                tx.execute(sql, params![run.as_str(), now.plus(EVENTS_AGAIN)])?;
            }
            if ended && !missing.is_empty() {
                let missing = serde_json::to_string(&missing).map_err(|_json| Error::Conflict)?;
                tx.execute("UPDATE office_run SET missing = $2 WHERE id = $1", params![run, missing])?;
            }
            Ok(ended)
        };
        self.db.write(work).await
    }
}
