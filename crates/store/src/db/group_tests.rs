//! What share a commit of a file, and one of them fails.

use std::sync::Arc;

use carillon_model::Timestamp;
use tempfile::TempDir;

use super::{Db, Hand, NoObserver, Tx, params};
use crate::error::Error;

struct Bed {
    db: Db,
    hand: Hand,
    _directory: TempDir,
}

fn bed() -> Bed {
    let directory = tempfile::tempdir().unwrap();
    let make = |tx: &mut Tx<'_>| tx.batch("CREATE TABLE number (n INTEGER PRIMARY KEY)");
    let path = directory.path().join("carillon.db");
    let (db, hand) = Db::open_by_hand(&path, Timestamp(0), Arc::new(NoObserver), make).unwrap();
    Bed { db, hand, _directory: directory }
}

fn put(tx: &mut Tx<'_>, number: i64) -> Result<(), Error> {
    tx.execute("INSERT INTO number (n) VALUES ($1)", params![number]).map(drop)
}

/// Writes a number, and fails then.
fn halfway(tx: &mut Tx<'_>, number: i64) -> Result<(), Error> {
    put(tx, number)?;
    Err(Error::Conflict)
}

impl Bed {
    /// Does what waits in one commit, beside those who wait for it.
    async fn commit(&mut self, count: usize) {
        while self.hand.waiting().await < count {
            tokio::task::yield_now().await;
        }
        self.hand.commit(count).answer();
    }

    async fn numbers(&mut self) -> Vec<i64> {
        let db = self.db.clone();
        let read = db.read(|tx: &mut Tx<'_>| tx.query("number", "SELECT n FROM number ORDER BY n", &[]));
        let (rows, ()) = tokio::join!(read, self.commit(1));
        rows.unwrap().into_iter().map(|mut row| row.int().unwrap()).collect()
    }

    /// One that writes beside others, one that does what `odd` does, and one more.
    async fn three(
        &mut self,
        numbers: [i64; 2],
        odd: impl Future<Output = Result<(), Error>>,
    ) -> [Result<(), Error>; 3] {
        let db = self.db.clone();
        let [first, last] = numbers;
        let before = db.write_beside(move |tx: &mut Tx<'_>| put(tx, first), |()| ());
        let behind = db.write_beside(move |tx: &mut Tx<'_>| put(tx, last), |()| ());
        let (before, odd, behind, ()) = tokio::join!(before, odd, behind, self.commit(3));
        [before, odd, behind]
    }
}

#[tokio::test]
async fn careful_work_that_fails_is_undone_alone() {
    let mut bed = bed();
    let db = bed.db.clone();
    let answers = bed.three([1, 3], db.write(|tx: &mut Tx<'_>| halfway(tx, 2))).await;
    assert!(matches!(answers, [Ok(()), Err(Error::Conflict), Ok(())]), "{answers:?}");
    assert_eq!(bed.numbers().await, [1, 3]);
}

#[tokio::test]
async fn what_fails_before_it_writes_harms_nobody() {
    let mut bed = bed();
    let db = bed.db.clone();
    let refuse = |_tx: &mut Tx<'_>| Err::<(), _>(Error::Conflict);
    let answers = bed.three([1, 3], db.write_beside(refuse, |()| ())).await;
    assert!(matches!(answers, [Ok(()), Err(Error::Conflict), Ok(())]), "{answers:?}");
    // A statement that the database refuses changed nothing.
    let again = |tx: &mut Tx<'_>| put(tx, 3);
    let answers = bed.three([4, 5], db.write_beside(again, |()| ())).await;
    assert!(matches!(answers, [Ok(()), Err(Error::Conflict), Ok(())]), "{answers:?}");
    assert_eq!(bed.numbers().await, [1, 3, 4, 5]);
}

#[tokio::test]
async fn what_fails_halfway_without_a_way_back_takes_its_commit_with_it_once() {
    let mut bed = bed();
    let db = bed.db.clone();
    let answers = bed.three([1, 3], db.write_beside(|tx: &mut Tx<'_>| halfway(tx, 2), |()| ())).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Unavailable(_)))), "{answers:?}");
    assert!(bed.numbers().await.is_empty(), "half of a piece is never written");
    // For some time nobody is trusted then.
    let answers = bed.three([1, 3], db.write_beside(|tx: &mut Tx<'_>| halfway(tx, 2), |()| ())).await;
    assert!(matches!(answers, [Ok(()), Err(Error::Conflict), Ok(())]), "{answers:?}");
    assert_eq!(bed.numbers().await, [1, 3]);
}
