//! Log tanks (SMN API reference, "Cloud Log"): a hook into the operator's own delivery log.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::logtank::Logtank;
use carillon_model::{Field, Invalid};
use carillon_service::logtank::LogNames;
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields};
use crate::App;

/// A log tank as the list of a topic, and that of topics with their resources, shows it.
pub(super) fn shown(tank: &Logtank) -> Value {
    json!({
        "id": tank.id.to_string(),
        "log_group_id": tank.group,
        "log_stream_id": tank.stream,
        "create_time": tank.created_at.to_seconds_text(),
        "update_time": tank.updated_at.to_seconds_text(),
    })
}

fn read(call: &SmnCall) -> Result<LogNames, Invalid> {
    let body = call.0.object(Field::Body)?;
    let text = |name: &str| Ok::<_, Invalid>(field::text(&body, name, Field::Body)?.unwrap_or_default());
    Ok(LogNames { group: text("log_group_id")?, stream: text("log_stream_id")? })
}

/// `POST …/topics/{topic_urn}/logtanks`.
pub(crate) async fn create(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let made =
        async { app.service.create_logtank(&call.0.caller, call.0.path("topic_urn"), read(&call)?).await };
    let id = made.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::CREATED, fields(json!({ "id": id.to_string() }))))
}

/// `GET …/topics/{topic_urn}/logtanks`: oldest first.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = app.service.list_logtanks(&call.0.caller, call.0.path("topic_urn")).await;
    let found: Vec<Value> = found.map_err(|error| call.refuse(error))?.iter().map(shown).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "count": found.len(), "logtanks": found }))))
}

/// `PUT …/topics/{topic_urn}/logtanks/{logtank_id}`.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let changed = async {
        let (topic, id) = (call.0.path("topic_urn"), call.0.path("logtank_id"));
        app.service.change_logtank(&call.0.caller, topic, id, read(&call)?).await
    };
    let tank = changed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, fields(json!({ "logtank": shown(&tank) }))))
}

/// `DELETE …/topics/{topic_urn}/logtanks/{logtank_id}`.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let (topic, id) = (call.0.path("topic_urn"), call.0.path("logtank_id"));
    let removed = app.service.delete_logtank(&call.0.caller, topic, id).await;
    removed.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}
