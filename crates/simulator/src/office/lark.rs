//! Lark's and Feishu's app interfaces: tokens, contacts, chats, and what was granted.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Call, Office, OfficeApp, OfficeDepartment, OfficeMember, page};
use crate::limit::Rate;
use crate::sign;
use crate::verdict::{Asked, Verdict, text_at, texts_at};

/// For each interface of an app.
const RATES: &[Rate] = &[Rate { most: 50, span_ms: 1000 }, Rate { most: 1000, span_ms: 60_000 }];
/// The largest page of departments and members.
const PAGE_MAX: usize = 50;

const BASE: &str = "contact:contact.base:readonly";
const AS_APP: &str = "contact:contact:readonly_as_app";
const ORGANIZE: &str = "contact:department.organize:readonly";

/// Every permission that the interfaces here look at.
pub(super) const SCOPES: [&str; 14] = [
    BASE,
    AS_APP,
    "contact:department.base:readonly",
    ORGANIZE,
    "contact:user.department:readonly",
    "contact:user.base:readonly",
    "contact:user.employee_id:readonly",
    "contact:user.id:readonly",
    "im:chat",
    "im:chat:readonly",
    "im:chat:update",
    "im:message:send_as_bot",
    "im:message",
    "im:resource",
];

/// The id that only this app knows a member by.
pub(super) fn open_id(app: &OfficeApp, member: &str) -> String {
    format!("ou_{}", sign::derive(&app.app_id, member))
}

/// The id that all apps of one developer know a member by.
pub(super) fn union_id(member: &str) -> String {
    format!("on_{}", sign::derive("union", member))
}

fn open_department(id: &str) -> String {
    if id == "0" { "0".to_owned() } else { format!("od-{}", sign::derive("department", id)) }
}

pub(super) fn fault(status: u16, code: i64, text: &str) -> Verdict {
    Verdict::lark(status, code, text)
}

/// The refusal for want of one of these permissions, in the platform's words.
pub(super) fn denied(scopes: &[&str]) -> Verdict {
    let names = scopes.join(", ");
    let text = format!(
        "Access denied. One of the following scopes is required: [{names}].应用尚未开通所需的应用身份权限：[{names}]，\
         点击链接申请并开通任一权限即可"
    );
    fault(400, 99_991_672, &text)
}

fn good(data: &Value) -> Verdict {
    Verdict::accepted("0", json!({ "code": 0, "msg": "success", "data": data }))
}

pub(super) fn judge(office: &mut Office, call: &Call, asked: &Asked<'_>) -> Verdict {
    let path = call.path();
    if let ["open-apis", "auth", "v3", "tenant_access_token", "internal"] = path.as_slice() {
        return token(office, call, asked);
    }
    called(office, call, asked, path.get(1..).unwrap_or_default()).unwrap_or_else(|refusal| refusal)
}

fn token(office: &mut Office, call: &Call, asked: &Asked<'_>) -> Verdict {
    let body = asked.json_object().unwrap_or_default();
    let find = text_at(&body, "app_id").and_then(|id| {
        office.apps.iter().find(|app| app.app_id == id && app.platform == call.platform).cloned()
    });
    let Some(app) = find else { return fault(200, 10_003, "invalid param") };
    if text_at(&body, "app_secret").is_none_or(|secret| !sign::same(secret, &app.secret)) {
        return fault(200, 10_015, "app secret invalid");
    }
    let token = office.issue(&app, "t-", asked.now_ms);
    Verdict::accepted("0", json!({ "code": 0, "msg": "ok", "tenant_access_token": token, "expire": 7200 }))
}

