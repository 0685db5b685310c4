//! WeCom: the group robot's webhook and its file upload.

use std::collections::HashMap;

use serde_json::json;

use crate::limit::{Meter, Penalty, Rate};
use crate::record::{Look, Shown};
use crate::registry::{Platform, Registry, Robot, masked};
use crate::sign;
use crate::verdict::{Asked, Verdict, text_at};

mod card;
mod message;
mod upload;

/// How long an uploaded file can be sent, in milliseconds (three days).
const MEDIA_LIFETIME_MS: i64 = 3 * 86_400_000;

const RATES: &[Rate] = &[Rate { most: 20, span_ms: 60_000 }];
const PENALTY: Penalty = Penalty::RestOfWindowAnd(60_000);

/// What WeCom remembers between calls.
#[derive(Debug, Default)]
pub(crate) struct Wecom {
    meters: HashMap<String, Meter>,
    media: HashMap<String, Media>,
}

/// An uploaded file; its content is not kept.
#[derive(Debug)]
pub(crate) struct Media {
    robot: String,
    kind: String,
    name: String,
    expires_ms: i64,
}

impl Wecom {
    /// Finds a file that this robot uploaded, that is of this kind and has not expired.
    fn media(&self, robot: &str, kind: &str, id: &str, now_ms: i64) -> Option<&str> {
        let media = self.media.get(id)?;
        let fits = media.robot == robot && media.kind == kind && now_ms < media.expires_ms;
        fits.then_some(media.name.as_str())
    }
}

/// Judges one call to `POST /cgi-bin/webhook/send`; `number` goes into the hint of a refusal. Only messages
/// that pass every other check count against the rate.
pub(crate) fn send(state: &mut Wecom, registry: &Registry, asked: &Asked<'_>, number: u64) -> Verdict {
    judge(state, registry, asked).unwrap_or_else(|refusal| refusal.into_verdict(asked, number))
}

/// Judges one call to `POST /cgi-bin/webhook/upload_media`.
pub(crate) fn upload(state: &mut Wecom, registry: &Registry, asked: &Asked<'_>, number: u64) -> Verdict {
    let result = find(registry, asked).and_then(|robot| {
        let (kind, name) = upload::read(asked)?;
        let id = sign::derive(&robot.token, &format!("media {number} {}", asked.now_ms));
        let media = Media {
            robot: robot.token.clone(),
            kind: kind.clone(),
            name,
            expires_ms: asked.now_ms + MEDIA_LIFETIME_MS,
        };
        state.media.retain(|_, known| asked.now_ms < known.expires_ms);
        state.media.insert(id.clone(), media);
        let created_at = (asked.now_ms / 1000).to_string();
        Ok(json!({"errcode": 0, "errmsg": "ok", "type": kind, "media_id": id, "created_at": created_at}))
    });
    match result {
        Ok(answer) => Verdict::accepted("0", answer),
        Err(refusal) => refusal.into_verdict(asked, number),
    }
}

fn judge(state: &mut Wecom, registry: &Registry, asked: &Asked<'_>) -> Result<Verdict, Refusal> {
    let robot = find(registry, asked)?;
    let too_often = || Refusal::new(45_009, "api freq out of limit");
    let meter = state.meters.entry(robot.token.clone()).or_insert_with(|| Meter::new(RATES, PENALTY));
    if meter.is_silenced(asked.now_ms) {
        return Err(too_often());
    }
    let body = asked.json_object().ok_or_else(|| Refusal::new(47_001, "data format error"))?;
    let kind = text_at(&body, "msgtype").unwrap_or_default();
    let mut message = message::read(kind, &body)?;
    if let Some(id) = &message.media_id {
        let name = state.media(&robot.token, kind, id, asked.now_ms);
        message.text = name.ok_or_else(|| Refusal::new(40_007, "invalid media_id"))?.to_owned();
    }
    let meter = state.meters.entry(robot.token.clone()).or_insert_with(|| Meter::new(RATES, PENALTY));
    if !meter.take(asked.now_ms) {
        return Err(too_often());
    }
    let mut text = message::readable(&message.text);
    for (label, address) in &message.buttons {
        text.push_str(&format!("\n[{label}]({address})"));
    }
    let shown = Shown {
        chat: robot.chat.clone(),
        token_masked: masked(&robot.token),
        kind: kind.to_owned(),
        title: message.title,
        text,
        mentions: message.mentions,
        raw: body,
        look: Look { markup: message.text, tone: None, buttons: message.buttons },
    };
    Ok(Verdict::errcode(0, "ok").showing(shown))
}

fn find<'a>(registry: &'a Registry, asked: &Asked<'_>) -> Result<&'a Robot, Refusal> {
    let robot = asked.query("key").and_then(|key| registry.robot(Platform::Wecom, key));
    let robot = robot.filter(|robot| !registry.is_stopped(&robot.token));
    robot.ok_or_else(|| Refusal::new(93_000, "invalid webhook url"))
}

/// A template card as an app sends it: title, text and buttons, or the refusal's number and words.
pub(crate) fn app_card(card: &serde_json::Value) -> Result<AppCard, (i64, String)> {
    let message = card::read(card).map_err(|refusal| (refusal.code, refusal.text))?;
    Ok((message.title, message.text, message.buttons))
}

/// What a card says.
pub(crate) type AppCard = (Option<String>, String, Vec<(String, String)>);

/// Who is pinged in a markdown text.
pub(crate) fn pinged(text: &str) -> Vec<String> {
    message::named_in(text)
}

/// A refusal before it gets the hint, address and link that the platform adds to every text.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: i64,
    text: String,
}

impl Refusal {
    fn new(code: i64, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    fn invalid(what: &str) -> Self {
        Self::new(40_058, format!("{what}. invalid Request Parameter"))
    }

    fn into_verdict(self, asked: &Asked<'_>, number: u64) -> Verdict {
        let (seconds, from) = (asked.now_ms / 1000, asked.from.to_canonical());
        let link = format!("https://open.work.weixin.qq.com/devtool/query?e={}", self.code);
        let text =
            format!("{}, hint: [{seconds}{number:09}], from ip: {from}, more info at {link}", self.text);
        Verdict::errcode(self.code, text)
    }
}
