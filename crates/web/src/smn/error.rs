//! From a refusal to SMN's status, code and body, once: both pairs of names (the documents' `code` and `message`, the
//! gateway's `error_code` and `error_msg`), the request id in body and header.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use carillon_model::id::RequestId;
use carillon_model::{Field, Invalid};
use carillon_service::{Error, Unauthenticated};
use serde_json::json;

use crate::call::Refused;
use crate::layer;

/// An error in SMN's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SmnError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    id: Option<RequestId>,
}

impl SmnError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), id: None }
    }

    /// Names the request.
    pub(crate) fn with(mut self, id: Option<RequestId>) -> Self {
        self.id = id;
        self
    }

    /// A path or method that the API does not have.
    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "APIGW.0101", "The API does not exist or has not been published.")
    }
}

/// A field's status, code and SMN's own text (SMN API reference, "Error Codes"). Subject and message are 403 there,
/// not 400. For time to live, attributes and locale the documents name no code; they are parts of the message.
fn field(field: Field) -> (StatusCode, &'static str, &'static str) {
    let bad = StatusCode::BAD_REQUEST;
    match field {
        Field::Name => (bad, "SMN.0002", "Parameter: Name is invalid."),
        Field::DisplayName => (bad, "SMN.0003", "Parameter: DisplayName is invalid."),
        Field::TopicUrn => (bad, "SMN.0005", "Parameter: TopicUrn is invalid."),
        Field::SubscriptionUrn => (bad, "SMN.0014", "Parameter: SubscriptionUrn is invalid."),
        Field::Protocol => (bad, "SMN.0011", "Parameter: Protocol is invalid."),
        Field::Endpoint => (bad, "SMN.0012", "Parameter: Endpoint is invalid."),
        Field::Extension => (bad, "SMN.0043", "Parameter: subscription is invalid."),
        Field::Remark => (bad, "SMN.0017", "Parameter: Remark is invalid."),
        Field::Subject => (StatusCode::FORBIDDEN, "SMN.0008", "Parameter: Subject is invalid."),
        Field::Message | Field::TimeToLive | Field::MessageAttributes | Field::Locale => {
            (StatusCode::FORBIDDEN, "SMN.0009", "Parameter: Message is invalid.")
        }
        Field::IdempotencyKey => (bad, "SMN.0009", "Idempotency-Key is invalid."),
        Field::MessageStructure => (bad, "SMN.0021", "MessageStructure is invalid."),
        Field::TemplateName => (bad, "SMN.0032", "Parameter: message_template_name is invalid."),
        Field::Paging => (bad, "SMN.0015", "Parameter: Offset or limit is invalid."),
        Field::Status => (bad, "SMN.0077", "Parameter: Status is invalid."),
        Field::MessageId
        | Field::State
        | Field::Reason
        | Field::Since
        | Field::Until
        | Field::ProjectId
        | Field::Id
        | Field::Body
        | Field::PublicUrl => (bad, "SMN.0018", "The request is invalid."),
    }
}

impl From<Invalid> for SmnError {
    fn from(invalid: Invalid) -> Self {
        let (status, code, text) = field(invalid.field);
        Self::new(status, code, format!("{text} ({invalid})"))
    }
}

impl From<Error> for SmnError {
    fn from(error: Error) -> Self {
        let not_found = StatusCode::NOT_FOUND;
        let forbidden = StatusCode::FORBIDDEN;
        match error {
            Error::Invalid(invalid) => invalid.into(),
            Error::Unauthenticated(why) => why.into(),
            Error::NoPermission => Self::new(forbidden, "SMN.0001", "No permission to request resources."),
            Error::ProjectNotFound => Self::new(not_found, "IAM.0004", "Could not find project."),
            Error::TopicNotFound => Self::new(not_found, "SMN.0006", "Topic not found."),
            Error::SubscriptionNotFound => {
                Self::new(not_found, "SMN.0013", "Subscription resource not found.")
            }
            Error::TemplateNotFound => Self::new(not_found, "SMN.0027", "Template not found."),
            Error::MessageNotFound | Error::DeliveryNotFound => Self::unknown_path(),
            Error::DeliveryStands { .. } | Error::DeliveryNoTarget => {
                Self::new(StatusCode::CONFLICT, "SMN.0018", error.to_string())
            }
            Error::IdempotencyConflict => Self::new(
                StatusCode::BAD_REQUEST,
                "SMN.0009",
                format!("Idempotency-Key is invalid: {error}."),
            ),
            Error::TopicsFull => Self::new(forbidden, "SMN.0004", "Exceeded topic limit."),
            Error::SubscriptionsFull => Self::new(forbidden, "SMN.0007", "Exceeded subscription limit."),
            Error::Throttled => {
                let text = "The maximum number of subscriptions has been reached. (too many confirmations went to \
                            this address of late, try again later)";
                Self::new(forbidden, "SMN.0078", text)
            }
            Error::WrongToken => {
                let text = "Parameter: token is invalid. (the link is unknown or older than 48 hours)";
                Self::new(forbidden, "SMN.0022", text)
            }
            Error::WrongLink => {
                let text = "No permission to request resources. (the link is not one that was handed out for this \
                            subscription)";
                Self::new(forbidden, "SMN.0001", text)
            }
            Error::CertificateNotFound => Self::unknown_path(),
            Error::DetectionNotFound => Self::new(not_found, "SMN.00013030", "Detection task not found."),
            Error::PrivateEndpoint => {
                Self::new(forbidden, "SMN.0069", "Not authorized to subscribe internal endpoints.")
            }
            Error::Unavailable(cause) => {
                tracing::error!(error = %cause, "the store cannot be written");
                let text = "Database Exceptions. Nothing was accepted, try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "SMN.0016", text)
            }
            Error::Unpurged(cause) => {
                let text = format!("Database Exceptions. ({cause})");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "SMN.0016", text)
            }
            Error::Internal(cause) => {
                tracing::error!(error = %cause, "internal error");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "SMN.0018", "Service internal error.")
            }
        }
    }
}

impl From<Unauthenticated> for SmnError {
    fn from(why: Unauthenticated) -> Self {
        let text = format!("Incorrect IAM authentication information: {why}");
        Self::new(StatusCode::UNAUTHORIZED, "APIGW.0301", text)
    }
}

impl From<Refused> for SmnError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Service(error) => error.into(),
            Refused::TooLarge => {
                let text = "Request entity too large: the body must be at most 2 MiB.";
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "APIGW.0201", text)
            }
            Refused::Broken => {
                Self::new(StatusCode::BAD_REQUEST, "APIGW.0201", "The request body did not arrive.")
            }
        }
    }
}

impl IntoResponse for SmnError {
    fn into_response(self) -> Response {
        let id = self.id.map(|id| id.to_string()).unwrap_or_default();
        layer::json(
            self.status,
            &json!({
                "request_id": id,
                "code": self.code,
                "message": self.message,
                "error_code": self.code,
                "error_msg": self.message,
            }),
        )
    }
}
