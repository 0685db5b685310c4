//! Sliding windows and the penalties for overrunning them; pure, time is an argument.

use std::collections::VecDeque;

/// How many calls may fall into any span of the given length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) most: usize,
    pub(crate) span_ms: i64,
}

/// What overrunning costs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Penalty {
    /// Nothing: the next call is taken as soon as the window has room.
    Nothing,
    /// Silence of this many milliseconds from the overrun on.
    Silence(i64),
    /// Silence until the window that was overrun has passed, and this many milliseconds more.
    RestOfWindowAnd(i64),
}

/// One caller's count against all rates that bind it at once.
#[derive(Debug)]
pub(crate) struct Meter {
    rates: &'static [Rate],
    penalty: Penalty,
    taken: VecDeque<i64>,
    silent_until: Option<i64>,
}

impl Meter {
    pub(crate) fn new(rates: &'static [Rate], penalty: Penalty) -> Self {
        Self { rates, penalty, taken: VecDeque::new(), silent_until: None }
    }

    /// Says whether a penalty is still running. Calls during it do not lengthen it.
    pub(crate) fn is_silenced(&self, now_ms: i64) -> bool {
        self.silent_until.is_some_and(|until| now_ms < until)
    }

    /// Counts one call, or refuses it and begins the penalty.
    pub(crate) fn take(&mut self, now_ms: i64) -> bool {
        if self.is_silenced(now_ms) {
            return false;
        }
        self.forget_before(now_ms);
        for rate in self.rates {
            let start = now_ms.saturating_sub(rate.span_ms);
            let first = self.taken.partition_point(|at| *at <= start);
            if self.taken.len() - first >= rate.most {
                let oldest = self.taken.get(first).copied().unwrap_or(now_ms);
                self.punish(now_ms, oldest.saturating_add(rate.span_ms));
                return false;
            }
        }
        self.taken.push_back(now_ms);
        true
    }

    fn punish(&mut self, now_ms: i64, window_ends: i64) {
        self.silent_until = match self.penalty {
            Penalty::Nothing => None,
            Penalty::Silence(span) => Some(now_ms.saturating_add(span)),
            Penalty::RestOfWindowAnd(span) => Some(window_ends.saturating_add(span)),
        };
    }

    fn forget_before(&mut self, now_ms: i64) {
        let longest = self.rates.iter().map(|rate| rate.span_ms).max().unwrap_or(0);
        let start = now_ms.saturating_sub(longest);
        while self.taken.front().is_some_and(|at| *at <= start) {
            self.taken.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_A_SECOND: &[Rate] = &[Rate { most: 2, span_ms: 1000 }];
    const TWO_A_SECOND_THREE_A_MINUTE: &[Rate] =
        &[Rate { most: 2, span_ms: 1000 }, Rate { most: 3, span_ms: 60_000 }];

    #[test]
    fn the_window_slides() {
        let mut meter = Meter::new(TWO_A_SECOND, Penalty::Nothing);
        assert!(meter.take(0));
        assert!(meter.take(900));
        assert!(!meter.take(999));
        assert!(meter.take(1000));
        assert!(!meter.take(1001));
        assert!(meter.take(1900));
    }

    #[test]
    fn all_rates_bind_at_once() {
        let mut meter = Meter::new(TWO_A_SECOND_THREE_A_MINUTE, Penalty::Nothing);
        assert!(meter.take(0));
        assert!(meter.take(0));
        assert!(meter.take(2000));
        assert!(!meter.take(4000));
        assert!(meter.take(60_000));
    }

    #[test]
    fn silence_lasts_and_is_not_lengthened() {
        let mut meter = Meter::new(TWO_A_SECOND, Penalty::Silence(600_000));
        assert!(meter.take(0) && meter.take(0));
        assert!(!meter.take(10));
        assert!(meter.is_silenced(599_999));
        assert!(!meter.take(600_009));
        assert!(meter.take(600_010));
    }

    #[test]
    fn the_rest_of_the_window_counts_from_its_first_call() {
        let mut meter = Meter::new(TWO_A_SECOND, Penalty::RestOfWindowAnd(60_000));
        assert!(meter.take(100) && meter.take(200));
        assert!(!meter.take(300));
        assert!(!meter.take(61_099));
        assert!(meter.take(61_100));
    }
}
