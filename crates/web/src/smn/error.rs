//! From a refusal to SMN's status, code and body, once: both pairs of names (the documents' `code` and `message`, the
//! gateway's `error_code` and `error_msg`), the request id in body and header.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use carillon_model::access_policy::Action;
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
    /// After how many seconds to try again.
    wait: Option<u64>,
    id: Option<RequestId>,
}

impl SmnError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), wait: None, id: None }
    }

    /// Names the request.
    pub(crate) fn with(mut self, id: Option<RequestId>) -> Self {
        self.id = id;
        self
    }

    /// A publish names a template in a way that no template can be named: it has a code of its own.
    pub(crate) fn template_of_publish(invalid: &Invalid) -> Self {
        let text = format!("Parameter: Message_template_name is invalid. ({invalid})");
        Self::new(StatusCode::BAD_REQUEST, "SMN.0042", text)
    }

    /// A path or method that the API does not have.
    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "APIGW.0101", "The API does not exist or has not been published.")
    }

    /// A call that SMN has and this service does not offer. The documents list 501 and name no code for it.
    pub(crate) fn absent(text: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "CARILLON.0501", text)
    }
}

/// A field's status, code and SMN's own text (SMN API reference, "Error Codes"). Subject and message are 403 there,
/// not 400. For time to live, attributes and locale the documents name no code; they are parts of the message.
#[expect(clippy::too_many_lines, reason = "a line for each field, and nothing else")]
fn field(field: Field) -> (StatusCode, &'static str, &'static str) {
    let bad = StatusCode::BAD_REQUEST;
    match field {
        Field::Name => (bad, "SMN.0002", "Parameter: Name is invalid."),
        Field::DisplayName => (bad, "SMN.0003", "Parameter: DisplayName is invalid."),
        Field::TopicUrn => (bad, "SMN.0005", "Parameter: TopicUrn is invalid."),
        Field::SubscriptionUrn => (bad, "SMN.0014", "Parameter: SubscriptionUrn is invalid."),
        Field::Protocol => (bad, "SMN.0011", "Parameter: Protocol is invalid."),
        Field::Endpoint => (bad, "SMN.0012", "Parameter: Endpoint is invalid."),
        Field::Extension | Field::FilterPolicy => (bad, "SMN.0043", "Parameter: subscription is invalid."),
        Field::Remark => (bad, "SMN.0017", "Parameter: Remark is invalid."),
        Field::Subject => (StatusCode::FORBIDDEN, "SMN.0008", "Parameter: Subject is invalid."),
        Field::Message | Field::TimeToLive | Field::MessageAttributes | Field::Locale => {
            (StatusCode::FORBIDDEN, "SMN.0009", "Parameter: Message is invalid.")
        }
        Field::IdempotencyKey => (bad, "SMN.0009", "Idempotency-Key is invalid."),
        Field::MessageStructure => (bad, "SMN.0021", "MessageStructure is invalid."),
        Field::TemplateName => (bad, "SMN.0032", "Parameter: message_template_name is invalid."),
        Field::TemplateId => (bad, "SMN.0031", "Parameter: template_id is invalid."),
        Field::TemplateContent => (bad, "SMN.0024", "Parameter: content is invalid."),
        Field::Placeholders => (StatusCode::FORBIDDEN, "SMN.0075", "Parameter: tags are too many."),
        Field::PlaceholderValues | Field::Tag => (bad, "SMN.0038", "Parameter: tag is invalid."),
        Field::ResourceType => (bad, "SMN.0072", "Parameter: Service is invalid."),
        Field::Action => (bad, "SMN.0073", "Parameter: Invalid action."),
        Field::StartTime => (bad, "SMN.0103", "Parameter: start_time is invalid."),
        Field::EndTime => (bad, "SMN.0104", "Parameter: end_time is invalid."),
        Field::TimeSpan => (bad, "SMN.0114", "The end time must be later than the start time."),
        Field::TimeRange => (bad, "SMN.0113", "The time is out of range."),
        Field::AttributeName
        | Field::AttributeValue
        | Field::AccessPolicy
        | Field::PolicyVersion
        | Field::PolicyId
        | Field::PolicyStatement
        | Field::PolicyStatementId
        | Field::PolicyResource
        | Field::PolicyEffect
        | Field::PolicyAction
        | Field::PolicyPrincipal
        | Field::PolicyCondition => attribute_field(field),
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
        | Field::Platform
        | Field::AppId
        | Field::AppSecret
        | Field::CorpId
        | Field::AgentId
        | Field::RobotCode
        | Field::CallsLimit
        | Field::Callback
        | Field::To
        | Field::Contact
        | Field::Images
        | Field::Files
        | Field::Attachment
        | Field::PublicUrl
        | Field::Fallback
        | Field::Overflow
        | Field::Suppression
        | Field::AccountName
        | Field::Password
        | Field::Role
        | Field::Topics
        | Field::ProjectName
        | Field::Note
        | Field::TokenLife => (bad, "SMN.0018", "The request is invalid."),
    }
}

