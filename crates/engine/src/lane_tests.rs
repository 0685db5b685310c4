use std::sync::Arc;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::chance::SeededChance;
use carillon_model::id::{DeliveryId, EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::rate::Rate;
use carillon_model::subscription::Overflow;
use carillon_model::topic::TopicName;
use carillon_store::delivery::{Ready, StoredMessage};
use carillon_store::lane::{Room, Taken};
use proptest::prelude::*;

use super::{LANE_BYTES_MAX, LANE_QUEUE_MAX, Lane, Wish};

pub(crate) const NOW: Timestamp = Timestamp(1_000);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
const LONG_AGO: Timestamp = Timestamp(-10_000_000);

fn four_a_minute() -> Arc<[Rate]> {
    Arc::from([Rate { count: 4, per: Duration::from_secs(60) }])
}

pub(crate) fn ready(seq: i64, priority: Priority) -> Ready {
    let chance = SeededChance::new(seq.unsigned_abs());
    let message = Message {
        id: MessageId::new(NOW, &chance),
        project: ProjectId::parse("p").unwrap(),
        topic: TopicId::new(NOW, &chance),
        content: Content { default: Body::text("x"), ..Content::default() },
        priority,
        locale: Locale::English,
        created_at: NOW,
        expires_at: Timestamp(9_000_000),
    };
    let id = DeliveryId::new(message.id, 1);
    let stored = Arc::new(StoredMessage { message, topic_name: TopicName::parse("t").unwrap() });
    let (subscription, endpoint) = (SubscriptionId::new(NOW, &chance), EndpointId::new(NOW, &chance));
    Ready {
        seq,
        id,
        subscription,
        endpoint,
        attempts: 0,
        attempts_before: 0,
        parts_done: 0,
        overflow: Overflow::default(),
        due_at: NOW,
        known: None,
        stored,
    }
}

pub(crate) fn normal(seq: i64) -> Ready {
    ready(seq, Priority::Normal)
}

pub(crate) fn seqs(batch: &[Ready]) -> Vec<i64> {
    batch.iter().map(|ready| ready.seq).collect()
}

/// Sends whatever the lane wishes to, as if every post took `fit` deliveries.
fn send(lane: &mut Lane, now: Timestamp, fit: usize) -> Option<Vec<i64>> {
    let Wish::Send(count) = lane.wish(now, None) else { return None };
    let batch = lane.begin(count);
    let sent = seqs(&batch).into_iter().take(fit.max(1)).collect::<Vec<_>>();
    lane.posted(now);
    lane.sent(sent.len(), Vec::new(), false);
    Some(sent)
}

#[test]
fn keeps_order_and_waits_for_its_first() {
    let mut lane = Lane::default();
    assert!(lane.arrive(normal(1)) && lane.arrive(normal(2)));
    assert_eq!(lane.wish(NOW, None), Wish::Send(1));
    let batch = lane.begin(1);
    assert_eq!(lane.wish(NOW, None), Wish::Busy);
    let later = Ready { attempts: 1, due_at: Timestamp(5_000), ..batch[0].clone() };
    lane.sent(1, vec![later], true);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(5_000)));
    assert_eq!(lane.wish(Timestamp(5_000), None), Wish::Send(1));
    assert_eq!(lane.begin(1)[0].attempts, 1);
    lane.sent(1, Vec::new(), false);
    assert_eq!(send(&mut lane, Timestamp(5_000), 1), Some(vec![2]));
    assert_eq!(lane.wish(Timestamp(5_000), None), Wish::Done);
}

#[test]
fn urgent_ones_go_first_but_not_into_a_pause() {
    let mut lane = Lane::default();
    for seq in 1..=3 {
        lane.arrive(normal(seq));
    }
    let batch = lane.begin(1);
    lane.arrive(ready(4, Priority::Urgent));
    lane.arrive(ready(5, Priority::Urgent));
    let later = Ready { due_at: Timestamp(9_000), ..batch[0].clone() };
    lane.sent(1, vec![later], true);
    lane.arrive(ready(6, Priority::Urgent));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(9_000)));
    let mut order = Vec::new();
    while let Some(sent) = send(&mut lane, Timestamp(9_000), 1) {
        order.extend(sent);
    }
    assert_eq!(order, [4, 5, 6, 1, 2, 3]);
}

