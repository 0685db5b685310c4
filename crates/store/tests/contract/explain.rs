use carillon_model::delivery::DeliveryState as S;
use carillon_model::id::{DeliveryId, ProjectId};
use carillon_model::outcome::Reason;

use crate::harness::{Bed, Home, robot};
use crate::resend::end;

pub(crate) async fn a_delivery_is_found_by_its_subscription<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let second = bed.subscribe(&topic, robot("0123456789abcdee")).await;
    let message = bed.publish(&topic, "disk full").await;
    let later = bed.subscribe(&topic, robot("0123456789abcded")).await;
    for (subscription, number) in [(first, 1), (second, 2)] {
        let found = bed.store.delivery_find_for(&bed.project, message, subscription).await.unwrap().unwrap();
        assert_eq!((found.id, found.subscription), (DeliveryId::new(message, number), subscription));
    }
    assert_eq!(bed.store.delivery_find_for(&bed.project, message, later).await.unwrap(), None);
    let elsewhere = ProjectId::parse("elsewhere").unwrap();
    assert_eq!(bed.store.delivery_find_for(&elsewhere, message, first).await.unwrap(), None);
}

pub(crate) async fn deliveries_are_counted_by_state<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let stored = bed.new_message(&topic, "many");
    let message = stored.message.id;
    bed.store.message_publish(stored, bed.recipients(6)).await.unwrap();
    let ready = bed.store.wake().take().ready;
    for (one, state) in ready.iter().zip([S::Delivered, S::Delivered, S::Failed, S::Expired]) {
        end(&bed, one, state, Reason::Content).await;
    }
    let counts = bed.store.delivery_count(&bed.project, message).await.unwrap();
    assert_eq!(counts, [(S::Pending, 2), (S::Delivered, 2), (S::Failed, 1), (S::Expired, 1)]);
    let elsewhere = ProjectId::parse("elsewhere").unwrap();
    assert!(bed.store.delivery_count(&elsewhere, message).await.unwrap().is_empty());
}

pub(crate) async fn what_waits_before_a_delivery_is_counted_in_its_lane<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.subscribe(&topic, robot("0123456789abcdee")).await;
    for text in ["a", "b", "c"] {
        bed.publish(&topic, text).await;
    }
    let ready = bed.store.wake().take().ready;
    let lane: Vec<_> = ready.iter().filter(|one| one.endpoint == ready[0].endpoint).collect();
    for (place, one) in (0..).zip(&lane) {
        assert_eq!(bed.store.lane_before(one.id).await.unwrap(), place);
    }
    end(&bed, lane[0], S::Delivered, Reason::Ok).await;
    assert_eq!(bed.store.lane_before(lane[2].id).await.unwrap(), 1);
}
