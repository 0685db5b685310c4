//! The delivery log of topics with log tanks.

use serde_json::{Value, json};

use crate::chats;
use crate::client::smn;
use crate::harness::{PROJECT, Start, home, until};

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_topic_with_a_log_tank_are_logged() {
    let home = home();
    let platforms = chats::start().await;
    let log = home.path().join("deliveries.log");
    let server =
        Start::new().led_to(&platforms).flag("--delivery-log", log.to_str().unwrap()).at(home.path()).await;
    let api = server.user();
    let (topic, quiet) = (api.create_topic("ops").await, api.create_topic("quiet").await);
    for topic in [&topic, &quiet] {
        for (_chat, body) in chats::subscriptions() {
            api.subscribe(topic, &body).await;
        }
    }
    let names = json!({ "log_group_id": "group-1", "log_stream_id": "stream-1" });
    api.post(&smn(&format!("topics/{topic}/logtanks")), &names).await.expect(201);
    for topic in [&quiet, &topic] {
        let message = api.publish(topic, &json!({ "message": "hello" })).await;
        api.settled(&message).await;
    }
    let lines = until("a line for each chat", async || {
        let text = std::fs::read_to_string(&log).unwrap();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (lines.len() >= 4).then_some(lines)
    })
    .await;
    assert_eq!(lines.len(), 4, "the other topic has no log tank");
    let mut protocols: Vec<&str> = lines.iter().map(|line| line["protocol_name"].as_str().unwrap()).collect();
    protocols.sort_unstable();
    assert_eq!(protocols, ["dingding", "dingding", "feishu", "wechat"]);
    for line in &lines {
        assert_eq!((&line["status"], &line["project_id"]), (&json!("DELIVERED"), &json!(PROJECT)));
        assert_eq!((&line["topic_urn"], &line["log_group_id"]), (&json!(topic), &json!("group-1")));
        assert!(line["subscriber_urn"].as_str().unwrap().starts_with(&topic));
        let times = [&line["create_time"], &line["send_time"]];
        assert!(times.iter().all(|time| time.as_str().is_some_and(|time| time.ends_with('Z'))), "{line}");
    }
    let text = std::fs::read_to_string(&log).unwrap();
    for secret in [chats::DINGTALK_TOKEN, chats::LARK_TOKEN, chats::WECOM_KEY, chats::CONVERSATION] {
        assert!(!text.contains(secret), "{text}");
    }
}
