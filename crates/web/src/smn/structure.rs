//! `message_structure`: a JSON object with a content for each protocol (SMN API reference, "Message structure").
//!
//! A chat protocol's content carries `msgType` (`text` or `markdown`). The documents do not name the fields of its
//! title and text, nor whether it is an object or a text that holds one; so several spellings are taken, and both.

use carillon_model::message::{Body, Color, Content, Format, Mentions};
use carillon_model::{Channel, Field, Invalid};
use serde_json::{Map, Value};

use super::protocol;

fn wrong(rule: impl Into<String>) -> Invalid {
    Invalid::new(Field::MessageStructure, rule.into())
}

/// Reads a structure. `default` must be there; a protocol without a content of its own gets it.
pub(crate) fn read(text: &str) -> Result<Content, Invalid> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        wrong(format!("must hold valid JSON, see line {} column {}", error.line(), error.column()))
    })?;
    let Value::Object(object) = value else { return Err(wrong("must hold a JSON object")) };
    let default = object.get("default").ok_or_else(|| wrong("the key default is missing"))?;
    let default = default.as_str().ok_or_else(|| wrong("default must be a text"))?;
    let mut content = Content { default: Body::text(default), ..Content::default() };
    for (name, value) in &object {
        if name == "default" || protocol::OTHERS.contains(&name.as_str()) {
            continue;
        }
        let channel = protocol::channel(name)
            .map_err(|_rule| wrong(format!("the key {} is no protocol", shown(name))))?;
        let body = if protocol::is_chat(channel) { chat(channel, name, value)? } else { plain(name, value)? };
        content.channels.insert(channel, body);
    }
    Ok(content)
}

/// A key as it may be repeated in an error: it is the publisher's own, but may be long.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

fn plain(name: &str, value: &Value) -> Result<Body, Invalid> {
    value.as_str().map(Body::text).ok_or_else(|| wrong(format!("{name} must be a text")))
}

fn chat(channel: Channel, name: &str, value: &Value) -> Result<Body, Invalid> {
    let parsed;
    let object = match value {
        Value::Object(object) => object,
        Value::String(text) => {
            parsed = serde_json::from_str::<Map<String, Value>>(text).map_err(|_json| {
                wrong(format!("{name} must be an object with msgType, or a text that holds one"))
            })?;
            &parsed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(wrong(format!("{name} must be an object with msgType")));
        }
    };
    let format = match object.get("msgType").and_then(Value::as_str) {
        Some("text") => Format::Text,
        Some("markdown") => Format::Markdown,
        Some(_) => return Err(wrong(format!("msgType of {name} must be text or markdown"))),
        None => return Err(wrong(format!("{name} lacks msgType"))),
    };
    let found = ["content", "text", "message", "markdown"].iter().find_map(|key| object.get(*key));
    let (text, inner_title) = content_of(found).ok_or_else(|| wrong(format!("{name} lacks its content")))?;
    let title = ["title", "subject"]
        .iter()
        .find_map(|key| object.get(*key))
        .and_then(Value::as_str)
        .map(str::to_owned);
    Ok(Body {
        format,
        title: title.or(inner_title).filter(|title| !title.is_empty()),
        text,
        mentions: mentions(channel, name, object.get("at"))?,
        color: color(channel, name, object.get("color"))?,
        buttons: Vec::new(),
        attachments: Vec::new(),
        notice: false,
    })
}

/// The text, and a title that stands beside it in the platforms' own shape (`markdown: {title, text}`).
fn content_of(value: Option<&Value>) -> Option<(String, Option<String>)> {
    match value? {
        Value::String(text) => Some((text.clone(), None)),
        Value::Object(object) => {
            let text = ["content", "text"].iter().find_map(|key| object.get(*key)).and_then(Value::as_str)?;
            Some((text.to_owned(), object.get("title").and_then(Value::as_str).map(str::to_owned)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

fn mentions(channel: Channel, name: &str, at: Option<&Value>) -> Result<Mentions, Invalid> {
    let at = match at {
        None | Some(Value::Null) => return Ok(Mentions::default()),
        Some(Value::Object(at)) => at,
        Some(_) => return Err(wrong(format!("at of {name} must be an object"))),
    };
    if channel == Channel::DingtalkPerson {
        return Err(wrong("dingTalkBot writes to one person and takes no at"));
    }
    let list = |key: &str| -> Result<Vec<String>, Invalid> {
        let rule = || {
            wrong(format!("{key} of {name} must be a list of up to 50 texts of letters, digits and +-_.@"))
        };
        match at.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() <= 50 => items
                .iter()
                .map(|item| item.as_str().filter(|id| id_fits(id)).map(str::to_owned).ok_or_else(rule))
                .collect(),
            Some(_) => Err(rule()),
        }
    };
    let all = match at.get("isAtAll") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(all)) => *all,
        Some(_) => return Err(wrong(format!("isAtAll of {name} must be true or false"))),
    };
    Ok(Mentions { all, mobiles: list("atMobiles")?, user_ids: list("atUserIds")? })
}

/// An id goes into the text beside an `@`, so it must not be able to be anything but an id there.
fn id_fits(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-_.@".contains(&b))
}

fn color(channel: Channel, name: &str, color: Option<&Value>) -> Result<Option<Color>, Invalid> {
    match color {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if channel == Channel::Lark => {
            Color::from_name(text).map(Some).ok_or_else(|| {
                let names: Vec<&str> = Color::ALL.iter().map(|color| color.name()).collect();
                wrong(format!("color of {name} must be one of {}", names.join(", ")))
            })
        }
        Some(_) => Err(wrong(format!("color is a text and for feishu only, not for {name}"))),
    }
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
