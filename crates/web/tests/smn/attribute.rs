use axum::http::StatusCode;
use carillon_model::access_policy::Action;
use serde_json::{Value, json};

use crate::harness::{Door, PROJECT, refused};

fn policy(change: &Value) -> Value {
    let mut statement = json!({ "Sid": "s", "Effect": "Allow", "Principal": "*", "Action": ["SMN:Publish"],
        "Resource": "urn:smn:local:*" });
    for (key, value) in change.as_object().unwrap() {
        statement[key] = value.clone();
    }
    let policy = json!({ "Version": "2016-09-07", "Id": "p", "Statement": [statement] });
    json!({ "value": policy.to_string() })
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_set_shown_and_taken_away() {
    let door = Door::open().await;
    let path = format!("notifications/topics/{}/attributes", door.topic("ops").await);
    let (_status, body) = door.get(&path).await;
    let empty = json!({ "access_policy": "", "introduction": "", "create_time": "2025-06-15T15:06:40Z",
        "update_time": "2025-06-15T15:06:40Z" });
    assert_eq!(body["attributes"], empty);
    let introduction = json!({ "value": "值班告警" });
    assert_eq!(door.call("PUT", &format!("{path}/introduction"), &introduction).await.0, StatusCode::OK);
    let good = policy(&json!({}));
    assert_eq!(door.call("PUT", &format!("{path}/access_policy"), &good).await.0, StatusCode::OK);
    let (_status, body) = door.get(&path).await;
    assert_eq!(
        (&body["attributes"]["access_policy"], &body["attributes"]["introduction"]),
        (&good["value"], &introduction["value"])
    );
    let (_status, body) = door.get(&format!("{path}?name=introduction")).await;
    assert_eq!(body["attributes"], json!({ "introduction": "值班告警" }));
    let (_status, body) = door.get("notifications/topics-with-associated-resources").await;
    assert_eq!(body["topics"][0]["attributes"]["access_policy"], good["value"]);
    assert_eq!((&body["topics"][0]["tags"], &body["topics"][0]["logtanks"]), (&json!([]), &json!([])));
    assert_eq!(door.call("DELETE", &format!("{path}/introduction"), &Value::Null).await.0, StatusCode::OK);
    refused(&door.call("DELETE", &format!("{path}/introduction"), &Value::Null).await, 404, "SMN.0045");
    for _again in 0..2 {
        assert_eq!(door.call("DELETE", &path, &Value::Null).await.0, StatusCode::OK);
    }
    assert_eq!(door.get(&path).await.1["attributes"], empty);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_has_its_code() {
    let door = Door::open().await;
    let urn = door.topic("ops").await;
    let path = format!("notifications/topics/{urn}/attributes");
    refused(&door.get(&format!("{path}?name=sms_sign_id")).await, 400, "SMN.0046");
    refused(&door.call("PUT", &format!("{path}/color"), &json!({ "value": "x" })).await, 400, "SMN.0046");
    refused(&door.call("DELETE", &format!("{path}/color"), &Value::Null).await, 400, "SMN.0046");
    refused(&door.get("notifications/topics/urn:smn:local:p:none/attributes").await, 404, "SMN.0006");
    let none = format!("notifications/topics/urn:smn:local:{PROJECT}:none/attributes");
    refused(
        &door.call("PUT", &format!("{none}/introduction"), &json!({ "value": "x" })).await,
        404,
        "SMN.0006",
    );
    refused(&door.call("DELETE", &none, &Value::Null).await, 404, "SMN.0006");
    let long = json!({ "value": "x".repeat(121) });
    refused(&door.call("PUT", &format!("{path}/introduction"), &long).await, 403, "SMN.0047");
    let cases = [
        (json!({ "value": "x".repeat(30_721) }), 403, "SMN.0047"),
        (json!({ "value": "nonsense" }), 400, "SMN.0048"),
        (json!({ "value": {} }), 400, "SMN.0048"),
        (json!({}), 400, "SMN.0048"),
        (json!({ "value": "{\"Version\":\"1\"}" }), 400, "SMN.0049"),
        (json!({ "value": "{\"Version\":\"2016-09-07\"}" }), 400, "SMN.0050"),
        (json!({ "value": "{\"Version\":\"2016-09-07\",\"Id\":\"p\"}" }), 400, "SMN.0051"),
        (policy(&json!({ "Sid": "" })), 400, "SMN.0052"),
        (policy(&json!({ "Resource": "x" })), 400, "SMN.0053"),
        (policy(&json!({ "Effect": "x" })), 400, "SMN.0054"),
        (policy(&json!({ "Action": "SMN:Fly" })), 400, "SMN.0055"),
        (policy(&json!({ "Principal": "x" })), 400, "SMN.0056"),
        (policy(&json!({ "Condition": { "StringEquals": { "x": "y" } } })), 400, "SMN.0058"),
    ];
    for (body, status, code) in cases {
        refused(&door.call("PUT", &format!("{path}/access_policy"), &body).await, status, code);
    }
}

/// Puts another project and its topic behind the store's back, as there is no call that makes one yet.
fn foreign(door: &Door, policy: Option<&str>) -> String {
    let database = rusqlite::Connection::open(door.dir.path().join("data/carillon.db")).unwrap();
    let id = "00000000000000000000000000000abc";
    database
        .execute_batch(&format!(
            "PRAGMA foreign_keys = ON; DELETE FROM topic WHERE id = '{id}';
             INSERT OR IGNORE INTO project (id, name, created_at) VALUES ('theirs', 'theirs', 0);
             INSERT INTO topic VALUES ('{id}', 'theirs', 'news', '', '0', 0, 0, 0)"
        ))
        .unwrap();
    if let Some(policy) = policy {
        let sql = "INSERT INTO topic_attribute VALUES (?1, 'access_policy', ?2)";
        database.execute(sql, (id, policy)).unwrap();
    }
    "urn:smn:local:theirs:news".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_projects_topic_is_used_only_as_its_policy_allows() {
    let door = Door::open().await;
    let publish = async |urn: &str| {
        let path = format!("notifications/topics/{urn}/publish");
        door.call("POST", &path, &json!({ "message": "m" })).await
    };
    refused(&publish(&foreign(&door, None)).await, 404, "SMN.0006");
    refused(&door.get(&format!("notifications/topics/{}", foreign(&door, None))).await, 404, "SMN.0006");
    let text = |change: Value| policy(&change)["value"].as_str().unwrap().to_owned();
    let theirs = foreign(&door, Some(&text(json!({ "Principal": { "CSP": ["urn:csp:iam::other:root"] } }))));
    let answer = publish(&theirs).await;
    refused(&answer, 403, "SMN.00308");
    assert!(answer.1["message"].as_str().unwrap().contains("SMN:Publish"));
    let us = format!("urn:csp:iam::{PROJECT}:root");
    let theirs = foreign(&door, Some(&text(json!({ "Principal": { "CSP": [us] } }))));
    assert_eq!(publish(&theirs).await.0, StatusCode::OK);
    let endpoint = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789";
    let subscribe = async |urn: &str| {
        let path = format!("notifications/topics/{urn}/subscriptions");
        door.call("POST", &path, &json!({ "protocol": "feishu", "endpoint": endpoint })).await
    };
    refused(&subscribe(&theirs).await, 403, "SMN.00308");
    let chats = json!({ "Action": "SMN:Subscribe", "Condition": { "StringEquals": { "smn:Protocol": "feishu" },
        "StringLike": { "smn:Endpoint": "https://open.feishu.cn/*" } } });
    let theirs = foreign(&door, Some(&text(chats)));
    assert_eq!(subscribe(&theirs).await.0, StatusCode::CREATED);
    refused(&publish(&theirs).await, 403, "SMN.00308");
    refused(&door.get(&format!("notifications/topics/{theirs}")).await, 403, "SMN.00308");
}

/// Every action but those of the test above, each on a topic whose policy allows it alone, and on one that allows all
/// the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_decides_of_every_action() {
    let door = Door::open().await;
    let us = json!({ "CSP": [format!("urn:csp:iam::{PROJECT}:root")] });
    let allow = |change: Value| {
        let mut change = change;
        change["Principal"] = us.clone();
        policy(&change)["value"].as_str().unwrap().to_owned()
    };
    let none = "0".repeat(32);
    let value = json!({ "value": "x" });
    let cases = [
        ("SMN:QueryTopicDetail", "GET", String::new(), Value::Null, 200),
        ("SMN:UpdateTopic", "PUT", String::new(), json!({ "display_name": "theirs" }), 200),
        ("SMN:ListTopicAttributes", "GET", "/attributes".to_owned(), Value::Null, 200),
        ("SMN:UpdateTopicAttribute", "PUT", "/attributes/introduction".to_owned(), value, 200),
        (
            "SMN:DeleteTopicAttributeByName",
            "DELETE",
            "/attributes/access_policy".to_owned(),
            Value::Null,
            200,
        ),
        ("SMN:DeleteTopicAttributes", "DELETE", "/attributes".to_owned(), Value::Null, 200),
        ("SMN:ListSubscriptionsByTopic", "GET", "/subscriptions".to_owned(), Value::Null, 200),
        ("SMN:Unsubscribe", "DELETE", format!("/subscriptions/{{urn}}:{none}"), Value::Null, 404),
        ("SMN:DeleteTopic", "DELETE", String::new(), Value::Null, 200),
    ];
    for (action, method, path, body, status) in cases {
        let ask = async |urn: &str| {
            let path = format!("notifications/topics/{urn}{}", path.replace("{urn}", urn));
            door.call(method, &path, &body).await
        };
        let others: Vec<&str> =
            Action::ALL.iter().map(|it| it.name()).filter(|name| *name != action).collect();
        let theirs = foreign(&door, Some(&allow(json!({ "Action": others }))));
        let kept_out = ask(&theirs).await;
        refused(&kept_out, 403, "SMN.00308");
        assert!(kept_out.1["message"].as_str().unwrap().contains(action), "{kept_out:?}");
        let theirs = foreign(&door, Some(&allow(json!({ "Action": action }))));
        let answer = ask(&theirs).await;
        assert_eq!(answer.0.as_u16(), status, "{action}: {answer:?}");
        // What goes on after the right was given is as it is with one's own.
        assert_ne!(answer.1["code"], "SMN.00308");
    }
}
