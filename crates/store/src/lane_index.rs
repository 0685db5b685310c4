//! The index by lane, in which a lane finds what waits for it. In a file it is a table of lists beside the deliveries
//! (`lane_places`). Most deliveries are over within milliseconds, handed from memory to the engine, and never enter it: what
//! still waits behind the mark (`lane_mark`) is entered afterwards, many at a time, some seconds after it was accepted.
//!
//! Up to the mark, everything that waits is in the index. Whoever asks by lane, which is always through the view
//! `lane_waiting`, has it brought up to date first: [`Store::lanes_listed`] before a reading, [`list_all`] within a
//! transaction. Where several servers share a database, any of them may be asked for what another accepted; there the
//! deliveries have an index of their own, and nothing of this is needed but the view.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::lane_places::{self, Key, List};
use crate::setup::Store;

/// How many places may be behind the mark before they are looked at without waiting.
const BEHIND_MAX: i64 = 131_072;
/// How many of them are left then, since they are likely to be over soon.
const LEFT: i64 = 65_536;

/// How many places are read, and entered, at once.
const PORTION: i64 = 65_536;
/// How many lists are looked at whether anything waits in them, besides two for each that is entered: more than are
/// entered, so that they do not gather.
const LOOKED_MORE: u64 = 16;
/// How many lists in which nothing waits are remembered until they are taken out. Of more, whoever meets them again tells.
const OVER_MAX: usize = 16_384;

/// How far the index goes, and how far the places go, as far as this server knows.
#[derive(Debug)]
pub(crate) struct LaneMark {
    upto: AtomicI64,
    last: AtomicI64,
    changed: Notify,
    /// Lists in which nothing waits any more.
    over: Mutex<Vec<Key>>,
    over_found: Notify,
    /// The last list that was looked at whether anything waits in it.
    looked: Mutex<Key>,
}

impl Default for LaneMark {
    /// After a start, something may be missing from before.
    fn default() -> Self {
        Self {
            upto: AtomicI64::new(-1),
            last: AtomicI64::new(0),
            changed: Notify::new(),
            over: Mutex::default(),
            over_found: Notify::new(),
            looked: Mutex::default(),
        }
    }
}

impl LaneMark {
    /// There is a delivery in this place now.
    pub(crate) fn saw(&self, place: i64) {
        let last = self.last.fetch_max(place, Ordering::AcqRel);
        let upto = self.upto.load(Ordering::Acquire);
        let first_behind = last <= upto && place > upto;
        if first_behind || place.saturating_sub(upto) > BEHIND_MAX {
            self.changed.notify_one();
        }
    }

    /// The index goes so far now.
    pub(crate) fn moved(&self, upto: i64) {
        self.upto.fetch_max(upto, Ordering::AcqRel);
    }

    /// Nothing waits in these lists any more.
    pub(crate) fn found_over(&self, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let mut over = self.over.lock().expect("no code panics while it holds the lists");
        let room = OVER_MAX.saturating_sub(over.len());
        over.extend(keys.into_iter().take(room));
        self.over_found.notify_one();
    }

    fn is_behind(&self) -> bool {
        self.last.load(Ordering::Acquire) > self.upto.load(Ordering::Acquire)
    }

    /// Waits until more than so many places are behind the mark, and tells the last.
    async fn behind(&self, most: i64) -> i64 {
        loop {
            let (last, upto) = (self.last.load(Ordering::Acquire), self.upto.load(Ordering::Acquire));
            if last.saturating_sub(upto.max(0)) > most {
                return last;
            }
            self.changed.notified().await;
        }
    }
}

fn mark(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let row = tx.query_one("lane_mark", "SELECT coalesce(max(upto), 0) FROM lane_mark", &[])?;
    row.map_or(Ok(0), |mut row| row.int())
}

fn enter(tx: &mut Tx<'_>, lists: &[List], upto: i64) -> Result<(), Error> {
    lane_places::enter(tx, lists)?;
    let sql =
        "INSERT INTO lane_mark (id, upto) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto";
    tx.execute(sql, params![upto]).map(drop)
}

/// Enters all that waits, before something is changed by lane, and tells how far the index goes then.
pub(crate) fn list_all(tx: &mut Tx<'_>) -> Result<i64, Error> {
    if tx.is_shared() {
        return Ok(0);
    }
    let row = tx.query_one("delivery", "SELECT coalesce(max(seq), 0) FROM delivery", &[])?;
    let last = row.map_or(Ok(0), |mut row| row.int())?;
    let mut upto = mark(tx)?;
    while upto < last {
        let next = upto.saturating_add(PORTION).min(last);
        let lists = lane_places::collect(tx, upto, next)?;
        enter(tx, &lists, next)?;
        upto = next;
    }
    Ok(upto)
}

