//! Taking back what was sent: by message, by person, by time.

use carillon_simulator::Platform;
use serde_json::{Value, json};

use crate::client::{Api, Auth};
use crate::harness::{Start, TOKEN, home, program, run};
use crate::office::{app, connect, ended, start_with, update};

async fn push(api: &Api, connection: &str, to: &[&str], text: &str) -> String {
    let to = to.iter().map(|one| one.split_once(':').unwrap());
    let to: Vec<Value> = to.map(|(kind, id)| json!({ "kind": kind, "id": id })).collect();
    let push = json!({ "connection_id": connection, "to": to, "text": text });
    let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    ended(api, &message).await;
    message
}

async fn recall(api: &Api, body: Value) -> Value {
    api.post("/api/v1/recalls", &body).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_taken_back_by_message_person_and_time() {
    for platform in [Platform::Lark, Platform::DingtalkApp, Platform::Wecom] {
        let (home, platforms) = (home(), start_with(app(platform)).await);
        let server = Start::new().led_to(&platforms).at(home.path()).await;
        let api = server.api(Auth::token());
        let connection = connect(&api, platform).await;
        update(&api, &connection).await;
        let both =
            push(&api, &connection, &["member:u00001", "member:u00002", "member:stranger"], "one").await;
        push(&api, &connection, &["member:u00002"], "two").await;
        push(&api, &connection, &["member:u00003"], "three").await;

        // By message: only what arrived can be taken back, and once.
        let done = recall(&api, json!({ "message_id": both })).await;
        assert_eq!(
            (done["recalled"].as_u64(), done["recalls"].as_array().unwrap().len()),
            (Some(2), 2),
            "{done}"
        );
        assert_eq!(platforms.recalled(), ["Member 1", "Member 2"], "{platform:?}");
        assert_eq!(recall(&api, json!({ "message_id": both })).await["recalled"], 2);
        assert_eq!(platforms.recalled().len(), 2, "the platform is not asked again");
        // By person.
        let of_person = json!({ "connection_id": connection, "to": { "kind": "member", "id": "u00002" } });
        let done = recall(&api, of_person).await;
        assert_eq!((done["recalls"].as_array().unwrap().len(), platforms.recalled().len()), (2, 3), "{done}");
        // By time, from the command line.
        let none = json!({ "connection_id": connection, "since": "2099-01-01T00:00:00Z" });
        assert_eq!(recall(&api, none).await["recalls"], json!([]));
        let mut command = program(&server.home);
        command.args(["delivery", "recall", "--connection", &connection, "--since", "2026-01-01T00:00:00Z"]);
        command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
        let said = run(command, None).await;
        assert!(said.code == 0 && said.out.contains("4 recalled"), "{said:?}");
        assert_eq!(platforms.recalled().last().unwrap(), "Member 3");

        // To a chat: WeCom takes nothing back from those.
        push(&api, &connection, &["chat:oc_office_chat_1"], "four").await;
        let of_chat =
            json!({ "connection_id": connection, "to": { "kind": "chat", "id": "oc_office_chat_1" } });
        let done = recall(&api, of_chat).await;
        let expected = platform != Platform::Wecom;
        assert_eq!(done["recalls"][0]["recalled"], expected, "{done}");
        assert_eq!(done["recalls"][0]["advice"]["en"].is_string(), !expected, "{done}");
        api.post("/api/v1/recalls", &json!({})).await.expect(400);
    }
}

/// A delivery knows when it was taken back: in the API, on the command line, in the console.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_says_so() {
    let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    let message = push(&api, &connection, &["member:u00001"], "one").await;
    let path = format!("/api/v1/messages/{message}/deliveries");
    let before = api.get(&path).await.expect(200).json();
    assert_eq!(before["deliveries"][0]["recalled_at"], Value::Null);
    recall(&api, json!({ "message_id": message })).await;
    let after = api.get(&path).await.expect(200).json();
    let at = after["deliveries"][0]["recalled_at"].as_str().unwrap();
    let mut command = program(&server.home);
    command.args(["delivery", "list", &message]);
    command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
    let said = run(command, None).await;
    assert!(said.out.contains(&format!("recalled at {at}")), "{said:?}");
}

