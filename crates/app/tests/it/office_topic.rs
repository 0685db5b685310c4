//! `office` subscriptions of a topic: a member, a department, a group, a chat. Who they come down to is settled when a message
//! is sent.

use std::collections::BTreeMap;

use carillon_simulator::Platform;
use serde_json::{Value, json};

use crate::client::{Api, Auth, smn};
use crate::harness::{Start, home};
use crate::office::{APP_ID, app, connect, ended, start_with, update};

/// How often each chat was shown something; chats of people are named after them.
fn shown(platforms: &carillon_simulator::Running) -> BTreeMap<String, usize> {
    let mut shown = BTreeMap::new();
    for one in platforms.received() {
        *shown.entry(one.chat).or_default() += 1;
    }
    shown
}

fn names(numbers: &[usize], more: &[&str]) -> BTreeMap<String, usize> {
    let members = numbers.iter().map(|number| format!("Member {number}"));
    members.chain(more.iter().map(|&name| name.to_owned())).map(|name| (name, 1)).collect()
}

fn states(deliveries: &[Value]) -> BTreeMap<&str, usize> {
    let mut states = BTreeMap::new();
    for delivery in deliveries {
        *states.entry(delivery["state"].as_str().unwrap()).or_default() += 1;
    }
    states
}

async fn publish(api: &Api, topic: &str, text: &str) -> Vec<Value> {
    let message = api.publish(topic, &json!({ "subject": "s", "message": text })).await;
    ended(api, &message).await
}

async fn subscribe(api: &Api, topic: &str, connection: &str, what: &str) -> String {
    let endpoint = format!("office:{connection}:{what}");
    api.subscribe(topic, &json!({ "protocol": "office", "endpoint": endpoint })).await
}

async fn group(api: &Api, connection: &str, members: &[&str]) {
    let parts: Vec<Value> = members.iter().map(|id| json!({ "kind": "member", "id": id })).collect();
    let body = json!({ "name": "on call", "parts": parts });
    api.post(&format!("/api/v1/connections/{connection}/groups"), &body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_of_a_topic_gets_a_message_once() {
    let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    update(&api, &connection).await;
    group(&api, &connection, &["u00002", "u00010"]).await;
    let topic = api.create_topic("office").await;
    // Department 110 has 111 below it; members go round over the twelve departments, so each has five.
    let everyone =
        ["member:u00001", "department:110", "group:on call", "chat:oc_office_chat_1", "member:u00010"];
    for what in everyone {
        subscribe(&api, &topic, &connection, what).await;
    }
    let below = [10, 11, 22, 23, 34, 35, 46, 47, 58, 59];
    let all: Vec<usize> = below.iter().chain(&[1, 2]).copied().collect();

    let to: Vec<Value> = everyone
        .iter()
        .map(|what| what.split_once(':').unwrap())
        .map(|(kind, id)| json!({ "kind": kind, "id": id }))
        .collect();
    let preview = json!({ "connection_id": connection, "to": to });
    let preview = api.post("/api/v1/pushes/preview", &preview).await.expect(200).json();
    assert_eq!((preview["heads"].as_u64(), &preview["unreachable"]), (Some(13), &json!([])), "{preview}");

    let deliveries = publish(&api, &topic, "first").await;
    assert_eq!(states(&deliveries), BTreeMap::from([("delivered", 13)]), "{deliveries:?}");
    assert_eq!(shown(&platforms), names(&all, &["Release room"]));

    // Who joined since the last message gets the next one, who moved out does not, who has left has a delivery that says so.
    platforms.clear_received();
    platforms.change_office(APP_ID, |app| {
        let mut joined = app.members[0].clone();
        (joined.id, joined.name) = ("u90000".to_owned(), "Member 90000".to_owned());
        joined.departments = vec!["111".to_owned()];
        app.members.push(joined);
        app.members[58].departments = vec!["100".to_owned()];
        app.members.retain(|member| member.id != "u00002");
    });
    assert_eq!(update(&api, &connection).await["state"], "done");
    let deliveries = publish(&api, &topic, "second").await;
    assert_eq!(states(&deliveries), BTreeMap::from([("delivered", 12), ("failed", 1)]), "{deliveries:?}");
    let failed = deliveries.iter().find(|one| one["state"] == "failed").unwrap();
    assert_eq!(failed["attempts"][0]["reason"], "recipient", "{failed}");
    let now = [10, 11, 22, 23, 34, 35, 46, 47, 59, 1, 90_000];
    assert_eq!(shown(&platforms), names(&now, &["Release room"]));

    let to = json!([{ "kind": "group", "id": "on call" }, { "kind": "department", "id": "999" }, { "kind": "member", "id": "u00002" }]);
    let preview = json!({ "connection_id": connection, "to": to });
    let preview = api.post("/api/v1/pushes/preview", &preview).await.expect(200).json();
    let reasons: Vec<&str> = preview["unreachable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert_eq!((preview["heads"].as_u64(), reasons), (Some(1), vec!["gone", "no_department"]), "{preview}");
}

/// Silence would look like success: what comes down to nobody has a delivery that says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_reaches_nobody_says_so() {
    let (home, platforms) = (home(), start_with(app(Platform::Wecom)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Wecom).await;
    update(&api, &connection).await;
    let topic = api.create_topic("office").await;
    group(&api, &connection, &["u00001"]).await;
    for what in ["department:999", "group:on call", "member:u00003"] {
        subscribe(&api, &topic, &connection, what).await;
    }
    let groups = format!("/api/v1/connections/{connection}/groups");
    let id = api.get(&groups).await.expect(200).at("/groups/0/id");
    api.delete(&format!("{groups}/{id}"), None).await.expect(200);
    let deliveries = publish(&api, &topic, "one").await;
    assert_eq!(states(&deliveries), BTreeMap::from([("delivered", 1), ("failed", 2)]), "{deliveries:?}");
    assert_eq!(shown(&platforms), names(&[3], &[]));

    api.delete(&format!("/api/v1/connections/{connection}"), None).await.expect(200);
    let deliveries = publish(&api, &topic, "two").await;
    assert_eq!(states(&deliveries), BTreeMap::from([("failed", 3)]), "{deliveries:?}");
    for one in &deliveries {
        assert_eq!(one["attempts"][0]["reason"], "recipient", "{one}");
    }
    let urns: Vec<String> =
        deliveries.iter().map(|one| one["subscription_urn"].as_str().unwrap().to_owned()).collect();
    for urn in urns {
        api.delete(&smn(&format!("subscriptions/{urn}")), None).await.expect(200);
    }
}
