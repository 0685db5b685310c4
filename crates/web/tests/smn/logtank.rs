use carillon_model::quota::Quotas;
use serde_json::{Value, json};

use crate::harness::{Door, refused};

fn names(group: &str) -> Value {
    json!({ "log_group_id": group, "log_stream_id": "deliveries" })
}

#[tokio::test(flavor = "multi_thread")]
async fn log_tanks_live_from_create_to_delete() {
    let door = Door::open_with(Quotas::default(), |service| service.with_delivery_log(true)).await;
    let path = format!("notifications/topics/{}/logtanks", door.topic("ops").await);
    let (status, made) = door.call("POST", &path, &names("ops")).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let (_status, listed) = door.get(&path).await;
    let tank = &listed["logtanks"][0];
    assert_eq!(
        (&listed["count"], &tank["id"], &tank["log_group_id"]),
        (&json!(1), &json!(id), &json!("ops"))
    );
    assert_eq!((&tank["log_stream_id"], &tank["create_time"]), (&json!("deliveries"), &tank["update_time"]));
    let (_status, topics) = door.get("notifications/topics-with-associated-resources").await;
    assert_eq!(topics["topics"][0]["logtanks"], listed["logtanks"]);
    let one = format!("{path}/{id}");
    let (status, changed) = door.call("PUT", &one, &names("night")).await;
    assert_eq!((status.as_u16(), &changed["logtank"]["log_group_id"]), (200, &json!("night")));
    for bad in [json!({}), names(""), names("a b"), json!({ "log_group_id": 1, "log_stream_id": "x" })] {
        refused(&door.call("POST", &path, &bad).await, 400, "SMN.0018");
    }
    for _more in 1..10 {
        assert_eq!(door.call("POST", &path, &names("more")).await.0, 201);
    }
    refused(&door.call("POST", &path, &names("more")).await, 403, "SMN.0078");
    assert_eq!(door.call("DELETE", &one, &Value::Null).await.0, 200);
    refused(&door.call("DELETE", &one, &Value::Null).await, 404, "SMN.0045");
    refused(&door.call("PUT", &one, &names("x")).await, 404, "SMN.0045");
    let other = path.replace(":ops", ":none");
    refused(&door.call("POST", &other, &names("x")).await, 404, "SMN.0006");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_delivery_log_there_are_no_log_tanks() {
    let door = Door::open().await;
    let path = format!("notifications/topics/{}/logtanks", door.topic("ops").await);
    let answer = door.call("POST", &path, &names("ops")).await;
    refused(&answer, 501, "CARILLON.0501");
    assert!(answer.1["message"].as_str().unwrap().contains("--delivery-log"));
    let (_status, listed) = door.get(&path).await;
    assert_eq!((&listed["count"], &listed["logtanks"]), (&json!(0), &json!([])));
}
