//! A message: what a publisher handed in, once; it never changes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attachment::Attachment;
use crate::channel::Channel;
use crate::clock::Timestamp;
use crate::error::{Field, Invalid};
use crate::id::{MessageId, ProjectId, TopicId};
use crate::limits;

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As it stands.
    #[default]
    Text,
    /// `CommonMark` with tables.
    Markdown,
}

/// Who is to be pinged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mentions {
    /// Everybody in the chat.
    #[serde(default)]
    pub all: bool,
    /// People by mobile number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mobiles: Vec<String>,
    /// People by the platform's user id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_ids: Vec<String>,
}

impl Mentions {
    /// Whether nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all && self.mobiles.is_empty() && self.user_ids.is_empty()
    }
}

/// The colour of a card's title bar; the names are Feishu's header templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Color {
    Blue,
    Wathet,
    Turquoise,
    Green,
    Yellow,
    Orange,
    Red,
    Carmine,
    Violet,
    Purple,
    Indigo,
    Grey,
}

impl Color {
    /// Every colour.
    pub const ALL: [Self; 12] = [
        Self::Blue,
        Self::Wathet,
        Self::Turquoise,
        Self::Green,
        Self::Yellow,
        Self::Orange,
        Self::Red,
        Self::Carmine,
        Self::Violet,
        Self::Purple,
        Self::Indigo,
        Self::Grey,
    ];

    /// Feishu's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Wathet => "wathet",
            Self::Turquoise => "turquoise",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
            Self::Carmine => "carmine",
            Self::Violet => "violet",
            Self::Purple => "purple",
            Self::Indigo => "indigo",
            Self::Grey => "grey",
        }
    }

    /// The colour of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.name() == name)
    }
}

/// One form of a message: what a channel is given to render.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// How the text is to be read.
    #[serde(default)]
    pub format: Format,
    /// The heading; the message's subject unless the form has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub text: String,
    /// Who is to be pinged.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    /// The colour of the title bar, where the platform has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// Buttons that open a page, below the text; of pushes only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// Images and files that follow the text, in their order; of pushes only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether DingTalk is to notify people instead of having its robot write to them; of pushes only.
    #[serde(default, skip_serializing_if = "is_not")]
    pub notice: bool,
}

fn is_not(is: &bool) -> bool {
    !*is
}

/// A button that opens a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What it says.
    pub text: String,
    /// The page it opens.
    pub url: String,
}

impl Button {
    /// The most that a message has.
    pub const COUNT_MAX: usize = 5;

    /// Reads a button.
    ///
    /// # Errors
    /// When the text is empty, long, or has more than one line, or the address is none of the web. Neither may hold what
    /// would end a link on a platform that shows buttons as links.
    pub fn parse(text: &str, url: &str) -> Result<Self, Invalid> {
        const TEXT_CHARS_MAX: usize = 20;
        const URL_BYTES_MAX: usize = 500;
        let wrong = |rule| Invalid::new(Field::Message, rule);
        let plain = |text: &str| {
            !text.chars().any(|c| c.is_control() || matches!(c, '[' | ']' | '(' | ')' | '<' | '>'))
        };
        if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX || !plain(text) {
            return Err(wrong("a button's text must be 1 to 20 characters on one line, without brackets"));
        }
        let web = url.starts_with("https://") || url.starts_with("http://");
        if !web || url.len() > URL_BYTES_MAX || !plain(url) || url.contains(char::is_whitespace) {
            return Err(wrong("a button's url must be a web address of at most 500 bytes"));
        }
        Ok(Self { text: text.to_owned(), url: url.to_owned() })
    }
}

impl Body {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Markdown.
    pub fn markdown(text: impl Into<String>) -> Self {
        Self { format: Format::Markdown, text: text.into(), ..Self::default() }
    }

    /// The body with its buttons as links behind the text: what every platform shows.
    #[must_use]
    pub fn with_links(mut self) -> Self {
        let buttons = std::mem::take(&mut self.buttons);
        let link = |button: &Button| match self.format {
            Format::Markdown => format!("[{}]({})", button.text, button.url),
            Format::Text => format!("{}: {}", button.text, button.url),
        };
        let links: Vec<String> = buttons.iter().map(link).collect();
        if !links.is_empty() {
            let between = if self.format == Format::Markdown { " · " } else { "\n" };
            self.text = format!("{}\n\n{}", self.text, links.join(between));
        }
        self
    }
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A publisher's own.
    #[default]
    Published,
    /// The service asks a subscriber whether the subscription is wanted.
    SubscriptionConfirmation,
    /// The service tells a subscriber that the subscription has ended.
    UnsubscribeConfirmation,
}

impl Kind {
    /// The kind's name in Carillon's own API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::SubscriptionConfirmation => "subscription_confirmation",
            Self::UnsubscribeConfirmation => "unsubscribe_confirmation",
        }
    }

    /// Whether a publisher wrote it.
    #[must_use]
    pub fn is_published(&self) -> bool {
        *self == Self::Published
    }
}

/// What a message says, with a form of its own for some channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Kind::is_published")]
    pub kind: Kind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The form for every channel that has none of its own.
    pub default: Body,
    /// The forms of single channels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, Body>,
    /// If set, only subscriptions of these channels get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<Channel>>,
}

impl Content {
    /// The form for `channel`, with the subject as its title where it has none.
    #[must_use]
    pub fn for_channel(&self, channel: Channel) -> Body {
        let mut body = self.channels.get(&channel).unwrap_or(&self.default).clone();
        if body.title.is_none() {
            body.title.clone_from(&self.subject);
        }
        body
    }

