use carillon_simulator::{Platform, Robot, Simulator};
use serde_json::{Value, json};

use crate::support::{NOW_MS, World, start};

const TOKEN: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";
const PATH: &str = "/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100";
const SIGN: &str = "t2WKLO/e84QnCSsgE16ZiT4RlU8enB7yv0kH7MEVm98=";

pub(crate) async fn world(guard: impl FnOnce(Robot) -> Robot) -> World {
    start(Simulator::new().robot(guard(Robot::feishu(TOKEN, "Ops")))).await
}

pub(crate) async fn code(world: &World, body: &Value) -> String {
    world.post(PATH, body).await.code()
}

fn text(content: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": content}})
}

fn signed(units: usize, unit: &str) -> Value {
    json!({"timestamp": "1700000000", "sign": SIGN, "msg_type": "text", "content": {"text": unit.repeat(units)}})
}

fn post(nodes: &Value) -> Value {
    json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "Disk", "content": [nodes]}}}})
}

#[tokio::test]
async fn a_text_is_taken_and_shown() {
    let world = world(|robot| robot).await;
    let body = text("<at user_id=\"ou_0001\">Li</at> <at user_id=\"all\">all</at> disk full");
    let reply = world.post(PATH, &body).await;
    let expected =
        json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"});
    assert_eq!((reply.status, reply.json()), (200, expected));
    let received = world.running.received();
    assert_eq!(received[0].platform, Platform::Feishu);
    assert_eq!(received[0].text, "@Li @all disk full");
    assert_eq!(received[0].mentions, ["ou_0001", "all"]);
    assert_eq!(world.running.calls()[0].path, "/open-apis/bot/v2/hook/0f0e****0100");
}

#[tokio::test]
async fn tokens_and_clouds() {
    let world = world(|robot| robot).await;
    let unknown = world.post("/open-apis/bot/v2/hook/nobody", &text("x")).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (200, "19001"));
    assert_eq!(world.post("/open-apis/bot/v2/hook/", &text("x")).await.code(), "19001");
    let body = text("x").to_string();
    let other_cloud = world.post_with(PATH, "Host: open.larksuite.com\r\n", body.as_bytes()).await;
    assert_eq!(other_cloud.code(), "19001");
    let own_cloud = world.post_with(PATH, "Host: open.feishu.cn\r\n", body.as_bytes()).await;
    assert_eq!(own_cloud.code(), "0");
    let no_bot_there = world.post_with(PATH, "Host: oapi.dingtalk.com\r\n", body.as_bytes()).await;
    assert_eq!(no_bot_there.status, 404);
    world.running.stop_robot(TOKEN);
    assert_eq!(code(&world, &text("x")).await, "19001");
}

#[tokio::test]
async fn forms() {
    let world = world(|robot| robot).await;
    for body in [
        json!({"msg_type": "image", "content": {"image_key": "img_1"}}),
        json!({"msg_type": "share_chat", "content": {"share_chat_id": "oc_1"}}),
    ] {
        assert_eq!(code(&world, &body).await, "0", "{body}");
    }
    for body in [
        json!({"msg_type": "text", "content": {}}),
        json!({"msg_type": "text", "text": {"content": "x"}}),
        json!({"msg_type": "image", "content": {"image_key": "https://a.example/x.png"}}),
        json!({"msg_type": "share_chat", "content": {"share_chat_id": "x"}}),
        json!({"msg_type": "post", "content": {"zh_cn": {"title": "t", "content": []}}}),
    ] {
        let reply = world.post(PATH, &body).await;
        assert_eq!(
            (reply.status, reply.code().as_str(), reply.words().as_str()),
            (400, "9499", "Bad Request")
        );
    }
    assert_eq!(world.post_with(PATH, "", b"{").await.code(), "9499");
    let as_text =
        world.post_with(PATH, "Content-Type: text/plain\r\n", text("x").to_string().as_bytes()).await;
    assert_eq!(as_text.code(), "9499");
    let missing = world.post(PATH, &json!({"content": {"text": "x"}})).await;
    assert_eq!((missing.code().as_str(), missing.words().as_str()), ("19002", "params error, msg_type need"));
    assert_eq!(code(&world, &json!({"msgtype": "text", "text": {"content": "x"}})).await, "19002");
    assert_eq!(code(&world, &json!({"msg_type": "markdown", "content": {}})).await, "19002");
}

#[tokio::test]
async fn posts_have_four_nodes() {
    let world = world(|robot| robot).await;
    let good = json!([{"tag": "text", "text": "full "}, {"tag": "at", "user_id": "ou_1"},
        {"tag": "a", "text": "Open", "href": "https://a.example"}, {"tag": "img", "image_key": "img_1"}]);
    assert_eq!(code(&world, &post(&good)).await, "0");
    assert_eq!(world.texts(), ["full @ou_1[Open](https://a.example)🖼 img_1"]);
    assert_eq!(world.running.received()[0].title.as_deref(), Some("Disk"));
    for bad in [
        json!([{"tag": "a", "text": "Open", "href": "not an address"}]),
        json!([{"tag": "a", "text": "Open", "href": ""}]),
        json!([{"tag": "md", "text": "**x**"}]),
        json!([{"tag": "at"}]),
        json!([{"tag": "text"}]),
        json!("text"),
    ] {
        assert_eq!(code(&world, &post(&bad)).await, "9499", "{bad}");
    }
}

