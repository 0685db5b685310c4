//! What a push with a severity, buttons and mentions becomes on each platform.

use carillon_simulator::{Act, Platform, Received, Running};
use serde_json::{Value, json};

use crate::client::{Api, Auth};
use crate::harness::{Server, Start, TOKEN, home, program, run};
use crate::office::{app, connect, ended, start_with, update};

async fn ready(platform: Platform, home: &std::path::Path) -> (Running, Server, Api, String) {
    let platforms = start_with(app(platform)).await;
    let server = Start::new().led_to(&platforms).at(home).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, platform).await;
    update(&api, &connection).await;
    (platforms, server, api, connection)
}

/// Pushes, and gives what was shown last.
async fn shown(platforms: &Running, api: &Api, connection: &str, to: &str, more: Value) -> Received {
    let (kind, id) = to.split_once(':').unwrap();
    let mut push = json!({ "connection_id": connection, "to": [{ "kind": kind, "id": id }], "title": "Disk 91 %",
                           "markdown": "**db-1** is *full*" });
    push.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let pushed = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    let deliveries = ended(api, &pushed).await;
    assert_eq!(deliveries[0]["state"], "delivered", "{deliveries:?}");
    platforms.received().pop().unwrap()
}

fn buttons(count: usize) -> Value {
    let button =
        |number| json!({ "text": format!("Open {number}"), "url": format!("https://ci.example/{number}") });
    json!({ "buttons": (1..=count).map(button).collect::<Vec<_>>(), "severity": "critical" })
}

