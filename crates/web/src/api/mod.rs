//! Carillon's own API, for what SMN cannot tell: `/api/v1/…`, described by `/api/openapi.json`.
//!
//! Rules: lists answer `{"<noun>s":[…],"next":cursor|null}` to `?limit=&after=`; errors are
//! `{"code","message","field"?,"request_id"}`; times are `YYYY-MM-DDTHH:MM:SS.mmmZ`.

mod account;
mod attachment;
mod audit;
mod callback;
mod calls;
mod change;
mod connection;
mod credential;
mod delivery;
mod directory;
mod endpoint;
pub(crate) mod error;
mod installation;
mod message;
mod openapi;
mod people;
mod project;
mod push;
mod reach;
mod recall;
mod rotation;
mod suppression;
mod traffic;
mod trial;

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use carillon_model::{Field, Invalid};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use self::error::ApiError;
use crate::call::Call;
use crate::{App, layer};

pub use self::openapi::document;

/// How many items a list gives when the caller does not say.
const LIMIT_DEFAULT: u64 = 50;
/// The most items a list gives.
const LIMIT_MAX: u64 = 200;

/// Every path of the API.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/openapi.json", get(openapi::show))
        .route("/api/v1/messages", post(message::publish).get(message::list))
        .route("/api/v1/messages/preview", post(trial::preview))
        .route("/api/v1/subscriptions/test", post(trial::test))
        .route("/api/v1/templates/preview", post(trial::look))
        .route("/api/v1/messages/{message_id}", get(message::show))
        .route("/api/v1/messages/{message_id}/deliveries", get(message::deliveries))
        .route("/api/v1/deliveries", get(delivery::dead_letters))
        .route("/api/v1/deliveries/{delivery_id}", get(message::delivery))
        .route("/api/v1/deliveries/{delivery_id}/resend", post(delivery::resend_one))
        .route("/api/v1/deliveries/{delivery_id}/cancel", post(delivery::cancel_one))
        .route("/api/v1/deliveries/resend", post(delivery::resend))
        .route("/api/v1/deliveries/cancel", post(delivery::cancel))
        .route("/api/v1/endpoints", get(endpoint::list))
        .route("/api/v1/endpoints/{endpoint_id}", get(endpoint::show))
        .route("/api/v1/endpoints/{endpoint_id}/resume", post(endpoint::resume))
        .route("/api/v1/subscriptions/{subscription_urn}/fallback", put(endpoint::set_fallback))
        .route("/api/v1/subscriptions/{subscription_urn}/overflow", put(endpoint::set_overflow))
        .route("/api/v1/topics/{topic}/suppression", get(suppression::show).put(suppression::set))
        .route("/api/v1/traffic", get(traffic::show))
        .route("/api/v1/explain", get(delivery::explain).post(delivery::explain_who))
        .route("/api/v1/whoami", get(message::who_am_i))
        .merge(office_routes())
        .merge(access_routes())
}

/// The paths of office apps.
fn office_routes() -> Router<App> {
    let readers = Arc::new(Semaphore::new(attachment::READ_AT_ONCE));
    Router::new()
        .route("/api/v1/connections", post(connection::add).get(connection::list))
        .route(
            "/api/v1/connections/{connection_id}",
            get(connection::show).put(connection::change).delete(connection::remove),
        )
        .route("/api/v1/topics/{topic}/reach", get(reach::show))
        .route("/api/v1/connections/{connection_id}/callback", get(callback::show).put(callback::set))
        .route("/api/v1/connections/{connection_id}/chats/{chat_id}", put(directory::change_chat))
        .route(
            "/api/v1/connections/{connection_id}/notices",
            get(connection::notices).put(connection::set_notices),
        )
        .route("/api/v1/calls", get(calls::list))
        .route("/api/v1/calls/{of}", get(calls::show).put(calls::set))
        .route("/api/v1/connections/{connection_id}/check", post(connection::check))
        .route("/api/v1/connections/{connection_id}/update", post(directory::update))
        .route("/api/v1/connections/{connection_id}/updates", get(directory::list))
        .route("/api/v1/connections/{connection_id}/updates/{run_id}", get(directory::show))
        .route("/api/v1/connections/{connection_id}/updates/{run_id}/confirm", post(directory::confirm))
        .route("/api/v1/connections/{connection_id}/updates/{run_id}/cancel", post(directory::cancel))
        .route("/api/v1/connections/{connection_id}/updates/{run_id}/changes", get(change::list))
        .route("/api/v1/connections/{connection_id}/members", get(directory::members))
        .route("/api/v1/connections/{connection_id}/departments", get(directory::departments))
        .route("/api/v1/connections/{connection_id}/chats", get(directory::chats))
        .route(
            "/api/v1/connections/{connection_id}/groups",
            get(directory::groups).post(directory::put_group),
        )
        .route("/api/v1/connections/{connection_id}/groups/{group_id}", delete(directory::remove_group))
        .route("/api/v1/connections/{connection_id}/bindings", post(people::bind))
        .route("/api/v1/connections/{connection_id}/gone", get(people::gone))
        .route("/api/v1/connections/{connection_id}/merges", post(people::merge))
        .route("/api/v1/connections/{connection_id}/merges/{member_id}", delete(people::unmerge))
        .route("/api/v1/attachments", post(attachment::add).layer(Extension(readers)))
        .route("/api/v1/pushes", post(push::push))
        .route("/api/v1/pushes/preview", post(push::preview))
        .route("/api/v1/recalls", post(recall::recall))
}

