use serde_json::{Value, json};

use crate::harness::{Door, PROJECT, refused};

const USERS: &str = "/v2/carillon/subscription-users";
const HOOK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef";

fn user(name: &str) -> Value {
    json!({
        "name": name,
        "group": "night",
        "feishu": { "endpoint": HOOK, "sign_secret": "hush-hush" },
        "https": { "endpoint": "https://hooks.example.com/secret-path", "header": { "x-a": "b" } },
        "sms": null,
    })
}

async fn make(door: &Door, body: &Value) -> String {
    let (status, made) = door.call_with("POST", USERS, &[], body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn list(door: &Door, query: &str) -> Value {
    let (status, listed) = door.call_with("GET", &format!("{USERS}?{query}"), &[], &Value::Null).await;
    assert_eq!(status, 200, "{listed}");
    listed
}

#[tokio::test(flavor = "multi_thread")]
async fn users_live_from_create_to_delete() {
    let door = Door::open().await;
    let id = make(&door, &user("wang")).await;
    let other = make(
        &door,
        &json!({ "name": "li", "wechat": { "endpoint":
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0123456789" } }),
    )
    .await;
    let listed = list(&door, "").await;
    assert_eq!(listed["count"], 2);
    let first = &listed["subscription_users"][0];
    assert_eq!(
        (&first["id"], &first["name"], &first["group"]),
        (&json!(id), &json!("wang"), &json!("night"))
    );
    assert_eq!(first["feishu"]["status"], "CONFIRMED");
    assert_eq!(first["https"]["status"], "UNCONFIRMED");
    let text = listed.to_string();
    assert!(
        !text.contains("hush-hush") && !text.contains("secret-path") && !text.contains("0123456789"),
        "{text}"
    );
    for (query, wanted) in [
        ("name=li", 1),
        ("name=nobody", 0),
        ("group=night", 1),
        ("protocol=wechat", 1),
        ("status=UNCONFIRMED", 1),
        ("protocol=feishu&status=UNCONFIRMED", 0),
        ("status=CONFIRMED", 2),
        ("status=CANCELLED", 0),
    ] {
        assert_eq!(list(&door, query).await["count"], wanted, "{query}");
    }
    let page = list(&door, "offset=1&limit=1").await;
    assert_eq!((&page["count"], &page["subscription_users"][0]["id"]), (&json!(2), &json!(other)));
    let change = json!({ "name": "zhao", "https": null });
    let (status, body) = door.call_with("PUT", &format!("{USERS}/{id}"), &[], &change).await;
    assert_eq!((status.as_u16(), &body["id"]), (200, &json!(id)));
    let changed = list(&door, "name=zhao").await["subscription_users"][0].clone();
    assert_eq!(changed["group"], "night");
    assert!(changed.get("https").is_none() && changed["feishu"].is_object(), "{changed}");
    let delete = async || door.call_with("DELETE", &format!("{USERS}/{id}"), &[], &Value::Null).await;
    assert_eq!(delete().await.0, 200);
    refused(&delete().await, 400, "SMN.00290");
    assert_eq!(list(&door, "").await["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_reach_a_user_is_subscribed() {
    let door = Door::open().await;
    let urn = door.topic("ops").await;
    let id = make(&door, &user("wang")).await;
    let path = format!("notifications/topics/{urn}/subscriptions/from-subscription-users");
    let none = "0".repeat(32);
    let (status, body) = door.call("POST", &path, &json!({ "ids": [id, none] })).await;
    assert_eq!(status, 201, "{body}");
    let results = body["subscriptions_result"].as_array().unwrap();
    let codes: Vec<u64> = results.iter().map(|it| it["http_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [201, 201, 400]);
    assert_eq!(results[2]["error_code"], "SMN.00290");
    assert!(results[0]["subscription_urn"].as_str().unwrap().starts_with(&urn));
    let (_status, listed) = door.get(&format!("notifications/topics/{urn}/subscriptions")).await;
    let found: Vec<(&str, &str, u64)> = listed["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap();
            (text("protocol"), text("remark"), it["status"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(found, [("https", "wang", 0), ("feishu", "wang", 1)]);
    let (status, again) = door.call("POST", &path, &json!({ "ids": [id] })).await;
    assert_eq!((status.as_u16(), &again["subscriptions_result"][0]["http_code"]), (200, &json!(200)));
    // What was made from the user stays when the user goes.
    door.call_with("DELETE", &format!("{USERS}/{id}"), &[], &Value::Null).await;
    let (_status, listed) = door.get("notifications/subscriptions").await;
    assert_eq!(listed["subscription_count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_user_has_its_code() {
    let door = Door::open().await;
    let robot = |extra: Value| {
        let mut way = json!({ "endpoint": HOOK });
        way.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "name": "a", "feishu": way })
    };
    let cases = [
        (json!({}), 400, "SMN.0002"),
        (json!({ "name": "x".repeat(33) }), 400, "SMN.0002"),
        (json!({ "name": "a", "group": 1 }), 400, "SMN.0002"),
        (json!({ "name": "a" }), 400, "SMN.0043"),
        (json!({ "name": "a", "http": "x" }), 400, "SMN.0043"),
        (json!({ "name": "a", "http": {} }), 400, "SMN.0012"),
        (json!({ "name": "a", "http": { "endpoint": "http://127.0.0.1/x" } }), 403, "SMN.0069"),
        (json!({ "name": "a", "sms": { "endpoint": "+8613800000000" } }), 400, "SMN.0011"),
        (json!({ "name": "a", "ding_talk_bot": { "endpoint": "u001" } }), 400, "SMN.0043"),
        (robot(json!({})), 400, "SMN.0043"),
        (robot(json!({ "keyword": "a", "sign_secret": "b" })), 400, "SMN.0043"),
    ];
    for (body, status, code) in cases {
        let answer = door.call_with("POST", USERS, &[], &body).await;
        assert_eq!(answer.1["code"], code, "{body} {answer:?}");
        refused(&answer, status, code);
    }
    let get = async |path: String| door.call_with("GET", &path, &[], &Value::Null).await;
    refused(&get(format!("{USERS}?status=1")).await, 400, "SMN.0077");
    refused(&get(format!("{USERS}?limit=101")).await, 400, "SMN.0015");
    refused(&get("/v2/elsewhere/subscription-users".to_owned()).await, 403, "SMN.0001");
    assert_eq!(get(format!("/v2/{PROJECT}/subscription-users")).await.0, 200);
    let urn = door.topic("ops").await;
    let path = format!("notifications/topics/{urn}/subscriptions/from-subscription-users");
    for body in [json!({}), json!({ "ids": [] }), json!({ "ids": [1] }), json!({ "ids": vec!["x"; 51] })] {
        refused(&door.call("POST", &path, &body).await, 400, "SMN.0043");
    }
    let path = path.replace(":ops", ":none");
    refused(&door.call("POST", &path, &json!({ "ids": ["x"] })).await, 404, "SMN.0006");
}
