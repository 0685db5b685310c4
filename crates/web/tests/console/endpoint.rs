//! Addresses that are in trouble.

use axum::http::StatusCode;
use carillon_model::clock::Timestamp;
use carillon_model::health::{Health, Standing};
use carillon_model::id::EndpointId;
use carillon_model::message::{Body, Content};
use carillon_model::outcome::Reason;
use carillon_service::publish::Publish;
use carillon_store::health::HealthChange;

use crate::harness::{Bed, Browser};

const HOOK: &str =
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-000000000001";

async fn with_address(bed: &Bed) -> (Browser, EndpointId) {
    let mut browser = bed.signed_in("en").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    browser.post("/console/topics/alerts/subscribe/wecom", &[("endpoint", HOOK), ("do", "save")]).await;
    let found = bed.service.list_endpoints(&bed.caller, None, None, 1).await.unwrap();
    (browser, found[0].record.id)
}

async fn note(bed: &Bed, endpoint: EndpointId, standing: Standing) {
    let at = Timestamp(1_750_000_000_000);
    let health = Health {
        standing,
        reason: Reason::TokenUnknown,
        since: at,
        broken_since: Some(at),
        until: Some(at),
        failures: 3,
        probes: 1,
    };
    let changes = vec![HealthChange { endpoint, health: Some(health) }];
    bed.store.health_note(changes, Vec::new()).await.unwrap();
}

#[tokio::test]
async fn an_address_in_trouble_is_found_explained_and_resumed() {
    let bed = Bed::fresh().await;
    let (mut browser, endpoint) = with_address(&bed).await;
    assert!(browser.get("/console").await.words().contains("In trouble 0"));
    assert!(browser.get("/console/endpoints").await.words().contains("Every address is well"));
    let one = format!("/console/endpoints/{endpoint}");
    assert!(!browser.get(&one).await.html.contains("/resume\""), "nothing is to be resumed");

    note(&bed, endpoint, Standing::Failing).await;
    let shown = browser.get("/console").await;
    assert!(shown.words().contains("In trouble 1") && shown.html.contains("tile warn"));
    note(&bed, endpoint, Standing::Paused).await;
    assert!(browser.get("/console").await.html.contains("tile bad"));
    for path in
        ["/console/endpoints", "/console/endpoints?state=paused", "/console/endpoints?state=all", &one]
    {
        let shown = browser.get(path).await;
        let words = shown.words();
        assert!(
            words.contains("****0001") && words.contains("Paused") && words.contains("alerts"),
            "{words}"
        );
        assert!(words.contains("the robot was removed or its webhook was reset"), "{words}");
        assert!(!shown.html.contains("4000-8000"), "{path} shows what must stay secret");
    }
    for state in ["open", "working"] {
        let words = browser.get(&format!("/console/endpoints?state={state}")).await.words();
        assert!(words.contains("No address stands so at present."), "{words}");
    }
    assert_eq!(browser.get("/console/endpoints?state=odd").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get("/console/endpoints/odd").await.status, StatusCode::NOT_FOUND);

    // A delivery for it leads there.
    let urn = bed.service.topic_urn(&bed.caller, "alerts").unwrap();
    let content = Content { default: Body::text("42"), ..Content::default() };
    let publish = Publish { content, ..Publish::default() };
    let message = bed.service.publish(&bed.caller, &urn, publish).await.unwrap().message;
    let delivery = bed.service.list_deliveries(&bed.caller, message, 0, 1).await.unwrap().remove(0);
    let delivery = format!("/console/deliveries/{}", delivery.record.id);
    assert!(browser.get(&delivery).await.html.contains(&one));

    let shown = browser.post(&format!("{one}/resume"), &[]).await;
    assert_eq!(shown.to(), format!("{one}?done=resumed"));
    let words = browser.get(&format!("{one}?done=resumed")).await.words();
    assert!(words.contains("What waits is tried at once.") && words.contains("Working"), "{words}");
    assert!(!browser.get(&delivery).await.html.contains(&one), "an address that is well needs no look");
}
