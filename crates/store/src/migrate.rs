//! Brings a store to this version: numbered files, each applied once, in order, all in one transaction.

use aws_lc_rs::digest;
use carillon_model::Timestamp;
use data_encoding::HEXLOWER;
use rusqlite::Connection;

use crate::error::Error;

/// Every migration, by number from 1. An applied file is never edited; a change is a new file.
const SQLITE: &[(&str, &str)] = &[
    ("0001_start", include_str!("../migrations/sqlite/0001_start.sql")),
    ("0002_key_check", include_str!("../migrations/sqlite/0002_key_check.sql")),
    ("0003_confirmation", include_str!("../migrations/sqlite/0003_confirmation.sql")),
    ("0004_topic_extras", include_str!("../migrations/sqlite/0004_topic_extras.sql")),
    ("0005_resend", include_str!("../migrations/sqlite/0005_resend.sql")),
    ("0006_office", include_str!("../migrations/sqlite/0006_office.sql")),
];

/// Applies what is missing.
pub(crate) fn sqlite(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,
         checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)",
    )?;
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
    check(&applied)?;
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

fn check(applied: &[(usize, String)]) -> Result<(), Error> {
    if applied.len() > SQLITE.len() {
        return Err(Error::Setup(format!(
            "the database is at version {}, this program knows {}: start the newer program that wrote it",
            applied.len(),
            SQLITE.len()
        )));
    }
    for ((index, (name, sql)), (number, sum)) in SQLITE.iter().enumerate().zip(applied) {
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