fn called(office: &mut Office, call: &Call, asked: &Asked<'_>, path: &[&str]) -> Result<Verdict, Verdict> {
    let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| fault(400, 99_991_661, "Missing access token for authorization"))?;
    let app = office.by_token(token, asked.now_ms).cloned();
    let app = app.filter(|app| app.platform == call.platform);
    let app = app.ok_or_else(|| {
        fault(
            400,
            99_991_663,
            "Invalid access token for authorization. Please make a test attempt with the correct token.",
        )
    })?;
    if !app.trusts(asked.from) {
        return Err(fault(
            400,
            99_991_401,
            &format!("deny by app ip white list, request ip: {}", asked.from),
        ));
    }
    let interface = path.iter().take(3).copied().collect::<Vec<_>>().join("/");
    if !office.take(format!("{} {interface}", app.app_id), RATES, asked.now_ms) {
        return Err(fault(429, 99_991_400, "request trigger frequency limit"));
    }
    match path {
        ["im", "v1", "messages"] if call.is(&Method::POST) => super::lark_send::send(office, &app, asked),
        ["im", "v1", "messages", id] if call.is(&Method::DELETE) => {
            require(&app, &["im:message", "im:message:send_as_bot", "im:message:recall"])?;
            if office.take_back(id, &app.app_id, asked.now_ms) {
                return Ok(good(&json!({})));
            }
            Err(fault(400, 230_011, "The message was withdrawn."))
        }
        ["im", "v1", "messages", id] if call.is(&Method::PATCH) => {
            require(&app, &["im:message", "im:message:send_as_bot", "im:message:update"])?;
            super::lark_send::replace(office, &app, id, asked)
        }
        ["im", "v1", what @ ("images" | "files")] if call.is(&Method::POST) => {
            require(&app, &["im:resource", "im:resource:upload"])?;
            super::media::lark(office, &app, asked, *what == "images")
        }
        ["application", "v6", "scopes"] if app.grants_hidden => Err(fault(403, 99_991_672, "Access denied.")),
        ["application", "v6", "scopes"] => Ok(granted(&app)),
        ["bot", "v3", "info"] => {
            let status = if app.bot_off { 0 } else { 2 };
            Ok(Verdict::accepted(
                "0",
                json!({ "code": 0, "msg": "ok", "bot": { "activate_status": status } }),
            ))
        }
        ["im", "v1", "chats"] => chats(&app, asked),
        ["im", "v1", "chats", id] if call.is(&Method::PUT) => change_chat(office, &app, id, asked),
        ["contact", "v3", rest @ ..] => contact(&app, asked, rest),
        _ => Err(fault(404, 404, "404 page not found")),
    }
}

pub(super) fn require(app: &OfficeApp, scopes: &[&str]) -> Result<(), Verdict> {
    if app.has(scopes) { Ok(()) } else { Err(denied(scopes)) }
}

fn granted(app: &OfficeApp) -> Verdict {
    let scopes = SCOPES.iter().map(|scope| {
        let status = if app.withheld.contains(*scope) { 2 } else { 1 };
        json!({ "scope_name": scope, "grant_status": status, "scope_type": "tenant" })
    });
    good(&json!({ "scopes": scopes.collect::<Vec<_>>() }))
}

fn contact(app: &OfficeApp, asked: &Asked<'_>, path: &[&str]) -> Result<Verdict, Verdict> {
    match path {
        ["scopes"] => {
            require(app, &[BASE, AS_APP])?;
            Ok(scopes(app))
        }
        ["departments", id, "children"] => {
            require(app, &[BASE, AS_APP, ORGANIZE])?;
            children(app, asked, id)
        }
        ["departments", id] => {
            require(app, &[BASE, AS_APP, ORGANIZE])?;
            let found = find_department(app, id).ok_or_else(|| fault(400, 40_014, "no such department"))?;
            Ok(good(&json!({ "department": shown_department(app, found) })))
        }
        ["users", "find_by_department"] => {
            require(app, &[BASE, AS_APP, ORGANIZE])?;
            members(app, asked)
        }
        ["users", "batch_get_id"] => {
            require(app, &["contact:user.id:readonly"])?;
            Ok(batch_get_id(app, asked))
        }
        ["users", id] => {
            require(app, &[BASE, AS_APP])?;
            let found = find_member(app, id).filter(|member| app.sees(member));
            let found = found.ok_or_else(|| fault(400, 41_050, "no user authority"))?;
            Ok(good(&json!({ "user": shown_member(app, found) })))
        }
        _ => Err(fault(404, 404, "404 page not found")),
    }
}

