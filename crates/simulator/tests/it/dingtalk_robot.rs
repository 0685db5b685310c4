use carillon_simulator::{Platform, Robot, Simulator};
use serde_json::{Value, json};

use crate::support::{NOW_MS, Reply, World, start};

const TOKEN: &str = "abababababababababababababababababababababababababababababababab";
const PATH: &str =
    "/robot/send?access_token=abababababababababababababababababababababababababababababababab";

async fn world(guard: impl FnOnce(Robot) -> Robot) -> World {
    start(Simulator::new().robot(guard(Robot::dingtalk(TOKEN, "Ops")))).await
}

fn text(content: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": content}})
}

fn filled(unit: &str, units: usize) -> Value {
    let at = json!({"atMobiles": [], "atUserIds": [], "isAtAll": false});
    json!({"msgtype": "text", "text": {"content": unit.repeat(units)}, "at": at})
}

async fn code(world: &World, body: &Value) -> String {
    let reply = world.post(PATH, body).await;
    assert_eq!(reply.status, 200);
    reply.code()
}

#[tokio::test]
async fn a_text_is_taken_and_shown() {
    let world = world(|robot| robot).await;
    let body = json!({"msgtype": "text", "text": {"content": "disk full @13800000001 @u001"},
        "at": {"atMobiles": ["13800000001", "13800000002"], "atUserIds": ["u001"], "isAtAll": true}});
    let reply = world.post(PATH, &body).await;
    assert_eq!(reply.json(), json!({"errcode": 0, "errmsg": "ok"}));
    let received = world.running.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].platform, Platform::Dingtalk);
    assert_eq!((received[0].chat.as_str(), received[0].kind.as_str()), ("Ops", "text"));
    assert_eq!(received[0].mentions, ["13800000001", "u001", "all"]);
    assert_eq!(received[0].token_masked, "abab****abab");
    assert_eq!(received[0].at_ms, NOW_MS);
    assert_eq!(received[0].raw, body);
    let call = world.running.calls().remove(0);
    assert_eq!((call.path.as_str(), call.code.as_str()), ("/robot/send?access_token=abab****abab", "0"));
}

#[tokio::test]
async fn tokens() {
    let world = world(|robot| robot).await;
    let reply = world.post("/robot/send", &text("x")).await;
    assert_eq!((reply.code().as_str(), reply.words().as_str()), ("40035", "缺少参数 access_token"));
    let reply = world.post("/robot/send?access_token=nobody", &text("x")).await;
    assert_eq!((reply.code().as_str(), reply.words().as_str()), ("300005", "token is not exist"));
    world.running.stop_robot(TOKEN);
    assert_eq!(code(&world, &text("x")).await, "400102");
    assert!(world.running.received().is_empty());
    assert_eq!(world.running.calls().len(), 3);
}

#[tokio::test]
async fn the_body_must_be_json_and_say_so() {
    let world = world(|robot| robot).await;
    let reply = world.post_with(PATH, "", b"{\"msgtype\":").await;
    assert_eq!(reply.code(), "43004");
    let plain = world.post_with(PATH, "Content-Type: text/plain\r\n", text("x").to_string().as_bytes()).await;
    assert_eq!(plain.code(), "43004");
    assert_eq!(world.post_with(PATH, "", b"[]").await.code(), "43004");
}

#[tokio::test]
async fn sizes_exactly() {
    let world = world(|robot| robot).await;
    for (unit, most, bytes) in [("a", 19_907, 20_000), ("汉", 6635, 19_998)] {
        let at_most = filled(unit, most);
        assert_eq!(at_most.to_string().len(), bytes);
        assert_eq!(code(&world, &at_most).await, "0");
        let reply = world.post(PATH, &filled(unit, most + 1)).await;
        assert_eq!(reply.code(), "460101");
        assert!(reply.words().contains("20000bytes"));
    }
}

