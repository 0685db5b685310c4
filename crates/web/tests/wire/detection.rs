//! Asking whether an endpoint answers.

use axum::http::StatusCode;
use carillon_simulator::Act;
use serde_json::{Value, json};

use crate::bed::{Bed, HOOK};

async fn detect(bed: &Bed, topic: &str, endpoint: &str) -> Value {
    let path = bed.smn(&format!("topics/{topic}/detection"));
    let begun = bed.call("POST", &path, Some(json!({ "protocol": "https", "endpoint": endpoint }))).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let task = begun.json()["task_id"].as_str().unwrap().to_owned();
    bed.call("GET", &format!("{path}/{task}"), None).await.json()
}

#[tokio::test]
async fn an_endpoint_is_asked_at_once() {
    let bed = Bed::idle().await;
    let topic = bed.topic("ops").await;
    let found = detect(&bed, &topic, HOOK).await;
    assert_eq!((&found["status"], &found["detail"]["httpCode"]), (&0.into(), &200.into()), "{found}");
    let wrong = Act::Answer { status: 404, headers: Vec::new(), body: "no hook here".to_owned() };
    bed.far_end.script("ops", wrong, None);
    let found = detect(&bed, &topic, HOOK).await;
    assert_eq!(found["detail"], json!({ "httpCode": 404, "httpResponse": "no hook here" }));
    bed.far_end.script("ops", Act::Gone, None);
    let found = detect(&bed, &topic, HOOK).await;
    assert_eq!(found["detail"]["httpCode"], -1, "{found}");
}

#[tokio::test]
async fn what_must_not_be_asked_is_refused() {
    let bed = Bed::idle().await;
    let topic = bed.topic("ops").await;
    let path = bed.smn(&format!("topics/{topic}/detection"));
    for (protocol, endpoint, code) in [
        ("http", "http://169.254.169.254/", "SMN.0069"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789", "SMN.0011"),
        ("https", "nonsense", "SMN.0012"),
    ] {
        let refused =
            bed.call("POST", &path, Some(json!({ "protocol": protocol, "endpoint": endpoint }))).await;
        assert_eq!(refused.json()["code"], code, "{}", refused.text);
    }
    let unknown = bed.call("GET", &format!("{path}/0123456789abcdef0123456789abcdef"), None).await;
    assert_eq!(
        (unknown.status, unknown.json()["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("SMN.00013030"))
    );
    assert_eq!(bed.follow(&format!("{path}/x"), "*/*").await.status, StatusCode::UNAUTHORIZED);
}
