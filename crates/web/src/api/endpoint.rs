//! How endpoints fare, and what subscriptions want when theirs is broken.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Invalid;
use carillon_model::id::EndpointId;
use carillon_service::Error;
use carillon_service::endpoint::NamedEndpoint;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::{ShownAdvice, page};
use super::{ApiCall, ok};
use crate::App;

/// An address that the project subscribed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownEndpoint {
    /// Its id.
    id: String,
    /// Its channel, such as `lark`.
    channel: &'static str,
    /// Its address, masked.
    endpoint: String,
    /// `working`; `failing`: its latest attempts failed; `limited`: the platform asked to wait; `open`: so many failed
    /// that only probes are sent; `paused`: it is given up until somebody resumes it, or a rare probe arrives.
    state: &'static str,
    /// Since when it stands there.
    since: Option<String>,
    /// Since when nothing arrived there.
    broken_since: Option<String>,
    /// Nothing is sent before.
    until: Option<String>,
    /// Why, as one of a closed list of words.
    reason: Option<&'static str>,
    /// How many attempts failed in a row.
    failures: u32,
    /// What to change.
    advice: Option<ShownAdvice>,
    /// How many deliveries wait for it; 10000 may be more.
    waiting: u64,
    /// The project's subscriptions to it, at most 20.
    subscriptions: Vec<String>,
}

/// A page of endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointPage {
    /// The endpoints.
    endpoints: Vec<ShownEndpoint>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// What a subscription wants when its endpoint is paused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFallback {
    /// Who is told: the URN of another subscription, or the URN or name of a topic, whose subscribers are told; null for
    /// nobody.
    fallback: Option<String>,
}

/// What a subscription wants when too much waits for it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOverflow {
    /// `digest`: what waits is merged; `queue`: each goes by itself, in order; `drop_oldest`: the oldest that are not
    /// urgent are dropped, which is recorded.
    overflow: String,
}

fn shown(named: NamedEndpoint) -> ShownEndpoint {
    let health = named.record.health;
    ShownEndpoint {
        id: named.record.id.to_string(),
        channel: named.record.channel.name(),
        endpoint: named.record.masked,
        state: health.map_or("working", |health| health.standing.name()),
        since: health.map(|health| health.since.to_millis_text()),
        broken_since: health.and_then(|health| health.broken_since).map(|at| at.to_millis_text()),
        until: health.and_then(|health| health.until).map(|at| at.to_millis_text()),
        reason: health.map(|health| health.reason.name()),
        failures: health.map_or(0, |health| health.failures),
        advice: named.advice.map(ShownAdvice::from),
        waiting: named.record.waiting,
        subscriptions: named.subscriptions.iter().map(ToString::to_string).collect(),
    }
}

fn endpoint_id(call: &ApiCall) -> Result<EndpointId, Invalid> {
    EndpointId::parse(call.0.path("endpoint_id"))
}

/// Lists the addresses that the project subscribed, with how they fare.
#[utoipa::path(get, path = "/api/v1/endpoints", tag = "endpoints",
    params(("state" = Option<String>, Query, description = "`working`, `waiting` (something waits for it), `unwell` (any of the following), `failing`, `limited`, `open` or `paused`"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = EndpointPage), (status = 400), (status = 401)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let after = call.0.query("after").map(EndpointId::parse).transpose()?;
        let found =
            app.service.list_endpoints(&call.0.caller, call.0.query("state"), after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let next = found.last().filter(|_last| more).map(|last| last.record.id.to_string());
    let answer = EndpointPage { endpoints: found.into_iter().map(shown).collect(), next };
    Ok(ok(StatusCode::OK, &answer))
}

/// Shows one.
#[utoipa::path(get, path = "/api/v1/endpoints/{endpoint_id}", tag = "endpoints",
    params(("endpoint_id" = String, Path)),
    responses((status = 200, body = ShownEndpoint), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async { app.service.endpoint(&call.0.caller, endpoint_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found)))
}

/// Lets one be tried again at once: one that is paused, or whose breaker is open.
#[utoipa::path(post, path = "/api/v1/endpoints/{endpoint_id}/resume", tag = "endpoints",
    params(("endpoint_id" = String, Path)),
    responses((status = 200, body = ShownEndpoint), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn resume(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let resumed = async { app.service.resume_endpoint(&call.0.caller, endpoint_id(&call)?).await };
    let resumed = resumed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(resumed)))
}

/// Chooses who is told when a subscription's address is paused.
#[utoipa::path(put, path = "/api/v1/subscriptions/{subscription_urn}/fallback", tag = "endpoints",
    params(("subscription_urn" = String, Path)), request_body = NewFallback,
    responses((status = 200), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn set_fallback(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let set = async {
        let new: NewFallback = call.body()?;
        let urn = call.0.path("subscription_urn");
        app.service.set_fallback(&call.0.caller, urn, new.fallback.as_deref()).await?;
        Ok::<_, Error>(new.fallback)
    };
    let fallback = set.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &serde_json::json!({ "fallback": fallback })))
}

/// Chooses what becomes of a subscription's messages when more wait than the platform's limit lets through soon.
#[utoipa::path(put, path = "/api/v1/subscriptions/{subscription_urn}/overflow", tag = "endpoints",
    params(("subscription_urn" = String, Path)), request_body = NewOverflow,
    responses((status = 200), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn set_overflow(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let set = async {
        let new: NewOverflow = call.body()?;
        let urn = call.0.path("subscription_urn");
        app.service.set_overflow(&call.0.caller, urn, &new.overflow).await
    };
    let overflow = set.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &serde_json::json!({ "overflow": overflow.name() })))
}
