//! What a reading of a directory that asks would change.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::directory::Change;
use carillon_model::{Field, Invalid};
use carillon_service::{Error, MemberChange};
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::connection_id;
use super::directory::run_id;
use super::error::ApiError;
use super::message::page;
use super::{ApiCall, ok};
use crate::App;

/// What would become of one member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownChange {
    /// `added`, `changed`, `moved` or `gone`.
    change: &'static str,
    /// The platform's id.
    platform_user_id: String,
    /// The name.
    name: String,
    /// The name before, where it is another.
    name_before: Option<String>,
    /// The departments by their names.
    departments: Vec<String>,
    /// The departments before, of a member who moved.
    departments_before: Vec<String>,
}

/// A page of changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangePage {
    /// The changes, by the members' ids.
    changes: Vec<ShownChange>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

fn shown(change: MemberChange) -> ShownChange {
    ShownChange {
        change: change.change.name(),
        platform_user_id: change.platform_id,
        name: change.name,
        name_before: change.name_before,
        departments: change.departments,
        departments_before: change.departments_before,
    }
}

/// Lists what an update that asks would change, member by member; one that does not ask has nothing to list.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/updates/{run_id}/changes", tag = "office",
    params(("connection_id" = String, Path), ("run_id" = String, Path),
           ("change" = Option<String>, Query, description = "added, changed, moved or gone"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = ChangePage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let (connection, run, limit) = (connection_id(&call)?, run_id(&call)?, call.limit()?);
        let wrong = || Invalid::new(Field::Action, "change must be added, changed, moved or gone");
        let of = call.0.query("change").map(|name| Change::from_name(name).ok_or_else(wrong)).transpose()?;
        let after = call.0.query("after").map(str::to_owned);
        let found = app.service.list_changes(&call.0.caller, connection, run, of, after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = found.await.map_err(|error| call.refuse(error))?;
    let next = found.last().filter(|_last| more).map(|last| last.key.clone());
    Ok(ok(StatusCode::OK, &ChangePage { changes: found.into_iter().map(shown).collect(), next }))
}
