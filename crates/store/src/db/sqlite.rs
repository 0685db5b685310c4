//! SQLite: one writer thread that commits in groups, a few readers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ToSql};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::{Observer, Row, Tx, Value, Work, closing};
use crate::error::Error;
use crate::migrate;

/// The oldest SQLite that is safe: older ones can lose committed pages when a write races a checkpoint
/// (SQLite release notes, 3.51.3).
pub(crate) const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How many pieces of work share one commit at most.
const GROUP_MAX: usize = 1024;
/// How many pieces may wait for the writer before callers wait to hand theirs in.
const QUEUE_MAX: usize = 4096;
const READERS: usize = 4;
const PURGE_TRIES: u32 = 20;

enum Order {
    Work(Box<dyn Work>),
    Purge(oneshot::Sender<Result<(), Error>>),
}

pub(crate) struct Sqlite {
    orders: mpsc::Sender<Order>,
    path: PathBuf,
    readers: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
}

impl Sqlite {
    pub(crate) fn open(
        path: &Path,
        now: carillon_model::Timestamp,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Error> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(Error::Setup(format!("SQLite {} is too old, 3.51.3 is needed", rusqlite::version())));
        }
        let mut writer = connect(path, false)?;
        migrate::sqlite(&mut writer, now)?;
        let (orders, inbox) = mpsc::channel(QUEUE_MAX);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(&writer, inbox, observer.as_ref()))
            .map_err(|error| Error::Setup(format!("no thread for the store: {error}")))?;
        Ok(Self {
            orders,
            path: path.to_owned(),
            readers: Arc::new(Mutex::new(Vec::new())),
            reading: Arc::new(Semaphore::new(READERS)),
        })
    }

    pub(crate) async fn submit(&self, work: Box<dyn Work>) -> Result<(), Error> {
        self.orders.send(Order::Work(work)).await.map_err(|_closed| closing())
    }

    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let permit = Arc::clone(&self.reading).acquire_owned().await.map_err(|_closed| closing())?;
        let readers = Arc::clone(&self.readers);
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let idle = readers.lock().expect("no code panics while it holds the readers").pop();
            let connection = match idle {
                Some(connection) => connection,
                None => connect(&path, true)?,
            };
            let result = work(&mut Tx { connection: &connection });
            readers.lock().expect("no code panics while it holds the readers").push(connection);
            result
        });
        done.await.map_err(|_cancelled| closing())?
    }

    pub(crate) async fn purge(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Purge(reply)).await.map_err(|_closed| closing())?;
        answer.await.map_err(|_closed| closing())?
    }
}

fn connect(path: &Path, read_only: bool) -> Result<Connection, Error> {
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection =
        Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|error| {
            Error::Setup(format!("the database {} cannot be opened: {error}", path.display()))
        })?;
    connection.busy_timeout(Duration::from_secs(5))?;
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

/// The writer's whole life: take what waits, do it in one transaction, answer.
fn write_all(connection: &Connection, mut inbox: mpsc::Receiver<Order>, observer: &dyn Observer) {
    while let Some(first) = inbox.blocking_recv() {
        let mut group = Vec::new();
        let mut purges = Vec::new();
        let mut next = Some(first);
        while let Some(order) = next.take() {
            match order {
                Order::Work(work) => group.push(work),
                Order::Purge(reply) => purges.push(reply),
            }
            if group.len() < GROUP_MAX {
                next = inbox.try_recv().ok();
            }
        }
        if !group.is_empty() {
            commit(connection, group, observer);
        }
        for reply in purges {
            drop(reply.send(purge(connection)));
        }
    }
}

fn commit(connection: &Connection, mut group: Vec<Box<dyn Work>>, observer: &dyn Observer) {
    let start = Instant::now();
    let outcome = run_group(connection, &mut group);
    if let Err(error) = &outcome {
        tracing::error!(%error, pieces = group.len(), "a group of writes was not made durable");
        if !connection.is_autocommit() {
            // Fails only when SQLite has rolled back by itself already.
            drop(connection.execute_batch("ROLLBACK"));
        }
    }
    observer.committed(group.len(), start.elapsed());
    let failure = outcome.err().map(|error| error.to_string());
    for work in group {
        work.answer(failure.clone().map_or(Ok(()), |text| Err(Error::Unavailable(text))));
    }
}

fn run_group(connection: &Connection, group: &mut [Box<dyn Work>]) -> Result<(), rusqlite::Error> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    run("BEGIN IMMEDIATE")?;
    for work in group {
        run("SAVEPOINT piece")?;
        if !work.run(&mut Tx { connection }) {
            run("ROLLBACK TO piece")?;
        }
        run("RELEASE piece")?;
    }
    run("COMMIT")
}

/// With `secure_delete` on, a deleted cell is overwritten in its page; what is left is in the write-ahead log, which
/// a truncating checkpoint empties.
fn purge(connection: &Connection) -> Result<(), Error> {
    for _try in 0..PURGE_TRIES {
        let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
    }
    Err(Error::Unavailable("the write-ahead log is in use and could not be emptied".to_owned()))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ToSqlOutput;
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

/// SQLite numbers `$1` by where it stands first in the text, PostgreSQL by its digit; binding by name makes both
/// mean the same.
fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> Result<(), Error> {
    for (place, value) in params.iter().enumerate() {
        let name = format!("${}", place + 1);
        let index = statement
            .parameter_index(&name)?
            .ok_or_else(|| Error::Setup(format!("a statement has no parameter {name}")))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

pub(crate) fn execute(connection: &Connection, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    Ok(statement.raw_execute()? as u64)
}

pub(crate) fn query(
    connection: &Connection,
    table: &'static str,
    sql: &'static str,
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
                ValueRef::Null => Value::Null,
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
