//! The one way a rule can be broken: which field, and what would be right.

use std::borrow::Cow;
use std::fmt;

/// A list of fields, each with its name as Carillon's own API spells it.
macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)+) => {
        /// The field of a request that broke a rule; each dialect of the API maps it to its own code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field {
            $($(#[$doc])* $field,)+
        }

        impl Field {
            /// The field's name as Carillon's own API spells it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }
        }
    };
}

fields! {
    /// A topic's name.
    Name = "name",
    /// A topic's display name.
    DisplayName = "display_name",
    /// A topic's URN.
    TopicUrn = "topic_urn",
    /// A subscription's URN.
    SubscriptionUrn = "subscription_urn",
    /// The protocol (channel) of a subscription.
    Protocol = "protocol",
    /// The address of a subscription.
    Endpoint = "endpoint",
    /// The part of a subscription that holds keyword, signing secret, credentials or headers.
    Extension = "extension",
    /// A subscription's remark.
    Remark = "remark",
    /// A message's subject.
    Subject = "subject",
    /// A message's text.
    Message = "message",
    /// A message's per-channel form.
    MessageStructure = "message_structure",
    /// How long a message may wait, in seconds.
    TimeToLive = "time_to_live",
    /// A message's attributes.
    MessageAttributes = "message_attributes",
    /// The language of what the service itself adds.
    Locale = "locale",
    /// The key that makes a publish happen once.
    IdempotencyKey = "idempotency_key",
    /// A message's id.
    MessageId = "message_id",
    /// A delivery's state.
    State = "state",
    /// Who is told when a subscription's endpoint is paused.
    Fallback = "fallback",
    /// What happens when too much waits.
    Overflow = "overflow",
    /// For how many seconds a topic sends nothing that says the same again.
    Suppression = "seconds",
    /// Why an attempt came back as it did.
    Reason = "reason",
    /// The beginning of a span of time.
    Since = "since",
    /// The end of a span of time.
    Until = "until",
    /// The name of a message template.
    TemplateName = "message_template_name",
    /// A subscription's filter policies.
    FilterPolicy = "filter_policies",
    /// A message template's id.
    TemplateId = "template_id",
    /// The text of a message template.
    TemplateContent = "content",
    /// How many placeholders a message template has.
    Placeholders = "placeholders",
    /// What a publish puts in the place of a template's placeholders.
    PlaceholderValues = "tags",
    /// The name of a topic's attribute.
    AttributeName = "attribute_name",
    /// The length of a topic's attribute.
    AttributeValue = "attribute_value",
    /// A topic's access policy as a whole.
    AccessPolicy = "access_policy",
    /// The version of an access policy.
    PolicyVersion = "access_policy.Version",
    /// The id of an access policy.
    PolicyId = "access_policy.Id",
    /// A statement of an access policy.
    PolicyStatement = "access_policy.Statement",
    /// The id of a statement.
    PolicyStatementId = "access_policy.Sid",
    /// What a statement is about.
    PolicyResource = "access_policy.Resource",
    /// Whether a statement allows or denies.
    PolicyEffect = "access_policy.Effect",
    /// What a statement lets somebody do.
    PolicyAction = "access_policy.Action",
    /// Whom a statement means.
    PolicyPrincipal = "access_policy.Principal",
    /// When a statement holds.
    PolicyCondition = "access_policy.Condition",
    /// A tag's key or value, or a filter of tags.
    Tag = "tag",
    /// What a call is to do with tags.
    Action = "action",
    /// The kind of thing that tags belong to.
    ResourceType = "resource_type",
    /// The beginning of a span of time.
    StartTime = "start_time",
    /// The end of a span of time.
    EndTime = "end_time",
    /// The order of the two ends of a span of time.
    TimeSpan = "time_span",
    /// How far back a span of time reaches.
    TimeRange = "time_range",
    /// A page's offset or limit.
    Paging = "limit",
    /// The status filter of a list.
    Status = "status",
    /// A project's id.
    ProjectId = "project_id",
    /// An id in a path or a cursor.
    Id = "id",
    /// The body of a request as a whole.
    Body = "body",
    /// The address under which subscribers reach the server, a setting.
    PublicUrl = "public_url",
    /// An account's name.
    AccountName = "account",
    /// A password.
    Password = "password",
    /// A role.
    Role = "role",
    /// The topics that a publisher may publish to.
    Topics = "topics",
    /// A project's name.
    ProjectName = "project_name",
    /// What tells a key or a token from another.
    Note = "note",
    /// How long a token is good.
    TokenLife = "expires_in",
    /// The platform of a connection.
    Platform = "platform",
    /// An app's id or key.
    AppId = "app_id",
    /// An app's secret.
    AppSecret = "app_secret",
    /// A company's id.
    CorpId = "corp_id",
    /// An app's number.
    AgentId = "agent_id",
    /// The code of an app's robot.
    RobotCode = "robot_code",
    /// The recipients of a push; whom a question is about.
    To = "to",
    /// A mail address or a phone number of a member.
    Contact = "contact",
    /// The secrets of a connection's callbacks.
    Callback = "callback",
    /// How many calls a month may be made.
    CallsLimit = "limit",
    /// The images that go with a push.
    Images = "images",
    /// The files that go with a push.
    Files = "files",
    /// The bytes of an image or a file.
    Attachment = "attachment",
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
