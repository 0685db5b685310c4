//! The accounts of a project and their roles.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::AccountId;
use carillon_model::role::{Granted, Role, TopicPatterns};
use carillon_model::{Field, Invalid, SecretText};
use carillon_service::account::NewAccount;
use carillon_service::{Error, Member};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::page;
use super::{ApiCall, Done, Made, ok};
use crate::App;

/// An account to be added to the project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddAccount {
    /// Its name: letters, digits and `-_.@`, up to 64.
    name: String,
    /// Its password, 12 to 256 bytes. The operator may leave it out to add an account that is there already.
    #[serde(default)]
    password: Option<String>,
    /// `administrator`, `publisher` or `reader`.
    role: String,
    /// The topics that a publisher may publish to: names, or patterns with `*`.
    #[serde(default)]
    topics: Vec<String>,
}

/// A role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// `administrator`, `publisher` or `reader`.
    role: String,
    /// The topics that a publisher may publish to: names, or patterns with `*`.
    #[serde(default)]
    topics: Vec<String>,
}

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The new one, 12 to 256 bytes.
    password: String,
    /// The present one, when it is one's own that is changed.
    #[serde(default)]
    present_password: Option<String>,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownAccount {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// `administrator`, `publisher` or `reader`.
    role: &'static str,
    /// The topics that a publisher may publish to.
    topics: Vec<String>,
    /// Whether it may make projects.
    operator: bool,
    /// Since when it belongs to the project.
    created_at: String,
}

/// A page of accounts, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountPage {
    /// The accounts.
    accounts: Vec<ShownAccount>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

impl From<Member> for ShownAccount {
    fn from(member: Member) -> Self {
        Self {
            id: member.account.to_string(),
            name: member.name,
            role: member.granted.role.name(),
            topics: member.granted.topics.as_slice().to_vec(),
            operator: member.operator,
            created_at: member.created_at.to_millis_text(),
        }
    }
}

/// Reads a role with its topics.
pub(super) fn granted(role: &str, topics: Vec<String>) -> Result<Granted, Invalid> {
    let wrong = || Invalid::new(Field::Role, "must be administrator, publisher or reader");
    Granted::new(Role::from_name(role).ok_or_else(wrong)?, TopicPatterns::new(topics)?)
}

/// The account that a path names; one that cannot be is not there.
fn account_id(call: &ApiCall) -> Result<AccountId, Error> {
    AccountId::parse(call.0.path("account_id")).map_err(|_rule| Error::AccountNotFound)
}

/// Lists the project's accounts by name.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts",
    params(("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = AccountPage), (status = 401), (status = 403)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let after = call.0.query("after").map(str::to_owned);
        let found = app.service.list_accounts(&call.0.caller, after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let accounts: Vec<ShownAccount> = found.into_iter().map(ShownAccount::from).collect();
    let next = accounts.last().filter(|_last| more).map(|last| last.name.clone());
    Ok(ok(StatusCode::OK, &AccountPage { accounts, next }))
}

/// Adds an account to the project.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = AddAccount,
    responses((status = 201, body = Made), (status = 400), (status = 401), (status = 403),
              (status = 409, description = "there is one of that name, or the project is full")))]
pub(crate) async fn add(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let added = async {
        let body: AddAccount = call.body()?;
        let granted = granted(&body.role, body.topics)?;
        let password = body.password.map(SecretText::new);
        app.service.add_account(&call.0.caller, NewAccount { name: body.name, password, granted }).await
    };
    let id = added.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::CREATED, &Made { id: id.to_string() }))
}

/// Shows an account.
#[utoipa::path(get, path = "/api/v1/accounts/{account_id}", tag = "accounts",
    params(("account_id" = String, Path)),
    responses((status = 200, body = ShownAccount), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async { app.service.account(&call.0.caller, account_id(&call)?).await };
    let found = found.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &ShownAccount::from(found)))
}

/// Gives an account another role; its keys and tokens have it at once.
#[utoipa::path(put, path = "/api/v1/accounts/{account_id}/role", tag = "accounts", request_body = NewRole,
    params(("account_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400), (status = 401), (status = 403), (status = 404),
              (status = 409, description = "it is the last administrator")))]
pub(crate) async fn role(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let changed = async {
        let body: NewRole = call.body()?;
        let granted = granted(&body.role, body.topics)?;
        app.service.change_role(&call.0.caller, account_id(&call)?, granted).await
    };
    changed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}

/// Gives an account another password; what was signed in with the old one ends.
#[utoipa::path(put, path = "/api/v1/accounts/{account_id}/password", tag = "accounts", request_body = NewPassword,
    params(("account_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400), (status = 401),
              (status = 403, description = "the present password is wrong, or the account is not the project's alone"),
              (status = 404)))]
pub(crate) async fn password(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let changed = async {
        let body: NewPassword = call.body()?;
        let present = body.present_password.map(SecretText::new);
        let id = account_id(&call)?;
        app.service.change_password(&call.0.caller, id, call.0.client, present, body.password.into()).await
    };
    changed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}

/// Takes an account out of the project, with its keys and tokens.
#[utoipa::path(delete, path = "/api/v1/accounts/{account_id}", tag = "accounts",
    params(("account_id" = String, Path)),
    responses((status = 200, body = Done), (status = 401), (status = 403), (status = 404),
              (status = 409, description = "it is the last administrator")))]
pub(crate) async fn remove(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let removed = async { app.service.remove_account(&call.0.caller, account_id(&call)?).await };
    removed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}
