//! More than the robot's rate lets through soon, for a subscription that wants no digests.

use std::time::Duration;

use carillon_engine::Settings;
use carillon_model::delivery::{DeliveryState as S, EndCause};
use carillon_model::id::DeliveryId;
use carillon_model::subscription::Overflow;

use crate::harness::{Bed, PATIENCE};

/// How many of a WeCom robot's rate leave at once: half. The rest of it is spread over the minute.
const SOON: usize = 10;

async fn waiting(bed: &Bed, overflow: Overflow, count: usize) -> Vec<DeliveryId> {
    let id = bed.subscription().await;
    assert!(bed.store.subscription_overflow_set(bed.topic_id(), id, overflow).await.unwrap());
    let mut ids = Vec::new();
    for number in 1..=count {
        ids.push(bed.publish(&format!("number {number}.")).await);
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_never_merged() {
    let bed = Bed::fresh().await;
    let ids = waiting(&bed, Overflow::Queue, 40).await;
    let engine = bed.start(Settings::default()).await;
    let last = bed.stands(ids[SOON - 1], S::Delivered).await;
    assert_eq!(last.attempts[0].merged, 1);
    let shown = bed.shown(SOON).await;
    for (number, text) in (1..).zip(shown.iter()) {
        assert!(text.ends_with(&format!("number {number}.")), "{text}");
    }
    assert_eq!((shown.len(), bed.find(ids[SOON]).await.state), (SOON, S::Pending));
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_are_dropped_and_the_newest_arrive() {
    let bed = Bed::fresh().await;
    let ids = waiting(&bed, Overflow::DropOldest, 40).await;
    let settings = Settings { digest_after: Duration::from_secs(1), ..Settings::default() };
    let engine = bed.start(settings).await;
    bed.stands(ids[39], S::Delivered).await;
    let shown = bed.shown(SOON).await;
    // The first goes before the rate is known.
    let newest = 40 - (SOON - 1);
    let numbers = std::iter::once(1).chain(newest + 1..=40);
    for (number, text) in numbers.zip(shown.iter()) {
        assert!(text.ends_with(&format!("number {number}.")), "{text}");
    }
    for id in &ids[1..newest] {
        let record = bed.find(*id).await;
        assert_eq!((record.state, record.cause), (S::Cancelled, Some(EndCause::Dropped)));
    }
    bed.numbers_show(&format!("carillon_deliveries_dropped_total {}", newest - 1)).await;
    assert!(engine.drain(PATIENCE).await);
}
