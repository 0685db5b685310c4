//! Starts that are spread: what waited for the same moment in many lanes does not begin in the same second. A lane's share
//! is its own, by a hash of its endpoint; what did not wait is never made to.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::id::EndpointId;

/// Over how long at least starts are spread, unless the wait itself was shorter.
const LEAST: Duration = Duration::from_secs(5);
/// Over how long at most.
const MOST: Duration = Duration::from_secs(60);

/// A lane's share of any span, of 65,536.
pub(crate) fn phase(lane: EndpointId) -> u16 {
    let mut hasher = DefaultHasher::new();
    lane.hash(&mut hasher);
    let [first, second, ..] = hasher.finish().to_le_bytes();
    u16::from_le_bytes([first, second])
}

/// When a lane begins of all those that are told at `now` to wait until then: up to a tenth of the wait later.
pub(crate) fn later(lane: EndpointId, now: Timestamp, until: Timestamp) -> Timestamp {
    let wait = until.since(now);
    let span = (wait / 10).max(wait.min(LEAST)).min(MOST);
    until.plus(span * u32::from(phase(lane)) / (1 << 16))
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