#[test]
fn a_pause_outlives_what_it_was_asked_for() {
    let mut lane = Lane::default();
    lane.arrive(normal(1));
    lane.arrive(ready(2, Priority::Urgent));
    assert_eq!(lane.begin(1).len(), 1);
    // The first expired at once; its endpoint asked to be left alone nevertheless.
    lane.sent(1, Vec::new(), false);
    lane.pause(Timestamp(9_000));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(9_000)));
}

#[test]
fn what_an_earlier_run_postponed_holds_urgent_ones_back() {
    let mut lane = Lane::from_store();
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    let postponed = Ready { attempts: 1, due_at: Timestamp(9_000), ..normal(1) };
    lane.loaded(vec![ready(2, Priority::Urgent), postponed].into());
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(9_000)));
}

#[test]
fn a_clock_that_was_set_changes_no_wait() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    (0..4).for_each(|_| lane.posted(NOW));
    lane.arrive(ready(1, Priority::Urgent));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(61_000)));
    lane.clock_was_set(3_600_000);
    assert_eq!(lane.wish(Timestamp(3_601_000), None), Wish::Wait(Timestamp(3_661_000)));
    lane.clock_was_set(-7_200_000);
    // What was accepted by the clock of before does not wait until that comes round again.
    lane.arrive(ready(2, Priority::Urgent));
    assert_eq!(lane.wish(Timestamp(-3_599_000), None), Wish::Wait(Timestamp(-3_539_000)));
    assert_eq!(lane.wish(Timestamp(-3_539_000), None), Wish::Send(1));
}

#[test]
fn a_storm_gathers_into_evenly_spaced_posts() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    for seq in 1..=3 {
        lane.arrive(normal(seq));
    }
    assert_eq!(send(&mut lane, NOW, 10), Some(vec![1]), "as long as the rate lets all through, one by one");
    for seq in 4..=9 {
        lane.arrive(normal(seq));
    }
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(Duration::from_secs(15))));
    assert_eq!(send(&mut lane, NOW.plus(Duration::from_secs(15)), 10), Some((2..=9).collect()));
}

#[test]
fn two_posts_of_a_rate_are_kept_for_urgent_ones() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    for seq in 1..=2 {
        lane.arrive(normal(seq));
        assert!(send(&mut lane, NOW, 1).is_some());
    }
    lane.arrive(normal(3));
    assert_eq!(lane.wish(NOW, None), Wish::Wait(NOW.plus(Duration::from_secs(60))));
    lane.arrive(ready(4, Priority::Urgent));
    assert_eq!(send(&mut lane, NOW, 1), Some(vec![4]));
}

#[test]
fn a_digest_that_is_tried_again_stays_the_same() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    for seq in 1..=6 {
        lane.arrive(normal(seq));
    }
    let Wish::Send(6) = lane.wish(NOW, None) else { panic!("all at once") };
    let batch = lane.begin(6);
    let again: Vec<Ready> =
        batch.iter().take(4).map(|it| Ready { due_at: Timestamp(2_000), ..it.clone() }).collect();
    lane.sent(4, again, false);
    lane.arrive(normal(7));
    assert_eq!(lane.wish(Timestamp(2_000), None), Wish::Send(4));
    assert_eq!(seqs(&lane.begin(4)), [1, 2, 3, 4]);
}

#[test]
fn what_was_sent_lately_is_remembered() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    lane.arrive(normal(1));
    send(&mut lane, NOW, 1);
    assert_eq!(
        lane.wish(NOW, None),
        Wish::Wait(NOW.plus(Duration::from_secs(60))),
        "an empty lane, not yet forgotten"
    );
    assert_eq!(lane.wish(NOW.plus(Duration::from_secs(60)), None), Wish::Done);
}

#[test]
fn a_full_lane_leaves_the_rest_to_the_store() {
    let mut lane = Lane::default();
    let max = i64::try_from(LANE_QUEUE_MAX).unwrap();
    for seq in 1..=max {
        assert!(lane.arrive(normal(seq)));
    }
    assert!(!lane.arrive(normal(max + 1)));
    lane.begin(LANE_QUEUE_MAX);
    lane.sent(LANE_QUEUE_MAX, Vec::new(), false);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    assert!(!lane.arrive(normal(max + 2)), "what arrives during a load stays in the store");
    lane.loaded(vec![normal(max + 1)].into());
    assert!(send(&mut lane, NOW, 1).is_some());
    assert_eq!(lane.wish(NOW, None), Wish::Load, "and is asked for again");
}

