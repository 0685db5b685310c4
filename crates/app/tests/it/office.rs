//! Office apps, as an administrator uses them: connect, check, update the directory, push to a member who receives it.

use std::time::Duration;

use carillon_simulator::{OfficeApp, OfficeMember, Platform, Running, Simulator};
use serde_json::{Value, json};

use crate::chats::LOOPBACK;
use crate::client::{Api, Auth};
use crate::harness::{PATIENCE, Start, home, until, until_at_most};

pub(crate) const SECRET: &str = "office-secret-0123456789abcdef";
pub(crate) const APP_ID: &str = "office0app0id0000000001";

pub(crate) fn app(platform: Platform) -> OfficeApp {
    company(platform, 12, 60)
}

pub(crate) fn company(platform: Platform, departments: usize, members: usize) -> OfficeApp {
    let mut app = OfficeApp::new(platform, APP_ID, SECRET).with_company(departments, members);
    app.robot_code = "dingofficerobot01".to_owned();
    app.chats = vec![("oc_office_chat_1".to_owned(), "Release room".to_owned())];
    app
}

fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::Lark => "lark",
        Platform::Feishu => "feishu",
        Platform::DingtalkApp => "dingtalk",
        Platform::Wecom => "wecom",
        Platform::Dingtalk | Platform::Webhook | Platform::Mail => "none",
    }
}

/// What an administrator types.
pub(crate) fn typed(platform: Platform) -> Value {
    let mut typed =
        json!({ "platform": name(platform), "name": "HQ", "app_id": APP_ID, "app_secret": SECRET });
    match platform {
        Platform::Wecom => typed["agent_id"] = 1_000_002.into(),
        Platform::DingtalkApp => typed["robot_code"] = "dingofficerobot01".into(),
        Platform::Lark | Platform::Feishu | Platform::Dingtalk | Platform::Webhook | Platform::Mail => {}
    }
    typed
}

async fn start(platform: Platform) -> Running {
    start_with(app(platform)).await
}

pub(crate) async fn start_with(app: OfficeApp) -> Running {
    Simulator::new().office(app).start(LOOPBACK).await.unwrap()
}

pub(crate) async fn connect(api: &Api, platform: Platform) -> String {
    api.post("/api/v1/connections", &typed(platform)).await.expect(201).at("/id")
}

/// Updates the directory and waits until that no longer runs.
pub(crate) async fn update(api: &Api, connection: &str) -> Value {
    update_within(api, connection, PATIENCE).await
}

/// The same, where a large directory takes longer than patience.
pub(crate) async fn update_within(api: &Api, connection: &str, within: Duration) -> Value {
    let run = api
        .post(&format!("/api/v1/connections/{connection}/update"), &json!({}))
        .await
        .expect(202)
        .at("/run_id");
    let path = format!("/api/v1/connections/{connection}/updates/{run}");
    let ended = until_at_most(within, async || {
        let run = api.get(&path).await.expect(200).json();
        (run["state"] != "running").then_some(run)
    });
    ended.await.unwrap()
}

/// Waits until no delivery of a message is under way, and gives them by their ids.
pub(crate) async fn ended(api: &Api, message: &str) -> Vec<Value> {
    let path = format!("/api/v1/messages/{message}/deliveries?limit=200");
    until("the end of all deliveries", async || {
        let deliveries = api.get(&path).await.expect(200).json()["deliveries"].as_array().unwrap().clone();
        let waits = |one: &Value| one["state"] == "pending" || one["state"] == "sending";
        (!deliveries.is_empty() && !deliveries.iter().any(waits)).then_some(deliveries)
    })
    .await
}

