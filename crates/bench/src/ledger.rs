//! What was received: every delivery by its number, and how long each took.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The harness's book.
#[derive(Debug)]
pub(crate) struct Ledger {
    began: Instant,
    /// How often each delivery came.
    seen: Vec<AtomicU8>,
    /// How long it took the first time, in microseconds.
    took: Vec<AtomicU64>,
    distinct: AtomicU64,
    doubled: AtomicU64,
    wanted: AtomicU64,
    last_us: AtomicU64,
    full: Notify,
}

impl Ledger {
    /// A book for deliveries with numbers below `count`.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            began: Instant::now(),
            seen: (0..count).map(|_| AtomicU8::new(0)).collect(),
            took: (0..count).map(|_| AtomicU64::new(0)).collect(),
            distinct: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
            wanted: AtomicU64::new(u64::MAX),
            last_us: AtomicU64::new(0),
            full: Notify::new(),
        }
    }

    /// Microseconds since the book was opened.
    pub(crate) fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Delivery `number` came, which was published at `sent_us`.
    pub(crate) fn received(&self, number: usize, sent_us: u64) {
        let Some(seen) = self.seen.get(number) else { return };
        let now = self.now_us();
        if seen.fetch_add(1, Ordering::Relaxed) > 0 {
            self.doubled.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Some(took) = self.took.get(number) {
            took.store(now.saturating_sub(sent_us).max(1), Ordering::Relaxed);
        }
        self.last_us.fetch_max(now, Ordering::Relaxed);
        if self.distinct.fetch_add(1, Ordering::AcqRel) + 1 >= self.wanted.load(Ordering::Acquire) {
            self.full.notify_one();
        }
    }

    /// Whether delivery `number` came.
    pub(crate) fn has(&self, number: usize) -> bool {
        self.seen.get(number).is_some_and(|seen| seen.load(Ordering::Relaxed) > 0)
    }

    /// Waits until so many different ones have come, at most `patience`; tells how many came.
    pub(crate) async fn wait_for(&self, count: u64, patience: Duration) -> u64 {
        self.wanted.store(count, Ordering::Release);
        let until = Instant::now() + patience;
        while self.distinct() < count && Instant::now() < until {
            let wait = tokio::time::timeout(Duration::from_millis(200), self.full.notified());
            drop(wait.await);
        }
        self.distinct()
    }

    /// Waits until so many of those have come whose number `fits`, at most `patience`; tells how long they took, as `times`.
    pub(crate) async fn wait_for_those(
        &self,
        fits: impl Fn(usize) -> bool,
        count: usize,
        patience: Duration,
    ) -> Vec<u64> {
        let until = Instant::now() + patience;
        loop {
            let times = self.times(&fits);
            if times.len() >= count || Instant::now() >= until {
                return times;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many different ones came.
    pub(crate) fn distinct(&self) -> u64 {
        self.distinct.load(Ordering::Acquire)
    }

    /// How many came again.
    pub(crate) fn doubled(&self) -> u64 {
        self.doubled.load(Ordering::Relaxed)
    }

    /// When the last one came for the first time.
    pub(crate) fn last_us(&self) -> u64 {
        self.last_us.load(Ordering::Relaxed)
    }

    /// How long those took whose number `fits`, shortest first, in microseconds.
    pub(crate) fn times(&self, fits: impl Fn(usize) -> bool) -> Vec<u64> {
        let took = self.took.iter().enumerate().filter(|(number, _)| fits(*number));
        let mut times: Vec<u64> =
            took.map(|(_, us)| us.load(Ordering::Relaxed)).filter(|us| *us > 0).collect();
        times.sort_unstable();
        times
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Ledger;

    #[test]
    fn what_comes_again_is_doubled_and_what_never_came_is_not_there() {
        let ledger = Ledger::new(3);
        for number in [0, 2, 2, 9] {
            ledger.received(number, 0);
        }
        assert_eq!((ledger.distinct(), ledger.doubled()), (2, 1), "number 9 is nobody's");
        assert!(ledger.has(2) && !ledger.has(1));
        assert_eq!(ledger.times(|number| number > 0).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn others_that_came_do_not_count_for_those_that_are_waited_for() {
        let ledger = Ledger::new(4);
        ledger.received(0, 0);
        ledger.received(1, 0);
        let even = |number: usize| number.is_multiple_of(2);
        let late = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ledger.received(2, 0);
        };
        let (times, ()) = tokio::join!(ledger.wait_for_those(even, 2, Duration::from_secs(60)), late);
        assert_eq!(times.len(), 2);
        let times = ledger.wait_for_those(even, 3, Duration::from_secs(60)).await;
        assert_eq!(times.len(), 2, "patience has an end");
    }
}
