use std::time::Duration;

use carillon_model::Clock;
use carillon_model::delivery::DeliveryState;
use carillon_model::outcome::Reason;
use carillon_store::retention::Forgotten;

use crate::harness::{Bed, Home, limited, robot, settlement, start};
use crate::resend::end;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn forget<H: Home>(bed: &Bed<H>, rows_max: u64) -> Forgotten {
    // A day before now.
    let mut before = bed.clock.now();
    before.0 -= i64::try_from(DAY.as_millis()).unwrap();
    bed.store.message_forget(before, rows_max).await.unwrap()
}

fn rows<H: Home>(bed: &Bed<H>) -> [i64; 3] {
    ["message", "delivery", "attempt"].map(|table| bed.home.number(&format!("SELECT count(*) FROM {table}")))
}

pub(crate) async fn what_is_old_and_ended_is_forgotten<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.subscribe(&topic, robot("0123456789abcdee")).await;
    let old = bed.publish(&topic, "old").await;
    for one in bed.store.wake().take().ready {
        end(&bed, &one, DeliveryState::Failed, Reason::Content).await;
    }
    bed.clock.advance(DAY + Duration::from_secs(1));
    let young = bed.publish(&topic, "young").await;
    for one in bed.store.wake().take().ready {
        end(&bed, &one, DeliveryState::Failed, Reason::Content).await;
    }
    assert_eq!(rows(&bed), [2, 4, 4]);
    assert_eq!(forget(&bed, 500).await, Forgotten { messages: 1, deliveries: 2, attempts: 2 });
    assert_eq!(rows(&bed), [1, 2, 2]);
    assert!(forget(&bed, 500).await.is_nothing());
    assert!(bed.store.message_find(&bed.project, old).await.unwrap().is_none());
    assert!(bed.store.message_find(&bed.project, young).await.unwrap().is_some());
    assert_eq!(bed.store.recipient_list(topic.id).await.unwrap().len(), 2, "subscriptions stay");
}

pub(crate) async fn what_waits_or_is_sent_keeps_its_message<H: Home>() {
    for sending in [false, true] {
        let bed = Bed::<H>::fresh().await;
        let topic = bed.topic("ops").await;
        bed.subscribe(&topic, robot("0123456789abcdef")).await;
        bed.subscribe(&topic, robot("0123456789abcdee")).await;
        bed.publish(&topic, "old").await;
        let ready = bed.store.wake().take().ready;
        end(&bed, &ready[0], DeliveryState::Delivered, Reason::Ok).await;
        if sending {
            bed.store.delivery_settle(vec![start(&ready[1], 1, bed.tick())], Vec::new()).await.unwrap();
        }
        bed.clock.advance(DAY * 40);
        assert!(forget(&bed, 500).await.is_nothing());
        assert_eq!(rows(&bed), [1, 2, 0]);
    }
}

pub(crate) async fn what_was_resent_lately_is_kept<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    end(&bed, &ready, DeliveryState::Failed, Reason::Content).await;
    bed.clock.advance(DAY * 40);
    bed.store.delivery_resend(&bed.project, ready.id, Duration::from_secs(60)).await.unwrap();
    assert!(forget(&bed, 500).await.is_nothing());
    let again = bed.store.lane_take(ready.endpoint, 10).await.unwrap().ready.remove(0);
    end(&bed, &again, DeliveryState::Delivered, Reason::Ok).await;
    assert!(forget(&bed, 500).await.is_nothing(), "what was done lately can be looked up");
    bed.clock.advance(DAY * 2);
    assert_eq!(forget(&bed, 500).await.messages, 1);
    assert_eq!(rows(&bed), [0, 0, 0]);
}

pub(crate) async fn forgetting_goes_in_bounded_batches<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for _message in 0..3 {
        let stored = bed.new_message(&topic, "many");
        bed.store.message_publish(stored, bed.recipients(10)).await.unwrap();
    }
    for one in bed.store.wake().take().ready {
        let at = bed.tick();
        let [first, second] = [1, 2].map(|n| settlement(&one, n, at, limited(), DeliveryState::Pending));
        let last = settlement(&one, 3, at, limited(), DeliveryState::Failed);
        bed.store.delivery_settle(Vec::new(), vec![first, second, last]).await.unwrap();
    }
    assert_eq!(rows(&bed), [3, 30, 90]);
    bed.clock.advance(DAY * 2);
    let mut left: i64 = rows(&bed).iter().sum();
    while left > 0 {
        let done = forget(&bed, 7).await;
        let now: i64 = rows(&bed).iter().sum();
        let gone = i64::try_from(done.messages + done.deliveries + done.attempts).unwrap();
        assert_eq!(left - now, gone);
        assert!((1..=7).contains(&gone), "{done:?}");
        left = now;
    }
    assert!(forget(&bed, 7).await.is_nothing());
}
