//! PostgreSQL: several committers, each with a connection of its own, and a few readers.
//!
//! One of the committers is careful: it holds a lock that all careful committers of all servers on this database share,
//! so that a piece of work may look first and write then, as it may with SQLite's one writer. The others work beside
//! each other, on what is told apart by its rows alone.

mod asker;
mod claimed;
mod committer;
mod dialect;
mod keeper;
mod migration;
mod purge;
mod wire;

use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::asker::{Asker, Question};
pub(crate) use self::claimed::Claimed;
use self::committer::Committer;
use self::purge::Purger;
pub(crate) use self::purge::{erase, erased_from, replaced};
pub(crate) use self::wire::Wire;
use super::{Observer, Row, Tx, Value, Work, closing};
use crate::error::Error;
use crate::migrate;
use crate::migrate::Standing;
use crate::shard::Shards;
use crate::wake::Wake;

/// How many committers work beside each other.
const BESIDE: usize = 3;
/// How many answer what many ask at the same time.
const ASKERS: usize = 2;
const READERS: usize = 4;
/// How many pieces may wait for a committer before callers wait to hand theirs in.
const QUEUE_MAX: usize = 4096;
/// The oldest PostgreSQL that has what is used here.
const VERSION_MIN: i64 = 140_000;

pub(crate) struct Postgres {
    /// Gone only while the store closes.
    careful: Option<mpsc::Sender<Box<dyn Work>>>,
    beside: Option<mpsc::Sender<Box<dyn Work>>>,
    questions: Option<mpsc::Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
    options: PgConnectOptions,
    readers: Arc<Mutex<Vec<Wire>>>,
    reading: Arc<Semaphore>,
    keeper: Mutex<Option<keeper::Running>>,
    standing: Standing,
}

/// Reads a URL, and adds what every connection of ours asks for.
fn options(url: &str) -> Result<PgConnectOptions, Error> {
    let wrong = |_error| {
        Error::Setup(
            "the database's URL cannot be read: postgres://user:password@host:5432/name is what it looks like"
                .to_owned(),
        )
    };
    let options = PgConnectOptions::from_str(url).map_err(wrong)?;
    // A server that is frozen, or cut off, must not hold the others up with its locks.
    Ok(options.application_name("carillon").options([
        ("idle_in_transaction_session_timeout", "2s"),
        ("lock_timeout", "8s"),
        ("statement_timeout", "35s"),
        ("client_connection_check_interval", "2s"),
        ("synchronous_commit", "on"),
        ("client_min_messages", "warning"),
    ]))
}

/// For statements that each touch a few rows of large tables by their keys. A plan is kept for as long as nobody counts
/// the rows anew, and one that was made while a table was small reads all of it when it is large; these make another only
/// where there is no index.
fn by_index(options: &PgConnectOptions) -> PgConnectOptions {
    let off = ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"];
    options.clone().options(off.map(|plan| (plan, "off")))
}

