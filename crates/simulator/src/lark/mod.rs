//! Lark and Feishu: the custom bot's webhook.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::limit::{Meter, Penalty, Rate};
use crate::registry::{Platform, Registry, Robot, masked};
use crate::sign;
use crate::verdict::{Asked, Verdict};

mod card;
mod message;

pub(crate) use message::Message;

/// The largest whole body, in bytes (custom bot guide: 20 KB, read as 20,000; signature and time count).
const MOST_BYTES: usize = 20_000;
/// How far a signature's time may be off, in seconds.
const SIGN_WINDOW_S: u64 = 3600;

const RATES: &[Rate] = &[Rate { most: 5, span_ms: 1000 }, Rate { most: 100, span_ms: 60_000 }];

/// What Lark remembers between calls.
#[derive(Debug, Default)]
pub(crate) struct Lark {
    meters: HashMap<String, Meter>,
}

/// Judges one call to `POST /open-apis/bot/v2/hook/{token}`; `cloud` is the one whose host was called, if the
/// host tells. Only messages that pass every other check count against the rate.
pub(crate) fn send(
    state: &mut Lark,
    registry: &Registry,
    cloud: Option<Platform>,
    token: &str,
    asked: &Asked<'_>,
) -> (Platform, Verdict) {
    let known = [Platform::Feishu, Platform::Lark]
        .into_iter()
        .filter(|platform| cloud.is_none_or(|cloud| cloud == *platform))
        .find_map(|platform| registry.robot(platform, token));
    let Some(robot) = known.filter(|_| !registry.is_stopped(token)) else {
        let refusal = Verdict::lark(200, 19_001, "param invalid: incoming webhook access token invalid");
        return (cloud.unwrap_or(Platform::Feishu), refusal);
    };
    (robot.platform, judge(state, robot, asked).unwrap_or_else(|refusal| refusal))
}

fn judge(state: &mut Lark, robot: &Robot, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    if asked.body.len() > MOST_BYTES {
        return Err(Verdict::lark(200, 19_036, "The message exceeds the size limit of 20KB"));
    }
    let body = asked.json_object().filter(|_| asked.says_json()).ok_or_else(bad_request)?;
    if !robot.admits(asked.from) {
        return Err(Verdict::lark(200, 19_022, "Ip Not Allowed"));
    }
    if let Some(secret) = &robot.sign_secret
        && !is_signed(secret, &body, asked.now_ms)
    {
        let text = "sign match fail or timestamp is not within one hour from current time";
        return Err(Verdict::lark(200, 19_021, text));
    }
    let message = message::read(&body)?;
    let mut words = Vec::new();
    let part = if message.kind == "interactive" { "card" } else { "content" };
    message::words(body.get(part).unwrap_or(&Value::Null), &mut words);
    if !robot.keyword_found(words.into_iter()) {
        return Err(Verdict::lark(200, 19_024, "Key Words Not Found"));
    }
    let meter_key = format!("{:?} {}", robot.platform, robot.token);
    let meter = state.meters.entry(meter_key).or_insert_with(|| Meter::new(RATES, Penalty::Nothing));
    if !meter.take(asked.now_ms) {
        let text = "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]";
        return Err(Verdict::lark(200, 11_232, text));
    }
    let answer =
        json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"});
    let shown = message.into_shown(robot.chat.clone(), masked(&robot.token), body);
    Ok(Verdict::accepted("0", answer).showing(shown))
}

/// The signature stands in the body, its time in whole seconds; the platform takes the time as text or number.
fn is_signed(secret: &str, body: &Value, now_ms: i64) -> bool {
    let timestamp = match (body["timestamp"].as_str(), body["timestamp"].as_u64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => return false,
    };
    let (Ok(at_s), Some(given)) = (timestamp.parse::<i64>(), body["sign"].as_str()) else { return false };
    let in_time = now_ms.div_euclid(1000).abs_diff(at_s) <= SIGN_WINDOW_S;
    in_time && sign::same(given, &sign::lark(&timestamp, secret))
}

/// Reads the content of an app's message, which is as a robot's but for its frame and its codes.
pub(crate) fn app_message(kind: &str, content: &Value) -> Result<Message, Verdict> {
    let body = match kind {
        "interactive" => json!({ "msg_type": kind, "card": content }),
        "post" => json!({ "msg_type": kind, "content": { "post": with_plain_nodes(content) } }),
        _ => json!({ "msg_type": kind, "content": content }),
    };
    message::read(&body).map_err(|refusal| match refusal.code.as_str() {
        "11246" => Verdict::lark(400, 230_099, refusal.text),
        _ => Verdict::lark(400, 230_001, "Your request contains an invalid request parameter."),
    })
}

/// An app's post may hold paragraphs of Markdown, a bot's may not.
fn with_plain_nodes(post: &Value) -> Value {
    match post {
        Value::Array(list) => list.iter().map(with_plain_nodes).collect(),
        Value::Object(fields) => {
            let mut fields: serde_json::Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), with_plain_nodes(value))).collect();
            if fields.get("tag").and_then(Value::as_str) == Some("md") {
                fields.insert("tag".to_owned(), "text".into());
            }
            Value::Object(fields)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => post.clone(),
    }
}

fn bad_request() -> Verdict {
    Verdict::lark(400, 9499, "Bad Request")
}

fn bad_card(code: u32, text: &str) -> Verdict {
    Verdict::lark(200, 11_246, format!("create message content fail, ext=ErrCode: {code}; ErrMsg: {text}"))
}
