//! Reading the directory ("get the contact scope", "list sub-departments", "get the details of department members").
//! The interface knows no recursion: the tree is walked.

use carillon_model::endpoint::DINGTALK_ROBOT_HOST;
use carillon_model::office::{App, Department, Member, Range};
use serde_json::{Value, json};

use super::office::fault;
use crate::Context;
use crate::office::call::{Ask, call, id, ids, items, text};
use crate::office::walk::{Found, Step, Walk};
use crate::office::{Fault, Wrong};

/// The root department.
pub(crate) const ROOT: &str = "1";
/// The permission to list departments.
pub(crate) const LIST_DEPARTMENTS: &str = "qyapi_get_department_list";
/// The permission to list a department's members.
pub(crate) const LIST_MEMBERS: &str = "qyapi_get_department_member";
/// The permission to read one member.
pub(crate) const READ_MEMBER: &str = "qyapi_get_member";

/// Takes a step.
pub(crate) async fn take(
    context: &Context<'_>,
    app: &App,
    walk: &mut Walk,
    step: Step,
) -> Result<Vec<Found>, Fault> {
    match step {
        Step::Range { .. } | Step::Root => range(context, app, walk).await,
        Step::Department(of) => {
            let body = json!({ "dept_id": number(&of) });
            let answer = post(context, app, "/topapi/v2/department/get", &body, LIST_DEPARTMENTS).await?;
            Ok(department(answer.get("result")).into_iter().collect())
        }
        Step::Children { of, .. } => {
            let body = json!({ "dept_id": number(&of) });
            let answer = post(context, app, "/topapi/v2/department/listsub", &body, LIST_DEPARTMENTS).await?;
            let mut found = Vec::new();
            for read in items(&answer, "/result").iter().filter_map(|item| department(Some(item))) {
                if let Found::Department(department) = &read {
                    walk.enter(&department.id);
                    let of = department.id.clone();
                    walk.steps.push_back(Step::Children { of, page: String::new(), deep: false });
                }
                found.push(read);
            }
            Ok(found)
        }
        Step::Members { of, page } => {
            let cursor = page.parse::<u64>().unwrap_or(0);
            let body = json!({ "dept_id": number(&of), "cursor": cursor, "size": 100 });
            let answer = post(context, app, "/topapi/v2/user/list", &body, LIST_MEMBERS).await?;
            let more = answer.pointer("/result/has_more").and_then(Value::as_bool).unwrap_or(false);
            let next = id(answer.pointer("/result/next_cursor")).filter(|_cursor| more);
            if let Some(page) = next {
                walk.steps.push_front(Step::Members { of: of.clone(), page });
            }
            Ok(items(&answer, "/result/list").iter().filter_map(|item| member(item, Some(&of))).collect())
        }
        Step::Person(of) => {
            let body = json!({ "userid": of });
            let answer = post(context, app, "/topapi/v2/user/get", &body, READ_MEMBER).await?;
            Ok(member(answer.get("result").unwrap_or(&Value::Null), None).into_iter().collect())
        }
        // There is no interface that lists the chats of a robot.
        Step::Chats { .. } => Ok(Vec::new()),
    }
}

/// What the app may see; an app that may not even ask is taken to see everybody, which the next step proves.
async fn range(context: &Context<'_>, app: &App, walk: &mut Walk) -> Result<Vec<Found>, Fault> {
    let answer = match call(context, app, &Ask::get("auth/scopes", DINGTALK_ROBOT_HOST, "/auth/scopes")).await
    {
        Ok((answer, _verdict)) => answer,
        Err(verdict) => match fault(verdict) {
            fault if matches!(fault.wrong, Wrong::Scopes(_) | Wrong::Other) => Value::Null,
            fault => return Err(fault),
        },
    };
    let departments = ids(&answer, "/auth_org_scopes/authed_dept");
    let people = ids(&answer, "/auth_org_scopes/authed_user");
    let all = departments.iter().any(|of| of == ROOT) || (departments.is_empty() && people.is_empty());
    walk.range = if all {
        Range { all, ..Range::default() }
    } else {
        Range { all, departments: departments.into_iter().collect(), members: people.into_iter().collect() }
    };
    let begin = if all { vec![ROOT.to_owned()] } else { walk.range.departments.iter().cloned().collect() };
    for of in begin {
        walk.steps.push_back(Step::Department(of.clone()));
        walk.enter(&of);
        walk.steps.push_back(Step::Children { of, page: String::new(), deep: false });
    }
    let people = walk.range.members.clone();
    walk.steps.extend(people.into_iter().map(Step::Person));
    Ok(vec![Found::Range(walk.range.clone())])
}

/// A call of the older interface; a refusal that names no permission is for want of `scope`.
pub(crate) async fn post(
    context: &Context<'_>,
    app: &App,
    path: &'static str,
    body: &Value,
    scope: &'static str,
) -> Result<Value, Fault> {
    let ask = Ask::post(path, DINGTALK_ROBOT_HOST, path, body.to_string());
    match call(context, app, &ask).await {
        Ok((answer, _verdict)) => Ok(answer),
        Err(verdict) => Err(match fault(verdict) {
            Fault { wrong: Wrong::Scopes(scopes), verdict } if scopes.is_empty() => {
                Fault { wrong: Wrong::Scopes(vec![scope.to_owned()]), verdict }
            }
            fault => fault,
        }),
    }
}

fn number(of: &str) -> u64 {
    of.parse().unwrap_or(1)
}

fn department(item: Option<&Value>) -> Option<Found> {
    let item = item?;
    Some(Found::Department(Department {
        id: id(item.get("dept_id"))?,
        other_id: None,
        parent: id(item.get("parent_id")).filter(|parent| parent != "0"),
        name: text(item, "/name").unwrap_or_default().to_owned(),
    }))
}

fn member(item: &Value, in_department: Option<&str>) -> Option<Found> {
    let mut departments = ids(item, "/dept_id_list");
    if departments.is_empty() {
        departments.extend(in_department.map(str::to_owned));
    }
    Some(Found::Member(Member {
        user_id: id(item.get("userid"))?,
        open_id: None,
        union_id: id(item.get("unionid")),
        name: text(item, "/name").unwrap_or_default().to_owned(),
        left: false,
        departments,
    }))
}
