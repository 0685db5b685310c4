use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Door, refused};

const PATH: &str = "notifications/message_template";

async fn made(door: &Door, name: &str, protocol: Option<&str>, content: &str) -> String {
    let body = json!({ "message_template_name": name, "protocol": protocol, "content": content });
    let (status, body) = door.call("POST", PATH, &body).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    body["message_template_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_lives_from_create_to_delete() {
    let door = Door::open().await;
    let id = made(&door, "disk", None, "{host}: {use} of {host}").await;
    made(&door, "disk", Some("feishu"), "{host}!").await;
    made(&door, "disk", Some("sms"), "sms {host}").await;
    let (_status, list) = door.get(PATH).await;
    assert_eq!(list["message_template_count"], 3);
    let first = &list["message_templates"][0];
    assert_eq!((&first["protocol"], &first["tag_names"]), (&json!("default"), &json!(["host", "use"])));
    assert!(first.get("content").is_none());
    let (_status, list) =
        door.get(&format!("{PATH}?protocol=feishu&message_template_name=disk&limit=1")).await;
    assert_eq!(
        (&list["message_template_count"], list["message_templates"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
    let (_status, shown) = door.get(&format!("{PATH}/{id}")).await;
    assert_eq!(
        (&shown["content"], &shown["message_template_id"]),
        (&json!("{host}: {use} of {host}"), &json!(id))
    );
    assert_eq!(shown["create_time"], "2025-06-15T15:06:40Z");
    let (status, _body) =
        door.call("PUT", &format!("{PATH}/{id}"), &json!({ "content": "now {a.b-c_1}" })).await;
    assert_eq!(status, StatusCode::OK);
    let (_status, shown) = door.get(&format!("{PATH}/{id}")).await;
    assert_eq!((&shown["content"], &shown["tag_names"]), (&json!("now {a.b-c_1}"), &json!(["a.b-c_1"])));
    assert_eq!(door.call("DELETE", &format!("{PATH}/{id}"), &Value::Null).await.0, StatusCode::OK);
    refused(&door.get(&format!("{PATH}/{id}")).await, 404, "SMN.0027");
    refused(&door.call("DELETE", &format!("{PATH}/{id}"), &Value::Null).await, 404, "SMN.0027");
    refused(&door.call("PUT", &format!("{PATH}/{id}"), &json!({ "content": "x" })).await, 404, "SMN.0027");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_has_its_code() {
    let door = Door::open().await;
    made(&door, "disk", None, "x").await;
    let new = |name: &str, protocol: &str, content: &str| json!({ "message_template_name": name, "protocol": protocol, "content": content });
    let many: String = (0..91).map(|index| format!("{{t{index}}}")).collect();
    let cases = [
        (new("disk", "default", "y"), 400, "SMN.0025"),
        (new("disk", "", "y"), 400, "SMN.0025"),
        (new("-x", "default", "y"), 400, "SMN.0032"),
        (json!({ "content": "y" }), 400, "SMN.0032"),
        (new("x", "telegram", "y"), 400, "SMN.0011"),
        (new("x", "default", " "), 400, "SMN.0024"),
        (json!({ "message_template_name": "x" }), 400, "SMN.0024"),
        (new("x", "default", &"y".repeat(262_145)), 400, "SMN.0024"),
        (new("x", "default", &many), 403, "SMN.0075"),
        (new("x", "default", &"{a}".repeat(257)), 403, "SMN.0075"),
    ];
    for (body, status, code) in cases {
        refused(&door.call("POST", PATH, &body).await, status, code);
    }
    refused(&door.get(&format!("{PATH}/nonsense")).await, 400, "SMN.0031");
    refused(&door.get(&format!("{PATH}?limit=0")).await, 400, "SMN.0015");
    for index in 1..100 {
        made(&door, &format!("t{index}"), None, "x").await;
    }
    refused(&door.call("POST", PATH, &new("more", "default", "x")).await, 400, "SMN.0044");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_made_from_a_template() {
    let door = Door::open().await;
    let topic = door.topic("ops").await;
    door.robot(&topic, "0123456789").await;
    let path = format!("notifications/topics/{topic}/publish");
    made(&door, "disk", Some("feishu"), "**{host}**").await;
    let by = |tags: Value| json!({ "message_template_name": "disk", "tags": tags, "message": "plain" });
    refused(&door.call("POST", &path, &by(json!({ "host": "db" }))).await, 404, "SMN.0076");
    made(&door, "disk", None, "{host} {use}").await;
    let sent = door.publish(&topic, &by(json!({ "host": "{use}", "use": "90%", "extra": "" }))).await;
    assert_eq!(sent[0].1, "{use} 90%|**{use}**", "the template wins over the message");
    let structure =
        json!({ "message_structure": "{\"default\":\"structure\"}", "message_template_name": "none" });
    assert_eq!(
        door.publish(&topic, &structure).await[0].1,
        "structure",
        "the structure wins over the template"
    );
    let cases = [
        (by(json!({ "host": "db" })), 400, "SMN.0038"),
        (by(json!({ "host": "db", "use": 1 })), 400, "SMN.0038"),
        (by(json!([])), 400, "SMN.0038"),
        (by(json!({ "host": "x".repeat(1025), "use": "" })), 400, "SMN.0038"),
        (by(json!({ "a b": "" })), 400, "SMN.0038"),
        (json!({ "message_template_name": "none" }), 404, "SMN.0027"),
        (json!({ "message_template_name": "a b" }), 400, "SMN.0042"),
        (json!({ "message_template_name": "" }), 403, "SMN.0009"),
    ];
    for (body, status, code) in cases {
        refused(&door.call("POST", &path, &body).await, status, code);
    }
}
