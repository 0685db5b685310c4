//! Carillon's own API, for what SMN cannot tell: `/api/v1/…`, described by `/api/openapi.json`.
//!
//! Rules: lists answer `{"<noun>s":[…],"next":cursor|null}` to `?limit=&after=`; errors are
//! `{"code","message","field"?,"request_id"}`; times are `YYYY-MM-DDTHH:MM:SS.mmmZ`.

pub(crate) mod error;
mod message;
mod openapi;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::routing::{get, post};
use carillon_model::{Field, Invalid};

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
        .route("/api/v1/messages/{message_id}", get(message::show))
        .route("/api/v1/messages/{message_id}/deliveries", get(message::deliveries))
        .route("/api/v1/deliveries/{delivery_id}", get(message::delivery))
        .route("/api/v1/whoami", get(message::who_am_i))
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

    /// How many items the caller wants.
    fn limit(&self) -> Result<u64, Invalid> {
        let Some(text) = self.0.query("limit") else { return Ok(LIMIT_DEFAULT) };
        let limit = text.parse::<u64>().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| Invalid::new(Field::Paging, "limit must be 1 to 200"))
    }
}