/// The same for the attributes of topics: each part of an access policy has its own code.
fn attribute_field(field: Field) -> (StatusCode, &'static str, &'static str) {
    let bad = StatusCode::BAD_REQUEST;
    if field == Field::AttributeValue {
        return (StatusCode::FORBIDDEN, "SMN.0047", "Parameter: Value exceeds the maximum length.");
    }
    let parts = [
        (Field::AttributeName, "SMN.0046", "Parameter: Attribute name is invalid."),
        (Field::PolicyVersion, "SMN.0049", "Parameter: Access policy version is invalid."),
        (Field::PolicyId, "SMN.0050", "Parameter: Access policy id is invalid."),
        (Field::PolicyStatement, "SMN.0051", "Parameter: Access policy statement is invalid."),
        (Field::PolicyStatementId, "SMN.0052", "Parameter: Access policy statement id is invalid."),
        (Field::PolicyResource, "SMN.0053", "Parameter: Access policy resource is invalid."),
        (Field::PolicyEffect, "SMN.0054", "Parameter: Access policy effect is invalid."),
        (Field::PolicyAction, "SMN.0055", "Parameter: Access policy action is invalid."),
        (Field::PolicyPrincipal, "SMN.0056", "Parameter: Access policy principal is invalid."),
        (Field::PolicyCondition, "SMN.0058", "Parameter: Access policy condition is invalid."),
    ];
    let found = parts.into_iter().find(|(part, _, _)| *part == field);
    let (code, text) =
        found.map_or(("SMN.0048", "Parameter: Access policy is invalid."), |(_, code, text)| (code, text));
    (bad, code, text)
}

impl From<Invalid> for SmnError {
    fn from(invalid: Invalid) -> Self {
        let (status, code, text) = field(invalid.field);
        Self::new(status, code, format!("{text} ({invalid})"))
    }
}

fn policy_refuses(action: Action) -> SmnError {
    let text = format!("Policy doesn't allow {} to be performed.", action.name());
    SmnError::new(StatusCode::FORBIDDEN, "SMN.00308", text)
}

fn role_forbids(error: &Error) -> SmnError {
    let text = format!("No permission to request resources. ({error})");
    SmnError::new(StatusCode::FORBIDDEN, "SMN.0001", text)
}

/// As the cloud's gateway says it; SMN's own table has no 429.
fn too_fast(most: u64, wait: Duration) -> SmnError {
    let text = format!(
        "The throttling threshold has been reached: policy api over ratelimit,limit:{most},time:1 minute"
    );
    let wait = Some(wait.as_secs());
    SmnError { wait, ..SmnError::new(StatusCode::TOO_MANY_REQUESTS, "APIG.0308", text) }
}

const THROTTLED: &str = "The maximum number of subscriptions has been reached. (too many confirmations went to this \
                         address of late, try again later)";
const TOO_MANY: &str = "The maximum number of subscriptions has been reached.";
const WRONG_TOKEN: &str = "Parameter: token is invalid. (the link is unknown or older than 48 hours)";
const WRONG_LINK: &str =
    "No permission to request resources. (the link is not one that was handed out for this subscription)";