    /// How many bytes of text all of its forms have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.channels.values().map(|body| body.text.len()).sum::<usize>() + self.default.text.len()
    }

    /// Whether subscriptions of `channel` are meant.
    #[must_use]
    pub fn reaches(&self, channel: Channel) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&channel))
    }

    /// Checks subject and texts (SMN API reference, "Publishing a Message").
    ///
    /// # Errors
    /// When the subject is over 512 bytes or holds a line break, or a text is empty or over 256 KB. Each form is a
    /// message of its own; a message structure as a whole is measured where it is read.
    pub fn check(&self) -> Result<(), Invalid> {
        if let Some(subject) = &self.subject {
            if subject.len() > limits::SUBJECT_BYTES_MAX {
                return Err(Invalid::new(
                    Field::Subject,
                    "must be at most 512 bytes, about 170 Chinese characters",
                ));
            }
            if subject.chars().any(char::is_control) {
                return Err(Invalid::new(Field::Subject, "must be one line without control characters"));
            }
        }
        let bodies = self.channels.values().chain(std::iter::once(&self.default));
        for body in bodies {
            // An image or a file may stand alone.
            if body.text.trim().is_empty() && body.attachments.is_empty() {
                return Err(Invalid::new(Field::Message, "must not be empty"));
            }
            if body.text.len() > limits::MESSAGE_BYTES_MAX {
                return Err(Invalid::new(Field::Message, "must be at most 262144 bytes of UTF-8"));
            }
        }
        Ok(())
    }
}

/// How urgent a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// In its turn.
    #[default]
    Normal,
    /// First within a lane's limits.
    Urgent,
}

impl Priority {
    /// Whether it goes first.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        self == Self::Urgent
    }

    /// Its number at rest.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Normal => 0,
            Self::Urgent => 1,
        }
    }
}

/// The language of what the service itself adds to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Locale {
    /// English (SMN's `en-us`).
    #[default]
    #[serde(rename = "en-us")]
    English,
    /// Chinese (SMN's `zh-cn`).
    #[serde(rename = "zh-cn")]
    Chinese,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The topic it was published to.
    pub topic: TopicId,
    /// What it says.
    pub content: Content,
    /// How urgent it is.
    pub priority: Priority,
    /// The language of what the service adds.
    pub locale: Locale,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it is no longer sent.
    pub expires_at: Timestamp,
}

/// Reads a time to live in seconds: 1 to 86400 (SMN API reference).
///
/// # Errors
/// When it is outside.
pub fn time_to_live(seconds: Option<u64>) -> Result<Duration, Invalid> {
    let seconds = seconds.unwrap_or(limits::TIME_TO_LIVE_SECONDS_DEFAULT);
    if (1..=limits::TIME_TO_LIVE_SECONDS_MAX).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(Invalid::new(Field::TimeToLive, "must be a whole number of seconds from 1 to 86400"))
    }
}

/// Checks a publisher's key: 1 to 128 printable ASCII characters.
///
/// # Errors
/// When it is empty, longer, or holds anything else. The key is not repeated.
pub fn check_idempotency_key(key: &str) -> Result<(), Invalid> {
    let fits = (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())
        && key.bytes().all(|b| (b' '..=b'~').contains(&b));
    if fits {
        Ok(())
    } else {
        Err(Invalid::new(Field::IdempotencyKey, "must be 1 to 128 printable ASCII characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, Content, check_idempotency_key, time_to_live};
    use crate::channel::Channel;
    use crate::error::Field;

    fn content(subject: Option<&str>, text: &str) -> Content {
        Content { subject: subject.map(str::to_owned), default: Body::text(text), ..Content::default() }
    }

    #[test]
    fn sizes_are_counted_in_bytes() {
        assert!(content(Some(&"磁".repeat(170)), "x").check().is_ok());
        assert_eq!(content(Some(&"磁".repeat(171)), "x").check().unwrap_err().field, Field::Subject);
        assert!(content(None, &"a".repeat(262_144)).check().is_ok());
        assert_eq!(content(None, &"a".repeat(262_145)).check().unwrap_err().field, Field::Message);
        assert_eq!(content(None, " \n").check().unwrap_err().field, Field::Message);
        assert_eq!(content(Some("a\nb"), "x").check().unwrap_err().field, Field::Subject);
    }

    #[test]
    fn a_channel_has_its_own_form_or_the_default() {
        let mut content = content(Some("Disk"), "full");
        let own = Body { title: Some("磁盘".to_owned()), ..Body::markdown("**满**") };
        content.channels.insert(Channel::Lark, own);
        assert_eq!(content.for_channel(Channel::Lark).title.as_deref(), Some("磁盘"));
        assert_eq!(content.for_channel(Channel::Wecom).title.as_deref(), Some("Disk"));
        assert_eq!(content.for_channel(Channel::Wecom).text, "full");
    }

    #[test]
    fn time_to_live_is_bounded() {
        assert!(time_to_live(Some(0)).is_err());
        assert!(time_to_live(Some(86_401)).is_err());
        assert_eq!(time_to_live(None).unwrap().as_secs(), 3_600);
    }

    #[test]
    fn keys_are_short_and_printable() {
        for good in ["k", "deploy 7/2", &"x".repeat(128)] {
            assert!(check_idempotency_key(good).is_ok(), "{good}");
        }
        for bad in ["", "a\tb", "钥匙", &"x".repeat(129)] {
            assert_eq!(check_idempotency_key(bad).unwrap_err().field, Field::IdempotencyKey, "{bad}");
        }
    }
}
