//! Change events as platforms send them, sealed by another implementation: heard, answered, refused when forged; and a chat that
//! is renamed, and a topic's head-count.

use carillon_simulator::Platform;
use serde_json::{Value, json};

use crate::cli::{good, told};
use crate::client::{Api, Auth};
use crate::harness::{Start, home};
use crate::office::{APP_ID, app, connect, start_with, update};

const SEALED: &str = "AAECAwQFBgcICQoLDA0OD0ZwGGsm7y89ro2RtOb1H7w58ORIXciyrjJhzXhxXytb72gjmb9Zwrj5KtuT6gbGHnLs7mt9JfLlARamMlNxTr6Ez8X5kTD6DIJlWgo4vAqE";

async fn hear(api: &Api, connection: &str, body: &Value) -> (u16, String) {
    let answer = api.with(Auth::Nobody).post(&format!("/callbacks/{connection}"), body).await;
    (answer.status, answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_believed_only_with_its_proof() {
    let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    let body = json!({ "encrypt": SEALED });
    assert_eq!(hear(&api, &connection, &body).await.0, 404, "nothing is set up");
    assert_eq!(hear(&api, &"0".repeat(32), &body).await.0, 404);
    let wrong =
        told(&server, &["connection", "callback", &connection, "--verification-token", "vtok-0001"]).await;
    assert_ne!(wrong.code, 0);
    let set =
        ["connection", "callback", &connection, "--verification-token", "vtok-0001", "--key", "ek-notify-01"];
    let said = told(&server, &set).await;
    assert!(good(&said).contains(&format!("/callbacks/{connection}")), "{}", said.out);

    let findings = api.post(&format!("/api/v1/connections/{connection}/check"), &json!({})).await.expect(200);
    let events = |findings: &Value| {
        let found = findings["findings"].as_array().unwrap().iter();
        found.clone().find(|one| one["what"] == "change events").unwrap()["ok"].clone()
    };
    assert_eq!(events(&findings.json()), false);

    let (status, answer) = hear(&api, &connection, &body).await;
    assert_eq!((status, answer.as_str()), (200, r#"{"challenge":"c-0001"}"#));
    for forged in
        [json!({ "encrypt": "AAAA" }), json!({}), json!({ "challenge": "c", "type": "url_verification" })]
    {
        assert_eq!(hear(&api, &connection, &forged).await.0, 403, "{forged}");
    }
    let path = format!("/api/v1/connections/{connection}/callback");
    let state = api.get(&path).await.expect(200);
    assert!(state.json()["heard_at"].is_string() && state.json()["set"] == true, "{}", state.text());
    for secret in ["vtok-0001", "ek-notify-01"] {
        assert!(!state.text().contains(secret) && !server.log_text().contains(secret));
    }
    let findings = api.post(&format!("/api/v1/connections/{connection}/check"), &json!({})).await.expect(200);
    assert_eq!(events(&findings.json()), true);
    good(&told(&server, &["connection", "callback", &connection, "--off"]).await);
    assert_eq!(hear(&api, &connection, &body).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_renamed_and_a_topic_counts_heads() {
    let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    update(&api, &connection).await;
    let rename = [
        "directory",
        "chat",
        &connection,
        "oc_office_chat_1",
        "--name",
        "War room",
        "--description",
        "Incidents",
    ];
    good(&told(&server, &rename).await);
    let chats =
        || async { api.get(&format!("/api/v1/connections/{connection}/chats")).await.expect(200).json() };
    let chat = chats().await["chats"][0].clone();
    assert_eq!((&chat["name"], &chat["description"]), (&"War room".into(), &"Incidents".into()), "{chat}");
    update(&api, &connection).await;
    assert_eq!(chats().await["chats"][0]["name"], "War room", "the platform has it, too");
    platforms.change_office(APP_ID, |app| {
        app.withheld.extend(["im:chat".to_owned(), "im:chat:update".to_owned()]);
    });
    let refused = told(&server, &rename).await;
    assert!(refused.code == 1 && refused.err.contains("im:chat"), "{}", refused.err);
    let long = "x".repeat(61);
    assert_eq!(
        told(&server, &["directory", "chat", &connection, "oc_office_chat_1", "--name", &long]).await.code,
        1
    );

    let topic = api.create_topic("heads").await;
    for what in ["member:u00001", "department:110", "department:111", "chat:oc_office_chat_1", "group:nobody"]
    {
        let endpoint = format!("office:{connection}:{what}");
        api.subscribe(&topic, &json!({ "protocol": "office", "endpoint": endpoint })).await;
    }
    let reach = api.get("/api/v1/topics/heads/reach").await.expect(200).json();
    assert_eq!(
        (&reach["people"], &reach["chats"], &reach["addresses"]),
        (&11.into(), &1.into(), &0.into()),
        "{reach}"
    );
    assert_eq!(
        (&reach["not_reached"], &reach["unreachable"][0]["reason"]),
        (&1.into(), &"no_group".into()),
        "{reach}"
    );
    let said = told(&server, &["topic", "reach", "heads"]).await;
    assert!(good(&said).contains("11 people, 1 chats") && said.out.contains("no_group"), "{}", said.out);
    assert_eq!(api.get("/api/v1/topics/nowhere/reach").await.status, 404);
}
