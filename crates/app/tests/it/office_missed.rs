//! An update that finds somebody gone who is still named: whoever looks after it is told once.

use carillon_simulator::{Platform, Robot, Simulator};
use serde_json::json;

use crate::chats::{self, LOOPBACK};
use crate::cli::{good, told};
use crate::client::Auth;
use crate::harness::{Start, home, until};
use crate::office::{APP_ID, app, connect, update};

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_once_who_is_gone() {
    let robot = Robot::feishu(chats::LARK_TOKEN, "caretakers").with_secret(chats::LARK_SECRET);
    let simulator = Simulator::new().office(app(Platform::Wecom)).robot(robot);
    let (home, platforms) = (home(), simulator.start(LOOPBACK).await.unwrap());
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Wecom).await;
    update(&api, &connection).await;
    let topic = api.create_topic("ops").await;
    good(&told(&server, &["topic", "create", "caretakers"]).await);
    let lark = chats::feishu_url(chats::LARK_TOKEN);
    let add = ["subscription", "add", "caretakers", "feishu", &lark, "--secret", chats::LARK_SECRET];
    good(&told(&server, &add).await);
    let mut named = Vec::new();
    for member in ["u00001", "u00002"] {
        let endpoint = format!("office:{connection}:member:{member}");
        let urn = api.subscribe(&topic, &json!({ "protocol": "office", "endpoint": endpoint })).await;
        good(&told(&server, &["subscription", "set", &urn, "--fallback", "caretakers"]).await);
        named.push(urn);
    }
    platforms.change_office(APP_ID, |app| {
        app.members.retain(|member| !["u00001", "u00002", "u00003"].contains(&member.id.as_str()));
    });
    let run = update(&api, &connection).await;
    assert_eq!((&run["state"], &run["gone"]), (&"done".into(), &3.into()), "{run}");
    let missed: Vec<&str> =
        run["missed"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(missed, ["u00001", "u00002"], "{run}");
    let notice = until("the notice", async || platforms.received().into_iter().next()).await;
    for words in ["found 2 gone", "2 个", "u00001", "u00002", &named[0], &named[1]] {
        assert!(notice.text.contains(words), "{words}: {}", notice.text);
    }
    assert!(!notice.text.contains("u00003"), "nothing names that one: {}", notice.text);
    let audit = api.get("/api/v1/audit?limit=20").await.expect(200).text();
    assert!(audit.contains("directory.missed"), "{audit}");

    assert_eq!(update(&api, &connection).await["missed"], json!([]));
    let said = told(&server, &["connection", "updates", &connection]).await;
    assert_eq!(good(&said).lines().count(), 3);
    let all = platforms.received().into_iter().filter(|one| one.chat == "caretakers");
    assert_eq!(all.count(), 1);
}