#[test]
fn large_messages_are_left_to_the_store_before_a_lane_is_full() {
    let large = |seq| {
        let mut ready = normal(seq);
        let stored = Arc::make_mut(&mut ready.stored);
        stored.message.content.default.text = "x".repeat(LANE_BYTES_MAX / 2);
        ready
    };
    let mut lane = Lane::default();
    assert!(lane.arrive(large(1)) && lane.arrive(large(2)));
    assert!(!lane.arrive(large(3)) && !lane.arrive(large(4)));
    for seq in [1, 2] {
        assert_eq!(send(&mut lane, NOW, 1), Some(vec![seq]));
    }
    for seq in [3, 4] {
        assert_eq!(lane.wish(NOW, None), Wish::Load);
        assert_eq!(lane.load_room(), Room { most: 128, least: 1, bytes: LANE_BYTES_MAX as u64 });
        lane.loaded(Taken { ready: vec![large(seq)], found: usize::try_from(5 - seq).unwrap() });
        assert_eq!(send(&mut lane, NOW, 1), Some(vec![seq]), "no storm: few wait");
    }
    assert_eq!(lane.wish(NOW, None), Wish::Done, "there was no more");
}

#[test]
fn many_large_ones_are_a_storm_however_few_are_read() {
    let mut lane = Lane::from_store();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    assert_eq!(lane.wish(NOW, None), Wish::Load);
    lane.loaded(Taken { ready: vec![normal(1), normal(2)], found: LANE_QUEUE_MAX });
    assert_eq!(lane.wish(NOW, None), Wish::Send(2), "they go together");
}

#[test]
fn a_cancelled_first_holds_nobody_up() {
    let mut lane = Lane::default();
    assert!((1..=3).all(|seq| lane.arrive(normal(seq))));
    let batch = lane.begin(1);
    lane.cancelled(1);
    assert_eq!(lane.depth(), 3, "what is being sent stays first until it comes back");
    let later = Ready { attempts: 1, due_at: Timestamp(5_000), ..batch[0].clone() };
    // It was pending in the store before the loop heard of its failure: there is no other try.
    lane.sent(1, vec![later], false);
    lane.cancelled(3);
    assert_eq!(send(&mut lane, NOW, 1), Some(vec![2]));
    assert_eq!(lane.wish(NOW, None), Wish::Done);
}

#[test]
fn a_cancelled_try_keeps_the_pause_that_its_endpoint_asked_for() {
    let mut lane = Lane::default();
    assert!((1..=4).all(|seq| lane.arrive(normal(seq))));
    let batch = lane.begin(3);
    lane.cancelled(1);
    lane.cancelled(3);
    let later = Ready { attempts: 1, due_at: Timestamp(5_000), ..batch[0].clone() };
    // Only the first fitted into the post.
    lane.sent(1, vec![later], true);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(Timestamp(5_000)));
    assert_eq!(send(&mut lane, Timestamp(5_000), 1), Some(vec![2]));
    assert_eq!(lane.depth(), 1, "the third, beyond the post, is gone as well");
}

#[test]
fn what_goes_again_together_goes_without_what_was_cancelled() {
    let mut lane = Lane::default();
    assert!((1..=4).all(|seq| lane.arrive(normal(seq))));
    let batch = lane.begin(3);
    lane.sent(3, batch, false);
    lane.cancelled(2);
    assert_eq!(lane.wish(NOW, None), Wish::Send(2));
    assert_eq!(seqs(&lane.begin(2)), [1, 3]);
    lane.sent(0, Vec::new(), false);
    lane.cancelled(3);
    lane.cancelled(4);
    assert_eq!(seqs(&lane.begin(9)), [1]);
}

