//! Message templates: a text with placeholders such as `{host}`, kept under a name, with a variant for each protocol
//! that shall have its own (SMN API reference, "Creating a Message Template").

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::channel::Channel;
use crate::clock::Timestamp;
use crate::error::{Field, Invalid};
use crate::id::{ProjectId, TemplateId};
use crate::limits;

/// The protocol of the variant that everybody gets whose own protocol has none.
pub const DEFAULT_PROTOCOL: &str = "default";

/// A template's name: a letter or digit, then letters, digits, `-` and `_`, up to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateName(String);

impl TemplateName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it breaks the rule above.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut bytes = text.bytes();
        let fits = text.len() <= limits::TEMPLATE_NAME_CHARS_MAX
            && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            return Ok(Self(text.to_owned()));
        }
        let rule = "must be 1 to 64 letters, digits, hyphens or underscores and begin with a letter or digit";
        Err(Invalid::new(Field::TemplateName, rule))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variant of a template, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its name, which its variants share.
    pub name: TemplateName,
    /// The protocol as the owner's dialect names it, or [`DEFAULT_PROTOCOL`].
    pub protocol: String,
    /// The channel it is for; not set for the default variant and for protocols that nobody can subscribe by.
    pub channel: Option<Channel>,
    /// Its different placeholders, in the order in which they stand first.
    pub placeholders: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its text was last changed.
    pub updated_at: Timestamp,
}

/// A text taken apart at its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateText {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Placeholder(String),
}

impl TemplateText {
    /// Reads a text. `{`, 1 to 21 letters, digits, `-`, `_` and `.` that begin with a letter or digit, and `}` are a
    /// placeholder; any other brace is plain text.
    ///
    /// # Errors
    /// When the text is blank, over 256 KB, or has more than 90 different placeholders or 256 in all.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            return Err(Invalid::new(Field::TemplateContent, "must not be empty"));
        }
        if text.len() > limits::MESSAGE_BYTES_MAX {
            return Err(Invalid::new(Field::TemplateContent, "must be at most 262144 bytes of UTF-8"));
        }
        let this = Self { pieces: pieces(text) };
        let places = this.pieces.iter().filter(|piece| matches!(piece, Piece::Placeholder(_))).count();
        if places > limits::PLACEHOLDER_PLACES_MAX || this.placeholders().len() > limits::PLACEHOLDERS_MAX {
            let rule = "a template has at most 90 different placeholders, in at most 256 places";
            return Err(Invalid::new(Field::Placeholders, rule));
        }
        Ok(this)
    }

    /// The different placeholders, in the order in which they stand first.
    #[must_use]
    pub fn placeholders(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for piece in &self.pieces {
            if let Piece::Placeholder(name) = piece
                && seen.insert(name)
            {
                found.push(name.clone());
            }
        }
        found
    }

    /// The text with values in the place of its placeholders. A value is taken as it stands, braces and all.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub fn render(&self, values: &Values) -> Result<String, Invalid> {
        let mut text = String::new();
        for piece in &self.pieces {
            text.push_str(match piece {
                Piece::Plain(plain) => plain,
                Piece::Placeholder(name) => values.0.get(name).ok_or_else(|| {
                    Invalid::new(Field::PlaceholderValues, format!("the placeholder {name} has no value"))
                })?,
            });
        }
        Ok(text)
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        match named(after) {
            Some((name, behind)) => {
                if !plain.is_empty() {
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Placeholder(name.to_owned()));
                rest = behind;
            }
            None => {
                plain.push('{');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

/// The placeholder whose brace was just read, and what stands behind it. Its end is looked for no farther than a name may
/// reach: a text of open braces would otherwise be read from each of them to its end.
fn named(after: &str) -> Option<(&str, &str)> {
    let end = after.bytes().take(limits::PLACEHOLDER_CHARS_MAX + 1).position(|byte| byte == b'}')?;
    let (name, behind) = after.split_at_checked(end)?;
    placeholder_fits(name).then_some((name, behind.strip_prefix('}')?))
}

fn placeholder_fits(name: &str) -> bool {
    name.len() <= limits::PLACEHOLDER_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// What a publish puts in the place of placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// Takes values by the names of their placeholders.
    ///
    /// # Errors
    /// When a name is no placeholder's or a value is over 1 KB.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self, Invalid> {
        let wrong = |rule: &'static str| Invalid::new(Field::PlaceholderValues, rule);
        for (name, value) in &values {
            if !placeholder_fits(name) {
                return Err(wrong(
                    "a name is 1 to 21 letters, digits, hyphens, underscores and dots and begins with a letter or digit",
                ));
            }
            if value.len() > limits::PLACEHOLDER_VALUE_BYTES_MAX {
                return Err(wrong("a value is at most 1024 bytes of UTF-8"));
            }
        }
        Ok(Self(values))
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