/// The buttons that a chat draws: the simulator writes each on a line of its own, where links stand side by side.
fn labels(one: &Received) -> Vec<&str> {
    let lines =
        one.text.lines().filter(|line| line.starts_with('[') && line.ends_with(')') && !line.contains(" · "));
    lines.filter_map(|line| line.strip_prefix('[')?.split_once("](")).map(|(label, _)| label).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lark_gets_a_card_and_a_post_when_it_cannot_draw_one() {
    let home = home();
    let (platforms, _server, api, connection) = ready(Platform::Feishu, home.path()).await;
    let one = shown(&platforms, &api, &connection, "member:u00001", buttons(3)).await;
    assert_eq!(one.kind, "interactive");
    assert_eq!((one.title.as_deref(), labels(&one)), (Some("Disk 91 %"), vec!["Open 1", "Open 2", "Open 3"]));
    let card: Value = serde_json::from_str(one.raw["content"].as_str().unwrap()).unwrap();
    assert_eq!((card["schema"].as_str(), card["header"]["template"].as_str()), (Some("2.0"), Some("red")));

    let refusal = Act::Code { code: "230099".to_owned(), text: "Failed to create card content".to_owned() };
    platforms.script("u00002", refusal.clone(), Some(1));
    let one = shown(&platforms, &api, &connection, "member:u00002", buttons(2)).await;
    let card: Value = serde_json::from_str(one.raw["content"].as_str().unwrap()).unwrap();
    assert_eq!(
        (card["schema"].as_str(), labels(&one)),
        (None, vec!["Open 1", "Open 2"]),
        "the first version"
    );
    assert_eq!((one.title.as_deref(), card["header"]["template"].as_str()), (Some("Disk 91 %"), Some("red")));
    platforms.script("u00002", refusal, Some(2));
    let one = shown(&platforms, &api, &connection, "member:u00002", buttons(1)).await;
    assert_eq!((one.kind.as_str(), one.title.as_deref()), ("post", Some("Disk 91 %")));
    assert!(one.text.contains("db-1") && one.text.contains("[Open 1](https://ci.example/1)"), "{}", one.text);

    let mention = json!({ "mentions": [{ "kind": "member", "id": "u00003" }], "mention_all": true });
    let one = shown(&platforms, &api, &connection, "chat:oc_office_chat_1", mention.clone()).await;
    assert_eq!(one.mentions, ["u00003", "all"]);
    // Alone in a chat with the bot nobody is to be pinged.
    let one = shown(&platforms, &api, &connection, "member:u00001", mention).await;
    assert!(one.mentions.is_empty(), "{one:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dingtalk_gets_action_cards() {
    let home = home();
    let (platforms, server, api, connection) = ready(Platform::DingtalkApp, home.path()).await;
    let keys = [
        "sampleMarkdown",
        "sampleActionCard",
        "sampleActionCard2",
        "sampleActionCard3",
        "sampleActionCard4",
        "sampleActionCard5",
    ];
    for (count, key) in keys.into_iter().enumerate() {
        let one = shown(&platforms, &api, &connection, "member:u00001", buttons(count)).await;
        assert_eq!((one.kind.as_str(), labels(&one).len()), (key, count), "{one:?}");
        assert!(one.text.contains("db-1") && one.title.as_deref() == Some("🔴 Disk 91 %"), "{one:?}");
    }
    let mention = json!({ "mentions": [{ "kind": "member", "id": "u00003" }] });
    let one = shown(&platforms, &api, &connection, "chat:oc_office_chat_1", mention).await;
    assert!(one.text.contains("@Member 3"), "{one:?}");

    let mut command = program(&server.home);
    command.args(["push", &connection, "**now**", "--to", "member:u00004", "--markdown", "--title", "T"]);
    command.args(["--button", "Open=https://ci.example/4", "--severity", "ok", "--mention", "u00003"]);
    command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
    let said = run(command, None).await;
    assert_eq!(said.code, 0, "{said:?}");
    ended(&api, said.out.trim()).await;
    assert_eq!(labels(&platforms.received().pop().unwrap()), ["Open"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wecom_gets_text_and_template_cards_while_all_fits() {
    let home = home();
    let (platforms, _server, api, connection) = ready(Platform::Wecom, home.path()).await;
    let long =
        json!({ "markdown": format!("**db-1** {}", "word ".repeat(200)), "buttons": buttons(2)["buttons"] });
    let cases = [
        ("member:u00001", buttons(0), "markdown", 0),
        ("member:u00001", buttons(1), "textcard", 1),
        ("member:u00001", buttons(2), "template_card", 2),
        ("member:u00001", buttons(3), "template_card", 3),
        ("member:u00001", buttons(4), "markdown", 0),
        ("member:u00001", long, "markdown", 0),
        ("chat:oc_office_chat_1", buttons(1), "textcard", 1),
        ("chat:oc_office_chat_1", buttons(2), "markdown", 0),
    ];
    for (to, more, kind, drawn) in cases {
        let one = shown(&platforms, &api, &connection, to, more.clone()).await;
        assert_eq!((one.kind.as_str(), labels(&one).len()), (kind, drawn), "{to} {more}: {one:?}");
        assert!(one.text.contains("db-1"), "{one:?}");
        // A button that is not drawn stands as a link: nothing is lost.
        for button in more["buttons"].as_array().into_iter().flatten() {
            assert!(one.text.contains(button["url"].as_str().unwrap()), "{one:?}");
        }
    }
    let mention = json!({ "mentions": [{ "kind": "member", "id": "u00003" }] });
    let one = shown(&platforms, &api, &connection, "chat:oc_office_chat_1", mention).await;
    assert_eq!(one.mentions, ["u00003"], "{one:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_refused() {
    let home = home();
    let (platforms, _server, api, connection) = ready(Platform::Lark, home.path()).await;
    let button = |text: &str, url: &str| json!({ "buttons": [{ "text": text, "url": url }] });
    let refused = [
        (button("", "https://a.example"), "message"),
        (button("a[b]", "https://a.example"), "message"),
        (button(&"x".repeat(21), "https://a.example"), "message"),
        (button("a", "javascript:alert(1)"), "message"),
        (button("a", "https://a.example/ b"), "message"),
        (buttons(6), "message"),
        (json!({ "severity": "loud" }), "message"),
        (json!({ "mentions": [{ "kind": "member", "id": "stranger" }] }), "message"),
        (json!({ "mentions": [{ "kind": "phone", "id": "13999999999" }] }), "message"),
        (json!({ "mentions": [{ "kind": "department", "id": "101" }] }), "message"),
    ];
    for (more, field) in refused {
        let mut push = json!({ "connection_id": connection, "to": [{ "kind": "member", "id": "u00001" }], "markdown": "x" });
        push.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let refused = api.post("/api/v1/pushes", &push).await.expect(400);
        assert_eq!(refused.at("/field"), field, "{more}: {}", refused.text());
    }
    assert!(platforms.received().is_empty());
}
