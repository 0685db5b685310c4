//! Message templates.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::template::{DEFAULT_PROTOCOL, Template};
use carillon_model::{Channel, Field, Invalid};
use carillon_service::TemplateFilter;
use carillon_service::template::NewTemplate;
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields, protocol};
use crate::App;

fn shown(template: &Template) -> Map<String, Value> {
    fields(json!({
        "message_template_id": template.id.to_string(),
        "message_template_name": template.name.as_str(),
        "protocol": template.protocol,
        "tag_names": template.placeholders,
        "create_time": template.created_at.to_seconds_text(),
        "update_time": template.updated_at.to_seconds_text(),
    }))
}

/// The channel of a template's protocol. SMN documents `default`, `email`, `sms`, `functionstage`, `http` and `https`;
/// those of the chats are taken too, and what nobody can subscribe by has no channel.
pub(crate) fn channel(name: &str) -> Result<Option<Channel>, Invalid> {
    if name == DEFAULT_PROTOCOL {
        return Ok(None);
    }
    match protocol::channel(name) {
        Ok(channel) => Ok(Some(channel)),
        Err(_none) if protocol::OTHERS.contains(&name) => Ok(None),
        Err(_unknown) => Err(Invalid::new(Field::Protocol, "must be default or the name of a protocol")),
    }
}

/// `POST …/notifications/message_template`.
pub(crate) async fn create(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let made = async {
        let body = call.0.object(Field::TemplateContent)?;
        let protocol = field::text(&body, "protocol", Field::Protocol)?.filter(|name| !name.is_empty());
        let protocol = protocol.unwrap_or_else(|| DEFAULT_PROTOCOL.to_owned());
        let new = NewTemplate {
            name: field::text(&body, "message_template_name", Field::TemplateName)?
                .ok_or_else(|| Invalid::new(Field::TemplateName, "is missing"))?,
            channel: channel(&protocol)?,
            protocol,
            content: content(&body)?,
        };
        app.service.create_template(&call.0.caller, new).await
    };
    let id = made.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::CREATED, fields(json!({ "message_template_id": id.to_string() }))))
}

fn content(body: &Map<String, Value>) -> Result<String, Invalid> {
    field::text(body, "content", Field::TemplateContent)?
        .ok_or_else(|| Invalid::new(Field::TemplateContent, "is missing"))
}

/// `GET …/notifications/message_template`: oldest first; name and protocol are exact.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let listed = async {
        let page = field::page(&call.0)?;
        let query = |name: &str| call.0.query(name).map(str::to_owned);
        let filter = TemplateFilter { name: query("message_template_name"), protocol: query("protocol") };
        app.service.list_templates(&call.0.caller, filter, page).await
    };
    let (count, found) = listed.await.map_err(|error| call.refuse(error))?;
    let found: Vec<Value> = found.iter().map(|template| Value::Object(shown(template))).collect();
    let answer = json!({ "message_template_count": count, "message_templates": found });
    Ok(call.answer(StatusCode::OK, fields(answer)))
}

/// `GET …/message_template/{message_template_id}`.
pub(crate) async fn show(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = app.service.template(&call.0.caller, call.0.path("message_template_id")).await;
    let (template, content) = found.map_err(|error| call.refuse(error))?;
    let mut answer = shown(&template);
    answer.insert("content".to_owned(), content.into());
    Ok(call.answer(StatusCode::OK, answer))
}

/// `PUT …/message_template/{message_template_id}`: gives it another text.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let changed = async {
        let content = content(&call.0.object(Field::TemplateContent)?)?;
        app.service.rewrite_template(&call.0.caller, call.0.path("message_template_id"), content).await
    };
    changed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}

/// `DELETE …/message_template/{message_template_id}`.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let gone = app.service.delete_template(&call.0.caller, call.0.path("message_template_id")).await;
    gone.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}
