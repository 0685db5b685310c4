//! The API's OpenAPI document.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::{delivery, message};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Carillon",
        description = "What SMN's API cannot tell: messages, deliveries, attempts. Every error is \
                       {code, message, field?, request_id}; every list is {items, next} and takes limit and after."
    ),
    paths(
        message::publish,
        message::list,
        message::show,
        message::deliveries,
        message::delivery,
        delivery::resend_one,
        delivery::resend,
        delivery::cancel_one,
        delivery::cancel,
        delivery::explain,
        message::who_am_i
    ),
    security(("token" = []))
)]
struct Document;

/// The OpenAPI document as pretty JSON.
#[must_use]
pub fn document() -> String {
    let mut document = Document::openapi();
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", token);
    document.to_pretty_json().unwrap_or_default()
}

/// `GET /api/openapi.json`: open to all.
pub(crate) async fn show() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], document()).into_response()
}
