//! Brings a database to a version while servers of the one before may serve it.
//!
//! What needs no time goes in transactions, under a lock that every starting server takes. An index that is made beside
//! others' writes cannot: PostgreSQL waits until every transaction and statement is over that began before, so that a server
//! which waits for that lock and the one which makes the index would wait for each other. It is made under a lock of its
//! own, which is asked for again and again and never waited for.

use std::time::Duration;

use carillon_model::Timestamp;
use tokio::time::sleep;

use super::wire::Wire;
use crate::db::{Tx, Value};
use crate::error::Error;
use crate::migrate::{self, Applied, Index, Indexes, Migration, Standing};

/// The lock under which a store is opened and brought to this version, one server at a time.
const LOCK: &str = "SELECT pg_advisory_lock(7157141300000001)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7157141300000001)";
/// The lock under which an index is made beside others' writes.
const LOCK_INDEX: &str = "SELECT pg_try_advisory_lock(7157141300000004)";
const UNLOCK_INDEX: &str = "SELECT pg_advisory_unlock(7157141300000004)";
/// How long until it is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(300);
/// How long a migration may take.
const MIGRATION_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Applies what is missing, and tells what that was. The lock of starting servers is held then.
pub(super) fn bring(wire: &mut Wire, files: &[Migration], now: Timestamp) -> Result<Standing, Error> {
    wire.set_patience(Some(MIGRATION_WAIT));
    let brought = bring_patiently(wire, files, now);
    wire.set_patience(None);
    brought
}

fn bring_patiently(wire: &mut Wire, files: &[Migration], now: Timestamp) -> Result<Standing, Error> {
    let mut first = None;
    loop {
        wire.batch("SET lock_timeout = '60s'; SET statement_timeout = '0'")?;
        wire.batch(LOCK)?;
        wire.batch("BEGIN")?;
        let applied = migrate::apply_of(&mut Tx::postgres(wire), files, now, Indexes::Beside);
        let Applied { standing, beside } = applied?;
        wire.batch("COMMIT")?;
        let first = first.get_or_insert(standing);
        let Some(number) = beside else {
            return Ok(Standing { version: first.known.max(first.version), ..first.clone() });
        };
        wire.batch(UNLOCK)?;
        make_indexes(wire, files, number, now)?;
    }
}

/// Applies the migration with this number, unless another server has done so meanwhile.
fn make_indexes(wire: &mut Wire, files: &[Migration], number: usize, now: Timestamp) -> Result<(), Error> {
    let Some((name, sql)) = files.get(number - 1) else { return Ok(()) };
    // It waits for whatever transaction is open.
    wire.batch("SET lock_timeout = '0'")?;
    while !holds(wire, LOCK_INDEX, &[])? {
        wire.wait(async { sleep(ASK_AGAIN).await });
    }
    let applied = "SELECT count(*) > 0 FROM migration WHERE number = $1";
    let place = Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    if !holds(wire, applied, &[place])? {
        tracing::info!(migration = name, "an index is made while servers write; that may take long");
        for index in migrate::indexes_of(sql).unwrap_or_default() {
            make(wire, &index)?;
        }
        wire.batch("BEGIN")?;
        let mut tx = Tx::postgres(wire);
        migrate::note(&mut tx, files, number, now)?;
        migrate::mark(&mut tx, number - 1)?;
        wire.batch("COMMIT")?;
        tracing::info!(migration = name, "the index is made");
    }
    wire.batch(UNLOCK_INDEX)
}

/// Makes an index, unless it is there and whole.
fn make(wire: &mut Wire, index: &Index) -> Result<(), Error> {
    let there = "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass($1)";
    let there = wire.query("pg_index", there, &[index.name.as_str().into()])?.into_iter().next();
    match there.map(|mut row| row.int()).transpose()? {
        Some(0) => wire.batch_made(&format!("DROP INDEX CONCURRENTLY {}", index.name))?,
        Some(_) => return Ok(()),
        None => {}
    }
    wire.batch_made(&index.sql)
}

/// Whether a query gives what is true.
fn holds(wire: &mut Wire, sql: &'static str, params: &[Value]) -> Result<bool, Error> {
    let row = wire.query("pg_locks", sql, params)?.into_iter().next();
    Ok(row.map_or(Ok(0), |mut row| row.int())? != 0)
}
