//! A subscription: a standing wish that this topic's messages go to this endpoint.

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::clock::Timestamp;
use crate::endpoint::Endpoint;
use crate::error::{Field, Invalid};
use crate::filter::FilterPolicies;
use crate::id::{ConnectionId, EndpointId, ProjectId, SubscriptionId, TopicId};
use crate::limits;
use crate::office::App;
use crate::secret::SecretText;
use crate::topic::TopicName;

/// The credentials of the company's own DingTalk app, by which its internal robot is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppCredentials {
    /// The application key (client id).
    pub app_key: SecretText,
    /// The application secret.
    pub app_secret: SecretText,
    /// The robot's code, often the same as the key.
    pub robot_code: SecretText,
}

/// What a subscription knows beside its endpoint. All of it is sealed at rest and never read back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// One of the keywords that the robot demands; added to a text that lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<SecretText>,
    /// The robot's signing secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_secret: Option<SecretText>,
    /// The company's own app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppCredentials>,
    /// Headers to send along to a web endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, SecretText)>,
    /// The office app that reaches the endpoint. It is the connection's own and is put in when a message is sent.
    #[serde(skip)]
    pub office: Option<Box<OfficeApp>>,
}

/// An office app with the ids that its platform knows a person by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeApp {
    /// The app.
    pub app: App,
    /// The connection.
    pub connection: ConnectionId,
}

impl Extension {
    /// Checks the extension against the endpoint it is for (SMN API reference, "Adding a Subscription").
    ///
    /// # Errors
    /// When a part is missing, too long, malformed, or of no use to that endpoint.
    pub fn check(&self, endpoint: &Endpoint) -> Result<(), Invalid> {
        let robot = matches!(endpoint, Endpoint::DingtalkRobot { .. } | Endpoint::LarkRobot { .. });
        if (self.keyword.is_some() || self.sign_secret.is_some()) && !robot {
            return Err(wrong("keyword and sign_secret are for DingTalk and Lark robots' webhooks only"));
        }
        check_length(self.keyword.as_ref(), limits::KEYWORD_BYTES_MAX, "keyword must be 1 to 256 bytes")?;
        check_length(
            self.sign_secret.as_ref(),
            limits::SIGN_SECRET_BYTES_MAX,
            "sign_secret must be 1 to 256 bytes",
        )?;
        self.check_app(endpoint)?;
        self.check_headers(endpoint)
    }

    fn check_app(&self, endpoint: &Endpoint) -> Result<(), Invalid> {
        let wanted =
            matches!(endpoint, Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. });
        match &self.app {
            None if wanted => Err(wrong(
                "app_key, app_secret and robot_code are needed to reach this endpoint through the company's own \
                 DingTalk robot",
            )),
            Some(_) if !wanted => {
                Err(wrong("app_key, app_secret and robot_code are only for the internal DingTalk robot"))
            }
            None => Ok(()),
            Some(app) => {
                check_code(
                    &app.app_key,
                    limits::APP_KEY_BYTES_MAX,
                    "app_key must be 1 to 64 letters, digits, - or _",
                )?;
                let rule = "app_secret must be 1 to 128 letters, digits, - or _";
                check_code(&app.app_secret, limits::APP_SECRET_BYTES_MAX, rule)?;
                let rule = "robot_code must be 1 to 64 letters, digits, - or _";
                check_code(&app.robot_code, limits::ROBOT_CODE_BYTES_MAX, rule)
            }
        }
    }

    fn check_headers(&self, endpoint: &Endpoint) -> Result<(), Invalid> {
        if self.headers.is_empty() {
            return Ok(());
        }
        if !matches!(endpoint, Endpoint::Web { .. }) {
            return Err(wrong("header is for http and https subscriptions only"));
        }
        if self.headers.len() > limits::HEADERS_MAX {
            return Err(wrong("header takes at most 10 pairs"));
        }
        let chars: usize = self.headers.iter().map(|(name, value)| name.len() + value.reveal().len()).sum();
        if chars > limits::HEADERS_CHARS_MAX {
            return Err(wrong("header names and values together must be at most 1024 characters"));
        }
        let mut seen = Vec::new();
        for (name, value) in &self.headers {
            if !header_name_fits(name) {
                return Err(wrong(
                    "a header name begins with a letter, has letters, digits and single inner hyphens, and does not \
                     begin with x-smn",
                ));
            }
            let lower = name.to_ascii_lowercase();
            if seen.contains(&lower) {
                return Err(wrong("header names must differ, without regard to case"));
            }
            seen.push(lower);
            if !value.reveal().bytes().all(|b| (b' '..=b'~').contains(&b)) {
                return Err(wrong("header values must be ASCII text"));
            }
        }
        Ok(())
    }
}

/// Names that would change what the request is, or pretend to be ours.
const HEADER_NAMES_RESERVED: [&str; 8] =
    ["connection", "content-length", "content-type", "expect", "host", "te", "transfer-encoding", "upgrade"];

fn header_name_fits(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with(|c: char| c.is_ascii_lowercase())
        && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !lower.ends_with('-')
        && !lower.contains("--")
        && !lower.starts_with("x-smn")
        && !HEADER_NAMES_RESERVED.contains(&lower.as_str())
}

fn check_length(text: Option<&SecretText>, bytes_max: usize, rule: &'static str) -> Result<(), Invalid> {
    match text {
        Some(text) if text.is_empty() || text.reveal().len() > bytes_max => Err(wrong(rule)),
        _ => Ok(()),
    }
}

