//! A topic, and the rules for its names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access_policy::AccessPolicy;
use crate::clock::Timestamp;
use crate::error::{Field, Invalid};
use crate::id::{ProjectId, TopicId};
use crate::limits;

/// A topic's name: a letter or digit, then letters, digits, `-` and `_`, up to 255 characters (SMN API reference).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicName(String);

impl TryFrom<String> for TopicName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<TopicName> for String {
    fn from(name: TopicName) -> Self {
        name.0
    }
}

impl TopicName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it breaks the rule above.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut bytes = text.bytes();
        let fits = text.len() <= limits::TOPIC_NAME_CHARS_MAX
            && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            let rule =
                "must be 1 to 255 letters, digits, hyphens or underscores and begin with a letter or digit";
            Err(Invalid::new(Field::Name, rule))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A topic: a named place that messages are published to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// The project that owns it.
    pub project: ProjectId,
    /// Its name, which never changes.
    pub name: TopicName,
    /// The name that people see; may be empty.
    pub display_name: String,
    /// SMN's enterprise project; `0` is the default one. Kept and given back, without meaning here.
    pub enterprise_project_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an owner can set on a topic beside its names (SMN API reference, "Topic Attributes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Who else may use the topic: the text of an access policy, up to 30 KB.
    AccessPolicy,
    /// What the topic is about, shown where somebody confirms a subscription: up to 120 bytes.
    Introduction,
}

impl Attribute {
    /// Its name, on the wire and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessPolicy => "access_policy",
            Self::Introduction => "introduction",
        }
    }

    /// The attribute of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::AccessPolicy, Self::Introduction].into_iter().find(|attribute| attribute.name() == name)
    }

    /// Checks a value. An empty one takes the attribute away.
    ///
    /// # Errors
    /// When it is too long ([`Field::AttributeValue`]), or is no access policy.
    pub fn check(self, value: &str) -> Result<(), Invalid> {
        match self {
            Self::AccessPolicy if value.is_empty() => Ok(()),
            Self::AccessPolicy => AccessPolicy::parse(value).map(drop),
            Self::Introduction if value.len() > limits::INTRODUCTION_BYTES_MAX => {
                Err(Invalid::new(Field::AttributeValue, "an introduction is at most 120 bytes of UTF-8"))
            }
            Self::Introduction => Ok(()),
        }
    }
}

/// The attributes of a topic; an empty text where one is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// [`Attribute::AccessPolicy`].
    pub access_policy: String,
    /// [`Attribute::Introduction`].
    pub introduction: String,
}

impl Attributes {
    /// The place of an attribute.
    pub fn get_mut(&mut self, attribute: Attribute) -> &mut String {
        match attribute {
            Attribute::AccessPolicy => &mut self.access_policy,
            Attribute::Introduction => &mut self.introduction,
        }
    }
}

/// Checks a display name: up to 192 bytes (SMN API reference), on one line.
///
/// # Errors
/// When it is longer or holds control characters.
pub fn check_display_name(text: &str) -> Result<(), Invalid> {
    if text.len() > limits::DISPLAY_NAME_BYTES_MAX {
        return Err(Invalid::new(
            Field::DisplayName,
            "must be at most 192 bytes, about 64 Chinese characters",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(Field::DisplayName, "must be one line without control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Attribute, TopicName, check_display_name};
    use crate::error::Field;

    #[test]
    fn names_are_checked() {
        for good in ["a", "0", "ops", "Ops_1-x", &"x".repeat(255)] {
            assert!(TopicName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "a b", "a:b", "磁盘", &"x".repeat(256)] {
            assert!(TopicName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn attributes_are_checked() {
        assert!(Attribute::Introduction.check(&"磁".repeat(40)).is_ok());
        assert_eq!(Attribute::Introduction.check(&"磁".repeat(41)).unwrap_err().field, Field::AttributeValue);
        assert!(Attribute::AccessPolicy.check("").is_ok());
        assert_eq!(Attribute::AccessPolicy.check("{}").unwrap_err().field, Field::PolicyVersion);
        assert_eq!(Attribute::from_name("introduction"), Some(Attribute::Introduction));
        assert_eq!(Attribute::from_name("sms_sign_id"), None);
    }

    #[test]
    fn display_names_are_counted_in_bytes() {
        assert!(check_display_name(&"磁".repeat(64)).is_ok());
        assert!(check_display_name(&"磁".repeat(65)).is_err());
    }
}
