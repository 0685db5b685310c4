//! What happens: messages and what attempts came back as over time, and which lanes wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carillon_model::id::ProjectId;
use carillon_model::outcome::Outcome;
use carillon_model::role::Right;
use carillon_model::{Channel, Field, Invalid, Timestamp};
use carillon_store::tally::{Count, SLOT_MS, What};

use crate::endpoint::NamedEndpoint;
use crate::error::Error;
use crate::{Caller, Service};

/// How many hours back one may look.
pub const HOURS_MAX: u32 = 168;
/// How many steps a picture has at most.
const STEPS_MAX: i64 = 48;
/// How many lanes that wait are told of, and how many are looked at for that.
const LANES: usize = 6;
/// How many lanes that wait are looked at.
const LANES_LOOKED_AT: u64 = 100;
/// How old a picture may be when it is shown again.
const FRESH: Duration = Duration::from_secs(2);
/// How many projects' pictures are kept.
const KEPT_MAX: usize = 256;

/// What attempts on one channel came back as, step by step, by the names of [`Outcome::NAMES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTraffic {
    /// The channel.
    pub channel: Channel,
    /// How many deliveries came back so, for each step.
    pub steps: Vec<[u64; Outcome::NAMES.len()]>,
}

impl ChannelTraffic {
    /// How many came back as each outcome, in all.
    #[must_use]
    pub fn sums(&self) -> [u64; Outcome::NAMES.len()] {
        let add =
            |sums: [u64; 5], step: &[u64; 5]| std::array::from_fn(|at| at_of(&sums, at) + at_of(step, at));
        self.steps.iter().fold([0; Outcome::NAMES.len()], add)
    }
}

fn at_of(step: &[u64; 5], at: usize) -> u64 {
    step.get(at).copied().unwrap_or(0)
}

/// What happened lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// When the first step begins.
    pub since: Timestamp,
    /// How long a step is, in milliseconds.
    pub step_ms: i64,
    /// How many messages were accepted in each step.
    pub messages: Vec<u64>,
    /// What their attempts came back as, for the channels that had some.
    pub channels: Vec<ChannelTraffic>,
}

/// Pictures that were made a moment ago, so that many who watch cost no more than one.
#[derive(Debug, Default)]
pub(crate) struct Pictures(Mutex<BTreeMap<(String, u32), Made>>);

/// A picture with when it was made.
type Made = (Timestamp, Arc<Traffic>);

impl Pictures {
    fn get(&self, project: &ProjectId, hours: u32, now: Timestamp) -> Option<Arc<Traffic>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (made_at, traffic) = kept.get(&(project.to_string(), hours))?;
        (now.since(*made_at) < FRESH).then(|| Arc::clone(traffic))
    }

    fn put(&self, project: &ProjectId, hours: u32, now: Timestamp, traffic: &Arc<Traffic>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert((project.to_string(), hours), (now, Arc::clone(traffic)));
    }
}

/// The slots of a picture: the first, how many make a step, how many steps.
fn frame(now: Timestamp, hours: u32) -> (i64, i64, i64) {
    let slots = i64::from(hours) * 3_600_000 / SLOT_MS;
    let step = (slots + STEPS_MAX - 1) / STEPS_MAX;
    // Steps begin at round times, and the last one is the present.
    let last = now.0.div_euclid(SLOT_MS * step);
    let steps = (slots + step - 1) / step;
    ((last - steps + 1) * step, step, steps)
}

