//! WeCom's app interfaces: tokens, the app itself, contacts, messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::said::Said;
use super::{Call, Office, OfficeApp, OfficeMember};
use crate::limit::Rate;
use crate::sign;
use crate::verdict::{Asked, Verdict, text_at};
use crate::wecom;

/// For each interface of a company.
const RATES: &[Rate] = &[Rate { most: 10_000, span_ms: 60_000 }];
/// To one member: what is more is dropped, and nobody is told.
const MEMBER_RATES: &[Rate] = &[Rate { most: 30, span_ms: 60_000 }, Rate { most: 1000, span_ms: 3_600_000 }];
/// The most members that one call may name.
const MOST_USERS: usize = 1000;
/// Where a text is cut, in bytes.
const MOST_TEXT: usize = 2048;

fn good(mut answer: Value) -> Verdict {
    answer["errcode"] = 0.into();
    answer["errmsg"] = "ok".into();
    Verdict::accepted("0", answer)
}

fn fault(asked: &Asked<'_>, code: i64, text: &str) -> Verdict {
    let from = asked.from.to_canonical();
    Verdict::errcode(code, format!("{text}, hint: [{}], from ip: {from}", asked.now_ms))
}

pub(super) fn judge(office: &mut Office, call: &Call, asked: &Asked<'_>) -> Verdict {
    called(office, call, asked).unwrap_or_else(|refusal| refusal)
}

fn called(office: &mut Office, call: &Call, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let path = call.path();
    if let ["cgi-bin", "gettoken"] = path.as_slice() {
        return token(office, call, asked);
    }
    let dead = || fault(asked, 40_014, "invalid access_token");
    let token = asked.query("access_token").ok_or_else(dead)?;
    let app = office.by_token(token, asked.now_ms).filter(|app| app.platform == call.platform).cloned();
    let app = app.ok_or_else(dead)?;
    if !app.trusts(asked.from) {
        return Err(fault(asked, 60_020, "not allow to access from your ip"));
    }
    if !office.take(format!("{} {}", app.app_id, path.join("/")), RATES, asked.now_ms) {
        return Err(fault(asked, 45_009, "api freq out of limit"));
    }
    match path.get(1..).unwrap_or_default() {
        ["agent", "get"] => agent(&app, asked),
        ["department", "list" | "simplelist"] => Ok(departments(&app)),
        ["user", "simplelist"] => members(&app, asked),
        ["user", "get"] => {
            let found = asked.query("userid").and_then(|id| find(&app, id)).filter(|member| app.sees(member));
            let found = found.ok_or_else(|| fault(asked, 60_111, "userid not found"))?;
            Ok(good(shown_member(found)))
        }
        ["user", what @ ("getuserid" | "get_userid_by_email")] => lookup(&app, asked, what),
        ["message", "recall"] => {
            let body = asked.json_object().ok_or_else(|| fault(asked, 47_001, "data format error"))?;
            let id = text_at(&body, "msgid").unwrap_or_default();
            if office.take_back(id, &app.app_id, asked.now_ms) {
                return Ok(good(json!({})));
            }
            Err(fault(asked, 40_058, "invalid msgid"))
        }
        ["media", "upload"] => super::media::wecom(office, &app, asked)
            .map(good)
            .map_err(|(code, text)| fault(asked, code, text)),
        ["message", "send"] => send(office, &app, asked),
        ["appchat", "send"] => chat(office, &app, asked),
        _ => Err(fault(asked, 404, "no such interface")),
    }
}

fn token(office: &mut Office, call: &Call, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let corp = asked.query("corpid").unwrap_or_default();
    let app = office.apps.iter().find(|app| app.app_id == corp && app.platform == call.platform).cloned();
    let app = app.ok_or_else(|| fault(asked, 40_013, "invalid corpid"))?;
    if asked.query("corpsecret").is_none_or(|secret| !sign::same(secret, &app.secret)) {
        return Err(fault(asked, 40_001, "invalid credential"));
    }
    let token = office.issue(&app, "", asked.now_ms);
    Ok(good(json!({ "access_token": token, "expires_in": 7200 })))
}

fn find<'a>(app: &'a OfficeApp, id: &str) -> Option<&'a OfficeMember> {
    app.members.iter().find(|member| !member.left && member.id.eq_ignore_ascii_case(id))
}

fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_text| id.into(), Value::from)
}

fn agent(app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let wanted = asked.query("agentid").and_then(|id| id.parse::<u64>().ok());
    if wanted != Some(app.agent_id) {
        return Err(fault(asked, 301_002, "not allow operate another agent with this accesstoken"));
    }
    let range = app.range.clone().unwrap_or_else(|| vec!["1".to_owned()]);
    let parties: Vec<Value> = range.iter().map(|id| number(id)).collect();
    Ok(good(json!({ "agentid": app.agent_id, "name": "App", "close": 0, "allow_userinfos": { "user": [] },
        "allow_partys": { "partyid": parties } })))
}

fn departments(app: &OfficeApp) -> Verdict {
    let mut list = Vec::new();
    if app.range.is_none() {
        list.push(json!({ "id": 1, "name": "Company", "parentid": 0, "order": 1 }));
    }
    for department in app.departments.iter().filter(|department| app.sees_department(&department.id)) {
        list.push(json!({ "id": number(&department.id), "name": department.name,
            "parentid": number(&department.parent), "order": 1 }));
    }
    good(json!({ "department": list }))
}

fn members(app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let of = asked.query("department_id").unwrap_or_default();
    if of != "1" && app.department(of).is_none() {
        return Err(fault(asked, 60_003, "department not found"));
    }
    if app.range.is_some() && (of == "1" || !app.sees_department(of)) {
        return Err(fault(asked, 60_011, "no privilege to access/modify contact/party/agent"));
    }
    let found =
        app.members.iter().filter(|member| !member.left && member.departments.iter().any(|id| id == of));
    Ok(good(json!({ "userlist": found.map(shown_member).collect::<Vec<_>>() })))
}

/// The member of a phone number, or of one of the company's mail addresses.
fn lookup(app: &OfficeApp, asked: &Asked<'_>, what: &str) -> Result<Verdict, Verdict> {
    let body = asked.json_object().ok_or_else(|| fault(asked, 47_001, "data format error"))?;
    let of = |member: &OfficeMember| {
        if what == "getuserid" { member.mobile.clone() } else { member.email.clone() }
    };
    let field = if what == "getuserid" { "mobile" } else { "email" };
    let wanted = text_at(&body, field).ok_or_else(|| fault(asked, 40_058, "missing field"))?;
    let has = |member: &&OfficeMember| {
        !member.left && app.sees(member) && of(member).is_some_and(|own| own.eq_ignore_ascii_case(wanted))
    };
    let found = app.members.iter().find(has).ok_or_else(|| fault(asked, 46_004, "user not exist"))?;
    Ok(good(json!({ "userid": found.id })))
}

fn shown_member(member: &OfficeMember) -> Value {
    let departments: Vec<Value> = member.departments.iter().map(|id| number(id)).collect();
    json!({ "userid": member.id, "name": member.name, "department": departments,
        "open_userid": format!("wo{}", sign::derive("open", &member.id)) })
}

/// A text card's text without its divisions.
fn undivided(text: &str) -> String {
    let pieces = text.replace("</div>", "");
    let pieces = pieces.split("<div class=\"").enumerate();
    pieces
        .map(
            |(at, piece)| {
                if at == 0 { piece } else { piece.split_once("\">").map_or("", |(_, inner)| inner) }
            },
        )
        .collect()
}

