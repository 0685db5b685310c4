use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Answer, Bed, key, smn};

fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

async fn publish(bed: &Bed, text: &str, header: Option<&str>, field: Option<&str>) -> Answer {
    let body = json!({ "topic": "ops", "text": text, "idempotency_key": field });
    let headers: Vec<(&str, &str)> = header.map(|key| ("Idempotency-Key", key)).into_iter().collect();
    bed.call_with("POST", "/api/v1/messages", Some(body), &headers).await
}

async fn messages(bed: &Bed) -> usize {
    bed.get("/api/v1/messages").await.body["messages"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn the_same_key_is_the_same_publish() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, &key(1)).await;
    let first = publish(&bed, "disk full", Some("deploy-7"), None).await;
    assert_eq!((first.status, replayed(&first)), (StatusCode::CREATED, false));
    bed.subscribe(&topic, &key(2)).await;
    for (header, field) in
        [(Some("deploy-7"), None), (None, Some("deploy-7")), (Some("deploy-7"), Some("deploy-7"))]
    {
        bed.tick();
        let again = publish(&bed, "disk full", header, field).await;
        assert_eq!((again.status, replayed(&again)), (StatusCode::OK, true));
        assert_eq!(again.body, first.body, "the first answer, whoever subscribed since");
    }
    assert_eq!(messages(&bed).await, 1);
    bed.clock.advance(Duration::from_secs(24 * 60 * 60));
    let later = publish(&bed, "disk full", Some("deploy-7"), None).await;
    assert_eq!((later.status, replayed(&later)), (StatusCode::CREATED, false));
    assert_ne!(later.body, first.body);
}

#[tokio::test]
async fn the_same_key_for_another_message_is_refused() {
    let bed = Bed::fresh().await;
    bed.topic("ops").await;
    publish(&bed, "disk full", Some("k"), None).await;
    let other = publish(&bed, "disk empty", Some("k"), None).await;
    assert_eq!(
        (other.status, other.text("/code")),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_conflict")
    );
    assert!(!other.text("/request_id").is_empty());
    assert_eq!(messages(&bed).await, 1);
}

#[tokio::test]
async fn a_wrong_key_is_named_and_not_repeated() {
    let bed = Bed::fresh().await;
    bed.topic("ops").await;
    let long = "x".repeat(129);
    for (header, field) in
        [(None, Some("")), (Some(long.as_str()), None), (None, Some("钥匙")), (Some("one"), Some("two"))]
    {
        let refused = publish(&bed, "disk full", header, field).await;
        assert_eq!((refused.status, refused.text("/field")), (StatusCode::BAD_REQUEST, "idempotency_key"));
        for value in [header, field].into_iter().flatten().filter(|value| value.len() > 3) {
            assert!(!refused.text("/message").contains(value), "{refused:?}");
        }
    }
    assert_eq!(messages(&bed).await, 0);
}

#[tokio::test]
async fn smn_takes_the_header_too() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let path = smn(&format!("topics/{topic}/publish"));
    let publish = async |body: Value| {
        bed.call_with("POST", &path, Some(body), &[("Idempotency-Key", "deploy-7")]).await
    };
    let first = publish(json!({ "message": "disk full" })).await;
    assert_eq!((first.status, replayed(&first)), (StatusCode::OK, false));
    bed.tick();
    let again = publish(json!({ "message": "disk full" })).await;
    assert_eq!((again.status, replayed(&again)), (StatusCode::OK, true));
    assert_eq!(again.text("/message_id"), first.text("/message_id"));
    assert_ne!(again.text("/request_id"), first.text("/request_id"));
    let attributes = json!([{ "name": "level", "type": "STRING", "value": "low" }]);
    for other in [
        json!({ "message": "disk empty" }),
        json!({ "message": "disk full", "message_attributes": attributes }),
    ] {
        let other = publish(other).await;
        assert_eq!((other.status, other.text("/code")), (StatusCode::BAD_REQUEST, "SMN.0009"));
        assert!(other.text("/message").contains("idempotency key"), "{other:?}");
    }
    assert_eq!(messages(&bed).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_with_one_key_publish_one_message() {
    let bed = Arc::new(Bed::fresh().await);
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, &key(1)).await;
    let mut racers = tokio::task::JoinSet::new();
    for _racer in 0..48 {
        let bed = Arc::clone(&bed);
        racers.spawn(async move { publish(&bed, "disk full", Some("race"), None).await });
    }
    let answers = racers.join_all().await;
    let new =
        answers.iter().filter(|answer| answer.status == StatusCode::CREATED && !replayed(answer)).count();
    let again = answers.iter().filter(|answer| answer.status == StatusCode::OK && replayed(answer)).count();
    assert_eq!((new, again), (1, 47));
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    assert_eq!(messages(&bed).await, 1);
    assert_eq!(bed.handed().len(), 1);
}
