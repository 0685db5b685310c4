//! Who may do what. An account has a role in each project that it belongs to; a key or token of it may have a
//! narrower one. What a role allows stands in one closed table, [`Role::grant`].

use std::fmt;

use crate::error::{Field, Invalid};
use crate::limits;
use crate::topic::TopicName;

/// What an account is in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Does everything in the project.
    Administrator,
    /// Publishes to the topics that it was given, and sees what it published.
    Publisher,
    /// Sees everything, changes nothing.
    Reader,
}

/// What a call is about, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// What concerns the caller alone: who it is, its own password, ending its own tokens.
    Own,
    /// See topics, subscriptions, templates and all else that is set up.
    Look,
    /// See messages and what became of them.
    Trace,
    /// Publish to a topic.
    Publish,
    /// Change what is set up; send again and cancel.
    Change,
    /// See who has access, and who changed what.
    Inspect,
    /// Give and take access: accounts, roles, keys, tokens.
    Govern,
}

/// How far a role has a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grant {
    /// Not at all.
    No,
    /// For the topics that go with the role, or for what the account itself has published.
    Own,
    /// For everything in the project.
    Yes,
}

impl Role {
    /// Every role, the one with the most rights first.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Publisher, Self::Reader];

    /// Its name, on the wire and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Publisher => "publisher",
            Self::Reader => "reader",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The table: what a role allows.
    #[must_use]
    pub fn grant(self, right: Right) -> Grant {
        match (self, right) {
            (_, Right::Own) => Grant::Yes,

            (Self::Administrator, _) => Grant::Yes,

            (Self::Publisher, Right::Publish | Right::Trace) => Grant::Own,
            (Self::Publisher, Right::Look | Right::Change | Right::Inspect | Right::Govern) => Grant::No,

            (Self::Reader, Right::Look | Right::Trace | Right::Inspect) => Grant::Yes,
            (Self::Reader, Right::Publish | Right::Change | Right::Govern) => Grant::No,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 7] =
        [Self::Own, Self::Look, Self::Trace, Self::Publish, Self::Change, Self::Inspect, Self::Govern];

    /// What it lets somebody do, to stand behind "may not".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Own => "do this for itself",
            Self::Look => "see what is set up",
            Self::Trace => "see these messages",
            Self::Publish => "publish to this topic",
            Self::Change => "change anything",
            Self::Inspect => "see who has access",
            Self::Govern => "give or take access",
        }
    }
}

/// The names of topics that a publisher may publish to: names, or patterns in which `*` stands for any signs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicPatterns(Vec<String>);

impl TopicPatterns {
    /// Reads a list of names and patterns.
    ///
    /// # Errors
    /// When there are too many, or one could fit no topic's name.
    pub fn new(patterns: Vec<String>) -> Result<Self, Invalid> {
        let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*');
        let fits =
            |one: &String| (1..=limits::TOPIC_NAME_CHARS_MAX).contains(&one.len()) && one.bytes().all(sign);
        if patterns.len() > limits::TOPIC_PATTERNS_MAX || !patterns.iter().all(fits) {
            let rule = "must be at most 50 topic names, of letters, digits, hyphens and underscores, in which * stands \
                        for any of them";
            return Err(Invalid::new(Field::Topics, rule));
        }
        Ok(Self(patterns))
    }

    /// Reads what [`TopicPatterns::text`] wrote.
    ///
    /// # Errors
    /// As [`TopicPatterns::new`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::new(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect())
    }

    /// The list with commas between.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.join(",")
    }

    /// The names and patterns.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether a topic's name fits one of them.
    #[must_use]
    pub fn fit(&self, topic: &TopicName) -> bool {
        self.0.iter().any(|pattern| fits(pattern, topic.as_str()))
    }
}

/// Whether `name` fits a pattern in which `*` stands for any signs, none included.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // The earliest place leaves the most for what follows.
        let Some((_skipped, behind)) = name.split_once(part) else { return false };
        name = behind;
    }
    name.ends_with(tail)
}

/// A role with the topics that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The role.
    pub role: Role,
    /// The topics; they count for a publisher only.
    pub topics: TopicPatterns,
}

impl Granted {
    /// Everything in the project.
    #[must_use]
    pub fn administrator() -> Self {
        Self { role: Role::Administrator, topics: TopicPatterns::default() }
    }

    /// Puts a role and its topics together.
    ///
    /// # Errors
    /// When a publisher has no topics, or another role has some.
    pub fn new(role: Role, topics: TopicPatterns) -> Result<Self, Invalid> {
        let publisher = role == Role::Publisher;
        match (publisher, topics.as_slice().is_empty()) {
            (true, true) => Err(Invalid::new(Field::Topics, "must name at least one topic for a publisher")),
            (false, false) => {
                Err(Invalid::new(Field::Topics, "must be empty, they are for a publisher only"))
            }
            (true, false) | (false, true) => Ok(Self { role, topics }),
        }
    }

    fn allows_publish_to(&self, topic: &TopicName) -> bool {
        match self.role.grant(Right::Publish) {
            Grant::Yes => true,
            Grant::Own => self.topics.fit(topic),
            Grant::No => false,
        }
    }
}

/// What a caller may do: what its account may, less what its key or token may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the account is in the project.
    pub account: Granted,
    /// What the key or token was narrowed to, if it was.
    pub credential: Option<Granted>,
}

impl Standing {
    fn parts(&self) -> impl Iterator<Item = &Granted> {
        std::iter::once(&self.account).chain(&self.credential)
    }

    /// How far the caller has a right: as far as the narrower of both.
    #[must_use]
    pub fn grant(&self, right: Right) -> Grant {
        let grants = self.parts().map(|part| part.role.grant(right));
        grants.fold(Grant::Yes, |so_far, next| match (so_far, next) {
            (Grant::No, _) | (_, Grant::No) => Grant::No,
            (Grant::Own, _) | (_, Grant::Own) => Grant::Own,
            (Grant::Yes, Grant::Yes) => Grant::Yes,
        })
    }

    /// Whether the caller may publish to a topic of its project.
    #[must_use]
    pub fn allows_publish_to(&self, topic: &TopicName) -> bool {
        self.parts().all(|part| part.allows_publish_to(topic))
    }

    /// The topics that go with that role.
    #[must_use]
    pub fn topics(&self) -> &[String] {
        self.credential.as_ref().unwrap_or(&self.account).topics.as_slice()
    }

    /// The role that the caller acts in: the credential's if it has one of its own.
    #[must_use]
    pub fn role(&self) -> Role {
        self.credential.as_ref().unwrap_or(&self.account).role
    }
}

#[cfg(test)]
#[path = "role_tests.rs"]
mod tests;
