//! Publishing.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::filter::Attributes;
use carillon_model::message::{Body, Content, Locale};
use carillon_model::template::Values;
use carillon_model::{Channel, Field, Invalid, limits};
use carillon_service::Error;
use carillon_service::publish::Publish;
use carillon_service::template::ByTemplate;
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
        publish.idempotency_key = call.0.idempotency_key().map(Cow::into_owned);
        app.service.publish(&call.0.caller, call.0.path("topic_urn"), publish).await
    };
    let published = published.await.map_err(|error| {
        if let Error::Invalid(invalid) = &error
            && invalid.field == Field::TemplateName
        {
            return call.refuse(SmnError::template_of_publish(invalid));
        }
        call.refuse(error)
    })?;
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
    let name =
        field::text(body, "message_template_name", Field::TemplateName)?.filter(|name| !name.is_empty());
    let message = field::text(body, "message", Field::Message)?;
    let mut template = None;
    let mut content = match (structure_text(body)?, name, message) {
        (Some(text), _, _) => structure::read(&text)?,
        (None, Some(name), _) => {
            template = Some(ByTemplate { name, values: values(body)? });
            Content::default()
        }
        (None, None, Some(message)) => Content { default: Body::text(message), ..Content::default() },
        (None, None, None) => {
            let rule = "one of message, message_structure and message_template_name must be given";
            return Err(Invalid::new(Field::Message, rule).into());
        }
    };
    content.subject = subject;
    let Given { only, attributes } = attributes(body)?;
    content.only = only;
    Ok(Publish {
        content,
        template,
        attributes,
        time_to_live: field::number(body, "time_to_live", Field::TimeToLive)?,
        locale: locale(body)?,
        ..Publish::default()
    })
}

/// `tags`: what stands in the place of a template's placeholders. Without a template they have no meaning.
fn values(body: &Map<String, Value>) -> Result<Values, Invalid> {
    let wrong = || Invalid::new(Field::PlaceholderValues, "must be an object of texts");
    let object = match body.get("tags") {
        None | Some(Value::Null) => return Ok(Values::default()),
        Some(value) => value.as_object().ok_or_else(wrong)?,
    };
    let pair = |(name, value): (&String, &Value)| {
        value.as_str().map(|value| (name.clone(), value.to_owned())).ok_or_else(wrong)
    };
    Values::new(object.iter().map(pair).collect::<Result<_, _>>()?)
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

/// What the attributes say: which channels one of type PROTOCOL leaves, and what the others are to be filtered by.
#[derive(Default)]
struct Given {
    only: Option<Vec<Channel>>,
    attributes: Attributes,
}

fn attributes(body: &Map<String, Value>) -> Result<Given, Invalid> {
    let wrong = |rule: &'static str| Invalid::new(Field::MessageAttributes, rule);
    let list = match body.get("message_attributes") {
        None | Some(Value::Null) => return Ok(Given::default()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong("must be a list of objects with name, type and value")),
    };
    if list.len() > limits::MESSAGE_ATTRIBUTES_MAX {
        return Err(wrong("at most 10 attributes are taken"));
    }
    let mut given = Given::default();
    for attribute in list {
        let object = attribute.as_object().ok_or_else(|| wrong("each attribute must be an object"))?;
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        let (kind, value) = (object.get("type").and_then(Value::as_str), object.get("value"));
        match (kind, value) {
            (Some("STRING"), Some(Value::String(text))) => {
                given.attributes.add(name, std::slice::from_ref(text))?;
            }
            (Some("STRING_ARRAY"), Some(list @ Value::Array(_))) => {
                let texts =
                    field::texts(list).ok_or_else(|| wrong("a STRING_ARRAY value is a list of texts"))?;
                given.attributes.add(name, &texts)?;
            }
            (Some("PROTOCOL"), Some(list)) => {
                // Any value that keeps its rule will do: it is the name that is checked.
                Attributes::default().add(name, &["x".to_owned()])?;
                given.only = Some(channels(list)?);
            }
            _ => {
                return Err(wrong(
                    "type is STRING, STRING_ARRAY or PROTOCOL, with a value of that type of 1 to 32 letters, digits and underscores",
                ));
            }
        }
    }
    Ok(given)
}

fn channels(list: &Value) -> Result<Vec<Channel>, Invalid> {
    let wrong = |rule: &'static str| Invalid::new(Field::MessageAttributes, rule);
    let names = field::texts(list).filter(|names| (1..=10).contains(&names.len()));
    let names = names.ok_or_else(|| wrong("a PROTOCOL value is a list of 1 to 10 protocol names"))?;
    let known = names.iter().filter(|name| !protocol::OTHERS.contains(&name.as_str()));
    let channel = |name: &String| {
        protocol::channel(name).map_err(|_rule| wrong("a PROTOCOL value names an unknown protocol"))
    };
    known.map(channel).collect()
}
