//! One connection to PostgreSQL, with the little runtime that drives it. Whoever holds it waits for each statement, so
//! that a piece of work is the same plain code on both databases.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, PgValueRef};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Decode, Postgres, Row as _, SqlSafeStr, TypeInfo, ValueRef,
};
use tokio::runtime::Runtime;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::dialect;
use crate::db::value::Kind;
use crate::db::{Row, Value};
use crate::error::Error;

/// How long the server may be silent, as a rule.
const ANSWER_WAIT: Duration = Duration::from_secs(40);
/// How long a new connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// Waits for what a statement does on the connection.
macro_rules! drive {
    ($wire:ident, $connection:ident => $done:expr) => {{
        let runtime = $wire.runtime.as_ref().expect("it is there until the wire is dropped");
        match &mut $wire.connection {
            Some($connection) => {
                let patience = $wire.patience;
                let done = runtime.block_on(async { timeout(patience, $done).await });
                $wire.ended(done)
            }
            None => Err(Error::Unavailable("the connection to the database is lost".to_owned())),
        }
    }};
}

pub(crate) struct Wire {
    options: PgConnectOptions,
    /// Gone only while it is dropped.
    runtime: Option<Runtime>,
    /// Not there before the first use, and after a failure that a connection does not survive.
    connection: Option<PgConnection>,
    texts: HashMap<&'static str, Arc<str>>,
    /// Whether a statement failed since [`Wire::forget_failure`]; PostgreSQL then refuses the rest of the transaction.
    failed: bool,
    /// Whether a query that ends the connection may be asked again on a new one.
    again: bool,
    /// How long the server may be silent before the connection is given up.
    patience: Duration,
}

impl Wire {
    pub(crate) fn new(options: PgConnectOptions) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Error::Setup(format!("no runtime for the store's connection: {error}")))?;
        Ok(Self {
            options,
            runtime: Some(runtime),
            connection: None,
            texts: HashMap::new(),
            failed: false,
            again: false,
            patience: ANSWER_WAIT,
        })
    }

    /// Waits for something else on this connection's runtime.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = self.runtime.as_ref().expect("it is there until the wire is dropped");
        runtime.block_on(future)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) fn forget_failure(&mut self) {
        self.failed = false;
    }

    /// Lets the next query be asked again on a new connection, should this one have died: it stands in no transaction, and
    /// only reads.
    pub(crate) fn connect_again_once(&mut self) {
        self.again = true;
    }

    /// Waits for answers as long as that, or again as long as a rule.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience.unwrap_or(ANSWER_WAIT);
    }

    /// Gives the connection up.
    pub(crate) fn cut(&mut self) {
        self.connection = None;
        self.texts.clear();
    }

    /// Connects, unless it is connected.
    pub(crate) fn connect(&mut self) -> Result<(), Error> {
        if self.connection.is_some() {
            return Ok(());
        }
        let connecting = self.options.connect();
        let connected = self.wait(async { timeout(CONNECT_WAIT, connecting).await });
        match connected {
            Ok(Ok(connection)) => {
                self.connection = Some(connection);
                Ok(())
            }
            Ok(Err(error)) => Err(Error::Unavailable(format!("the database cannot be reached: {error}"))),
            Err(_elapsed) => Err(Error::Unavailable("the database does not answer".to_owned())),
        }
    }

    /// Runs statements without parameters, in one message.
    pub(crate) fn batch(&mut self, sql: impl SqlSafeStr) -> Result<(), Error> {
        let statements = sqlx::raw_sql(sql);
        drive!(self, connection => statements.execute(connection)).map(drop)
    }

    /// Runs one statement without parameters that was put together.
    pub(crate) fn batch_made(&mut self, sql: &str) -> Result<(), Error> {
        self.batch(AssertSqlSafe(sql.to_owned()))
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        let statement = prepared(self.text(sql), params);
        let done = drive!(self, connection => statement.execute(connection))?;
        Ok(done.rows_affected())
    }

    pub(crate) fn query(
        &mut self,
        table: &'static str,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, Error> {
        let text = self.text(sql);
        let rows = self.fetch(|| prepared(Arc::clone(&text), params))?;
        rows.iter().map(|row| read(table, row, 0)).collect()
    }

    fn fetch(
        &mut self,
        statement: impl Fn() -> Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        let again = std::mem::take(&mut self.again);
        let asked = statement();
        let rows = drive!(self, connection => asked.fetch_all(connection));
        if !again || rows.is_ok() || self.is_connected() {
            return rows;
        }
        self.connect()?;
        let asked = statement();
        drive!(self, connection => asked.fetch_all(connection))
    }

    /// Runs a query that was put together, whose first parameters are lists in which some may be nothing. The first
    /// column of each row tells to which place in the lists it belongs, from 1; here from 0.
    pub(crate) fn query_lists(
        &mut self,
        table: &'static str,
        sql: &Arc<str>,
        lists: impl Iterator<Item = Vec<Value>>,
        others: &[Value],
    ) -> Result<Vec<(usize, Row)>, Error> {
        let lists: Vec<Vec<Value>> = lists.collect();
        let rows = self.fetch(|| {
            let start = prepared(Arc::clone(sql), &[]);
            let some = |list: &Vec<Value>| list.first().map_or(Kind::Int, Value::kind);
            let listed = lists.iter().fold(start, |query, list| bind_list(query, some(list), list));
            others.iter().fold(listed, bind)
        })?;
        let corrupt = |_wrong| Error::Corrupt { table, column: 0, problem: "it is no place" };
        let place = |row: &PgRow| -> Result<usize, Error> {
            let place: i64 = row.try_get(0).map_err(|_wrong| corrupt(()))?;
            usize::try_from(place - 1).map_err(|_wrong| corrupt(()))
        };
        rows.iter().map(|row| Ok((place(row)?, read(table, row, 1)?))).collect()
    }

    /// Runs a query that was put together just now, in PostgreSQL's own words.
    pub(crate) fn query_made(
        &mut self,
        table: &'static str,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<Row>, Error> {
        let statement = prepared(sql.into(), params);
        let rows = drive!(self, connection => statement.fetch_all(connection))?;
        rows.iter().map(|row| read(table, row, 0)).collect()
    }

    /// Runs a statement that was put together just now, each of whose parameters is a list in which some may be nothing.
    pub(crate) fn execute_lists(
        &mut self,
        sql: &str,
        lists: impl Iterator<Item = (Kind, Vec<Value>)>,
    ) -> Result<(), Error> {
        let mut statement = prepared(sql.into(), &[]);
        for (kind, list) in lists {
            statement = bind_list(statement, kind, &list);
        }
        drive!(self, connection => statement.execute(connection)).map(drop)
    }

    fn text(&mut self, sql: &'static str) -> Arc<str> {
        Arc::clone(self.texts.entry(sql).or_insert_with(|| dialect::rewrite(sql).into()))
    }

    /// What came of a statement. A failure that the connection does not survive ends it.
    fn ended<T>(&mut self, done: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, Error> {
        let error = match done {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_elapsed) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
        };
        self.failed = true;
        if !survives(&error) {
            self.cut();
        }
        Err(error.into())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn prepared(text: Arc<str>, params: &[Value]) -> Query<'static, Postgres, PgArguments> {
    params.iter().fold(sqlx::query(AssertSqlSafe(text)), bind)
}

