//! Endpoints that are not well: breakers, pauses, holds, and what a restart knows of them.

use std::time::Duration;

use carillon_engine::Settings;
use carillon_model::delivery::DeliveryState as S;
use carillon_model::health::{HealthPolicy, Standing};
use carillon_model::subscription::Fallback;
use carillon_simulator::Act;

use crate::harness::{Bed, KEY, PATIENCE, tries};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn gone() -> Act {
    Act::Code { code: "93000".to_owned(), text: "invalid webhook url".to_owned() }
}

fn busy() -> Act {
    Act::Code { code: "-1".to_owned(), text: "system busy".to_owned() }
}

fn settings() -> Settings {
    let health = HealthPolicy { open_after: 3, ..HealthPolicy::default() };
    Settings { health, ..tries(20) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_opens_and_one_probe_closes_it() {
    let bed = Bed::fresh().await;
    let engine = bed.start(settings()).await;
    bed.far.script(KEY, busy(), None);
    let first = bed.publish("first").await;
    let second = bed.publish("second").await;
    for tries in 1..3 {
        bed.until(first, |record| record.attempts.len() == tries).await;
        bed.clock.advance(Duration::from_secs(1));
    }
    bed.until(first, |record| record.attempts.len() == 3).await;
    let health = bed.health(|health| health.is_some()).await.unwrap();
    assert_eq!((health.standing, health.failures), (Standing::Open, 3));
    // Nothing but a probe at a time, farther apart each time, and the lane's order is kept.
    let wait = health.until.unwrap().since(bed.now());
    assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(10), "{wait:?}");
    bed.clock.advance(Duration::from_secs(10));
    bed.until(first, |record| record.attempts.len() == 4).await;
    let health = bed.health(|health| health.is_some_and(|health| health.failures == 4)).await.unwrap();
    assert!(health.until.unwrap().since(bed.now()) >= Duration::from_secs(5));
    bed.far.clear_script(KEY);
    bed.clock.advance(Duration::from_secs(20));
    bed.stands(first, S::Delivered).await;
    bed.stands(second, S::Delivered).await;
    assert_eq!(bed.find(second).await.attempts.len(), 1);
    assert_eq!(bed.health(|health| health.is_none()).await, None);
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_paused_kept_across_a_restart_and_resumed_by_hand() {
    let bed = Bed::fresh().await;
    let engine = bed.start(settings()).await;
    bed.far.script(KEY, gone(), None);
    let first = bed.publish("first").await;
    bed.stands(first, S::Failed).await;
    let health = bed.health(|health| health.is_some()).await.unwrap();
    assert_eq!(health.standing, Standing::Paused);
    let second = bed.publish("second").await;
    assert!(engine.drain(PATIENCE).await);
    bed.far.clear_script(KEY);
    let engine = bed.start(settings()).await;
    let third = bed.publish("third").await;
    bed.clock.advance(MINUTE);
    bed.numbers_show("carillon_endpoints{standing=\"paused\"} 1").await;
    assert_eq!(bed.find(second).await.attempts.len(), 0, "a pause outlives a restart");
    assert!(bed.store.endpoint_resume(bed.endpoint().await).await.unwrap());
    bed.stands(second, S::Delivered).await;
    // What was released is looked for in the store, and until that is read the lane keeps an even distance.
    bed.clock.advance(MINUTE);
    bed.stands(third, S::Delivered).await;
    assert_eq!(bed.health(|health| health.is_none()).await, None);
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_paused_endpoint_ends_with_its_time_to_live_and_a_probe_costs_it_nothing() {
    let bed = Bed::fresh().await;
    let health = HealthPolicy { pause_probe: 10 * MINUTE, ..settings().health };
    let engine = bed.start(Settings { health, ..settings() }).await;
    bed.far.script(KEY, gone(), Some(2));
    let first = bed.publish("first").await;
    bed.stands(first, S::Failed).await;
    let second = bed.publish("second").await;
    bed.clock.advance(11 * MINUTE);
    let probed = bed.until(second, |record| record.attempts.len() == 1).await;
    assert_eq!(probed.state, S::Pending, "it was only a probe");
    assert_eq!(probed.attempts[0].outcome, "misconfigured");
    bed.health(|health| health.is_some_and(|health| health.probes == 2)).await;
    bed.clock.advance(HOUR);
    bed.stands(second, S::Expired).await;
    // The next probe is the next message.
    let third = bed.publish("third").await;
    bed.stands(third, S::Delivered).await;
    assert_eq!(bed.health(|health| health.is_none()).await, None);
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_once_through_the_fallback() {
    let bed = Bed::fresh().await;
    let other = bed.subscribe_another().await;
    let topic = bed.topic_id();
    assert!(
        bed.store
            .subscription_fallback_set(topic, bed.subscription().await, Some(Fallback::Subscription(other)))
            .await
            .unwrap()
    );
    let engine = bed.start(settings()).await;
    bed.far.script(KEY, gone(), None);
    let first = bed.publish("first").await;
    bed.stands(first, S::Failed).await;
    let shown = bed.shown_in_other(2).await;
    let notice = shown.iter().find(|text| text.contains("carillon endpoint resume")).unwrap();
    assert!(notice.contains("token_unknown") && notice.contains("已暂停"), "{notice}");
    assert!(!notice.contains(KEY), "the address is masked: {notice}");
    assert!(engine.drain(PATIENCE).await);
    let engine = bed.start(settings()).await;
    bed.clock.advance(2 * HOUR);
    let second = bed.publish("second").await;
    bed.until(second, |record| record.attempts.len() == 1).await;
    assert!(engine.drain(PATIENCE).await);
    assert_eq!(bed.shown_in_other(3).await.len(), 3, "first, notice, second: told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribing_again_resumes() {
    let bed = Bed::fresh().await;
    let engine = bed.start(settings()).await;
    bed.far.script(KEY, gone(), Some(1));
    let first = bed.publish("first").await;
    bed.stands(first, S::Failed).await;
    bed.health(|health| health.is_some()).await;
    let second = bed.publish("second").await;
    bed.subscribe_again().await;
    bed.stands(second, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_kept_across_a_restart_for_the_whole_lane() {
    let bed = Bed::fresh().await;
    let engine = bed.start(settings()).await;
    bed.far.script(
        KEY,
        Act::Code { code: "45009".to_owned(), text: "api freq out of limit".to_owned() },
        Some(1),
    );
    let first = bed.publish("first").await;
    bed.until(first, |record| record.attempts.len() == 1).await;
    let health = bed.health(|health| health.is_some()).await.unwrap();
    assert_eq!(health.standing, Standing::Limited);
    assert_eq!(
        bed.store.delivery_cancel(&bed.project, first).await.unwrap(),
        carillon_store::pick::Moved::Done
    );
    assert!(engine.drain(PATIENCE).await);
    let second = bed.publish("second").await;
    let engine = bed.start(settings()).await;
    bed.clock.advance(30 * Duration::from_secs(1));
    bed.numbers_show("carillon_endpoints{standing=\"limited\"} 1").await;
    assert_eq!(bed.find(second).await.attempts.len(), 0);
    bed.clock.advance(40 * Duration::from_secs(1));
    bed.stands(second, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
}
