//! One new type per kind of id: 128 bits in time order (UUID version 7), shown as 32 lowercase hex digits, which
//! is how SMN shows its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chance::Chance;
use crate::clock::Timestamp;
use crate::error::{Field, Invalid};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id that sorts after every id made before `now`.
            pub fn new(now: Timestamp, chance: &dyn Chance) -> Self {
                let mut random = [0_u8; 10];
                chance.fill(&mut random);
                let millis = u64::try_from(now.0).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The last of its sixteen bytes, a random one.
            #[must_use]
            pub fn last_byte(self) -> u8 {
                let [.., last] = self.0.into_bytes();
                last
            }

            /// Its sixteen bytes.
            #[must_use]
            pub fn bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// The id of these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Reads 32 lowercase hex digits.
            ///
            /// # Errors
            /// When the text is anything else.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let lower_hex = text.len() == 32
                    && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if !lower_hex {
                    return Err(Invalid::new(Field::Id, "must be 32 lowercase hexadecimal digits"));
                }
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_parse| Invalid::new(Field::Id, "must be 32 lowercase hexadecimal digits"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.simple())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A topic.
    TopicId
);
id!(
    /// A subscription; the last part of its URN.
    SubscriptionId
);
id!(
    /// An endpoint, and so a lane: subscriptions of one address share it.
    EndpointId
);
id!(
    /// A message.
    MessageId
);
id!(
    /// An image or a file that goes with messages: a digest of its project and its bytes.
    AttachmentId
);
id!(
    /// A certificate with whose key bodies are signed; part of its name.
    CertificateId
);
id!(
    /// A message template.
    TemplateId
);
id!(
    /// An account: somebody who may sign in or hold keys.
    AccountId
);
id!(
    /// An API token, to name it by; the token itself is another secret.
    TokenId
);
id!(
    /// A line of the audit log.
    AuditId
);
id!(
    /// A connection: a company's own app on a platform.
    ConnectionId
);
id!(
    /// One reading of a connection's directory.
    RunId
);
id!(
    /// A group of people of our own.
    GroupId
);
id!(
    /// A subscription user.
    SubscriptionUserId
);
id!(
    /// A log tank.
    LogtankId
);
id!(
    /// One request, for logs and answers.
    RequestId
);

/// A delivery: one message on its way to one endpoint, shown as the message's id, a hyphen and the delivery's number
/// within that message (from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// The message.
    pub message: MessageId,
    /// Which of its deliveries, from 1.
    pub number: u32,
}

impl DeliveryId {
    /// Names delivery `number` of `message`.
    #[must_use]
    pub fn new(message: MessageId, number: u32) -> Self {
        Self { message, number }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new(Field::Id, "must be a message's id, a hyphen and a number");
        let (message, number) = text.split_once('-').ok_or_else(wrong)?;
        let message = MessageId::parse(message)?;
        let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let number = number.parse::<u32>().ok().filter(|_number| plain).ok_or_else(wrong)?;
        Ok(Self { message, number })
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.message, self.number)
    }
}

/// A project: the tenant. SMN's are 32 hex digits; any id of 1 to 64 letters, digits, `-` and `_` is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectId(String);

impl ProjectId {
    /// Makes a new id in SMN's form.
    pub fn new(now: Timestamp, chance: &dyn Chance) -> Self {
        Self(RequestId::new(now, chance).to_string())
    }

    /// Reads an id.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or holds other characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(Field::ProjectId, "must be 1 to 64 letters, digits, hyphens or underscores"))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProjectId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<ProjectId> for String {
    fn from(id: ProjectId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::{DeliveryId, MessageId, ProjectId};
    use crate::chance::SeededChance;
    use crate::clock::Timestamp;

    #[test]
    fn ids_are_hex_and_sort_by_time() {
        let chance = SeededChance::new(1);
        let first = MessageId::new(Timestamp(1_700_000_000_000), &chance);
        let second = MessageId::new(Timestamp(1_700_000_000_001), &chance);
        assert!(first < second);
        assert!(first.to_string() < second.to_string());
        assert_eq!(MessageId::parse(&first.to_string()), Ok(first));
        for bad in ["", "0123", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcde-"] {
            assert!(MessageId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn delivery_ids_read_back() {
        let message = MessageId::new(Timestamp(1_700_000_000_000), &SeededChance::new(2));
        let id = DeliveryId::new(message, 7);
        assert_eq!(DeliveryId::parse(&id.to_string()), Ok(id));
        for bad in
            ["", "7", &format!("{message}-"), &format!("{message}-+7"), &format!("{message}-99999999999")]
        {
            assert!(DeliveryId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn project_ids_are_checked() {
        assert!(ProjectId::parse("0970dd7a1300f5672ff2c003c60ae115").is_ok());
        for bad in ["", "a:b", "a/b", &"x".repeat(65)] {
            assert!(ProjectId::parse(bad).is_err(), "{bad}");
        }
    }
}
