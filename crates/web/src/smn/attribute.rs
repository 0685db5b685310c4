//! Attributes of topics: `access_policy` and `introduction`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::topic::{Attribute, Attributes, Topic};
use carillon_model::{Field, Invalid};
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields};
use crate::App;

/// All attributes as `ListTopicAttributes` shows them; the times are the topic's.
fn all(topic: &Topic, attributes: &Attributes) -> Value {
    json!({
        "access_policy": attributes.access_policy,
        "introduction": attributes.introduction,
        "create_time": topic.created_at.to_seconds_text(),
        "update_time": topic.updated_at.to_seconds_text(),
    })
}

/// Attributes as a topic with its associated resources shows them.
pub(super) fn associated(topic: &Topic, attributes: &Attributes) -> Value {
    json!({
        "access_policy": attributes.access_policy,
        "create_time": topic.created_at.to_seconds_text(),
        "update_time": topic.updated_at.to_seconds_text(),
    })
}

/// `GET …/topics/{topic_urn}/attributes`: all, or the one that the query names.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let (urn, name) = (call.0.path("topic_urn"), call.0.query("name"));
    let found = app.service.topic_attributes(&call.0.caller, urn, name).await;
    let (named, mut attributes, wanted) = found.map_err(|error| call.refuse(error))?;
    let shown = match wanted {
        None => all(&named.topic, &attributes),
        Some(one) => one_of(one, &mut attributes),
    };
    Ok(call.answer(StatusCode::OK, fields(json!({ "attributes": shown }))))
}

fn one_of(one: Attribute, attributes: &mut Attributes) -> Value {
    json!({ one.name(): attributes.get_mut(one) })
}

/// `PUT …/topics/{topic_urn}/attributes/{name}`.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let changed = async {
        let body = call.0.object(Field::AccessPolicy)?;
        let value = field::text(&body, "value", Field::AccessPolicy)?
            .ok_or_else(|| Invalid::new(Field::AccessPolicy, "value is missing"))?;
        let (urn, name) = (call.0.path("topic_urn"), call.0.path("name"));
        app.service.set_topic_attribute(&call.0.caller, urn, name, value).await
    };
    changed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}

/// `DELETE …/topics/{topic_urn}/attributes/{name}`.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    removed(&app, &call, Some(call.0.path("name"))).await
}

/// `DELETE …/topics/{topic_urn}/attributes`: all of them.
pub(crate) async fn remove_all(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    removed(&app, &call, None).await
}

async fn removed(app: &App, call: &SmnCall, name: Option<&str>) -> Result<Response, SmnError> {
    let gone = app.service.delete_topic_attributes(&call.0.caller, call.0.path("topic_urn"), name).await;
    gone.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}
