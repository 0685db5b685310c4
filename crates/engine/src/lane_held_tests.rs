//! Posts that are tried again whole, urgent ones that pass them, and what the store may have behind them.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::message::Priority;
use carillon_model::rate::Rate;
use carillon_store::delivery::Ready;

use super::tests::{MINUTE, NOW, normal, ready, seqs};
use super::{LANE_QUEUE_MAX, Lane, Wish};

const LATER: Timestamp = Timestamp(20_000);

fn urgent(seq: i64) -> Ready {
    ready(seq, Priority::Urgent)
}

fn limited(count: u32) -> Lane {
    let mut lane = Lane::default();
    let rates: Arc<[Rate]> = Arc::from([Rate { count, per: MINUTE }]);
    lane.learn(&rates, Timestamp(-10_000_000), MINUTE);
    lane
}

/// A lane of which a post of 1, 2 and 3 is tried again at [`LATER`].
fn holding() -> Lane {
    let mut lane = Lane::default();
    assert!((1..=3).all(|seq| lane.arrive(normal(seq))));
    let again = lane.begin(3).into_iter().map(|it| Ready { attempts: 1, due_at: LATER, ..it }).collect();
    lane.sent(3, again, false);
    lane
}

fn begin(lane: &mut Lane, now: Timestamp) -> Vec<i64> {
    match lane.wish(now, None) {
        Wish::Send(count) => seqs(&lane.begin(count)),
        other @ (Wish::Wait(_) | Wish::Load | Wish::Busy | Wish::Done | Wish::Expire(_) | Wish::Drop(_)) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn an_urgent_one_passes_a_digest_that_waits_for_its_next_try() {
    let mut lane = holding();
    assert!(lane.arrive(normal(4)));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(LATER));
    assert!(lane.arrive(urgent(5)));
    assert_eq!(begin(&mut lane, NOW), [5]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(LATER));
    assert_eq!(begin(&mut lane, LATER), [1, 2, 3], "whole, whatever went before");
    lane.sent(3, Vec::new(), false);
    assert_eq!(begin(&mut lane, LATER), [4]);
}

#[test]
fn an_urgent_one_passes_a_held_digest_in_a_lane_that_is_reserved() {
    let mut lane = holding();
    lane.reserve(NOW.plus(MINUTE));
    assert_eq!(lane.wish(LATER, None), Wish::Wait(NOW.plus(MINUTE)));
    assert!(lane.arrive(urgent(4)));
    assert_eq!(begin(&mut lane, LATER), [4]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(begin(&mut lane, NOW.plus(MINUTE)), [1, 2, 3]);
}

#[test]
fn an_urgent_one_that_only_the_store_has_passes_a_held_digest() {
    let mut lane = holding();
    lane.reserve(NOW.plus(MINUTE));
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    // The store gives what is held once more.
    assert_eq!(lane.load_room().most, LANE_QUEUE_MAX as u64 + 3);
    lane.loaded(vec![urgent(9), normal(1), normal(2), normal(3), normal(8)].into());
    assert_eq!(begin(&mut lane, NOW), [9]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(begin(&mut lane, NOW.plus(MINUTE)), [1, 2, 3]);
    lane.sent(3, Vec::new(), false);
    assert_eq!(begin(&mut lane, NOW.plus(MINUTE)), [8], "nothing of it twice");
}

#[test]
fn a_digest_of_urgent_ones_and_one_of_others_each_go_again_whole() {
    let mut lane = holding();
    assert!((4..=5).all(|seq| lane.arrive(urgent(seq))));
    let again = lane.begin(2).into_iter().map(|it| Ready { attempts: 1, due_at: LATER, ..it }).collect();
    lane.sent(2, again, false);
    assert!(lane.arrive(urgent(6)));
    assert_eq!(begin(&mut lane, LATER), [4, 5]);
    lane.cancelled(5);
    lane.cancelled(2);
    lane.sent(0, Vec::new(), false);
    // One that is left has nobody to go with.
    assert_eq!(begin(&mut lane, LATER), [4]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(begin(&mut lane, LATER), [6]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(begin(&mut lane, LATER), [1, 3]);
}

#[test]
fn an_urgent_one_does_not_wait_behind_a_full_lane() {
    let mut lane = Lane::default();
    for seq in 0..LANE_QUEUE_MAX {
        assert!(lane.arrive(normal(i64::try_from(seq).unwrap() + 1)));
    }
    assert!(!lane.arrive(urgent(1_000)));
    assert_eq!(lane.wish(NOW, None), Wish::Load, "the store gives urgent ones first");
}

/// What the store says of a try is by the clock of before.
#[test]
fn what_is_read_once_more_waits_no_longer_because_the_clock_was_set_back() {
    let mut lane = Lane::default();
    let tried = Ready { attempts: 1, due_at: Timestamp(61_000), ..normal(1) };
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    let others = (2..=128).map(normal);
    lane.loaded(std::iter::once(tried.clone()).chain(others.clone()).collect::<Vec<_>>().into());
    assert!(!lane.arrive(urgent(1_000)), "the store gives it, before the others");
    lane.clock_was_set(-10_800_000);
    let now = Timestamp(NOW.0 - 10_800_000);
    lane.paused_until = None;
    assert_eq!(lane.wish(now, None), Wish::Load);
    lane.loaded(std::iter::once(tried).chain(others).collect::<Vec<_>>().into());
    lane.paused_until = None;
    assert_eq!(
        lane.wish(now, None),
        Wish::Wait(now.plus(MINUTE)),
        "a minute, as before, and not three hours"
    );
}

/// Word of something new is no storm: the store is asked how much it is while the lane waits anyway.
#[test]
fn a_few_in_the_store_are_no_storm() {
    let mut lane = limited(20);
    assert!(lane.arrive(normal(1)));
    assert_eq!(begin(&mut lane, NOW), [1]);
    lane.posted(NOW);
    lane.sent(1, Vec::new(), false);
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    // Another one comes while the store is read.
    lane.look_again(Priority::Normal);
    lane.loaded(vec![normal(2)].into());
    assert_eq!(begin(&mut lane, NOW), [2], "it does not keep a storm's distance");
}

#[test]
fn a_released_lane_asks_how_much_waits_before_it_takes_it_for_a_storm() {
    let mut lane = limited(20);
    assert!((1..=2).all(|seq| lane.arrive(normal(seq))));
    (0..20).for_each(|_post| lane.posted(NOW));
    let released = NOW.plus(MINUTE);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(released));
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    lane.loaded((1..=3).map(normal).collect::<Vec<_>>().into());
    assert_eq!(lane.wish(NOW, None), Wish::Wait(released), "asked once");
    for seq in 1..=3 {
        assert_eq!(begin(&mut lane, released), [seq], "one by one");
        lane.posted(released);
        lane.sent(1, Vec::new(), false);
    }
}

#[test]
fn what_the_store_has_beyond_a_full_lane_is_a_storm() {
    let mut lane = limited(20);
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    let max = i64::try_from(LANE_QUEUE_MAX).unwrap();
    lane.loaded((1..=max).map(normal).collect::<Vec<_>>().into());
    assert_eq!(lane.wish(NOW, None), Wish::Send(LANE_QUEUE_MAX));
    lane.begin(LANE_QUEUE_MAX);
    lane.posted(NOW);
    lane.sent(LANE_QUEUE_MAX - 1, Vec::new(), false);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(Duration::from_secs(3))), "what is left gathers");
}

#[test]
fn what_comes_back_into_the_queue_while_the_store_is_read_stands_there_once() {
    let mut lane = Lane::default();
    assert!((1..=2).all(|seq| lane.arrive(normal(seq))));
    let again = lane.begin(2).into_iter().map(|it| Ready { attempts: 1, due_at: LATER, ..it }).collect();
    lane.sent(2, again, false);
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    lane.cancelled(1);
    lane.loaded(vec![Ready { attempts: 1, due_at: LATER, ..normal(2) }].into());
    assert_eq!(lane.depth(), 1);
    assert_eq!(begin(&mut lane, LATER), [2]);
}