fn picture(now: Timestamp, hours: u32, counts: &[Count]) -> Traffic {
    let (first, step, steps) = frame(now, hours);
    let len = usize::try_from(steps).unwrap_or(0);
    let mut messages = vec![0; len];
    let mut channels: BTreeMap<&'static str, ChannelTraffic> = BTreeMap::new();
    for Count { slot, what, count } in counts {
        let Ok(at) = usize::try_from((slot - first).div_euclid(step)) else { continue };
        match what {
            What::Messages => {
                if let Some(sum) = messages.get_mut(at) {
                    *sum += count;
                }
            }
            What::Attempts(channel, outcome) => {
                let of = channels.entry(channel.name()).or_insert_with(|| ChannelTraffic {
                    channel: *channel,
                    steps: vec![[0; Outcome::NAMES.len()]; len],
                });
                let place = Outcome::NAMES.iter().position(|name| name == outcome);
                let sums = of.steps.get_mut(at);
                if let (Some(place), Some(sums)) = (place, sums)
                    && let Some(sum) = sums.get_mut(place)
                {
                    *sum += count;
                }
            }
        }
    }
    Traffic {
        since: Timestamp(first * SLOT_MS),
        step_ms: step * SLOT_MS,
        messages,
        channels: channels.into_values().collect(),
    }
}

impl Service {
    /// What happened in the project in the last hours. It may be two seconds old, and what another server did a few more.
    ///
    /// # Errors
    /// When there are no hours, or too many.
    pub async fn traffic(&self, caller: &Caller, hours: u32) -> Result<Arc<Traffic>, Error> {
        caller.may(Right::Look)?;
        if !(1..=HOURS_MAX).contains(&hours) {
            return Err(Invalid::new(Field::Since, "hours must be 1 to 168").into());
        }
        let now = self.clock.now();
        if let Some(kept) = self.pictures.get(&caller.project, hours, now) {
            return Ok(kept);
        }
        self.store.tally_write().await?;
        let (first, _step, _steps) = frame(now, hours);
        let counts = self.store.tally_list(&caller.project, first).await?;
        let traffic = Arc::new(picture(now, hours, &counts));
        self.pictures.put(&caller.project, hours, now, &traffic);
        Ok(traffic)
    }

    /// The project's lanes that have the most waiting: of those that anything waits for, up to a hundred are looked at.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn longest_lanes(&self, caller: &Caller) -> Result<Vec<NamedEndpoint>, Error> {
        caller.may(Right::Look)?;
        let mut lanes = self.list_endpoints(caller, Some("waiting"), None, LANES_LOOKED_AT).await?;
        lanes.sort_by_key(|lane| std::cmp::Reverse(lane.record.waiting));
        lanes.truncate(LANES);
        Ok(lanes)
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::{Channel, Timestamp};
    use carillon_store::tally::{Count, SLOT_MS, What};

    use super::{frame, picture};

    #[test]
    fn steps_are_whole_and_end_with_the_present() {
        let now = Timestamp(1_750_000_000_000);
        for (hours, step_minutes, steps) in [(1, 5, 12), (6, 10, 36), (24, 30, 48), (168, 210, 48)] {
            let (first, step, count) = frame(now, hours);
            assert_eq!((step * 5, count), (step_minutes, steps), "{hours}");
            let (begin, end) = (first * SLOT_MS, (first + step * count) * SLOT_MS);
            assert!(
                begin <= now.0 - i64::from(hours - 1) * 3_600_000
                    && now.0 < end
                    && end - now.0 <= step * SLOT_MS
            );
        }
    }

    #[test]
    fn numbers_fall_into_their_steps() {
        let now = Timestamp(1_750_000_000_000);
        let slot = now.0 / SLOT_MS;
        let count = |slot, what, count| Count { slot, what, count };
        let counts = [
            count(slot, What::Messages, 2),
            count(slot - 1, What::Messages, 1),
            count(slot, What::Attempts(Channel::Lark, "accepted"), 5),
            count(slot, What::Attempts(Channel::Lark, "unknown"), 1),
            count(slot + 1, What::Messages, 9),
            count(slot - 500, What::Messages, 9),
        ];
        let made = picture(now, 1, &counts);
        assert_eq!((made.messages.len(), made.messages.iter().sum::<u64>()), (12, 3));
        assert_eq!(made.messages.last(), Some(&2));
        assert_eq!(made.channels.len(), 1);
        assert_eq!(made.channels.first().map(super::ChannelTraffic::sums), Some([5, 0, 0, 0, 1]));
    }
}