#[tokio::test]
async fn signatures() {
    let world = world(|robot| robot.with_secret("x")).await;
    assert_eq!(code(&world, &signed(1, "a")).await, "0");
    let mut as_number = signed(1, "a");
    as_number["timestamp"] = 1_700_000_000.into();
    assert_eq!(code(&world, &as_number).await, "0");
    for (field, value) in [
        ("sign", json!("0V0H08EsTzG8zMunBZ0Zt1C/hus4qDeaub0JfOjvtpU=")),
        ("sign", json!("8n5lJ9a4QIQwpma3RgcMMH9UK7VO5+bcswPz5SwLCfs=")),
        ("sign", json!("t2WKLO%2Fe84QnCSsgE16ZiT4RlU8enB7yv0kH7MEVm98%3D")),
        ("sign", Value::Null),
        ("timestamp", json!("1700000001")),
        ("timestamp", json!("1700000000000")),
        ("timestamp", Value::Null),
    ] {
        let mut altered = signed(1, "a");
        altered[field] = value;
        let reply = world.post(PATH, &altered).await;
        assert_eq!(reply.code(), "19021", "{altered}");
        assert!(reply.words().starts_with("sign match fail or timestamp is not within one hour"));
    }
}

#[tokio::test]
async fn a_signature_lives_one_hour_either_way() {
    for (by_ms, expected) in
        [(3_600_999, "0"), (3_601_000, "19021"), (-3_600_000, "0"), (-3_600_001, "19021")]
    {
        let world = world(|robot| robot.with_secret("x")).await;
        world.clock.advance(by_ms);
        assert_eq!(code(&world, &signed(1, "a")).await, expected, "{by_ms}");
    }
    let world = world(|robot| robot.with_secret("demo")).await;
    world.clock.set(1_599_360_473_000);
    let body = json!({"timestamp": "1599360473", "sign": "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=",
        "msg_type": "text", "content": {"text": "x"}});
    assert_eq!(code(&world, &body).await, "0");
}

#[tokio::test]
async fn sizes_exactly() {
    let world = world(|robot| robot.with_secret("x")).await;
    for (unit, most, bytes) in [("a", 19_880, 20_000), ("汉", 6626, 19_998)] {
        let body = signed(most, unit);
        assert_eq!(body.to_string().len(), bytes);
        assert_eq!(code(&world, &body).await, "0");
        assert_eq!(code(&world, &signed(most + 1, unit)).await, "19036");
    }
}

#[tokio::test]
async fn keywords_stand_in_texts_and_titles() {
    let world = world(|robot| robot.with_keyword("Disk")).await;
    let reply = world.post(PATH, &text("full")).await;
    assert_eq!((reply.code().as_str(), reply.words().as_str()), ("19024", "Key Words Not Found"));
    assert_eq!(code(&world, &text("Disk full")).await, "0");
    assert_eq!(code(&world, &post(&json!([{"tag": "text", "text": "x"}]))).await, "0");
    let mut in_address = post(&json!([{"tag": "a", "text": "x", "href": "https://a.example/Disk"}]));
    in_address["content"]["post"]["zh_cn"]["title"] = "t".into();
    assert_eq!(code(&world, &in_address).await, "19024");
    let card = json!({"msg_type": "interactive", "card": {"schema": "2.0",
        "header": {"title": {"tag": "plain_text", "content": "Disk"}}, "body": {"elements": []}}});
    assert_eq!(code(&world, &card).await, "0");
    let mut elsewhere = card;
    elsewhere["card"]["header"]["title"]["content"] = "x".into();
    elsewhere["content"] = json!({"text": "Disk"});
    assert_eq!(code(&world, &elsewhere).await, "19024");
}

#[tokio::test]
async fn the_address_must_be_listed() {
    let world = world(|robot| robot.with_allowed_ip([203, 0, 113, 9].into())).await;
    let reply = world.post(PATH, &text("x")).await;
    assert_eq!((reply.code().as_str(), reply.words().as_str()), ("19022", "Ip Not Allowed"));
}

#[tokio::test]
async fn five_a_second_and_a_hundred_a_minute() {
    let world = world(|robot| robot).await;
    for second in 0..20 {
        for _ in 0..5 {
            assert_eq!(code(&world, &text("x")).await, "0", "second {second}");
        }
        if second == 0 {
            assert_eq!(code(&world, &text("x")).await, "11232");
        }
        world.clock.advance(1000);
    }
    assert_eq!(code(&world, &text("x")).await, "11232");
    world.clock.set(NOW_MS + 59_999);
    assert_eq!(code(&world, &text("x")).await, "11232");
    world.clock.set(NOW_MS + 60_000);
    assert_eq!(code(&world, &text("x")).await, "0");
    assert_eq!(world.running.received().len(), 101);
}
