//! Sealed bytes and keyed hashes: appended, read, erased.
//!
//! Rows are only ever appended, and erased by overwriting them in place with as many zeros. A row that is deleted is
//! overwritten too (`secure_delete`), but SQLite leaves stale copies of its cells behind when it rearranges pages, and
//! those are out of reach later. Neither appending nor overwriting in place rearranges a page.

use rusqlite::Connection;

use crate::db::{Tx, params};
use crate::error::Error;

/// How many erased rows are put up with, however few live ones there are.
const ERASED_MIN: i64 = 1_000;

/// Keeps bytes and tells their place.
pub(crate) fn append(tx: &mut Tx<'_>, bytes: Vec<u8>) -> Result<i64, Error> {
    let row =
        tx.query_one("sealed", "INSERT INTO sealed (bytes) VALUES ($1) RETURNING seq", params![bytes])?;
    let mut row = row.ok_or(Error::Sealed("it was not kept"))?;
    row.int()
}

/// Overwrites the bytes at a place. The piece of work is answered only when they are out of the log as well.
pub(crate) fn erase(tx: &mut Tx<'_>, seq: i64) -> Result<(), Error> {
    tx.erase(seq)
}

/// Gives the room of erased rows back, at a start, when they are more than the live ones. The table is emptied as a
/// whole, which overwrites its pages, and filled again in order.
pub(crate) fn reclaim(connection: &Connection) -> Result<(), Error> {
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let all = count("SELECT count(*) FROM sealed")?;
    let live = count(
        "SELECT (SELECT count(*) FROM subscription) + (SELECT count(*) FROM endpoint) + (SELECT count(*) FROM connection)
         + (SELECT count(*) FROM subscription_user)",
    )?;
    if all - live <= live.max(ERASED_MIN) {
        return Ok(());
    }
    connection.execute_batch(
        "BEGIN IMMEDIATE;
         CREATE TEMP TABLE live AS SELECT seq, bytes FROM sealed WHERE seq IN
             (SELECT sealed_seq FROM subscription UNION ALL SELECT sealed_seq FROM endpoint
              UNION ALL SELECT sealed_seq FROM connection UNION ALL SELECT sealed_seq FROM subscription_user);
         DELETE FROM sealed;
         INSERT INTO sealed (seq, bytes) SELECT seq, bytes FROM live ORDER BY seq;
         DROP TABLE live;
         COMMIT;",
    )?;
    Ok(())
}