impl Postgres {
    pub(crate) fn open(
        url: &str,
        now: carillon_model::Timestamp,
        observer: &Arc<dyn Observer>,
        check: impl FnOnce(&mut Tx<'_>) -> Result<(), Error> + Send,
    ) -> Result<Self, Error> {
        let options = options(url)?;
        // Whoever opens a store may stand in a runtime, in which nothing may wait for another one.
        let first = std::thread::scope(|scope| scope.spawn(|| prepare(options.clone(), now, check)).join());
        let (first, standing) =
            first.map_err(|_panic| Error::Setup("the database could not be opened".to_owned()))??;
        let fail = |error: std::io::Error| Error::Setup(format!("no thread for the store: {error}"));
        let mut threads = Vec::new();
        let mut spawn = |name: &str, run: Box<dyn FnOnce() + Send>| -> Result<(), Error> {
            threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(fail)?);
            Ok(())
        };
        let (careful, inbox) = mpsc::channel(QUEUE_MAX);
        let (purger, erased) = mpsc::unbounded_channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let committer = Committer::careful(first, inbox, Arc::clone(observer), purger);
        spawn("store-committer", Box::new(|| committer.run()))?;
        let purger = Purger::new(Wire::new(options.clone())?, erased);
        spawn("store-purger", Box::new(|| purger.run()))?;
        let (beside, inbox) = mpsc::channel(QUEUE_MAX);
        let inbox = Arc::new(Mutex::new(inbox));
        for _one in 0..BESIDE {
            let wire = Wire::new(by_index(&options))?;
            let committer = Committer::beside(wire, Arc::clone(&inbox), Arc::clone(observer));
            spawn("store-committer", Box::new(|| committer.run()))?;
        }
        let (questions, inbox) = mpsc::channel(QUEUE_MAX);
        let inbox = Arc::new(Mutex::new(inbox));
        for _one in 0..ASKERS {
            let asker = Asker::new(Wire::new(by_index(&options))?, Arc::clone(&inbox));
            spawn("store-asker", Box::new(|| asker.run()))?;
        }
        Ok(Self {
            careful: Some(careful),
            beside: Some(beside),
            questions: Some(questions),
            threads,
            options,
            readers: Arc::new(Mutex::new(Vec::new())),
            reading: Arc::new(Semaphore::new(READERS)),
            keeper: Mutex::new(None),
            standing,
        })
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Begins to divide the lanes with the other servers.
    pub(crate) fn join(&self, shards: Arc<Shards>, wake: Arc<Wake>, name: String) -> Result<(), Error> {
        let running = keeper::start(self.options.clone(), shards, wake, name)?;
        *self.keeper.lock().expect("no code panics while it holds the keeper") = Some(running);
        Ok(())
    }

    pub(crate) async fn submit(&self, work: Box<dyn Work>, careful: bool) -> Result<(), Error> {
        let orders = if careful { &self.careful } else { &self.beside };
        let orders = orders.as_ref().ok_or_else(closing)?;
        match orders.try_send(work) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(work)) => orders.send(work).await.map_err(|_closed| closing()),
            Err(TrySendError::Closed(_)) => Err(closing()),
        }
    }

    /// Asks a query, together with whoever asks the same at this time; `common` are the parameters behind the asker's own.
    pub(crate) async fn ask(
        &self,
        table: &'static str,
        sql: &'static str,
        (own, common): (Vec<Value>, Vec<Value>),
    ) -> Result<Vec<Row>, Error> {
        let (reply, answer) = oneshot::channel();
        let questions = self.questions.as_ref().ok_or_else(closing)?;
        let question = Question { table, sql, own, common, reply };
        questions.send(question).await.map_err(|_closed| closing())?;
        answer.await.map_err(|_closed| closing())?
    }

    pub(crate) async fn read<T, F>(&self, work: F, snapshot: Snapshot) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let permit = Arc::clone(&self.reading).acquire_owned().await.map_err(|_closed| closing())?;
        let (readers, options) = (Arc::clone(&self.readers), self.options.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let idle = readers.lock().expect("no code panics while it holds the readers").pop();
            let mut wire = match idle {
                Some(wire) => wire,
                None => Wire::new(options)?,
            };
            let result = match snapshot {
                Snapshot::OfAll => read_once(&mut wire, work),
                Snapshot::OfEachQuery => read_alone(&mut wire, work),
            };
            readers.lock().expect("no code panics while it holds the readers").push(wire);
            result
        });
        done.await.map_err(|_cancelled| closing())?
    }
}

impl Drop for Postgres {
    /// What was handed in is written before the store is closed.
    fn drop(&mut self) {
        (self.careful, self.beside, self.questions) = (None, None, None);
        drop(self.keeper.lock().map(|mut keeper| keeper.take()));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store ended in a panic");
            }
        }
    }
}

/// Connects, if this is a database that can be used.
fn reach(options: PgConnectOptions) -> Result<Wire, Error> {
    let mut wire = Wire::new(options)?;
    wire.connect().map_err(setup)?;
    let version = "SELECT current_setting('server_version_num')::bigint";
    let version = wire.query("pg_settings", version, &[]).map_err(setup)?.into_iter().next();
    if version.map_or(Ok(0), |mut row| row.int())? < VERSION_MIN {
        return Err(Error::Setup("the database is older than PostgreSQL 14, which is needed".to_owned()));
    }
    Ok(wire)
}

fn setup(error: Error) -> Error {
    match error {
        Error::Unavailable(text) => Error::Setup(format!("the database cannot be opened: {text}")),
        other @ (Error::Unpurged
        | Error::Corrupt { .. }
        | Error::Sealed(_)
        | Error::Conflict
        | Error::Setup(_)) => other,
    }
}

