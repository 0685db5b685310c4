use serde_json::{Value, json};

use crate::harness::{Door, refused};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_offered_says_so() {
    let door = Door::open().await;
    let urn = door.topic("ops").await;
    let topic = format!("notifications/topics/{urn}");
    let calls = [
        ("POST", format!("{topic}/notify-policy")),
        ("GET", format!("{topic}/notify-policy")),
        ("PUT", format!("{topic}/notify-policy/1")),
        ("DELETE", format!("{topic}/notify-policy/1")),
        ("POST", format!("{topic}/logtanks")),
        ("PUT", format!("{topic}/logtanks/1")),
        ("POST", format!("{topic}/kms")),
        ("GET", format!("{topic}/kms")),
        ("PUT", format!("{topic}/kms/1")),
        ("DELETE", format!("{topic}/kms/1")),
        ("POST", "notifications/applications".to_owned()),
        ("GET", "notifications/applications".to_owned()),
        ("GET", "notifications/applications/1".to_owned()),
        ("POST", "notifications/applications/1/endpoints".to_owned()),
        ("DELETE", "notifications/endpoints/1".to_owned()),
        ("POST", "notifications/endpoints/1/publish".to_owned()),
        ("POST", "notifications/sms".to_owned()),
    ];
    for (method, path) in calls {
        let answer = door.call(method, &path, &json!({ "log_group_id": "a", "log_stream_id": "b" })).await;
        refused(&answer, 501, "CARILLON.0501");
        assert!(answer.1["message"].as_str().unwrap().contains("not offered"), "{path}");
    }
    let (_status, logs) = door.get(&format!("{topic}/logtanks")).await;
    assert_eq!((&logs["count"], &logs["logtanks"]), (&json!(0), &json!([])));
    for path in ["/v2/notifications/cloud-services", "/v2/notifications/cloud_service"] {
        let (_status, body) = door.call_with("GET", path, &[], &Value::Null).await;
        assert_eq!(body["cloud_services"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_no_short_messages() {
    let door = Door::open().await;
    let urn = door.topic("ops").await;
    let ask = async |start: &str, end: &str| {
        door.get(&format!("notifications/topics/{urn}/statistics?start_time={start}&end_time={end}")).await
    };
    let (_status, body) = ask("2025-06-15T14:00:00Z", "2025-06-15T16:00:00Z").await;
    assert_eq!(body["total"], json!({ "sms": 0 }));
    let hour = |start: &str| json!({ "count": { "sms": 0 }, "start_time": start });
    assert_eq!(body["statistics"], json!([hour("2025-06-15T14:00:00Z"), hour("2025-06-15T15:00:00Z")]));
    let (_status, month) = ask("2025-05-15T15:00:00Z", "2025-06-15T15:00:00Z").await;
    assert_eq!(month["statistics"].as_array().unwrap().len(), 31 * 24);
    let cases = [
        ("", "2025-06-15T16:00:00Z", "SMN.0103"),
        ("2025-06-15T14:00:01Z", "2025-06-15T16:00:00Z", "SMN.0103"),
        ("2025-06-15T14:00:00Z", "tomorrow", "SMN.0104"),
        ("2025-06-15T14:00:00Z", "2025-06-15T14:00:00Z", "SMN.0114"),
        ("2025-05-01T00:00:00Z", "2025-06-15T14:00:00Z", "SMN.0113"),
        ("2025-06-15T14:00:00Z", "2025-06-15T18:00:00Z", "SMN.0113"),
    ];
    for (start, end, code) in cases {
        refused(&ask(start, end).await, 400, code);
    }
    let none = door.get("notifications/topics/urn:smn:local:x:ops/statistics?start_time=2025-06-15T14:00:00Z&end_time=2025-06-15T15:00:00Z");
    refused(&none.await, 404, "SMN.0006");
}
