//! Publishing.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::message::{Body, Content, Locale};
use carillon_model::{Channel, Field, Invalid, limits};
use carillon_service::Error;
use carillon_service::publish::Publish;
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields, protocol, structure};
use crate::App;
use crate::call::mark_replayed;

/// `POST …/topics/{topic_urn}/publish`.
pub(crate) async fn publish(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let published = async {
        let body = call.0.object(Field::Message)?;
        let mut publish = read(&body)?;
        publish.idempotency_key = call.0.idempotency_key().map(str::to_owned);
        app.service.publish(&call.0.caller, call.0.path("topic_urn"), publish).await
    };
    let published = published.await.map_err(|error| call.refuse(error))?;
    let fields = fields(json!({ "message_id": published.message.to_string() }));
    let mut response = call.answer(StatusCode::OK, fields);
    if published.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// Reads a publish. Where several forms are given, the structure wins, then the template, then the message (SMN API
/// reference, "Publishing a Message").
fn read(body: &Map<String, Value>) -> Result<Publish, Error> {
    let subject = field::text(body, "subject", Field::Subject)?.filter(|subject| !subject.is_empty());
    let template = field::text(body, "message_template_name", Field::TemplateName)?;
    let message = field::text(body, "message", Field::Message)?;
    let mut content = match (structure_text(body)?, template, message) {
        (Some(text), _, _) => structure::read(&text)?,
        (None, Some(_name), _) => return Err(Error::TemplateNotFound),
        (None, None, Some(message)) => Content { default: Body::text(message), ..Content::default() },
        (None, None, None) => {
            let rule = "one of message, message_structure and message_template_name must be given";
            return Err(Invalid::new(Field::Message, rule).into());
        }
    };
    content.subject = subject;
    content.only = attributes(body)?;
    Ok(Publish {
        content,
        time_to_live: field::number(body, "time_to_live", Field::TimeToLive)?,
        locale: locale(body)?,
        ..Publish::default()
    })
}

/// The structure as text: it is declared a text that holds JSON; an old example shows an object, which is taken too.
fn structure_text(body: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    let text = match body.get("message_structure") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(object)) => Value::Object(object.clone()).to_string(),
        Some(_) => {
            return Err(Invalid::new(Field::MessageStructure, "must be a text that holds a JSON object"));
        }
    };
    if text.len() > limits::MESSAGE_BYTES_MAX {
        return Err(Invalid::new(Field::MessageStructure, "must be at most 262144 bytes of UTF-8"));
    }
    Ok(Some(text))
}

fn locale(body: &Map<String, Value>) -> Result<Locale, Invalid> {
    match field::text(body, "locale", Field::Locale)?.as_deref() {
        None | Some("" | "en-us") => Ok(Locale::English),
        Some("zh-cn") => Ok(Locale::Chinese),
        Some(_) => Err(Invalid::new(Field::Locale, "must be zh-cn or en-us")),
    }
}

/// Checks the attributes and gives the channels that one of type PROTOCOL leaves.
fn attributes(body: &Map<String, Value>) -> Result<Option<Vec<Channel>>, Invalid> {
    let wrong = |rule: &'static str| Invalid::new(Field::MessageAttributes, rule);
    let list = match body.get("message_attributes") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong("must be a list of objects with name, type and value")),
    };
    if list.len() > limits::MESSAGE_ATTRIBUTES_MAX {
        return Err(wrong("at most 10 attributes are taken"));
    }
    let mut only = None;
    for attribute in list {
        let object = attribute.as_object().ok_or_else(|| wrong("each attribute must be an object"))?;
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        if !attribute_name_fits(name) {
            return Err(wrong("a name is 1 to 32 lowercase letters, digits and single inner underscores"));
        }
        let value = object.get("value");
        match object.get("type").and_then(Value::as_str) {
            Some("STRING") if value.and_then(Value::as_str).is_some_and(attribute_value_fits) => {}
            Some("STRING_ARRAY")
                if texts(value).is_some_and(|all| all.iter().all(|text| attribute_value_fits(text))) => {}
            Some("PROTOCOL") => {
                let names = texts(value)
                    .ok_or_else(|| wrong("a PROTOCOL value is a list of 1 to 10 protocol names"))?;
                let known = names.iter().filter(|name| !protocol::OTHERS.contains(&name.as_str()));
                let channels = known.map(|name| {
                    protocol::channel(name)
                        .map_err(|_rule| wrong("a PROTOCOL value names an unknown protocol"))
                });
                only = Some(channels.collect::<Result<Vec<_>, _>>()?);
            }
            _ => {
                return Err(wrong(
                    "type is STRING, STRING_ARRAY or PROTOCOL, with a value of that type of 1 to 32 letters, digits and underscores",
                ));
            }
        }
    }
    Ok(only)
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    let list = value?.as_array().filter(|list| (1..=10).contains(&list.len()))?;
    list.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn attribute_name_fits(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.starts_with('_')
        && !name.ends_with('_')
        && !name.contains("__")
}

fn attribute_value_fits(value: &str) -> bool {
    (1..=32).contains(&value.chars().count()) && value.chars().all(|c| c.is_alphanumeric() || c == '_')
}
