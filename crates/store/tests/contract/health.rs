use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::health::{Health, Standing};
use carillon_model::id::EndpointId;
use carillon_model::outcome::Reason;
use carillon_model::subscription::Fallback;
use carillon_store::health::{HealthChange, Hold, Wellness};

use crate::harness::{Bed, Home, START, robot};
use crate::traces;

fn health(standing: Standing, since: i64) -> Health {
    Health {
        standing,
        reason: Reason::TokenUnknown,
        since: Timestamp(since),
        broken_since: Some(Timestamp(since - 1)),
        until: Some(Timestamp(since + 1)),
        failures: 7,
        probes: 2,
    }
}

async fn note<H: Home>(bed: &Bed<H>, endpoint: EndpointId, health: Option<Health>) {
    bed.store.health_note(vec![HealthChange { endpoint, health }], Vec::new()).await.unwrap();
}

async fn lane<H: Home>(bed: &Bed<H>, place: usize) -> EndpointId {
    bed.store.endpoint_list(&bed.project, None, None, 10).await.unwrap()[place].id
}

pub(crate) async fn what_is_noted_of_an_endpoint_outlives_a_restart<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let endpoint = lane(&bed, 0).await;
    for standing in Standing::ALL {
        note(&bed, endpoint, Some(health(standing, 5))).await;
        assert_eq!(bed.store.health_list().await.unwrap(), [(endpoint, health(standing, 5))]);
    }
    let none = Health { broken_since: None, until: None, ..health(Standing::Failing, 9) };
    note(&bed, endpoint, Some(none)).await;
    let bed = bed.crash();
    assert_eq!(bed.store.health_list().await.unwrap(), [(endpoint, none)]);
    note(&bed, endpoint, None).await;
    assert!(bed.store.health_list().await.unwrap().is_empty());
}

pub(crate) async fn nothing_is_noted_of_an_endpoint_that_is_gone<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let endpoint = lane(&bed, 0).await;
    note(&bed, endpoint, Some(health(Standing::Open, 5))).await;
    bed.store.subscription_delete(vec![(topic.id, id)]).await.unwrap();
    assert!(bed.store.health_list().await.unwrap().is_empty(), "it went with its last subscription");
    note(&bed, endpoint, Some(health(Standing::Open, 5))).await;
    assert!(bed.store.health_list().await.unwrap().is_empty());
}

pub(crate) async fn endpoints_are_listed_for_whom_they_belong_to<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, dev) = (bed.topic("ops").await, bed.topic("dev").await);
    let first = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.tick();
    let second = bed.subscribe(&dev, robot("0123456789abcdef")).await;
    bed.tick();
    bed.subscribe(&ops, robot("0123456789abcdee")).await;
    let message = bed.publish(&ops, "one").await;
    let all = bed.store.endpoint_list(&bed.project, None, None, 10).await.unwrap();
    assert_eq!(all.len(), 2, "an address subscribed twice is one endpoint");
    let subscriptions: Vec<_> =
        all[0].subscriptions.iter().map(|(topic, id)| (topic.as_str(), *id)).collect();
    assert_eq!(subscriptions, [("ops", first), ("dev", second)]);
    assert_eq!((all[0].waiting, all[1].waiting, all[0].health), (1, 1, None));
    assert!(!all[0].masked.contains("0123456789abcdef"), "{}", all[0].masked);
    note(&bed, all[1].id, Some(health(Standing::Paused, 5))).await;
    let paused = Some(Wellness::Standing(Standing::Paused));
    let ids = async |wellness, after| {
        let found = bed.store.endpoint_list(&bed.project, wellness, after, 10).await.unwrap();
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(paused, None).await, [all[1].id]);
    assert_eq!(ids(Some(Wellness::Working), None).await, [all[0].id]);
    assert_eq!(ids(Some(Wellness::Unwell), None).await, [all[1].id]);
    assert!(ids(Some(Wellness::Unwell), Some(all[1].id)).await.is_empty());
    assert!(ids(Some(Wellness::Standing(Standing::Open)), None).await.is_empty());
    let standings = bed.store.endpoint_standings(&bed.project).await.unwrap();
    assert_eq!(standings, [(Standing::Paused, 1)]);
    assert_eq!(ids(None, Some(all[0].id)).await, [all[1].id]);
    let one = bed.store.endpoint_find(&bed.project, all[1].id).await.unwrap().unwrap();
    assert_eq!(one.health, Some(health(Standing::Paused, 5)));
    let delivery = carillon_model::id::DeliveryId::new(message, 2);
    assert_eq!(bed.store.health_of(delivery).await.unwrap(), Some(health(Standing::Paused, 5)));
    let foreign = bed.foreign();
    assert!(bed.store.endpoint_list(&foreign, None, None, 10).await.unwrap().is_empty());
    assert!(bed.store.endpoint_standings(&foreign).await.unwrap().is_empty());
    assert_eq!(bed.store.endpoint_find(&foreign, all[1].id).await.unwrap(), None);
}

