//! About the installation.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_service::Server;
use carillon_service::installation::Quota;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;

/// A server that shares the database.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownServer {
    /// Its name; each time it joins it has another.
    id: String,
    /// When it last said that it is there.
    seen_at: String,
    /// Whether it serves; one that is about to stop does not.
    serves: bool,
    /// The version of the store that its program knows.
    store_version: u32,
    /// How many of the 256 shares of the work it has.
    shares: u32,
    /// Whether it is the one that answers.
    here: bool,
}

/// The installation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownInstallation {
    /// The program's version.
    version: &'static str,
    /// The region that stands in URNs.
    region: String,
    /// `sqlite` or `postgresql`.
    store: &'static str,
    /// The store's version.
    store_version: usize,
    /// Whether what is accepted can be made durable now.
    writable: bool,
    /// The servers that share the store; none where one is alone with its own.
    servers: Vec<ShownServer>,
    /// What the caller's project may have, and how much of it there is.
    quotas: Vec<ShownQuota>,
}

/// What a project may have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownQuota {
    /// Of what: `topics`, `templates`, `subscription_users`, `subscriptions_per_topic` or `publishes_per_minute`.
    name: &'static str,
    /// How many there are; null where that differs from topic to topic.
    used: Option<u64>,
    /// How many there may be; null where there is no limit.
    limit: Option<u64>,
}

fn shown(server: Server) -> ShownServer {
    ShownServer {
        id: server.id,
        seen_at: server.seen_at.to_millis_text(),
        serves: server.serves,
        store_version: server.version,
        shares: server.shares,
        here: server.is_here,
    }
}

/// Tells of the installation: version, store, health, servers.
#[utoipa::path(get, path = "/api/v1/installation", tag = "accounts",
    responses((status = 200, body = ShownInstallation), (status = 401), (status = 403)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let caller = &call.0.caller;
    let found = app.service.installation(caller).await.map_err(|error| call.refuse(error))?;
    let quotas = app.service.list_quotas(caller).await.map_err(|error| call.refuse(error))?;
    let quota = |it: Quota| ShownQuota { name: it.name, used: it.used, limit: it.limit };
    let answer = ShownInstallation {
        version: app.console.version,
        region: app.service.region().to_owned(),
        store: if found.is_shared { "postgresql" } else { "sqlite" },
        store_version: found.store_version,
        writable: found.is_writable,
        servers: found.servers.into_iter().map(shown).collect(),
        quotas: quotas.into_iter().map(quota).collect(),
    };
    Ok(ok(StatusCode::OK, &answer))
}
