use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Answer, Door, PROJECT, refused};

const BY_NAME: &[(&str, &str)] = &[("X-SMN-RESOURCEID-TYPE", "name")];

async fn named(door: &Door, method: &str, rest: &str, body: &Value) -> Answer {
    door.call_with(method, &format!("/v2/{PROJECT}/smn_topic/{rest}"), BY_NAME, body).await
}

fn tag(key: &str, value: &str) -> Value {
    json!({ "tag": { "key": key, "value": value } })
}

fn many(action: &str, pairs: &[(&str, &str)]) -> Value {
    let tags: Vec<Value> = pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({ "action": action, "tags": tags })
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_hang_on_a_topic_by_name_or_id() {
    let door = Door::open().await;
    let urn = door.topic("ops").await;
    let (_status, topic) = door.get(&format!("notifications/topics/{urn}")).await;
    let id = topic["topic_id"].as_str().unwrap();
    let no_content = (StatusCode::NO_CONTENT, Value::Null);
    assert_eq!(named(&door, "POST", "ops/tags", &tag("env", "test")).await, no_content);
    assert_eq!(door.call("POST", &format!("smn_topic/{id}/tags"), &tag("env", "prod")).await, no_content);
    let (_status, body) = named(&door, "GET", "ops/tags", &Value::Null).await;
    assert_eq!(body["tags"], json!([{ "key": "env", "value": "prod" }]));
    let more = many("create", &[("team", "db"), ("action", "x"), ("键", "值")]);
    assert_eq!(named(&door, "POST", "ops/tags/action", &more).await, no_content);
    assert_eq!(named(&door, "DELETE", "ops/tags/action", &Value::Null).await, no_content);
    assert_eq!(named(&door, "DELETE", "ops/tags/%E9%94%AE", &Value::Null).await, no_content);
    let gone = many("delete", &[("env", "another"), ("absent", "")]);
    assert_eq!(named(&door, "POST", "ops/tags/action", &gone).await, no_content);
    let (_status, body) = door.get(&format!("smn_topic/{id}/tags")).await;
    let both = json!([{ "key": "env", "value": "prod" }, { "key": "team", "value": "db" }]);
    assert_eq!(body["tags"], both, "a value that differs keeps its tag");
    let (_status, body) = door.get("notifications/topics-with-associated-resources?name=ops").await;
    assert_eq!((&body["topic_count"], &body["topics"][0]["tags"]), (&json!(1), &both));
    refused(&named(&door, "DELETE", "ops/tags/absent", &Value::Null).await, 404, "SMN.0045");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_has_its_code() {
    let door = Door::open().await;
    door.topic("ops").await;
    let pairs: Vec<(String, &str)> = (0..20).map(|index| (format!("k{index}"), "v")).collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(
        named(&door, "POST", "ops/tags/action", &many("create", &pairs)).await.0,
        StatusCode::NO_CONTENT
    );
    refused(&named(&door, "POST", "ops/tags", &tag("more", "v")).await, 403, "SMN.0075");
    assert_eq!(named(&door, "POST", "ops/tags", &tag("k0", "new")).await.0, StatusCode::NO_CONTENT);
    for body in [
        tag("", "v"),
        tag(&"k".repeat(129), "v"),
        tag("k", &"v".repeat(257)),
        json!({}),
        json!({ "tag": { "key": 1 } }),
    ] {
        refused(&named(&door, "POST", "ops/tags", &body).await, 400, "SMN.0038");
    }
    for action in ["create", "delete"] {
        for pairs in [&[("a", "1"), ("a", "2")][..], &[]] {
            refused(&named(&door, "POST", "ops/tags/action", &many(action, pairs)).await, 400, "SMN.0038");
        }
    }
    refused(&named(&door, "POST", "ops/tags/action", &many("paint", &[("a", "1")])).await, 400, "SMN.0073");
    refused(&named(&door, "GET", "none/tags", &Value::Null).await, 404, "SMN.0006");
    refused(&door.get("smn_topic/ops/tags").await, 404, "SMN.0006");
    refused(&door.get("smn_sms/ops/tags").await, 404, "SMN.0006");
    refused(&door.get("smn_queue/tags").await, 400, "SMN.0072");
    assert_eq!(door.get("smn_application/tags").await.1["tags"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_found_by_their_tags() {
    let door = Door::open().await;
    for (name, pairs) in [
        ("a", &[("env", "prod"), ("team", "db")][..]),
        ("b", &[("env", "test")]),
        ("c", &[("env", "prod")]),
        ("d", &[]),
    ] {
        door.topic(name).await;
        if !pairs.is_empty() {
            named(&door, "POST", &format!("{name}/tags/action"), &many("create", pairs)).await;
        }
    }
    let (_status, body) = door.get("smn_topic/tags").await;
    assert_eq!(
        body["tags"],
        json!([{ "key": "env", "values": ["prod", "test"] }, { "key": "team", "values": ["db"] }])
    );
    let path = "smn_topic/resource_instances/action";
    let prod_db = json!([{ "key": "env", "values": ["prod"] }, { "key": "team", "values": [] }]);
    let cases = [
        (json!({}), "abcd"),
        (json!({ "tags": prod_db }), "a"),
        (json!({ "tags_any": prod_db }), "ac"),
        (json!({ "not_tags": prod_db }), "bcd"),
        (json!({ "not_tags_any": prod_db }), "bd"),
        (json!({ "tags": [{ "key": "env", "values": ["prod", "test"] }] }), "abc"),
        (json!({ "matches": [{ "key": "resource_name", "value": "b" }] }), "b"),
        (json!({ "without_any_tag": true, "tags": prod_db }), "d"),
    ];
    for (mut body, wanted) in cases {
        body["action"] = json!("filter");
        let (status, found) = door.call("POST", path, &body).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        let names = found["resources"].as_array().unwrap().iter();
        let mut names: Vec<&str> = names.map(|one| one["resource_name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(
            (names.concat().as_str(), &found["total_count"]),
            (wanted, &json!(wanted.len())),
            "{body}"
        );
        body["action"] = json!("count");
        let (_status, count) = door.call("POST", path, &body).await;
        assert_eq!((&count["total_count"], count.get("resources")), (&json!(wanted.len()), None));
    }
    let page = json!({ "action": "filter", "offset": "1", "limit": "2" });
    let (_status, found) = door.call("POST", path, &page).await;
    assert_eq!((found["resources"].as_array().unwrap().len(), &found["total_count"]), (2, &json!(4)));
    let one = &found["resources"][0];
    assert_eq!(one["resource_id"], one["resource_detail"]["detailId"]);
    let eleven: Vec<Value> = (0..11).map(|index| json!({ "key": format!("k{index}") })).collect();
    let bad = [
        (json!({ "action": "list" }), "SMN.0073"),
        (json!({ "action": "filter", "limit": "1001" }), "SMN.0015"),
        (json!({ "action": "filter", "offset": "x" }), "SMN.0015"),
        (json!({ "action": "filter", "tags": eleven }), "SMN.0038"),
        (json!({ "action": "filter", "tags": [{}] }), "SMN.0038"),
        (json!({ "action": "filter", "tags": {} }), "SMN.0038"),
        (json!({ "action": "filter", "matches": [{ "key": "color", "value": "x" }] }), "SMN.0038"),
        (json!({ "action": "filter", "without_any_tag": "yes" }), "SMN.0038"),
    ];
    for (body, code) in bad {
        refused(&door.call("POST", path, &body).await, 400, code);
    }
    assert_eq!(door.call("POST", "smn_sms/resource_instances/action", &page).await.1["total_count"], 0);
}
