//! What was sent to one endpoint lately, and so when the next post may leave: several rates at once, each over a sliding
//! window, so that the platform never has to refuse. Pure; the engine asks and tells.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::rate::Rate;

/// What was sent to one endpoint lately, and so when the next post may go.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    rates: Arc<[Rate]>,
    /// When posts left, oldest first; as many as the largest count.
    sent: VecDeque<Timestamp>,
}

impl Pace {
    /// Learns the rates. Where they are new, half of each is taken as used at `sent_before`, when an earlier run of
    /// the program last sent something, perhaps here.
    pub fn learn(&mut self, rates: &Arc<[Rate]>, sent_before: Timestamp) {
        if self.rates == *rates {
            return;
        }
        self.rates = Arc::clone(rates);
        let half = rates.iter().map(|rate| rate.count / 2).max().unwrap_or(0);
        for _used in 0..half {
            self.sent.push_front(sent_before);
        }
    }

    /// Says that a post leaves at `at`.
    pub fn sent(&mut self, at: Timestamp) {
        self.sent.push_back(at);
        let most = self.rates.iter().map(|rate| rate.count).max().unwrap_or(1);
        while self.sent.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            self.sent.pop_front();
        }
    }

    /// Says that the clock was set by so much: what was sent is as long ago as before.
    pub fn shift(&mut self, by_ms: i64) {
        self.sent.iter_mut().for_each(|at| *at = at.shifted(by_ms));
    }

    /// The first moment from `now` on at which a post may leave so that `reserve` more could follow it.
    #[must_use]
    pub fn next_at(&self, now: Timestamp, reserve: u32) -> Timestamp {
        let mut at = now;
        for rate in self.rates.iter() {
            let count = usize::try_from(rate.count.saturating_sub(reserve).max(1)).unwrap_or(usize::MAX);
            // The post that must have left the window before another one fits.
            if let Some(oldest) = self.sent.len().checked_sub(count).and_then(|index| self.sent.get(index)) {
                at = at.max(oldest.plus(rate.per));
            }
        }
        at
    }

    /// Whether there is any rate to keep to.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.rates.is_empty()
    }

    /// How many posts may leave from `now` on without waiting; everything when there is no rate.
    #[must_use]
    pub fn room(&self, now: Timestamp) -> usize {
        let room = |rate: &Rate| {
            let used = self.sent.iter().filter(|at| at.plus(rate.per) > now).count();
            usize::try_from(rate.count).unwrap_or(usize::MAX).saturating_sub(used)
        };
        self.rates.iter().map(room).min().unwrap_or(usize::MAX)
    }

    /// How many posts may leave within a time from `now` on so that `reserve` more could follow each, up to `most`.
    #[must_use]
    pub fn capacity(&self, now: Timestamp, within: Duration, reserve: u32, most: usize) -> usize {
        if !self.is_limited() {
            return most;
        }
        let (mut ahead, mut at, until) = (self.clone(), now, now.plus(within));
        for count in 0..most {
            at = ahead.next_at(at, reserve);
            if at > until {
                return count;
            }
            ahead.sent(at);
        }
        most
    }

    /// The even distance between posts when an endpoint is sent to as fast as it may be: its longest rate's.
    #[must_use]
    pub fn gap(&self) -> Duration {
        self.rates.iter().map(|rate| rate.per / rate.count.max(1)).max().unwrap_or(Duration::ZERO)
    }

    /// When the latest post left.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.sent.back().copied()
    }

    /// When nothing that was sent counts any more, and all this can be forgotten.
    #[must_use]
    pub fn idle_at(&self) -> Option<Timestamp> {
        let longest = self.rates.iter().map(|rate| rate.per).max()?;
        self.last().map(|last| last.plus(longest))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::Pace;
    use crate::clock::Timestamp;
    use crate::rate::{
        Rate,
        tests::{dingtalk, lark},
    };

    const LONG_AGO: Timestamp = Timestamp(-10_000_000);

    fn most_in_a_window(sent: &[Timestamp], rate: Rate) -> usize {
        let within =
            |first: Timestamp| sent.iter().filter(|at| **at >= first && **at < first.plus(rate.per)).count();
        sent.iter().map(|first| within(*first)).max().unwrap_or(0)
    }

    proptest! {
        /// However somebody presses, no window of any rate ever holds more than its count.
        #[test]
        fn no_window_is_overfull(pauses in proptest::collection::vec(0_i64..20_000, 1..300), robot: bool) {
            let rates = if robot { dingtalk() } else { lark() };
            let mut pace = Pace::default();
            pace.learn(&rates, LONG_AGO);
            let (mut now, mut sent) = (Timestamp(0), Vec::new());
            for pause in pauses {
                now = Timestamp(now.0 + pause / 40).max(pace.next_at(now, 0));
                pace.sent(now);
                sent.push(now);
            }
            for rate in rates.iter() {
                prop_assert!(most_in_a_window(&sent, *rate) <= usize::try_from(rate.count).unwrap());
            }
        }

        /// An hour of any pressure on any rates: each post leaves at the first millisecond at which a plain count over all
        /// that ever left allows it, no later and no earlier.
        #[test]
        fn an_hour_by_a_plain_count(
            rates in proptest::collection::vec((1_u32..120, 1_u64..900), 1..4),
            pauses in proptest::collection::vec(0_i64..30_000, 1..400),
        ) {
            let rates: std::sync::Arc<[Rate]> =
                rates.into_iter().map(|(count, s)| Rate { count, per: Duration::from_secs(s) }).collect();
            let mut pace = Pace::default();
            pace.learn(&rates, LONG_AGO);
            let (mut now, mut sent): (i64, Vec<i64>) = (0, Vec::new());
            let allowed = |sent: &[i64], at: i64| {
                rates.iter().all(|rate| {
                    let span = i64::try_from(rate.per.as_millis()).unwrap();
                    let used = sent.iter().filter(|left| **left > at - span).count();
                    used < usize::try_from(rate.count).unwrap()
                })
            };
            for pause in pauses {
                // Long silences and bursts alike.
                now += if pause % 3 == 0 { pause } else { pause / 1_000 };
                let at = pace.next_at(Timestamp(now), 0).0;
                prop_assert!(at >= now && allowed(&sent, at), "too early at {at}");
                prop_assert!(at == now || !allowed(&sent, at - 1), "later than it must at {at}");
                pace.sent(Timestamp(at));
                sent.push(at);
                now = at;
                if now > 3_600_000 {
                    break;
                }
            }
        }

        /// Room and next moment agree.
        #[test]
        fn room_means_now(gaps in proptest::collection::vec(0_i64..4_000, 0..60), later in 0_i64..70_000) {
            let mut pace = Pace::default();
            pace.learn(&dingtalk(), LONG_AGO);
            let mut at = Timestamp(0);
            for gap in gaps {
                at = pace.next_at(at.plus(Duration::from_millis(gap.unsigned_abs())), 0);
                pace.sent(at);
            }
            let now = Timestamp(at.0 + later);
            prop_assert_eq!(pace.room(now) > 0, pace.next_at(now, 0) == now);
        }
    }

    #[test]
    fn a_reserve_is_kept() {
        let mut pace = Pace::default();
        pace.learn(&dingtalk(), LONG_AGO);
        for _post in 0..18 {
            pace.sent(Timestamp(0));
        }
        assert_eq!(pace.next_at(Timestamp(1), 2), Timestamp(63_000));
        assert_eq!(pace.next_at(Timestamp(1), 0), Timestamp(1));
        assert_eq!(pace.room(Timestamp(1)), 2);
    }

    #[test]
    fn capacity_is_what_the_windows_let_through_in_time() {
        let mut pace = Pace::default();
        assert_eq!(pace.capacity(Timestamp(0), Duration::from_secs(60), 2, 7), 7, "no rate, no limit");
        pace.learn(&dingtalk(), LONG_AGO);
        let within =
            |pace: &Pace, seconds| pace.capacity(Timestamp(0), Duration::from_secs(seconds), 2, 1_000);
        assert_eq!((within(&pace, 60), within(&pace, 63), within(&pace, 130)), (18, 36, 54));
        for _post in 0..15 {
            pace.sent(Timestamp(0));
        }
        assert_eq!((within(&pace, 60), within(&pace, 63)), (3, 21));
        let mut robot = Pace::default();
        robot.learn(&lark(), LONG_AGO);
        assert_eq!((within(&robot, 2), within(&robot, 60)), (6, 98));
    }

    #[test]
    fn a_fresh_process_uses_half_at_first() {
        let mut pace = Pace::default();
        pace.learn(&dingtalk(), Timestamp(0));
        assert_eq!(pace.room(Timestamp(1)), 10);
        assert_eq!(pace.room(Timestamp(63_001)), 20);
    }
}
