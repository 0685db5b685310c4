use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Bed, key, smn};

async fn publish(bed: &Bed, text: &str) -> Value {
    bed.tick();
    let body = json!({ "topic": "ops", "text": text });
    let answer = bed.call_with("POST", "/api/v1/messages", Some(body), &[]).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    answer.body
}

#[tokio::test]
async fn a_topic_leaves_equal_messages_out_and_says_so() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let subscription = bed.subscribe(&topic, &key(1)).await;
    let path = "/api/v1/topics/ops/suppression";
    assert_eq!(bed.get(path).await.body, json!({ "seconds": 0 }));
    let first = publish(&bed, "disk full").await;
    let second = publish(&bed, "disk full").await;
    assert_eq!((&first["deliveries"], &second["deliveries"]), (&json!(1), &json!(1)), "not unless it is set");
    let set = bed.call_with("PUT", path, Some(json!({ "seconds": 300 })), &[]).await;
    assert_eq!((set.status, set.body), (StatusCode::OK, json!({ "seconds": 300 })));
    let sent = publish(&bed, "disk full").await;
    assert_eq!((&sent["deliveries"], &sent["equal_to"]), (&json!(1), &Value::Null));
    let left_out = publish(&bed, "disk full").await;
    assert_eq!((&left_out["deliveries"], &left_out["equal_to"]), (&json!(0), &sent["message_id"]));
    // SMN's publish is answered as ever.
    bed.tick();
    let body = json!({ "message": "disk full" });
    let over_smn = bed.call_with("POST", &smn(&format!("topics/{topic}/publish")), Some(body), &[]).await;
    assert_eq!(over_smn.status, StatusCode::OK);
    let shown = bed.get(&format!("/api/v1/messages/{}", sent["message_id"].as_str().unwrap())).await.body;
    assert_eq!((&shown["equal_to"], &shown["suppressed"]), (&Value::Null, &json!(2)));
    let id = over_smn.text("/message_id");
    let shown = bed.get(&format!("/api/v1/messages/{id}")).await.body;
    assert_eq!((&shown["equal_to"], &shown["suppressed"]), (&sent["message_id"], &json!(0)));
    let why = bed.get(&format!("/api/v1/explain?message_id={id}&subscription_urn={subscription}")).await;
    let why = &why.body["explanations"][0];
    assert_eq!((&why["verdict"], &why["cause"]), (&json!("never_addressed"), &json!("suppressed")), "{why}");
    bed.clock.advance(std::time::Duration::from_secs(300));
    assert_eq!(publish(&bed, "disk full").await["deliveries"], json!(1));
}

#[tokio::test]
async fn what_is_no_time_is_refused_with_the_rule() {
    let bed = Bed::fresh().await;
    bed.topic("ops").await;
    let path = "/api/v1/topics/ops/suppression";
    for body in [json!({ "seconds": 86_401 }), json!({ "seconds": u64::MAX })] {
        let refused = bed.call_with("PUT", path, Some(body), &[]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.text("/field"), "seconds");
        assert!(refused.text("/message").contains("86400"), "{}", refused.text("/message"));
    }
    for body in [json!({ "seconds": -1 }), json!({}), json!({ "seconds": 1, "minutes": 1 })] {
        assert_eq!(bed.call_with("PUT", path, Some(body), &[]).await.status, StatusCode::BAD_REQUEST);
    }
    let nobodys = bed.call_with("PUT", "/api/v1/topics/none/suppression", Some(json!({ "seconds": 1 })), &[]);
    assert_eq!(nobodys.await.status, StatusCode::NOT_FOUND);
}
