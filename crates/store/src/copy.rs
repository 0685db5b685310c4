//! Moves an installation from one database to another, row by row, sealed values as they are. A copy that was cut short goes on
//! where it ended: rows go over in the order of their keys, so that the last one that arrived tells how far it came.

use aws_lc_rs::digest::{self, SHA256};
use carillon_model::{Clock, SecretText};
use data_encoding::HEXLOWER;
use std::path::PathBuf;

use crate::db::copy::{End, Table, tables};
use crate::db::{Place, Tx, Value, params};
use crate::error::Error;
use crate::lane_index;
use crate::migrate::Standing;
use crate::{setup, topic_messages};

/// How many rows go over with one transaction.
const ROWS: usize = 500;

/// Where one end of a copy is.
#[derive(Debug, Clone)]
pub enum Installation {
    /// The data directory of a server that keeps everything in a file.
    Directory(PathBuf),
    /// The URL of a PostgreSQL database.
    Url(SecretText),
}

/// A table that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// How many rows it has, here and there.
    pub rows: u64,
    /// A checksum of all of them, here and there.
    pub checksum: String,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// It goes on where an earlier one was cut short.
    Resumed,
    /// So many rows of a table went over just now.
    Went {
        /// The table.
        table: &'a str,
        /// How many rows.
        rows: u64,
    },
}

