//! Master keys, for the installation's operator.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// A master key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MasterKey {
    /// Its id, as it stands in the key file.
    id: String,
    /// Whether it seals what is sealed now.
    active: bool,
    /// How many values it has sealed.
    sealed: u64,
}

/// The master keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MasterKeys {
    /// Oldest first.
    keys: Vec<MasterKey>,
}

/// A rotation that goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rotation {
    /// Whether a new key seals now; else an earlier rotation was not finished.
    fresh: bool,
}

/// What a portion did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Portion {
    /// How many values were sealed anew.
    sealed: u64,
    /// What to give as `after` for the next portion; null when all were looked at.
    next: Option<String>,
}

/// How a rotation ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RotationEnd {
    /// How many values are sealed by old keys still.
    left: u64,
}

/// Keys that went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetiredKeys {
    /// Their ids.
    retired: Vec<String>,
}

/// Lists the master keys.
#[utoipa::path(get, path = "/api/v1/master-keys", tag = "master keys",
    responses((status = 200, body = MasterKeys), (status = 401),
              (status = 403, description = "the caller is not the operator")))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = app.service.master_keys(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    let shown = found.into_iter().map(|key| MasterKey { id: key.id, active: key.active, sealed: key.sealed });
    Ok(ok(StatusCode::OK, &MasterKeys { keys: shown.collect() }))
}

/// Makes a new master key the one that seals. What older ones have sealed is sealed anew by the steps.
#[utoipa::path(post, path = "/api/v1/master-keys/rotation", tag = "master keys",
    responses((status = 200, body = Rotation), (status = 401),
              (status = 403, description = "the caller is not the operator"),
              (status = 409, description = "other servers need the new key first, or the key file cannot be written")))]
pub(crate) async fn begin(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let fresh = app.service.begin_rotation(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Rotation { fresh }))
}

/// Seals a portion anew. Begins where the step before ended; without `after`, from the beginning.
#[utoipa::path(post, path = "/api/v1/master-keys/rotation/step", tag = "master keys",
    params(("after" = Option<String>, Query, description = "the `next` of the step before")),
    responses((status = 200, body = Portion), (status = 401),
              (status = 403, description = "the caller is not the operator")))]
pub(crate) async fn step(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let done = app.service.step_rotation(&call.0.caller, call.0.query("after")).await;
    let done = done.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Portion { sealed: done.done, next: done.next }))
}

/// Takes what old keys have sealed out of the database's files, when nothing is in use of it any more.
#[utoipa::path(post, path = "/api/v1/master-keys/rotation/end", tag = "master keys",
    responses((status = 200, body = RotationEnd), (status = 401),
              (status = 403, description = "the caller is not the operator"),
              (status = 503, description = "done, but another program reads the database")))]
pub(crate) async fn end(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let left = app.service.end_rotation(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &RotationEnd { left }))
}

/// Takes every key out of the key file that seals nothing any more, but the one in use.
#[utoipa::path(post, path = "/api/v1/master-keys/retire", tag = "master keys",
    responses((status = 200, body = RetiredKeys), (status = 401),
              (status = 403, description = "the caller is not the operator"),
              (status = 409, description = "something is sealed by them still, or the key file cannot be written")))]
pub(crate) async fn retire(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let retired = app.service.retire_master_keys(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &RetiredKeys { retired }))
}
