use carillon_simulator::{Robot, Simulator};
use serde_json::json;

use crate::support::{World, exchange, start};

const HOSTILE: &str =
    "<script>alert(1)</script> **bold** [x](javascript:alert(2)) <img src=x onerror=alert(3)>";

async fn world() -> World {
    let robots = [
        Robot::dingtalk("d", "<b>Ops</b>"),
        Robot::lark("l", "Lark chat"),
        Robot::feishu("f", "Feishu chat"),
        Robot::wecom("w", "WeCom chat"),
    ];
    start(robots.into_iter().fold(Simulator::new(), Simulator::robot)).await
}

async fn fill(world: &World) {
    let markdown = json!({"msgtype": "markdown", "markdown": {"title": HOSTILE, "text": HOSTILE}});
    world.post("/robot/send?access_token=d", &markdown).await;
    let text = json!({"msgtype": "text", "text": {"content": HOSTILE, "mentioned_list": [HOSTILE]}});
    world.post("/cgi-bin/webhook/send?key=w", &text).await;
    let card = json!({"msg_type": "interactive", "card": {"schema": "2.0",
        "header": {"title": {"tag": "plain_text", "content": HOSTILE}, "template": "red\" onclick=\"x"},
        "body": {"elements": [{"tag": "markdown", "content": HOSTILE},
            {"tag": "button", "text": {"tag": "plain_text", "content": HOSTILE},
                "behaviors": [{"type": "open_url", "default_url": "https://a.example/\"onclick=\"alert(4)"}]}]}}});
    world.post("/open-apis/bot/v2/hook/l", &card).await;
    world.post_with("/hook/%3Cscript%3E", "", HOSTILE.as_bytes()).await;
}

#[tokio::test]
async fn hostile_text_is_escaped() {
    let world = world().await;
    fill(&world).await;
    assert_eq!(world.running.received().len(), 4);
    for path in ["/", "/_simulator/chats"] {
        let page = world.get(path).await.text();
        for forbidden in ["<script>", "<img", "href=\"javascript", "\" onclick", "\"onclick", "<b>Ops"] {
            assert!(!page.contains(forbidden), "{path} holds {forbidden}");
        }
        assert!(page.contains("&lt;script&gt;") || page.contains("&#60;script&#62;"));
        assert!(page.contains("<strong>bold</strong>"));
        assert!(page.contains("tone-default"));
    }
}

#[tokio::test]
async fn the_policy_is_strict_and_nothing_is_inline() {
    let world = world().await;
    fill(&world).await;
    let page = world.get("/").await;
    let head = page.head.to_ascii_lowercase();
    assert!(
        head.contains("content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';")
    );
    assert!(head.contains("x-content-type-options: nosniff"));
    let text = page.text();
    assert_eq!(text.matches("<script").count(), 1);
    assert!(text.contains("<script src=\"/_simulator/page.js\" defer></script>"));
    assert!(!text.contains("style=") && !text.contains("<style"));
    for (path, kind) in [("/_simulator/page.js", "text/javascript"), ("/_simulator/page.css", "text/css")] {
        let reply = world.get(path).await;
        assert_eq!(reply.status, 200);
        assert!(reply.head.contains(kind));
    }
}

#[tokio::test]
async fn two_languages() {
    let world = world().await;
    let in_language = async |language: &str| {
        let head = format!("GET / HTTP/1.1\r\nAccept-Language: {language}");
        exchange(world.running.addr(), &head, b"").await.unwrap().text()
    };
    for language in ["zh-CN,zh;q=0.9,en;q=0.8", "zh"] {
        let page = in_language(language).await;
        assert!(page.contains("lang=\"zh-CN\"") && page.contains("企业微信") && page.contains("还没有消息"));
    }
    for language in ["en-GB,zh;q=0.5", "fr"] {
        let page = in_language(language).await;
        assert!(page.contains("lang=\"en\"") && page.contains("WeCom") && page.contains("No messages yet"));
    }
}

#[tokio::test]
async fn the_page_notes_no_call() {
    let world = world().await;
    world.get("/").await;
    assert_eq!(world.get("/favicon.ico").await.status, 404);
    assert!(world.running.calls().is_empty());
}

#[tokio::test]
async fn one_message_is_a_message() {
    let world = world().await;
    let text = json!({"msgtype": "text", "text": {"content": "hello"}});
    let mut counts = Vec::new();
    for _time in 0..2 {
        world.post("/cgi-bin/webhook/send?key=w", &text).await;
        counts.push(world.get("/_simulator/chats").await.text());
    }
    assert!(counts[0].contains("1 message<"), "{}", counts[0]);
    assert!(counts[1].contains("2 messages<"), "{}", counts[1]);
}
