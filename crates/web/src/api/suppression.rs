//! Topics that send nothing that says the same again for a while.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_service::Error;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// For how long a topic sends nothing that says the same again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suppression {
    /// In seconds, up to a day, from the message that was sent on; 0: everything is sent.
    seconds: u64,
}

/// Tells for how long a topic sends nothing that says the same again.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/suppression", tag = "messages",
    params(("topic" = String, Path, description = "a topic's name or URN")),
    responses((status = 200, body = Suppression), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let urn = app.service.topic_urn(&call.0.caller, call.0.path("topic"))?;
        app.service.topic_suppression(&call.0.caller, &urn).await
    };
    let seconds = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Suppression { seconds }))
}

/// Sets for how long a topic sends nothing that says the same again: content, attributes and priority. What is left out is
/// recorded as a message without deliveries.
#[utoipa::path(put, path = "/api/v1/topics/{topic}/suppression", tag = "messages",
    params(("topic" = String, Path, description = "a topic's name or URN")), request_body = Suppression,
    responses((status = 200, body = Suppression), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn set(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let set = async {
        let new: Suppression = call.body()?;
        let urn = app.service.topic_urn(&call.0.caller, call.0.path("topic"))?;
        app.service.set_topic_suppression(&call.0.caller, &urn, new.seconds).await?;
        Ok::<_, Error>(new)
    };
    let new = set.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &new))
}
