//! Why somebody did or did not get a message, by whatever somebody is known by.

use axum::http::StatusCode;
use carillon_model::delivery::DeliveryState;
use carillon_model::office::connection::LarkApp;
use carillon_model::office::{App, Department, Member, Platform, Range};
use carillon_store::office_run::Progress;
use carillon_store::office_staged::Staged;
use serde_json::{Value, json};

use crate::harness::{Bed, PROJECT, key, smn};

const HOOK: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=";

async fn ask(bed: &Bed, message: &str, to: &str, kind: &str) -> Vec<Value> {
    let body = json!({ "message_id": message, "to": to, "as": kind });
    let mut answer = bed.post("/api/v1/explain", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    if kind == "endpoint" && to.starts_with("https:") {
        assert!(!answer.body.to_string().contains(to), "an address is never repeated");
    }
    answer.body["answers"].as_array_mut().map(std::mem::take).unwrap()
}

fn told(answer: &Value) -> (&str, Option<&str>) {
    let explanation = &answer["explanation"];
    for language in ["en", "zh"] {
        assert!(!explanation["sentence"][language].as_str().unwrap().is_empty(), "{answer}");
        assert!(!answer["whom"][language].as_str().unwrap().is_empty(), "{answer}");
    }
    (explanation["verdict"].as_str().unwrap(), explanation["cause"].as_str())
}

#[tokio::test]
async fn an_address_is_found_whole_by_its_end_and_by_its_note() {
    let bed = Bed::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("db").await);
    let first = bed.subscribe(&topic, &key(11)).await;
    bed.subscribe(&topic, &key(22)).await;
    bed.subscribe(&other, &key(33)).await;
    let noted = smn(&format!("topics/{topic}/subscriptions/{first}"));
    bed.call_with("PUT", &noted, Some(json!({ "remark": "On call" })), &[]).await;
    let message = bed.publish(&topic, "disk full").await;
    let ready = bed.handed();
    bed.end(&ready[0], DeliveryState::Failed).await;
    for to in [format!("{HOOK}{}", key(11)), "0011".to_owned(), "on CALL".to_owned(), first.clone()] {
        for kind in ["anyone", if to == first { "subscription" } else { "endpoint" }] {
            let answers = ask(&bed, &message, &to, kind).await;
            assert_eq!(answers.len(), 1, "{to}: {answers:?}");
            assert_eq!(told(&answers[0]), ("failed", None));
            assert_eq!(answers[0]["explanation"]["subscription_urn"], first);
            let whom = answers[0]["whom"]["en"].as_str().unwrap();
            assert!(whom.contains("On call") && whom.contains("****0011"), "{whom}");
            assert!(answers[0]["then"]["en"].as_str().unwrap().contains("it wants every message"));
        }
    }
    assert_eq!(ask(&bed, &message, "webhook", "anyone").await.len(), 2, "both are shown so");
    // Another topic's address is told of where the topic itself has none.
    let answers = ask(&bed, &message, &format!("{HOOK}{}", key(33)), "endpoint").await;
    assert_eq!(told(&answers[0]), ("never_addressed", Some("other_topic")));
    assert!(ask(&bed, &message, &format!("{HOOK}{}", key(44)), "endpoint").await.is_empty());
    // What was deleted leaves its delivery, not its address.
    bed.call_with("DELETE", &smn(&format!("subscriptions/{first}")), None, &[]).await;
    assert!(ask(&bed, &message, &format!("{HOOK}{}", key(11)), "endpoint").await.is_empty());
    let answers = ask(&bed, &message, &first, "subscription").await;
    assert_eq!(told(&answers[0]), ("failed", None));
}

#[tokio::test]
async fn what_a_subscription_was_then_is_told() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic, &key(1)).await;
    let policy = |value: &str| {
        let policy = json!({ "subscription_urn": urn, "filter_polices": [{ "name": "level", "string_equals": [value] }] });
        json!({ "polices": [policy] })
    };
    bed.post(&smn("subscriptions/filter_polices"), policy("high")).await;
    bed.tick();
    let attributes = json!([{ "name": "level", "type": "STRING", "value": "low" }]);
    let body = json!({ "message": "disk full", "message_attributes": attributes });
    let answer = bed.post(&smn(&format!("topics/{topic}/publish")), body).await;
    let message = answer.text("/message_id").to_owned();
    let answers = ask(&bed, &message, "0001", "anyone").await;
    assert_eq!(told(&answers[0]), ("never_addressed", Some("filtered")));
    let then = answers[0]["then"]["en"].as_str().unwrap();
    assert!(then.contains("level = high") && then.contains("Nobody has changed it since"), "{then}");
    assert!(answers[0]["then"]["zh"].as_str().unwrap().contains("level = high"));
    bed.tick();
    bed.call_with("PUT", &smn("subscriptions/filter_polices"), Some(policy("low")), &[]).await;
    let answers = ask(&bed, &message, "0001", "anyone").await;
    let then = answers[0]["then"]["en"].as_str().unwrap();
    assert!(then.contains("Today it wants messages with level = low"), "{then}");
    assert!(then.contains("changed since then") && then.contains("its filter policies at 2025-"), "{then}");
    // One made later had no form then.
    bed.subscribe(&topic, &key(2)).await;
    let answers = ask(&bed, &message, "0002", "anyone").await;
    assert_eq!(told(&answers[0]), ("never_addressed", Some("subscribed_later")));
    assert!(answers[0]["then"]["en"].as_str().unwrap().contains("no such subscription yet"));
}

