//! Calls per calendar month: what was made, what may be, and what it comes to by the month's end.
//!
//! DingTalk and Lark count an organisation's calls and refuse all of them when the month's are used up. Months begin in
//! China's time, where the platforms count.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::id::ProjectId;
use crate::office::{App, Platform};
use crate::outcome::Scope;
use crate::scope;
use crate::subscription::Target;

/// How far China's time is ahead.
const CHINA_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// From which part of a limit on it is said that it comes near, in percent.
pub const NEAR_PERCENT: u64 = 80;
/// The part of a limit that only urgent messages may use: one in so many.
const RESERVE: u64 = 20;
/// The most that somebody may set as a limit.
pub const LIMIT_MAX: u64 = 1_000_000_000;

/// A calendar month in China's time: years times twelve, and the months before it in its year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i64);

impl Month {
    /// The month in which a moment lies.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let (year, month) = at.shifted(CHINA_MS).year_and_month();
        Self(i64::from(year) * 12 + i64::from(month) - 1)
    }

    /// When it begins.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::of_month(self.0.div_euclid(12), self.0.rem_euclid(12) + 1).shifted(-CHINA_MS)
    }

    /// When the next one begins.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Self(self.0 + 1).start()
    }

    /// Its name, such as `2026-11`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// What a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The platform's for its smallest plan, if one is known. Nobody can tell from outside which plan a company has, so
    /// nothing is held back for it: it is for warnings.
    Default,
    /// None: somebody said so.
    Unlimited,
    /// So many: somebody said so. What is more is held back.
    Calls(u64),
}

/// How many calls a month the smallest plan of a platform allows, where the platform says so.
#[must_use]
pub fn default_limit(platform: Platform) -> Option<u64> {
    match platform {
        // DingTalk, "call limits": the standard edition.
        Platform::Dingtalk => Some(5_000),
        // Feishu, "call volume of custom apps": the free edition.
        Platform::Lark | Platform::Feishu => Some(10_000),
        Platform::Wecom => None,
    }
}

/// How many webhook calls a month `DingTalk` allows a company of the standard edition.
pub const DINGTALK_ROBOTS: u64 = 3_000;

/// How near a month comes to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not near.
    Calm,
    /// Four fifths of it are used, or will be by the month's end.
    Near,
    /// All of it is used, or will be.
    Over,
}

impl Level {
    /// Its name in the API and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Near => "near",
            Self::Over => "over",
        }
    }
}

/// A month of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The month.
    pub month: Month,
    /// How many were made so far.
    pub used: u64,
    /// What the limit is.
    pub limit: Limit,
    /// The platform's own limit, if it is known.
    pub default: Option<u64>,
    /// Until when the platform itself refuses, if it does.
    pub refused_until: Option<Timestamp>,
}

impl Usage {
    /// How many may be made, if that is limited.
    #[must_use]
    pub fn most(&self) -> Option<u64> {
        match self.limit {
            Limit::Default => self.default,
            Limit::Unlimited => None,
            Limit::Calls(most) => Some(most),
        }
    }

    /// How many there will be by the month's end when it goes on as it did so far. The first day counts as a whole one.
    #[must_use]
    pub fn forecast(&self, now: Timestamp) -> u64 {
        let (start, end) = (self.month.start(), self.month.end());
        let whole = end.since(start).as_millis();
        let so_far = now.min(end).since(start).max(Duration::from_millis(DAY_MS.unsigned_abs())).as_millis();
        let sum = u128::from(self.used) * whole / so_far.max(1);
        u64::try_from(sum).unwrap_or(u64::MAX).max(self.used)
    }

    /// How many days of the month are over, in tenths.
    #[must_use]
    pub fn tenths_of_days(&self, now: Timestamp) -> u64 {
        u64::try_from(now.min(self.month.end()).since(self.month.start()).as_millis() / 8_640_000)
            .unwrap_or(0)
    }

