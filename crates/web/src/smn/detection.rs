//! Whether a web endpoint answers (SMN API reference, "HTTP detection").

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::subscription::Extension;
use carillon_model::{Field, Invalid};
use carillon_service::detection::Detected;
use serde_json::{Value, json};

use super::error::SmnError;
use super::subscription::read_extension;
use super::{SmnCall, field, fields, protocol};
use crate::App;

/// `POST …/topics/{topic_urn}/detection`: asks at once, so that the task is done when its id is known.
pub(crate) async fn begin(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let begun = async {
        let body = call.0.object(Field::Endpoint)?;
        let name = field::text(&body, "protocol", Field::Protocol)?
            .ok_or_else(|| Invalid::new(Field::Protocol, "protocol is missing"))?;
        let endpoint = field::text(&body, "endpoint", Field::Endpoint)?
            .ok_or_else(|| Invalid::new(Field::Endpoint, "endpoint is missing"))?;
        let extension = match body.get("extension") {
            None | Some(Value::Null) => Extension::default(),
            Some(Value::Object(extension)) => read_extension(extension)?,
            Some(_) => {
                return Err(Invalid::new(Field::Extension, "extension must be an object").into());
            }
        };
        let channel = protocol::channel(&name)?;
        let topic_urn = call.0.path("topic_urn");
        app.service.detect(&call.0.caller, topic_urn, channel, &endpoint.into(), extension).await
    };
    let task = begun.await.map_err(|error: carillon_service::Error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, fields(json!({ "task_id": task.to_string() }))))
}

/// `GET …/topics/{topic_urn}/detection/{task_id}`.
pub(crate) async fn show(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = app.service.detected(&call.0.caller, call.0.path("topic_urn"), call.0.path("task_id")).await;
    let (status, code, text) = told(found.map_err(|error| call.refuse(error))?);
    let detail = json!({ "httpCode": code, "httpResponse": text });
    Ok(call.answer(StatusCode::OK, fields(json!({ "status": status, "detail": detail }))))
}

/// SMN's numbers, with its own words where the endpoint said nothing or all is well.
fn told(detected: Detected) -> (i64, i64, String) {
    match detected {
        Detected::Answered { status, .. } if (200..300).contains(&status) => {
            (0, i64::from(status), "The endpoint answered.".to_owned())
        }
        Detected::Answered { status, text } => (0, i64::from(status), text),
        Detected::Silent => (0, -1, "The endpoint did not answer within 5 seconds.".to_owned()),
        Detected::Forbidden => (0, 0, "The endpoint lies in a network that is not reached.".to_owned()),
        Detected::Crowded => (2, -2, "Too many detections are under way, try again.".to_owned()),
    }
}
