//! Sending through an internal app's robot: to a group, or to people one by one.

use serde_json::{Value, json};

use super::Dingtalk;
use super::param::{self, Content};
use crate::limit::{Meter, Penalty, Rate};
use crate::office::Office;
use crate::record::{Look, Shown};
use crate::registry::{DingtalkApp, Registry, masked};
use crate::verdict::{Asked, Verdict, text_at, texts_at};

/// The most people one call may name (the page says 20, the error's text 100).
const MOST_USERS: usize = 20;

/// The permission to send through the robot.
const SEND_SCOPE: &str = "qyapi_robot_sendmsg";

const RATES: &[Rate] = &[Rate { most: 20, span_ms: 1000 }];

/// Who is to get the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `POST /v1.0/robot/groupMessages/send`.
    Group,
    /// `POST /v1.0/robot/oToMessages/batchSend`.
    People,
}

/// Judges one call; `id` is the request id the answer carries.
pub(crate) fn send(
    state: &mut Dingtalk,
    registry: &Registry,
    office: &mut Office,
    asked: &Asked<'_>,
    (target, id): (Target, &str),
) -> Verdict {
    judge(state, registry, office, asked, (target, id)).unwrap_or_else(|refusal| refusal)
}

fn judge(
    state: &mut Dingtalk,
    registry: &Registry,
    office: &mut Office,
    asked: &Asked<'_>,
    (target, id): (Target, &str),
) -> Result<Verdict, Verdict> {
    let refuse = |status: u16, code: &str, text: &str| Verdict::dingtalk_api(status, code, text, id);
    let app_key = asked
        .header("x-acs-dingtalk-access-token")
        .and_then(|token| state.tokens.app_key(token, asked.now_ms))
        .ok_or_else(|| refuse(400, "InvalidAuthentication", "不合法的access_token"))?
        .to_owned();
    let meter_key = format!("{app_key} {target:?}");
    let meter = state.meters.entry(meter_key).or_insert_with(|| Meter::new(RATES, Penalty::Nothing));
    if !meter.take(asked.now_ms) {
        let code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi";
        return Err(refuse(403, code, "钉钉开放平台接口限流: 应用调用该接口每秒次数超限"));
    }
    if office.withholds(&app_key, SEND_SCOPE) {
        let code = "Forbidden.AccessDenied.AccessTokenPermissionDenied";
        let mut verdict = refuse(403, code, "没有调用该接口的权限");
        verdict.answer["accessdenieddetail"] = json!({ "requiredScopes": [SEND_SCOPE] });
        return Err(verdict);
    }
    let body = asked.json_object().filter(|_| asked.says_json()).ok_or_else(|| bad_body(id))?;
    let robot_code = text_at(&body, "robotCode").ok_or_else(|| missing("robotCode", id))?;
    let app = check_robot(registry, &app_key, robot_code, id)?;
    let mut content = check_param(&body, id)?;
    check_media(office, &app_key, &mut content, asked.now_ms, id)?;
    let chats = match target {
        Target::Group => Recipients::group(app, &body, id)?,
        Target::People => Recipients::people(registry, app, &body, id)?,
    };
    if !state.api_quota.take(asked.now_ms) {
        let code = "Forbidden.AccessDenied.ApiCountLimitForOrg";
        return Err(refuse(403, code, "企业本月接口调用量已用完"));
    }
    office.note_shown(&format!("pqk-{id}"), &app_key, &chats.reached.join(", "), asked.now_ms);
    let mut verdict = Verdict::accepted("ok", chats.answer(target, id));
    verdict.shown = chats.reached.iter().map(|chat| show(chat, app, &content, &body)).collect();
    Ok(verdict)
}

fn check_robot<'a>(
    registry: &'a Registry,
    app_key: &str,
    robot_code: &str,
    id: &str,
) -> Result<&'a DingtalkApp, Verdict> {
    let refuse = |code: &str, text: &str| Verdict::dingtalk_api(400, code, text, id);
    let app = registry
        .app_by_robot(robot_code)
        // The spelling is the platform's.
        .ok_or_else(|| refuse("invalidParameter.robotCode.notExsit", "robotCode 不存在, 请确认应用已发布"))?;
    if app.app_key != app_key {
        return Err(refuse("invalidParameter.robotCode.auth", "appKey 与 robotCode 不匹配"));
    }
    if registry.is_stopped(robot_code) {
        return Err(refuse("bot.stopped", "机器人已停用"));
    }
    Ok(app)
}