/// Who has access, and who changed what.
fn access_routes() -> Router<App> {
    Router::new()
        .route("/api/v1/master-keys", get(rotation::list))
        .route("/api/v1/master-keys/rotation", post(rotation::begin))
        .route("/api/v1/master-keys/rotation/step", post(rotation::step))
        .route("/api/v1/master-keys/rotation/end", post(rotation::end))
        .route("/api/v1/master-keys/retire", post(rotation::retire))
        .route("/api/v1/projects", get(project::list).post(project::create))
        .route("/api/v1/projects/{project_id}", delete(project::remove))
        .route("/api/v1/accounts", get(account::list).post(account::add))
        .route("/api/v1/accounts/{account_id}", get(account::show).delete(account::remove))
        .route("/api/v1/accounts/{account_id}/role", put(account::role))
        .route("/api/v1/accounts/{account_id}/password", put(account::password))
        .route("/api/v1/keys", get(credential::list_keys).post(credential::create_key))
        .route("/api/v1/keys/{access_key}", delete(credential::delete_key))
        .route("/api/v1/tokens", get(credential::list_tokens).post(credential::create_token))
        .route("/api/v1/tokens/{token_id}", delete(credential::delete_token))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/installation", get(installation::show))
}

/// The answer to a call that has nothing more to say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Made {
    /// Its id.
    id: String,
}

/// A request of this API whose caller is known.
#[derive(Debug)]
pub(crate) struct ApiCall(pub(crate) Call);

impl FromRequest<App> for ApiCall {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let id = layer::request_id(request.extensions());
        let call = Call::read(request, &app.service).await;
        call.map(Self).map_err(|refused| ApiError::from(refused).with(id))
    }
}

impl ApiCall {
    /// Names the request in an error.
    fn refuse(&self, error: impl Into<ApiError>) -> ApiError {
        error.into().with(self.0.id)
    }

    /// The body in the form of `T`; no body is an empty one.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Invalid> {
        let object = if self.0.is_bare() { Map::new() } else { self.0.object(Field::Body)? };
        // What stands before serde's "expected" may be the caller's own; what comes behind it never is.
        serde_json::from_value(Value::Object(object)).map_err(|error| {
            let text = error.to_string();
            let rule = match text.split_once(", expected ") {
                Some((what, expected)) if what.starts_with("unknown field") => {
                    format!("there is an unknown field, the known ones are {expected}")
                }
                Some((_what, expected)) => format!("a field has a wrong value, expected {expected}"),
                None if text.starts_with("missing field") => text,
                None => "a field has a wrong value".to_owned(),
            };
            Invalid::new(Field::Body, rule)
        })
    }

    /// The number behind which a list of deliveries goes on.
    fn after_number(&self) -> Result<u32, Invalid> {
        let wrong = || Invalid::new(Field::Id, "after must be a number");
        self.0.query("after").map_or(Ok(0), |text| text.parse::<u32>().map_err(|_parse| wrong()))
    }

    /// How many items the caller wants.
    fn limit(&self) -> Result<u64, Invalid> {
        let Some(text) = self.0.query("limit") else { return Ok(LIMIT_DEFAULT) };
        let limit = text.parse::<u64>().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| Invalid::new(Field::Paging, "limit must be 1 to 200"))
    }
}

/// An answer.
fn ok<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_value(value) {
        Ok(value) => layer::json(status, &value),
        Err(_json) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