async fn whole_way(platform: Platform) {
    let (home, platforms) = (home(), start(platform).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, platform).await;

    let path = format!("/api/v1/connections/{connection}/check");
    let findings = api.post(&path, &json!({})).await.expect(200).json();
    let bad: Vec<&Value> =
        findings["findings"].as_array().unwrap().iter().filter(|one| one["ok"] == false).collect();
    assert!(bad.is_empty(), "{bad:?}");

    let run = update(&api, &connection).await;
    assert_eq!((run["state"].as_str(), run["members"].as_u64()), (Some("done"), Some(60)), "{run}");
    assert_eq!((run["added"].as_u64(), run["gone"].as_u64()), (Some(60), Some(0)), "{run}");
    assert_eq!(run["missing"], json!([]), "{run}");
    let again = update(&api, &connection).await;
    let changes = ["added", "changed", "moved", "gone"].map(|field| again[field].as_u64());
    assert_eq!(changes, [Some(0); 4], "{again}");

    let path = format!("/api/v1/connections/{connection}/members?search=Member%207");
    let members = api.get(&path).await.expect(200).json();
    let member = &members["members"][0];
    assert_eq!((member["name"].as_str(), member["state"].as_str()), (Some("Member 7"), Some("active")));

    let mut to =
        vec![json!({ "kind": "member", "id": member["id"] }), json!({ "kind": "member", "id": "u00009" })];
    to.push(json!({ "kind": "member", "id": member["platform_user_id"] }));
    to.push(json!({ "kind": "member", "id": "nobody" }));
    let push =
        json!({ "connection_id": connection, "to": to, "title": "Hello", "markdown": "**bold** word" });
    let pushed = api.post("/api/v1/pushes", &push).await.expect(202).json();
    let deliveries = ended(&api, pushed["message_id"].as_str().unwrap()).await;
    let states: Vec<&str> = deliveries.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["delivered", "delivered", "failed"], "{deliveries:?}");
    assert_eq!(deliveries[2]["attempts"][0]["reason"], "recipient", "{deliveries:?}");
    let mut chats: Vec<String> = platforms.received().into_iter().map(|one| one.chat).collect();
    chats.sort();
    assert_eq!(chats, ["Member 7", "Member 9"]);
    assert!(platforms.received()[0].text.contains("bold"));

    let push = json!({ "connection_id": connection, "to": [{ "kind": "chat", "id": "oc_office_chat_1" }], "text": "room" });
    let pushed = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    assert_eq!(ended(&api, &pushed).await[0]["state"], "delivered");
    assert_eq!(platforms.received().last().unwrap().chat, "Release room");

    let seen = String::from_utf8_lossy(&api.seen()).into_owned();
    assert!(!seen.contains(SECRET), "an answer holds the secret");
    let database = std::fs::read(home.path().join("data/carillon.db")).unwrap();
    let log = std::fs::read_to_string(&server.log).unwrap();
    assert!(!String::from_utf8_lossy(&database).contains(SECRET) && !log.contains(SECRET));
}

#[tokio::test]
async fn lark_from_connecting_to_receiving() {
    whole_way(Platform::Lark).await;
}

#[tokio::test]
async fn feishu_from_connecting_to_receiving() {
    whole_way(Platform::Feishu).await;
}

#[tokio::test]
async fn dingtalk_from_connecting_to_receiving() {
    whole_way(Platform::DingtalkApp).await;
}

#[tokio::test]
async fn wecom_from_connecting_to_receiving() {
    whole_way(Platform::Wecom).await;
}

