//! What breaks a rule of publishing is refused in both dialects, and nothing is accepted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{smn, topic_urn};
use crate::refusals::{Case, case, get, world};

const KIB_256: usize = 262_144;

fn messages() -> Vec<(Value, u16, &'static str)> {
    let subject = |subject: Value| (json!({ "subject": subject, "message": "x" }), 403, "SMN.0008");
    let message = |message: Value| (json!({ "subject": "s", "message": message }), 403, "SMN.0009");
    let life = |seconds: Value| (json!({ "message": "x", "time_to_live": seconds }), 403, "SMN.0009");
    let attributes = |value: Value| (json!({ "message": "x", "message_attributes": value }), 403, "SMN.0009");
    vec![
        (json!({}), 403, "SMN.0009"),
        (json!({ "subject": "alone" }), 403, "SMN.0009"),
        subject(json!("磁".repeat(171))),
        subject(json!("x".repeat(513))),
        subject(json!("two\nlines")),
        subject(json!("nul \u{0}")),
        subject(json!(["x"])),
        message(json!("")),
        message(json!(" \n\t ")),
        message(json!(7)),
        message(json!({ "text": "x" })),
        message(json!("x".repeat(KIB_256 + 1))),
        message(json!("磁".repeat(KIB_256 / 3 + 1))),
        life(json!("0")),
        life(json!(0)),
        life(json!("86401")),
        life(json!(86_401)),
        life(json!("abc")),
        life(json!("-1")),
        life(json!(-1)),
        life(json!(1.5)),
        life(json!(true)),
        life(json!("99999999999999999999999")),
        (json!({ "message_template_name": "none" }), 404, "SMN.0027"),
        (json!({ "message": "x", "message_template_name": "none", "tags": { "a": "b" } }), 404, "SMN.0027"),
        (json!({ "message": "x", "locale": "fr-fr" }), 403, "SMN.0009"),
        (json!({ "message": "x", "locale": 1 }), 403, "SMN.0009"),
        attributes(json!("x")),
        attributes(json!(["x"])),
        attributes(json!([{ "name": "Upper", "type": "STRING", "value": "x" }])),
        attributes(json!([{ "name": "a", "type": "OTHER", "value": "x" }])),
        attributes(json!([{ "name": "a", "type": "STRING", "value": "磁".repeat(33) }])),
        attributes(json!([{ "name": "a", "type": "STRING", "value": "a b" }])),
        attributes(json!([{ "name": "a", "type": "STRING_ARRAY", "value": [] }])),
        attributes(json!([{ "name": "a", "type": "PROTOCOL", "value": ["fax"] }])),
        attributes(json!(vec![json!({ "name": "a", "type": "STRING", "value": "x" }); 11])),
    ]
}