    /// How near it comes to its limit.
    #[must_use]
    pub fn level(&self, now: Timestamp) -> Level {
        if self.refused_until.is_some_and(|until| until > now) {
            return Level::Over;
        }
        let Some(most) = self.most() else { return Level::Calm };
        let highest = self.forecast(now);
        if highest >= most {
            Level::Over
        } else if u128::from(highest) * 100 >= u128::from(most) * u128::from(NEAR_PERCENT) {
            Level::Near
        } else {
            Level::Calm
        }
    }
}

/// How many of a limit messages may use that are not urgent.
#[must_use]
pub fn without_reserve(most: u64) -> u64 {
    most - most.div_ceil(RESERVE)
}

/// What an app's calls are counted under. It holds the app's id and is for hashing only.
#[must_use]
pub fn of_app(app: &App) -> String {
    scope::app_name(app)
}

/// What the calls of a project's `DingTalk` robots are counted under: a webhook does not say whose it is, and the robots
/// of a project are of one company as a rule.
#[must_use]
pub fn of_robots(project: &ProjectId) -> String {
    format!("robots dingtalk {project}")
}

/// What calls to a target are counted under, where the platform counts them.
#[must_use]
pub fn of_target(target: &Target, project: &ProjectId) -> Option<String> {
    match target.endpoint {
        Endpoint::DingtalkRobot { .. } => Some(of_robots(project)),
        Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. } | Endpoint::Office { .. } => {
            scope::name(target, Scope::Organisation).map(std::borrow::Cow::into_owned)
        }
        Endpoint::LarkRobot { .. }
        | Endpoint::WecomRobot { .. }
        | Endpoint::Mailbox { .. }
        | Endpoint::Web { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Limit, Month, Usage, without_reserve};
    use crate::clock::Timestamp;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_seconds_text(text).unwrap()
    }

    fn usage(used: u64, limit: Limit) -> Usage {
        Usage {
            month: Month::of(at("2026-11-10T00:00:00Z")),
            used,
            limit,
            default: Some(5_000),
            refused_until: None,
        }
    }

    #[test]
    fn months_begin_in_china() {
        let last = Month::of(at("2026-10-31T15:59:59Z"));
        let first = Month::of(at("2026-10-31T16:00:00Z"));
        assert_eq!((last.name().as_str(), first.name().as_str()), ("2026-10", "2026-11"));
        assert_eq!(first.start(), at("2026-10-31T16:00:00Z"));
        assert_eq!(first.end(), at("2026-11-30T16:00:00Z"));
        assert_eq!(Month::of(at("2027-12-31T16:00:00Z")).name(), "2028-01");
        assert_eq!(Month::of(at("2028-02-29T12:00:00Z")).name(), "2028-02");
    }

    #[test]
    fn a_month_is_drawn_out_in_a_straight_line() {
        // Ten of thirty days.
        let now = at("2026-11-10T16:00:00Z");
        assert_eq!(usage(1_000, Limit::Default).forecast(now), 3_000);
        assert_eq!(usage(1_000, Limit::Default).tenths_of_days(now), 100);
        // A minute into the month counts as a day, or ten calls would make half a million.
        assert_eq!(usage(10, Limit::Default).forecast(at("2026-10-31T16:01:00Z")), 300);
        assert_eq!(usage(10, Limit::Default).forecast(at("2026-11-30T16:00:00Z")), 10);
    }

    #[test]
    fn levels_come_from_use_and_forecast() {
        let now = at("2026-11-15T16:00:00Z");
        let level = |used, limit| usage(used, limit).level(now);
        assert_eq!(level(1_999, Limit::Default), Level::Calm);
        assert_eq!(level(2_000, Limit::Default), Level::Near);
        assert_eq!(level(2_500, Limit::Default), Level::Over);
        assert_eq!(level(2_500, Limit::Calls(50_000)), Level::Calm);
        assert_eq!(level(9_999_999, Limit::Unlimited), Level::Calm);
        let refused = Usage { refused_until: Some(at("2026-11-30T16:00:00Z")), ..usage(1, Limit::Unlimited) };
        assert_eq!(refused.level(now), Level::Over);
    }

    #[test]
    fn a_twentieth_is_for_urgent_ones() {
        assert_eq!([0, 1, 10, 100, 5_000].map(without_reserve), [0, 0, 9, 95, 4_750]);
    }
}
