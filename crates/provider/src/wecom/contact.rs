//! Reading the directory ("get the application", "get the list of departments", "get the members of a department"). An
//! app made since 2022 is told ids and names only.

use carillon_model::endpoint::WECOM_HOST;
use carillon_model::office::connection::WecomApp;
use carillon_model::office::{App, Department, Member, Range};
use serde_json::Value;

use super::office::{about_app, fault};
use crate::Context;
use crate::office::Fault;
use crate::office::Wrong;
use crate::office::call::{Ask, call, id, ids, items, query, text};
use crate::office::walk::{Found, Step, Walk};

/// The root department.
const ROOT: &str = "1";

/// Takes a step.
pub(crate) async fn take(
    context: &Context<'_>,
    app: &App,
    wecom: &WecomApp,
    walk: &mut Walk,
    step: Step,
) -> Result<Vec<Found>, Fault> {
    match step {
        Step::Range { .. } => {
            let answer = match call(context, app, &about_app(wecom)).await {
                Ok((answer, _verdict)) => answer,
                Err(verdict) => match fault(verdict) {
                    Fault { wrong: Wrong::Scopes(_) | Wrong::Range | Wrong::Other, .. } => Value::Null,
                    fault => return Err(fault),
                },
            };
            walk.range = range(&answer);
            walk.steps.push_back(Step::Root);
            walk.steps.extend(walk.range.members.clone().into_iter().map(Step::Person));
            Ok(vec![Found::Range(walk.range.clone())])
        }
        // One call gives every department that may be seen.
        Step::Root | Step::Department(_) | Step::Children { .. } => {
            let answer = get(context, app, "department/list", "/cgi-bin/department/list".to_owned()).await?;
            let found: Vec<Found> = items(&answer, "/department").iter().filter_map(department).collect();
            for read in &found {
                if let Found::Department(department) = read {
                    walk.enter(&department.id);
                }
            }
            Ok(found)
        }
        Step::Members { of, .. } => {
            let path = format!("/cgi-bin/user/simplelist?{}", query(&[("department_id", &of)]));
            let answer = get(context, app, "user/simplelist", path).await?;
            Ok(items(&answer, "/userlist").iter().filter_map(|item| member(item, Some(&of))).collect())
        }
        Step::Person(of) => {
            let path = format!("/cgi-bin/user/get?{}", query(&[("userid", &of)]));
            let answer = get(context, app, "user/get", path).await?;
            Ok(member(&answer, None).into_iter().collect())
        }
        // Chats of an app are those that the app itself made.
        Step::Chats { .. } => Ok(Vec::new()),
    }
}

pub(crate) async fn get(
    context: &Context<'_>,
    app: &App,
    interface: &'static str,
    path: String,
) -> Result<Value, Fault> {
    let called = call(context, app, &Ask::get(interface, WECOM_HOST, path)).await;
    called.map(|(answer, _verdict)| answer).map_err(fault)
}

fn range(answer: &Value) -> Range {
    let departments = ids(answer, "/allow_partys/partyid");
    let people = items(answer, "/allow_userinfos/user").iter().filter_map(|item| id(item.get("userid")));
    let people: Vec<String> = people.collect();
    if departments.iter().any(|of| of == ROOT) || (departments.is_empty() && people.is_empty()) {
        return Range { all: true, ..Range::default() };
    }
    Range {
        all: false,
        departments: departments.into_iter().collect(),
        members: people.into_iter().collect(),
    }
}

fn department(item: &Value) -> Option<Found> {
    Some(Found::Department(Department {
        id: id(item.get("id"))?,
        other_id: None,
        parent: id(item.get("parentid")).filter(|parent| parent != "0"),
        name: text(item, "/name").unwrap_or_default().to_owned(),
    }))
}

fn member(item: &Value, in_department: Option<&str>) -> Option<Found> {
    let mut departments = ids(item, "/department");
    if departments.is_empty() {
        departments.extend(in_department.map(str::to_owned));
    }
    Some(Found::Member(Member {
        user_id: id(item.get("userid"))?,
        open_id: id(item.get("open_userid")),
        union_id: None,
        name: text(item, "/name").unwrap_or_default().to_owned(),
        left: id(item.get("status")).is_some_and(|status| status == "5"),
        departments,
    }))
}
