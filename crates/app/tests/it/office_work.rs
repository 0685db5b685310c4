//! DingTalk's work notifications: chosen by a push, or because there is no robot; what became of each person is asked for.

use carillon_simulator::{Platform, Running};
use serde_json::{Value, json};

use crate::client::{Api, Auth};
use crate::harness::{Server, Start, home};
use crate::office::{app, ended, start_with, typed, update};

async fn ready(home: &std::path::Path, change: impl FnOnce(&mut Value)) -> (Running, Server, Api, String) {
    let platforms = start_with(app(Platform::DingtalkApp)).await;
    let server = Start::new().led_to(&platforms).at(home).await;
    let api = server.api(Auth::token());
    let mut new = typed(Platform::DingtalkApp);
    new["agent_id"] = 1_000_002.into();
    change(&mut new);
    let connection = api.post("/api/v1/connections", &new).await.expect(201).at("/id");
    update(&api, &connection).await;
    (platforms, server, api, connection)
}

fn push(connection: &str, to: &[&str], more: &Value) -> Value {
    let to: Vec<Value> = to.iter().map(|id| json!({ "kind": "member", "id": id })).collect();
    let mut push = json!({ "connection_id": connection, "to": to, "via": "work_notification" });
    push.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    push
}

async fn pushed(api: &Api, push: &Value) -> Vec<Value> {
    let message = api.post("/api/v1/pushes", push).await.expect(202).at("/message_id");
    ended(api, &message).await
}

fn last(delivery: &Value) -> (&str, &str, &str) {
    let attempt = delivery["attempts"].as_array().unwrap().last().unwrap();
    (
        delivery["state"].as_str().unwrap(),
        attempt["reason"].as_str().unwrap(),
        attempt["platform_code"].as_str().unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_has_what_became_of_their_notification() {
    let home = home();
    let (platforms, _server, api, connection) = ready(home.path(), |_new| ()).await;
    platforms.change_office(crate::office::APP_ID, |app| app.members[2].left = true);
    let one =
        push(&connection, &["u00001", "u00002", "stranger"], &json!({ "title": "T", "markdown": "**now**" }));
    let deliveries = pushed(&api, &one).await;
    assert_eq!(last(&deliveries[0]), ("delivered", "ok", "0"), "{deliveries:?}");
    for refused in &deliveries[1..] {
        assert_eq!(last(refused), ("failed", "recipient", "invalid_user_id_list"), "{refused}");
    }
    let shown = platforms.received();
    assert_eq!(
        (shown.len(), shown[0].kind.as_str(), shown[0].chat.as_str()),
        (1, "work_markdown", "Member 1")
    );
    // The same words on the same day are dropped by the platform, and that is told.
    let again =
        pushed(&api, &push(&connection, &["u00001"], &json!({ "title": "T", "markdown": "**now**" }))).await;
    assert_eq!(last(&again[0]), ("failed", "content", "143106"), "{again:?}");

    // Cards, images and files; and taken back.
    let image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x04".to_vec();
    let image =
        api.send_raw(reqwest::Method::POST, "/api/v1/attachments", image, &[]).await.expect(201).at("/id");
    let buttons = json!([{ "text": "Open", "url": "https://ci.example/1" }, { "text": "Log", "url": "https://ci.example/2" }]);
    let more =
        json!({ "title": "Build", "markdown": "red", "buttons": buttons, "images": [{ "id": image }] });
    let message = api
        .post("/api/v1/pushes", &push(&connection, &["u00003"], &more))
        .await
        .expect(202)
        .at("/message_id");
    assert_eq!(last(&ended(&api, &message).await[0]).0, "delivered");
    let kinds: Vec<String> = platforms.received().into_iter().skip(1).map(|one| one.kind).collect();
    assert_eq!(kinds, ["work_action_card", "work_image"]);
    let recalled = api.post("/api/v1/recalls", &json!({ "message_id": message })).await.expect(200).json();
    assert_eq!((recalled["recalled"].as_u64(), platforms.recalled().len()), (Some(1), 2), "{recalled}");
    // Without being asked for it, the robot sends.
    let mut robot = push(&connection, &["u00004"], &json!({ "text": "by robot" }));
    robot.as_object_mut().unwrap().remove("via");
    assert_eq!(last(&pushed(&api, &robot).await[0]).0, "delivered");
    assert_eq!(platforms.received().last().unwrap().kind, "sampleText");

    let long = "words and words ".repeat(400);
    assert_eq!(
        last(&pushed(&api, &push(&connection, &["u00005"], &json!({ "text": long }))).await[0]).0,
        "delivered"
    );
    let mut chat = push(&connection, &["u00006"], &json!({ "text": "x" }));
    chat["to"][0] = json!({ "kind": "chat", "id": "oc_office_chat_1" });
    assert_eq!(api.post("/api/v1/pushes", &chat).await.expect(400).at("/field"), "to");
    let mut way = push(&connection, &["u00006"], &json!({ "text": "x" }));
    way["via"] = "pigeon".into();
    assert_eq!(api.post("/api/v1/pushes", &way).await.expect(400).at("/field"), "message");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_robot_people_are_notified() {
    let home = home();
    let (platforms, _server, api, connection) = ready(home.path(), |new| {
        new.as_object_mut().unwrap().remove("robot_code");
    })
    .await;
    let mut plain = push(&connection, &["u00001"], &json!({ "text": "no robot here" }));
    plain.as_object_mut().unwrap().remove("via");
    assert_eq!(last(&pushed(&api, &plain).await[0]), ("delivered", "ok", "0"));
    assert_eq!(platforms.received()[0].kind, "work_text");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_a_number_cannot_notify() {
    let home = home();
    let (_platforms, _server, api, connection) = ready(home.path(), |new| {
        new.as_object_mut().unwrap().remove("agent_id");
    })
    .await;
    let refused = api
        .post("/api/v1/pushes", &push(&connection, &["u00001"], &json!({ "text": "x" })))
        .await
        .expect(400);
    assert!(refused.at("/message").contains("agent_id"), "{}", refused.text());
}
