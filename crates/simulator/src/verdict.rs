//! What a far end is asked and what it answers, before either is HTTP.

use std::net::IpAddr;

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::record::Shown;

/// A request as a far end sees it.
pub(crate) struct Asked<'a> {
    pub(crate) query: &'a [(String, String)],
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) from: IpAddr,
    pub(crate) now_ms: i64,
}

impl Asked<'_> {
    /// Returns the first value of a query field, decoded, if it is not empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let mut fields = self.query.iter();
        fields.find(|(field, value)| field == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Says whether the content type is JSON, whatever its parameters.
    pub(crate) fn says_json(&self) -> bool {
        let kind = self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/json")
    }

    /// Parses the body as a JSON object.
    pub(crate) fn json_object(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok().filter(Value::is_object)
    }
}

/// An answer in a platform's own shape, with what it does to the chats.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) text: String,
    /// Boxed, so that a verdict is small enough to be an error as well.
    pub(crate) answer: Box<Value>,
    pub(crate) shown: Vec<Shown>,
}

impl Verdict {
    /// The shape of DingTalk's webhook and of everything WeCom: HTTP 200 and `errcode`.
    pub(crate) fn errcode(code: i64, text: impl Into<String>) -> Self {
        let text = text.into();
        let answer = Box::new(json!({"errcode": code, "errmsg": text}));
        Self { status: 200, code: code.to_string(), text, answer, shown: Vec::new() }
    }

    /// The shape of Lark's errors.
    pub(crate) fn lark(status: u16, code: i64, text: impl Into<String>) -> Self {
        let text = text.into();
        let answer = Box::new(json!({"code": code, "data": {}, "msg": text}));
        Self { status, code: code.to_string(), text, answer, shown: Vec::new() }
    }

    /// The shape of DingTalk's newer interface.
    pub(crate) fn dingtalk_api(status: u16, code: &str, text: &str, request_id: &str) -> Self {
        let answer = Box::new(json!({"code": code, "message": text, "requestid": request_id}));
        Self { status, code: code.to_owned(), text: text.to_owned(), answer, shown: Vec::new() }
    }

    /// A success whose answer is given whole.
    pub(crate) fn accepted(code: &str, answer: Value) -> Self {
        Self {
            status: 200,
            code: code.to_owned(),
            text: "ok".to_owned(),
            answer: Box::new(answer),
            shown: Vec::new(),
        }
    }

    /// Adds a message for a chat.
    pub(crate) fn showing(mut self, shown: Shown) -> Self {
        self.shown.push(shown);
        self
    }
}

/// Returns a text field if it is there and not blank.
pub(crate) fn text_at<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// Returns the texts of a list field; other elements are passed over.
pub(crate) fn texts_at<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    value.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}
