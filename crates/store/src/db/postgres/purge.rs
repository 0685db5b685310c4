//! Takes what was erased out of the database's files. A deleted row's bytes stay in its page until the page is written
//! anew; `VACUUM FULL` writes a table anew, leaves out what nobody can see any more, and empties the old file.
//!
//! `sealed` has sixteen parts, so that only a sixteenth of it is written. Each delete notes its part in `erased`, in
//! its own transaction: whoever starts after a crash finds the note.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::wire::Wire;
use crate::db::{Value, Work};
use crate::error::Error;

/// How long it is tried for those who wait for the answer.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(20);
/// How long after a failed purge the next is tried.
const MUCH_LATER: Duration = Duration::from_secs(1);

/// Purges by itself, so that no other write waits for it.
pub(super) struct Purger {
    wire: Wire,
    inbox: mpsc::UnboundedReceiver<Box<dyn Work>>,
}

impl Purger {
    /// `inbox` brings work that is durable and has erased something.
    pub(super) fn new(wire: Wire, inbox: mpsc::UnboundedReceiver<Box<dyn Work>>) -> Self {
        Self { wire, inbox }
    }

    pub(super) fn run(mut self) {
        // A crash may have come between a delete and its purge.
        let mut dirty = !self.purge(Instant::now());
        loop {
            let first = if dirty {
                let inbox = &mut self.inbox;
                match self.wire.wait(async { timeout(MUCH_LATER, inbox.recv()).await }) {
                    Ok(first) => first,
                    Err(_elapsed) => {
                        dirty = !self.purge(Instant::now());
                        continue;
                    }
                }
            } else {
                self.inbox.blocking_recv()
            };
            let Some(first) = first else { return };
            let mut waiting = vec![first];
            while let Ok(work) = self.inbox.try_recv() {
                waiting.push(work);
            }
            dirty = !self.purge(Instant::now() + PATIENCE);
            if dirty {
                tracing::warn!(
                    "erased bytes stay in the database's files while an older transaction is open in it"
                );
            }
            for work in waiting {
                work.answer(if dirty { Err(Error::Unpurged) } else { Ok(()) });
            }
        }
    }

    /// Purges what was noted, and tries until then. Tells whether nothing is left.
    fn purge(&mut self, until: Instant) -> bool {
        loop {
            let done: Result<bool, Error> = self.wire.connect().and_then(|()| purge_once(&mut self.wire));
            self.wire.forget_failure();
            if let Err(error) = &done {
                tracing::warn!(%error, "what was erased cannot be purged yet");
            }
            let emptied = done.unwrap_or(false);
            if emptied || Instant::now() >= until {
                return emptied;
            }
            self.wire.wait(async { sleep(AGAIN).await });
        }
    }
}

/// Deletes the bytes at a place and notes where they were.
pub(crate) fn erase(wire: &mut Wire, seq: i64) -> Result<(), Error> {
    let sql = "WITH gone AS (DELETE FROM sealed WHERE seq = $1 RETURNING tableoid)
         INSERT INTO erased (part, transaction)
         SELECT tableoid::regclass::text, pg_current_xact_id()::xid::text FROM gone";
    wire.execute(sql, &[Value::Int(seq)]).map(drop)
}

/// Notes that sealed values were deleted from a table that is rewritten as a whole.
pub(crate) fn erased_from(wire: &mut Wire, table: &'static str) -> Result<(), Error> {
    let sql = "INSERT INTO erased (part, transaction) VALUES ($1, pg_current_xact_id()::xid::text)";
    wire.execute(sql, &[Value::Text(table.to_owned())]).map(drop)
}

/// Notes that values in every part of `sealed` were replaced.
pub(crate) fn replaced(wire: &mut Wire) -> Result<(), Error> {
    let sql = "INSERT INTO erased (part, transaction)
         SELECT DISTINCT tableoid::regclass::text, pg_current_xact_id()::xid::text FROM sealed";
    wire.execute(sql, &[]).map(drop)
}

fn purge_once(wire: &mut Wire) -> Result<bool, Error> {
    // What an older snapshot can still see, a vacuum must keep; and its own is as old as the oldest transaction that
    // writes, in whatever database.
    let sql = "SELECT e.part, max(e.note), bool_or(
             age(pg_snapshot_xmin(pg_current_snapshot())::xid) >= age(e.transaction::xid)
             OR EXISTS (SELECT 1 FROM pg_stat_activity a
             WHERE a.pid <> pg_backend_pid() AND (a.datname = current_database() OR a.datname IS NULL)
             AND age(a.backend_xmin) >= age(e.transaction::xid)))
         FROM erased e GROUP BY e.part";
    let mut all = true;
    for mut row in wire.query("erased", sql, &[])? {
        let (part, note, seen) = (row.text()?, row.int()?, row.int()? != 0);
        if seen
            || !part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            all = false;
            continue;
        }
        // Short, since whoever opens a target waits behind it.
        wire.batch("SET lock_timeout = '250ms'")?;
        let vacuumed = wire.batch(AssertSqlSafe(format!("VACUUM (FULL) {part}")));
        wire.batch("RESET lock_timeout")?;
        if vacuumed.is_err() {
            wire.forget_failure();
            all = false;
            continue;
        }
        let sql = "DELETE FROM erased WHERE part = $1 AND note <= $2";
        wire.execute(sql, &[Value::Text(part), Value::Int(note)])?;
    }
    Ok(all)
}