#[tokio::test]
async fn forms_and_their_fields() {
    let world = world(|robot| robot).await;
    let good = [
        json!({"msgtype": "markdown", "markdown": {"title": "t", "text": "# t"}}),
        json!({"msgtype": "link", "link": {"title": "t", "text": "x", "messageUrl": "https://a.example"}}),
        json!({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "singleTitle": "s", "singleURL": "https://a.example"}}),
        json!({"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "btns": [{"title": "b", "actionURL": "https://a.example"}]}}),
        json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "t", "messageURL": "https://a.example", "picURL": "https://b.example"}]}}),
    ];
    for body in &good {
        assert_eq!(code(&world, body).await, "0", "{body}");
        let kind = body["msgtype"].as_str().unwrap();
        for field in body[kind].as_object().unwrap().keys() {
            let mut without = body.clone();
            without[kind].as_object_mut().unwrap().remove(field);
            let reply = world.post(PATH, &without).await;
            assert_eq!(reply.code(), "40035", "without {field}: {without}");
            assert!(reply.words().starts_with("缺少参数"));
        }
    }
    assert_eq!(code(&world, &json!({"msgtype": "image", "image": {}})).await, "400105");
    assert_eq!(code(&world, &json!({"text": {"content": "x"}})).await, "40035");
    assert_eq!(code(&world, &text("  ")).await, "40035");
    let wrong_case =
        json!({"msgtype": "link", "link": {"title": "t", "text": "x", "messageURL": "https://a.example"}});
    assert_eq!(code(&world, &wrong_case).await, "40035");
    assert!(world.texts()[2].contains("[s](https://a.example)"));
}

#[tokio::test]
async fn fifty_people_at_most() {
    let world = world(|robot| robot).await;
    let body = |count: usize| {
        let ids: Vec<String> = (0..count).map(|id| format!("u{id}")).collect();
        json!({"msgtype": "text", "text": {"content": "x"}, "at": {"atUserIds": ids}})
    };
    assert_eq!(code(&world, &body(50)).await, "0");
    assert_eq!(code(&world, &body(51)).await, "40035");
}

const SECRET: &str = "SEC0000000000000000000000000000000000000000000000000000000000000000";
const SIGNED: &str = "&timestamp=1700000000000&sign=%2B8WOOUUcTkFRyfCevQaISh9EUbkxaatnd6MLtL7dAY8%3D";

async fn signed(world: &World, tail: &str) -> Reply {
    world.post(&format!("{PATH}{tail}"), &text("x")).await
}

#[tokio::test]
async fn signatures() {
    let world = world(|robot| robot.with_secret(SECRET)).await;
    assert_eq!(signed(&world, SIGNED).await.code(), "0");
    for altered in [
        "",
        "&timestamp=1700000000000",
        "&timestamp=1700000000001&sign=%2B8WOOUUcTkFRyfCevQaISh9EUbkxaatnd6MLtL7dAY8%3D",
        "&timestamp=1700000000000&sign=%2B8WOOUUcTkFRyfCevQaISh9EUbkxaatnd6MLtL7dAY9%3D",
        "&timestamp=1700000000000&sign=%252B8WOOUUcTkFRyfCevQaISh9EUbkxaatnd6MLtL7dAY8%253D",
        "&timestamp=1700000000000&sign=+8WOOUUcTkFRyfCevQaISh9EUbkxaatnd6MLtL7dAY8=",
        "&timestamp=1700000000000&sign=n06DTvNZ862cPNTEvznYfqY61hpyxrHVyf4srtnQ6bA%3D",
        "&timestamp=1700000000000&sign=b%2BZ/WhEt5MewNAy98CqN9eH4pOBOJPOHb4rt4ZR2/JU%3D",
    ] {
        let reply = signed(&world, altered).await;
        assert_eq!(reply.code(), "310000");
        assert!(reply.words().contains("签名不匹配"), "{altered}: {}", reply.words());
    }
    let seconds =
        signed(&world, "&timestamp=1700000000&sign=6i9bxZT8ICvHVaERc28pEsHdYcX6QB%2Buj0vjuyRFf%2BY%3D").await;
    assert!(seconds.words().contains("签名过期"));
    assert!(signed(&world, "&timestamp=now&sign=x").await.words().contains("invalid timestamp"));
}

