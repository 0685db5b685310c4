//! Access keys and tokens.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::{AccountId, TokenId};
use carillon_model::role::Granted;
use carillon_model::{Field, Invalid};
use carillon_service::credential::Wish;
use carillon_service::{Error, ListedCredential};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::granted;
use super::error::ApiError;
use super::message::page;
use super::{ApiCall, Done, ok};
use crate::App;

/// A key to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewKey {
    /// Whose it is to be, by the account's id; the caller's own when not given.
    account_id: Option<String>,
    /// What tells it from others.
    note: String,
    /// A narrower role than the account's.
    role: Option<String>,
    /// The topics of that role, for `publisher`.
    topics: Vec<String>,
}

/// A token to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewToken {
    /// Whose it is to be, by the account's id; the caller's own when not given.
    account_id: Option<String>,
    /// What tells it from others.
    note: String,
    /// A narrower role than the account's.
    role: Option<String>,
    /// The topics of that role, for `publisher`.
    topics: Vec<String>,
    /// How many seconds it is good, up to ten years; for ever when not given.
    expires_in: Option<u64>,
}

/// A fresh key pair.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeKey {
    /// The access key.
    pub(super) access_key: String,
    /// Its secret. It is shown here only.
    pub(super) secret_key: String,
}

/// A fresh token.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// Its id, to end it by.
    pub(super) id: String,
    /// The token. It is shown here only.
    pub(super) token: String,
    /// When it ends; null for never.
    pub(super) expires_at: Option<String>,
}

/// A key or a token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownCredential {
    /// The access key, or the token's id.
    id: String,
    /// Whose it is.
    account_id: String,
    /// That account's name.
    account: String,
    /// What tells it from others.
    note: String,
    /// A narrower role than the account's; null for the account's own.
    role: Option<&'static str>,
    /// The topics of that role.
    topics: Vec<String>,
    /// When it was made.
    created_at: String,
    /// When it ends; null for never.
    expires_at: Option<String>,
    /// Whether a password made it.
    signed_in: bool,
}

/// A page of access keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyPage {
    /// The keys.
    keys: Vec<ShownCredential>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// A page of tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenPage {
    /// The tokens.
    tokens: Vec<ShownCredential>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

impl From<ListedCredential> for ShownCredential {
    fn from(listed: ListedCredential) -> Self {
        let (role, topics) = match listed.granted {
            Some(Granted { role, topics }) => (Some(role.name()), topics.as_slice().to_vec()),
            None => (None, Vec::new()),
        };
        Self {
            id: listed.id,
            account_id: listed.account.to_string(),
            account: listed.account_name,
            note: listed.note,
            role,
            topics,
            created_at: listed.created_at.to_millis_text(),
            expires_at: listed.expires_at.map(|time| time.to_millis_text()),
            signed_in: listed.signed_in,
        }
    }
}

/// An account that a body or a query names; one that cannot be is not there.
fn account(id: Option<&str>) -> Result<Option<AccountId>, Error> {
    id.map(|id| AccountId::parse(id).map_err(|_rule| Error::AccountNotFound)).transpose()
}

fn wish(
    account_id: Option<&str>,
    note: String,
    role: Option<&str>,
    topics: Vec<String>,
) -> Result<Wish, Error> {
    let granted = match role {
        Some(role) => Some(granted(role, topics)?),
        None if topics.is_empty() => None,
        None => return Err(Invalid::new(Field::Topics, "must be empty without a role").into()),
    };
    Ok(Wish { account: account(account_id)?, note, granted })
}

/// The last id of a page, to go on behind.
fn next(found: &[ShownCredential], more: bool) -> Option<String> {
    found.last().filter(|_last| more).map(|last| last.id.clone())
}

/// Lists access keys: the project's for those who may see who has access, else the caller's own.
#[utoipa::path(get, path = "/api/v1/keys", tag = "accounts",
    params(("account_id" = Option<String>, Query, description = "those of this account"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = KeyPage), (status = 401), (status = 403)))]
pub(crate) async fn list_keys(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let (of, after) = (account(call.0.query("account_id"))?, call.0.query("after").map(str::to_owned));
        let found = app.service.list_keys(&call.0.caller, of, after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let keys: Vec<ShownCredential> = found.into_iter().map(ShownCredential::from).collect();
    Ok(ok(StatusCode::OK, &KeyPage { next: next(&keys, more), keys }))
}

/// Makes a key pair. The secret is shown in this answer only.
#[utoipa::path(post, path = "/api/v1/keys", tag = "accounts", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 400), (status = 401), (status = 403), (status = 404),
              (status = 409, description = "the account has as many as it may")))]
pub(crate) async fn create_key(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let made = async {
        let NewKey { account_id, note, role, topics } = call.body()?;
        let wish = wish(account_id.as_deref(), note, role.as_deref(), topics)?;
        app.service.create_key(&call.0.caller, wish).await
    };
    let key = made.await.map_err(|error| call.refuse(error))?;
    let made = MadeKey { access_key: key.access_key, secret_key: key.secret.reveal().to_owned() };
    Ok(ok(StatusCode::CREATED, &made))
}

/// Takes an access key away, at once.
#[utoipa::path(delete, path = "/api/v1/keys/{access_key}", tag = "accounts", params(("access_key" = String, Path)),
    responses((status = 200, body = Done), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn delete_key(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let gone = app.service.delete_key(&call.0.caller, call.0.path("access_key")).await;
    gone.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}

/// Lists tokens that are still good: the project's for those who may see who has access, else the caller's own.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "accounts",
    params(("account_id" = Option<String>, Query, description = "those of this account"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = TokenPage), (status = 400), (status = 401), (status = 403)))]
pub(crate) async fn list_tokens(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let of = account(call.0.query("account_id"))?;
        let after = call.0.query("after").map(TokenId::parse).transpose()?;
        let found = app.service.list_tokens(&call.0.caller, of, after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let tokens: Vec<ShownCredential> = found.into_iter().map(ShownCredential::from).collect();
    Ok(ok(StatusCode::OK, &TokenPage { next: next(&tokens, more), tokens }))
}

/// Makes a token. It is shown in this answer only.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "accounts", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 400), (status = 401), (status = 403), (status = 404),
              (status = 409, description = "the account has as many as it may")))]
pub(crate) async fn create_token(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let made = async {
        let NewToken { account_id, note, role, topics, expires_in } = call.body()?;
        let wish = wish(account_id.as_deref(), note, role.as_deref(), topics)?;
        app.service.create_token(&call.0.caller, wish, expires_in).await
    };
    let made = made.await.map_err(|error| call.refuse(error))?;
    let token = MadeToken {
        id: made.id.to_string(),
        token: made.token.reveal().to_owned(),
        expires_at: made.expires_at.map(|time| time.to_millis_text()),
    };
    Ok(ok(StatusCode::CREATED, &token))
}

/// Ends a token, at once. Everybody may end its own.
#[utoipa::path(delete, path = "/api/v1/tokens/{token_id}", tag = "accounts", params(("token_id" = String, Path)),
    responses((status = 200, body = Done), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn delete_token(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let gone = async {
        let id = TokenId::parse(call.0.path("token_id")).map_err(|_rule| Error::TokenNotFound)?;
        app.service.delete_token(&call.0.caller, id).await
    };
    gone.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}
