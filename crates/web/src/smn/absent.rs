//! Calls that SMN has and this service does not offer: 501, with a sentence that says why. What can be answered
//! truthfully with an empty list is.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use serde_json::json;

use super::error::SmnError;
use super::{SmnCall, fields};
use crate::App;

/// The paths of what is absent, below a project and below a topic.
pub(super) fn routes(project: &str, topic: &str) -> Router<App> {
    let on = |path: &str, methods: MethodRouter<App>| Router::new().route(path, methods);
    let application = format!("{project}/notifications/applications");
    let endpoint = format!("{project}/notifications/endpoints/{{endpoint_urn}}");
    on(&format!("{topic}/notify-policy"), post(voice).get(voice))
        .merge(on(&format!("{topic}/notify-policy/{{notify_policy_id}}"), put(voice).delete(voice)))
        .merge(on(&format!("{topic}/kms"), post(keys).get(keys)))
        .merge(on(&format!("{topic}/kms/{{id}}"), put(keys).delete(keys)))
        .merge(on(&application, post(push).get(push)))
        .merge(on(&format!("{application}/{{application_urn}}"), get(push).put(push).delete(push)))
        .merge(on(&format!("{application}/{{application_urn}}/endpoints"), post(push).get(push)))
        .merge(on(&endpoint, get(push).put(push).delete(push)))
        .merge(on(&format!("{endpoint}/publish"), post(push)))
        .merge(on(&format!("{project}/notifications/sms"), post(sms)))
        .merge(on("/v2/notifications/cloud-services", get(no_services)))
        .merge(on("/v2/notifications/cloud_service", get(no_services)))
}

/// Notify policies are for voice calls.
async fn voice(call: SmnCall) -> SmnError {
    call.refuse(SmnError::absent("Voice calls are not offered, so there are no notification policies."))
}

/// What is sealed is sealed with the installation's own key.
async fn keys(call: SmnCall) -> SmnError {
    let text = "Keys of the cloud's key service are not offered. What is secret is sealed with the installation's own key.";
    call.refuse(SmnError::absent(text))
}

/// SMN itself retired it in December 2021.
async fn push(call: SmnCall) -> SmnError {
    call.refuse(SmnError::absent("Push to mobile applications is not offered; SMN itself has retired it."))
}

async fn sms(call: SmnCall) -> SmnError {
    call.refuse(SmnError::absent(
        "Short messages are not offered. Publish to a topic with chat subscriptions.",
    ))
}

/// `GET /v2/notifications/cloud-services`: no cloud service publishes here.
async fn no_services(call: SmnCall) -> Response {
    call.answer(StatusCode::OK, fields(json!({ "cloud_services": [] })))
}
