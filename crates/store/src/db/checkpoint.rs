//! Brings what stands in SQLite's write-ahead log into its file, beside the writer: a checkpoint writes thousands of pages and
//! syncs them, and whoever publishes meanwhile would wait for it.
//!
//! Under steady writing such a checkpoint never reaches the end of the log, which moves on; and only from its end can the log
//! begin anew. So when the log has become long, the writer brings over the little that is left, between two commits.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::sqlite;
use crate::error::Error;

/// How long the log may become, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lengths {
    /// So many pages that are not in the file yet are worth a checkpoint.
    pub(super) behind: i64,
    /// From this length on the writer sees to it that the log begins anew,
    pub(super) long: i64,
    /// if no more than so many pages are left,
    pub(super) rest: i64,
    /// or at this length, whatever is left.
    pub(super) longest: i64,
}

/// 2 MB behind, since whoever commits meanwhile waits for the disk to have them; 64 and 256 MB long.
const LENGTHS: Lengths = Lengths { behind: 500, long: 16_000, rest: 500, longest: 64_000 };

/// What the log wants after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Nothing,
    /// A checkpoint beside the writer.
    Beside,
    /// The writer's own.
    Now,
}

impl Lengths {
    /// `log` pages stand in the log, `done` of them in the file, too.
    fn want(&self, log: i64, done: i64) -> Want {
        let behind = log - done;
        if log >= self.longest || (log >= self.long && behind > 0 && behind <= self.rest) {
            Want::Now
        } else if behind >= self.behind {
            Want::Beside
        } else {
            Want::Nothing
        }
    }
}

/// The writer's side.
pub(super) struct Checkpoints {
    lengths: Lengths,
    wake: SyncSender<()>,
    /// Held by who does one: SQLite refuses a second at once, and does not wait.
    one: Arc<Mutex<()>>,
}

impl Checkpoints {
    /// Starts a thread with a connection of its own. It ends when the writer has.
    pub(super) fn start(path: &Path) -> Result<(Self, JoinHandle<()>), Error> {
        let connection = sqlite::connect(path, false)?;
        connection.pragma_update(None, "cache_size", -500)?;
        let (checkpoints, woken) = Self::new(LENGTHS);
        let one = Arc::clone(&checkpoints.one);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || {
                woken.iter().for_each(|()| {
                    let _one = one.lock().expect("no code panics while it does a checkpoint");
                    step(&connection);
                });
            })
            .map_err(|error| Error::Setup(format!("no thread for the store: {error}")))?;
        Ok((checkpoints, thread))
    }

    fn new(lengths: Lengths) -> (Self, Receiver<()>) {
        let (wake, woken) = sync_channel(1);
        (Self { lengths, wake, one: Arc::default() }, woken)
    }

    /// Waits until no other checkpoint is being done, and keeps it so.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.one.lock().expect("no code panics while it does a checkpoint")
    }

    /// Looks at the log after a commit.
    pub(super) fn look(&self, writer: &Connection) {
        // A log that nobody can look at shows itself in the next commit.
        let Ok((log, done)) = checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)") else { return };
        match self.lengths.want(log, done) {
            Want::Nothing => {}
            Want::Beside => match self.wake.try_send(()) {
                Ok(()) | Err(TrySendError::Full(())) => {}
                Err(TrySendError::Disconnected(())) => step(writer),
            },
            Want::Now => step(writer),
        }
    }
}

/// As much as goes without waiting for anybody.
fn step(connection: &Connection) {
    if let Err(error) = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
        tracing::warn!(%error, "the write-ahead log could not be brought into the database's file yet");
    }
}

/// How many pages the log has, and how many of them are in the file, too.
fn checkpoint(connection: &Connection, sql: &str) -> Result<(i64, i64), rusqlite::Error> {
    connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests {
    use super::{Checkpoints, LENGTHS, Lengths, Want, checkpoint, step};
    use crate::db::sqlite;

    #[test]
    fn a_log_wants_what_its_length_asks_for() {
        let want = |log, done| LENGTHS.want(log, done);
        assert_eq!(want(499, 0), Want::Nothing);
        assert_eq!(want(500, 0), Want::Beside);
        assert_eq!(want(15_999, 15_900), Want::Nothing);
        assert_eq!(want(16_000, 15_500), Want::Now);
        assert_eq!(want(16_000, 15_499), Want::Beside);
        assert_eq!(want(16_000, 16_000), Want::Nothing, "the next commit begins it anew");
        assert_eq!(want(20_000, 12_000), Want::Beside);
        assert_eq!(want(64_000, 1), Want::Now);
    }

    /// Writes pieces of three pages, and lets the other side work after so many.
    fn longest(every: usize) -> i64 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.db");
        let [writer, beside] = [(), ()].map(|()| sqlite::connect(&path, false).unwrap());
        writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        writer.execute_batch("CREATE TABLE some (bytes BLOB)").unwrap();
        let lengths = Lengths { behind: 20, long: 80, rest: 10, longest: 200 };
        let (checkpoints, woken) = Checkpoints::new(lengths);
        let mut longest = 0;
        for piece in 1..=300 {
            writer.execute("INSERT INTO some VALUES (zeroblob(12000))", []).unwrap();
            checkpoints.look(&writer);
            if piece % every == 0 && woken.try_recv().is_ok() {
                step(&beside);
            }
            let (log, _done) = checkpoint(&writer, "PRAGMA wal_checkpoint(NOOP)").unwrap();
            longest = longest.max(log);
        }
        let count: i64 = writer.query_row("SELECT count(*) FROM some", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 300);
        longest
    }

    #[test]
    fn a_log_stays_short_however_much_is_written() {
        assert!(longest(1) < 90, "{}", longest(1));
        assert!(longest(7) < 130, "{}", longest(7));
        let alone = longest(usize::MAX);
        assert!((200..220).contains(&alone), "the writer does it all when nobody helps: {alone}");
    }
}
