use carillon_simulator::{Platform, Robot, Simulator};
use serde_json::json;

use crate::support::{exchange, start};

#[tokio::test]
async fn robots_are_registered_over_http() {
    let world = start(Simulator::new()).await;
    let robot = json!({"platform": "dingtalk", "token": "0123456789abcdef0123456789abcdef", "chat": "Ops",
        "sign_secret": "SECabc", "keywords": ["alarm"], "allowed_ips": ["127.0.0.1"]});
    let reply = world.post("/_simulator/robots", &robot).await;
    assert_eq!(reply.status, 201);
    let listed = world.get("/_simulator/robots").await.json();
    assert_eq!(
        listed,
        json!({"robots": [{"platform": "dingtalk", "token_masked": "0123****cdef", "chat": "Ops", "signed": true,
            "keywords": ["alarm"], "allowed_ips": ["127.0.0.1"], "stopped": false}]})
    );
    let text = json!({"msgtype": "text", "text": {"content": "x"}});
    let path = "/robot/send?access_token=0123456789abcdef0123456789abcdef";
    assert_eq!(world.post(path, &text).await.code(), "310000");
    let stopped = json!({"platform": "wecom", "token": "k", "chat": "W", "stopped": true});
    assert_eq!(world.post("/_simulator/robots", &stopped).await.status, 201);
    assert_eq!(world.post("/cgi-bin/webhook/send?key=k", &text).await.code(), "93000");
}

#[tokio::test]
async fn bad_orders_are_refused() {
    let world = start(Simulator::new()).await;
    for body in [
        json!({}),
        json!({"platform": "telegram", "token": "t", "chat": "c"}),
        json!({"platform": "dingtalk", "token": "", "chat": "c"}),
        json!({"platform": "dingtalk_app", "token": "t", "chat": "c"}),
        json!({"platform": "dingtalk", "token": "t", "chat": "c", "typo": 1}),
    ] {
        assert_eq!(world.post("/_simulator/robots", &body).await.status, 400, "{body}");
    }
    let plain = world.post_with("/_simulator/robots", "Content-Type: text/plain\r\n", b"{}").await;
    assert_eq!(plain.status, 415);
    assert_eq!(world.post("/_simulator/received", &json!({})).await.status, 405);
    assert_eq!(world.get("/_simulator/nothing").await.status, 404);
    assert!(world.running.calls().is_empty());
}

#[tokio::test]
async fn lists_and_clearing() {
    let world = start(Simulator::new().robot(Robot::webhook("a", "Chat A"))).await;
    for name in ["a", "b", "a"] {
        let reply =
            world.post_with(&format!("/hook/{name}"), "X-Extra: yes\r\n", b"{\"subject\":\"s\"}").await;
        assert_eq!(reply.status, 200);
    }
    let list = world.get("/_simulator/received").await.json();
    assert_eq!(list["received"].as_array().unwrap().len(), 3);
    let first = &list["received"][0];
    assert_eq!(
        (&first["platform"], &first["chat"], &first["title"]),
        (&json!("webhook"), &json!("Chat A"), &json!("s"))
    );
    assert_eq!(
        (&first["raw"]["headers"]["x-extra"], &first["raw"]["body"]["subject"]),
        (&json!("yes"), &json!("s"))
    );
    let later = world.get("/_simulator/received?after=1&chat=Chat%20A").await.json();
    assert_eq!(later["received"].as_array().unwrap().len(), 1);
    assert_eq!(later["received"][0]["seq"], 3);
    let calls = world.get("/_simulator/calls").await.json();
    assert_eq!(calls["calls"].as_array().unwrap().len(), 3);
    assert_eq!(calls["calls"][0]["body_bytes"], 15);
    let cleared = exchange(world.running.addr(), "DELETE /_simulator/received HTTP/1.1", b"").await.unwrap();
    assert_eq!(cleared.status, 204);
    assert!(world.running.received().is_empty());
}

#[tokio::test]
async fn scripts_are_set_over_http() {
    let world = start(Simulator::new()).await;
    world.running.add_robot(Robot::dingtalk("t", "Ops"));
    let script = json!({"token": "t", "act": {"kind": "code", "code": "-1", "text": "busy"}, "times": 2});
    assert_eq!(world.post("/_simulator/scripts", &script).await.status, 204);
    let text = json!({"msgtype": "text", "text": {"content": "x"}});
    assert_eq!(world.post("/robot/send?access_token=t", &text).await.code(), "-1");
    let cleared =
        exchange(world.running.addr(), "DELETE /_simulator/scripts?token=t HTTP/1.1", b"").await.unwrap();
    assert_eq!(cleared.status, 204);
    assert_eq!(world.post("/robot/send?access_token=t", &text).await.code(), "0");
    for act in [
        json!({"kind": "slow", "ms": 5}),
        json!({"kind": "hang"}),
        json!({"kind": "answer", "status": 503, "headers": [["Retry-After", "3"]], "body": "x"}),
        json!({"kind": "huge", "megabytes": 3}),
        json!({"kind": "drop"}),
        json!({"kind": "lose_answer"}),
        json!({"kind": "garbage"}),
        json!({"kind": "gone"}),
    ] {
        let script = json!({"token": "elsewhere", "act": act});
        assert_eq!(world.post("/_simulator/scripts", &script).await.status, 204, "{act}");
    }
    let unknown = json!({"token": "t", "act": {"kind": "sulk"}});
    assert_eq!(world.post("/_simulator/scripts", &unknown).await.status, 400);
}

#[tokio::test]
async fn unknown_paths_are_noted_without_their_secrets() {
    let world = start(Simulator::new()).await;
    let path = "/open-apis/bot/hook/0f0e0d0c-0b0a-4908-8706-050403020100";
    assert_eq!(world.post(path, &json!({})).await.status, 404);
    let call = world.running.calls().remove(0);
    assert_eq!((call.platform, call.http_status), (Platform::Feishu, 404));
    assert_eq!(call.path, "/open-apis/bot/hook/0f0e****0100");
    assert!(world.running.url().starts_with("http://127.0.0.1:"));
}
