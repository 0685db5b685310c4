//! The only room that knows which database there is. Everything else hands in SQL text with `$1` placeholders and a
//! piece of work; the work runs in one transaction and is answered when that is durable.
//!
//! Writes are gathered: whatever waits is done in one transaction, each piece in a savepoint of its own, so that
//! many publishers share one sync of the disk (group commit).

mod hand;
mod sqlite;
mod value;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

pub use self::hand::{Hand, Held};
pub(crate) use self::value::{Row, Value};
use crate::error::Error;

/// Turns values into parameters of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use params;

/// Is told of each commit, for metrics.
pub trait Observer: Send + Sync {
    /// `pieces` pieces of work were made durable together, in `elapsed`.
    fn committed(&self, pieces: usize, elapsed: Duration);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn committed(&self, _pieces: usize, _elapsed: Duration) {}
}

/// A transaction: what a piece of work may do.
pub(crate) struct Tx<'c> {
    connection: &'c rusqlite::Connection,
    erased: bool,
}

impl<'c> Tx<'c> {
    fn new(connection: &'c rusqlite::Connection) -> Self {
        Self { connection, erased: false }
    }

    /// Says that this piece of work erased what must not stay readable. It is answered with success only when no byte
    /// of that is left in the database's files, and the writer sees to it even when nobody waits for the answer any
    /// more.
    pub(crate) fn erased(&mut self) {
        self.erased = true;
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        sqlite::execute(self.connection, sql, params)
    }

    /// Runs a query. `table` names where its rows come from, for errors.
    pub(crate) fn query(
        &mut self,
        table: &'static str,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, Error> {
        sqlite::query(self.connection, table, sql, params)
    }

    /// Runs a query for at most one row.
    pub(crate) fn query_one(
        &mut self,
        table: &'static str,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(table, sql, params)?.into_iter().next())
    }
}

/// The database, open.
#[derive(Clone)]
pub(crate) struct Db {
    sqlite: Arc<sqlite::Sqlite>,
}

impl Db {
    /// Opens the file at `path`, makes it if there is none, and brings it to this version. `check` is the first work
    /// done in it; when it fails, nothing more is done.
    pub(crate) fn open(
        path: &Path,
        now: carillon_model::Timestamp,
        observer: Arc<dyn Observer>,
        check: impl FnOnce(&mut Tx<'_>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        Ok(Self { sqlite: Arc::new(sqlite::Sqlite::open(path, now, observer, check)?) })
    }

    /// Opens the file as [`Db::open`] does, but does nothing by itself: the hand does what waits.
    pub(crate) fn open_by_hand(
        path: &Path,
        now: carillon_model::Timestamp,
        observer: Arc<dyn Observer>,
        check: impl FnOnce(&mut Tx<'_>) -> Result<(), Error>,
    ) -> Result<(Self, Hand), Error> {
        let (sqlite, (writer, inbox)) = sqlite::Sqlite::open_unstarted(path, now, observer, check)?;
        Ok((Self { sqlite: Arc::new(sqlite) }, Hand::new(writer, inbox)))
    }

    /// Does a piece of work and answers when it is durable. When it fails, it changes nothing.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.write_then(work, |_result| ()).await
    }

    /// Does a piece of work as [`Db::write`] does, and once it is durable, `then` with its result: on the writer, in
    /// the order of the commits, and even when nobody waits for the answer any more.
    pub(crate) async fn write_then<T, F, A>(&self, work: F, then: A) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.sqlite.submit(Box::new(Piece { work: Some(work), then, result: None, reply })).await?;
        answer.await.map_err(|_closed| closing())?
    }

    /// Does a piece of work that only reads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        if self.sqlite.writer_reads() { self.write(work).await } else { self.sqlite.read(work).await }
    }
}

fn closing() -> Error {
    Error::Unavailable("the store is closing".to_owned())
}

/// A piece of work on its way through the writer: done first, answered after the commit.
pub(crate) trait Work: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct Piece<T, F, A> {
    work: Option<F>,
    then: A,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F, A> Work for Piece<T, F, A>
where
    T: Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send,
    A: FnOnce(&T) + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = work(tx);
        let done = result.is_ok();
        self.result = Some(result);
        done
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let result = match (committed, self.result) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(result)) => {
                if let Ok(value) = &result {
                    (self.then)(value);
                }
                result
            }
            (Ok(()), None) => Err(closing()),
        };
        // Nobody waits any more when the caller went away; what was written stays written.
        drop(self.reply.send(result));
    }
}
