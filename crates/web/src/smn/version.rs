//! Versions and catalogues.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Channel;
use serde_json::{Value, json};

use super::protocol::PROTOCOLS;
use super::{SmnCall, fields};
use crate::{App, layer};

fn version() -> Value {
    json!({
        "id": "v2",
        "min_version": "",
        "status": "CURRENT",
        "updated": "2018-09-19T00:00:00Z",
        "version": "",
        "links": [{ "href": "/v2", "rel": "self" }],
    })
}

/// `GET /`: open to all, as on the cloud.
pub(crate) async fn list() -> Response {
    layer::json(StatusCode::OK, &json!({ "versions": [version()] }))
}

/// `GET /v2`: open to all, as on the cloud.
pub(crate) async fn show() -> Response {
    layer::json(StatusCode::OK, &json!({ "version": version() }))
}

/// `GET /v2/notifications/protocols`: those of SMN's that the operator has set up; `office` is our own.
pub(crate) async fn protocols(State(app): State<App>, call: SmnCall) -> Response {
    let known = PROTOCOLS.iter().filter(|(_, channel)| *channel != Channel::Office);
    let offered = known.filter(|(_, channel)| app.service.offers(*channel));
    let names: Vec<&str> = offered.map(|(name, _)| *name).collect();
    call.answer(StatusCode::OK, fields(json!({ "protocols": names })))
}