fn structures() -> Vec<(Value, u16, &'static str)> {
    let chat = |chat: Value| json!({ "default": "d", "dingding": chat }).to_string();
    let texts = [
        "not JSON".to_owned(),
        "{\"default\":".to_owned(),
        "[]".to_owned(),
        "\"text\"".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        json!({ "wechat": { "msgType": "text", "content": "x" } }).to_string(),
        json!({ "default": 5 }).to_string(),
        json!({ "default": "d", "fax": "x" }).to_string(),
        json!({ "default": "d", "https": { "a": 1 } }).to_string(),
        chat(json!("plain text")),
        chat(json!(5)),
        chat(json!({ "content": "x" })),
        chat(json!({ "msgType": "image", "content": "x" })),
        chat(json!({ "msgType": "text" })),
        chat(json!({ "msgtype": "text", "content": "x" })),
        chat(json!({ "msgType": "text", "content": "x", "at": [] })),
        chat(json!({ "msgType": "text", "content": "x", "at": { "atMobiles": ["1\n2"] } })),
        chat(json!({ "msgType": "text", "content": "x", "at": { "isAtAll": "yes" } })),
        json!({ "default": "d", "feishu": { "msgType": "markdown", "content": "x", "color": "pink" } })
            .to_string(),
        json!({ "default": "x".repeat(KIB_256) }).to_string(),
    ];
    let mut cases: Vec<_> = texts
        .into_iter()
        .map(|text| (json!({ "message": "x", "message_structure": text }), 400, "SMN.0021"))
        .collect();
    cases.push((json!({ "message_structure": 5, "message": "x" }), 400, "SMN.0021"));
    cases.push((json!({ "message_structure": ["x"], "message": "x" }), 400, "SMN.0021"));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_over_smn() {
    let world = world().await;
    let path = smn(&format!("topics/{}/publish", topic_urn("ops")));
    let cases = messages().into_iter().chain(structures());
    let cases = cases.map(|(body, status, code)| case(Method::POST, &path, &body, status, code));
    world.refuses(cases.collect()).await;
}

fn own_api() -> Vec<Case> {
    let publish = |body: Value, status: u16, code: &'static str| {
        case(Method::POST, "/api/v1/messages", &body, status, code)
    };
    let id = "0".repeat(32);
    vec![
        publish(json!({}), 400, "invalid"),
        publish(json!({ "topic": "ops" }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "markdown": "y" }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "colour": "red" }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": 5 }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "" }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x".repeat(KIB_256 + 1) }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "title": "磁".repeat(171) }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "priority": "high" }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "time_to_live": 0 }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "time_to_live": 86_401 }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "time_to_live": -1 }), 400, "invalid"),
        publish(json!({ "topic": "ops", "text": "x", "locale": "fr" }), 400, "invalid"),
        publish(json!({ "topic": "a b", "text": "x" }), 400, "invalid"),
        publish(json!({ "topic": "urn:smn:x", "text": "x" }), 400, "invalid"),
        publish(json!({ "topic": "none", "text": "x" }), 404, "topic_not_found"),
        publish(
            json!({ "topic": topic_urn("ops").replace("local", "other"), "text": "x" }),
            404,
            "topic_not_found",
        ),
        get("/api/v1/messages?limit=0", 400, "invalid"),
        get("/api/v1/messages?limit=201", 400, "invalid"),
        get("/api/v1/messages?limit=x", 400, "invalid"),
        get("/api/v1/messages?after=x", 400, "invalid"),
        get("/api/v1/messages?topic=a%00b", 400, "invalid"),
        get("/api/v1/messages/x", 400, "invalid"),
        get("/api/v1/messages/%00", 400, "invalid"),
        get(&format!("/api/v1/messages/{id}"), 404, "message_not_found"),
        get(&format!("/api/v1/messages/{id}/deliveries"), 404, "message_not_found"),
        get(&format!("/api/v1/messages/{id}/deliveries?after=x"), 400, "invalid"),
        get(&format!("/api/v1/messages/{id}/deliveries?limit=201"), 400, "invalid"),
        get(&format!("/api/v1/deliveries/{id}-1"), 404, "delivery_not_found"),
        get(&format!("/api/v1/deliveries/{id}-99999999999"), 400, "invalid"),
        get("/api/v1/deliveries/x", 400, "invalid"),
        get("/api/v1/nothing", 404, "not_found"),
        case(Method::DELETE, "/api/v1/messages", &Value::Null, 405, "method_not_allowed"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn carillons_own_api() {
    let world = world().await;
    world.refuses(own_api()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods() {
    let world = world().await;
    let mut cases = Vec::new();
    for path in
        ["/v2/", "/v1", "/v2/x/y/z", "/etc/passwd", "/v2/%2e%2e/x", "//", "/v4", "/healthz/x", "/metrics/"]
    {
        cases.push(get(path, 404, "APIGW.0101"));
    }
    cases.push(get(&smn("message_templates_of_nobody"), 404, "APIGW.0101"));
    let topic = smn(&format!("topics/{}", topic_urn("ops")));
    for (method, path) in [
        (Method::DELETE, smn("topics")),
        (Method::PATCH, topic.clone()),
        (Method::GET, format!("{topic}/publish")),
        (Method::PUT, smn("subscriptions")),
        (Method::GET, "/v3/auth/tokens".to_owned()),
        (Method::POST, "/healthz".to_owned()),
        (Method::DELETE, "/".to_owned()),
    ] {
        cases.push(case(method, &path, &Value::Null, 404, "APIGW.0101"));
    }
    world.refuses(cases).await;
}