impl Store {
    /// Sees to it that whatever was accepted before this call, and waits, is found by lane.
    pub(crate) async fn lanes_listed(&self) -> Result<(), Error> {
        if self.is_shared() || !self.wake.mark.is_behind() {
            return Ok(());
        }
        let mark = &self.wake.mark;
        if mark.upto.load(Ordering::Acquire) < 0 {
            return self.list_rest().await;
        }
        // In portions, so that publishers do not wait for all of a long tail.
        self.lane_index_step(mark.last.load(Ordering::Acquire)).await
    }

    /// The same for what is only shown: where nothing can be written, what is read may miss the newest.
    pub(crate) async fn lanes_shown(&self) {
        if let Err(error) = self.lanes_listed().await {
            tracing::warn!(%error, "what was just accepted may be missing in what is shown");
        }
    }

    async fn list_rest(&self) -> Result<(), Error> {
        let wake = self.wake();
        self.db.write_flow(list_all, move |upto| wake.mark.moved(*upto)).await.map(drop)
    }

    /// Waits until a delivery may be missing in the index, and tells the last place there is.
    pub async fn lane_index_behind(&self) -> i64 {
        self.wake.mark.behind(0).await
    }

    /// Waits until so many may be missing that they are not to wait any longer, and tells up to which place.
    pub async fn lane_index_far_behind(&self) -> i64 {
        self.wake.mark.behind(BEHIND_MAX).await - LEFT
    }

    /// Enters what waits up to a place into the index by lane, in portions. What takes long of it is only read, beside
    /// whoever writes.
    ///
    /// # Errors
    /// When the store cannot be read, or nothing can be written.
    pub async fn lane_index_step(&self, place: i64) -> Result<(), Error> {
        if self.is_shared() {
            self.wake.mark.moved(place);
            return Ok(());
        }
        loop {
            let before = self.wake.mark.upto.load(Ordering::Acquire).max(0);
            if before >= place {
                return Ok(());
            }
            let next = before.saturating_add(PORTION).min(place);
            let lists = self.db.read(move |tx| lane_places::collect(tx, before, next)).await?;
            self.look_over(2 * lists.len() as u64 + LOOKED_MORE).await?;
            let wake = self.wake();
            let work = move |tx: &mut Tx<'_>| {
                let upto = mark(tx)?;
                // Somebody else came first; or this is the first since a start, when the mark is not known yet.
                if upto > before {
                    return Ok(upto);
                }
                enter(tx, &lists, next)?;
                Ok(next)
            };
            self.db.write_flow(work, move |upto| wake.mark.moved(*upto)).await?;
        }
    }

    /// Looks at the next lists whether anything waits in them.
    async fn look_over(&self, count: u64) -> Result<(), Error> {
        let looked = || self.wake.mark.looked.lock().expect("no code panics while it holds the place");
        let after = looked().clone();
        let (over, next) = self.db.read(move |tx| lane_places::look(tx, &after, count)).await?;
        *looked() = next;
        self.wake.mark.found_over(over);
        Ok(())
    }

    /// Waits until there are lists in the index by lane in which nothing waits any more.
    pub async fn lane_index_over(&self) {
        self.wake.mark.over_found.notified().await;
    }

    /// Takes out the lists in which nothing waits any more, as far as they were met.
    ///
    /// # Errors
    /// When nothing can be written; then whoever meets them again tells of them.
    pub async fn lane_index_tidy(&self) -> Result<(), Error> {
        let take = |over: &Mutex<Vec<Key>>| {
            std::mem::take(&mut *over.lock().expect("no code panics while it holds the lists"))
        };
        let over = take(&self.wake.mark.over);
        self.db.write_beside(move |tx: &mut Tx<'_>| lane_places::remove(tx, &over), |()| ()).await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::{BEHIND_MAX, LaneMark};

    #[tokio::test]
    async fn one_is_told_once_much_is_behind() {
        let mark = LaneMark::default();
        mark.moved(10);
        let mut far = pin!(mark.behind(BEHIND_MAX));
        let mut look = || far.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(look().is_pending());
        mark.saw(11);
        assert_eq!(mark.behind(0).await, 11);
        mark.saw(10 + BEHIND_MAX);
        assert!(look().is_pending(), "that is not more than may be");
        mark.saw(11 + BEHIND_MAX);
        assert_eq!(look(), Poll::Ready(11 + BEHIND_MAX));
        mark.moved(11 + BEHIND_MAX);
        assert!(!mark.is_behind());
    }
}
