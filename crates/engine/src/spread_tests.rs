use std::collections::BTreeMap;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::chance::SeededChance;
use carillon_model::id::EndpointId;

use super::{later, phase};

const FULL_MINUTE: Timestamp = Timestamp(1_750_000_020_000);

fn lanes() -> impl Iterator<Item = EndpointId> {
    let chance = SeededChance::new(7);
    std::iter::repeat_with(move || EndpointId::new(Timestamp(0), &chance)).take(1_000)
}

/// How many of a thousand lanes begin in each second that are told so long before a full minute to wait for it.
fn starts(wait: u64) -> BTreeMap<i64, usize> {
    let mut starts = BTreeMap::new();
    for lane in lanes() {
        let now = FULL_MINUTE.minus(Duration::from_secs(wait));
        let at = later(lane, now, FULL_MINUTE);
        assert!(at >= FULL_MINUTE, "never before");
        *starts.entry(at.since(FULL_MINUTE).as_secs().try_into().unwrap()).or_default() += 1;
    }
    starts
}

#[test]
fn a_thousand_lanes_that_wait_for_the_same_moment_begin_apart() {
    for (wait, seconds) in [(10, 5), (60, 6), (600, 60), (86_400, 60)] {
        let starts = starts(wait);
        let even = 1_000 / seconds;
        assert_eq!(starts.len(), seconds, "{wait}: {starts:?}");
        assert!(starts.values().all(|count| *count < even * 2 && *count > even / 4), "{wait}: {starts:?}");
    }
}

#[test]
fn a_short_wait_is_at_most_doubled() {
    for lane in lanes() {
        let at = later(lane, Timestamp(0), Timestamp(200));
        assert!((200..400).contains(&at.0), "{at:?}");
        assert_eq!(later(lane, Timestamp(9), Timestamp(9)), Timestamp(9), "what need not wait does not");
        assert_eq!(phase(lane), phase(lane));
    }
}
