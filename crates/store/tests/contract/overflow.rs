use std::time::Duration;

use carillon_model::delivery::{DeliveryState, EndCause};
use carillon_model::message::Priority;
use carillon_model::subscription::Overflow;
use carillon_store::delivery::{Ready, Settlement};

use crate::harness::{Bed, Home, limited, robot, settlement};

async fn choose<H: Home>(bed: &Bed<H>, ready: &Ready, overflow: Overflow) -> bool {
    let topic = ready.stored.message.topic;
    bed.store.subscription_overflow_set(topic, ready.subscription, overflow).await.unwrap()
}

async fn cause<H: Home>(bed: &Bed<H>, ready: &Ready) -> (DeliveryState, Option<EndCause>) {
    let found = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    (found.state, found.cause)
}

pub(crate) async fn what_a_subscription_wants_goes_with_its_deliveries<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "a").await;
    let first = bed.store.wake().take().ready.remove(0);
    assert_eq!(first.overflow, Overflow::Digest);
    for overflow in [Overflow::Queue, Overflow::DropOldest, Overflow::Digest] {
        assert!(choose(&bed, &first, overflow).await);
        assert_eq!(bed.store.recipient_list(topic.id).await.unwrap()[0].overflow, overflow);
        bed.publish(&topic, "b").await;
        assert_eq!(bed.store.wake().take().ready[0].overflow, overflow);
        assert_eq!(bed.store.lane_take(first.endpoint, 1).await.unwrap().ready[0].overflow, overflow);
    }
    let elsewhere = bed.topic("elsewhere").await;
    assert!(!bed.store.subscription_overflow_set(elsewhere.id, id, Overflow::Queue).await.unwrap());
}

pub(crate) async fn the_oldest_are_dropped_and_say_so<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.subscribe(&db, robot("0123456789abcdef")).await;
    let mut urgent = bed.new_message(&ops, "fire");
    urgent.message.priority = Priority::Urgent;
    let to = bed.store.recipient_list(ops.id).await.unwrap();
    bed.store.message_publish(urgent, to).await.unwrap();
    bed.publish(&db, "kept by its subscription").await;
    for text in ["half sent", "a", "b", "c"] {
        bed.publish(&ops, text).await;
    }
    let ready = bed.store.wake().take().ready;
    let half = Settlement {
        parts_done: 1,
        ..settlement(&ready[2], 1, bed.tick(), limited(), DeliveryState::Pending)
    };
    bed.store.delivery_settle(Vec::new(), vec![half]).await.unwrap();
    let lane = ready[0].endpoint;
    assert!(bed.store.lane_drop_oldest(lane, 1).await.unwrap().is_empty(), "nobody wants that");
    assert!(choose(&bed, &ready[0], Overflow::DropOldest).await);
    assert!(bed.store.lane_drop_oldest(lane, 3).await.unwrap().is_empty(), "three wait");
    assert_eq!(bed.store.lane_drop_oldest(lane, 1).await.unwrap(), [ready[3].seq, ready[4].seq]);
    for one in [&ready[3], &ready[4]] {
        assert_eq!(cause(&bed, one).await, (DeliveryState::Cancelled, Some(EndCause::Dropped)));
    }
    let left = bed.store.lane_take(lane, 10).await.unwrap().ready;
    let left: Vec<i64> = left.iter().map(|one| one.seq).collect();
    assert_eq!(left, [ready[0].seq, ready[1].seq, ready[2].seq, ready[5].seq]);
    let life = Duration::from_secs(60);
    bed.store.delivery_resend(&bed.project, ready[3].id, life).await.unwrap();
    assert_eq!(
        cause(&bed, &ready[3]).await,
        (DeliveryState::Pending, None),
        "what is sent again has no cause"
    );
}
