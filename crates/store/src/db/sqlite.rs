//! SQLite: one writer thread that commits in groups, a few readers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ToSql, TransactionBehavior};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::checkpoint::Checkpoints;
use super::value::Kind;
use super::{Observer, Row, Tx, Value, Work, closing};
use crate::error::Error;
use crate::migrate::Standing;
use crate::{migrate, sealed};

/// The oldest SQLite that is safe: older ones can lose committed pages when a write races a checkpoint
/// (SQLite release notes, 3.51.3).
pub(crate) const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How many pieces of work share one commit at most.
const GROUP_MAX: usize = 1024;
/// How many pieces may wait for the writer before callers wait to hand theirs in.
const QUEUE_MAX: usize = 4096;
const READERS: usize = 4;
/// For how many commits nobody is trusted to fail only before it writes, after one did not: whatever fails each time is to
/// strike its neighbours rarely.
const WARY_COMMITS: u32 = 65_536;
/// How often the write-ahead log is tried to be emptied for one group; each try waits for readers.
const PURGE_TRIES: u32 = 8;
/// How long after a failed purge the next is tried.
const PURGE_AGAIN: Duration = Duration::from_secs(1);
/// How long one try waits, so that a stranger who reads the file (a backup, a shell) cannot hold the writer up.
const PURGE_WAIT: Duration = Duration::from_millis(250);
const BUSY_WAIT: Duration = Duration::from_secs(5);

pub(crate) struct Sqlite {
    /// Gone only while the store closes.
    orders: Option<mpsc::Sender<Box<dyn Work>>>,
    /// The writer, and the one that brings its log into the file.
    threads: Vec<JoinHandle<()>>,
    /// None where the writer reads too.
    readers: Option<Readers>,
    standing: Standing,
}

#[derive(Clone)]
struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
}

/// A writer, and what waits for it.
pub(crate) type Unstarted = (Writer, mpsc::Receiver<Box<dyn Work>>);

impl Sqlite {
    /// Opens the file and starts the writer in a thread of its own.
    pub(crate) fn open(
        path: &Path,
        now: carillon_model::Timestamp,
        observer: Arc<dyn Observer>,
        check: impl FnOnce(&mut Tx<'_>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let (mut sqlite, (mut writer, inbox)) = Self::open_unstarted(path, now, observer, check)?;
        writer.connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let (checkpoints, checkpointer) = Checkpoints::start(path)?;
        writer.checkpoints = Some(checkpoints);
        let fail = |error: std::io::Error| Error::Setup(format!("no thread for the store: {error}"));
        let waiting = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(fail)?;
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.write_all(inbox, &waiting))
            .map_err(fail)?;
        sqlite.threads = vec![writer, checkpointer];
        sqlite.readers = Some(Readers {
            path: path.to_owned(),
            idle: Arc::new(Mutex::new(Vec::new())),
            reading: Arc::new(Semaphore::new(READERS)),
        });
        Ok(sqlite)
    }

    /// Opens the file and leaves it to the caller to make the writer work; it reads, too.
    pub(crate) fn open_unstarted(
        path: &Path,
        now: carillon_model::Timestamp,
        observer: Arc<dyn Observer>,
        check: impl FnOnce(&mut Tx<'_>) -> Result<(), Error>,
    ) -> Result<(Self, Unstarted), Error> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(Error::Setup(format!("SQLite {} is too old, 3.51.3 is needed", rusqlite::version())));
        }
        let mut connection = connect(path, false)?;
        let standing = migrate(&mut connection, now)?;
        let tx = connection.transaction()?;
        check(&mut Tx::sqlite(&tx))?;
        tx.commit()?;
        sealed::reclaim(&connection)?;
        let mut writer = Writer {
            connection,
            observer,
            checkpoints: None,
            dirty: true,
            wary: 0,
            purged_at: Instant::now(),
        };
        // A crash may have come between a delete and its purge.
        writer.purge(PURGE_TRIES);
        let (orders, inbox) = mpsc::channel(QUEUE_MAX);
        Ok((Self { orders: Some(orders), threads: Vec::new(), readers: None, standing }, (writer, inbox)))
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(crate) async fn submit(&self, work: Box<dyn Work>) -> Result<(), Error> {
        let orders = self.orders.as_ref().ok_or_else(closing)?;
        match orders.try_send(work) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(work)) => orders.send(work).await.map_err(|_closed| closing()),
            Err(TrySendError::Closed(_)) => Err(closing()),
        }
    }

    /// Whether what only reads goes by the writer.
    pub(crate) fn writer_reads(&self) -> bool {
        self.readers.is_none()
    }

    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let Readers { path, idle: readers, reading } = self.readers.clone().ok_or_else(closing)?;
        let permit = reading.acquire_owned().await.map_err(|_closed| closing())?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let idle = readers.lock().expect("no code panics while it holds the readers").pop();
            let connection = match idle {
                Some(connection) => connection,
                None => connect(&path, true)?,
            };
            let result = read_once(&connection, work);
            readers.lock().expect("no code panics while it holds the readers").push(connection);
            result
        });
        done.await.map_err(|_cancelled| closing())?
    }
}