#[tokio::test]
async fn a_signature_lives_one_hour_either_way() {
    for (by_ms, expected) in
        [(3_600_000, "0"), (3_600_001, "310000"), (-3_600_000, "0"), (-3_600_001, "310000")]
    {
        let world = world(|robot| robot.with_secret(SECRET)).await;
        world.clock.advance(by_ms);
        let reply = signed(&world, SIGNED).await;
        assert_eq!(reply.code(), expected, "{by_ms}");
        assert_eq!(reply.words().contains("签名过期"), expected != "0");
    }
}

#[tokio::test]
async fn one_of_the_keywords_must_be_there() {
    let world = world(|robot| robot.with_keyword("alarm").with_keyword("告警")).await;
    let reply = world.post(PATH, &text("disk full")).await;
    assert_eq!(reply.code(), "310000");
    assert!(reply.words().contains("关键词不匹配"));
    assert_eq!(code(&world, &text("告警: disk full")).await, "0");
    let in_address = json!({"msgtype": "link", "link": {"title": "t", "text": "x", "messageUrl": "https://a.example/alarm"}});
    assert_eq!(code(&world, &in_address).await, "310000");
}

#[tokio::test]
async fn the_address_must_be_listed() {
    let stranger = world(|robot| robot.with_allowed_ip([203, 0, 113, 9].into())).await;
    let reply = stranger.post(PATH, &text("x")).await;
    assert_eq!(reply.code(), "310000");
    assert!(reply.words().contains("不在白名单"));
    let friend = world(|robot| robot.with_allowed_ip([127, 0, 0, 1].into())).await;
    assert_eq!(code(&friend, &text("x")).await, "0");
}

#[tokio::test]
async fn twenty_a_minute_then_ten_minutes_of_silence() {
    let world = world(|robot| robot).await;
    for _ in 0..20 {
        assert_eq!(code(&world, &text("x")).await, "0");
    }
    world.clock.advance(59_999);
    assert_eq!(code(&world, &text("x")).await, "410100");
    world.clock.advance(599_999);
    assert_eq!(code(&world, &text("x")).await, "410100");
    world.clock.advance(1);
    assert_eq!(code(&world, &text("x")).await, "0");
    assert_eq!(world.running.received().len(), 21);
}

#[tokio::test]
async fn refused_messages_do_not_count() {
    let world = world(|robot| robot).await;
    for _ in 0..30 {
        assert_eq!(code(&world, &text("")).await, "40035");
    }
    assert_eq!(code(&world, &text("x")).await, "0");
}

#[tokio::test]
async fn the_month_is_counted_for_the_whole_organisation() {
    let simulator = Simulator::new().dingtalk_webhook_quota(2);
    let world =
        start(simulator.robot(Robot::dingtalk(TOKEN, "a")).robot(Robot::dingtalk("other", "b"))).await;
    assert_eq!(code(&world, &text("x")).await, "0");
    assert_eq!(world.post("/robot/send?access_token=other", &text("x")).await.code(), "0");
    let reply = world.post(PATH, &text("x")).await;
    assert_eq!((reply.code().as_str(), reply.words().as_str()), ("90030", "webhook over limit"));
    world.clock.advance(31 * 86_400_000);
    assert_eq!(code(&world, &text("x")).await, "0");
}

#[tokio::test]
async fn a_message_id_is_shown_once() {
    let world = world(|robot| robot).await;
    let mut body = text("once");
    body["msgUuid"] = "m-1".into();
    for _ in 0..30 {
        assert_eq!(code(&world, &body).await, "0");
    }
    assert_eq!(world.texts(), ["once"]);
    body["msgUuid"] = "m-2".into();
    assert_eq!(code(&world, &body).await, "0");
    assert_eq!(world.texts().len(), 2);
}

#[tokio::test]
async fn the_host_must_fit_the_path() {
    let world = world(|robot| robot).await;
    let body = text("x").to_string();
    let wrong = world.post_with(PATH, "Host: qyapi.weixin.qq.com\r\n", body.as_bytes()).await;
    assert_eq!(wrong.status, 404);
    let right = world.post_with(PATH, "Host: oapi.dingtalk.com\r\n", body.as_bytes()).await;
    assert_eq!(right.code(), "0");
    assert_eq!(world.get(PATH).await.status, 404);
}
