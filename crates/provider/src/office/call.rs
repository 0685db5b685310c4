//! One call of an app's interface: waits its turn, has a token, reads the verdict of the body, and asks once more with
//! a fresh token when the platform calls the old one dead.

use carillon_model::office::{App, calls};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use hyper::Method;
use serde_json::Value;

use super::app_key;
use crate::http::{Answer, Form, Payload, Request, To};
use crate::token::Token;
use crate::{Context, clean, dingtalk, lark, wecom};

/// The most bytes that a page of a directory may have: fifty people with everything that a platform tells of each.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is to be called.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The interface's name, for its limit.
    pub(crate) interface: &'static str,
    /// The method.
    pub(crate) method: Method,
    /// The platform's host.
    pub(crate) host: &'static str,
    /// The path, and the query without the token.
    pub(crate) path: String,
    /// What it carries.
    pub(crate) body: Payload,
}

impl Ask {
    /// A reading call.
    pub(crate) fn get(interface: &'static str, host: &'static str, path: impl Into<String>) -> Self {
        Self { interface, method: Method::GET, host, path: path.into(), body: Payload::default() }
    }

    /// A call with a body.
    pub(crate) fn post(
        interface: &'static str,
        host: &'static str,
        path: impl Into<String>,
        body: String,
    ) -> Self {
        Self { interface, method: Method::POST, host, path: path.into(), body: body.into() }
    }

    /// An upload.
    pub(crate) fn upload(
        interface: &'static str,
        host: &'static str,
        path: impl Into<String>,
        form: Form,
    ) -> Self {
        Self { interface, method: Method::POST, host, path: path.into(), body: Payload::Form(form) }
    }
}

/// A query, encoded.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.append_pair(name, value);
    }
    out.finish()
}

/// A piece of a path, encoded.
pub(crate) fn piece(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Calls, and gives the answer's body when the platform said that it succeeded.
pub(crate) async fn call(context: &Context<'_>, app: &App, ask: &Ask) -> Result<(Value, Verdict), Verdict> {
    let key = app_key(app);
    let mut again = true;
    loop {
        context.pace.turn(app.platform(), key, ask.interface).await;
        let token = context.tokens.get_by(key, context.clock, fetch_token(context, app)).await?;
        if let Some(meter) = context.meter.filter(|_meter| counts(app, ask)) {
            meter.called(&calls::of_app(app));
        }
        let (verdict, body) = once(context, app, ask, &token).await;
        let verdict = clean::verdict(verdict, &[token.text.reveal()]);
        if verdict.outcome == Outcome::Accepted {
            return Ok((body.unwrap_or_default(), verdict));
        }
        if verdict.reason != Reason::AccessToken {
            return Err(verdict);
        }
        context.tokens.forget_by(key, &token).await;
        if !std::mem::take(&mut again) {
            return Err(verdict);
        }
    }
}

/// Whether the platform counts a call against the month. `DingTalk` does not count those of its directory, and no platform
/// is known to count tokens.
fn counts(app: &App, ask: &Ask) -> bool {
    let of_directory =
        ["auth/", "/topapi/v2/user/", "/topapi/user/", "/topapi/v2/department/", "/topapi/department/"];
    !matches!(app, App::Dingtalk(_)) || !of_directory.iter().any(|start| ask.interface.starts_with(start))
}

async fn once(context: &Context<'_>, app: &App, ask: &Ask, token: &Token) -> (Verdict, Option<Value>) {
    let token = token.text.reveal();
    let bearer = format!("Bearer {token}");
    let with_query = || {
        let sign = if ask.path.contains('?') { '&' } else { '?' };
        format!("{}{sign}{}", ask.path, query(&[("access_token", token)]))
    };
    let (path, header) = match app {
        App::Lark(_) | App::Feishu(_) => (ask.path.clone(), Some(("Authorization", bearer.as_str()))),
        App::Dingtalk(_) if ask.host == carillon_model::endpoint::DINGTALK_API_HOST => {
            (ask.path.clone(), Some(("x-acs-dingtalk-access-token", token)))
        }
        App::Dingtalk(_) | App::Wecom(_) => (with_query(), None),
    };
    let headers: Vec<(&str, &str)> = header.into_iter().collect();
    let to = To::Platform { host: ask.host, path: &path };
    let request = Request { to, headers: &headers, body: ask.body.clone() };
    match context.http.send(ask.method.clone(), request, PAGE_BYTES_MAX).await {
        Ok(answer) => (verdict(context, app, &answer), serde_json::from_slice(&answer.body).ok()),
        Err(failure) => (failure.verdict(), None),
    }
}

fn verdict(context: &Context<'_>, app: &App, answer: &Answer) -> Verdict {
    match app {
        App::Lark(_) | App::Feishu(_) => lark::office::verdict(answer, context.clock),
        App::Dingtalk(_) => dingtalk::office::verdict(answer, context.clock),
        App::Wecom(_) => wecom::office::verdict(answer, context.clock),
    }
}

async fn fetch_token(context: &Context<'_>, app: &App) -> Result<Token, Verdict> {
    match app {
        App::Lark(lark) | App::Feishu(lark) => {
            lark::office::fetch_token(context, app.lark_host(), lark).await
        }
        App::Dingtalk(dingtalk) => dingtalk::office::fetch_token(context, dingtalk).await,
        App::Wecom(wecom) => wecom::office::fetch_token(context, wecom).await,
    }
}

/// A text of an answer, by its pointer.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An id of an answer, which may be a number.
pub(crate) fn id(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The items of a list of an answer, by its pointer.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The ids in a list of an answer.
pub(crate) fn ids(value: &Value, pointer: &str) -> Vec<String> {
    items(value, pointer).iter().filter_map(|item| id(Some(item))).collect()
}