impl Drop for Sqlite {
    /// Whoever opens the directory next must find that nobody writes any more.
    fn drop(&mut self) {
        self.orders = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("the store's writer ended in a panic");
            }
        }
    }
}

/// Brings the file to this version.
pub(crate) fn migrate(
    connection: &mut Connection,
    now: carillon_model::Timestamp,
) -> Result<Standing, Error> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let standing = migrate::apply(&mut Tx::sqlite(&tx), now)?;
    tx.commit()?;
    Ok(standing)
}

/// How the file stands to this program.
pub(crate) fn look(path: &Path) -> Result<Standing, Error> {
    let connection = if path.exists() { connect(path, true)? } else { Connection::open_in_memory()? };
    read_once(&connection, |tx| {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'migration'";
        match tx.query_one("sqlite_master", sql, &[])? {
            Some(_there) => migrate::look(tx),
            None => Ok(Standing::of_nothing(tx)),
        }
    })
}

/// Reads a database that is there.
pub(crate) fn look_into<T>(
    path: &Path,
    look: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    read_once(&connect(path, true)?, look)
}

pub(crate) fn connect(path: &Path, read_only: bool) -> Result<Connection, Error> {
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection =
        Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|error| {
            Error::Setup(format!("the database {} cannot be opened: {error}", path.display()))
        })?;
    connection.busy_timeout(BUSY_WAIT)?;
    if !read_only {
        // Effective only while the file is empty.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", if read_only { -2_000 } else { -16_000 })?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

pub(crate) struct Writer {
    connection: Connection,
    observer: Arc<dyn Observer>,
    /// None where each commit sees to the log itself.
    checkpoints: Option<Checkpoints>,
    /// Whether deleted bytes may still stand in the write-ahead log.
    dirty: bool,
    /// For how many commits to come every piece has a way back of its own, because one without failed after it had written.
    wary: u32,
    /// When that was last tried to be put right.
    purged_at: Instant,
}

impl Writer {
    /// The writer's whole life: take what waits, do it in one transaction, answer.
    fn write_all(mut self, mut inbox: mpsc::Receiver<Box<dyn Work>>, waiting: &Runtime) {
        loop {
            let first = if self.dirty {
                let wait = self.purged_at + PURGE_AGAIN;
                match waiting.block_on(async { timeout_at(wait, inbox.recv()).await }) {
                    Ok(first) => first,
                    Err(_elapsed) => {
                        self.purge(1);
                        continue;
                    }
                }
            } else {
                inbox.blocking_recv()
            };
            let Some(first) = first else { return };
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Ok(work) = inbox.try_recv()
            {
                group.push(work);
            }
            self.commit(group).answer();
            if let Some(checkpoints) = &self.checkpoints {
                checkpoints.look(&self.connection);
            }
        }
    }

    /// Does a group of work in one transaction. Nobody knows of it before it is answered.
    pub(crate) fn commit(&mut self, mut group: Vec<Box<dyn Work>>) -> Committed {
        let start = Instant::now();
        let mut erasing = vec![false; group.len()];
        let outcome = self.run(&mut group, &mut erasing);
        if let Err(error) = &outcome {
            tracing::error!(%error, pieces = group.len(), "a group of writes was not made durable");
            if !self.connection.is_autocommit()
                && let Err(error) = self.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "the group could not be rolled back");
            }
        }
        if outcome.is_ok() && erasing.contains(&true) {
            self.purge(PURGE_TRIES);
        } else if self.dirty && self.purged_at.elapsed() >= PURGE_AGAIN {
            self.purge(1);
        }
        self.observer.committed(group.len(), start.elapsed());
        let failure = outcome.err().map(|error| error.to_string());
        let unpurged = erasing.into_iter().map(|erased| erased && self.dirty).collect();
        Committed { group, failure, unpurged }
    }

    fn run(&mut self, group: &mut [Box<dyn Work>], erasing: &mut [bool]) -> Result<(), Error> {
        let connection = &self.connection;
        let run = |sql| -> Result<(), Error> { Ok(connection.prepare_cached(sql)?.execute([]).map(drop)?) };
        run("BEGIN IMMEDIATE")?;
        for (work, erased) in group.iter_mut().zip(erasing.iter_mut()) {
            // A way back copies every page that is written behind it.
            let way_back = work.is_careful() || self.wary > 0;
            if way_back {
                run("SAVEPOINT piece")?;
            }
            let mut tx = Tx::sqlite(connection);
            if work.run(&mut tx) {
                *erased = tx.has_erased();
            } else if way_back {
                run("ROLLBACK TO piece")?;
            } else if tx.has_written() || connection.is_autocommit() {
                self.wary = WARY_COMMITS;
                return Err(Error::Unavailable("what shares its commit failed halfway".to_owned()));
            }
            if way_back {
                run("RELEASE piece")?;
            }
        }
        run("COMMIT")?;
        self.wary = self.wary.saturating_sub(1);
        self.dirty |= erasing.contains(&true);
        Ok(())
    }

    /// Tries to empty the write-ahead log of what was erased; what fails is tried again later.
    fn purge(&mut self, tries: u32) {
        let alone = self.checkpoints.as_ref().map(Checkpoints::alone);
        match purge(&self.connection, tries) {
            Ok(emptied) => self.dirty = !emptied,
            Err(error) => tracing::error!(%error, "the write-ahead log cannot be emptied"),
        }
        drop(alone);
        // Once for a group that erased, not for each later try.
        if self.dirty && tries > 1 {
            tracing::warn!(
                "erased bytes stay in the write-ahead log while another program reads the database"
            );
        }
        self.purged_at = Instant::now();
    }
}

