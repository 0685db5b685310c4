//! Whom a topic reaches.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_service::Error;
use carillon_service::reach::{NotReached, TopicReach};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// Somebody, or a chat, that a message would reach.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownHead {
    /// `member` or `chat`.
    kind: &'static str,
    /// Our id.
    id: String,
    /// The platform's id.
    platform_id: String,
    /// The name.
    name: String,
}

/// Somebody or something that a message would not reach.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownNotReached {
    /// The subscription that names it, where one does alone.
    subscription_urn: Option<String>,
    /// `member`, `department`, `group`, `chat`, or `address`.
    kind: &'static str,
    /// The id that it is named by, or the masked address.
    id: String,
    /// `gone`, `no_department`, `no_group`, `empty`, `no_connection`, `unconfirmed` or `paused`.
    reason: &'static str,
}

/// Whom a topic reaches at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownReach {
    /// How many people, each counted once however many subscriptions come down to them.
    people: u64,
    /// How many chats of office apps.
    chats: u64,
    /// How many other addresses: robots, mailboxes, web hooks.
    addresses: u64,
    /// How many subscriptions want only some messages, by their filter policies.
    filtered: u64,
    /// The first 200 people and chats.
    to: Vec<ShownHead>,
    /// How many would not get a message.
    not_reached: u64,
    /// The first 200 of them.
    unreachable: Vec<ShownNotReached>,
}

fn missed(one: NotReached) -> ShownNotReached {
    let subscription_urn = one.subscription.map(|urn| urn.to_string());
    ShownNotReached { subscription_urn, kind: one.kind, id: one.id, reason: one.reason }
}

fn shown(found: TopicReach) -> ShownReach {
    let heads = found.to.into_iter().map(|one| ShownHead {
        kind: one.kind.name(),
        id: one.id.to_string(),
        platform_id: one.platform_id,
        name: one.name,
    });
    ShownReach {
        people: found.people,
        chats: found.chats,
        addresses: found.addresses,
        filtered: found.filtered,
        to: heads.collect(),
        not_reached: found.not_reached,
        unreachable: found.unreachable.into_iter().map(missed).collect(),
    }
}

/// Counts whom a message to a topic would reach, each once, and tells who would not get it and why. Sends nothing.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/reach", tag = "office",
    params(("topic" = String, Path, description = "a topic's name or URN")),
    responses((status = 200, body = ShownReach), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let urn = app.service.topic_urn(&call.0.caller, call.0.path("topic"))?;
        app.service.topic_reach(&call.0.caller, &urn).await
    };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found)))
}
