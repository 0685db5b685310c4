//! Forgetting on time, while the engine runs.

use std::time::Duration;

use carillon_engine::Settings;
use carillon_model::delivery::DeliveryState as S;
use carillon_simulator::Act;
use tokio::time::Instant;

use crate::harness::{Bed, KEY, PATIENCE, tries};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_forgotten_and_counted_while_the_rest_goes_on() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(1)).await;
    bed.far.script(KEY, Act::Gone, Some(1));
    let failed = bed.publish("failed").await;
    bed.stands(failed, S::Failed).await;
    let old = bed.publish("old").await;
    bed.stands(old, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
    bed.clock.advance(DAY * 31);
    let young = bed.publish("young").await;
    let keeping = Settings { keep: Some(DAY * 30), ..tries(1) };
    let engine = bed.start(keeping).await;
    bed.stands(young, S::Delivered).await;
    let deadline = Instant::now() + PATIENCE;
    while bed.store.message_find(&bed.project, old.message).await.unwrap().is_some() {
        assert!(Instant::now() < deadline, "waited too long");
        tokio::task::yield_now().await;
    }
    assert!(engine.drain(PATIENCE).await);
    assert!(bed.store.delivery_find(&bed.project, failed).await.unwrap().is_none());
    let numbers = bed.numbers();
    for (kind, count) in [("message", 2), ("delivery", 2), ("attempt", 1)] {
        let line = format!("carillon_forgotten_total{{kind=\"{kind}\"}} {count}");
        assert!(numbers.contains(&line), "{line} is not in {numbers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_forgotten_without_an_age() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(1)).await;
    let old = bed.publish("old").await;
    bed.stands(old, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
    bed.clock.advance(DAY * 4_000);
    let engine = bed.start(tries(1)).await;
    let next = bed.publish("next").await;
    bed.stands(next, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
    assert!(bed.store.message_find(&bed.project, old.message).await.unwrap().is_some());
}