#[tokio::test]
async fn a_person_is_found_by_name_id_and_mail() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let project = carillon_model::id::ProjectId::parse(PROJECT).unwrap();
    let app =
        App::Lark(LarkApp { app_id: "cli_a1b2c3d4e5f6a7b8".into(), app_secret: "secret-of-a-test".into() });
    bed.store.connection_add(&project, "HQ".to_owned(), app).await.unwrap();
    let hq = bed.store.connection_list(&project).await.unwrap().remove(0).id;
    let read = async |names: &[&str]| {
        bed.tick();
        let run = bed.store.run_begin(hq, "admin".to_owned()).await.unwrap();
        let member = |id: &&str| Member {
            user_id: (*id).to_owned(),
            open_id: None,
            union_id: None,
            name: format!("Name of {id}"),
            left: false,
            departments: vec!["1".to_owned()],
        };
        let department =
            Department { id: "1".to_owned(), other_id: None, parent: None, name: "All".to_owned() };
        let staged = Staged {
            departments: vec![department],
            members: names.iter().map(member).collect(),
            chats: Vec::new(),
        };
        let range = Some(Range { all: true, ..Range::default() });
        let progress = Progress { calls: 1, missing: Vec::new(), range };
        assert!(bed.store.run_stage(run, Platform::Lark, staged, progress).await.unwrap());
        bed.store.run_finish(run).await.unwrap();
    };
    read(&["ann", "bob"]).await;
    let body = json!({ "protocol": "office", "endpoint": format!("office:{hq}:member:ann") });
    let made = bed.post(&smn(&format!("topics/{topic}/subscriptions")), body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let message = bed.publish(&topic, "disk full").await;
    let delivery = bed.handed().remove(0);
    assert_eq!(delivery.id.message.to_string(), message);
    for (to, kind) in [("Name of ann", "person"), ("ann", "person"), ("of ann", "anyone")] {
        let answers = ask(&bed, &message, to, kind).await;
        assert_eq!(answers.len(), 1, "{to}: {answers:?}");
        assert_eq!(told(&answers[0]), ("waiting", None));
        assert_eq!(answers[0]["whom"]["zh"], "Name of ann（ann，HQ）");
    }
    let answers = ask(&bed, &message, "bob", "person").await;
    assert_eq!(told(&answers[0]), ("never_addressed", Some("not_named")));
    assert_eq!(answers[0]["explanation"]["subscription_urn"], Value::Null);
    assert_eq!(ask(&bed, &message, "Name of", "person").await.len(), 2);
    read(&["ann", "bob", "eve"]).await;
    let answers = ask(&bed, &message, "eve", "anyone").await;
    assert_eq!(told(&answers[0]), ("never_addressed", Some("seen_later")));
    assert!(ask(&bed, &message, "nobody", "person").await.is_empty());
    // A subscription user stands for what is subscribed of it.
    let hook = format!("{HOOK}{}", key(7));
    let user = json!({ "name": "Zoe", "wechat": { "endpoint": hook } });
    let made = bed.post(&format!("/v2/{PROJECT}/subscription-users"), user).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    bed.subscribe(&topic, &key(7)).await;
    let later = bed.publish(&topic, "disk full again").await;
    let answers = ask(&bed, &later, "zoe", "person").await;
    assert_eq!(told(&answers[0]), ("waiting", None));
}

#[tokio::test]
async fn a_question_without_a_message_or_a_text_is_refused() {
    let bed = Bed::fresh().await;
    let topic = bed.topic("ops").await;
    let message = bed.publish(&topic, "disk full").await;
    for (body, code, field) in [
        (json!({ "message_id": "01a20125d1f17bb5b5a67a4e88575e34", "to": "ann" }), "message_not_found", ""),
        (json!({ "message_id": "x", "to": "ann" }), "invalid", "message_id"),
        (json!({ "message_id": message, "to": " a " }), "invalid", "to"),
        (json!({ "message_id": message, "to": "urn:smn:x" }), "invalid", "subscription_urn"),
    ] {
        let refused = bed.post("/api/v1/explain", body.clone()).await;
        assert!(refused.status.is_client_error(), "{body}");
        assert_eq!((refused.text("/code"), refused.text("/field")), (code, field), "{body}");
    }
}