/// Copies an installation into an empty database, and compares both. Nothing sealed is opened, and no key is needed.
///
/// # Errors
/// When either is in use, the target holds something else, or what arrived is not what was sent.
pub fn copy(
    from: &Installation,
    to: &Installation,
    clock: &dyn Clock,
    told: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<Vec<Copied>, Error> {
    // Whoever asks may stand in a runtime, in which nothing may wait for another one.
    let done = std::thread::scope(|scope| scope.spawn(|| copy_all(from, to, clock, told)).join());
    done.map_err(|_panic| Error::Setup("the copy ended in a panic".to_owned()))?
}

fn copy_all(
    from: &Installation,
    to: &Installation,
    clock: &dyn Clock,
    told: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<Vec<Copied>, Error> {
    let ends = |error: Error, end: &str| match error {
        Error::Setup(text) => Error::Setup(format!("{end}: {text}")),
        other @ (Error::Unavailable(_)
        | Error::Unpurged
        | Error::Corrupt { .. }
        | Error::Sealed(_)
        | Error::Conflict) => other,
    };
    let (mut source, _source_lock) = read(from).map_err(|error| ends(error, "the source"))?;
    let tables = tables()?;
    let name = source_name(&mut source, &tables)?;
    let (mut target, _target_lock) = fill(to, clock).map_err(|error| ends(error, "the target"))?;
    if begin(&mut target, &tables, &name, clock)? {
        told(Step::Resumed);
    }
    for table in &tables {
        let rows = move_rows(&mut source, &mut target, table)?;
        told(Step::Went { table: &table.name, rows });
        if table.has_places {
            let last = source.last_place(table)?;
            target.set_last_place(table, last)?;
        }
    }
    let mut copied = Vec::new();
    for table in &tables {
        let (here, there) = (checksum(&mut source, table)?, checksum(&mut target, table)?);
        if here != there {
            return Err(Error::Setup(format!(
                "table {}: the source has {} rows, the target {}, and their checksums differ: the source has changed \
                 since the copy began; empty the target and copy anew",
                table.name, here.0, there.0
            )));
        }
        copied.push(Copied { table: table.name.clone(), rows: here.0, checksum: here.1 });
    }
    let now = clock.now();
    target.write(|tx| {
        // Each is only in a file, and only written afterwards.
        lane_index::list_all(tx)?;
        topic_messages::enter_all(tx)?;
        tx.execute("UPDATE copied SET ended_at = $1 WHERE source = $2", params![now, name])
    })?;
    Ok(copied)
}

/// Claims the source.
fn read(from: &Installation) -> Result<(End, Option<std::fs::File>), Error> {
    let ((end, standing), lock) = match from {
        Installation::Directory(dir) => {
            let database = setup::database(dir);
            if !database.exists() {
                return Err(Error::Setup(format!("there is no database {}", database.display())));
            }
            let lock = setup::claim(dir)?;
            (End::read(Place::Sqlite(&database))?, Some(lock))
        }
        Installation::Url(url) => (End::read(Place::Postgres(url.reveal()))?, None),
    };
    at_this_version(&standing)?;
    Ok((end, lock))
}

/// Columns that this program does not know, or that are not there yet, cannot be copied.
fn at_this_version(standing: &Standing) -> Result<(), Error> {
    if standing.version == standing.known {
        return Ok(());
    }
    Err(Error::Setup(format!(
        "the database is at version {}, this program's is {}: {}",
        standing.version,
        standing.known,
        if standing.version < standing.known {
            "bring it to this version with carillon migrate first"
        } else {
            "copy it with the program of its version"
        }
    )))
}

/// Claims the target, and makes its tables.
fn fill(to: &Installation, clock: &dyn Clock) -> Result<(End, Option<std::fs::File>), Error> {
    let ((end, standing), lock) = match to {
        Installation::Directory(dir) => {
            let lock = setup::claim(dir)?;
            let database = setup::database(dir);
            setup::close_to_others(&database)
                .map_err(|error| Error::Setup(format!("{} cannot be made: {error}", database.display())))?;
            (End::fill(Place::Sqlite(&database), clock.now())?, Some(lock))
        }
        Installation::Url(url) => (End::fill(Place::Postgres(url.reveal()), clock.now())?, None),
    };
    at_this_version(&standing)?;
    Ok((end, lock))
}

/// What tells this installation from all others: the word that its first start sealed.
fn source_name(source: &mut End, tables: &[Table]) -> Result<String, Error> {
    let nothing =
        || Error::Setup("the source: no server was ever started on it, there is nothing to copy".to_owned());
    let table = tables.iter().find(|table| table.name == "key_check").ok_or_else(nothing)?;
    if source.rows(table, None, 1)?.is_empty() {
        return Err(nothing());
    }
    Ok(checksum(source, table)?.1)
}

/// Makes sure that the target is empty, or holds the beginning of the same copy, and tells whether it does.
fn begin(target: &mut End, tables: &[Table], name: &str, clock: &dyn Clock) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM copied WHERE source = $1 AND ended_at IS NULL";
    if target.write(|tx| tx.query_one("copied", sql, params![name]))?.is_some() {
        return Ok(true);
    }
    for table in tables {
        if target.has_rows(table)? {
            return Err(Error::Setup(format!(
                "the target: it is not empty, table {} has rows; name an empty database",
                table.name
            )));
        }
    }
    let now = clock.now();
    target.write(|tx| {
        tx.execute("DELETE FROM copied", &[])?;
        tx.execute("INSERT INTO copied (source, started_at) VALUES ($1, $2)", params![name, now])
    })?;
    Ok(false)
}

/// Copies what is missing of a table, and tells how many rows that were.
fn move_rows(source: &mut End, target: &mut End, table: &Table) -> Result<u64, Error> {
    let mut moved = 0;
    if table.key.is_empty() {
        // All or nothing, since nothing tells how far it came.
        if !target.has_rows(table)? {
            let rows = source.rows(table, None, usize::MAX >> 1)?;
            moved = rows.len() as u64;
            target.insert(table, rows)?;
        }
        return Ok(moved);
    }
    let mut after = target.last_key(table)?;
    loop {
        let rows = source.rows(table, after.as_deref(), ROWS)?;
        let Some(last) = rows.last() else { return Ok(moved) };
        after = Some(table.key_of(last));
        moved += rows.len() as u64;
        target.insert(table, rows)?;
    }
}

/// How many rows a table has, and a checksum of all of them.
fn checksum(end: &mut End, table: &Table) -> Result<(u64, String), Error> {
    let (mut count, mut sum) = (0, digest::Context::new(&SHA256));
    let mut after: Option<Vec<Value>> = None;
    let limit = if table.key.is_empty() { usize::MAX >> 1 } else { ROWS };
    loop {
        let rows = end.rows(table, after.as_deref(), limit)?;
        for row in &rows {
            row.iter().for_each(|value| add(&mut sum, value));
            count += 1;
        }
        match rows.last() {
            Some(last) if !table.key.is_empty() => after = Some(table.key_of(last)),
            Some(_) | None => return Ok((count, HEXLOWER.encode(sum.finish().as_ref()))),
        }
    }
}

fn add(sum: &mut digest::Context, value: &Value) {
    let mut bytes = |kind: u8, bytes: &[u8]| {
        sum.update(&[kind]);
        sum.update(&(bytes.len() as u64).to_be_bytes());
        sum.update(bytes);
    };
    match value {
        Value::Null(_kind) => bytes(0, &[]),
        Value::Int(number) => bytes(1, &number.to_be_bytes()),
        // PostgreSQL has no U+0000 in texts; what stands in its place there is counted here.
        Value::Text(text) => bytes(2, text.replace('\0', "\u{fffd}").as_bytes()),
        Value::Bytes(value) => bytes(3, value),
        Value::Ints(_) | Value::Texts(_) => {}
    }
}

/// Whether a copy into this database was cut short: half an installation is not served.
pub(crate) fn is_whole(tx: &mut Tx<'_>) -> Result<(), Error> {
    if tx.query_one("copied", "SELECT 1 FROM copied WHERE ended_at IS NULL", &[])?.is_none() {
        return Ok(());
    }
    Err(Error::Setup(
        "the database holds half of a copy: run the same carillon copy again, it goes on where it ended"
            .to_owned(),
    ))
}
