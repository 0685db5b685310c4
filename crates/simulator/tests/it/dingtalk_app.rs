use carillon_simulator::{DingtalkApp, Platform, Simulator};
use serde_json::{Value, json};

use crate::support::{Reply, World, start};

const GROUP: &str = "/v1.0/robot/groupMessages/send";
const PEOPLE: &str = "/v1.0/robot/oToMessages/batchSend";

fn app(key: &str, robot: &str) -> DingtalkApp {
    DingtalkApp {
        app_key: key.to_owned(),
        app_secret: "hush".to_owned(),
        robot_code: robot.to_owned(),
        conversations: vec![("cid1".to_owned(), "Ops".to_owned())],
        users: (0..30).map(|id| (format!("u{id}"), format!("Name {id}"))).collect(),
    }
}

async fn world() -> (World, String) {
    let world = start(Simulator::new().app(app("key1", "robot1")).app(app("key2", "robot2"))).await;
    let token = token(&world).await;
    (world, token)
}

async fn token(world: &World) -> String {
    let reply = world.post("/v1.0/oauth2/accessToken", &json!({"appKey": "key1", "appSecret": "hush"})).await;
    assert_eq!((reply.status, &reply.json()["expireIn"]), (200, &json!(7200)));
    reply.json()["accessToken"].as_str().unwrap().to_owned()
}

async fn send(world: &World, path: &str, token: &str, body: &Value) -> Reply {
    let header = format!("x-acs-dingtalk-access-token: {token}\r\n");
    world.post_with(path, &header, body.to_string().as_bytes()).await
}

fn group(key: &str, param: &Value) -> Value {
    json!({"robotCode": "robot1", "openConversationId": "cid1", "msgKey": key, "msgParam": param.to_string()})
}

fn people(ids: &[&str]) -> Value {
    let param = json!({"content": "hi"}).to_string();
    json!({"robotCode": "robot1", "userIds": ids, "msgKey": "sampleText", "msgParam": param})
}

fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
    assert!(reply.json()["requestid"].is_string());
    assert!(reply.json()["message"].is_string());
}

#[tokio::test]
async fn three_ways_to_one_token() {
    let (world, first) = world().await;
    assert_eq!(token(&world).await, first);
    let body = json!({"client_id": "key1", "client_secret": "hush", "grant_type": "client_credentials"});
    let reply = world.post("/v1.0/oauth2/corp1/token", &body).await;
    assert_eq!(reply.json(), json!({"access_token": first, "expires_in": 7200}));
    let reply = world.get("/gettoken?appkey=key1&appsecret=hush").await;
    assert_eq!(reply.json()["access_token"], first.as_str());
    assert_eq!(reply.code(), "0");
}

#[tokio::test]
async fn wrong_pairs() {
    let (world, _) = world().await;
    let reply = world.post("/v1.0/oauth2/accessToken", &json!({"appKey": "key1", "appSecret": "no"})).await;
    assert_refused(&reply, 400, "invalidClientIdOrSecret");
    let body = json!({"client_id": "key1", "client_secret": "no", "grant_type": "client_credentials"});
    assert_refused(&world.post("/v1.0/oauth2/c/token", &body).await, 400, "invalid.client");
    let body = json!({"client_id": "key1", "client_secret": "hush"});
    assert_refused(&world.post("/v1.0/oauth2/c/token", &body).await, 400, "unsupported.grant.type");
    let reply = world.get("/gettoken?appkey=key1&appsecret=no").await;
    assert_eq!((reply.status, reply.code().as_str()), (200, "40089"));
}

#[tokio::test]
async fn tokens_die_after_two_hours_and_asking_extends_them() {
    let (world, first) = world().await;
    let body = people(&["u1"]);
    world.clock.advance(7_199_999);
    assert_eq!(send(&world, PEOPLE, &first, &body).await.status, 200);
    assert_eq!(token(&world).await, first);
    world.clock.advance(7_199_999);
    assert_eq!(send(&world, PEOPLE, &first, &body).await.status, 200);
    world.clock.advance(1);
    assert_refused(&send(&world, PEOPLE, &first, &body).await, 400, "InvalidAuthentication");
    let second = token(&world).await;
    assert_ne!(first, second);
    world.running.expire_tokens("key1");
    assert_refused(&send(&world, PEOPLE, &second, &body).await, 400, "InvalidAuthentication");
    assert_refused(&world.post(PEOPLE, &body).await, 400, "InvalidAuthentication");
}

#[tokio::test]
async fn a_group_gets_a_message() {
    let (world, token) = world().await;
    let body = group("sampleMarkdown", &json!({"title": "Disk", "text": "# full"}));
    let reply = send(&world, GROUP, &token, &body).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["processQueryKey"].is_string());
    let received = world.running.received();
    assert_eq!((received[0].platform, received[0].chat.as_str()), (Platform::DingtalkApp, "Ops"));
    assert_eq!((received[0].title.as_deref(), received[0].text.as_str()), (Some("Disk"), "# full"));
}

#[tokio::test]
async fn people_may_fail_in_part() {
    let (world, token) = world().await;
    world.running.set_flow_controlled(["u2".to_owned()]);
    let reply = send(&world, PEOPLE, &token, &people(&["u1", "u2", "u404"])).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["invalidStaffIdList"], json!(["u404"]));
    assert_eq!(reply.json()["flowControlledStaffIdList"], json!(["u2"]));
    let received = world.running.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].chat, "Name 1");
    assert_refused(&send(&world, PEOPLE, &token, &people(&["u404"])).await, 400, "staffId.notExisted");
}