proptest! {
    /// Whatever comes by hand or from the store, in whatever rhythm and however many fit into a post: everything is
    /// sent once, in order.
    #[test]
    fn everything_is_sent_once_in_order(
        steps in proptest::collection::vec(0_u8..4, 0..300),
        in_store in 0_i64..300,
        fit in 1_usize..40,
        limited: bool,
    ) {
        let mut lane = Lane::from_store();
        if limited {
            lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
        }
        let mut stored: Vec<i64> = (1..=in_store).collect();
        let (mut next, mut now, mut sent) = (in_store + 1, NOW, Vec::new());
        let drain = |lane: &mut Lane, now: &mut Timestamp, stored: &Vec<i64>, sent: &mut Vec<i64>| {
            match lane.wish(*now, None) {
                Wish::Send(count) => {
                    let some: Vec<i64> = seqs(&lane.begin(count)).into_iter().take(fit).collect();
                    lane.posted(*now);
                    lane.sent(some.len(), Vec::new(), false);
                    sent.extend(some);
                    true
                }
                Wish::Load => {
                    let rest = stored.iter().copied().filter(|seq| !sent.contains(seq));
                    lane.loaded(rest.take(LANE_QUEUE_MAX).map(normal).collect::<Vec<_>>().into());
                    true
                }
                Wish::Wait(until) => {
                    *now = until;
                    true
                }
                Wish::Busy | Wish::Done | Wish::Expire(_) | Wish::Drop(_) => false,
            }
        };
        for step in steps {
            if step < 2 {
                stored.push(next);
                lane.arrive(normal(next));
                next += 1;
            } else {
                drain(&mut lane, &mut now, &stored, &mut sent);
            }
        }
        while drain(&mut lane, &mut now, &stored, &mut sent) {}
        prop_assert_eq!(sent, (1..next).collect::<Vec<_>>());
    }
}

pub(crate) fn mortal(seq: i64, expires_at: i64) -> Ready {
    let base = normal(seq);
    let mut stored = (*base.stored).clone();
    stored.message.expires_at = Timestamp(expires_at);
    Ready { stored: Arc::new(stored), ..base }
}

#[test]
fn a_held_lane_sends_nothing_and_lets_go_what_is_past_its_time() {
    let mut lane = Lane::default();
    for (seq, expires_at) in [(1, 90_000), (2, 20_000), (3, 30_000), (4, 20_000)] {
        lane.arrive(mortal(seq, expires_at));
    }
    let hold = Some(Timestamp(60_000));
    assert_eq!(lane.wish(NOW, hold), Wish::Wait(Timestamp(20_000)));
    assert_eq!(lane.wish(Timestamp(20_000), hold), Wish::Expire(2));
    assert_eq!(seqs(&lane.begin_expiry(2)), [2, 4]);
    lane.arrive(ready(5, Priority::Urgent));
    lane.cancelled(2);
    assert_eq!(lane.wish(Timestamp(20_000), hold), Wish::Busy);
    lane.expired(2);
    assert_eq!(lane.wish(Timestamp(20_000), hold), Wish::Wait(Timestamp(30_000)));
    assert_eq!(lane.wish(Timestamp(30_000), hold), Wish::Expire(1));
    assert_eq!(seqs(&lane.begin_expiry(1)), [3]);
    lane.expired(1);
    assert_eq!(lane.wish(Timestamp(30_000), hold), Wish::Wait(Timestamp(60_000)));
    assert_eq!(lane.wish(Timestamp(60_000), hold), Wish::Send(1));
    assert_eq!(seqs(&lane.begin(1)), [5]);
}

#[test]
fn what_is_held_together_stays_so_when_others_expire() {
    let mut lane = Lane::default();
    for (seq, expires_at) in [(1, 90_000), (2, 90_000), (3, 20_000), (4, 90_000)] {
        lane.arrive(mortal(seq, expires_at));
    }
    let batch = lane.begin(2);
    lane.sent(2, batch, false);
    assert_eq!(lane.wish(Timestamp(20_000), Some(Timestamp(60_000))), Wish::Expire(1));
    assert_eq!(seqs(&lane.begin_expiry(1)), [3]);
    lane.arrive(ready(5, Priority::Urgent));
    lane.expired(1);
    assert_eq!(send(&mut lane, Timestamp(60_000), 1), Some(vec![5]));
    assert_eq!(send(&mut lane, Timestamp(60_000), 2), Some(vec![1, 2]));
    assert_eq!(send(&mut lane, Timestamp(60_000), 1), Some(vec![4]));
}

