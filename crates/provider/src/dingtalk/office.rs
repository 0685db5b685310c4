//! A company's internal app as an office connection: its token, what its answers mean, and messages to people and
//! chats through its robot.

use carillon_model::Clock;
use carillon_model::endpoint::{DINGTALK_API_HOST, DINGTALK_ROBOT_HOST};
use carillon_model::office::connection::DingtalkApp;
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Verdict};

use super::app::{self, accepted_by_robot};
use super::code::APP;
use super::wire::AppAddress;
use super::work;
use crate::http::Answer;
use crate::listed::{Question, without_body};
use crate::office::call::{Ask, call};
use crate::office::recall::refused;
use crate::office::{Fault, Wrong};
use crate::parts::with_fields;
use crate::token::Token;
use crate::wire::Fields;
use crate::{Context, Part};

/// A robot's code that no robot has, and a person's id that nobody has: a call with them changes nothing.
const NOBODY: &str = "carillon-probe-nobody";

/// Sends a part through the app's robot.
pub(crate) async fn send(
    context: &Context<'_>,
    app: &App,
    to: (RecipientKind, &str),
    part: &Part,
) -> Verdict {
    if part.notice {
        return work::send(context, app, to.1, part).await;
    }
    let App::Dingtalk(dingtalk) = app else { return no_robot() };
    let Some(robot_code) = dingtalk.robot_code.as_ref() else { return no_robot() };
    let robot_code = robot_code.reveal();
    let (path, address) = match to {
        (RecipientKind::Chat, id) => {
            let address = AppAddress { robot_code, open_conversation_id: Some(id), user_ids: None };
            ("/v1.0/robot/groupMessages/send", address)
        }
        (RecipientKind::Member | RecipientKind::Department | RecipientKind::Group, id) => {
            let address = AppAddress { robot_code, open_conversation_id: None, user_ids: Some([id]) };
            ("/v1.0/robot/oToMessages/batchSend", address)
        }
    };
    let ask = Ask::post(path, DINGTALK_API_HOST, path, with_fields(&address, &part.body));
    match call(context, app, &ask).await {
        // A success may have left this one person out.
        Ok((answer, verdict)) => accepted_by_robot(&answer).unwrap_or(verdict),
        Err(verdict) => verdict,
    }
}

/// Takes a message back. A success tells of each key whether it was.
pub(crate) async fn recall(
    context: &Context<'_>,
    app: &App,
    (kind, to): (RecipientKind, &str),
    key: &str,
) -> Verdict {
    let App::Dingtalk(dingtalk) = app else { return no_robot() };
    let Some(robot_code) = dingtalk.robot_code.as_ref() else { return no_robot() };
    let mut body = serde_json::json!({ "robotCode": robot_code.reveal(), "processQueryKeys": [key] });
    let path = match kind {
        RecipientKind::Chat => {
            body["openConversationId"] = to.into();
            "/v1.0/robot/groupMessages/recall"
        }
        RecipientKind::Member | RecipientKind::Department | RecipientKind::Group => {
            "/v1.0/robot/otoMessages/batchRecall"
        }
    };
    match call(context, app, &Ask::post(path, DINGTALK_API_HOST, path, body.to_string())).await {
        Ok((answer, verdict)) => {
            let failed = answer.get("failedResult").and_then(serde_json::Value::as_object);
            match failed.and_then(|failed| failed.values().next()) {
                Some(why) => refused("failedResult", why.as_str().unwrap_or_default()),
                None => verdict,
            }
        }
        Err(refusal) => refusal,
    }
}

/// What comes of sending without a robot's code.
fn no_robot() -> Verdict {
    Verdict {
        platform_text: Some("the connection has no robot_code, which every message needs".to_owned()),
        ..Verdict::plain(Outcome::Misconfigured, Reason::Credentials)
    }
}

