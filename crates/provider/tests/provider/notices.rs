//! DingTalk's work notifications: what is asked about them, and what the answers mean.

use carillon_model::message::{Body, Button};
use carillon_model::office::App;
use carillon_model::outcome::{Outcome, Reason, Verdict};
use serde_json::{Value, json};

use crate::far_end::{FarEnd, Reply, post};
use crate::uploads::{dingtalk, send_all, target};

fn with_number() -> App {
    let App::Dingtalk(app) = dingtalk() else { panic!("it is no app of DingTalk's") };
    App::Dingtalk(carillon_model::office::connection::DingtalkApp { agent_id: Some(77), ..app })
}

fn notice(text: &str) -> Body {
    Body { notice: true, ..Body::text(text) }
}

/// A far end that gives this result of every task.
async fn far_end(result: Value) -> FarEnd {
    FarEnd::start(move |seen| {
        let answer = if seen.path.contains("accessToken") {
            json!({ "accessToken": "t", "expireIn": 7200 })
        } else if seen.path.contains("asyncsend_v2") {
            json!({ "errcode": 0, "task_id": 4711 })
        } else {
            json!({ "errcode": 0, "send_result": result })
        };
        Reply::Json(200, answer.to_string())
    })
    .await
}

async fn verdict(result: Value) -> Verdict {
    let far_end = far_end(result).await;
    send_all(&far_end.providers(), &target(with_number()), &notice("x")).await.remove(0)
}

#[tokio::test]
async fn the_result_is_the_verdict() {
    let dropped = |code: &str| json!({ "forbidden_list": [{ "code": code, "userid": "u00001" }] });
    let cases = [
        (json!({ "unread_user_id_list": ["u00001"] }), "accepted", Reason::Ok),
        (json!({ "read_user_id_list": ["u00001"] }), "accepted", Reason::Ok),
        (json!({ "invalid_user_id_list": ["u00001"] }), "refused", Reason::Recipient),
        (json!({ "failed_user_id_list": ["u00001"] }), "later", Reason::Busy),
        (json!({ "forbidden_user_id_list": ["u00001"] }), "later", Reason::RateLimited),
        (dropped("143105"), "later", Reason::RateLimited),
        (dropped("143106"), "refused", Reason::Content),
        (dropped("1430002"), "refused", Reason::Content),
        (dropped("1"), "refused", Reason::Unlisted),
    ];
    for (result, outcome, reason) in cases {
        let verdict = verdict(result.clone()).await;
        assert_eq!((verdict.outcome.name(), verdict.reason), (outcome, reason), "{result}");
    }
}

#[tokio::test]
async fn what_is_asked_stands_on_the_wire() {
    let far_end = far_end(json!({ "unread_user_id_list": ["u00001"] })).await;
    let buttons = ["One", "Two"].map(|text| Button::parse(text, "https://ci.example/1").unwrap()).to_vec();
    let body = Body { title: Some("T".to_owned()), notice: true, buttons, ..Body::markdown("**x**") };
    let verdict = send_all(&far_end.providers(), &target(with_number()), &body).await.remove(0);
    assert_eq!(verdict.platform_text.as_deref(), Some("task_id 4711"));
    let [_token, sent, asked] = far_end.seen().try_into().unwrap();
    assert!(sent.path.starts_with("/topapi/message/corpconversation/asyncsend_v2?access_token="));
    let (sent, asked) = (sent.json(), asked.json());
    assert_eq!((&sent["agent_id"], &sent["userid_list"]), (&json!(77), &json!("u00001")));
    assert_eq!(sent["msg"]["msgtype"], "action_card");
    assert_eq!(sent["msg"]["action_card"]["btn_json_list"][1]["title"], "Two");
    assert_eq!(asked, json!({ "agent_id": 77, "task_id": 4711 }));
}

/// Whoever cannot be asked about it may have got it all the same.
#[tokio::test]
async fn an_unknown_result_counts_as_accepted_and_says_so() {
    let far_end = FarEnd::start(|seen| {
        let answer = if seen.path.contains("accessToken") {
            json!({ "accessToken": "t", "expireIn": 7200 })
        } else if seen.path.contains("asyncsend_v2") {
            json!({ "errcode": 0, "task_id": 4711 })
        } else {
            json!({ "errcode": 90018, "errmsg": "later" })
        };
        Reply::Json(200, answer.to_string())
    })
    .await;
    let verdict = send_all(&far_end.providers(), &target(with_number()), &notice("x")).await.remove(0);
    assert_eq!(verdict.outcome, Outcome::Accepted);
    assert!(verdict.platform_text.unwrap().contains("not known in time"));
}

#[test]
fn a_long_text_is_split_into_what_fits() {
    let providers = crate::far_end::providers(carillon_provider::ProviderSettings::default());
    for body in
        [notice(&"汉字".repeat(2000)), Body { notice: true, ..Body::markdown("word \"q\" ".repeat(900)) }]
    {
        let parts = providers.render(&target(with_number()), &post(&body)).unwrap();
        assert!(parts.len() > 3, "{}", parts.len());
        // The message and what is around it.
        assert!(parts.iter().all(|part| format!("{part:?}").contains("bytes")), "{parts:?}");
    }
}
