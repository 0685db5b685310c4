//! Statistics of a topic. SMN counts short messages only; there are none here, so every hour has 0.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::{Field, Invalid, Timestamp, limits};
use serde_json::{Value, json};

use super::error::SmnError;
use super::{SmnCall, fields};
use crate::App;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// `GET …/topics/{topic_urn}/statistics`: one count for each hour from `start_time` up to `end_time`.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let (start, end) = span(&call, app.service.now()).map_err(|error| call.refuse(error))?;
    let topic = app.service.topic(&call.0.caller, call.0.path("topic_urn")).await;
    topic.map_err(|error| call.refuse(error))?;
    let mut hours = Vec::new();
    let mut hour = start;
    while hour < end {
        hours.push(json!({ "count": { "sms": 0 }, "start_time": hour.to_seconds_text() }));
        hour = hour.plus(HOUR);
    }
    let answer = json!({ "total": { "sms": 0 }, "statistics": Value::Array(hours) });
    Ok(call.answer(StatusCode::OK, fields(answer)))
}

fn whole_hour(call: &SmnCall, name: &str, field: Field) -> Result<Timestamp, Invalid> {
    let moment = call.0.query(name).and_then(Timestamp::from_seconds_text);
    moment
        .filter(|moment| moment.seconds().rem_euclid(3600) == 0)
        .ok_or_else(|| Invalid::new(field, "must be a whole hour of UTC, YYYY-MM-DDTHH:00:00Z"))
}

fn span(call: &SmnCall, now: Timestamp) -> Result<(Timestamp, Timestamp), Invalid> {
    let start = whole_hour(call, "start_time", Field::StartTime)?;
    let end = whole_hour(call, "end_time", Field::EndTime)?;
    if end <= start {
        return Err(Invalid::new(Field::TimeSpan, "end_time must be later than start_time"));
    }
    // The hour that is passing may be asked about from its beginning to its end.
    if now.since(start) > limits::STATISTICS_SPAN.saturating_add(HOUR) || end > now.plus(HOUR) {
        return Err(Invalid::new(Field::TimeRange, "must lie within the last 31 days"));
    }
    Ok((start, end))
}
