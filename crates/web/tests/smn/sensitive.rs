//! Words that the operator keeps out of messages, by every door that a text comes in.

use carillon_model::quota::Quotas;
use serde_json::json;

use crate::harness::{Door, refused};

const WORD: &str = "绝密";

async fn door() -> Door {
    Door::open_with(Quotas::default(), |service| service.with_sensitive_words(&[WORD.to_owned()])).await
}

#[tokio::test]
async fn no_door_lets_a_sensitive_word_in() {
    let door = door().await;
    let topic = door.topic("ops").await;
    let replaced = json!({ "message_id": "0".repeat(32), "replace": { "markdown": format!("{WORD}文件") } });
    for (path, body) in [
        ("messages", json!({ "topic": topic, "text": format!("这是{WORD}文件") })),
        ("messages", json!({ "topic": topic, "title": WORD, "text": "disk full" })),
        ("messages/preview", json!({ "topic": topic, "text": WORD })),
        ("recalls", replaced),
    ] {
        let (status, answer) = door.call_with("POST", &format!("/api/v1/{path}"), &[], &body).await;
        assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("sensitive_words")), "{path}: {answer}");
        assert!(!answer.to_string().contains(WORD), "the list is the operator's: {answer}");
    }
    let publish = format!("notifications/topics/{topic}/publish");
    refused(&door.call("POST", &publish, &json!({ "message": WORD })).await, 400, "SMN.0227");
    let template = json!({ "message_template_name": "t", "protocol": "default", "content": "about {what}" });
    let made = door.call("POST", "notifications/message_template", &template).await;
    assert_eq!(made.0.as_u16(), 201, "{made:?}");
    let by = json!({ "message_template_name": "t", "tags": { "what": WORD } });
    refused(&door.call("POST", &publish, &by).await, 400, "SMN.0227");
    let plain = json!({ "topic": topic, "text": "disk full" });
    assert_eq!(door.call_with("POST", "/api/v1/messages", &[], &plain).await.0.as_u16(), 201);
}
