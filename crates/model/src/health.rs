//! How an endpoint fares: which failures in a row open its breaker, when it is paused, and what makes it well again. A
//! pure function of policy, what was known, outcome, time and a random number; the engine asks and tells.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::outcome::{Outcome, Reason};
use crate::retry;

/// When breakers open and endpoints are paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthPolicy {
    /// After how many failures in a row a breaker opens.
    pub open_after: u32,
    /// How long the first probe waits at most; the wait doubles with each that fails.
    pub probe_first: Duration,
    /// The longest wait between two probes of an open breaker.
    pub probe_max: Duration,
    /// How long an endpoint may stay broken before it is paused.
    pub pause_after: Duration,
    /// How long a paused endpoint is left alone between two probes.
    pub pause_probe: Duration,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self {
            open_after: 5,
            probe_first: Duration::from_secs(10),
            probe_max: Duration::from_secs(5 * 60),
            pause_after: Duration::from_secs(24 * 60 * 60),
            pause_probe: Duration::from_secs(60 * 60),
        }
    }
}

/// Where an endpoint stands that is not simply well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its latest attempts failed; it is tried as ever.
    Failing,
    /// The platform asked to wait.
    Limited,
    /// Its breaker is open: only probes are sent.
    Open,
    /// It is given up until somebody resumes it or a rare probe arrives.
    Paused,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 4] = [Self::Failing, Self::Limited, Self::Open, Self::Paused];

    /// Its name in the API, in metrics and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Limited => "limited",
            Self::Open => "open",
            Self::Paused => "paused",
        }
    }

    /// The standing of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == name)
    }
}

/// What is known of an endpoint that is not simply well. An endpoint of which nothing is known is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Where it stands.
    pub standing: Standing,
    /// Why, by its latest attempt.
    pub reason: Reason,
    /// Since when it stands there.
    pub since: Timestamp,
    /// Since when nothing arrived there, if that is why.
    pub broken_since: Option<Timestamp>,
    /// Nothing is sent before.
    pub until: Option<Timestamp>,
    /// How many attempts failed in a row.
    pub failures: u32,
    /// How many probes failed in a row.
    pub probes: u32,
}

/// What an attempt says of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Somebody is there and knows us.
    Well,
    /// It is there, and we are to wait.
    Limited(Option<Duration>),
    /// Nobody answers, or not sensibly.
    Down(Option<Duration>),
    /// It answers, and a person must change something.
    Wrong,
    /// It is gone for good.
    Gone,
    /// Nothing: it was not even asked.
    Nothing,
}

impl Sign {
    fn of(outcome: Outcome, reason: Reason) -> Self {
        match (outcome, reason) {
            (_, Reason::Interrupted | Reason::Render | Reason::Unopened) => Self::Nothing,
            (Outcome::Accepted, _) => Self::Well,
            (Outcome::Later { wait, .. }, Reason::RateLimited | Reason::Quota) => Self::Limited(wait),
            (Outcome::Later { wait, .. }, _) => Self::Down(wait),
            (Outcome::Unknown, _) => Self::Down(None),
            (Outcome::Misconfigured, Reason::TokenUnknown | Reason::TargetGone) => Self::Gone,
            // A status that is no success, a code that nobody knows, a person who cannot be reached: not for this
            // message's sake, as far as one can tell.
            (Outcome::Refused, Reason::Status | Reason::Unlisted | Reason::Recipient)
            | (Outcome::Misconfigured, _) => Self::Wrong,
            (Outcome::Refused, _) => Self::Well,
        }
    }
}

/// How an endpoint fares after an attempt; nothing when it is well.
#[must_use]
pub fn after(
    before: Option<&Health>,
    policy: &HealthPolicy,
    (outcome, reason): (Outcome, Reason),
    now: Timestamp,
    random: u64,
) -> Option<Health> {
    let asked = match Sign::of(outcome, reason) {
        Sign::Nothing => return before.copied(),
        Sign::Well | Sign::Limited(None) => return None,
        Sign::Limited(Some(wait)) => return Some(limited(before, reason, wait, now)),
        Sign::Gone => return Some(paused(before, policy, reason, now, random)),
        Sign::Wrong => None,
        Sign::Down(wait) => Some(wait.unwrap_or(Duration::ZERO)),
    };
    let failures = before.map_or(0, |health| health.failures).saturating_add(1);
    let broken_since = before.and_then(|health| health.broken_since).unwrap_or(now);
    let was = before.map(|health| health.standing);
    let worn_out = failures >= policy.open_after && now.since(broken_since) >= policy.pause_after;
    if was == Some(Standing::Paused) || worn_out {
        return Some(paused(before, policy, reason, now, random));
    }
    let opens = failures >= policy.open_after || was == Some(Standing::Open);
    let (standing, until, probes) = match asked {
        Some(wait) if opens => {
            let probes = before.map_or(0, |health| health.probes);
            let own = retry::own_wait(policy.probe_first, policy.probe_max, probes, random);
            (Standing::Open, Some(now.plus(own.max(wait))), probes.saturating_add(1))
        }
        // What answers is not kept waiting: each message is told for itself what is wrong.
        Some(_) | None => (Standing::Failing, None, 0),
    };
    let since = before.filter(|health| health.standing == standing).map_or(now, |health| health.since);
    Some(Health { standing, reason, since, broken_since: Some(broken_since), until, failures, probes })
}

fn limited(before: Option<&Health>, reason: Reason, wait: Duration, now: Timestamp) -> Health {
    let standing = Standing::Limited;
    let since = before.filter(|health| health.standing == standing).map_or(now, |health| health.since);
    let until = Some(now.plus(wait));
    Health { standing, reason, since, broken_since: None, until, failures: 0, probes: 0 }
}

fn paused(
    before: Option<&Health>,
    policy: &HealthPolicy,
    reason: Reason,
    now: Timestamp,
    random: u64,
) -> Health {
    let standing = Standing::Paused;
    let since = before.filter(|health| health.standing == standing).map_or(now, |health| health.since);
    let (failures, probes) = before.map_or((0, 0), |health| (health.failures, health.probes));
    Health {
        standing,
        reason,
        since,
        broken_since: before.and_then(|health| health.broken_since).or(Some(now)),
        until: Some(
            now.plus(policy.pause_probe.saturating_add(retry::fraction(policy.pause_probe / 10, random))),
        ),
        failures: failures.saturating_add(1),
        probes: probes.saturating_add(1),
    }
}

/// How long a failing endpoint is not worth a record: most that fail once do not fail again.
const NOT_YET_TOLD: Duration = Duration::from_secs(60);

impl Health {
    /// Whether a restart must know of it. A failure or two is not worth a write.
    #[must_use]
    pub fn is_told(&self, now: Timestamp) -> bool {
        match self.standing {
            Standing::Limited | Standing::Open | Standing::Paused => true,
            Standing::Failing => self.broken_since.is_some_and(|broken| now.since(broken) >= NOT_YET_TOLD),
        }
    }

    /// Whether an attempt that is made now is a probe of a paused endpoint.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.standing == Standing::Paused
    }

    /// Whether it says the same as an earlier one, but for numbers that only count on.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (self.standing, self.reason, self.since, self.until)
            == (other.standing, other.reason, other.since, other.until)
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
