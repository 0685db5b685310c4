//! Versions and catalogues.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use carillon_model::Channel;
use serde_json::{Value, json};

use super::protocol::PROTOCOLS;
use super::{SmnCall, base, fields, iam};
use crate::{App, layer};

fn version(base: &str) -> Value {
    json!({
        "id": "v2",
        "min_version": "",
        "status": "CURRENT",
        "updated": "2018-09-19T00:00:00Z",
        "version": "",
        "links": [{ "href": format!("{base}/v2"), "rel": "self" }],
    })
}

/// `GET /`: open to all, as on the cloud. The IAM's version stands behind SMN's, for clients that look for where to
/// sign in from the server's address alone.
pub(crate) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = base(&app, iam::host(&headers));
    let versions = json!([version(&base), iam::about(&base, "SUPPORTED")]);
    layer::json(StatusCode::OK, &json!({ "versions": versions }))
}

/// `GET /v2`: open to all, as on the cloud.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    let base = base(&app, iam::host(&headers));
    layer::json(StatusCode::OK, &json!({ "version": version(&base) }))
}

/// `GET /v2/notifications/protocols`: those of SMN's that the operator has set up; `office` is our own.
pub(crate) async fn protocols(State(app): State<App>, call: SmnCall) -> Response {
    let known = PROTOCOLS.iter().filter(|(_, channel)| *channel != Channel::Office);
    let offered = known.filter(|(_, channel)| app.service.offers(*channel));
    let names: Vec<&str> = offered.map(|(name, _)| *name).collect();
    call.answer(StatusCode::OK, fields(json!({ "protocols": names })))
}
