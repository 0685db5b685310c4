//! Reading the directory ("get the contact scope", "list the children of a department", "list the members of a
//! department", "get a user", "list the groups that a bot is in").
//!
//! Three gates have to be open: the right to call, the range of people, and the right to single fields. A missing field
//! is noticed by its absence.

use carillon_model::office::{App, Chat, Department, Member};
use carillon_model::outcome::Verdict;
use serde_json::Value;

use super::office::{data, fault};
use crate::Context;
use crate::office::call::{Ask, call, id, ids, items, piece, query, text};
use crate::office::walk::{Found, Step, Walk};
use crate::office::{Fault, Wrong};

/// The root department, which may be asked for only by who may see everybody.
pub(crate) const ROOT: &str = "0";
/// Every call names the ids it means.
pub(crate) const ID_TYPES: [(&str, &str); 2] =
    [("user_id_type", "open_id"), ("department_id_type", "open_department_id")];

/// Takes a step.
pub(crate) async fn take(
    context: &Context<'_>,
    app: &App,
    walk: &mut Walk,
    step: Step,
) -> Result<Vec<Found>, Fault> {
    let host = app.lark_host();
    match step {
        Step::Range { page } => {
            range(walk, &get(context, app, "scopes", &scopes_path(&page)).await.map_err(fault)?)
        }
        Step::Root => root(context, app, walk).await,
        Step::Department(of) => {
            let path = format!("/open-apis/contact/v3/departments/{}?{}", piece(&of), query(&ID_TYPES));
            let answer = get(context, app, "departments", &path).await.map_err(fault)?;
            Ok(department(walk, data(&answer).get("department")).into_iter().collect())
        }
        Step::Children { of, page, deep } => children(context, app, walk, (of, page, deep)).await,
        Step::Members { of, page } => {
            let mut pairs = ID_TYPES.to_vec();
            pairs.extend([
                ("department_id", of.as_str()),
                ("page_size", "50"),
                ("page_token", page.as_str()),
            ]);
            let path = format!("/open-apis/contact/v3/users/find_by_department?{}", query(&pairs));
            let answer = get(context, app, "find_by_department", &path).await.map_err(fault)?;
            if let Some(page) = next_page(&answer) {
                walk.steps.push_front(Step::Members { of: of.clone(), page });
            }
            let people = items(&answer, "/data/items").iter();
            Ok(people.filter_map(|item| member(walk, item, Some(&of))).collect())
        }
        Step::Person(of) => {
            let path = format!("/open-apis/contact/v3/users/{}?{}", piece(&of), query(&ID_TYPES));
            let answer = get(context, app, "users", &path).await.map_err(fault)?;
            Ok(member(walk, data(&answer).get("user").unwrap_or(&Value::Null), None).into_iter().collect())
        }
        Step::Chats { page } => {
            let path = format!(
                "/open-apis/im/v1/chats?{}",
                query(&[("page_size", "100"), ("page_token", page.as_str()), ("user_id_type", "open_id")])
            );
            match call(context, app, &Ask::get("chats", host, path)).await {
                Ok((answer, _verdict)) => {
                    if let Some(page) = next_page(&answer) {
                        walk.steps.push_front(Step::Chats { page });
                    }
                    Ok(items(&answer, "/data/items").iter().filter_map(chat).collect())
                }
                // People can be reached without it.
                Err(verdict) => match fault(verdict) {
                    Fault { wrong: Wrong::Scopes(_), .. } => {
                        walk.lacks("im:chat");
                        Ok(Vec::new())
                    }
                    Fault { wrong: Wrong::Stopped, .. } => Ok(Vec::new()),
                    other => Err(other),
                },
            }
        }
    }
}

pub(crate) fn scopes_path(page: &str) -> String {
    let mut pairs = ID_TYPES.to_vec();
    pairs.extend([("page_size", "100"), ("page_token", page)]);
    format!("/open-apis/contact/v3/scopes?{}", query(&pairs))
}

pub(crate) async fn get(
    context: &Context<'_>,
    app: &App,
    interface: &'static str,
    path: &str,
) -> Result<Value, Verdict> {
    Ok(call(context, app, &Ask::get(interface, app.lark_host(), path)).await?.0)
}

fn range(walk: &mut Walk, answer: &Value) -> Result<Vec<Found>, Fault> {
    walk.range.departments.extend(ids(answer, "/data/department_ids"));
    walk.range.members.extend(ids(answer, "/data/user_ids"));
    walk.steps.push_back(match next_page(answer) {
        Some(page) => Step::Range { page },
        None => Step::Root,
    });
    Ok(Vec::new())
}