/// Reads a message, or refuses it. A text that is too long is cut.
fn content(office: &Office, app: &OfficeApp, asked: &Asked<'_>, body: &Value) -> Result<Said, Verdict> {
    let kind = text_at(body, "msgtype").ok_or_else(|| fault(asked, 40_008, "invalid message type"))?;
    let part = body.get(kind).unwrap_or(&Value::Null);
    let empty = || fault(asked, 44_004, "empty content");
    match kind {
        "text" | "markdown" => {
            let text = text_at(part, "content").ok_or_else(empty)?;
            let mut cut = String::new();
            for letter in text.chars() {
                if cut.len() + letter.len_utf8() > MOST_TEXT {
                    break;
                }
                cut.push(letter);
            }
            Ok(Said { kind: kind.to_owned(), text: cut, ..Said::default() })
        }
        "textcard" => {
            let title = text_at(part, "title").ok_or_else(empty)?;
            let text = text_at(part, "description").ok_or_else(empty)?;
            let url = text_at(part, "url").ok_or_else(|| fault(asked, 40_058, "textcard.url missing"))?;
            let button = (text_at(part, "btntxt").unwrap_or("详情").to_owned(), url.to_owned());
            let title = Some(title.to_owned());
            Ok(Said { kind: kind.to_owned(), text: undivided(text), title, buttons: vec![button] })
        }
        "image" | "file" => {
            let id = text_at(part, "media_id").unwrap_or_default();
            let upload = office.uploaded(&app.app_id, id, asked.now_ms).filter(|upload| upload.kind == kind);
            let upload = upload.ok_or_else(|| fault(asked, 40_007, "invalid media_id"))?;
            Ok(Said { kind: kind.to_owned(), text: upload.name.clone(), ..Said::default() })
        }
        "template_card" => {
            let (title, text, buttons) =
                wecom::app_card(part).map_err(|(code, text)| fault(asked, code, &text))?;
            Ok(Said { kind: kind.to_owned(), text, title, buttons })
        }
        _ => Err(fault(asked, 40_008, "invalid message type")),
    }
}

fn send(office: &mut Office, app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let body = asked.json_object().ok_or_else(|| fault(asked, 47_001, "data format error"))?;
    if body.get("agentid").and_then(Value::as_u64) != Some(app.agent_id) {
        return Err(fault(asked, 40_056, "invalid agentid"));
    }
    let content = content(office, app, asked, &body)?;
    let named: Vec<&str> =
        text_at(&body, "touser").unwrap_or_default().split('|').filter(|id| !id.is_empty()).collect();
    if named.is_empty() || named.len() > MOST_USERS {
        return Err(fault(asked, 40_058, "touser: wrong number of members"));
    }
    let found: BTreeMap<String, Option<&OfficeMember>> = named
        .iter()
        .map(|id| (id.to_ascii_lowercase(), find(app, id).filter(|member| app.sees(member))))
        .collect();
    let invalid: Vec<&str> =
        found.iter().filter(|(_, found)| found.is_none()).map(|(id, _)| id.as_str()).collect();
    if invalid.len() == found.len() {
        return Err(fault(asked, 81_013, "user & party & tag all invalid"));
    }
    let message_id = office.next_id("msg");
    let chats = found.values().flatten().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ");
    office.note_shown(&message_id, &app.app_id, &chats, asked.now_ms);
    let mut verdict = good(json!({ "msgid": message_id, "invaliduser": invalid.join("|") }));
    if body.get("enable_duplicate_check").and_then(Value::as_u64) == Some(1) {
        let seconds =
            body.get("duplicate_check_interval").and_then(Value::as_i64).unwrap_or(1800).min(14_400);
        let key = format!("{} {}", app.app_id, String::from_utf8_lossy(asked.body));
        if office.sent_before(&key, asked.now_ms).is_some() {
            return Ok(verdict);
        }
        office.remember(key, message_id, asked.now_ms + seconds * 1000);
    }
    for member in found.values().flatten() {
        // What is over a member's limit is dropped, and nobody is told.
        if office.take(format!("{} member {}", app.app_id, member.id), MEMBER_RATES, asked.now_ms) {
            verdict = verdict.showing(content.shown(app, &member.name, &body, wecom::pinged(&content.text)));
        }
    }
    Ok(verdict)
}

fn chat(office: &mut Office, app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let body = asked.json_object().ok_or_else(|| fault(asked, 47_001, "data format error"))?;
    let content = content(office, app, asked, &body)?;
    if content.kind == "template_card" {
        return Err(fault(asked, 40_008, "invalid message type"));
    }
    let wanted = text_at(&body, "chatid").unwrap_or_default();
    let chat = app.chats.iter().find(|(id, _)| id == wanted);
    let (_, name) = chat.ok_or_else(|| fault(asked, 86_003, "chatid invalid"))?;
    let message_id = office.next_id("msg");
    Ok(good(json!({ "msgid": message_id })).showing(content.shown(
        app,
        name,
        &body,
        wecom::pinged(&content.text),
    )))
}
