//! Time as an argument: the wall clock for use, a hand-moved one for tests.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time that every window, rate, token and quota of the simulator is judged by.
pub trait Clock: Send + Sync + 'static {
    /// Returns Unix time in milliseconds.
    fn now_ms(&self) -> i64;
}

/// Reads the machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the simulator reads the wall clock")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Stands still until it is moved by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Makes a clock that shows `now_ms`, Unix time in milliseconds.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self(AtomicI64::new(now_ms))
    }

    /// Moves the clock by `by_ms` milliseconds, backwards when negative.
    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Sets the clock to `now_ms`, Unix time in milliseconds.
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A date and time of the proleptic Gregorian calendar, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

/// Splits Unix milliseconds into calendar parts (the era arithmetic counts years from March, so that the leap
/// day comes last).
pub(crate) fn civil(now_ms: i64) -> Civil {
    let seconds = now_ms.div_euclid(1000);
    let days = seconds.div_euclid(86_400) + 719_468;
    let clock = seconds.rem_euclid(86_400);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * shifted + 2) / 5 + 1,
        hour: clock / 3600,
        minute: clock % 3600 / 60,
        second: clock % 60,
    }
}

/// Names the calendar month in China Standard Time: DingTalk's quota starts anew by it.
pub(crate) fn month_in_china(now_ms: i64) -> (i64, i64) {
    let local = civil(now_ms.saturating_add(8 * 3_600_000));
    (local.year, local.month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        let parts = |at| {
            let c = civil(at);
            (c.year, c.month, c.day, c.hour, c.minute, c.second)
        };
        assert_eq!(parts(0), (1970, 1, 1, 0, 0, 0));
        assert_eq!(parts(1_700_000_000_000), (2023, 11, 14, 22, 13, 20));
        assert_eq!(parts(1_709_164_799_000), (2024, 2, 28, 23, 59, 59));
        assert_eq!(parts(1_709_208_000_000), (2024, 2, 29, 12, 0, 0));
        assert_eq!(parts(-1000), (1969, 12, 31, 23, 59, 59));
    }

    #[test]
    fn the_month_turns_at_midnight_in_china() {
        let last_second = 1_701_359_999_000;
        assert_eq!(month_in_china(last_second), (2023, 11));
        assert_eq!(month_in_china(last_second + 1000), (2023, 12));
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = ManualClock::at(5);
        clock.advance(10);
        assert_eq!(clock.now_ms(), 15);
        clock.set(3);
        assert_eq!(clock.now_ms(), 3);
        assert!(SystemClock.now_ms() > 1_600_000_000_000);
    }
}
