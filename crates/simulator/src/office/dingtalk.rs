//! DingTalk's older interface of an internal app: what it may see, departments, members. Tokens and the robot are those of
//! the app's own files.

use serde_json::{Value, json};

use super::{Call, Office, OfficeApp, OfficeDepartment, OfficeMember, page};
use crate::dingtalk::Dingtalk;
use crate::limit::Rate;
use crate::registry::{Platform, Registry};
use crate::verdict::{Asked, Verdict, text_at};

/// For each interface of an app.
const RATES: &[Rate] = &[Rate { most: 20, span_ms: 1000 }];

const LIST_DEPARTMENTS: &str = "qyapi_get_department_list";
const LIST_MEMBERS: &str = "qyapi_get_department_member";
const READ_MEMBER: &str = "qyapi_get_member";
const BY_MOBILE: &str = "qyapi_get_member_by_mobile";

fn good(result: &Value) -> Verdict {
    Verdict::accepted("0", json!({ "errcode": 0, "errmsg": "ok", "result": result }))
}

/// The refusal for want of a permission: a wrapper with the number and the words inside.
fn denied(scope: &str) -> Verdict {
    let text = format!("应用尚未开通所需的权限：[{scope}]，点击链接申请并开通即可");
    let mut verdict = Verdict::errcode(88, format!("ding talk error[subcode=60011,submsg={text}]"));
    verdict.answer["sub_code"] = "60011".into();
    verdict.answer["sub_msg"] = text.into();
    verdict
}

pub(super) fn judge(
    office: &mut Office,
    dingtalk: &Dingtalk,
    registry: &Registry,
    call: &Call,
    asked: &Asked<'_>,
) -> Verdict {
    if let ["v1.0", ..] = call.path().as_slice() {
        return recalled(office, dingtalk, asked).unwrap_or_else(|refusal| refusal);
    }
    called(office, dingtalk, registry, call, asked).unwrap_or_else(|refusal| refusal)
}

/// Takes messages of a robot back: a success tells of each key whether it was.
fn recalled(office: &mut Office, dingtalk: &Dingtalk, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let refuse = |code: &str, text: &str| Verdict::dingtalk_api(400, code, text, "recall");
    let token = asked.header("x-acs-dingtalk-access-token");
    let app_key = token.and_then(|token| dingtalk.app_of_token(token, asked.now_ms));
    let app_key = app_key.ok_or_else(|| refuse("InvalidAuthentication", "不合法的access_token"))?;
    let body = asked.json_object().unwrap_or_default();
    let known = office
        .apps
        .iter()
        .any(|app| app.app_id == app_key && text_at(&body, "robotCode") == Some(&app.robot_code));
    if !known {
        return Err(refuse("invalidParameter.robotCode.auth", "appKey 与 robotCode 不匹配"));
    }
    let keys = crate::verdict::texts_at(&body, "processQueryKeys");
    if keys.is_empty() || keys.len() > 20 {
        return Err(refuse("miss.param.processQueryKeys", "processQueryKeys is mandatory"));
    }
    let (mut done, mut failed) = (Vec::new(), serde_json::Map::new());
    for key in keys {
        if office.take_back(key, app_key, asked.now_ms) {
            done.push(key);
        } else {
            failed.insert(key.to_owned(), "消息不存在或已超过撤回时限".into());
        }
    }
    Ok(Verdict::accepted("ok", json!({ "successResult": done, "failedResult": failed })))
}

fn called(
    office: &mut Office,
    dingtalk: &Dingtalk,
    registry: &Registry,
    call: &Call,
    asked: &Asked<'_>,
) -> Result<Verdict, Verdict> {
    let dead = || Verdict::errcode(40_014, "不合法的access_token");
    let token = asked.query("access_token").ok_or_else(dead)?;
    let app_key = dingtalk.app_of_token(token, asked.now_ms).ok_or_else(dead)?;
    let app = office
        .apps
        .iter()
        .find(|app| app.platform == Platform::DingtalkApp && app.app_id == app_key)
        .cloned();
    let app = match app {
        Some(app) => app,
        None => bare(registry, app_key).ok_or_else(dead)?,
    };
    if !app.trusts(asked.from) {
        return Err(Verdict::errcode(60_020, format!("访问ip不在白名单之中,request ip={}", asked.from)));
    }
    let path = call.path();
    if !office.take(format!("{} {}", app.app_id, path.join("/")), RATES, asked.now_ms) {
        return Err(Verdict::errcode(90_018, "您的服务器调用钉钉开放平台当前接口的所有请求都被暂时禁用了"));
    }
    let body = asked.json_object().unwrap_or_default();
    let need = |scope: &'static str| if app.withheld.contains(scope) { Err(denied(scope)) } else { Ok(()) };
    match path.as_slice() {
        ["auth", "scopes"] => Ok(scopes(&app)),
        ["topapi", "message", "corpconversation", what] => super::work::judge(office, &app, asked, what),
        ["media", "upload"] => super::media::dingtalk(office, &app, asked),
        ["topapi", "v2", "department", what @ ("listsub" | "listsubid" | "get")] => {
            need(LIST_DEPARTMENTS)?;
            departments(&app, &body, what)
        }
        ["topapi", "v2", "user", "list"] => {
            need(LIST_MEMBERS)?;
            members(&app, &body)
        }
        ["topapi", "v2", "user", "get"] => {
            need(READ_MEMBER)?;
            let found = text_at(&body, "userid").and_then(|id| app.member(id)).filter(|member| !member.left);
            let found = found.ok_or_else(|| Verdict::errcode(60_121, "找不到该用户"))?;
            Ok(good(&shown_member(found)))
        }
        ["topapi", "v2", "user", "getbymobile"] => {
            need(BY_MOBILE)?;
            let mobile = text_at(&body, "mobile");
            let found =
                app.members.iter().find(|member| member.mobile.as_deref() == mobile && mobile.is_some());
            let found = found.ok_or_else(|| Verdict::errcode(60_121, "找不到该用户"))?;
            Ok(good(&json!({ "userid": found.id })))
        }
        _ => Err(Verdict::errcode(404, "请求的URI地址不存在")),
    }
}

