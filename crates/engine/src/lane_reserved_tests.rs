//! A lane that keeps what is left of a month for urgent ones.

use carillon_model::Timestamp;
use carillon_model::message::Priority;

use super::tests::{MINUTE, NOW, mortal, normal, ready, seqs};
use super::{LANE_QUEUE_MAX, Lane, Wish};

#[test]
fn what_is_reserved_is_for_urgent_ones() {
    let mut lane = Lane::default();
    assert!(lane.arrive(normal(1)));
    lane.reserve(NOW.plus(MINUTE));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(MINUTE)));
    assert!(lane.arrive(ready(2, Priority::Urgent)));
    assert_eq!(lane.wish(NOW, None), Wish::Send(1));
    let batch = lane.begin(1);
    assert_eq!(seqs(&batch), [2]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(MINUTE)));
    assert_eq!(lane.wish(NOW.plus(MINUTE), None), Wish::Send(1));
    // One that lives shorter is looked at when its time to live is over.
    lane.reserve(Timestamp(99_000_000));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(9_000_000)));
}

#[test]
fn an_urgent_one_does_not_wait_behind_a_full_lane_that_is_reserved() {
    let mut lane = Lane::default();
    for seq in 0..LANE_QUEUE_MAX {
        assert!(lane.arrive(normal(i64::try_from(seq).unwrap() + 1)));
    }
    lane.reserve(NOW.plus(MINUTE));
    assert!(!lane.arrive(ready(1_000, Priority::Urgent)));
    assert_eq!(lane.wish(NOW, None), Wish::Load, "the store gives urgent ones first");
}

#[test]
fn an_urgent_one_that_came_before_the_reserve_does_not_wait_behind_a_full_lane() {
    let mut lane = Lane::default();
    for seq in 0..LANE_QUEUE_MAX {
        assert!(lane.arrive(normal(i64::try_from(seq).unwrap() + 1)));
    }
    assert!(!lane.arrive(ready(1_000, Priority::Urgent)));
    lane.reserve(NOW.plus(MINUTE));
    assert_eq!(lane.wish(NOW, None), Wish::Load, "the store gives urgent ones first");
}

#[test]
fn an_urgent_one_that_another_server_accepted_passes_a_lane_that_is_reserved() {
    let mut lane = Lane::default();
    assert!(lane.arrive(normal(1)));
    assert!(lane.arrive(normal(2)));
    lane.reserve(NOW.plus(MINUTE));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(MINUTE)));
    lane.look_again(Priority::Urgent);
    assert_eq!(lane.wish(NOW, None), Wish::Load, "the store gives urgent ones first");
    lane.loaded(vec![ready(3, Priority::Urgent), normal(1), normal(2)].into());
    assert_eq!(lane.wish(NOW, None), Wish::Send(1));
    assert_eq!(seqs(&lane.begin(1)), [3]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(MINUTE)));
    // Word of another that is not urgent does not have what waits read again and again.
    lane.look_again(Priority::Normal);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(MINUTE)));
}

#[test]
fn an_urgent_one_that_comes_while_the_store_is_read_does_not_wait_behind_what_was_read() {
    let mut lane = Lane::from_store();
    lane.reserve(NOW.plus(MINUTE));
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    lane.look_again(Priority::Urgent);
    lane.loaded(vec![normal(1), normal(2)].into());
    assert_eq!(lane.wish(NOW, None), Wish::Load, "it was read before the urgent one came");
    lane.read_again(Priority::Urgent);
    // However many come, what is urgent itself is sent.
    lane.loaded(vec![ready(3, Priority::Urgent), normal(1), normal(2)].into());
    assert_eq!(lane.wish(NOW, None), Wish::Send(1));
    assert_eq!(seqs(&lane.begin(1)), [3]);
    lane.sent(1, Vec::new(), false);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    lane.loaded(vec![normal(1), normal(2)].into());
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(MINUTE)));
}

#[test]
fn whatever_lives_shortest_in_a_reserved_lane_ends_in_time() {
    let mut lane = Lane::default();
    assert!(lane.arrive(mortal(1, 90_000)));
    assert!(lane.arrive(mortal(2, 20_000)));
    lane.reserve(Timestamp(60_000));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(20_000)));
    assert_eq!(lane.wish(Timestamp(20_000), None), Wish::Expire(1));
}

#[test]
fn a_reserve_that_is_over_is_forgotten() {
    let mut lane = Lane::default();
    for seq in 0..LANE_QUEUE_MAX {
        assert!(lane.arrive(ready(i64::try_from(seq).unwrap() + 1, Priority::Urgent)));
    }
    lane.reserve(NOW.plus(MINUTE));
    assert_eq!(lane.wish(NOW.plus(MINUTE), None), Wish::Send(1));
    assert!(!lane.arrive(ready(1_000, Priority::Urgent)));
    assert_eq!(lane.depth(), LANE_QUEUE_MAX, "what was read stays");
}
