//! When to try again: a pure function of policy, attempt, outcome and a random number.

use std::time::Duration;

use crate::channel::Channel;
use crate::clock::Timestamp;
use crate::limits;
use crate::outcome::{Outcome, Reason};

/// How often and how patiently a delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included.
    pub attempts_max: u32,
    /// The longest wait after the first failed attempt; it doubles with each that fails.
    pub wait_first: Duration,
    /// The longest wait that is our own choice; a platform may ask for more.
    pub wait_max: Duration,
    /// Whether an attempt of unknown outcome is made again, although it may arrive twice.
    pub again_after_unknown: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 13,
            wait_first: Duration::from_secs(2),
            wait_max: Duration::from_secs(5 * 60),
            again_after_unknown: true,
        }
    }
}

impl RetryPolicy {
    /// The policy that holds on `channel` after an attempt that ended for `reason`.
    ///
    /// A web endpoint is tried 6 times at most, and not again when it was too slow to answer (SMN user guide,
    /// "HTTP/HTTPS messages"). A connection that broke is another matter: mostly it was an idle one, which the
    /// endpoint closed while the request was on its way.
    #[must_use]
    pub fn on(self, channel: Channel, reason: Reason) -> Self {
        match channel {
            Channel::Http | Channel::Https => Self {
                attempts_max: self.attempts_max.min(limits::WEB_ATTEMPTS_MAX),
                again_after_unknown: self.again_after_unknown && reason != Reason::Timeout,
                ..self
            },
            Channel::Dingtalk
            | Channel::DingtalkPerson
            | Channel::Lark
            | Channel::Wecom
            | Channel::Email
            | Channel::Office => self,
        }
    }
}

/// What happens to a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// It is given up.
    Failed,
    /// It waits until then. The engine lets it expire when that is past its time to live.
    Again(Timestamp),
}

/// Decides what follows attempt number `attempt` (the first is 1) that ended at `now` with `outcome`.
///
/// The wait doubles with each attempt up to the policy's longest, and `random` picks a point in all but its first quarter.
/// A platform's own wish is obeyed in full, and up to a tenth is added.
#[must_use]
pub fn next(policy: &RetryPolicy, attempt: u32, outcome: Outcome, now: Timestamp, random: u64) -> Next {
    let asked = match outcome {
        Outcome::Accepted => return Next::Delivered,
        Outcome::Refused | Outcome::Misconfigured => return Next::Failed,
        Outcome::Unknown if !policy.again_after_unknown => return Next::Failed,
        Outcome::Unknown => None,
        Outcome::Later { wait, .. } => wait,
    };
    if attempt >= policy.attempts_max {
        return Next::Failed;
    }
    let wait = match asked {
        Some(wait) => wait.saturating_add(fraction(wait / 10, random)),
        None => own_wait(policy.wait_first, policy.wait_max, attempt.saturating_sub(1), random),
    };
    Next::Again(now.plus(wait))
}

/// A wait that is our own choice: doubled so many times, up to the longest, and a point of that behind its first quarter.
///
/// Endpoints of a host that went down wait from the same moment on. With a narrower choice, as of the upper half, they
/// stay together: within an outage of ten minutes there were moments when none of a thousand was to be tried for half a
/// minute (ADR 45). With this one they are all apart after three or four waits.
pub(crate) fn own_wait(first: Duration, longest: Duration, doublings: u32, random: u64) -> Duration {
    let full = first.saturating_mul(1 << doublings.min(20)).min(longest);
    let least = full / 4;
    least.saturating_add(fraction(full - least, random))
}

/// A point of a span, zero and its end among them.
pub(crate) fn fraction(span: Duration, random: u64) -> Duration {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % millis.saturating_add(1))
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
