//! Calls per month of an office app: counted, forecast, told of, and what waits when they are used up.

use carillon_simulator::{Platform, Robot, Simulator};
use serde_json::{Value, json};

use crate::chats::{self, LOOPBACK};
use crate::cli::{good, told};
use crate::client::{Api, Auth};
use crate::harness::{Start, home, until};
use crate::office::{app, connect, ended, update};

async fn push(api: &Api, connection: &str, member: &str, priority: &str) -> String {
    let to = [json!({ "kind": "member", "id": member })];
    let push = json!({ "connection_id": connection, "to": to, "text": "x", "priority": priority });
    api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id")
}

async fn calls(api: &Api, of: &str) -> Value {
    api.get(&format!("/api/v1/calls/{of}")).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_months_limit_waits_and_says_why() {
    let robot = Robot::feishu(chats::LARK_TOKEN, "caretakers").with_secret(chats::LARK_SECRET);
    let simulator = Simulator::new().office(app(Platform::Lark)).robot(robot);
    let (home, platforms) = (home(), simulator.start(LOOPBACK).await.unwrap());
    let mut server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    update(&api, &connection).await;
    good(&told(&server, &["topic", "create", "caretakers"]).await);
    let lark = chats::feishu_url(chats::LARK_TOKEN);
    let add = ["subscription", "add", "caretakers", "feishu", &lark, "--secret", chats::LARK_SECRET];
    good(&told(&server, &add).await);
    let nobody = told(&server, &["connection", "notices", &connection]).await;
    assert!(good(&nobody).contains("nobody"));
    good(&told(&server, &["connection", "notices", &connection, "--to", "caretakers"]).await);
    let path = format!("/api/v1/connections/{connection}/notices");
    assert!(api.get(&path).await.expect(200).at("/notices").ends_with(":caretakers"));
    assert_eq!(api.put(&path, &json!({ "notices": "nowhere" })).await.status, 404);

    let before = calls(&api, &connection).await;
    let used = before["used"].as_u64().unwrap();
    assert!(used > 10, "reading the directory counts: {before}");
    assert_eq!((&before["limit"], &before["limit_is"]), (&10_000.into(), &"default".into()), "{before}");
    assert!(before["forecast"].as_u64() >= Some(used), "{before}");

    // Room for two more messages that are not urgent.
    let mut limit = used + 2;
    while limit - limit.div_ceil(20) < used + 2 {
        limit += 1;
    }
    for wrong in ["nothing", "-3", "0"] {
        let set = format!("--limit={wrong}");
        assert_eq!(told(&server, &["calls", "set", &connection, &set]).await.code, 1, "{wrong}");
    }
    let set = told(&server, &["calls", "set", &connection, "--limit", &limit.to_string()]).await;
    assert!(good(&set).contains("for urgent ones"), "{}", set.out);
    for member in ["u00001", "u00002"] {
        let message = push(&api, &connection, member, "normal").await;
        assert_eq!(ended(&api, &message).await[0]["state"], "delivered");
    }
    let waits = push(&api, &connection, "u00003", "normal").await;
    let explained = until("the reason", async || {
        let path = format!("/api/v1/explain?message_id={waits}");
        let explained = api.get(&path).await.expect(200).json()["explanations"][0].clone();
        (explained["cause"] == "month_used_up").then_some(explained)
    })
    .await;
    assert_eq!(explained["verdict"], "waiting", "{explained}");
    let sentence = explained["sentence"].to_string();
    assert!(sentence.contains("has used up the calls of this month"), "{sentence}");
    assert!(
        !sentence.contains(&format!(" of {limit} ")),
        "the app's numbers are not everybody's: {sentence}"
    );
    assert!(sentence.contains("限额"), "{sentence}");
    // The lane that waits lets an urgent one pass.
    let urgent = push(&api, &connection, "u00003", "urgent").await;
    assert_eq!(ended(&api, &urgent).await[0]["state"], "delivered");
    let now = calls(&api, &connection).await;
    assert_eq!((now["used"].as_u64(), &now["level"]), (Some(used + 3), &"over".into()), "{now}");

    let is_notice = |one: &carillon_simulator::Received| one.chat == "caretakers";
    let notice = until("the notice", async || platforms.received().into_iter().find(is_notice)).await;
    for words in ["by its end", "carillon calls set", "照此趋势", "HQ"] {
        assert!(notice.text.contains(words), "{words}: {}", notice.text);
    }
    let metrics = api.get("/metrics").await.expect(200).text();
    assert!(metrics.contains("carillon_app_months{level=\"over\"} 1"), "{metrics}");

    // A restart forgets nothing of it; a higher limit lets go what waits.
    server.terminate().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    assert_eq!(calls(&api, &connection).await["used"].as_u64(), Some(used + 3));
    api.put(&format!("/api/v1/calls/{connection}"), &json!({ "limit": "none" })).await.expect(200);
    let audit = api.get("/api/v1/audit?limit=50").await.expect(200).text();
    assert!(audit.contains("calls.limit"), "{audit}");
}