/// Everybody: the departments of the first level. Else what the range names, without what is below.
fn scopes(app: &OfficeApp) -> Verdict {
    let departments: Vec<String> = match &app.range {
        None => app.children("0").map(|department| open_department(&department.id)).collect(),
        Some(range) => range.iter().map(|id| open_department(id)).collect(),
    };
    good(&json!({ "department_ids": departments, "user_ids": [], "group_ids": [], "has_more": false }))
}

fn find_department<'a>(app: &'a OfficeApp, id: &str) -> Option<&'a OfficeDepartment> {
    app.departments.iter().find(|department| department.id == id || open_department(&department.id) == id)
}

pub(super) fn find_member<'a>(app: &'a OfficeApp, id: &str) -> Option<&'a OfficeMember> {
    app.members
        .iter()
        .find(|member| member.id == id || open_id(app, &member.id) == id || union_id(&member.id) == id)
}

/// The department of a path; the root only for who may see everybody.
fn entered<'a>(app: &'a OfficeApp, id: &'a str) -> Result<&'a str, Verdict> {
    let no_right = || fault(403, 40_004, "no dept authority error");
    if id == "0" {
        return if app.range.is_none() { Ok("0") } else { Err(no_right()) };
    }
    let found = find_department(app, id).ok_or_else(|| fault(400, 40_014, "no such department"))?;
    if app.sees_department(&found.id) { Ok(&found.id) } else { Err(no_right()) }
}

fn listed<T>(asked: &Asked<'_>, items: &[T], show: impl Fn(&T) -> Value) -> Result<Verdict, Verdict> {
    let size = asked.query("page_size").map_or(Ok(10), str::parse::<usize>);
    let size = size.ok().filter(|size| (1..=PAGE_MAX).contains(size));
    let size = size.ok_or_else(|| fault(400, 40_011, "page size is invalid"))?;
    let from =
        asked.query("page_token").map_or(Ok(0), |token| token.trim_start_matches('p').parse::<usize>());
    let from = from.map_err(|_number| fault(400, 40_012, "page token is invalid error"))?;
    let (items, next) = page(items, from, size);
    let items: Vec<Value> = items.iter().map(show).collect();
    let token = next.map(|next| format!("p{next}")).unwrap_or_default();
    Ok(good(&json!({ "items": items, "has_more": next.is_some(), "page_token": token })))
}

fn children(app: &OfficeApp, asked: &Asked<'_>, id: &str) -> Result<Verdict, Verdict> {
    let of = entered(app, id)?;
    let found: Vec<&OfficeDepartment> = match asked.query("fetch_child") {
        // The official SDK for Python writes it with a capital letter.
        Some("true" | "True") => app.below(of),
        _ => app.children(of).collect(),
    };
    listed(asked, &found, |department| shown_department(app, department))
}

fn shown_department(app: &OfficeApp, department: &OfficeDepartment) -> Value {
    let mut shown =
        json!({ "open_department_id": open_department(&department.id), "department_id": department.id });
    if app.has(&["contact:department.base:readonly", AS_APP])
        && !app.withheld.contains("contact:department.base:readonly")
    {
        shown["name"] = department.name.clone().into();
    }
    if app.has(&[ORGANIZE]) {
        shown["parent_department_id"] = open_department(&department.parent).into();
    }
    shown
}

fn members(app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let id = asked.query("department_id").ok_or_else(|| fault(400, 99_992_402, "field validation failed"))?;
    let of = entered(app, id)?;
    let found: Vec<&OfficeMember> = app
        .members
        .iter()
        .filter(|member| !member.left && member.departments.iter().any(|id| id == of))
        .collect();
    listed(asked, &found, |member| shown_member(app, member))
}

