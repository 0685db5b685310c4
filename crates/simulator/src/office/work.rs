//! DingTalk's work notifications: accepted at once, whoever they are for; what became of each person is told afterwards.

use serde_json::{Value, json};

use super::said::Said;
use super::{Office, OfficeApp, OfficeMember};
use crate::verdict::{Asked, Verdict, text_at};

/// The largest message, in bytes.
const MOST_MESSAGE: usize = 2048;
/// The most people of one call.
const MOST_PEOPLE: usize = 100;
/// How often the same text goes to the same person: once in so many milliseconds.
const SAME_MS: i64 = 86_400_000;

/// A notification that was accepted.
#[derive(Debug)]
pub(super) struct Task {
    app: String,
    /// How often its result was asked for: the first time it is not there yet.
    asked: u32,
    result: Value,
}

fn wrong(text: &str) -> Verdict {
    Verdict::errcode(400_002, format!("参数错误: {text}"))
}

pub(super) fn judge(
    office: &mut Office,
    app: &OfficeApp,
    asked: &Asked<'_>,
    what: &str,
) -> Result<Verdict, Verdict> {
    let body = asked.json_object().ok_or_else(|| wrong("body"))?;
    if body.get("agent_id").and_then(Value::as_u64) != Some(app.agent_id) {
        return Err(wrong("agent_id"));
    }
    let number = |field: &str| body.get(field).and_then(Value::as_u64).map(|id| id.to_string());
    match what {
        "asyncsend_v2" => send(office, app, asked, &body),
        "getsendresult" => {
            let id = number("task_id").ok_or_else(|| wrong("task_id"))?;
            let task = office.tasks.get_mut(&id).filter(|task| task.app == app.app_id);
            let task = task.ok_or_else(|| wrong("task_id"))?;
            task.asked += 1;
            let result = if task.asked > 1 { task.result.clone() } else { json!({}) };
            Ok(Verdict::accepted("0", json!({ "errcode": 0, "errmsg": "ok", "send_result": result })))
        }
        "recall" => {
            let id = number("msg_task_id").ok_or_else(|| wrong("msg_task_id"))?;
            if office.take_back(&id, &app.app_id, asked.now_ms) {
                return Ok(Verdict::accepted("0", json!({ "errcode": 0, "errmsg": "ok" })));
            }
            Err(wrong("msg_task_id"))
        }
        _ => Err(Verdict::errcode(404, "请求的URI地址不存在")),
    }
}

fn said(office: &Office, app: &OfficeApp, message: &Value, now_ms: i64) -> Result<Said, Verdict> {
    let kind = text_at(message, "msgtype").ok_or_else(|| wrong("msgtype"))?;
    let part = message.get(kind).ok_or_else(|| wrong(kind))?;
    let field = |name: &str| text_at(part, name).map(str::to_owned).ok_or_else(|| wrong(name));
    let mut buttons = Vec::new();
    let (title, text) = match kind {
        "text" => (None, field("content")?),
        "markdown" => (Some(field("title")?), field("text")?),
        "action_card" => {
            for button in part.get("btn_json_list").and_then(Value::as_array).into_iter().flatten() {
                let of = |name| text_at(button, name).map(str::to_owned).ok_or_else(|| wrong(name));
                buttons.push((of("title")?, of("action_url")?));
            }
            if buttons.is_empty() {
                buttons.push((field("single_title")?, field("single_url")?));
            }
            (Some(field("title")?), field("markdown")?)
        }
        "image" | "file" => {
            let upload = office.uploaded(&app.app_id, &field("media_id")?, now_ms);
            let upload = upload.filter(|upload| upload.kind == kind).ok_or_else(|| wrong("media_id"))?;
            (None, upload.name.clone())
        }
        _ => return Err(wrong("msgtype")),
    };
    Ok(Said { kind: format!("work_{kind}"), title, text, buttons })
}

fn send(office: &mut Office, app: &OfficeApp, asked: &Asked<'_>, body: &Value) -> Result<Verdict, Verdict> {
    let message = body.get("msg").filter(|message| message.is_object()).ok_or_else(|| wrong("msg"))?;
    if message.to_string().len() > MOST_MESSAGE {
        return Err(wrong("msg is larger than 2048 bytes"));
    }
    let people: Vec<&str> = text_at(body, "userid_list").unwrap_or_default().split(',').collect();
    if people.len() > MOST_PEOPLE || people.iter().any(|id| id.is_empty()) {
        return Err(wrong("userid_list"));
    }
    let said = said(office, app, message, asked.now_ms)?;
    let (mut invalid, mut forbidden, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    let mut reached: Vec<&OfficeMember> = Vec::new();
    for id in people {
        let member = app.member(id).filter(|member| !member.left && app.sees(member));
        let Some(member) = member else {
            invalid.push(id);
            continue;
        };
        let key = format!("{} {id} {message}", app.app_id);
        if office.sent_before(&key, asked.now_ms).is_some() {
            forbidden.push(json!({ "code": "143106", "count": 1, "userid": id }));
            continue;
        }
        office.remember(key, String::new(), asked.now_ms + SAME_MS);
        unread.push(id);
        reached.push(member);
    }
    office.made += 1;
    let id = (1_000_000 + office.made).to_string();
    let dropped: Vec<&Value> = forbidden.iter().filter_map(|one| one.get("userid")).collect();
    let result = json!({ "invalid_user_id_list": invalid, "forbidden_user_id_list": dropped, "failed_user_id_list": [],
        "read_user_id_list": [], "unread_user_id_list": unread, "invalid_dept_id_list": [], "forbidden_list": forbidden });
    office.tasks.insert(id.clone(), Task { app: app.app_id.clone(), asked: 0, result });
    let chats = reached.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ");
    if !chats.is_empty() {
        office.note_shown(&id, &app.app_id, &chats, asked.now_ms);
    }
    let task: u64 = id.parse().unwrap_or_default();
    let answer = json!({ "errcode": 0, "errmsg": "ok", "task_id": task, "request_id": "work" });
    let mut verdict = Verdict::accepted("0", answer);
    for member in reached {
        verdict = verdict.showing(said.shown(app, &member.name, body, Vec::new()));
    }
    Ok(verdict)
}
