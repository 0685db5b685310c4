use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Door, refused};

const PATH: &str = "notifications/subscriptions/filter_polices";

fn polices(urn: &str, list: &[(&str, &[&str])]) -> Value {
    let list: Vec<Value> =
        list.iter().map(|(name, values)| json!({ "name": name, "string_equals": values })).collect();
    json!({ "polices": [{ "subscription_urn": urn, "filter_polices": list }] })
}

async fn shown(door: &Door) -> Value {
    let (_status, body) = door.get("notifications/subscriptions").await;
    body["subscriptions"][0]["filter_polices"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_made_shown_replaced_and_removed() {
    let door = Door::open().await;
    let topic = door.topic("ops").await;
    let urn = door.robot(&topic, "0123456789").await;
    assert_eq!(shown(&door).await, json!([]));
    let day = polices(&urn, &[("day", &["周一", "tue"])]);
    let (status, body) = door.call("POST", PATH, &day).await;
    assert_eq!(status, StatusCode::OK);
    let done = json!([{ "code": null, "message": null, "subscription_urn": urn }]);
    assert_eq!(body["batch_result"], done);
    let (_status, again) = door.call("POST", PATH, &day).await;
    assert_eq!(again["batch_result"][0]["code"], "SMN.0043", "a name is there once: {again}");
    let (_status, more) = door.call("POST", PATH, &polices(&urn, &[("part", &["am"])])).await;
    assert_eq!(more["batch_result"], done);
    let both = json!([{ "name": "day", "string_equals": ["周一", "tue"] }, { "name": "part", "string_equals": ["am"] }]);
    assert_eq!(shown(&door).await, both);
    door.call("PUT", PATH, &polices(&urn, &[("day", &["sun"])])).await;
    assert_eq!(shown(&door).await, json!([{ "name": "day", "string_equals": ["sun"] }]));
    let (_status, gone) = door.call("DELETE", PATH, &json!({ "subscription_urns": [urn] })).await;
    assert_eq!(gone["batch_result"], done);
    assert_eq!(shown(&door).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_one_is_its_own_answer() {
    let door = Door::open().await;
    let topic = door.topic("ops").await;
    let urn = door.robot(&topic, "0123456789").await;
    let good = json!({ "name": "a", "string_equals": ["1"] });
    let absent = format!("{topic}:{}", "0".repeat(32));
    let foreign = urn.replace("0970dd7a", "1111dd7a");
    let items = [
        (urn.as_str(), json!([good]), Value::Null),
        (absent.as_str(), json!([good]), json!("SMN.00011027")),
        (foreign.as_str(), json!([good]), json!("SMN.00011027")),
        ("nonsense", json!([good]), json!("SMN.00011027")),
        (urn.as_str(), json!([{ "name": "smn_a", "string_equals": ["1"] }]), json!("SMN.0043")),
        (urn.as_str(), json!([{ "name": "b", "string_equals": ["1", "1"] }]), json!("SMN.0043")),
        (urn.as_str(), json!([{ "name": "b", "string_equals": [1] }]), json!("SMN.0043")),
        (urn.as_str(), json!([]), json!("SMN.0043")),
    ];
    let list: Vec<Value> = items
        .iter()
        .map(|(urn, policies, _)| json!({ "subscription_urn": urn, "filter_polices": policies }))
        .collect();
    let (status, body) = door.call("POST", PATH, &json!({ "polices": list })).await;
    assert_eq!(status, StatusCode::OK);
    for (index, (urn, policies, code)) in items.iter().enumerate() {
        let answer = &body["batch_result"][index];
        assert_eq!((&answer["code"], answer["subscription_urn"].as_str()), (code, Some(*urn)), "{policies}");
    }
    for body in [json!({}), json!({ "polices": [] }), json!({ "polices": [{}] }), json!([])] {
        refused(&door.call("POST", PATH, &body).await, 400, "SMN.0043");
        refused(&door.call("PUT", PATH, &body).await, 400, "SMN.0043");
    }
    refused(&door.call("DELETE", PATH, &json!({ "subscription_urns": [1] })).await, 400, "SMN.0043");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_decide_who_gets_a_message() {
    let door = Door::open().await;
    let topic = door.topic("ops").await;
    let plain = door.robot(&topic, "0123456780").await;
    let picky = door.robot(&topic, "0123456781").await;
    door.call("POST", PATH, &polices(&picky, &[("day", &["mon", "tue"]), ("part", &["am"])])).await;
    let id = |urn: &str| urn.rsplit(':').next().unwrap().to_owned();
    let (plain, picky) = (id(&plain), id(&picky));
    let text = |name: &str, value: &str| json!({ "name": name, "type": "STRING", "value": value });
    let list = |name: &str, values: &[&str]| json!({ "name": name, "type": "STRING_ARRAY", "value": values });
    let protocol = json!({ "name": "smn_protocol", "type": "PROTOCOL", "value": ["feishu"] });
    let cases = [
        (json!([]), true),
        (json!([protocol]), true),
        (json!([text("day", "mon"), text("part", "am")]), true),
        (json!([list("day", &["sun", "tue"]), text("part", "am")]), true),
        (json!([text("day", "mon")]), false),
        (json!([text("day", "mon"), text("part", "pm")]), false),
        (json!([text("other", "x")]), false),
    ];
    for (attributes, reaches) in cases {
        let body = json!({ "message": "m", "message_attributes": attributes });
        let mut sent: Vec<String> = door.publish(&topic, &body).await.into_iter().map(|(id, _)| id).collect();
        sent.sort();
        let mut wanted = vec![plain.clone()];
        wanted.extend(reaches.then(|| picky.clone()));
        wanted.sort();
        assert_eq!(sent, wanted, "{attributes}");
    }
    let bad = [
        json!([text("Day", "mon")]),
        json!([text("day", "")]),
        json!([text("day", "a b")]),
        json!([text("day", "a"), text("day", "b")]),
        json!([list("day", &[])]),
        json!([list("day", &["a", "a"])]),
        json!([{ "name": "day", "type": "NUMBER", "value": 1 }]),
        json!([{ "name": "p", "type": "PROTOCOL", "value": ["telegram"] }]),
        json!({}),
    ];
    for attributes in bad {
        let body = json!({ "message": "m", "message_attributes": attributes });
        let answer = door.call("POST", &format!("notifications/topics/{topic}/publish"), &body).await;
        refused(&answer, 403, "SMN.0009");
    }
}