fn shown_member(app: &OfficeApp, member: &OfficeMember) -> Value {
    let mut shown = json!({ "open_id": open_id(app, &member.id), "union_id": union_id(&member.id) });
    if app.has(&["contact:user.base:readonly"]) {
        shown["name"] = member.name.clone().into();
    }
    if app.has(&["contact:user.employee_id:readonly"]) {
        shown["user_id"] = member.id.clone().into();
    }
    if app.has(&["contact:user.department:readonly"]) {
        shown["department_ids"] =
            member.departments.iter().map(|id| open_department(id)).collect::<Vec<_>>().into();
    }
    shown["status"] = json!({ "is_resigned": member.left, "is_activated": true });
    shown
}

fn batch_get_id(app: &OfficeApp, asked: &Asked<'_>) -> Verdict {
    let body = asked.json_object().unwrap_or_default();
    let mut list = Vec::new();
    for (field, name) in [("emails", "email"), ("mobiles", "mobile")] {
        for wanted in texts_at(&body, field) {
            let has = |member: &&OfficeMember| {
                let value = if name == "email" { &member.email } else { &member.mobile };
                value.as_deref() == Some(wanted) && !member.left && app.sees(member)
            };
            let mut item = json!({ name: wanted });
            if let Some(member) = app.members.iter().find(has) {
                item["user_id"] = match asked.query("user_id_type") {
                    Some("user_id") => member.id.clone().into(),
                    Some("union_id") => union_id(&member.id).into(),
                    _ => open_id(app, &member.id).into(),
                };
            }
            list.push(item);
        }
    }
    good(&json!({ "user_list": list }))
}

/// "Update a chat": name and description, for whoever may change chats and is in this one.
fn change_chat(
    office: &mut Office,
    app: &OfficeApp,
    id: &str,
    asked: &Asked<'_>,
) -> Result<Verdict, Verdict> {
    require(app, &["im:chat", "im:chat:update"])?;
    if app.bot_off {
        return Err(fault(400, 232_025, "Bot ability is not activated."));
    }
    let body = asked.json_object().unwrap_or_default();
    let (name, about) = (text_at(&body, "name"), text_at(&body, "description"));
    let long = |text: Option<&str>, most| text.is_some_and(|text| text.chars().count() > most);
    if (name.is_none() && about.is_none()) || long(name, 60) || long(about, 100) {
        return Err(fault(400, 232_001, "Your request contains an invalid request parameter."));
    }
    let found = office.apps.iter_mut().find(|known| known.app_id == app.app_id);
    let known = found.filter(|known| known.chats.iter().any(|(known, _name)| known == id));
    let Some(known) = known else {
        return Err(fault(400, 232_011, "Operator can NOT be out of the chat."));
    };
    if let Some(name) = name {
        let chats = known.chats.iter_mut().filter(|(known, _name)| known == id);
        chats.for_each(|(_id, known)| name.clone_into(known));
    }
    if let Some(about) = about {
        known.chat_descriptions.insert(id.to_owned(), about.to_owned());
    }
    Ok(good(&json!({})))
}

fn chats(app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    require(app, &["im:chat", "im:chat:readonly"])?;
    if app.bot_off {
        return Err(fault(400, 232_025, "Bot ability is not activated."));
    }
    let size = asked.query("page_size").and_then(|size| size.parse().ok()).unwrap_or(20).clamp(1, 100);
    let from = asked.query("page_token").and_then(|token| token.parse().ok()).unwrap_or(0);
    let (items, next) = page(&app.chats, from, size);
    let items: Vec<Value> = items
        .iter()
        .map(|(id, name)| {
            let about = app.chat_descriptions.get(id).map_or("", String::as_str);
            json!({ "chat_id": id, "name": name, "description": about, "chat_status": "normal" })
        })
        .collect();
    let token = next.map(|next| next.to_string()).unwrap_or_default();
    Ok(good(&json!({ "items": items, "has_more": next.is_some(), "page_token": token })))
}
