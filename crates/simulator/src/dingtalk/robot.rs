//! `POST /robot/send`: the custom robot's webhook.

use std::collections::{HashSet, VecDeque};

use super::{Dingtalk, message};
use crate::limit::{Meter, Penalty, Rate};
use crate::registry::{Platform, Registry, Robot, masked};
use crate::sign;
use crate::verdict::{Asked, Verdict, text_at};

/// The largest whole body, in bytes ("exceed 20000 bytes": 20,000 itself passes).
const MOST_BYTES: usize = 20_000;
/// How far a signature's time may be off, in milliseconds.
const SIGN_WINDOW_MS: i64 = 3_600_000;
/// How many `msgUuid` are remembered; the platform does not state its window.
const MOST_SEEN: usize = 20_000;

const RATES: &[Rate] = &[Rate { most: 20, span_ms: 60_000 }];
const PENALTY: Penalty = Penalty::Silence(600_000);

/// The `msgUuid` of messages already shown.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    known: HashSet<(String, String)>,
    order: VecDeque<(String, String)>,
}

impl Seen {
    fn holds(&self, token: &str, uuid: &str) -> bool {
        self.known.contains(&(token.to_owned(), uuid.to_owned()))
    }

    fn remember(&mut self, token: &str, uuid: &str) {
        let key = (token.to_owned(), uuid.to_owned());
        if self.known.insert(key.clone()) {
            self.order.push_back(key);
        }
        if self.order.len() > MOST_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// Judges one call. Only messages that pass every other check count against rate and quota.
pub(crate) fn send(state: &mut Dingtalk, registry: &Registry, asked: &Asked<'_>) -> Verdict {
    judge(state, registry, asked).unwrap_or_else(|refusal| refusal)
}

fn judge(state: &mut Dingtalk, registry: &Registry, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let token =
        asked.query("access_token").ok_or_else(|| Verdict::errcode(40035, "缺少参数 access_token"))?;
    let robot = registry
        .robot(Platform::Dingtalk, token)
        .ok_or_else(|| Verdict::errcode(300_005, "token is not exist"))?;
    if registry.is_stopped(token) {
        return Err(Verdict::errcode(400_102, "description:机器人已停用;solution:请联系管理员启用机器人;"));
    }
    let meter = state.meters.entry(token.to_owned()).or_insert_with(|| Meter::new(RATES, PENALTY));
    if meter.is_silenced(asked.now_ms) {
        return Err(too_fast());
    }
    if asked.body.len() > MOST_BYTES {
        let text = "description: body 大小不合法;solution:请保持大小在 20000bytes 以内;";
        return Err(Verdict::errcode(460_101, text));
    }
    let body = asked.json_object().filter(|_| asked.says_json()).ok_or_else(bad_content_type)?;
    let message = message::read(&body)?;
    check_security(robot, asked, &message)?;
    let uuid = text_at(&body, "msgUuid");
    if uuid.is_some_and(|uuid| state.seen.holds(token, uuid)) {
        return Ok(Verdict::errcode(0, "ok"));
    }
    if !meter.take(asked.now_ms) {
        return Err(too_fast());
    }
    if !state.webhook_quota.take(asked.now_ms) {
        return Err(Verdict::errcode(90_030, "webhook over limit"));
    }
    if let Some(uuid) = uuid {
        state.seen.remember(token, uuid);
    }
    let shown = message.into_shown(robot.chat.clone(), masked(token), body);
    Ok(Verdict::errcode(0, "ok").showing(shown))
}

fn too_fast() -> Verdict {
    Verdict::errcode(410_100, "send too fast, exceed 20 times per minute")
}

fn bad_content_type() -> Verdict {
    Verdict::errcode(43_004, "无效的HTTP HEADER Content-Type, 需要 application/json")
}

/// The three security modes; all that are set must be met, and all fail with one code.
fn check_security(robot: &Robot, asked: &Asked<'_>, message: &message::Message) -> Result<(), Verdict> {
    let refuse = |text: String| Err(Verdict::errcode(310_000, text));
    if !robot.admits(asked.from) {
        let from = asked.from.to_canonical();
        return refuse(format!(
            "description:ip {from} 不在白名单中;solution:请联系群管理员检查机器人的IP地址段设置;"
        ));
    }
    if let Some(secret) = &robot.sign_secret
        && let Err(text) = check_sign(secret, asked)
    {
        return refuse(text.to_owned());
    }
    if !robot.keyword_found(message.words.iter().map(String::as_str)) {
        return refuse(
            "description:关键词不匹配;solution:请联系群管理员查看此机器人的关键词，并在发送的信息中包含此关键词;"
                .to_owned(),
        );
    }
    Ok(())
}

fn check_sign(secret: &str, asked: &Asked<'_>) -> Result<(), &'static str> {
    const NO_MATCH: &str =
        "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中;";
    let (Some(timestamp), Some(given)) = (asked.query("timestamp"), asked.query("sign")) else {
        return Err(NO_MATCH);
    };
    let Some(at_ms) = decimal(timestamp) else {
        return Err(
            "invalid timestamp, more: [https://open.dingtalk.com/document/robots/customize-robot-security-settings]",
        );
    };
    if asked.now_ms.abs_diff(at_ms) > SIGN_WINDOW_MS.unsigned_abs() {
        return Err("description:机器人发送签名过期;solution:签名生成时间和发送时间请保持在一小时以内;");
    }
    if sign::same(given, &sign::dingtalk(timestamp, secret)) { Ok(()) } else { Err(NO_MATCH) }
}

fn decimal(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}
