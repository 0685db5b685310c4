//! The index by lane (`delivery_lane`), in which a lane finds what waits for it. A row of it is in another place for every
//! address, so that to enter a delivery and to take it out again costs more than everything else that is written of it; and
//! most deliveries are over within milliseconds, handed from memory to the engine. So they are entered afterwards: what still
//! waits behind the mark (`lane_mark`), many at a time, some seconds after it was accepted.
//!
//! Up to the mark, everything that waits is in the index (`delivery.in_lane`). Whoever asks by lane has it brought up to date
//! first: [`Store::lanes_listed`] before a reading, [`list_all`] within a transaction. Where several servers share a database,
//! any of them may be asked for what another accepted, and everything is entered at once.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// How many places may be behind the mark before they are looked at without waiting.
const BEHIND_MAX: i64 = 131_072;
/// How many of them are left then, since they are likely to be over soon.
const LEFT: i64 = 65_536;

/// How many places are looked at in one transaction.
const PORTION: i64 = 8_192;

/// How far the index goes, and how far the places go, as far as this server knows.
#[derive(Debug)]
pub(crate) struct LaneMark {
    upto: AtomicI64,
    last: AtomicI64,
    changed: Notify,
}

impl Default for LaneMark {
    /// After a start, something may be missing from before.
    fn default() -> Self {
        Self { upto: AtomicI64::new(-1), last: AtomicI64::new(0), changed: Notify::new() }
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

/// Whether new deliveries are in the index from the beginning, as its column says it.
pub(crate) fn at_once(tx: &Tx<'_>) -> i64 {
    i64::from(tx.is_shared())
}

/// Enters what waits up to a place that was given once, or all of it, and tells how far the index goes then.
pub(crate) fn list_until(tx: &mut Tx<'_>, place: Option<i64>) -> Result<i64, Error> {
    let number = |tx: &mut Tx<'_>, sql: &'static str| {
        tx.query_one("lane_mark", sql, &[])?.map_or(Ok(0), |mut row| row.int())
    };
    let before = number(tx, "SELECT coalesce(max(upto), 0) FROM lane_mark")?;
    let upto = match place {
        // What stood there may be forgotten by now; no place is given twice.
        Some(place) => place,
        None => number(tx, "SELECT coalesce(max(seq), 0) FROM delivery")?,
    };
    if upto <= before {
        return Ok(before);
    }
    let sql =
        "UPDATE delivery SET in_lane = 1 WHERE seq > $1 AND seq <= $2 AND in_lane = 0 AND state IN (0, 1)";
    tx.execute(sql, params![before, upto])?;
    let sql =
        "INSERT INTO lane_mark (id, upto) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto";
    tx.execute(sql, params![upto])?;
    Ok(upto)
}

/// Enters all that waits, before something is changed by lane.
pub(crate) fn list_all(tx: &mut Tx<'_>) -> Result<(), Error> {
    if tx.is_shared() { Ok(()) } else { list_until(tx, None).map(drop) }
}

impl Store {
    /// Sees to it that whatever was accepted before this call, and waits, is found by lane.
    pub(crate) async fn lanes_listed(&self) -> Result<(), Error> {
        if self.is_shared() || !self.wake.mark.is_behind() {
            return Ok(());
        }
        let mark = &self.wake.mark;
        if mark.upto.load(Ordering::Acquire) < 0 {
            return self.list(None).await;
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

    async fn list(&self, place: Option<i64>) -> Result<(), Error> {
        let wake = self.wake();
        let work = move |tx: &mut Tx<'_>| list_until(tx, place);
        self.db.write_flow(work, move |upto| wake.mark.moved(*upto)).await.map(drop)
    }

    /// Waits until a delivery may be missing in the index, and tells the last place there is.
    pub async fn lane_index_behind(&self) -> i64 {
        self.wake.mark.behind(0).await
    }

    /// Waits until so many may be missing that they are not to wait any longer, and tells up to which place.
    pub async fn lane_index_far_behind(&self) -> i64 {
        self.wake.mark.behind(BEHIND_MAX).await - LEFT
    }

    /// Enters what waits up to a place into the index by lane, in portions.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn lane_index_step(&self, place: i64) -> Result<(), Error> {
        loop {
            let next = self.wake.mark.upto.load(Ordering::Acquire).max(0).saturating_add(PORTION);
            self.list(Some(next.min(place))).await?;
            if next >= place {
                return Ok(());
            }
        }
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