/// Each wrong part is named; nothing that the platform refuses is kept.
#[tokio::test]
async fn saving_says_which_part_is_wrong() {
    let home = home();
    let mut simulator = Simulator::new();
    for platform in [Platform::Lark, Platform::DingtalkApp, Platform::Wecom] {
        simulator = simulator.office(app(platform));
    }
    let platforms = simulator.start(LOOPBACK).await.unwrap();
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let cases = [
        (Platform::Lark, "app_secret", "another", "app_secret"),
        (Platform::Lark, "app_id", "cli_unknown", "app_id"),
        (Platform::Lark, "platform", "feishu", "platform"),
        (Platform::DingtalkApp, "app_secret", "another", "app_id"),
        (Platform::DingtalkApp, "robot_code", "another", "robot_code"),
        (Platform::Wecom, "app_secret", "another", "app_secret"),
        (Platform::Wecom, "app_id", "another", "corp_id"),
        (Platform::Wecom, "agent_id", "7", "agent_id"),
    ];
    for (platform, field, value, wrong) in cases {
        let mut typed = typed(platform);
        typed[field] = value.into();
        let refused = api.post("/api/v1/connections", &typed).await.expect(400);
        assert_eq!(refused.at("/code"), "platform_refuses", "{}", refused.text());
        assert_eq!(refused.at("/field"), wrong, "{platform:?} {field}: {}", refused.text());
        assert!(!refused.text().contains(SECRET));
    }
    platforms.change_office(APP_ID, |app| app.trusted_ips = Some(vec!["192.0.2.1".parse().unwrap()]));
    let refused = api.post("/api/v1/connections", &typed(Platform::Lark)).await.expect(400);
    assert!(refused.at("/message").contains("address"), "{}", refused.text());
    let listed = api.get("/api/v1/connections").await.expect(200).json();
    assert_eq!(listed["connections"], json!([]));
}

#[tokio::test]
async fn a_fifth_vanishing_asks_and_a_smaller_range_too() {
    let (home, platforms) = (home(), start(Platform::Lark).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    update(&api, &connection).await;
    let active = async || {
        let path = format!("/api/v1/connections/{connection}/members?limit=200");
        let members = api.get(&path).await.expect(200).json()["members"].as_array().unwrap().clone();
        members.iter().filter(|one| one["state"] == "active").count()
    };

    platforms.change_office(APP_ID, |app| app.range = Some(vec!["101".to_owned()]));
    let run = update(&api, &connection).await;
    assert_eq!((run["state"].as_str(), run["gone"].as_u64()), (Some("asks"), Some(55)), "{run}");
    assert_eq!(active().await, 60, "nobody is marked before somebody says so");
    let path = format!("/api/v1/connections/{connection}/updates/{}", run["id"].as_str().unwrap());
    let cancelled = api.post(&format!("{path}/cancel"), &json!({})).await.expect(200).json();
    assert_eq!(cancelled["state"], "failed");
    api.post(&format!("{path}/confirm"), &json!({})).await.expect(409);
    assert_eq!(active().await, 60);

    platforms.change_office(APP_ID, |app| {
        app.range = None;
        app.members.truncate(40);
        let joined =
            OfficeMember { id: "new.one".to_owned(), name: "Han Mei".to_owned(), ..app.members[0].clone() };
        app.members.push(joined);
        app.members[1].departments = vec!["105".to_owned()];
        app.members[2].name = "Renamed".to_owned();
    });
    let run = update(&api, &connection).await;
    let counts = ["added", "changed", "moved", "gone"].map(|field| run[field].as_u64());
    assert_eq!(
        (run["state"].as_str(), counts),
        (Some("asks"), [Some(1), Some(1), Some(1), Some(20)]),
        "{run}"
    );
    let path = format!("/api/v1/connections/{connection}/updates/{}/confirm", run["id"].as_str().unwrap());
    assert_eq!(api.post(&path, &json!({})).await.expect(200).at("/state"), "done");
    assert_eq!(active().await, 41);

    let push =
        json!({ "connection_id": connection, "to": [{ "kind": "member", "id": "u00055" }], "text": "x" });
    let pushed = api.post("/api/v1/pushes", &push).await.expect(202).json();
    assert_eq!(
        (pushed["heads"].as_u64(), pushed["unreachable"][0]["reason"].as_str()),
        (Some(0), Some("gone"))
    );
    let deliveries = ended(&api, pushed["message_id"].as_str().unwrap()).await;
    assert_eq!((deliveries[0]["state"].as_str()), Some("failed"), "{deliveries:?}");
}
