//! Time as an argument: the clock everyone is handed.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment so many milliseconds later, or earlier when they are fewer than none.
    #[must_use]
    pub fn shifted(self, by_ms: i64) -> Self {
        Self(self.0.saturating_add(by_ms))
    }

    /// How long from `earlier` to this moment; nothing when it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`, the form of SMN's answers.
    #[must_use]
    pub fn to_seconds_text(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of Carillon's own answers.
    #[must_use]
    pub fn to_millis_text(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Reads `YYYYMMDDTHHMMSSZ`, the form of the `X-Sdk-Date` header.
    #[must_use]
    pub fn from_basic_text(text: &str) -> Option<Self> {
        let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
        let stamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Self(stamp.as_millisecond()))
    }

    /// Reads a moment as RFC 3339 writes it, with an offset or `Z`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|stamp| Self(stamp.as_millisecond()))
    }

    /// Reads `YYYY-MM-DDTHH:MM:SSZ`, the form of SMN's answers and policies.
    #[must_use]
    pub fn from_seconds_text(text: &str) -> Option<Self> {
        let civil = jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%SZ", text).ok()?;
        let stamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Self(stamp.as_millisecond()))
    }

    /// Reads a moment as HTTP's header `Date` writes it, always in GMT.
    #[must_use]
    pub fn from_http_date(text: &str) -> Option<Self> {
        let civil = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text).ok()?;
        let stamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Self(stamp.as_millisecond()))
    }

    /// The year and the month (1 to 12), in UTC.
    #[must_use]
    pub fn year_and_month(self) -> (i16, i8) {
        let date = self.civil().to_zoned(jiff::tz::TimeZone::UTC).date();
        (date.year(), date.month())
    }

    /// When a month begins in UTC; the end of time for one that there is not.
    #[must_use]
    pub fn of_month(year: i64, month: i64) -> Self {
        let (Ok(year), Ok(month)) = (i16::try_from(year), i8::try_from(month)) else { return Self(i64::MAX) };
        let date =
            jiff::civil::Date::new(year, month, 1).and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
        date.map_or(Self(i64::MAX), |zoned| Self(zoned.timestamp().as_millisecond()))
    }

    fn civil(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_millis_text())
    }
}

/// Tells the time. Everything that needs to know it is handed one.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// The present moment by a clock that nobody sets: only the distance of two of them means anything.
    fn steady(&self) -> Timestamp {
        self.now()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        // It is asked for a dozen times in each delivery: it takes no way by a calendar.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp(0).plus(since.unwrap_or_default())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn steady(&self) -> Timestamp {
        // An instant tells nothing by itself; all that are asked count from the first.
        static FIRST: OnceLock<Instant> = OnceLock::new();
        Timestamp(0).plus(FIRST.get_or_init(Instant::now).elapsed())
    }
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct TestClock {
    now_ms: AtomicI64,
}

impl TestClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now_ms: AtomicI64::new(now.0) }
    }

    /// Moves the clock on by `span`.
    pub fn advance(&self, span: Duration) {
        self.now_ms.fetch_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: Timestamp) {
        self.now_ms.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn http_dates_read_back() {
        let read = |text| Timestamp::from_http_date(text).map(Timestamp::to_seconds_text);
        assert_eq!(read("Sun, 22 Nov 2026 08:05:09 GMT").as_deref(), Some("2026-11-22T08:05:09Z"));
        for bad in ["", "22 Nov 2026", "Sun, 22 Nov 2026 08:05:09 +0800", "Mon, 22 Nov 2026 08:05:09 GMT"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn writes_and_reads_the_wire_forms() {
        let moment = Timestamp(1_735_787_045_678);
        assert_eq!(moment.to_seconds_text(), "2025-01-02T03:04:05Z");
        assert_eq!(moment.to_millis_text(), "2025-01-02T03:04:05.678Z");
        assert_eq!(Timestamp::from_basic_text("20250102T030405Z"), Some(Timestamp(1_735_787_045_000)));
        assert_eq!(Timestamp::from_text("2025-01-02T03:04:05.678Z"), Some(moment));
        assert_eq!(Timestamp::from_text("2025-01-02T11:04:05.678+08:00"), Some(moment));
        assert_eq!(Timestamp::from_text("2025-01-02"), None);
        assert_eq!(Timestamp::from_seconds_text("2025-01-02T03:04:05Z"), Some(Timestamp(1_735_787_045_000)));
        assert_eq!(Timestamp::from_seconds_text("2025-01-02T03:04:05"), None);
        assert_eq!(Timestamp::from_basic_text("2025-01-02"), None);
        assert_eq!(Timestamp::from_basic_text("20251302T030405Z"), None);
    }
}
