use axum::http::StatusCode;
use carillon_model::delivery::DeliveryState;
use serde_json::{Value, json};

use crate::harness::{Bed, key};

async fn state(bed: &Bed, id: &str) -> String {
    bed.get(&format!("/api/v1/deliveries/{id}")).await.text("/state").to_owned()
}

async fn one(bed: &Bed, id: &str, verb: &str, body: Option<Value>) -> (StatusCode, Value) {
    let answer = bed.call_with("POST", &format!("/api/v1/deliveries/{id}/{verb}"), body, &[]).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn one_delivery_is_cancelled_and_resent() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, &key(1)).await;
    let id = format!("{}-1", bed.publish(&topic, "disk full").await);
    let (status, body) = one(&bed, &id, "resend", None).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    let done = (StatusCode::OK, json!({ "cancelled": 1, "next": null }));
    assert_eq!(one(&bed, &id, "cancel", None).await, done);
    assert_eq!(state(&bed, &id).await, "cancelled");
    let (status, body) = one(&bed, &id, "cancel", None).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    let (status, body) = one(&bed, &id, "resend", Some(json!({ "time_to_live": 0 }))).await;
    assert_eq!((status, body["field"].as_str()), (StatusCode::BAD_REQUEST, Some("time_to_live")));
    let done = (StatusCode::OK, json!({ "resent": 1, "next": null }));
    assert_eq!(one(&bed, &id, "resend", Some(json!({ "time_to_live": 60 }))).await, done);
    assert_eq!(state(&bed, &id).await, "pending");
}

#[tokio::test]
async fn one_being_sent_is_a_conflict_and_one_unknown_is_not_found() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic, &key(1)).await;
    let message = bed.publish(&topic, "disk full").await;
    let ready = bed.handed().remove(0);
    bed.begin(&ready).await;
    let id = format!("{message}-1");
    for verb in ["cancel", "resend"] {
        let (status, body) = one(&bed, &id, verb, None).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(body["message"].as_str().unwrap().contains("sending"), "{body}");
        let (status, body) = one(&bed, &format!("{message}-9"), verb, None).await;
        assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some("delivery_not_found")));
        assert_eq!(one(&bed, "nonsense", verb, None).await.0, StatusCode::BAD_REQUEST);
    }
    bed.end(&ready, DeliveryState::Failed).await;
    bed.call_with("DELETE", &crate::harness::smn(&format!("subscriptions/{urn}")), None, &[]).await;
    let (status, body) = one(&bed, &id, "resend", None).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::CONFLICT, Some("no_target")));
}

#[tokio::test]
async fn filters_move_what_fits_in_portions() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic, &key(1)).await;
    for text in ["a", "b", "c"] {
        bed.publish(&topic, text).await;
    }
    let first = bed.post("/api/v1/deliveries/cancel", json!({ "topic": "ops", "limit": 2 })).await;
    assert_eq!(first.body["cancelled"], 2);
    let next = first.text("/next");
    let rest =
        bed.post("/api/v1/deliveries/cancel", json!({ "topic": "ops", "limit": 2, "after": next })).await;
    assert_eq!(rest.body, json!({ "cancelled": 1, "next": null }));
    let body = json!({ "subscription_urn": urn, "state": "cancelled", "since": "2025-01-01T00:00:00Z" });
    let resent = bed.post("/api/v1/deliveries/resend", body).await;
    assert_eq!(resent.body, json!({ "resent": 3, "next": null }));
}

#[tokio::test]
async fn a_filter_that_breaks_a_rule_moves_nothing_and_is_told_why() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, &key(1)).await;
    let id = format!("{}-1", bed.publish(&topic, "disk full").await);
    let cases = [
        (json!({}), "body"),
        (json!({ "limit": 5 }), "body"),
        (json!({ "colour": "red" }), "body"),
        (json!({ "state": "delivered" }), "state"),
        (json!({ "state": "cancelled" }), "state"),
        (json!({ "topic": "ops", "limit": 0 }), "limit"),
        (json!({ "topic": "ops", "limit": 1001 }), "limit"),
        (json!({ "topic": "ops", "after": "x" }), "id"),
        (json!({ "message_id": "x" }), "message_id"),
        (json!({ "reason": "bad luck" }), "reason"),
        (json!({ "since": "yesterday" }), "since"),
        (json!({ "until": "tomorrow" }), "until"),
        (json!({ "topic": "ops", "time_to_live": 5 }), "time_to_live"),
    ];
    for (body, field) in cases {
        let refused = bed.post("/api/v1/deliveries/cancel", body.clone()).await;
        assert_eq!((refused.status, refused.text("/field")), (StatusCode::BAD_REQUEST, field), "{body}");
    }
    assert_eq!(state(&bed, &id).await, "pending");
}

#[tokio::test]
async fn dead_letters_are_listed_in_pages() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, &key(1)).await;
    let mut ids = Vec::new();
    for text in ["a", "b"] {
        ids.push(format!("{}-1", bed.publish(&topic, text).await));
    }
    bed.post("/api/v1/deliveries/cancel", json!({ "topic": "ops" })).await;
    let page = bed.get("/api/v1/deliveries").await;
    assert_eq!(
        page.body,
        json!({ "deliveries": [], "next": null }),
        "what somebody cancelled is no dead letter"
    );
    let first = bed.get("/api/v1/deliveries?state=cancelled&topic=ops&limit=1").await;
    assert_eq!(first.text("/deliveries/0/id"), ids[1]);
    let next = format!("/api/v1/deliveries?state=cancelled&limit=1&after={}", first.text("/next"));
    let last = bed.get(&next).await;
    assert_eq!((last.text("/deliveries/0/id"), &last.body["next"]), (ids[0].as_str(), &Value::Null));
    for (query, field) in [
        ("state=delivered", "state"),
        ("reason=luck", "reason"),
        ("since=yesterday", "since"),
        ("after=x", "id"),
        ("limit=0", "limit"),
        ("message_id=x", "message_id"),
    ] {
        let refused = bed.get(&format!("/api/v1/deliveries?{query}")).await;
        assert_eq!((refused.status, refused.text("/field")), (StatusCode::BAD_REQUEST, field), "{query}");
    }
}

#[test]
fn every_new_path_is_in_the_document() {
    let document: Value = serde_json::from_str(&carillon_web::api::document()).unwrap();
    for (path, method) in [
        ("/api/v1/deliveries", "get"),
        ("/api/v1/deliveries/{delivery_id}/resend", "post"),
        ("/api/v1/deliveries/{delivery_id}/cancel", "post"),
        ("/api/v1/deliveries/resend", "post"),
        ("/api/v1/deliveries/cancel", "post"),
        ("/api/v1/explain", "get"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
}
