//! How a connection's change events stand, and what proves them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::SecretText;
use carillon_service::Error;
use carillon_service::callback::Callbacks;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::connection_id;
use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// What proves that an event is the platform's. It is sealed and never shown again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecrets {
    /// Lark's verification token, `WeCom`'s Token, `DingTalk`'s token.
    #[schema(value_type = String)]
    token: SecretText,
    /// Lark's encrypt key, `WeCom`'s `EncodingAESKey`, `DingTalk`'s AES key.
    #[schema(value_type = String)]
    key: SecretText,
}

/// New secrets, or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCallback {
    /// The secrets; null believes no event any more.
    callback: Option<NewSecrets>,
}

/// How a connection's change events stand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownCallback {
    /// Whether what proves them is set.
    set: bool,
    /// The address for the app's page; only a path where `--public-url` is not set.
    url: String,
    /// When something was heard last.
    heard_at: Option<String>,
    /// What it was, in the platform's words.
    heard: Option<String>,
    /// When the directory is read for what was heard.
    update_due_at: Option<String>,
}

fn shown(found: Callbacks) -> ShownCallback {
    let text = |at: Option<carillon_model::Timestamp>| at.map(|at| at.to_millis_text());
    ShownCallback {
        set: found.state.set,
        url: found.url,
        heard_at: text(found.state.heard_at),
        heard: found.state.heard,
        update_due_at: text(found.state.update_due_at),
    }
}

/// Shows how a connection's change events stand.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/callback", tag = "office",
    params(("connection_id" = String, Path)),
    responses((status = 200, body = ShownCallback), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async { app.service.callbacks(&call.0.caller, connection_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found)))
}

/// Sets what proves a connection's change events.
#[utoipa::path(put, path = "/api/v1/connections/{connection_id}/callback", tag = "office",
    params(("connection_id" = String, Path)), request_body = NewCallback,
    responses((status = 200, body = ShownCallback), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn set(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let set = async {
        let (id, new): (_, NewCallback) = (connection_id(&call)?, call.body()?);
        let secrets = new.callback.map(|secrets| (secrets.token, secrets.key));
        app.service.set_callback(&call.0.caller, id, secrets).await
    };
    let found = set.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found)))
}