/// A group of work that was done, or failed; its callers still wait for the answer.
pub(crate) struct Committed {
    group: Vec<Box<dyn Work>>,
    failure: Option<String>,
    unpurged: Vec<bool>,
}

impl Committed {
    /// Answers everybody.
    pub(crate) fn answer(self) {
        for (work, unpurged) in self.group.into_iter().zip(self.unpurged) {
            work.answer(match &self.failure {
                Some(text) => Err(Error::Unavailable(text.clone())),
                None if unpurged => Err(Error::Unpurged),
                None => Ok(()),
            });
        }
    }
}

/// Reads in one transaction, so that several queries see one state of the store.
fn read_once<T>(
    connection: &Connection,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    run("BEGIN")?;
    let result = work(&mut Tx::sqlite(connection));
    run("COMMIT")?;
    result
}

/// What was erased is overwritten in its page; what is left of it stands in the write-ahead log, which a truncating
/// checkpoint empties. Tells whether it is empty now.
fn purge(connection: &Connection, tries: u32) -> Result<bool, rusqlite::Error> {
    connection.busy_timeout(PURGE_WAIT)?;
    let checkpoint =
        || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    let mut busy = Ok(1);
    for _try in 0..tries {
        busy = checkpoint();
        if !matches!(busy, Ok(1..)) {
            break;
        }
    }
    connection.busy_timeout(BUSY_WAIT)?;
    Ok(busy? == 0)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ToSqlOutput;
        let list = |json: Result<String, serde_json::Error>| match json {
            Ok(text) => Ok(ToSqlOutput::from(text)),
            Err(error) => Err(rusqlite::Error::ToSqlConversionFailure(error.into())),
        };
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_kind) => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
            Self::Ints(values) => return list(serde_json::to_string(values)),
            Self::Texts(values) => return list(serde_json::to_string(values)),
        }))
    }
}

/// SQLite numbers `$1` by where it stands first in the text, PostgreSQL by its digit; binding by name makes both
/// mean the same.
fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> Result<(), Error> {
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).and_then(|name| name.strip_prefix('$'));
        let place =
            name.and_then(|digits| digits.parse::<usize>().ok()).and_then(|digit| digit.checked_sub(1));
        let value = place.and_then(|place| params.get(place));
        let value =
            value.ok_or_else(|| Error::Setup(format!("parameter {index} of a statement has no value")))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

/// Overwrites the bytes at a place of `sealed` with as many zeros, where they stand.
pub(crate) fn erase(connection: &Connection, seq: i64) -> Result<(), Error> {
    let sql = "UPDATE sealed SET bytes = zeroblob(length(bytes)) WHERE seq = $1";
    execute(connection, sql, &[Value::Int(seq)]).map(drop)
}

pub(crate) fn execute(connection: &Connection, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    Ok(statement.raw_execute()? as u64)
}

pub(crate) fn query(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    params: &[Value],
) -> Result<Vec<Row>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let columns = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(match row.get_ref(column)? {
                ValueRef::Null => Value::Null(Kind::Text),
                ValueRef::Integer(value) => Value::Int(value),
                ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
                ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
                ValueRef::Real(_) => {
                    return Err(Error::Corrupt { table, column, problem: "it is a fraction" });
                }
            });
        }
        found.push(Row::new(table, values));
    }
    Ok(found)
}