/// Whoever may see everybody begins at the root; everybody else with what the range names.
async fn root(context: &Context<'_>, app: &App, walk: &mut Walk) -> Result<Vec<Found>, Fault> {
    let answer = get(context, app, "children", &children_path(ROOT, "", true)).await;
    let mut found = Vec::new();
    match answer {
        Ok(answer) => {
            walk.range = carillon_model::office::Range { all: true, ..Default::default() };
            found.push(Found::Range(walk.range.clone()));
            walk.enter(ROOT);
            found.extend(read_children(walk, &answer, (ROOT.to_owned(), true)));
        }
        Err(verdict) if verdict.platform_code.as_deref() == Some("43010") => {
            walk.range = carillon_model::office::Range { all: true, ..Default::default() };
            found.push(Found::Range(walk.range.clone()));
            walk.enter(ROOT);
            walk.steps.push_back(Step::Children { of: ROOT.to_owned(), page: String::new(), deep: false });
        }
        Err(verdict) => match fault(verdict) {
            Fault { wrong: Wrong::Range, .. } => {
                found.push(Found::Range(walk.range.clone()));
                for of in walk.range.departments.clone() {
                    walk.steps.push_back(Step::Department(of.clone()));
                    walk.enter(&of);
                    walk.steps.push_back(Step::Children { of, page: String::new(), deep: true });
                }
                let people = walk.range.members.clone();
                walk.steps.extend(people.into_iter().map(Step::Person));
            }
            other => return Err(other),
        },
    }
    walk.steps.push_back(Step::Chats { page: String::new() });
    Ok(found)
}

pub(crate) fn children_path(of: &str, page: &str, deep: bool) -> String {
    let mut pairs = ID_TYPES.to_vec();
    let deep = if deep { "true" } else { "false" };
    pairs.extend([("fetch_child", deep), ("page_size", "50"), ("page_token", page)]);
    format!("/open-apis/contact/v3/departments/{}/children?{}", piece(of), query(&pairs))
}

async fn children(
    context: &Context<'_>,
    app: &App,
    walk: &mut Walk,
    (of, page, deep): (String, String, bool),
) -> Result<Vec<Found>, Fault> {
    match get(context, app, "children", &children_path(&of, &page, deep)).await {
        Ok(answer) => Ok(read_children(walk, &answer, (of, deep))),
        // Too many for one tree: level by level.
        Err(verdict) if deep && verdict.platform_code.as_deref() == Some("43010") => {
            walk.steps.push_front(Step::Children { of, page: String::new(), deep: false });
            Ok(Vec::new())
        }
        Err(verdict) => Err(fault(verdict)),
    }
}

fn read_children(walk: &mut Walk, answer: &Value, (of, deep): (String, bool)) -> Vec<Found> {
    if let Some(page) = next_page(answer) {
        walk.steps.push_front(Step::Children { of, page, deep });
    }
    let mut found = Vec::new();
    for item in items(answer, "/data/items") {
        let Some(read) = department(walk, Some(item)) else { continue };
        if let Found::Department(department) = &read {
            walk.enter(&department.id);
            if !deep {
                let of = department.id.clone();
                walk.steps.push_back(Step::Children { of, page: String::new(), deep });
            }
        }
        found.push(read);
    }
    found
}

fn department(walk: &mut Walk, item: Option<&Value>) -> Option<Found> {
    let item = item?;
    let own = id(item.get("open_department_id"))?;
    let name = text(item, "/name").unwrap_or_default().to_owned();
    if name.is_empty() {
        walk.lacks("contact:department.base:readonly");
    }
    let parent = id(item.get("parent_department_id"));
    if parent.is_none() {
        walk.lacks("contact:department.organize:readonly");
    }
    let other_id = id(item.get("department_id")).filter(|other| *other != own);
    Some(Found::Department(Department { id: own, other_id, parent, name }))
}

fn member(walk: &mut Walk, item: &Value, in_department: Option<&str>) -> Option<Found> {
    let open_id = id(item.get("open_id"));
    let user_id = id(item.get("user_id"));
    if user_id.is_none() {
        walk.lacks("contact:user.employee_id:readonly");
    }
    let name = text(item, "/name").unwrap_or_default().to_owned();
    if name.is_empty() {
        walk.lacks("contact:user.base:readonly");
    }
    let mut departments = ids(item, "/department_ids");
    if departments.is_empty() {
        if in_department.is_some_and(|of| of != ROOT) {
            walk.lacks("contact:user.department:readonly");
        }
        departments.extend(in_department.map(str::to_owned));
    }
    let left = item.pointer("/status/is_resigned").and_then(Value::as_bool).unwrap_or(false)
        || item.pointer("/status/is_exited").and_then(Value::as_bool).unwrap_or(false);
    let user_id = user_id.or_else(|| open_id.clone())?;
    let union_id = id(item.get("union_id"));
    Some(Found::Member(Member { user_id, open_id, union_id, name, left, departments }))
}

fn chat(item: &Value) -> Option<Found> {
    Some(Found::Chat(Chat {
        id: id(item.get("chat_id"))?,
        name: text(item, "/name").unwrap_or_default().to_owned(),
        description: text(item, "/description").unwrap_or_default().to_owned(),
    }))
}

fn next_page(answer: &Value) -> Option<String> {
    let more = answer.pointer("/data/has_more").and_then(Value::as_bool).unwrap_or(false);
    text(answer, "/data/page_token").filter(|_token| more).map(str::to_owned)
}
