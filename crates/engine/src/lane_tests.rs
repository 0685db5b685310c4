use std::sync::Arc;

use carillon_model::Timestamp;
use carillon_model::chance::SeededChance;
use carillon_model::id::{DeliveryId, EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::topic::TopicName;
use carillon_store::delivery::{Ready, StoredMessage};
use proptest::prelude::*;

use super::{LANE_QUEUE_MAX, Lane, Wish};

const NOW: Timestamp = Timestamp(1_000);

fn ready(seq: i64) -> Ready {
    let chance = SeededChance::new(seq.unsigned_abs());
    let message = Message {
        id: MessageId::new(NOW, &chance),
        project: ProjectId::parse("p").unwrap(),
        topic: TopicId::new(NOW, &chance),
        content: Content { default: Body::text("x"), ..Content::default() },
        priority: Priority::Normal,
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
        due_at: NOW,
        stored,
    }
}

#[test]
fn keeps_order_and_waits_for_its_first() {
    let mut lane = Lane::default();
    assert!(lane.arrive(ready(1)));
    assert!(lane.arrive(ready(2)));
    assert_eq!(lane.wish(NOW), Wish::Send);
    assert_eq!(lane.begin().unwrap().seq, 1);
    assert_eq!(lane.wish(NOW), Wish::Busy);
    lane.again(1, 0, Timestamp(5_000));
    assert_eq!(lane.wish(NOW), Wish::Wait(Timestamp(5_000)));
    assert_eq!(lane.wish(Timestamp(5_000)), Wish::Send);
    let first = lane.begin().unwrap();
    assert_eq!((first.seq, first.attempts), (1, 1));
    lane.sent();
    assert_eq!(lane.begin().unwrap().seq, 2);
    lane.sent();
    assert_eq!(lane.wish(NOW), Wish::Done);
}

#[test]
fn a_full_lane_leaves_the_rest_to_the_store() {
    let mut lane = Lane::default();
    let max = i64::try_from(LANE_QUEUE_MAX).unwrap();
    for seq in 1..=max {
        assert!(lane.arrive(ready(seq)));
    }
    assert!(!lane.arrive(ready(max + 1)));
    for _ in 0..max {
        lane.begin();
        lane.sent();
    }
    assert_eq!(lane.wish(NOW), Wish::Load(max));
    assert!(!lane.arrive(ready(max + 2)), "what arrives during a load stays in the store");
    assert_eq!(lane.loaded(vec![ready(max + 1)]), 1);
    lane.begin();
    lane.sent();
    assert_eq!(lane.wish(NOW), Wish::Load(max + 1), "and is asked for again");
    assert_eq!(lane.loaded(vec![ready(max + 2)]), 1);
    lane.begin();
    lane.sent();
    assert_eq!(lane.wish(NOW), Wish::Done);
}

#[test]
fn a_cancelled_first_holds_nobody_up() {
    let mut lane = Lane::default();
    for seq in 1..=3 {
        assert!(lane.arrive(ready(seq)));
    }
    lane.begin();
    lane.cancelled(1);
    assert_eq!(lane.depth(), 3, "what is out to be sent stays first until it comes back");
    lane.again(1, 0, Timestamp(5_000));
    assert_eq!(lane.wish(NOW), Wish::Wait(Timestamp(5_000)));
    lane.cancelled(1);
    lane.cancelled(3);
    assert_eq!(lane.wish(NOW), Wish::Send);
    assert_eq!(lane.begin().unwrap().seq, 2);
    lane.sent();
    assert_eq!(lane.wish(NOW), Wish::Done);
}

proptest! {
    /// Whatever comes by hand or from the store, in whatever rhythm: everything is sent once, in order.
    #[test]
    fn everything_is_sent_once_in_order(steps in proptest::collection::vec(0_u8..4, 0..400), in_store in 0_i64..200) {
        let mut lane = Lane::from_store();
        let mut stored: Vec<i64> = (1..=in_store).collect();
        let mut next = in_store + 1;
        let mut sent = Vec::new();
        let drain = |lane: &mut Lane, stored: &Vec<i64>, sent: &mut Vec<i64>| match lane.wish(NOW) {
            Wish::Send => {
                sent.push(lane.begin().unwrap().seq);
                lane.sent();
                true
            }
            Wish::Load(after) => {
                let batch = stored.iter().copied().filter(|seq| *seq > after && !sent.contains(seq));
                lane.loaded(batch.take(LANE_QUEUE_MAX).map(ready).collect());
                true
            }
            Wish::Wait(_) | Wish::Busy | Wish::Done => false,
        };
        for step in steps {
            if step < 2 {
                stored.push(next);
                lane.arrive(ready(next));
                next += 1;
            } else {
                drain(&mut lane, &stored, &mut sent);
            }
        }
        while drain(&mut lane, &stored, &mut sent) {}
        prop_assert_eq!(sent, (1..next).collect::<Vec<_>>());
    }
}
