//! Tries what an internal app needs, each permission by a call that needs it and changes nothing.

use carillon_model::office::App;
use carillon_model::outcome::Advice;
use serde_json::json;

use super::contact::{LIST_DEPARTMENTS, LIST_MEMBERS, READ_MEMBER, post};
use super::office::{probe_robot, prove};
use crate::Context;
use crate::office::{Fault, Finding, Wrong, doctor};

/// The permission to find a member by phone.
pub(crate) const BY_MOBILE: &str = "qyapi_get_member_by_mobile";
/// The permission to send through the robot.
const SEND: &str = "qyapi_robot_sendmsg";
/// Where permissions are granted.
const PAGE: (&str, &str) =
    ("developer console, the app, Permission management", "开发者后台 - 应用 - 权限管理");

/// Looks at everything.
pub(crate) async fn check(context: &Context<'_>, app: &App) -> Vec<Finding> {
    let App::Dingtalk(dingtalk) = app else { return Vec::new() };
    let mut findings = Vec::new();
    match prove(context, app).await {
        Err(fault) if fault.wrong != Wrong::RobotCode => {
            return vec![Finding::new(false, "credentials and address", None, fault.advice())];
        }
        Ok(()) | Err(_) => findings.push(Finding::new(true, "credentials and address", None, doctor::fine())),
    }
    let nobody = json!({ "userid": "carillon-probe-nobody" });
    let looks = [
        (
            "list departments",
            "/topapi/v2/department/listsub",
            json!({ "dept_id": 1 }),
            LIST_DEPARTMENTS,
            true,
        ),
        (
            "list members",
            "/topapi/v2/user/list",
            json!({ "dept_id": 1, "cursor": 0, "size": 1 }),
            LIST_MEMBERS,
            true,
        ),
        ("read a member", "/topapi/v2/user/get", nobody, READ_MEMBER, true),
        (
            "find members by phone",
            "/topapi/v2/user/getbymobile",
            json!({ "mobile": "13800000000" }),
            BY_MOBILE,
            false,
        ),
    ];
    for (what, path, body, scope, needed) in looks {
        let asked = post(context, app, path, &body, scope).await;
        let missing = matches!(asked, Err(Fault { wrong: Wrong::Scopes(_), .. }));
        let advice = if missing { doctor::grant(scope, PAGE) } else { doctor::fine() };
        let finding = Finding::new(!missing, what, Some(scope), advice);
        findings.push(if needed { finding } else { finding.useful() });
    }
    findings.extend(robot(context, app, dingtalk.robot_code.is_some()).await);
    findings
}

async fn robot(context: &Context<'_>, app: &App, has_code: bool) -> Vec<Finding> {
    if !has_code {
        let advice = Advice {
            en: "The connection has no robot_code: switch the robot on (developer console, the app, Robot), publish it, \
                 and put its RobotCode into the connection. Nothing can be sent without it."
                .into(),
            zh: "连接缺少 robot_code：请在开发者后台启用机器人并发布，将其 RobotCode 填入连接。否则无法发送消息。".into(),
        };
        return vec![Finding::new(false, "robot's code", None, advice)];
    }
    let fault = probe_robot(context, app).await;
    let wrong = fault.as_ref().map(|fault| &fault.wrong);
    let code_ok = !matches!(wrong, Some(Wrong::RobotCode | Wrong::Stopped));
    let advice = match &fault {
        Some(fault) if !code_ok => fault.advice(),
        _ => doctor::fine(),
    };
    let may_send = !matches!(wrong, Some(Wrong::Scopes(_)));
    let send = if may_send { doctor::fine() } else { doctor::grant(SEND, PAGE) };
    vec![
        Finding::new(code_ok, "robot's code", None, advice),
        Finding::new(may_send, "send messages", Some(SEND), send),
    ]
}
