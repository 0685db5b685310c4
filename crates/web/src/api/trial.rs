//! Before something is done: what a message would become, and a test message to where a subscription would lead.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::message::Locale;
use carillon_model::template::DEFAULT_PROTOCOL;
use carillon_model::{Field, Invalid};
use carillon_service::trial::{Form, Preview, Trial};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::{NewMessage, ShownAdvice, wanted};
use super::{ApiCall, ok};
use crate::App;
use crate::smn::{read_subscribe, template_channel};

/// One part of a message as its chat would show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPart {
    /// The heading, where it stands apart from the text.
    title: Option<String>,
    /// The text, in the platform's own dialect.
    text: String,
    /// Whether the platform reads the text as Markdown.
    markdown: bool,
}

/// What a message would become on one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownForm {
    /// The channel, such as `lark`.
    channel: &'static str,
    /// How many subscriptions would get it there.
    recipients: usize,
    /// The parts in which it would be sent; empty when it cannot be sent there.
    parts: Vec<ShownPart>,
    /// What to change so that it can be sent there.
    advice: Option<ShownAdvice>,
}

/// What a publish would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPreview {
    /// How many subscriptions would get it.
    recipients: usize,
    /// How many subscriptions of the topic are in force.
    subscribed: usize,
    /// What it would become: on DingTalk, Lark and WeCom, and on every other channel of a recipient.
    channels: Vec<ShownForm>,
}

impl From<Form> for ShownForm {
    fn from(form: Form) -> Self {
        let (parts, advice) = match form.parts {
            Ok(parts) => (parts, None),
            Err(advice) => (Vec::new(), Some(ShownAdvice::from(advice))),
        };
        let part = |part: carillon_service::trial::Shown| ShownPart {
            title: part.title,
            text: part.text,
            markdown: part.markdown,
        };
        Self {
            channel: form.channel.name(),
            recipients: form.recipients,
            parts: parts.into_iter().map(part).collect(),
            advice,
        }
    }
}

impl From<Preview> for ShownPreview {
    fn from(preview: Preview) -> Self {
        Self {
            recipients: preview.recipients,
            subscribed: preview.subscribed,
            channels: preview.forms.into_iter().map(ShownForm::from).collect(),
        }
    }
}

/// Tells what a publish would do: who would get it, and in which parts each channel would show it. Nothing is stored or
/// sent.
#[utoipa::path(post, path = "/api/v1/messages/preview", tag = "messages", request_body = NewMessage,
    responses((status = 200, body = ShownPreview), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn preview(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let previewed = async {
        let new: NewMessage = call.body()?;
        let urn = app.service.topic_urn(&call.0.caller, new.topic())?;
        app.service.preview(&call.0.caller, &urn, &wanted(new)?).await
    };
    let previewed = previewed.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &ShownPreview::from(previewed)))
}

/// A template that is only looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLook {
    /// The text with its placeholders.
    content: String,
    /// Whose variant it is to be: `default`, or a protocol such as `feishu`.
    #[serde(default = "default_protocol")]
    #[schema(value_type = Option<String>, example = "default")]
    protocol: String,
    /// What stands in the placeholders' places. One without a value is shown as it is written.
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// The language of what the service itself says in it, `en-us` or `zh-cn`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "en-us")]
    locale: Locale,
}

fn default_protocol() -> String {
    DEFAULT_PROTOCOL.to_owned()
}

/// What a template's text would become.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownLook {
    /// On its own channel, or on each chat when it is the default one; nobody would get it yet.
    channels: Vec<ShownForm>,
}

/// Shows what a template's text would become in each chat. Nothing is stored or sent.
#[utoipa::path(post, path = "/api/v1/templates/preview", tag = "messages", request_body = NewLook,
    responses((status = 200, body = ShownLook), (status = 400), (status = 401)))]
pub(crate) async fn look(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let looked = (|| {
        let new: NewLook = call.body()?;
        let channel = template_channel(&new.protocol)?;
        app.service.preview_template(&call.0.caller, channel, &new.content, new.values, new.locale)
    })();
    let channels = looked.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &ShownLook { channels: channels.into_iter().map(ShownForm::from).collect() }))
}

/// A subscription that is only tried: the fields of SMN's subscribe call, and the topic.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read as an object, by the rules of SMN's call; this is its description")]
pub(crate) struct NewTrial {
    /// The topic, by URN or by name within the caller's project.
    topic: String,
    /// The protocol, such as `feishu`.
    protocol: String,
    /// The address.
    endpoint: String,
    /// What goes with it, such as `sign_secret`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    extension: Option<Map<String, Value>>,
    /// The language of the test message, `en-us` or `zh-cn`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "en-us")]
    locale: Locale,
}

/// What came of a test message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownTrial {
    /// Whether the far end took it.
    arrived: bool,
    /// The far end's code.
    code: Option<String>,
    /// The far end's words, without secrets.
    text: Option<String>,
    /// What to change; what it means, when it arrived.
    advice: ShownAdvice,
}

impl From<Trial> for ShownTrial {
    fn from(trial: Trial) -> Self {
        Self { arrived: trial.arrived, code: trial.code, text: trial.text, advice: trial.advice.into() }
    }
}

/// Sends a test message to where a subscription would lead. Nothing is stored or tried again; a web endpoint is only asked
/// whether it answers.
#[utoipa::path(post, path = "/api/v1/subscriptions/test", tag = "endpoints", request_body = NewTrial,
    responses((status = 200, body = ShownTrial), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn test(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let tried = async {
        let body = call.0.object(Field::Message)?;
        let topic = body.get("topic").and_then(Value::as_str);
        let topic = topic.ok_or_else(|| Invalid::new(Field::TopicUrn, "is missing"))?;
        let locale = if body.get("locale").and_then(Value::as_str) == Some("zh-cn") {
            Locale::Chinese
        } else {
            Locale::English
        };
        let urn = app.service.topic_urn(&call.0.caller, topic)?;
        let subscribe = read_subscribe(&body)?;
        app.service.try_subscription(&call.0.caller, &urn, &subscribe, locale).await
    };
    let tried = tried.await.map_err(|error: carillon_service::Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &ShownTrial::from(tried)))
}