fn check_code(text: &SecretText, bytes_max: usize, rule: &'static str) -> Result<(), Invalid> {
    let text = text.reveal();
    let fits = (1..=bytes_max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits { Ok(()) } else { Err(wrong(rule)) }
}

fn wrong(rule: &'static str) -> Invalid {
    Invalid::new(Field::Extension, rule)
}

/// Where a subscription stands; the numbers are SMN's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubscriptionState {
    /// It waits for its owner's confirmation.
    Unconfirmed,
    /// It is in force.
    Confirmed,
    /// It is in force and needed no confirmation.
    Unneeded,
    /// Its owner ended it.
    Cancelled,
}

impl SubscriptionState {
    /// SMN's number of the state, also its number at rest.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Unconfirmed => 0,
            Self::Confirmed => 1,
            Self::Unneeded => 2,
            Self::Cancelled => 3,
        }
    }

    /// The state of a number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Unconfirmed, Self::Confirmed, Self::Unneeded, Self::Cancelled]
            .into_iter()
            .find(|state| state.number() == number)
    }

    /// Whether messages go to it.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::Confirmed | Self::Unneeded)
    }
}

/// Whom to tell when a subscription's endpoint is paused: another subscription, or everybody who subscribed a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// A subscription of the same project.
    Subscription(SubscriptionId),
    /// A topic of the same project.
    Topic(TopicId),
}

/// What becomes of a subscription's messages when more wait than the platform's limit lets through soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overflow {
    /// They are merged: every text arrives, in few posts.
    #[default]
    Digest,
    /// Each waits for its turn and goes by itself, in order.
    Queue,
    /// The oldest that are not urgent are dropped, which is recorded; the others go one by one.
    DropOldest,
}

impl Overflow {
    const ALL: [Self; 3] = [Self::Digest, Self::Queue, Self::DropOldest];

    /// The word in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Queue => "queue",
            Self::DropOldest => "drop_oldest",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// When there is no such word.
    pub fn parse(word: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|one| one.name() == word);
        found.ok_or_else(|| Invalid::new(Field::Overflow, "must be queue, digest or drop_oldest"))
    }

    /// The number at rest; never reused.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Digest => 0,
            Self::Queue => 1,
            Self::DropOldest => 2,
        }
    }

    /// What a number at rest means.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.number() == number)
    }
}

/// What a provider needs to reach somebody: opened from its sealed form only to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The address.
    pub endpoint: Endpoint,
    /// What goes with it.
    pub extension: Extension,
}

/// A subscription as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, the last part of its URN.
    pub id: SubscriptionId,
    /// The topic it belongs to.
    pub topic: TopicId,
    /// That topic's name, for the URN.
    pub topic_name: TopicName,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The channel its address is on.
    pub channel: Channel,
    /// The protocol as the subscriber's dialect named it.
    pub protocol: String,
    /// The lane its messages take.
    pub endpoint_id: EndpointId,
    /// Its address, masked.
    pub endpoint_masked: String,
    /// The owner's note.
    pub remark: String,
    /// Where it stands.
    pub state: SubscriptionState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Which messages it wants; all when there are none.
    pub filter_policies: FilterPolicies,
}

/// Checks a remark: up to 128 bytes (SMN API reference), on one line.
///
/// # Errors
/// When it is longer or holds control characters.
pub fn check_remark(text: &str) -> Result<(), Invalid> {
    if text.len() > limits::REMARK_BYTES_MAX {
        return Err(Invalid::new(Field::Remark, "must be at most 128 bytes, about 42 Chinese characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(Field::Remark, "must be one line without control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{AppCredentials, Extension};
    use crate::channel::Channel;
    use crate::endpoint::Endpoint;

    fn lark() -> Endpoint {
        Endpoint::parse(Channel::Lark, "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789").unwrap()
    }

    #[test]
    fn lark_takes_keyword_and_secret() {
        let mut extension = Extension { keyword: Some("ops".into()), ..Extension::default() };
        assert!(extension.check(&lark()).is_ok());
        extension.sign_secret = Some("s".into());
        assert!(extension.check(&lark()).is_ok(), "a bot may demand both");
        extension.keyword = None;
        assert!(extension.check(&lark()).is_ok());
        extension.sign_secret = Some("".into());
        assert!(extension.check(&lark()).is_err());
    }

    #[test]
    fn the_internal_robot_needs_its_app() {
        let person = Endpoint::parse(Channel::DingtalkPerson, "u001").unwrap();
        assert!(Extension::default().check(&person).is_err());
        let app = AppCredentials { app_key: "k".into(), app_secret: "s".into(), robot_code: "r".into() };
        let extension = Extension { app: Some(app.clone()), ..Extension::default() };
        assert!(extension.check(&person).is_ok());
        assert!(extension.check(&lark()).is_err());
        let long = AppCredentials { app_key: "k".repeat(65).into(), ..app };
        assert!(Extension { app: Some(long), ..Extension::default() }.check(&person).is_err());
    }

    #[test]
    fn headers_are_checked() {
        let web = Endpoint::parse(Channel::Https, "https://hooks.example/x").unwrap();
        let with = |name: &str, value: &str| Extension {
            headers: vec![(name.to_owned(), value.into())],
            ..Extension::default()
        };
        assert!(with("X-Token", "a b").check(&web).is_ok());
        for name in ["", "-a", "a-", "a--b", "1a", "x-smn-topic", "Host", "a b"] {
            assert!(with(name, "v").check(&web).is_err(), "{name}");
        }
        assert!(with("x-a", "\u{7f}").check(&web).is_err());
        assert!(with("x-a", "磁").check(&web).is_err());
    }
}