fn bind(
    query: Query<'static, Postgres, PgArguments>,
    value: &Value,
) -> Query<'static, Postgres, PgArguments> {
    match value {
        Value::Null(Kind::Int) => query.bind(None::<i64>),
        Value::Null(Kind::Text) => query.bind(None::<String>),
        Value::Null(Kind::Bytes) => query.bind(None::<Vec<u8>>),
        Value::Null(Kind::Ints) => query.bind(None::<Vec<i64>>),
        Value::Null(Kind::Texts) => query.bind(None::<Vec<String>>),
        Value::Int(value) => query.bind(*value),
        Value::Text(value) => query.bind(without_nul(value)),
        Value::Bytes(value) => query.bind(value.as_slice()),
        Value::Ints(values) => query.bind(values.as_slice()),
        Value::Texts(values) => query.bind(values.as_slice()),
    }
}

/// Binds a list in which some may be nothing.
fn bind_list(
    query: Query<'static, Postgres, PgArguments>,
    kind: Kind,
    list: &[Value],
) -> Query<'static, Postgres, PgArguments> {
    let values = list.iter();
    match kind {
        Kind::Int | Kind::Ints => query.bind(values.map(int).collect::<Vec<Option<i64>>>()),
        Kind::Text | Kind::Texts => query.bind(values.map(text).collect::<Vec<Option<String>>>()),
        Kind::Bytes => query.bind(values.map(bytes).collect::<Vec<Option<Vec<u8>>>>()),
    }
}

fn int(value: &Value) -> Option<i64> {
    if let Value::Int(value) = value { Some(*value) } else { None }
}

fn text(value: &Value) -> Option<String> {
    if let Value::Text(value) = value { Some(without_nul(value).into_owned()) } else { None }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    if let Value::Bytes(value) = value { Some(value.clone()) } else { None }
}

/// PostgreSQL's texts cannot hold the character U+0000, which a platform may well answer with.
fn without_nul(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// Reads a row from its column `first` on.
fn read(table: &'static str, row: &PgRow, first: usize) -> Result<Row, Error> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate().skip(first) {
        let corrupt = |problem| Error::Corrupt { table, column: index - first, problem };
        let raw = row.try_get_raw(index).map_err(|_missing| corrupt("the column is missing"))?;
        values.push(value(column.type_info().name(), raw).map_err(corrupt)?);
    }
    Ok(Row::new(table, values))
}

fn value(kind: &str, raw: PgValueRef<'_>) -> Result<Value, &'static str> {
    if raw.is_null() {
        return Ok(Value::Null(Kind::Text));
    }
    let wrong = "it cannot be read";
    Ok(match kind {
        "INT8" => Value::Int(<i64 as Decode<Postgres>>::decode(raw).map_err(|_form| wrong)?),
        "INT4" => Value::Int(<i32 as Decode<Postgres>>::decode(raw).map_err(|_form| wrong)?.into()),
        "BOOL" => Value::Int(<bool as Decode<Postgres>>::decode(raw).map_err(|_form| wrong)?.into()),
        "TEXT" | "NAME" | "VARCHAR" => {
            Value::Text(<String as Decode<Postgres>>::decode(raw).map_err(|_form| wrong)?)
        }
        "BYTEA" => Value::Bytes(<Vec<u8> as Decode<Postgres>>::decode(raw).map_err(|_form| wrong)?),
        _ => return Err("it is of a kind that no column has"),
    })
}

/// Whether the connection may be used on after this error.
fn survives(error: &sqlx::Error) -> bool {
    if let sqlx::Error::Database(said) = error {
        // Class 57 is the server stopping or dropping us; 08 the connection itself; 25P03 an idle transaction.
        let dead = |code: &str| code.starts_with("57P") || code.starts_with("08") || code == "25P03";
        return !said.code().is_some_and(|code| dead(&code));
    }
    !matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_))
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(said) = &error {
            // Class 23: what is written breaks a constraint.
            if said.code().is_some_and(|code| code.starts_with("23")) {
                return Self::Conflict;
            }
            return Self::Unavailable(said.message().to_owned());
        }
        Self::Unavailable(error.to_string())
    }
}
