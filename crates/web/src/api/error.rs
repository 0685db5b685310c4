//! From a refusal to status, code and body of Carillon's own API, once.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use carillon_model::id::RequestId;
use carillon_model::{Field, Invalid};
use carillon_service::Error;
use serde_json::{Map, Value};

use crate::call::Refused;
use crate::layer;

/// An error of Carillon's own API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<&'static str>,
    /// After how many seconds to try again.
    wait: Option<u64>,
    id: Option<RequestId>,
}

impl ApiError {
    /// An error without a field.
    pub(crate) fn plain(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, wait: None, id: None }
    }

    /// Names the request.
    pub(crate) fn with(mut self, id: Option<RequestId>) -> Self {
        self.id = id;
        self
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let field = Some(invalid.field.name());
        Self { field, ..Self::plain(StatusCode::BAD_REQUEST, "invalid", invalid.to_string()) }
    }
}

impl From<Error> for ApiError {
    #[expect(clippy::too_many_lines, reason = "a line for each refusal, and nothing else")]
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (status, code) = match error {
            Error::Invalid(invalid) => return invalid.into(),
            Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Error::RoleForbids { .. } => (StatusCode::FORBIDDEN, "role_forbids"),
            Error::NotOperator => (StatusCode::FORBIDDEN, "not_operator"),
            Error::AccountShared => (StatusCode::FORBIDDEN, "account_shared"),
            Error::WrongPassword => (StatusCode::FORBIDDEN, "wrong_password"),
            Error::AccountNotFound => (StatusCode::NOT_FOUND, "account_not_found"),
            Error::KeyNotFound => (StatusCode::NOT_FOUND, "key_not_found"),
            Error::TokenNotFound => (StatusCode::NOT_FOUND, "token_not_found"),
            Error::AccountExists => (StatusCode::CONFLICT, "account_exists"),
            Error::AccountsFull => (StatusCode::CONFLICT, "accounts_full"),
            Error::LastAdministrator => (StatusCode::CONFLICT, "last_administrator"),
            Error::KeysFull => (StatusCode::CONFLICT, "keys_full"),
            Error::AttachmentsFull => (StatusCode::CONFLICT, "attachments_full"),
            Error::TokensFull => (StatusCode::CONFLICT, "tokens_full"),
            Error::ProjectExists => (StatusCode::CONFLICT, "project_exists"),
            Error::ProjectsFull => (StatusCode::CONFLICT, "projects_full"),
            Error::ProjectInUse => (StatusCode::CONFLICT, "project_in_use"),
            Error::NoPermission => (StatusCode::FORBIDDEN, "no_permission"),
            Error::PrivateEndpoint => (StatusCode::FORBIDDEN, "private_endpoint"),
            Error::ProjectNotFound => (StatusCode::NOT_FOUND, "project_not_found"),
            Error::TopicNotFound => (StatusCode::NOT_FOUND, "topic_not_found"),
            Error::SubscriptionNotFound => (StatusCode::NOT_FOUND, "subscription_not_found"),
            Error::SubscriptionUserNotFound => (StatusCode::NOT_FOUND, "subscription_user_not_found"),
            Error::SubscriptionUsersFull => (StatusCode::CONFLICT, "subscription_users_full"),
            Error::NoNewKey => (StatusCode::CONFLICT, "no_new_key"),
            Error::KeysInUse(_) => (StatusCode::CONFLICT, "keys_in_use"),
            Error::KeyFile(_) => (StatusCode::CONFLICT, "key_file"),
            Error::NoDeliveryLog => (StatusCode::NOT_IMPLEMENTED, "no_delivery_log"),
            Error::LogtankNotFound => (StatusCode::NOT_FOUND, "logtank_not_found"),
            Error::LogtanksFull => (StatusCode::CONFLICT, "logtanks_full"),
            Error::MessageNotFound => (StatusCode::NOT_FOUND, "message_not_found"),
            Error::DeliveryNotFound => (StatusCode::NOT_FOUND, "delivery_not_found"),
            Error::EndpointNotFound => (StatusCode::NOT_FOUND, "endpoint_not_found"),
            Error::TemplateNotFound => (StatusCode::NOT_FOUND, "template_not_found"),
            Error::DeliveryStands { .. } => (StatusCode::CONFLICT, "conflict"),
            Error::DeliveryNoTarget => (StatusCode::CONFLICT, "no_target"),
            Error::SensitiveWords => (StatusCode::BAD_REQUEST, "sensitive_words"),
            Error::IdempotencyConflict => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_conflict"),
            Error::TooFast { wait, .. } => {
                let wait = Some(wait.as_secs());
                return Self { wait, ..Self::plain(StatusCode::TOO_MANY_REQUESTS, "too_fast", message) };
            }
            Error::Throttled => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            Error::WrongToken => (StatusCode::FORBIDDEN, "wrong_token"),
            Error::WrongLink => (StatusCode::FORBIDDEN, "wrong_link"),
            Error::CertificateNotFound => (StatusCode::NOT_FOUND, "certificate_not_found"),
            Error::DetectionNotFound => (StatusCode::NOT_FOUND, "detection_not_found"),
            Error::DefaultTemplateNotFound => (StatusCode::NOT_FOUND, "default_template_not_found"),
            Error::AttributeNotFound => (StatusCode::NOT_FOUND, "attribute_not_found"),
            Error::TagNotFound => (StatusCode::NOT_FOUND, "tag_not_found"),
            Error::PolicyRefuses(_) => (StatusCode::FORBIDDEN, "policy_refuses"),
            Error::TemplateExists => (StatusCode::CONFLICT, "template_exists"),
            Error::TemplatesFull => (StatusCode::CONFLICT, "templates_full"),
            Error::TagsFull => (StatusCode::CONFLICT, "tags_full"),
            Error::TopicsFull => (StatusCode::CONFLICT, "topics_full"),
            Error::SubscriptionsFull => (StatusCode::CONFLICT, "subscriptions_full"),
            Error::ConnectionNotFound => (StatusCode::NOT_FOUND, "connection_not_found"),
            Error::ConnectionExists => (StatusCode::CONFLICT, "connection_exists"),
            Error::ConnectionsFull => (StatusCode::CONFLICT, "connections_full"),
            Error::PlatformRefuses { field, .. } => {
                let field = field.map(Field::name);
                return Self { field, ..Self::plain(StatusCode::BAD_REQUEST, "platform_refuses", message) };
            }
            Error::RunNotFound => (StatusCode::NOT_FOUND, "update_not_found"),
            Error::RunStands(_) => (StatusCode::CONFLICT, "conflict"),
            Error::GroupNotFound => (StatusCode::NOT_FOUND, "group_not_found"),
            Error::NobodyReached(_) => (StatusCode::UNPROCESSABLE_ENTITY, "nobody_reached"),
            Error::Unavailable(cause) => {
                tracing::error!(error = %cause, "the store cannot be written");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            Error::Unpurged(_) => (StatusCode::SERVICE_UNAVAILABLE, "unpurged"),
            Error::Internal(cause) => {
                tracing::error!(error = %cause, "internal error");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        };
        Self::plain(status, code, message)
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Service(error) => error.into(),
            Refused::TooLarge => {
                Self::plain(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body must be at most 2 MiB")
            }
            Refused::Broken => {
                Self::plain(StatusCode::BAD_REQUEST, "broken", "the request body did not arrive")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("code".to_owned(), self.code.into());
        body.insert("message".to_owned(), self.message.into());
        if let Some(field) = self.field {
            body.insert("field".to_owned(), field.into());
        }
        let id = self.id.map(|id| id.to_string()).unwrap_or_default();
        body.insert("request_id".to_owned(), id.into());
        layer::with_wait(layer::json(self.status, &Value::Object(body)), self.wait)
    }
}