/// Brings the database to this version and does the first work in it.
fn prepare(
    options: PgConnectOptions,
    now: carillon_model::Timestamp,
    check: impl FnOnce(&mut Tx<'_>) -> Result<(), Error>,
) -> Result<(Wire, Standing), Error> {
    let mut wire = reach(options)?;
    let standing = migration::bring(&mut wire, migrate::POSTGRES, now).map_err(setup)?;
    wire.batch("BEGIN").map_err(setup)?;
    check(&mut Tx::postgres(&mut wire)).map_err(setup)?;
    wire.batch("COMMIT").map_err(setup)?;
    // The lock goes with this connection.
    wire.cut();
    wire.connect().map_err(setup)?;
    Ok((wire, standing))
}

/// Brings a database to the version of these migrations.
pub(crate) fn migrate_to(
    url: &str,
    files: &[migrate::Migration],
    now: carillon_model::Timestamp,
) -> Result<Standing, Error> {
    let options = options(url)?;
    let bring = || migration::bring(&mut reach(options)?, files, now);
    let brought = std::thread::scope(|scope| scope.spawn(bring).join());
    brought.map_err(|_panic| Error::Setup("the database could not be opened".to_owned()))?.map_err(setup)
}

/// How the database stands to this program.
pub(crate) fn look(url: &str) -> Result<Standing, Error> {
    let options = options(url)?;
    let look = || {
        let mut wire = reach(options)?;
        let sql = "SELECT to_regclass('migration') IS NOT NULL";
        let there = wire.query("pg_class", sql, &[])?.into_iter().next();
        let mut tx = Tx::postgres(&mut wire);
        match there.map_or(Ok(0), |mut row| row.int())? {
            0 => Ok(Standing::of_nothing(&tx)),
            _ => migrate::look(&mut tx),
        }
    };
    let looked = std::thread::scope(|scope| scope.spawn(look).join());
    looked.map_err(|_panic| Error::Setup("the database could not be opened".to_owned()))?.map_err(setup)
}

/// Reads a database that is there.
pub(crate) fn look_into<T: Send>(
    url: &str,
    look: impl FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let options = options(url)?;
    let look = || look(&mut Tx::postgres(&mut reach(options)?));
    let looked = std::thread::scope(|scope| scope.spawn(look).join());
    looked.map_err(|_panic| Error::Setup("the database could not be opened".to_owned()))?.map_err(setup)
}

/// How many servers of a version before this one are running; `told` when they say which they are.
pub(crate) fn servers_before(wire: &mut Wire, version: usize, told: bool) -> Result<i64, Error> {
    const LIVE: &str = "SELECT count(*) FROM node
         WHERE seen_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1";
    const OLDER: &str = "SELECT count(*) FROM node
         WHERE seen_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1 AND version < $2";
    let before = Value::Int(i64::try_from(version).unwrap_or(i64::MAX));
    let rows = match told {
        false => wire.query("node", LIVE, &[keeper::LEASE_MS.into()])?,
        true => wire.query("node", OLDER, &[keeper::LEASE_MS.into(), before])?,
    };
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}

/// What the queries of one piece of work see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// All of them the same state of the store.
    OfAll,
    /// Each of them a state of its own; for work with one query.
    OfEachQuery,
}

/// Reads without a transaction. A connection that had died unseen is made anew for the first query.
fn read_alone<T>(wire: &mut Wire, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
    wire.forget_failure();
    wire.connect_again_once();
    let result = wire.connect().and_then(|()| work(&mut Tx::postgres(wire)));
    wire.forget_failure();
    result
}

/// Reads in one transaction, so that several queries see one state of the store.
fn read_once<T>(wire: &mut Wire, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    wire.forget_failure();
    wire.connect()?;
    // An idle connection may have died unseen; a new one tells whether the database is there.
    if wire.batch(BEGIN).is_err() {
        wire.cut();
        wire.connect()?;
        wire.batch(BEGIN)?;
    }
    wire.forget_failure();
    let result = work(&mut Tx::postgres(wire));
    if wire.is_connected() && wire.batch("COMMIT").is_err() {
        wire.cut();
    }
    result
}
