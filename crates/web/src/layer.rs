//! What stands around every request: an id, a log line, safe headers.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use carillon_model::id::RequestId;
use tokio::time::Instant;

use crate::App;
use crate::api::error::ApiError;
use crate::serve::Peer;
use crate::smn::error::SmnError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id, answers with it, and writes one line. The query is left out: it may hold what a caller
/// looked for.
pub(crate) async fn frame(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.service.request_id();
    request.extensions_mut().insert(id);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let start = Instant::now();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(request = %id, %method, path, status = response.status().as_u16(), elapsed_ms, "answered");
    response
}

/// The request's id, given by [`frame`].
pub(crate) fn request_id(extensions: &axum::http::Extensions) -> Option<RequestId> {
    extensions.get::<RequestId>().copied()
}

/// The address that the request's connection comes from; without one, all such requests count as one client's.
pub(crate) fn client(extensions: &axum::http::Extensions) -> IpAddr {
    extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0)
}

/// Answers a path that nobody serves, in the dialect that its beginning names.
pub(crate) async fn not_found(State(app): State<App>, uri: Uri, request: Request) -> Response {
    if uri.path().starts_with("/console/") {
        return crate::console::not_found(&app, request).await;
    }
    let id = request_id(request.extensions());
    if uri.path().starts_with("/api/") {
        return ApiError::plain(StatusCode::NOT_FOUND, "not_found", "there is no such path")
            .with(id)
            .into_response();
    }
    SmnError::unknown_path().with(id).into_response()
}

/// Answers a method that a path does not have.
pub(crate) async fn method_not_allowed(uri: Uri, request: Request) -> Response {
    let id = request_id(request.extensions());
    if uri.path().starts_with("/api/") {
        let error = ApiError::plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "the path has no such method",
        );
        return error.with(id).into_response();
    }
    SmnError::unknown_path().with(id).into_response()
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    // Less work than its `Display`.
    let body = serde_json::to_vec(value).unwrap_or_else(|_never| value.to_string().into_bytes());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Says in an answer after how many seconds to try again.
pub(crate) fn with_wait(mut answer: Response, seconds: Option<u64>) -> Response {
    if let Some(seconds) = seconds {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
