//! Far ends that misbehave on the wire, names that lead nowhere, and a disk that is full: the others notice nothing, and
//! each ends in a record that says what happened.

use std::net::SocketAddr;
use std::time::Duration;

use carillon_simulator::{Robot, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chats::{LOOPBACK, feishu_url};
use crate::client::{Api, smn};
use crate::harness::{PATIENCE, Start, home, until};
use crate::load::confirm;

/// How a far end misbehaves once it has read a post.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// A byte of the answer's head at a time, slower than any deadline.
    Trickle,
    /// The connection is torn down.
    Reset,
    /// An answer without an end.
    Endless,
}

/// A far end with a manner; it stops with the set that serves it.
async fn far_end(manner: Manner, serving: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    serving.spawn(async move {
        let mut talks = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            talks.spawn(talk(stream, manner));
        }
    });
    address
}

/// Reads a request to its end. Whoever hangs up ends the talk.
async fn talk(mut stream: TcpStream, manner: Manner) {
    let mut read = Vec::new();
    while !read.ends_with(b"}") {
        match stream.read_buf(&mut read).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    behave(stream, manner).await;
}

/// Answers a request that was read, in its manner.
pub(crate) async fn behave(mut stream: TcpStream, manner: Manner) {
    match manner {
        Manner::Trickle => {
            let mut beat = tokio::time::interval(Duration::from_millis(500));
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-slow: slow\r\n".iter().cycle() {
                beat.tick().await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        }
        Manner::Reset => {
            #[expect(
                deprecated,
                reason = "nothing else tears a connection down, and nothing waits for it here"
            )]
            stream.set_linger(Some(Duration::ZERO)).unwrap();
        }
        Manner::Endless => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"code\":0,\"msg\":\"";
            let mut alive = stream.write_all(head).await;
            while alive.is_ok() {
                alive = stream.write_all(&[b'x'; 65_536]).await;
            }
        }
    }
}

/// The reason of a delivery's first attempt.
fn reason(delivery: &Value) -> &str {
    delivery.pointer("/attempts/0/reason").and_then(Value::as_str).unwrap_or("no attempt")
}

/// What became of the link that asks an endpoint whether it wants to be subscribed.
pub(crate) async fn asked(api: &Api, subscription: &str) -> Value {
    until("the asking", async || {
        let listed = api.get("/api/v1/messages?limit=200").await.json();
        for message in listed["messages"].as_array().unwrap() {
            let deliveries = api.deliveries(message["id"].as_str().unwrap()).await;
            let mine = |it: &&Value| it["subscription_urn"] == subscription && reason(it) != "no attempt";
            if let Some(found) = deliveries.iter().find(mine) {
                return Some(found.clone());
            }
        }
        None
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn far_ends_without_manners_hold_nobody_up() {
    let home = home();
    let mut serving = JoinSet::new();
    let trickle = far_end(Manner::Trickle, &mut serving).await;
    let reset = far_end(Manner::Reset, &mut serving).await;
    let endless = far_end(Manner::Endless, &mut serving).await;
    let good = Simulator::new().robot(Robot::webhook("good", "good")).start(LOOPBACK).await.unwrap();
    let start =
        Start::new().with_loopback().flag("--connect-to", &format!("open.feishu.cn=http://{endless}"));
    let server = start.at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    api.subscribe(&topic, &json!({ "protocol": "http", "endpoint": format!("{}/hook/good", good.url()) }))
        .await;
    confirm(&api, &good, 1).await;
    api.subscribe(&topic, &json!({ "protocol": "feishu", "endpoint": feishu_url(crate::chats::LARK_TOKEN) }))
        .await;
    let mut wrong = Vec::new();
    for (url, expected) in [
        (format!("http://{trickle}/hook"), "timeout"),
        (format!("http://{reset}/hook"), "broken"),
        ("http://nobody.invalid/hook".to_owned(), "resolve"),
    ] {
        let urn = api.subscribe(&topic, &json!({ "protocol": "http", "endpoint": url })).await;
        wrong.push((urn, expected));
    }
    // While those are asked: each message is with the well one at once, whatever the bot's endless answer does.
    for number in 1..=20 {
        api.publish(&topic, &json!({ "message": format!("message {number}") })).await;
    }
    let came = good.received_at_least(20, PATIENCE).await;
    assert_eq!(came.len(), 20);
    let first = api.publish(&topic, &json!({ "message": "one more" })).await;
    for (urn, expected) in wrong {
        let delivery = asked(&api, &urn).await;
        assert_eq!(reason(&delivery), expected, "{delivery:#}");
        assert_ne!(delivery["state"], "delivered", "{delivery:#}");
    }
    let bots = until("the bot's attempt", async || {
        let all = api.deliveries(&first).await;
        all.iter().any(|it| it["channel"] == "http" && it["state"] == "delivered").then_some(all)
    })
    .await;
    assert_eq!(bots.len(), 2, "{bots:#?}");
    let messages = api.get("/api/v1/messages?limit=200").await.json();
    let mut endless_seen = false;
    for message in messages["messages"].as_array().unwrap() {
        for delivery in api.deliveries(message["id"].as_str().unwrap()).await {
            let to_bot = delivery["channel"] == "lark" && reason(&delivery) != "no attempt";
            if to_bot {
                assert_eq!((reason(&delivery), delivery["state"] == "delivered"), ("answer", false));
                endless_seen = true;
            }
        }
    }
    assert!(endless_seen, "the bot was never tried");
    good.stop().await;
    serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_publishes_loses_nothing_and_recovers_by_itself() {
    const BLOCKS: u32 = 8 * 2_048;
    let home = home();
    let hooks = Simulator::new().robot(Robot::webhook("good", "good")).start(LOOPBACK).await.unwrap();
    let server = Start::new().with_loopback().file_blocks(BLOCKS).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    api.subscribe(&topic, &json!({ "protocol": "http", "endpoint": format!("{}/hook/good", hooks.url()) }))
        .await;
    confirm(&api, &hooks, 1).await;
    let path = smn(&format!("topics/{topic}/publish"));
    let mut accepted = Vec::new();
    let refused = loop {
        let text = format!("message {} {}", accepted.len(), "x".repeat(200_000));
        let answer = api.post(&path, &json!({ "message": text })).await;
        match answer.status {
            200 => accepted.push(answer.at("/message_id")),
            _ => break answer,
        }
        assert!(accepted.len() < 200, "nothing was ever refused");
    };
    assert_eq!((refused.status, refused.at("/error_code").as_str()), (503, "SMN.0016"), "{}", refused.text());
    assert!(accepted.len() > 5, "{} were accepted before the disk was full", accepted.len());
    let again = api.post(&path, &json!({ "message": "y".repeat(200_000) })).await;
    assert_eq!(again.status, 503, "{}", again.text());
    // What needs no room is answered meanwhile.
    assert_eq!(api.get(&smn("topics")).await.expect(200).json()["topic_count"], 1);
    server.unlimited();
    let after = until("an accepted publish", async || {
        let answer = api.post(&path, &json!({ "message": "room again" })).await;
        (answer.status == 200).then(|| answer.at("/message_id"))
    })
    .await;
    accepted.push(after);
    for id in &accepted {
        let deliveries = api.settled(id).await;
        assert!(deliveries.iter().all(|it| it["state"] == "delivered"), "{deliveries:#?}");
    }
    let texts: std::collections::BTreeSet<String> = hooks
        .received()
        .iter()
        .filter_map(|one| one.raw["body"]["message_id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(texts, accepted.into_iter().collect(), "what came is what was accepted");
    hooks.stop().await;
}