impl From<Error> for SmnError {
    #[expect(clippy::too_many_lines, reason = "a line for each refusal, and nothing else")]
    fn from(error: Error) -> Self {
        let not_found = StatusCode::NOT_FOUND;
        let (bad, forbidden) = (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN);
        match error {
            Error::Invalid(invalid) => invalid.into(),
            Error::Unauthenticated(why) => why.into(),
            Error::NoPermission => Self::new(forbidden, "SMN.0001", "No permission to request resources."),
            Error::RoleForbids { .. } | Error::NotOperator => role_forbids(&error),
            Error::ProjectNotFound => Self::new(not_found, "IAM.0004", "Could not find project."),
            Error::TopicNotFound => Self::new(not_found, "SMN.0006", "Topic not found."),
            Error::SubscriptionNotFound => {
                Self::new(not_found, "SMN.0013", "Subscription resource not found.")
            }
            Error::TemplateNotFound => Self::new(not_found, "SMN.0027", "Template not found."),
            Error::DefaultTemplateNotFound => {
                Self::new(not_found, "SMN.0076", "Default message template not found.")
            }
            Error::TemplateExists => Self::new(bad, "SMN.0025", "Template already exists."),
            Error::TemplatesFull => Self::new(bad, "SMN.0044", "Exceeded template limit."),
            Error::AttributeNotFound => Self::new(not_found, "SMN.0045", "Attribute not found."),
            Error::TagNotFound => {
                Self::new(not_found, "SMN.0045", "Attribute not found. (no tag of that key)")
            }
            Error::TagsFull => Self::new(forbidden, "SMN.0075", "Parameter: tags are too many."),
            Error::PolicyRefuses(action) => policy_refuses(action),
            // No path of this dialect leads to these.
            Error::MessageNotFound
            | Error::DeliveryNotFound
            | Error::EndpointNotFound
            | Error::DeliveryStands { .. }
            | Error::DeliveryNoTarget
            | Error::CertificateNotFound
            | Error::AccountShared
            | Error::NoNewKey
            | Error::KeysInUse(_)
            | Error::KeyFile(_)
            | Error::WrongPassword
            | Error::AccountNotFound
            | Error::KeyNotFound
            | Error::TokenNotFound
            | Error::AccountExists
            | Error::AccountsFull
            | Error::LastAdministrator
            | Error::KeysFull
            | Error::AttachmentsFull
            | Error::TokensFull
            | Error::ProjectExists
            | Error::ProjectsFull
            | Error::ProjectInUse => Self::unknown_path(),
            Error::SensitiveWords => Self::new(bad, "SMN.0227", "The message contains sensitive words."),
            Error::IdempotencyConflict => {
                Self::new(bad, "SMN.0009", format!("Idempotency-Key is invalid: {error}."))
            }
            Error::TopicsFull => Self::new(forbidden, "SMN.0004", "Exceeded topic limit."),
            Error::SubscriptionsFull => Self::new(forbidden, "SMN.0007", "Exceeded subscription limit."),
            Error::NoDeliveryLog => Self::absent(&error.to_string()),
            Error::LogtankNotFound => {
                Self::new(not_found, "SMN.0045", "Attribute not found. (no such log tank)")
            }
            Error::LogtanksFull => Self::new(forbidden, "SMN.0078", format!("{TOO_MANY} ({error})")),
            Error::SubscriptionUserNotFound => {
                Self::new(bad, "SMN.00290", "SubscriberUrn is unavailable. (no such subscription user)")
            }
            Error::SubscriptionUsersFull => Self::new(forbidden, "SMN.0078", format!("{TOO_MANY} ({error})")),
            Error::TooFast { most, wait } => too_fast(most, wait),
            Error::Throttled => Self::new(forbidden, "SMN.0078", THROTTLED),
            Error::WrongToken => Self::new(forbidden, "SMN.0022", WRONG_TOKEN),
            Error::WrongLink => Self::new(forbidden, "SMN.0001", WRONG_LINK),
            Error::DetectionNotFound => Self::new(not_found, "SMN.00013030", "Detection task not found."),
            Error::ConnectionNotFound => {
                Self::new(not_found, "SMN.0018", "There is no such office connection.")
            }
            // SMN has no calls that are refused so.
            Error::ConnectionExists
            | Error::ConnectionsFull
            | Error::PlatformRefuses { .. }
            | Error::RunNotFound
            | Error::RunStands(_)
            | Error::GroupNotFound
            | Error::NobodyReached(_) => Self::new(bad, "SMN.0018", "The request is invalid."),
            Error::PrivateEndpoint => {
                Self::new(forbidden, "SMN.0069", "Not authorized to subscribe internal endpoints.")
            }
            error @ (Error::Unavailable(_) | Error::Unpurged(_) | Error::Internal(_)) => {
                Self::of_store(&error)
            }
        }
    }
}

impl SmnError {
    /// What is wrong with the store, or with the program.
    fn of_store(error: &Error) -> Self {
        if matches!(error, Error::Internal(_)) {
            log(error, "internal error");
            return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "SMN.0018", "Service internal error.");
        }
        let text = if let Error::Unpurged(cause) = error {
            format!("Database Exceptions. ({cause})")
        } else {
            log(error, "the store cannot be written");
            "Database Exceptions. Nothing was accepted, try again.".to_owned()
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "SMN.0016", text)
    }
}

/// Logs what lies behind an error.
fn log(error: &Error, what: &str) {
    if let Some(cause) = std::error::Error::source(error) {
        tracing::error!(error = %cause, "{what}");
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
        let answer = layer::json(
            self.status,
            &json!({
                "request_id": id,
                "code": self.code,
                "message": self.message,
                "error_code": self.code,
                "error_msg": self.message,
            }),
        );
        layer::with_wait(answer, self.wait)
    }
}
