//! `/callbacks/{connection}`: what platforms tell by themselves. Nobody signs in for it: the proof is in it.

use std::collections::HashMap;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_model::id::ConnectionId;
use carillon_service::callback::{CALLBACK_PATH, Hearing};
use http_body_util::{BodyExt, Limited};

use crate::App;
use crate::call::query;

/// The largest body that is read, in bytes; an event of a directory has a few hundred.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The path of the routes.
pub(crate) fn path() -> String {
    format!("{CALLBACK_PATH}{{connection_id}}")
}

/// Hears one. A refusal says nothing but that it is refused.
pub(crate) async fn hear(State(app): State<App>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(id) = ConnectionId::parse(&id) else { return refused(StatusCode::NOT_FOUND) };
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let query: HashMap<String, String> = query(parts.uri.query().unwrap_or_default());
    let headers: HeaderMap = parts.headers;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match app.service.hear(id, &query, &header, &body.to_bytes()).await {
        Ok(Hearing::Answer { text, json }) => {
            let kind = if json { "application/json" } else { "text/plain; charset=utf-8" };
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Ok(Hearing::Unproved) => refused(StatusCode::FORBIDDEN),
        Ok(Hearing::Unknown) => refused(StatusCode::NOT_FOUND),
        // Platforms tell again what was not taken.
        Err(error) => {
            tracing::error!(connection = %id, %error, "what was told of an office app cannot be noted");
            refused(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn refused(status: StatusCode) -> Response {
    (status, "refused\n").into_response()
}
