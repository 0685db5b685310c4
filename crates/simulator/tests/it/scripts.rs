use std::time::Duration;

use carillon_simulator::{Act, DingtalkApp, Robot, Simulator};
use serde_json::{Value, json};

use crate::support::{World, exchange, start};

const DING: &str = "/robot/send?access_token=t";

async fn world() -> World {
    let app = DingtalkApp {
        app_key: "key1".to_owned(),
        app_secret: "hush".to_owned(),
        robot_code: "robot1".to_owned(),
        conversations: Vec::new(),
        users: Vec::new(),
    };
    let robots = [Robot::dingtalk("t", "Ding"), Robot::lark("l", "Lark"), Robot::wecom("w", "WeCom")];
    start(robots.into_iter().fold(Simulator::new().app(app), Simulator::robot)).await
}

fn text() -> Value {
    json!({"msgtype": "text", "text": {"content": "x"}, "msg_type": "text", "content": {"text": "x"}})
}

#[tokio::test]
async fn codes_come_in_each_platforms_shape() {
    let world = world().await;
    for token in ["t", "l", "w", "robot1", "hook"] {
        world.running.script(token, Act::Code { code: "-1".to_owned(), text: "busy".to_owned() }, Some(1));
    }
    let busy = json!({"errcode": -1, "errmsg": "busy"});
    assert_eq!(world.post(DING, &text()).await.json(), busy);
    assert_eq!(world.post(DING, &text()).await.code(), "0", "only once");
    assert_eq!(world.post("/cgi-bin/webhook/send?key=w", &text()).await.json(), busy);
    let lark = world.post("/open-apis/bot/v2/hook/l", &text()).await;
    assert_eq!(lark.json(), json!({"code": -1, "data": {}, "msg": "busy"}));
    let app = world.post("/v1.0/robot/groupMessages/send", &json!({"robotCode": "robot1"})).await;
    assert_eq!((app.status, app.code().as_str()), (400, "-1"));
    assert_eq!(world.post("/hook/hook", &text()).await.json(), json!({"code": "-1"}));
    assert_eq!(world.running.calls()[0].code, "-1");
    assert_eq!(world.running.received().len(), 1);
}

#[tokio::test]
async fn answers_as_given() {
    let world = world().await;
    let headers = vec![("Retry-After".to_owned(), "7".to_owned()), ("bad header".to_owned(), "x".to_owned())];
    let act = Act::Answer { status: 503, headers, body: "later".to_owned() };
    world.running.script("t", act, None);
    for _ in 0..3 {
        let reply = world.post(DING, &text()).await;
        assert_eq!((reply.status, reply.text().as_str()), (503, "later"));
        assert!(reply.head.to_ascii_lowercase().contains("retry-after: 7"));
    }
    world.running.clear_script("t");
    assert_eq!(world.post(DING, &text()).await.code(), "0");
}

#[tokio::test]
async fn slow_still_judges() {
    let world = world().await;
    world.running.script("t", Act::Slow { ms: 1 }, Some(1));
    assert_eq!(world.post(DING, &text()).await.code(), "0");
    assert_eq!(world.running.received().len(), 1);
}

#[tokio::test]
async fn huge_is_huge() {
    let world = world().await;
    world.running.script("t", Act::Huge { megabytes: 3 }, Some(1));
    let reply = world.post(DING, &text()).await;
    assert_eq!((reply.status, reply.body.iter().filter(|byte| **byte == b' ').count()), (200, 3_000_000));
}

#[tokio::test]
async fn garbage_is_a_web_page() {
    let world = world().await;
    world.running.script("t", Act::Garbage, Some(1));
    let reply = world.post(DING, &text()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().starts_with("<html>") && reply.head.contains("text/html"));
}

#[tokio::test]
async fn broken_connections() {
    let world = world().await;
    world.running.script("t", Act::Gone, Some(1));
    assert!(world.try_post(DING, &text()).await.is_none());
    world.running.script("t", Act::Drop, Some(1));
    let begun = world.try_post(DING, &text()).await.unwrap();
    assert_eq!(begun.status, 200);
    assert!(!begun.text().contains("\r\n0\r\n"), "the body must not end properly");
    assert!(world.running.received().is_empty());
    world.running.script("t", Act::LoseAnswer, Some(1));
    assert!(world.try_post(DING, &text()).await.is_none());
    assert_eq!(world.running.received().len(), 1);
    let codes: Vec<String> = world.running.calls().into_iter().map(|call| call.code).collect();
    assert_eq!(codes, ["scripted", "scripted", "0"]);
}

#[tokio::test]
async fn a_hung_call_ends_with_the_stop() {
    let world = world().await;
    world.running.script("t", Act::Hang, None);
    world.running.script("l", Act::Slow { ms: 3_600_000 }, None);
    let addr = world.running.addr();
    let mut calls = tokio::task::JoinSet::new();
    for path in [DING, "/open-apis/bot/v2/hook/l"] {
        calls.spawn(async move { exchange(addr, &format!("POST {path} HTTP/1.1"), b"{}").await });
    }
    // The hanging call is noted when it begins to hang.
    while world.running.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let stopped = tokio::time::timeout(Duration::from_secs(5), world.running.stop()).await;
    assert!(stopped.is_ok());
    while let Some(answer) = calls.join_next().await {
        assert!(answer.unwrap().is_none());
    }
}

#[tokio::test]
async fn dropping_the_handle_closes_the_door() {
    let world = world().await;
    let addr = world.running.addr();
    drop(world);
    while tokio::net::TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn waiting_for_messages() {
    let world = world().await;
    let (received, _) = tokio::join!(world.running.received_at_least(2, Duration::from_secs(30)), async {
        world.post(DING, &text()).await;
        world.post("/hook/any", &text()).await
    });
    assert_eq!(received.len(), 2);
    let too_few = world.running.received_at_least(3, Duration::ZERO).await;
    assert_eq!(too_few.len(), 2);
}

#[tokio::test]
async fn bodies_are_capped() {
    let world = world().await;
    let at_most = vec![b'a'; 4 * 1024 * 1024];
    assert_eq!(world.post_with("/hook/any", "", &at_most).await.status, 200);
    let mut over = at_most;
    over.push(b'a');
    let reply = exchange(world.running.addr(), "POST /hook/any HTTP/1.1", &over).await;
    assert!(reply.is_none_or(|reply| reply.status == 413));
    assert_eq!(world.running.received().len(), 1);
}
