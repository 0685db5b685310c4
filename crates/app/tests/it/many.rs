//! A topic with many subscriptions: added in batches of fifty, listed in pages, and everybody gets the message.
//! `scripts/bench ten-thousand` does the same with 10,000 and takes the time.

use std::collections::BTreeSet;

use carillon_simulator::{Robot, Simulator};
use serde_json::{Value, json};

use crate::chats::{LOOPBACK, wecom_url};
use crate::client::smn;
use crate::harness::{PATIENCE, Start, home};

const SUBSCRIPTIONS: usize = 330;

fn key(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_subscriptions_in_batches_and_pages() {
    let robots = (0..SUBSCRIPTIONS).map(|number| Robot::wecom(key(number), number.to_string()));
    let platforms = robots.fold(Simulator::new(), Simulator::robot).start(LOOPBACK).await.unwrap();
    let home = home();
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("many").await;
    let path = smn(&format!("topics/{topic}/subscriptions"));
    let mut added = Vec::new();
    let items: Vec<Value> = (0..SUBSCRIPTIONS)
        .map(|number| json!({ "protocol": "wechat", "endpoint": wecom_url(&key(number)) }))
        .collect();
    for items in items.chunks(50) {
        let answer = api.post(&path, &json!({ "subscriptions": items })).await.expect(201).json();
        for result in answer["subscriptions_result"].as_array().unwrap() {
            assert_eq!(result["http_code"], 201, "{result}");
            added.push(result["subscription_urn"].as_str().unwrap().to_owned());
        }
    }
    let too_many = api.post(&path, &json!({ "subscriptions": items[..51] })).await.expect(400);
    assert_eq!(too_many.at("/code"), "SMN.0043");

    let mut listed: Vec<String> = Vec::new();
    loop {
        let page = api.get(&format!("{path}?limit=100&offset={}", listed.len())).await.expect(200).json();
        assert_eq!(page["subscription_count"], SUBSCRIPTIONS);
        let page = page["subscriptions"].as_array().unwrap();
        listed.extend(page.iter().map(|it| it["subscription_urn"].as_str().unwrap().to_owned()));
        if page.is_empty() {
            break;
        }
    }
    // Those of one millisecond stand in the order of their ids.
    added.sort();
    assert!(listed == added, "oldest first, each once; {} of {}", listed.len(), added.len());

    let message = api.publish(&topic, &json!({ "message": "to everybody" })).await;
    let received = platforms.received_at_least(SUBSCRIPTIONS, PATIENCE).await;
    let chats: BTreeSet<&str> = received.iter().map(|it| it.chat.as_str()).collect();
    assert_eq!((received.len(), chats.len()), (SUBSCRIPTIONS, SUBSCRIPTIONS));
    let deliveries = api.settled(&message).await;
    assert_eq!(deliveries.iter().filter(|it| it["state"] == "delivered").count(), deliveries.len());
}