#[test]
fn a_held_lane_looks_into_the_store_for_what_expires() {
    let mut lane = Lane::from_store();
    let hold = Some(Timestamp(60_000));
    assert_eq!(lane.wish(NOW, hold), Wish::Load);
    lane.loaded(vec![mortal(1, 5_000)].into());
    assert_eq!(lane.wish(Timestamp(5_000), hold), Wish::Expire(1));
    lane.begin_expiry(1);
    lane.expired(1);
    assert_eq!(lane.wish(Timestamp(5_000), hold), Wish::Done, "whoever wakes it again brings the hold along");
}

#[test]
fn a_released_lane_tries_at_once() {
    let mut lane = Lane::default();
    lane.arrive(normal(1));
    let batch = lane.begin(1);
    lane.sent(1, vec![Ready { due_at: Timestamp(90_000), ..batch[0].clone() }], true);
    lane.pause(Timestamp(80_000));
    assert_eq!(lane.wish(NOW, Some(Timestamp(99_000))), Wish::Wait(Timestamp(99_000)));
    lane.release(NOW);
    assert_eq!(lane.wish(NOW, None), Wish::Send(1));
}

fn wanting(overflow: Overflow, seq: i64, priority: Priority) -> Ready {
    Ready { overflow, ..ready(seq, priority) }
}

#[test]
fn what_leaves_in_time_one_by_one_is_no_storm() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, Duration::from_secs(150));
    assert!((1..=5).all(|seq| lane.arrive(normal(seq))));
    assert_eq!(lane.wish(NOW, None), Wish::Send(1), "six go within the time");
    assert!((6..=7).all(|seq| lane.arrive(normal(seq))));
    assert_eq!(lane.wish(NOW, None), Wish::Send(7));
}

#[test]
fn a_queue_goes_one_by_one_however_long_it_is() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    for seq in 1..=9 {
        let priority = if seq > 7 { Priority::Urgent } else { Priority::Normal };
        lane.arrive(wanting(Overflow::Queue, seq, priority));
    }
    let (mut now, mut order) = (NOW, Vec::new());
    while order.len() < 9 {
        match lane.wish(now, None) {
            Wish::Wait(until) => now = until,
            Wish::Send(count) => {
                assert_eq!(count, 1);
                order.extend(send(&mut lane, now, 9).unwrap());
            }
            other @ (Wish::Expire(_) | Wish::Drop(_) | Wish::Load | Wish::Busy | Wish::Done) => {
                panic!("{other:?}")
            }
        }
    }
    assert_eq!(order, [8, 9, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_digest_ends_where_another_subscription_of_the_lane_wants_none() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    for seq in 1..=9 {
        let overflow = if seq == 4 { Overflow::Queue } else { Overflow::Digest };
        lane.arrive(wanting(overflow, seq, Priority::Normal));
    }
    assert_eq!(send(&mut lane, NOW, 9), Some(vec![1, 2, 3]));
    assert_eq!(send(&mut lane, NOW, 9), Some(vec![4]));
}

#[test]
fn the_oldest_are_dropped_once_for_each_post() {
    let mut lane = Lane::default();
    lane.learn(&four_a_minute(), LONG_AGO, MINUTE);
    for seq in 1..=6 {
        lane.arrive(wanting(Overflow::DropOldest, seq, Priority::Normal));
    }
    lane.arrive(wanting(Overflow::DropOldest, 7, Priority::Urgent));
    assert_eq!(send(&mut lane, NOW, 9), Some(vec![7]), "an urgent one goes first, and is not dropped");
    assert_eq!(lane.wish(NOW, None), Wish::Drop(3), "one more now, two when the minute is over");
    assert_eq!(lane.wish(NOW, None), Wish::Busy);
    lane.dropped(&[1, 2, 3]);
    lane.arrive(wanting(Overflow::DropOldest, 8, Priority::Normal));
    assert_eq!(lane.wish(NOW, None), Wish::Send(1), "not again before something was sent");
    assert_eq!(send(&mut lane, NOW, 9), Some(vec![4]));
    let later = NOW.plus(MINUTE);
    assert_eq!(lane.wish(NOW, None), Wish::Wait(later));
    assert_eq!(send(&mut lane, later, 9), Some(vec![5]));
    lane.look_again(Priority::Normal);
    assert!(matches!(lane.wish(later, None), Wish::Drop(_)), "the store may have more");
    lane.dropped(&[6]);
    assert_eq!(send(&mut lane, later, 9), Some(vec![8]));
}
