//! From a subscription through its confirmation to its end.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;

use crate::bed::{Bed, path_of};

#[tokio::test]
async fn a_subscription_is_confirmed_used_ended_and_taken_up_again() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    let added = bed.subscribe(&topic).await;
    assert_eq!(added.status, StatusCode::CREATED);
    let urn = added.json()["subscription_urn"].as_str().unwrap().to_owned();
    assert_eq!(bed.states(&topic).await, [0]);
    bed.publish(&topic, "before anybody wants it").await;

    let asked = bed.received(1).await.pop().unwrap();
    let (body, headers) = (&asked.raw["body"], &asked.raw["headers"]);
    assert_eq!(body["type"], "SubscriptionConfirmation");
    assert_eq!(headers["x-smn-message-type"], "SubscriptionConfirmation");
    assert_eq!(headers["x-smn-message-id"], body["message_id"]);
    assert_eq!(headers["x-smn-topic-urn"], topic.as_str());
    assert_eq!((headers.get("x-smn-subscription-urn"), headers.get("x-own")), (None, None));
    assert_eq!((body.get("subject"), body.get("unsubscribe_url")), (None, None));
    assert_eq!(
        (&body["signature_version"], &body["timestamp"]),
        (&"v1".into(), &"2025-06-15T15:06:40Z".into())
    );

    let link = path_of(&asked, "subscribe_url");
    for _twice in 0..2 {
        let confirmed = bed.follow(&link, "*/*").await;
        assert_eq!((confirmed.status, confirmed.kind.as_str()), (StatusCode::OK, "application/json"));
        assert_eq!(confirmed.json()["subscription_urn"], urn.as_str());
        assert_eq!(confirmed.json()["request_id"].as_str().unwrap().len(), 32);
    }
    assert_eq!(bed.states(&topic).await, [1]);
    assert_eq!(bed.subscribe(&topic).await.status, StatusCode::OK);

    bed.publish(&topic, "disk full").await;
    let told = bed.received(2).await.pop().unwrap();
    let (body, headers) = (&told.raw["body"], &told.raw["headers"]);
    assert_eq!((body["type"].as_str(), body["subject"].as_str()), (Some("Notification"), Some("Disk")));
    assert_eq!(
        (&headers["x-own"], &headers["x-smn-subscription-urn"]),
        (&"own-1".into(), &urn.as_str().into())
    );
    assert_eq!(body.get("subscribe_url"), None);

    let farewell_link = path_of(&told, "unsubscribe_url");
    for _twice in 0..2 {
        let ended = bed.follow(&farewell_link, "application/json").await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text);
        assert!(ended.json()["message"].is_string());
    }
    assert_eq!(bed.states(&topic).await, [3]);
    bed.publish(&topic, "after the end").await;
    let farewell = bed.received(3).await.pop().unwrap();
    assert_eq!(farewell.raw["body"]["type"], "UnsubscribeConfirmation");
    assert_eq!(farewell.raw["headers"]["x-smn-subscription-urn"], urn.as_str());
    assert_eq!(farewell.raw["headers"].get("x-own"), None);
    assert_eq!(bed.follow(&link, "*/*").await.status, StatusCode::FORBIDDEN, "an older link is dead");
    assert_eq!(bed.follow(&path_of(&farewell, "subscribe_url"), "*/*").await.status, StatusCode::OK);
    assert_eq!(bed.states(&topic).await, [1]);
}

#[tokio::test]
async fn a_link_ends_after_48_hours_and_asking_again_makes_another() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic).await;
    let old = path_of(&bed.received(1).await[0], "subscribe_url");
    bed.clock.advance(Duration::from_secs(48 * 3600));
    let late = bed.follow(&old, "*/*").await;
    assert_eq!((late.status, late.json()["code"].as_str()), (StatusCode::FORBIDDEN, Some("SMN.0022")));
    assert_eq!(bed.states(&topic).await, [0]);
    assert_eq!(bed.subscribe(&topic).await.status, StatusCode::OK);
    let new = path_of(&bed.received(2).await[1], "subscribe_url");
    let twin = new
        .replace("/v2/notifications/subscriptions/subscribe", "/rest/v2/notifications/subscription/confirm");
    assert_ne!(twin, new);
    assert_eq!(bed.follow(&twin, "*/*").await.status, StatusCode::OK);
    assert_eq!(bed.states(&topic).await, [1]);
}

#[tokio::test]
async fn asking_is_throttled() {
    let bed = Bed::idle().await;
    let topic = bed.topic("ops").await;
    for _asked in 0..200 {
        let added = bed.subscribe(&topic).await;
        assert!(added.status.is_success(), "{}", added.text);
    }
    let refused = bed.subscribe(&topic).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (StatusCode::FORBIDDEN, Some("SMN.0078")));
    bed.clock.advance(Duration::from_secs(600));
    assert_eq!(bed.subscribe(&topic).await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_that_was_answered_is_sent_after_a_crash_with_the_same_link() {
    let mut bed = Bed::idle().await;
    let topic = bed.topic("ops").await;
    assert_eq!(bed.subscribe(&topic).await.status, StatusCode::CREATED);
    // As after a kill: what was handed over in memory is gone, and only the store knows of it.
    bed.forget();
    bed.start().await;
    let asked = bed.received(1).await.pop().unwrap();
    assert_eq!(bed.follow(&path_of(&asked, "subscribe_url"), "*/*").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mail_program_may_end_it_and_so_may_its_owner_by_name() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic).await.json()["subscription_urn"].as_str().unwrap().to_owned();
    bed.follow(&path_of(&bed.received(1).await[0], "subscribe_url"), "*/*").await;
    bed.publish(&topic, "disk full").await;
    let link = path_of(&bed.received(2).await[1], "unsubscribe_url");
    let request = Request::post(&link).body(Body::from("List-Unsubscribe=One-Click")).unwrap();
    assert_eq!(bed.answer(request).await.status, StatusCode::OK);
    assert_eq!(bed.states(&topic).await, [3]);

    bed.subscribe(&topic).await;
    assert_eq!(bed.states(&topic).await, [0]);
    let path = format!("/v2/notifications/subscriptions/unsubscribe?subscription_urn={urn}");
    assert_eq!(bed.call("GET", &path, None).await.status, StatusCode::OK);
    assert_eq!(bed.states(&topic).await, [3]);
}

#[tokio::test]
async fn no_answer_of_an_endpoint_brings_a_token_into_the_record() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic).await;
    let asked = bed.received(1).await.pop().unwrap();
    let token = path_of(&asked, "subscribe_url").split(['=', '&']).nth(1).unwrap().to_owned();
    let message = asked.raw["body"]["message_id"].as_str().unwrap().to_owned();
    for path in ["/api/v1/messages".to_owned(), format!("/api/v1/messages/{message}/deliveries")] {
        let shown = bed.call("GET", &path, None).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(!shown.text.contains(&token), "{}", shown.text);
    }
    let listed = bed.call("GET", "/api/v1/messages", None).await.json();
    assert_eq!(listed["messages"][0]["kind"], Value::from("subscription_confirmation"));
}