#[tokio::test]
async fn twenty_people_at_most() {
    let (world, token) = world().await;
    let ids: Vec<String> = (0..21).map(|id| format!("u{id}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(send(&world, PEOPLE, &token, &people(&ids[..20])).await.status, 200);
    assert_refused(
        &send(&world, PEOPLE, &token, &people(&ids)).await,
        400,
        "invalidParameter.userIds.overMax",
    );
    assert_refused(&send(&world, PEOPLE, &token, &people(&[])).await, 400, "miss.param.userIds");
}

#[tokio::test]
async fn robots_and_conversations() {
    let (world, token) = world().await;
    let good = group("sampleText", &json!({"content": "x"}));
    for (field, value, code) in [
        ("robotCode", json!("nobody"), "invalidParameter.robotCode.notExsit"),
        ("robotCode", json!("robot2"), "invalidParameter.robotCode.auth"),
        ("robotCode", Value::Null, "miss.param.robotCode"),
        ("openConversationId", json!("cid9"), "invalid.openConversationId"),
        ("openConversationId", json!(""), "miss.param.openConversationId"),
        ("msgKey", json!("sampleFeedCard"), "invalidParameter.msgKey.invalid"),
        ("msgKey", Value::Null, "miss.param.msgKey"),
        ("msgParam", json!({"content": "x"}), "invalidParameter.msgParam.invalid"),
        ("msgParam", json!("x"), "invalidParameter.msgParam.invalid"),
        ("msgParam", Value::Null, "miss.param.msgParam"),
        ("msgParam", json!("{}"), "miss.param.content"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        assert_refused(&send(&world, GROUP, &token, &body).await, 400, code);
    }
    world.running.stop_robot("robot1");
    assert_refused(&send(&world, GROUP, &token, &good).await, 400, "bot.stopped");
}

#[tokio::test]
async fn every_key_wants_its_fields() {
    let (world, token) = world().await;
    let card = json!({"title": "t", "text": "x", "actionTitle1": "a", "actionURL1": "https://a.example",
        "actionTitle2": "b", "actionURL2": "https://b.example"});
    for (key, param) in [
        ("sampleImageMsg", json!({"photoURL": "https://a.example"})),
        ("sampleLink", json!({"title": "t", "text": "x", "picUrl": "@m", "messageUrl": "https://a.example"})),
        (
            "sampleActionCard",
            json!({"title": "t", "text": "x", "singleTitle": "s", "singleURL": "https://a.example"}),
        ),
        ("sampleActionCard2", card),
        ("sampleAudio", json!({"mediaId": "m", "duration": "1000"})),
        ("sampleFile", json!({"mediaId": "m", "fileName": "f", "fileType": "pdf"})),
    ] {
        world.clock.advance(1000);
        assert_eq!(send(&world, GROUP, &token, &group(key, &param)).await.status, 200, "{key}");
        for field in param.as_object().unwrap().keys() {
            let mut without = param.clone();
            without.as_object_mut().unwrap().remove(field);
            let reply = send(&world, GROUP, &token, &group(key, &without)).await;
            assert_refused(&reply, 400, &format!("miss.param.{field}"));
        }
    }
}

#[tokio::test]
async fn the_param_has_fifteen_thousand_bytes() {
    let (world, token) = world().await;
    let param = |units: usize| json!({"content": "汉".repeat(units)});
    assert_eq!(param(4995).to_string().len(), 14_999);
    assert_eq!(send(&world, GROUP, &token, &group("sampleText", &param(4995))).await.status, 200);
    let reply = send(&world, GROUP, &token, &group("sampleText", &param(4996))).await;
    assert_refused(&reply, 400, "invalidParameter.msgParam.tooLong");
    let exactly = json!({"content": "a".repeat(15_000 - 14)});
    assert_eq!(send(&world, GROUP, &token, &group("sampleText", &exactly)).await.status, 200);
    let over = json!({"content": "a".repeat(15_001 - 14)});
    let reply = send(&world, GROUP, &token, &group("sampleText", &over)).await;
    assert_refused(&reply, 400, "invalidParameter.msgParam.tooLong");
}

#[tokio::test]
async fn twenty_calls_a_second() {
    let (world, token) = world().await;
    for _ in 0..20 {
        assert_eq!(send(&world, PEOPLE, &token, &people(&["u1"])).await.status, 200);
    }
    let code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi";
    assert_refused(&send(&world, PEOPLE, &token, &people(&["u1"])).await, 403, code);
    let other = send(&world, GROUP, &token, &group("sampleText", &json!({"content": "x"}))).await;
    assert_eq!(other.status, 200);
    world.clock.advance(1000);
    assert_eq!(send(&world, PEOPLE, &token, &people(&["u1"])).await.status, 200);
}

#[tokio::test]
async fn the_month_of_the_interface_is_used_up() {
    let world = start(Simulator::new().dingtalk_api_quota(1).app(app("key1", "robot1"))).await;
    let token = token(&world).await;
    assert_eq!(send(&world, PEOPLE, &token, &people(&["u1"])).await.status, 200);
    let code = "Forbidden.AccessDenied.ApiCountLimitForOrg";
    assert_refused(&send(&world, PEOPLE, &token, &people(&["u1"])).await, 403, code);
}