/// Reads an answer of either of the two interfaces: the newer one has a status and a code in words, the older one a
/// number.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    let success = |code: &str| Verdict {
        platform_code: Some(code.to_owned()),
        ..Verdict::plain(Outcome::Accepted, Reason::Ok)
    };
    match fields.code("errcode") {
        Some(code) if code == "0" && (200..300).contains(&answer.status) => success("0"),
        None if (200..300).contains(&answer.status) && fields.code("code").is_none() => success("200"),
        _ => {
            let verdict = app::verdict(answer, clock);
            if verdict.platform_code.is_some() {
                return verdict;
            }
            let Some(code) = fields.code("errcode") else { return verdict };
            Question { table: APP, code: &code, text: fields.text("errmsg"), answer, clock }.verdict()
        }
    }
}

/// Asks for a token.
pub(crate) async fn fetch_token(context: &Context<'_>, app: &DingtalkApp) -> Result<Token, Verdict> {
    app::ask_token(context, app.app_key.reveal(), app.app_secret.reveal(), verdict).await
}

/// Proves key and secret by a token, our address by a call with it, and the robot's code by a message to nobody.
pub(crate) async fn prove(context: &Context<'_>, app: &App) -> Result<(), Fault> {
    let ask = Ask::post(
        "department/listsubid",
        DINGTALK_ROBOT_HOST,
        "/topapi/v2/department/listsubid",
        "{\"dept_id\":1}".to_owned(),
    );
    match call(context, app, &ask).await.map_err(fault) {
        Ok(_) => {}
        Err(fault) if matches!(fault.wrong, Wrong::AppIdOrSecret | Wrong::Address | Wrong::Later) => {
            return Err(fault);
        }
        // A missing permission is the check's business.
        Err(_) => {}
    }
    match probe_robot(context, app).await {
        Some(fault) if fault.wrong == Wrong::RobotCode => Err(fault),
        Some(_) | None => Ok(()),
    }
}

/// Sends a message to a person who does not exist: what the platform says tells of robot and permission.
pub(crate) async fn probe_robot(context: &Context<'_>, app: &App) -> Option<Fault> {
    let App::Dingtalk(dingtalk) = app else { return None };
    let robot_code = dingtalk.robot_code.as_ref()?.reveal();
    let address = AppAddress { robot_code, open_conversation_id: None, user_ids: Some([NOBODY]) };
    let message = serde_json::json!({ "msgKey": "sampleText", "msgParam": "{\"content\":\"Carillon\"}" });
    let path = "/v1.0/robot/oToMessages/batchSend";
    let ask = Ask::post(path, DINGTALK_API_HOST, path, with_fields(&address, &message.to_string()));
    let fault = fault(call(context, app, &ask).await.err()?);
    // That is just what was expected.
    (fault.verdict.reason != Reason::Recipient).then_some(fault)
}

/// A fault of a call by its code.
pub(crate) fn fault(verdict: Verdict) -> Fault {
    let words = verdict.platform_text.clone().unwrap_or_default();
    let code = verdict.platform_code.clone().unwrap_or_default();
    let wrong = match code.as_str() {
        "invalidClientIdOrSecret" | "invalid.client" | "40089" | "unauthorized.client" => {
            Wrong::AppIdOrSecret
        }
        "50002" | "50004" => Wrong::Range,
        "bot.stopped" | "robot.oto.notExist" => Wrong::Stopped,
        code if code.starts_with("invalidParameter.robotCode") => Wrong::RobotCode,
        _ if verdict.reason == Reason::Permission => Wrong::Scopes(scopes_in(&words)),
        _ => return Fault::plain(verdict),
    };
    Fault::new(wrong, verdict)
}

/// The permissions that a refusal names, such as `qyapi_get_department_list`.
fn scopes_in(words: &str) -> Vec<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let scope = |word: &&str| {
        word.starts_with("qyapi_") || word.starts_with("Contact.") || word.starts_with("Robot.")
    };
    let mut scopes: Vec<String> = words.split(|c| !fits(c)).filter(scope).map(str::to_owned).collect();
    scopes.dedup();
    scopes
}
