//! Is it alive, is it ready, numbers for the operator.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::api::ApiCall;

/// The process answers. Open to all; says nothing else.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// A publish would be accepted. Open to all; says nothing else.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.service.check().await {
        Ok(()) => (StatusCode::OK, "ready\n").into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}

/// The numbers, for whoever has a token.
pub(crate) async fn metrics(State(app): State<App>, _call: ApiCall) -> Response {
    numbers(&app)
}

/// The numbers without a token, on a listener of their own.
pub(crate) async fn open_metrics(State(app): State<App>) -> Response {
    numbers(&app)
}

fn numbers(app: &App) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], (app.write_metrics)()).into_response()
}
