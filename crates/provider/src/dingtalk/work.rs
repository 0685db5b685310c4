//! Work notifications of an internal app ("send work notifications asynchronously", "get the result of a work notification"):
//! to people only, without a robot. The call that sends says nothing of the person, so the result is asked for behind it, within
//! the same attempt and a few seconds: what became of the person is what the delivery says.

use std::time::Duration;

use carillon_model::endpoint::{DINGTALK_ROBOT_HOST, Endpoint};
use carillon_model::message::{Body, Button, Format, Mentions};
use carillon_model::office::connection::DingtalkApp;
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::subscription::Target;
use serde::Serialize;
use serde_json::{Value, json};

use super::code::APP;
use super::{markdown_text, text_content};
use crate::http::{Answer, Failure};
use crate::listed::Question;
use crate::office::call::{Ask, call, id, items};
use crate::parts::{Composed, Draft, numbered, with_fields};
use crate::render::{self, Dialect};
use crate::{Context, Part, Post};

/// The largest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 2_048;
/// How long to wait before each look at the result.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

#[derive(Serialize)]
struct ToOne<'a> {
    agent_id: u64,
    userid_list: &'a str,
}

/// Whether a message goes out as a work notification: where it was asked for, and where there is no robot.
pub(crate) fn is_meant(app: &DingtalkApp, endpoint: &Endpoint, body: &Body) -> bool {
    let to_one = matches!(endpoint, Endpoint::Office { kind: RecipientKind::Member, .. });
    to_one && app.agent_id.is_some() && (body.notice || app.robot_code.is_none())
}

/// Renders a post: text, markdown, or a card with buttons.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let nobody = Mentions::default();
    let draft = Draft { mentions: &nobody, ..Draft::new(target, post) };
    let composed =
        draft.parts(Dialect::DingtalkMarkdown, render::json_bytes, MESSAGE_BYTES_MAX, |piece, place| {
            let message = match draft.format {
                Format::Text => {
                    json!({ "msgtype": "text", "text": { "content": text_content(&draft, piece, place) } })
                }
                Format::Markdown => {
                    let text = markdown_text(&draft, piece, place);
                    let buttons = if place.last { post.body.buttons.as_slice() } else { &[] };
                    card(&draft.preview(&place.label), &text, buttons)
                }
            };
            let measured = message.to_string();
            Composed::counted(&json!({ "msg": message }), &measured)
        })?;
    let notice = |part: Part| Part { notice: true, ..part };
    Ok(numbered(post, composed).into_iter().map(notice).collect())
}

/// Markdown, or a card when there are buttons.
fn card(title: &str, text: &str, buttons: &[Button]) -> Value {
    match buttons {
        [] => json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text } }),
        [button] => json!({ "msgtype": "action_card", "action_card": { "title": title, "markdown": text,
            "single_title": button.text, "single_url": button.url } }),
        buttons => {
            let list = buttons.iter().map(|button| json!({ "title": button.text, "action_url": button.url }));
            json!({ "msgtype": "action_card", "action_card": { "title": title, "markdown": text,
                "btn_orientation": "0", "btn_json_list": list.collect::<Vec<_>>() } })
        }
    }
}

/// What comes of notifying somebody without the app's number.
fn no_agent() -> Verdict {
    Verdict {
        platform_text: Some("the connection has no agent_id, which every work notification needs".to_owned()),
        ..Verdict::plain(Outcome::Misconfigured, Reason::Credentials)
    }
}

/// Sends a part to one person, and asks what became of it.
pub(crate) async fn send(context: &Context<'_>, app: &App, to: &str, part: &Part) -> Verdict {
    let App::Dingtalk(DingtalkApp { agent_id: Some(agent_id), .. }) = app else { return no_agent() };
    let path = "/topapi/message/corpconversation/asyncsend_v2";
    let body = with_fields(&ToOne { agent_id: *agent_id, userid_list: to }, &part.body);
    let ask = Ask::post("corpconversation/asyncsend_v2", DINGTALK_ROBOT_HOST, path, body);
    let (answer, verdict) = match call(context, app, &ask).await {
        Ok(sent) => sent,
        Err(verdict) => return verdict,
    };
    let Some(task) = id(answer.get("task_id")) else {
        // It was taken, and nobody can be asked about it.
        return Failure::Broken.verdict();
    };
    for wait in LOOKS {
        tokio::time::sleep(wait).await;
        let path = "/topapi/message/corpconversation/getsendresult";
        let body = json!({ "agent_id": agent_id, "task_id": number(&task) }).to_string();
        let ask = Ask::post("corpconversation/getsendresult", DINGTALK_ROBOT_HOST, path, body);
        // Whoever cannot be asked about it may have got it all the same.
        let Ok((answer, _verdict)) = call(context, app, &ask).await else { break };
        let result = answer.get("send_result").unwrap_or(&answer);
        if let Some(verdict) = judged(context, result, to, &task) {
            return verdict;
        }
    }
    Verdict { platform_text: Some(format!("task_id {task} (its result was not known in time)")), ..verdict }
}

/// A task's number, as the platform wants it.
fn number(task: &str) -> Value {
    task.parse::<u64>().map_or_else(|_text| task.into(), Value::from)
}

/// What a result says of one person; nothing while it does not name them.
fn judged(context: &Context<'_>, result: &Value, to: &str, task: &str) -> Option<Verdict> {
    let names = |list: &str| {
        items(result, &format!("/{list}")).iter().any(|one| id(Some(one)).is_some_and(|one| one == to))
    };
    let words = |verdict: Verdict, list: &str| Verdict {
        platform_code: Some(list.to_owned()),
        platform_text: Some(format!("task {task}")),
        ..verdict
    };
    let dropped = items(result, "/forbidden_list")
        .iter()
        .find(|one| id(one.get("userid")).is_some_and(|one| one == to));
    if let Some(code) = dropped.and_then(|one| id(one.get("code"))) {
        let answer =
            Answer { status: 200, headers: hyper::header::HeaderMap::new(), body: Vec::new(), cut: None };
        let text = format!("task {task}: dropped");
        return Some(
            Question { table: APP, code: &code, text: &text, answer: &answer, clock: context.clock }
                .verdict(),
        );
    }
    let later = Outcome::Later { wait: None, scope: Scope::Endpoint };
    if names("invalid_user_id_list") {
        return Some(words(Verdict::plain(Outcome::Refused, Reason::Recipient), "invalid_user_id_list"));
    }
    if names("forbidden_user_id_list") {
        return Some(words(Verdict::plain(later, Reason::RateLimited), "forbidden_user_id_list"));
    }
    if names("failed_user_id_list") {
        return Some(words(Verdict::plain(later, Reason::Busy), "failed_user_id_list"));
    }
    (names("unread_user_id_list") || names("read_user_id_list")).then(|| Verdict {
        platform_code: Some("0".to_owned()),
        platform_text: Some(format!("task_id {task}")),
        ..Verdict::plain(Outcome::Accepted, Reason::Ok)
    })
}

/// Takes a notification back.
pub(crate) async fn recall(context: &Context<'_>, app: &App, task: &str) -> Verdict {
    let App::Dingtalk(DingtalkApp { agent_id: Some(agent_id), .. }) = app else { return no_agent() };
    let path = "/topapi/message/corpconversation/recall";
    let body = json!({ "agent_id": agent_id, "msg_task_id": number(task) }).to_string();
    let ask = Ask::post("corpconversation/recall", DINGTALK_ROBOT_HOST, path, body);
    call(context, app, &ask).await.map_or_else(|refusal| refusal, |(_answer, verdict)| verdict)
}
