//! The one way a rule can be broken: which field, and what would be right.

use std::borrow::Cow;
use std::fmt;

/// The field of a request that broke a rule; each dialect of the API maps it to its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// A topic's name.
    Name,
    /// A topic's display name.
    DisplayName,
    /// A topic's URN.
    TopicUrn,
    /// A subscription's URN.
    SubscriptionUrn,
    /// The protocol (channel) of a subscription.
    Protocol,
    /// The address of a subscription.
    Endpoint,
    /// The part of a subscription that holds keyword, signing secret, credentials or headers.
    Extension,
    /// A subscription's remark.
    Remark,
    /// A message's subject.
    Subject,
    /// A message's text.
    Message,
    /// A message's per-channel form.
    MessageStructure,
    /// How long a message may wait, in seconds.
    TimeToLive,
    /// A message's attributes.
    MessageAttributes,
    /// The language of what the service itself adds.
    Locale,
    /// The key that makes a publish happen once.
    IdempotencyKey,
    /// A message's id.
    MessageId,
    /// A delivery's state.
    State,
    /// Who is told when a subscription's endpoint is paused.
    Fallback,
    /// What happens when too much waits.
    Overflow,
    /// Why an attempt came back as it did.
    Reason,
    /// The beginning of a span of time.
    Since,
    /// The end of a span of time.
    Until,
    /// The name of a message template.
    TemplateName,
    /// A subscription's filter policies.
    FilterPolicy,
    /// A message template's id.
    TemplateId,
    /// The text of a message template.
    TemplateContent,
    /// How many placeholders a message template has.
    Placeholders,
    /// What a publish puts in the place of a template's placeholders.
    PlaceholderValues,
    /// The name of a topic's attribute.
    AttributeName,
    /// The length of a topic's attribute.
    AttributeValue,
    /// A topic's access policy as a whole.
    AccessPolicy,
    /// The version of an access policy.
    PolicyVersion,
    /// The id of an access policy.
    PolicyId,
    /// A statement of an access policy.
    PolicyStatement,
    /// The id of a statement.
    PolicyStatementId,
    /// What a statement is about.
    PolicyResource,
    /// Whether a statement allows or denies.
    PolicyEffect,
    /// What a statement lets somebody do.
    PolicyAction,
    /// Whom a statement means.
    PolicyPrincipal,
    /// When a statement holds.
    PolicyCondition,
    /// A tag's key or value, or a filter of tags.
    Tag,
    /// What a call is to do with tags.
    Action,
    /// The kind of thing that tags belong to.
    ResourceType,
    /// The beginning of a span of time.
    StartTime,
    /// The end of a span of time.
    EndTime,
    /// The order of the two ends of a span of time.
    TimeSpan,
    /// How far back a span of time reaches.
    TimeRange,
    /// A page's offset or limit.
    Paging,
    /// The status filter of a list.
    Status,
    /// A project's id.
    ProjectId,
    /// An id in a path or a cursor.
    Id,
    /// The body of a request as a whole.
    Body,
    /// The address under which subscribers reach the server, a setting.
    PublicUrl,
    /// An account's name.
    AccountName,
    /// A password.
    Password,
    /// A role.
    Role,
    /// The topics that a publisher may publish to.
    Topics,
    /// A project's name.
    ProjectName,
    /// What tells a key or a token from another.
    Note,
    /// How long a token is good.
    TokenLife,
    /// The platform of a connection.
    Platform,
    /// An app's id or key.
    AppId,
    /// An app's secret.
    AppSecret,
    /// A company's id.
    CorpId,
    /// An app's number.
    AgentId,
    /// The code of an app's robot.
    RobotCode,
    /// The recipients of a push; whom a question is about.
    To,
    /// A mail address or a phone number of a member.
    Contact,
}

impl Field {
    /// The field's name as Carillon's own API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::DisplayName => "display_name",
            Self::TopicUrn => "topic_urn",
            Self::SubscriptionUrn => "subscription_urn",
            Self::Protocol => "protocol",
            Self::Endpoint => "endpoint",
            Self::Extension => "extension",
            Self::Remark => "remark",
            Self::Subject => "subject",
            Self::Message => "message",
            Self::MessageStructure => "message_structure",
            Self::TimeToLive => "time_to_live",
            Self::MessageAttributes => "message_attributes",
            Self::Locale => "locale",
            Self::IdempotencyKey => "idempotency_key",
            Self::MessageId => "message_id",
            Self::State => "state",
            Self::Fallback => "fallback",
            Self::Overflow => "overflow",
            Self::Reason => "reason",
            Self::Since => "since",
            Self::Until => "until",
            Self::TemplateName => "message_template_name",
            Self::FilterPolicy => "filter_policies",
            Self::TemplateId => "template_id",
            Self::TemplateContent => "content",
            Self::Placeholders => "placeholders",
            Self::PlaceholderValues => "tags",
            Self::AttributeName => "attribute_name",
            Self::AttributeValue => "attribute_value",
            Self::AccessPolicy => "access_policy",
            Self::PolicyVersion => "access_policy.Version",
            Self::PolicyId => "access_policy.Id",
            Self::PolicyStatement => "access_policy.Statement",
            Self::PolicyStatementId => "access_policy.Sid",
            Self::PolicyResource => "access_policy.Resource",
            Self::PolicyEffect => "access_policy.Effect",
            Self::PolicyAction => "access_policy.Action",
            Self::PolicyPrincipal => "access_policy.Principal",
            Self::PolicyCondition => "access_policy.Condition",
            Self::Tag => "tag",
            Self::Action => "action",
            Self::ResourceType => "resource_type",
            Self::StartTime => "start_time",
            Self::EndTime => "end_time",
            Self::TimeSpan => "time_span",
            Self::TimeRange => "time_range",
            Self::Paging => "limit",
            Self::Status => "status",
            Self::ProjectId => "project_id",
            Self::Id => "id",
            Self::Body => "body",
            Self::PublicUrl => "public_url",
            Self::AccountName => "account",
            Self::Password => "password",
            Self::Role => "role",
            Self::Topics => "topics",
            Self::ProjectName => "project_name",
            Self::Note => "note",
            Self::TokenLife => "expires_in",
            Self::Platform => "platform",
            Self::AppId => "app_id",
            Self::AppSecret => "app_secret",
            Self::CorpId => "corp_id",
            Self::AgentId => "agent_id",
            Self::RobotCode => "robot_code",
            Self::To => "to",
            Self::Contact => "contact",
        }
    }
}

/// A rule that input broke. The sentence says what would be right and never repeats the value, which may be a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field at fault.
    pub field: Field,
    /// What would be right, as one sentence without a full stop.
    pub rule: Cow<'static, str>,
}

impl Invalid {
    /// Says that `field` broke `rule`.
    pub fn new(field: Field, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field, rule: rule.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.field.name();
        match self.rule.strip_prefix(name) {
            Some(rest) if rest.starts_with(' ') => f.write_str(&self.rule),
            _ => write!(f, "{name}: {}", self.rule),
        }
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::{Field, Invalid};

    #[test]
    fn the_field_is_named_once() {
        let said = |rule: &'static str| Invalid::new(Field::Paging, rule).to_string();
        assert_eq!(said("limit must be 1 to 200"), "limit must be 1 to 200");
        assert_eq!(said("must be 1 to 200"), "limit: must be 1 to 200");
        assert_eq!(said("limits are whole"), "limit: limits are whole");
    }
}