/// An app that was registered without a company: a root with the people its robot reaches.
fn bare(registry: &Registry, app_key: &str) -> Option<OfficeApp> {
    let app = registry.app_by_key(app_key)?;
    let mut bare = OfficeApp::new(Platform::DingtalkApp, app_key, &app.app_secret);
    bare.members = app
        .users
        .iter()
        .map(|(id, name)| OfficeMember {
            id: id.clone(),
            name: name.clone(),
            departments: vec!["1".to_owned()],
            mobile: None,
            email: None,
            left: false,
        })
        .collect();
    Some(bare)
}

fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_text| id.into(), Value::from)
}

fn scopes(app: &OfficeApp) -> Verdict {
    let departments: Vec<Value> = match &app.range {
        None => vec![1.into()],
        Some(range) => range.iter().map(|id| number(id)).collect(),
    };
    let answer = json!({ "errcode": 0, "errmsg": "ok",
        "auth_org_scopes": { "authed_dept": departments, "authed_user": [] } });
    Verdict::accepted("0", answer)
}

/// The department that a call names, if the app may see it.
fn entered(app: &OfficeApp, body: &Value) -> Result<String, Verdict> {
    let id = match body.get("dept_id") {
        None => "1".to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(Verdict::errcode(400_002, "无效的参数")),
    };
    if id != "1" && app.department(&id).is_none() {
        return Err(Verdict::errcode(60_003, "部门不存在"));
    }
    if app.range.is_some() && (id == "1" || !app.sees_department(&id)) {
        return Err(Verdict::errcode(50_004, "请求的部门id不在授权范围内"));
    }
    Ok(id)
}

fn departments(app: &OfficeApp, body: &Value, what: &str) -> Result<Verdict, Verdict> {
    let of = entered(app, body)?;
    Ok(match what {
        "get" => match app.department(&of) {
            Some(department) => good(&shown_department(department)),
            None => good(&json!({ "dept_id": 1, "name": "Company" })),
        },
        "listsubid" => {
            let ids: Vec<Value> = app.children(&of).map(|department| number(&department.id)).collect();
            good(&json!({ "dept_id_list": ids }))
        }
        _ => good(&app.children(&of).map(shown_department).collect::<Vec<_>>().into()),
    })
}

fn shown_department(department: &OfficeDepartment) -> Value {
    json!({ "dept_id": number(&department.id), "name": department.name, "parent_id": number(&department.parent) })
}

fn members(app: &OfficeApp, body: &Value) -> Result<Verdict, Verdict> {
    let of = entered(app, body)?;
    let field =
        |name: &str| body.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let (from, size) = (field("cursor"), field("size").filter(|size| (1..=100).contains(size)));
    let (Some(from), Some(size)) = (from, size) else {
        return Err(Verdict::errcode(400_002, "无效的参数"));
    };
    let found: Vec<&OfficeMember> =
        app.members.iter().filter(|member| !member.left && member.departments.contains(&of)).collect();
    let (items, next) = page(&found, from, size);
    let list: Vec<Value> = items.iter().map(|member| shown_member(member)).collect();
    let mut result = json!({ "has_more": next.is_some(), "list": list });
    if let Some(next) = next {
        result["next_cursor"] = next.into();
    }
    Ok(good(&result))
}

fn shown_member(member: &OfficeMember) -> Value {
    let departments: Vec<Value> = member.departments.iter().map(|id| number(id)).collect();
    json!({ "userid": member.id, "unionid": super::lark::union_id(&member.id), "name": member.name,
        "dept_id_list": departments, "active": true })
}
