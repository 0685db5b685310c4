//! Who changed what.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::audit::Deed;
use carillon_model::id::AuditId;
use carillon_model::{Field, Invalid};
use carillon_service::{AuditFilter, AuditLine, Error};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::page;
use super::{ApiCall, ok};
use crate::App;

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownLine {
    /// Its id.
    id: String,
    /// When.
    at: String,
    /// Who, by the account's id.
    account_id: String,
    /// The account's name at that time.
    account: String,
    /// The key or token by which it was let in: `key …` or `token …`, by id.
    credential: String,
    /// What it did, such as `topic.create`.
    deed: &'static str,
    /// On what: a URN, an id or a name.
    what: String,
    /// What else is worth knowing; addresses are masked.
    detail: String,
}

/// A page of the audit log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    /// The lines.
    lines: Vec<ShownLine>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

impl From<AuditLine> for ShownLine {
    fn from(line: AuditLine) -> Self {
        Self {
            id: line.id.to_string(),
            at: line.created_at.to_millis_text(),
            account_id: line.account.to_string(),
            account: line.account_name,
            credential: line.credential,
            deed: line.deed.name(),
            what: line.what,
            detail: line.detail,
        }
    }
}

fn filter(call: &ApiCall) -> Result<AuditFilter, Invalid> {
    let wrong = || Invalid::new(Field::Action, "must be a deed as the log shows it, such as topic.create");
    let deed = call.0.query("deed").map(|name| Deed::from_name(name).ok_or_else(wrong)).transpose()?;
    let text = |name: &str| call.0.query(name).map(str::to_owned);
    Ok(AuditFilter { account_name: text("account"), deed, what: text("what") })
}

/// Lists who changed what, newest first. Publishing is not in it: each message says who published it.
#[utoipa::path(get, path = "/api/v1/audit", tag = "accounts",
    params(("account" = Option<String>, Query, description = "what the account of this name did"),
           ("deed" = Option<String>, Query, description = "such as topic.create"),
           ("what" = Option<String>, Query, description = "what was done to exactly this"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = AuditPage), (status = 400), (status = 401), (status = 403)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let before = call.0.query("after").map(AuditId::parse).transpose()?;
        let found = app.service.list_audit(&call.0.caller, filter(&call)?, before, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let lines: Vec<ShownLine> = found.into_iter().map(ShownLine::from).collect();
    let next = lines.last().filter(|_last| more).map(|last| last.id.clone());
    Ok(ok(StatusCode::OK, &AuditPage { lines, next }))
}
