//! Before something is done: a dry run of a publish, and numbers of what happened.

use axum::http::StatusCode;
use carillon_model::Channel;
use carillon_store::tally::What;
use serde_json::json;

use crate::harness::{Bed, PROJECT, key};

#[tokio::test]
async fn a_dry_run_tells_who_would_get_it_in_how_many_parts_and_publishes_nothing() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, &key(1)).await;
    bed.subscribe(&topic, &key(2)).await;
    let body = json!({ "topic": "ops", "title": "Disk", "text": "w".repeat(6000) });
    let answer = bed.post("/api/v1/messages/preview", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!((answer.body["recipients"].as_u64(), answer.body["subscribed"].as_u64()), (Some(2), Some(2)));
    let channels = answer.body["channels"].as_array().unwrap();
    let wecom = channels.iter().find(|it| it["channel"] == "wecom").unwrap();
    assert_eq!(wecom["recipients"], 2);
    assert!(wecom["parts"].as_array().unwrap().len() > 1, "it is too long for one");
    let lark = channels.iter().find(|it| it["channel"] == "lark").unwrap();
    assert_eq!((lark["recipients"].as_u64(), lark["parts"].as_array().unwrap().len()), (Some(0), 1));
    assert!(bed.handed().is_empty());
    assert_eq!(bed.get("/api/v1/messages").await.body["messages"], json!([]));
    // What a publish would refuse is refused.
    for body in [json!({ "topic": "ops" }), json!({ "topic": "ops", "text": "x", "time_to_live": 0 })] {
        assert_eq!(bed.post("/api/v1/messages/preview", body).await.status, StatusCode::BAD_REQUEST);
    }
    let answer = bed.post("/api/v1/messages/preview", json!({ "topic": "none", "text": "x" })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_test_message_is_refused_as_the_subscription_would_be() {
    let bed = Bed::fresh().await;
    bed.topic("ops").await;
    for (body, field) in [
        (
            json!({ "protocol": "feishu", "endpoint": "https://open.feishu.cn/open-apis/bot/v2/hook/1" }),
            "topic_urn",
        ),
        (json!({ "topic": "ops", "protocol": "feishu", "endpoint": "https://example.com/" }), "endpoint"),
        (json!({ "topic": "ops", "protocol": "sms", "endpoint": "1" }), "protocol"),
    ] {
        let answer = bed.post("/api/v1/subscriptions/test", body).await;
        assert_eq!((answer.status, answer.text("/field")), (StatusCode::BAD_REQUEST, field), "{answer:?}");
    }
}

#[tokio::test]
async fn what_happened_is_told_in_steps() {
    let bed = Bed::fresh().await;
    let project = carillon_model::id::ProjectId::parse(PROJECT).unwrap();
    bed.store.tally_add(&project, What::Attempts(Channel::Wecom, "accepted"), 3);
    bed.store.tally_add(&project, What::Messages, 2);
    let answer = bed.get("/api/v1/traffic?hours=1").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body["step_seconds"], 300);
    let messages = answer.body["messages"].as_array().unwrap();
    assert_eq!((messages.len(), messages.last().unwrap().as_u64()), (12, Some(2)));
    let channel = &answer.body["channels"][0];
    assert_eq!((channel["channel"].as_str(), channel["accepted"][11].as_u64()), (Some("wecom"), Some(3)));
    for hours in ["0", "169", "x"] {
        let answer = bed.get(&format!("/api/v1/traffic?hours={hours}")).await;
        assert_eq!((answer.status, answer.text("/field")), (StatusCode::BAD_REQUEST, "since"), "{hours}");
    }
}