fn check_param(body: &Value, id: &str) -> Result<Content, Verdict> {
    let key = text_at(body, "msgKey").ok_or_else(|| missing("msgKey", id))?;
    let given =
        body.get("msgParam").filter(|given| !given.is_null()).ok_or_else(|| missing("msgParam", id))?;
    let refuse = |code: &str, text: &str| Verdict::dingtalk_api(400, code, text, id);
    let not_text = || refuse("invalidParameter.msgParam.invalid", "msgParam 必须是 JSON 字符串");
    let text = given.as_str().ok_or_else(not_text)?;
    if text.len() > param::MOST_BYTES {
        return Err(refuse("invalidParameter.msgParam.tooLong", "msgParam 超过 15000 字节"));
    }
    let fields: Value = serde_json::from_str(text).ok().filter(Value::is_object).ok_or_else(not_text)?;
    let wanted =
        param::fields(key).ok_or_else(|| refuse("invalidParameter.msgKey.invalid", "msgKey 无效"))?;
    if let Some(absent) = wanted.iter().find(|field| !param::has(&fields, field)) {
        return Err(missing(absent, id));
    }
    Ok(param::read(key, &fields))
}

/// A picture by address is shown; what was uploaded, by its name. Nobody is told of what is not known: the chat shows nothing.
fn check_media(
    office: &Office,
    app_key: &str,
    content: &mut Content,
    now_ms: i64,
    id: &str,
) -> Result<(), Verdict> {
    let Some(media) = content.media.clone() else { return Ok(()) };
    if let Some(kind) = &content.file_type {
        let kinds = ["xlsx", "pdf", "zip", "rar", "doc", "docx"];
        if !kinds.contains(&kind.as_str()) {
            return Err(Verdict::dingtalk_api(
                400,
                "invalidParameter.fileType.invalid",
                "不支持的文件类型",
                id,
            ));
        }
    }
    if media.starts_with("https://") || media.starts_with("http://") {
        return Ok(());
    }
    content.text = match office.uploaded(app_key, &media, now_ms) {
        Some(upload) => upload.name.clone(),
        None => "?".to_owned(),
    };
    Ok(())
}

/// Which chats get it, and who does not.
#[derive(Default)]
struct Recipients {
    reached: Vec<String>,
    invalid: Vec<String>,
    flow_controlled: Vec<String>,
}

impl Recipients {
    fn group(app: &DingtalkApp, body: &Value, id: &str) -> Result<Self, Verdict> {
        let wanted = text_at(body, "openConversationId").ok_or_else(|| missing("openConversationId", id))?;
        let known = app.conversations.iter().find(|(conversation, _)| conversation == wanted);
        let (_, chat) = known.ok_or_else(|| {
            Verdict::dingtalk_api(
                400,
                "invalid.openConversationId",
                "openConversationId 无效或机器人不在群中",
                id,
            )
        })?;
        Ok(Self { reached: vec![chat.clone()], ..Self::default() })
    }

    /// Part of the people may fail: that is a success with lists.
    fn people(registry: &Registry, app: &DingtalkApp, body: &Value, id: &str) -> Result<Self, Verdict> {
        let wanted = texts_at(body, "userIds");
        if wanted.is_empty() {
            return Err(missing("userIds", id));
        }
        if wanted.len() > MOST_USERS {
            let code = "invalidParameter.userIds.overMax";
            return Err(Verdict::dingtalk_api(400, code, "userIds 数量超过上限 100", id));
        }
        let mut found = Self::default();
        for user in &wanted {
            match app.users.iter().find(|(known, _)| known == user) {
                None => found.invalid.push((*user).to_owned()),
                Some(_) if registry.is_flow_controlled(user) => {
                    found.flow_controlled.push((*user).to_owned());
                }
                Some((_, name)) => found.reached.push(name.clone()),
            }
        }
        if found.invalid.len() == wanted.len() {
            return Err(Verdict::dingtalk_api(400, "staffId.notExisted", "员工不存在", id));
        }
        Ok(found)
    }

    fn answer(&self, target: Target, id: &str) -> Value {
        let key = format!("pqk-{id}");
        match target {
            Target::Group => json!({"processQueryKey": key}),
            Target::People => json!({
                "processQueryKey": key,
                "invalidStaffIdList": self.invalid,
                "flowControlledStaffIdList": self.flow_controlled,
            }),
        }
    }
}

fn show(chat: &str, app: &DingtalkApp, content: &Content, raw: &Value) -> Shown {
    let mut text = content.text.clone();
    for (label, address) in &content.buttons {
        text.push_str(&format!("\n[{label}]({address})"));
    }
    Shown {
        chat: chat.to_owned(),
        token_masked: masked(&app.robot_code),
        kind: content.kind.clone(),
        title: content.title.clone(),
        text,
        mentions: Vec::new(),
        raw: raw.clone(),
        look: Look { markup: content.text.clone(), tone: None, buttons: content.buttons.clone() },
    }
}

pub(super) fn missing(field: &str, id: &str) -> Verdict {
    Verdict::dingtalk_api(400, &format!("miss.param.{field}"), &format!("{field} is mandatory"), id)
}

pub(super) fn bad_body(id: &str) -> Verdict {
    Verdict::dingtalk_api(400, "InvalidParameter.Body", "the body must be a JSON object", id)
}
