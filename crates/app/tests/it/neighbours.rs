//! A robot whose far end has no manners beside a robot of the same host that is well, and beside web hooks: the others get
//! everything while the deliveries to the bad ones are still under way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use carillon_simulator::{Robot, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chats::{LOOPBACK, dingtalk_url, feishu_url, wecom_url};
use crate::harness::{PATIENCE, Start, home, until};
use crate::load::confirm;
use crate::nasty::{Manner, asked, behave};

/// So few that no platform's rate holds anything back.
const MESSAGES: usize = 5;
const BAD: &str = "00000000-0000-4000-8000-0000000000ba";
const WELL: &str = "00000000-0000-4000-8000-0000000000aa";
/// As DingTalk's are.
const BAD_TOKEN: &str = "ba00000000000000000000000000000000000000000000000000000000000000";
const WELL_TOKEN: &str = "aa00000000000000000000000000000000000000000000000000000000000000";

/// A platform's host: a robot that is well takes what it gets, the other has its manner.
struct Host {
    address: SocketAddr,
    /// What the robot that is well was sent.
    taken: Arc<Mutex<Vec<String>>>,
}

async fn host(manner: Manner, serving: &mut JoinSet<()>) -> Host {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let host = Host { address: listener.local_addr().unwrap(), taken: Arc::default() };
    let taken = Arc::clone(&host.taken);
    serving.spawn(async move {
        let mut talks = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            talks.spawn(talk(stream, manner, Arc::clone(&taken)));
        }
    });
    host
}

/// Answers one request after the other, until somebody hangs up.
async fn talk(mut stream: TcpStream, manner: Manner, taken: Arc<Mutex<Vec<String>>>) {
    let mut read = Vec::new();
    loop {
        let Some(request) = whole(&read) else {
            match stream.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        read.clear();
        let line = request.lines().next().unwrap_or_default().to_owned();
        if line.contains(BAD) || line.contains(BAD_TOKEN) {
            return behave(stream, manner).await;
        }
        taken.lock().unwrap().push(request);
        let body = r#"{"code":0,"errcode":0,"msg":"ok","errmsg":"ok"}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request that has come whole.
fn whole(read: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(read);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    (body.len() >= length.unwrap_or(0)).then(|| text.into_owned())
}

/// How many different messages stand in what a robot was sent.
fn texts(host: &Host) -> usize {
    let taken = host.taken.lock().unwrap();
    (0..MESSAGES).filter(|number| taken.iter().any(|one| one.contains(&format!("message {number};")))).count()
}

fn is_ended(delivery: &Value) -> bool {
    !matches!(delivery["state"].as_str(), Some("pending" | "sending"))
}

/// The reason of a delivery's first attempt, once there is one.
fn first_reason(delivery: &Value) -> Option<&str> {
    delivery.pointer("/attempts/0/reason").and_then(Value::as_str)
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_of_the_same_host_and_web_hooks_wait_for_no_bad_neighbour() {
    let home = home();
    let mut serving = JoinSet::new();
    let slow = host(Manner::Trickle, &mut serving).await;
    let reset = host(Manner::Reset, &mut serving).await;
    let huge = host(Manner::Endless, &mut serving).await;
    let hooks = Simulator::new().robot(Robot::webhook("good", "good")).start(LOOPBACK).await.unwrap();
    let mut start = Start::new().with_loopback();
    for (name, host) in
        [("open.feishu.cn", &slow), ("qyapi.weixin.qq.com", &reset), ("oapi.dingtalk.com", &huge)]
    {
        start = start.flag("--connect-to", &format!("{name}=http://{}", host.address));
    }
    let server = start.at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    api.subscribe(&topic, &json!({ "protocol": "http", "endpoint": format!("{}/hook/good", hooks.url()) }))
        .await;
    confirm(&api, &hooks, 1).await;
    // The name of this one leads nowhere; it is asked whether it wants to be subscribed.
    let nowhere = json!({ "protocol": "http", "endpoint": "http://nobody.invalid/hook" });
    let nowhere = api.subscribe(&topic, &nowhere).await;
    let mut bad = Vec::new();
    for (protocol, url, reason) in [
        ("feishu", feishu_url(BAD), "timeout"),
        ("wechat", wecom_url(BAD), "broken"),
        ("dingding", dingtalk_url(BAD_TOKEN), "answer"),
    ] {
        bad.push((api.subscribe(&topic, &json!({ "protocol": protocol, "endpoint": url })).await, reason));
    }
    for (protocol, url) in
        [("feishu", feishu_url(WELL)), ("wechat", wecom_url(WELL)), ("dingding", dingtalk_url(WELL_TOKEN))]
    {
        api.subscribe(&topic, &json!({ "protocol": protocol, "endpoint": url })).await;
    }
    let mut published = Vec::new();
    for number in 0..MESSAGES {
        published.push(api.publish(&topic, &json!({ "message": format!("message {number};") })).await);
    }
    assert_eq!(hooks.received_at_least(MESSAGES, PATIENCE).await.len(), MESSAGES);
    until("everything at the robots that are well", async || {
        [&slow, &reset, &huge].iter().all(|host| texts(host) == MESSAGES).then_some(())
    })
    .await;
    let is_bad = |delivery: &Value| bad.iter().any(|(urn, _)| delivery["subscription_urn"] == **urn);
    for message in &published {
        // The others have ended, each by its first attempt, and the bad ones go on being tried.
        let all = until("the records of those that are well", async || {
            let all = api.deliveries(message).await;
            all.iter().filter(|it| !is_bad(it)).all(is_ended).then_some(all)
        })
        .await;
        for delivery in &all {
            if is_bad(delivery) {
                assert!(!is_ended(delivery), "{delivery:#}");
            } else {
                let attempts = delivery["attempts"].as_array().unwrap().len();
                assert_eq!((&delivery["state"], attempts), (&json!("delivered"), 1), "{delivery:#}");
            }
        }
    }
    for (urn, reason) in &bad {
        let found = until("a first attempt", async || {
            let all = api.deliveries(&published[0]).await;
            all.into_iter().find(|it| it["subscription_urn"] == **urn && first_reason(it).is_some())
        })
        .await;
        assert_eq!(first_reason(&found), Some(*reason), "{found:#}");
    }
    let asking = asked(&api, &nowhere).await;
    assert_eq!((first_reason(&asking), is_ended(&asking)), (Some("resolve"), false), "{asking:#}");
    hooks.stop().await;
    serving.shutdown().await;
}