/// What is durable is told, also where another program's read keeps old bytes in the files: the lane would stay paused.
pub(crate) async fn a_lane_is_released_though_old_bytes_are_left<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let endpoint = lane(&bed, 0).await;
    note(&bed, endpoint, Some(health(Standing::Paused, 5))).await;
    drop(bed.store.wake().take());
    let reader = bed.home.reader();
    let again = crate::harness::subscription(&topic, robot("0123456789abcdef"));
    let answer = bed.store.subscription_add(again).await;
    assert!(matches!(answer, Err(carillon_store::Error::Unpurged)), "{answer:?}");
    assert_eq!(bed.store.wake().take().released, [endpoint]);
    drop(reader);
}

pub(crate) async fn resuming_and_subscribing_again_release_a_lane<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let endpoint = lane(&bed, 0).await;
    bed.store
        .subscription_add(crate::harness::subscription(&topic, robot("0123456789abcdef")))
        .await
        .unwrap();
    assert!(bed.store.wake().take().released.is_empty(), "there was nothing to release");
    note(&bed, endpoint, Some(health(Standing::Paused, 5))).await;
    bed.store
        .subscription_add(crate::harness::subscription(&topic, robot("0123456789abcdef")))
        .await
        .unwrap();
    assert_eq!(bed.store.wake().take().released, [endpoint]);
    assert!(bed.store.health_list().await.unwrap().is_empty());
    note(&bed, endpoint, Some(health(Standing::Paused, 5))).await;
    assert!(bed.store.endpoint_resume(endpoint).await.unwrap());
    assert!(!bed.store.endpoint_resume(endpoint).await.unwrap());
    assert_eq!(bed.store.wake().take().released, [endpoint]);
    assert!(bed.store.health_list().await.unwrap().is_empty());
}

pub(crate) async fn owners_are_told_of_a_pause_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, spare) = (bed.topic("ops").await, bed.topic("spare").await);
    let broken = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.tick();
    let chat = bed.subscribe(&spare, robot("0123456789abcdee")).await;
    let also = bed.subscribe(&spare, robot("0123456789abcdef")).await;
    let endpoint = lane(&bed, 0).await;
    bed.publish(&ops, "waits").await;
    assert!(bed.store.pause_to_tell(endpoint).await.unwrap().is_empty(), "nobody chose a fallback");
    for fallback in [Fallback::Topic(spare.id), Fallback::Subscription(chat)] {
        assert!(bed.store.subscription_fallback_set(ops.id, broken, Some(fallback)).await.unwrap());
        let found = bed.store.pause_to_tell(endpoint).await.unwrap();
        assert_eq!(found.len(), 1);
        let told = &found[0];
        assert_eq!((told.subscription, told.waiting, &told.through.1), (broken, 1, &spare.name));
        let to: Vec<_> = told.recipients.iter().map(|to| to.subscription).collect();
        assert_eq!(to, [chat], "never through the paused address itself, as {also} would");
    }
    assert!(!bed.store.subscription_fallback_set(spare.id, broken, None).await.unwrap(), "not its topic");
    let recipients = bed.store.pause_to_tell(endpoint).await.unwrap().remove(0).recipients;
    let notice = || vec![(bed.new_message(&spare, "paused"), recipients.clone())];
    assert!(!bed.store.pause_tell(endpoint, notice()).await.unwrap(), "it is not paused");
    note(&bed, endpoint, Some(health(Standing::Paused, 5))).await;
    assert_eq!(bed.store.pause_untold().await.unwrap(), [endpoint]);
    drop(bed.store.wake().take());
    assert!(bed.store.pause_tell(endpoint, notice()).await.unwrap());
    assert_eq!(bed.store.wake().take().ready.len(), 1);
    assert!(!bed.store.pause_tell(endpoint, notice()).await.unwrap());
    note(&bed, endpoint, Some(health(Standing::Paused, 6))).await;
    assert!(bed.store.pause_untold().await.unwrap().is_empty(), "a failed probe is no new pause");
    note(&bed, endpoint, Some(health(Standing::Open, 7))).await;
    note(&bed, endpoint, Some(health(Standing::Paused, 8))).await;
    assert_eq!(bed.store.pause_untold().await.unwrap(), [endpoint]);
    assert!(bed.store.subscription_fallback_set(ops.id, broken, None).await.unwrap());
    assert!(bed.store.pause_to_tell(endpoint).await.unwrap().is_empty());
}

pub(crate) async fn holds_are_kept_until_they_end<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let scope = bed.store.scope_key("app secret-app-key");
    assert_ne!(scope, bed.store.scope_key("app other"));
    let hold = Hold { scope, reason: Reason::Quota, until: START.plus(Duration::from_secs(60)) };
    bed.store.health_note(Vec::new(), vec![hold]).await.unwrap();
    let longer = Hold { until: START.plus(Duration::from_secs(90)), ..hold };
    bed.store.health_note(Vec::new(), vec![longer]).await.unwrap();
    let bed = bed.crash();
    assert_eq!(bed.store.hold_list().await.unwrap(), [longer]);
    for file in bed.home.files() {
        let bytes = traces::bytes_of(&file);
        assert!(!bytes.windows(14).any(|some| some == b"secret-app-key"), "only a hash is kept");
    }
    bed.clock.advance(Duration::from_secs(90));
    assert!(bed.store.hold_list().await.unwrap().is_empty());
    let other =
        Hold { scope: bed.store.scope_key("app other"), until: START.plus(Duration::from_secs(900)), ..hold };
    bed.store.health_note(Vec::new(), vec![other]).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM hold"), 1, "what ended is forgotten");
}
