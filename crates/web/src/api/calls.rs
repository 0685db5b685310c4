//! Calls per month.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Timestamp;
use carillon_model::office::calls::{Limit, Month, without_reserve};
use carillon_model::{Field, Invalid};
use carillon_service::Error;
use carillon_service::calls::{Counted, MonthOfCalls, ROBOTS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// What was called in a month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownMonth {
    /// The month, such as `2026-11`, in China's time.
    month: String,
    /// How many calls were made.
    used: u64,
}

/// A month of calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownCalls {
    /// What the limit is set by: the connection's id, or `dingtalk_robots`.
    of: String,
    /// The connection's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `lark`, `feishu`, `dingtalk` or `wecom`.
    platform: &'static str,
    /// The month, such as `2026-11`, in China's time.
    month: String,
    /// When the next month begins and counting starts again.
    ends_at: String,
    /// How many calls were made so far, by all servers.
    used: u64,
    /// How many may be made; null where there is no limit.
    limit: Option<u64>,
    /// `default`: the platform's smallest plan, for warnings only. `set`: somebody set it, what is more is held back.
    /// `none`: somebody said that there is none.
    limit_is: &'static str,
    /// How many of the limit only urgent messages may use, where it was set.
    reserve: Option<u64>,
    /// How many it will be by the month's end: what was made so far, divided by the days so far (one at least), times the
    /// days of the month.
    forecast: u64,
    /// How many days of the month are over.
    days: f64,
    /// `calm`; `near`: use or forecast is at 80 percent of the limit; `over`: at all of it, or the platform refuses.
    level: &'static str,
    /// Until when the platform itself refuses every call for want of quota.
    refused_until: Option<String>,
    /// The months before that are known, latest first.
    before: Vec<ShownMonth>,
}

/// Months of calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallsPage {
    /// One for each connection, oldest first, and one for the project's `DingTalk` robots.
    calls: Vec<ShownCalls>,
    /// Always null: there are at most 101.
    next: Option<String>,
}

/// A new limit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLimit {
    /// How many calls a month: a number, `"none"` for no limit, `"default"` for the platform's.
    #[schema(value_type = Object)]
    limit: serde_json::Value,
}

impl NewLimit {
    fn read(&self) -> Result<Limit, Invalid> {
        let text = self.limit.as_str();
        let number = self.limit.as_u64().or_else(|| text.and_then(|text| text.trim().parse().ok()));
        match (text, number) {
            (Some("none"), _) => Ok(Limit::Unlimited),
            (Some("default"), _) => Ok(Limit::Default),
            (_, Some(calls)) => Ok(Limit::Calls(calls)),
            _ => Err(Invalid::new(Field::CallsLimit, "limit must be a number of calls, none, or default")),
        }
    }
}

fn month((month, used): (Month, u64)) -> ShownMonth {
    ShownMonth { month: month.name(), used }
}

#[expect(clippy::cast_precision_loss, reason = "a month has few days")]
fn shown(found: MonthOfCalls, now: Timestamp) -> ShownCalls {
    let MonthOfCalls { of, usage, before } = found;
    let (of, name, platform) = match of {
        Counted::Connection { id, name, platform } => (id.to_string(), Some(name), platform.name()),
        Counted::Robots => (ROBOTS.to_owned(), None, "dingtalk"),
    };
    let (limit_is, reserve) = match usage.limit {
        Limit::Default => ("default", None),
        Limit::Unlimited => ("none", None),
        Limit::Calls(most) => ("set", Some(most - without_reserve(most))),
    };
    ShownCalls {
        of,
        name,
        platform,
        month: usage.month.name(),
        ends_at: usage.month.end().to_millis_text(),
        used: usage.used,
        limit: usage.most(),
        limit_is,
        reserve,
        forecast: usage.forecast(now),
        days: usage.tenths_of_days(now) as f64 / 10.0,
        level: usage.level(now).name(),
        refused_until: usage.refused_until.map(|until| until.to_millis_text()),
        before: before.into_iter().map(month).collect(),
    }
}

/// Lists the calls of this month, by connection, with limit and forecast.
#[utoipa::path(get, path = "/api/v1/calls", tag = "office",
    responses((status = 200, body = CallsPage), (status = 401)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = app.service.list_calls(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    let now = app.service.now();
    let calls = found.into_iter().map(|one| shown(one, now)).collect();
    Ok(ok(StatusCode::OK, &CallsPage { calls, next: None }))
}

/// Shows the calls of one connection, or of `dingtalk_robots`.
#[utoipa::path(get, path = "/api/v1/calls/{of}", tag = "office", params(("of" = String, Path)),
    responses((status = 200, body = ShownCalls), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = app.service.calls(&call.0.caller, call.0.path("of")).await;
    let found = found.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found, app.service.now())))
}

/// Sets how many calls a month may be made. A twentieth of it is for urgent messages; what is more waits, as long as it
/// lives, for the next month or a higher limit.
#[utoipa::path(put, path = "/api/v1/calls/{of}", tag = "office", params(("of" = String, Path)),
    request_body = NewLimit,
    responses((status = 200, body = ShownCalls), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn set(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let set = async {
        let new: NewLimit = call.body()?;
        app.service.set_calls_limit(&call.0.caller, call.0.path("of"), new.read()?).await
    };
    let found = set.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found, app.service.now())))
}
