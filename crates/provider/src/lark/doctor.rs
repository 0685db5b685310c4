//! Tries what a custom app needs. The platform can list the permissions that were granted ("query the authorisation status
//! of a tenant"); where it does not answer that, each permission is tried by a call that needs it.

use std::collections::BTreeSet;

use carillon_model::office::App;
use carillon_model::office::connection::LarkApp;
use serde_json::{Value, json};

use super::contact::{ROOT, children_path, get, scopes_path};
use super::office::{fault, prove};
use crate::Context;
use crate::office::call::{Ask, call, items, query, text};
use crate::office::{Fault, Finding, Wrong, doctor};

/// A permission: its name, what does as well, what it is for, and whether anything works without it.
struct Scope {
    name: &'static str,
    others: &'static [&'static str],
    what: &'static str,
    needed: bool,
}

const fn needed(name: &'static str, others: &'static [&'static str], what: &'static str) -> Scope {
    Scope { name, others, what, needed: true }
}

const fn useful(name: &'static str, others: &'static [&'static str], what: &'static str) -> Scope {
    Scope { name, others, what, needed: false }
}

/// The nine of the usual guide, then those that it forgets.
const SCOPES: [Scope; 11] = [
    needed("contact:contact.base:readonly", &[], "read the directory"),
    useful("contact:contact:readonly_as_app", &[], "hear of changes of the directory"),
    needed("contact:department.base:readonly", &[], "read the names of departments"),
    needed("contact:department.organize:readonly", &[], "read the tree of departments"),
    needed("contact:user.department:readonly", &[], "read which departments a member is in"),
    needed("contact:user.base:readonly", &[], "read the names of members"),
    needed("contact:user.employee_id:readonly", &[], "read the ids of members"),
    useful("contact:user.id:readonly", &[], "find members by phone or e-mail"),
    useful("im:chat", &["im:chat:readonly"], "list the chats of the bot"),
    needed("im:message:send_as_bot", &["im:message", "im:message:send"], "send messages"),
    useful("im:resource", &["im:resource:upload"], "send images and files"),
];

/// Where permissions are granted.
const PAGE: (&str, &str) =
    ("developer console, the app, Permissions & Scopes", "开发者后台 - 应用 - 权限管理");

/// Looks at everything.
pub(crate) async fn check(context: &Context<'_>, app: &App, lark: &LarkApp) -> Vec<Finding> {
    if let Err(fault) = prove(context, app, lark).await {
        return vec![Finding::new(false, "credentials and address", None, fault.advice())];
    }
    let mut findings = vec![Finding::new(true, "credentials and address", None, doctor::fine())];
    findings.push(bot(context, app).await);
    let granted = granted(context, app).await;
    let looks = match granted {
        Some(_) => Looks::default(),
        None => look(context, app).await,
    };
    for scope in &SCOPES {
        let has = |granted: &BTreeSet<String>| {
            granted.contains(scope.name) || scope.others.iter().any(|other| granted.contains(*other))
        };
        let ok = match &granted {
            Some(granted) => Some(has(granted)),
            None => looks.of(scope.name),
        };
        // What cannot be told is not claimed.
        let Some(ok) = ok else { continue };
        let advice = if ok { doctor::fine() } else { doctor::grant(scope.name, PAGE) };
        let finding = Finding::new(ok, scope.what, Some(scope.name), advice);
        findings.push(if scope.needed { finding } else { finding.useful() });
    }
    findings.push(range(context, app).await);
    findings
}

/// Whether the bot is on and a version published: sending to nobody tells.
async fn bot(context: &Context<'_>, app: &App) -> Finding {
    let stopped = matches!(send_to_nobody(context, app).await, Some(Fault { wrong: Wrong::Stopped, .. }));
    let advice = carillon_model::outcome::Advice {
        en: "Switch the bot on (developer console, the app, Features, Bot), publish a version and have it approved.".into(),
        zh: "请启用机器人能力（开发者后台 - 应用 - 添加应用能力 - 机器人），发布版本并通过审核。".into(),
    };
    Finding::new(
        !stopped,
        "bot is on and a version published",
        None,
        if stopped { advice } else { doctor::fine() },
    )
}

/// Sends to an open id that nobody has; the fault says what stood in the way, if it was not that.
async fn send_to_nobody(context: &Context<'_>, app: &App) -> Option<Fault> {
    let body = json!({ "receive_id": "ou_00000000000000000000000000000000", "msg_type": "text",
                       "content": "{\"text\":\"Carillon\"}" });
    let path = "/open-apis/im/v1/messages?receive_id_type=open_id";
    call(context, app, &Ask::post("im/v1/messages", app.lark_host(), path, body.to_string()))
        .await
        .err()
        .map(fault)
}

/// The permissions that the platform says were granted, if it says so.
async fn granted(context: &Context<'_>, app: &App) -> Option<BTreeSet<String>> {
    let answer = get(context, app, "application/v6/scopes", "/open-apis/application/v6/scopes").await.ok()?;
    let scopes = answer.pointer("/data/scopes")?.as_array()?;
    let is_granted = |item: &&Value| item.get("grant_status").and_then(Value::as_u64) == Some(1);
    Some(
        scopes
            .iter()
            .filter(is_granted)
            .filter_map(|item| text(item, "/scope_name"))
            .map(str::to_owned)
            .collect(),
    )
}

/// What trying showed of each permission.
#[derive(Default)]
struct Looks(Vec<(&'static str, bool)>);

impl Looks {
    fn of(&self, scope: &str) -> Option<bool> {
        self.0.iter().find(|(name, _)| *name == scope).map(|(_, ok)| *ok)
    }

    fn add(&mut self, scope: &'static str, ok: Option<bool>) {
        self.0.extend(ok.map(|ok| (scope, ok)));
    }
}

/// Whether a call's fault is a missing permission.
fn is_allowed(fault: Option<&Fault>) -> bool {
    !matches!(fault, Some(Fault { wrong: Wrong::Scopes(_), .. }))
}

async fn look(context: &Context<'_>, app: &App) -> Looks {
    let mut looks = Looks::default();
    let range = get(context, app, "scopes", &scopes_path("")).await;
    looks.add(
        "contact:contact.base:readonly",
        Some(is_allowed(range.as_ref().err().cloned().map(fault).as_ref())),
    );
    let answer = range.unwrap_or_default();
    let first = text(&answer, "/data/department_ids/0").unwrap_or(ROOT).to_owned();
    if let Ok(answer) = get(context, app, "children", &children_path(&first, "", true)).await
        && let Some(item) = items(&answer, "/data/items").first()
    {
        looks.add("contact:department.base:readonly", Some(text(item, "/name").is_some()));
        looks
            .add("contact:department.organize:readonly", Some(text(item, "/parent_department_id").is_some()));
    }
    look_at_member(context, app, &mut looks, &answer).await;
    let lookup = json!({ "emails": ["nobody@example.invalid"] }).to_string();
    let path = "/open-apis/contact/v3/users/batch_get_id?user_id_type=open_id";
    let asked = call(context, app, &Ask::post("batch_get_id", app.lark_host(), path, lookup)).await;
    looks.add("contact:user.id:readonly", Some(is_allowed(asked.err().map(fault).as_ref())));
    let chats = get(context, app, "chats", "/open-apis/im/v1/chats?page_size=1").await;
    looks.add("im:chat", Some(is_allowed(chats.err().map(fault).as_ref())));
    looks.add("im:message:send_as_bot", Some(is_allowed(send_to_nobody(context, app).await.as_ref())));
    let path = "/open-apis/im/v1/images";
    let upload = call(context, app, &Ask::post("images", app.lark_host(), path, "{}".to_owned())).await;
    looks.add("im:resource", Some(is_allowed(upload.err().map(fault).as_ref())));
    looks
}

/// The fields of the first member found.
async fn look_at_member(context: &Context<'_>, app: &App, looks: &mut Looks, range: &Value) {
    let mut departments: Vec<&str> =
        items(range, "/data/department_ids").iter().filter_map(Value::as_str).take(5).collect();
    departments.push(ROOT);
    for of in departments {
        let pairs = [
            ("user_id_type", "open_id"),
            ("department_id_type", "open_department_id"),
            ("department_id", of),
            ("page_size", "1"),
        ];
        let path = format!("/open-apis/contact/v3/users/find_by_department?{}", query(&pairs));
        let Ok(answer) = get(context, app, "find_by_department", &path).await else { continue };
        let Some(item) = items(&answer, "/data/items").first() else { continue };
        looks.add("contact:user.base:readonly", Some(text(item, "/name").is_some()));
        looks.add("contact:user.employee_id:readonly", Some(text(item, "/user_id").is_some()));
        looks.add("contact:user.department:readonly", Some(!items(item, "/department_ids").is_empty()));
        return;
    }
}

/// Whether the app sees everybody; a part is no fault, but worth knowing.
async fn range(context: &Context<'_>, app: &App) -> Finding {
    let all = get(context, app, "children", &children_path(ROOT, "", true)).await.is_ok();
    let advice = carillon_model::outcome::Advice {
        en: "The app sees a part of the company only. That may be meant; else widen the contact range and the \
             availability range (developer console, the app, Version Management) and publish a new version."
            .into(),
        zh: "应用只能看到企业的一部分。如非有意，请在开发者后台 - 版本管理中扩大通讯录权限范围和可用范围并发布新版本。".into(),
    };
    Finding::new(all, "range is the whole company", None, if all { doctor::fine() } else { advice }).useful()
}
