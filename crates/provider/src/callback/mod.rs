//! What platforms tell us by themselves: proves that it comes from the platform, opens it, and reads what changed.
//!
//! | platform | proof | sealed with |
//! | --- | --- | --- |
//! | Lark, Feishu | SHA-256 over time, nonce, encrypt key and body; the verification token inside | AES-256-CBC under the key's SHA-256 |
//! | DingTalk, WeCom | SHA-1 over token, time, nonce and sealed text | AES-256-CBC; whose it is stands inside |
//!
//! Nothing is believed that is not proved: without an encrypt key Lark's events are not signed, so that one is asked for.

mod envelope;
mod lark;
mod xml;

use std::collections::HashMap;
use std::time::Duration;

use carillon_model::office::App;
use carillon_model::office::callback::Callback;
use carillon_model::{Chance, Timestamp};
use serde_json::json;

use self::envelope::Envelope;

/// How old a callback may be, and how far ahead of our clock.
const AGE_MAX: Duration = Duration::from_secs(3_600);

/// A request as it came.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The parameters of the query.
    pub query: &'a HashMap<String, String>,
    /// Finds a header.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
    /// The body as it came.
    pub body: &'a [u8],
}

impl Told<'_> {
    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// What a platform told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Tells it from others: the same when the platform tells it again.
    pub key: String,
    /// What kind of event it is, in the platform's words; nothing when the platform only looks whether we are there.
    pub event: Option<String>,
    /// Whether the directory has changed, or what the app may see of it.
    pub changes_directory: bool,
    /// What to answer, and whether it is JSON.
    pub answer: (String, bool),
}

/// Why a callback is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// It is not signed, or not with this connection's token or key.
    Signature,
    /// It is older than an hour, or ahead of our clock.
    Age,
    /// It cannot be opened with this connection's key, or is not what the platform sends.
    Form,
    /// It is another app's or company's.
    Owner,
}

impl Unproved {
    /// Its name, for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Age => "age",
            Self::Form => "form",
            Self::Owner => "owner",
        }
    }
}

/// Whether a time in seconds, or in milliseconds, is near enough.
fn is_fresh(text: &str, now: Timestamp) -> Result<(), Unproved> {
    let number: i64 = text.parse().map_err(|_number| Unproved::Age)?;
    // Seconds have ten digits for the next centuries, milliseconds thirteen.
    let at = Timestamp(if number < 100_000_000_000 { number.saturating_mul(1_000) } else { number });
    if now.since(at) <= AGE_MAX && at.since(now) <= AGE_MAX { Ok(()) } else { Err(Unproved::Age) }
}

/// Whether two texts are the same, in a time that does not depend on where they differ.
fn same(one: &str, other: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// Proves and opens what a platform told one of its apps.
///
/// # Errors
/// Why it is not believed. Nothing of it is repeated.
pub fn hear(
    app: &App,
    callback: &Callback,
    told: &Told<'_>,
    now: Timestamp,
    chance: &dyn Chance,
) -> Result<Heard, Unproved> {
    match app {
        App::Lark(lark) | App::Feishu(lark) => lark::hear(lark, callback, told, now),
        App::Wecom(wecom) => {
            let envelope = Envelope::new(callback, vec![wecom.corp_id.clone()])?;
            wecom_hear(&envelope, told, now)
        }
        App::Dingtalk(dingtalk) => {
            // Which of them stands inside depends on how old the app is.
            let owners = std::iter::once(dingtalk.app_key.clone()).chain(dingtalk.corp_id.clone()).collect();
            let envelope = Envelope::new(callback, owners)?;
            dingtalk_hear(&envelope, told, now, chance)
        }
    }
}

/// `WeCom`: a GET with `echostr` asks whether we are there; a POST brings XML.
fn wecom_hear(envelope: &Envelope, told: &Told<'_>, now: Timestamp) -> Result<Heard, Unproved> {
    let (time, nonce, signature) =
        (told.query("timestamp"), told.query("nonce"), told.query("msg_signature"));
    let echo = told.query("echostr");
    let body = std::str::from_utf8(told.body).map_err(|_text| Unproved::Form)?;
    let sealed = if echo.is_empty() { xml::value(body, "Encrypt").ok_or(Unproved::Form)? } else { echo };
    envelope.prove(signature, time, nonce, sealed)?;
    is_fresh(time, now)?;
    let (plain, _owner) = envelope.open(sealed)?;
    let key = signature.to_owned();
    if !echo.is_empty() {
        return Ok(Heard { key, event: None, changes_directory: false, answer: (plain, false) });
    }
    // What people write to the app comes here, too, and may hold anything: the kind of message stands before it.
    let is_event = xml::value(&plain, "MsgType").is_none_or(|kind| kind == "event");
    let event = xml::value(&plain, "Event").or_else(|| xml::value(&plain, "InfoType"));
    let event = event.filter(|_event| is_event).unwrap_or("message");
    let changes_directory = event == "change_contact";
    let what = xml::value(&plain, "ChangeType").map_or_else(String::new, |what| format!(" {what}"));
    let event = Some(format!("{event}{what}"));
    Ok(Heard { key, event, changes_directory, answer: ("success".to_owned(), false) })
}

/// `DingTalk`: a POST of JSON; the answer is sealed, too.
fn dingtalk_hear(
    envelope: &Envelope,
    told: &Told<'_>,
    now: Timestamp,
    chance: &dyn Chance,
) -> Result<Heard, Unproved> {
    let signature = Some(told.query("msg_signature")).filter(|text| !text.is_empty());
    let signature = signature.unwrap_or_else(|| told.query("signature"));
    let (time, nonce) = (told.query("timestamp"), told.query("nonce"));
    let body: serde_json::Value = serde_json::from_slice(told.body).map_err(|_json| Unproved::Form)?;
    let sealed = body["encrypt"].as_str().ok_or(Unproved::Form)?;
    envelope.prove(signature, time, nonce, sealed)?;
    is_fresh(time, now)?;
    let (plain, owner) = envelope.open(sealed)?;
    let plain: serde_json::Value = serde_json::from_str(&plain).map_err(|_json| Unproved::Form)?;
    let event = plain["EventType"].as_str().unwrap_or_default().to_owned();
    let changes_directory =
        ["user_", "org_dept_", "org_change", "org_admin_"].iter().any(|start| event.starts_with(start));
    let sealed = envelope.seal("success", &owner, chance)?;
    let answer = json!({
        "msg_signature": envelope.sign(time, nonce, &sealed),
        "timeStamp": time,
        "nonce": nonce,
        "encrypt": sealed,
    });
    let looks = event == "check_url" || event.starts_with("check_");
    let event = (!looks).then_some(event);
    Ok(Heard { key: signature.to_owned(), event, changes_directory, answer: (answer.to_string(), true) })
}

#[cfg(test)]
mod tests;
