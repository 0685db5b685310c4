//! What happened lately, in steps of time.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::outcome::Outcome;
use carillon_model::{Field, Invalid};
use carillon_service::Error;
use carillon_service::traffic::{ChannelTraffic, Traffic};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// How far back one looks when the query does not say.
const HOURS: u32 = 24;

/// What attempts on one channel came back as. Each delivery of a post counts; one that is tried again counts again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownChannel {
    /// The channel, such as `lark`.
    channel: &'static str,
    /// Accepted by the platform, for each step.
    accepted: Vec<u64>,
    /// Refused for good.
    refused: Vec<u64>,
    /// Refused until somebody changes something.
    misconfigured: Vec<u64>,
    /// Not now; tried again.
    later: Vec<u64>,
    /// Without an answer; tried again.
    unknown: Vec<u64>,
}

/// What happened in the project lately.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownTraffic {
    /// When the first step begins.
    since: String,
    /// How long a step is. The last one is the present.
    step_seconds: i64,
    /// How many messages were accepted in each step.
    messages: Vec<u64>,
    /// The channels on which something was tried.
    channels: Vec<ShownChannel>,
}

fn shown(traffic: &Traffic) -> ShownTraffic {
    let channel = |of: &ChannelTraffic| {
        let steps = |outcome: &str| {
            let place = Outcome::NAMES.iter().position(|name| *name == outcome);
            let count = |step: &[u64; 5]| place.and_then(|place| step.get(place).copied()).unwrap_or(0);
            of.steps.iter().map(count).collect()
        };
        ShownChannel {
            channel: of.channel.name(),
            accepted: steps("accepted"),
            refused: steps("refused"),
            misconfigured: steps("misconfigured"),
            later: steps("later"),
            unknown: steps("unknown"),
        }
    };
    ShownTraffic {
        since: traffic.since.to_millis_text(),
        step_seconds: traffic.step_ms / 1000,
        messages: traffic.messages.clone(),
        channels: traffic.channels.iter().map(channel).collect(),
    }
}

/// What happened in the last hours: messages accepted, and what attempts came back as, by channel.
#[utoipa::path(get, path = "/api/v1/traffic", tag = "messages",
    params(("hours" = Option<u32>, Query, description = "how far back, 1 to 168; 24 when it is not said")),
    responses((status = 200, body = ShownTraffic), (status = 400), (status = 401)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let result = async {
        let hours = match call.0.query("hours") {
            Some(text) => {
                text.parse().map_err(|_parse| Invalid::new(Field::Since, "hours must be 1 to 168"))?
            }
            None => HOURS,
        };
        Ok::<_, Error>(shown(&*app.service.traffic(&call.0.caller, hours).await?))
    };
    let answer = result.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &answer))
}
