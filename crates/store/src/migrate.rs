//! Brings a store to this version: numbered files, each applied once, in order, all in one transaction. The two
//! databases have the same numbers and names; what a number means is the same on both.

use aws_lc_rs::digest;
use carillon_model::Timestamp;
use data_encoding::HEXLOWER;
use rusqlite::Connection;

use crate::db::{Value, Wire};
use crate::error::Error;

/// Every migration, by number from 1: its name, and its file for each database. An applied file is never edited; a
/// change is a new file.
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        const SQLITE: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../migrations/sqlite/", $name, ".sql")))),+];
        const POSTGRES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../migrations/postgres/", $name, ".sql")))),+];
    };
}
migrations![
    "0001_start",
    "0002_key_check",
    "0003_confirmation",
    "0004_topic_extras",
    "0005_resend",
    "0006_session",
    "0007_health",
    "0008_office",
    "0009_shard",
    "0010_access",
    "0011_overflow",
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,
     checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// Applies what is missing, to SQLite.
pub(crate) fn sqlite(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.execute_batch(TABLE)?;
    let applied: Vec<(usize, String)> = {
        let mut statement = tx.prepare("SELECT number, checksum FROM migration ORDER BY number")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
        let mut applied = Vec::new();
        for row in rows {
            let (number, checksum) = row?;
            applied.push((usize::try_from(number).unwrap_or(usize::MAX), checksum));
        }
        applied
    };
    check(SQLITE, &applied)?;
    for (index, (name, sql)) in SQLITE.iter().enumerate().skip(applied.len()) {
        tx.execute_batch(sql)?;
        let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
        tx.execute(
            "INSERT INTO migration (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
            (number, name, checksum(sql), now.0),
        )?;
    }
    tx.commit()?;
    Ok(())
}

/// Applies what is missing, to PostgreSQL. Whoever calls sees to it that no other server does so meanwhile.
pub(crate) fn postgres(wire: &mut Wire, now: Timestamp) -> Result<(), Error> {
    wire.batch("BEGIN")?;
    wire.batch(TABLE)?;
    let mut applied = Vec::new();
    let sql = "SELECT number::bigint, checksum FROM migration ORDER BY number";
    for mut row in wire.query("migration", sql, &[])? {
        applied.push((usize::try_from(row.int()?).unwrap_or(usize::MAX), row.text()?));
    }
    check(POSTGRES, &applied)?;
    for (index, (name, sql)) in POSTGRES.iter().enumerate().skip(applied.len()) {
        wire.batch(*sql)?;
        let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
        wire.execute(
            "INSERT INTO migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            &[Value::Int(number), (*name).into(), checksum(sql).into(), now.into()],
        )?;
    }
    wire.batch("COMMIT")
}

fn check(known: &[(&str, &str)], applied: &[(usize, String)]) -> Result<(), Error> {
    if applied.len() > known.len() {
        return Err(Error::Setup(format!(
            "the database is at version {}, this program knows {}: start the newer program that wrote it",
            applied.len(),
            known.len()
        )));
    }
    for ((index, (name, sql)), (number, sum)) in known.iter().enumerate().zip(applied) {
        if *number != index + 1 || *sum != checksum(sql) {
            return Err(Error::Setup(format!(
                "migration {name} in the database is not the one of this program"
            )));
        }
    }
    Ok(())
}

fn checksum(sql: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, sql.as_bytes()).as_ref())
}
