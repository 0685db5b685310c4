use std::num::NonZeroU64;
use std::time::Duration;

use carillon_model::quota::Quotas;
use serde_json::json;

use crate::harness::{Door, refused};

async fn door(quotas: Quotas) -> Door {
    let most = quotas.publishes_per_minute;
    Door::open_with(quotas, |service| service.with_publishes_per_minute(most)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_are_the_operators() {
    let door = door(Quotas { topics: 2, subscriptions: 2, templates: 1, ..Quotas::default() }).await;
    let urn = door.topic("one").await;
    door.topic("two").await;
    let third = door.call("POST", "notifications/topics", &json!({ "name": "three" })).await;
    refused(&third, 403, "SMN.0004");
    let (status, _again) = door.call("POST", "notifications/topics", &json!({ "name": "one" })).await;
    assert_eq!(status, 200);

    door.robot(&urn, "0123456789abcdef").await;
    door.robot(&urn, "0123456789abcdee").await;
    let robot = |hook: &str| {
        let endpoint = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{hook}");
        json!({ "protocol": "feishu", "endpoint": endpoint })
    };
    let path = format!("notifications/topics/{urn}/subscriptions");
    refused(&door.call("POST", &path, &robot("0123456789abcded")).await, 403, "SMN.0007");
    let (status, _again) = door.call("POST", &path, &robot("0123456789abcdef")).await;
    assert_eq!(status, 200);

    let template = |name: &str| json!({ "message_template_name": name, "content": "x" });
    let (status, _made) = door.call("POST", "notifications/message_template", &template("a")).await;
    assert_eq!(status, 201);
    let second = door.call("POST", "notifications/message_template", &template("b")).await;
    refused(&second, 400, "SMN.0044");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_takes_so_many_messages_within_a_minute() {
    let quotas = Quotas { publishes_per_minute: NonZeroU64::new(3), ..Quotas::default() };
    let door = door(quotas).await;
    let (busy, calm) = (door.topic("busy").await, door.topic("calm").await);
    let message = json!({ "message": "x" });
    let publish =
        async |urn: &str| door.call("POST", &format!("notifications/topics/{urn}/publish"), &message).await;
    for _message in 0..3 {
        assert_eq!(publish(&busy).await.0, 200);
    }
    // What breaks a rule does not count, and is told so.
    let bad =
        door.call("POST", &format!("notifications/topics/{busy}/publish"), &json!({ "message": "" })).await;
    refused(&bad, 403, "SMN.0009");
    let fast = publish(&busy).await;
    refused(&fast, 429, "APIG.0308");
    assert!(fast.1["message"].as_str().unwrap().ends_with("limit:3,time:1 minute"));
    assert_eq!(publish(&calm).await.0, 200);
    let own = json!({ "topic": "busy", "text": "x" });
    let (status, said) = door.call_with("POST", "/api/v1/messages", &[], &own).await;
    assert_eq!((status.as_u16(), &said["code"]), (429, &json!("too_fast")));
    door.clock.advance(Duration::from_secs(60));
    assert_eq!(publish(&busy).await.0, 200);
}