/// What arrived of a delivery that failed in the end can be taken back, and what arrived in several attempts together.
#[tokio::test(flavor = "multi_thread")]
async fn every_post_of_a_delivery_is_taken_back() {
    for finished in [false, true] {
        let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
        let server = Start::new().led_to(&platforms).at(home.path()).await;
        let api = server.api(Auth::token());
        let connection = connect(&api, Platform::Lark).await;
        platforms.change_office(crate::office::APP_ID, |app| {
            app.withheld.extend(["im:resource".to_owned(), "im:resource:upload".to_owned()]);
        });
        let bytes = b"some file or other".to_vec();
        let file = api.send_raw(reqwest::Method::POST, "/api/v1/attachments", bytes, &[]).await;
        let file = file.expect(201).at("/id");
        let to = json!([{ "kind": "member", "id": "u00001" }]);
        let push = json!({ "connection_id": connection, "to": to, "text": "one", "files": [{ "id": file, "name": "a" }] });
        let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
        let failed = ended(&api, &message).await.remove(0);
        assert_eq!(failed["state"], "failed", "{failed}");
        if finished {
            platforms.change_office(crate::office::APP_ID, |app| app.withheld.clear());
            let path = format!("/api/v1/deliveries/{}/resend", failed["id"].as_str().unwrap());
            api.post(&path, &json!({})).await.expect(200);
            assert_eq!(ended(&api, &message).await[0]["state"], "delivered");
        }
        let done = recall(&api, json!({ "message_id": message })).await;
        assert_eq!(done["recalled"], 1, "{done}");
        assert_eq!(platforms.recalled(), vec!["Member 1"; if finished { 2 } else { 1 }]);
    }
}

/// A text of several parts goes with all of them.
#[tokio::test(flavor = "multi_thread")]
async fn all_parts_of_a_long_text_are_taken_back() {
    let (home, platforms) = (home(), start_with(app(Platform::Wecom)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Wecom).await;
    let message = push(&api, &connection, &["member:u00001"], &"words and words ".repeat(400)).await;
    let parts = platforms.received().len();
    assert!(parts >= 3, "{parts}");
    assert_eq!(recall(&api, json!({ "message_id": message })).await["recalled"], 1);
    assert_eq!(platforms.recalled(), vec!["Member 1"; parts]);
}

/// Lark and Feishu change a card that was sent; the others change nothing, and that is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_replaced() {
    for platform in [Platform::Feishu, Platform::DingtalkApp] {
        let (home, platforms) = (home(), start_with(app(platform)).await);
        let server = Start::new().led_to(&platforms).at(home.path()).await;
        let api = server.api(Auth::token());
        let connection = connect(&api, platform).await;
        let to = json!([{ "kind": "member", "id": "u00001" }]);
        let push = json!({ "connection_id": connection, "to": to, "title": "Disk", "markdown": "**91 %**" });
        let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
        ended(&api, &message).await;
        let card = json!({ "title": "Disk", "markdown": "**solved**", "severity": "ok" });
        let done = recall(&api, json!({ "message_id": message, "replace": card })).await;
        let expected = platform == Platform::Feishu;
        assert_eq!(done["recalls"][0]["recalled"], expected, "{done}");
        let last = platforms.received().pop().unwrap();
        assert_eq!((last.kind == "replaced", last.text.contains("solved")), (expected, expected), "{last:?}");
        let empty = json!({ "message_id": message, "replace": { "markdown": "" } });
        api.post("/api/v1/recalls", &empty).await.expect(400);
        // What was replaced can be taken back; what was taken back cannot be replaced.
        assert_eq!(recall(&api, json!({ "message_id": message })).await["recalled"], 1);
        let again = json!({ "message_id": message, "replace": { "markdown": "x" } });
        assert_eq!(recall(&api, again).await["recalled"], 0);
    }
}
