use axum::http::StatusCode;
use carillon_model::delivery::DeliveryState;
use serde_json::{Value, json};

use crate::harness::{Bed, key, smn};

async fn explain(bed: &Bed, message: &str, subscription: &str) -> Value {
    let path = format!("/api/v1/explain?message_id={message}&subscription_urn={subscription}");
    let mut answer = bed.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let explanation = answer.body["explanations"][0].take();
    for language in ["en", "zh"] {
        assert!(!explanation["sentence"][language].as_str().unwrap().is_empty(), "{explanation}");
    }
    explanation
}

fn told(explanation: &Value) -> (&str, Option<&str>) {
    (explanation["verdict"].as_str().unwrap(), explanation["cause"].as_str())
}

#[tokio::test]
async fn a_delivery_is_explained_in_each_state() {
    use DeliveryState as S;
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic, &key(1)).await;
    let before = bed.publish(&topic, "first").await;
    let message = bed.publish(&topic, "second").await;
    let ready = bed.handed().remove(1);
    let waiting = explain(&bed, &message, &urn).await;
    assert_eq!(told(&waiting), ("waiting", None));
    assert_eq!(waiting["before"], 1);
    bed.begin(&ready).await;
    assert_eq!(told(&explain(&bed, &message, &urn).await), ("sending", None));
    bed.end(&ready, S::Failed).await;
    let failed = explain(&bed, &message, &urn).await;
    assert_eq!(told(&failed), ("failed", None));
    let sentence = failed["sentence"]["en"].as_str().unwrap();
    assert!(sentence.contains("93000 invalid webhook url"), "{sentence}");
    assert!(!failed["advice"]["zh"].as_str().unwrap().is_empty());
    assert_eq!(failed["delivery"]["attempts"][0]["platform_code"], "93000");

    bed.post(&format!("/api/v1/deliveries/{before}-1/cancel"), json!({})).await;
    assert_eq!(told(&explain(&bed, &before, &urn).await), ("cancelled", None));
    let third = bed.publish(&topic, "third").await;
    let ready = bed.handed().remove(0);
    bed.end(&ready, S::Delivered).await;
    let delivered = explain(&bed, &third, &urn).await;
    assert_eq!((told(&delivered), &delivered["advice"]), (("delivered", None), &Value::Null));
    let fourth = bed.publish(&topic, "fourth").await;
    let ready = bed.handed().remove(0);
    bed.end(&ready, S::Expired).await;
    assert_eq!(told(&explain(&bed, &fourth, &urn).await), ("expired", None));

    let fifth = bed.publish(&topic, "fifth").await;
    bed.call_with("DELETE", &smn(&format!("subscriptions/{urn}")), None, &[]).await;
    let gone = explain(&bed, &fifth, &urn).await;
    assert_eq!(told(&gone), ("cancelled", Some("subscription_deleted")));
}

#[tokio::test]
async fn why_a_message_was_never_addressed_is_told() {
    let bed = Bed::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("db").await);
    let early = bed.subscribe(&topic, &key(1)).await;
    let elsewhere = bed.subscribe(&other, &key(2)).await;
    let deleted = bed.subscribe(&topic, &key(3)).await;
    bed.call_with("DELETE", &smn(&format!("subscriptions/{deleted}")), None, &[]).await;
    bed.tick();
    let attributes = json!([{ "name": "p", "type": "PROTOCOL", "value": ["feishu"] }]);
    let body = json!({ "message": "disk full", "message_attributes": attributes });
    let answer = bed.post(&smn(&format!("topics/{topic}/publish")), body).await;
    let message = answer.text("/message_id").to_owned();
    let late = bed.subscribe(&topic, &key(4)).await;
    for (urn, cause) in [
        (&early, "excluded"),
        (&elsewhere, "other_topic"),
        (&deleted, "no_subscription"),
        (&late, "subscribed_later"),
    ] {
        let explanation = explain(&bed, &message, urn).await;
        assert_eq!(told(&explanation), ("never_addressed", Some(cause)));
        assert_eq!(explanation["delivery"], Value::Null);
    }
}

#[tokio::test]
async fn a_filter_policy_that_did_not_match_is_named() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic, &key(1)).await;
    let policy = json!({ "subscription_urn": urn, "filter_polices": [{ "name": "level", "string_equals": ["high"] }] });
    let made = bed.post(&smn("subscriptions/filter_polices"), json!({ "polices": [policy] })).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    bed.tick();
    let attributes = json!([{ "name": "level", "type": "STRING", "value": "low" }]);
    let body = json!({ "message": "disk full", "message_attributes": attributes });
    let answer = bed.post(&smn(&format!("topics/{topic}/publish")), body).await;
    let explanation = explain(&bed, answer.text("/message_id"), &urn).await;
    assert_eq!(told(&explanation), ("never_addressed", Some("filtered")));
}

#[tokio::test]
async fn a_message_is_explained_as_a_whole() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    for number in 0..3 {
        bed.subscribe(&topic, &key(number)).await;
    }
    let message = bed.publish(&topic, "disk full").await;
    let ready = bed.handed();
    bed.end(&ready[0], DeliveryState::Delivered).await;
    bed.end(&ready[1], DeliveryState::Failed).await;
    let page = bed.get(&format!("/api/v1/explain?message_id={message}&limit=2")).await;
    assert_eq!(page.body["counts"]["delivered"], 1);
    assert_eq!(page.body["counts"]["failed"], 1);
    assert_eq!(page.body["counts"]["pending"], 1);
    assert_eq!(page.body["counts"]["expired"], 0);
    assert_eq!(page.text("/next"), "2");
    let rest = bed.get(&format!("/api/v1/explain?message_id={message}&limit=2&after=2")).await;
    assert_eq!(rest.body["explanations"].as_array().unwrap().len(), 1);
    assert_eq!(rest.body["next"], Value::Null);
}

#[tokio::test]
async fn what_is_not_there_or_another_projects_is_refused() {
    let bed = Bed::fresh().await;
    let nowhere = "01a20125d1f17bb5b5a67a4e88575e34";
    let missing = bed.get(&format!("/api/v1/explain?message_id={nowhere}")).await;
    assert_eq!((missing.status, missing.text("/code")), (StatusCode::NOT_FOUND, "message_not_found"));
    let none = bed.get("/api/v1/explain").await;
    assert_eq!((none.status, none.text("/field")), (StatusCode::BAD_REQUEST, "message_id"));
    let topic = bed.topic("ops").await;
    let message = bed.publish(&topic, "disk full").await;
    let theirs = format!("urn:smn:local:someone-else:ops:{nowhere}");
    let refused = bed.get(&format!("/api/v1/explain?message_id={message}&subscription_urn={theirs}")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}
