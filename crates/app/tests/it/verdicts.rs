//! Every answer that the platforms are known to give when they do not take a message.

use std::sync::Arc;

use carillon_simulator::{Act, Robot, Running};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chats::{self, dingtalk_url, feishu_url, wecom_url};
use crate::client::Api;
use crate::harness::{Start, all, home};

#[derive(Debug, Clone, Deserialize)]
struct Given {
    protocol: String,
    kind: String,
    status: u16,
    body: String,
    code: Option<String>,
    outcome: String,
}

fn robot(platforms: &Running, given: &Given, token: &str) -> String {
    let (robot, url) = match given.protocol.as_str() {
        "dingding" => (Robot::dingtalk(token, token), dingtalk_url(token)),
        "feishu" => (Robot::feishu(token, token), feishu_url(token)),
        _ => (Robot::wecom(token, token), wecom_url(token)),
    };
    platforms.add_robot(robot);
    let act = Act::Answer { status: given.status, headers: Vec::new(), body: given.body.clone() };
    platforms.script(token, act, None);
    url
}

async fn judged(api: Api, platforms: Arc<Running>, given: Given, number: usize) {
    let token = format!("answered-robot-{number:04}");
    let url = robot(&platforms, &given, &token);
    let topic = api.create_topic(&format!("answer-{number}")).await;
    api.subscribe(&topic, &json!({ "protocol": given.protocol, "endpoint": url })).await;
    let message = api.publish(&topic, &json!({ "subject": "s", "message": "hello" })).await;
    let deliveries = api.attempted(&message).await;
    let [delivery] = deliveries.as_slice() else { panic!("{} deliveries", deliveries.len()) };
    assert_ne!(delivery["state"], "delivered", "{given:?}");
    let attempt = &delivery["attempts"][0];
    let context = format!("{}: {given:?} {attempt:#}", given.kind);
    assert_eq!(attempt["outcome"], given.outcome.as_str(), "{context}");
    assert_eq!(attempt["platform_code"].as_str(), given.code.as_deref(), "{context}");
    assert!(!attempt["advice"]["en"].as_str().unwrap().is_empty(), "{context}");
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    assert!(attempt["advice"]["zh"].as_str().unwrap().chars().any(is_chinese), "{context}");
    let ended = matches!(given.outcome.as_str(), "refused" | "misconfigured");
    assert_eq!(delivery["state"] == "failed", ended, "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_known_refusal_counts_as_delivered() {
    let home = home();
    let platforms = Arc::new(chats::start().await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.user();
    let given: Vec<Given> = serde_json::from_str(include_str!("../data/answers.json")).unwrap();
    assert!(given.len() > 40);
    // What bans this machine's address keeps all other messages from that platform too, and so comes last.
    let (bans, given): (Vec<_>, Vec<_>) =
        given.into_iter().enumerate().partition(|(_, given)| given.code.as_deref() == Some("1111"));
    assert_eq!(bans.len(), 1);
    for given in [given, bans] {
        let judge = |(number, given)| judged(api.clone(), Arc::clone(&platforms), given, number);
        all(given.into_iter().map(judge)).await;
    }
    assert!(platforms.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rude_far_ends_are_never_delivered_to() {
    let acts = [
        (Act::Garbage, "unknown"),
        (Act::Drop, "unknown"),
        (Act::Gone, "unknown"),
        (Act::Huge { megabytes: 1 }, "unknown"),
        (Act::Hang, "unknown"),
        (Act::LoseAnswer, "unknown"),
        (Act::Code { code: "123456".to_owned(), text: "new".to_owned() }, "refused"),
        (
            Act::Answer {
                status: 302,
                headers: vec![("Location".to_owned(), "http://127.0.0.1:1/".to_owned())],
                body: String::new(),
            },
            "unknown",
        ),
        (Act::Answer { status: 503, headers: Vec::new(), body: String::new() }, "later"),
    ];
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).flag("--platform-timeout", &1).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("rude").await;
    for (number, (act, _)) in acts.iter().enumerate() {
        let token = format!("rude-robot-{number:04}");
        platforms.add_robot(Robot::dingtalk(&token, &token));
        platforms.script(&token, act.clone(), None);
        api.subscribe(&topic, &json!({ "protocol": "dingding", "endpoint": dingtalk_url(&token) })).await;
    }
    let message = api.publish(&topic, &json!({ "message": "hello" })).await;
    let deliveries = api.attempted(&message).await;
    assert_eq!(deliveries.len(), acts.len());
    for (delivery, (act, outcome)) in deliveries.iter().zip(acts) {
        let attempt: &Value = &delivery["attempts"][0];
        assert_eq!(attempt["outcome"], outcome, "{act:?} {delivery:#}");
        assert_ne!(delivery["state"], "delivered", "{act:?}");
        assert!(!attempt["advice"]["zh"].as_str().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_twice_is_marked_or_not_tried_again() {
    let platforms = chats::start().await;
    for (again, state, shown) in [("true", "delivered", 2), ("false", "failed", 1)] {
        let home = home();
        platforms.clear_received();
        let start = Start::new().led_to(&platforms).flag("--again-after-unknown", again);
        let server = start.at(home.path()).await;
        let api = server.user();
        let topic = api.create_topic("ops").await;
        let body = json!({ "protocol": "wechat", "endpoint": wecom_url(chats::WECOM_KEY) });
        api.subscribe(&topic, &body).await;
        platforms.script(chats::WECOM_KEY, Act::LoseAnswer, Some(1));
        let message = api.publish(&topic, &json!({ "message": "hello" })).await;
        let deliveries = api.settled(&message).await;
        assert_eq!(
            (&deliveries[0]["state"], &deliveries[0]["attempts"][0]["outcome"]),
            (&json!(state), &json!("unknown"))
        );
        assert_eq!(deliveries[0]["may_be_double"], state == "delivered", "{deliveries:#?}");
        assert_eq!(platforms.received().len(), shown);
        let explained = api.get(&format!("/api/v1/explain?message_id={message}")).await.expect(200).text();
        assert_eq!(explained.contains("may have arrived twice"), state == "delivered", "{explained}");
        if state == "delivered" {
            assert!(explained.contains("可能重复送达"), "{explained}");
        }
    }
}
