//! What the chat platforms' renderings have in common: title, keyword, room for the rest, one body per part.

use carillon_model::limits::SUBJECT_BYTES_MAX;
use carillon_model::message::{Format, Locale, Mentions};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;
use carillon_model::text::shorten;
use serde::Serialize;

use crate::key::PartKey;
use crate::render::{self, Dialect};
use crate::{Part, Post};

/// The room that a part's number takes at most, with the space before it.
const LABEL_ROOM: &str = " (10000/10000)";
/// The least room for text that makes sense.
const TEXT_BYTES_MIN: usize = 256;
/// The longest preview, in bytes.
const PREVIEW_BYTES_MAX: usize = 120;

/// A message's form, prepared: one-line title, whole text, who is pinged, and the keyword.
pub(crate) struct Draft<'a> {
    /// The heading, one line, at most [`SUBJECT_BYTES_MAX`] bytes.
    pub(crate) title: Option<String>,
    /// The text.
    pub(crate) text: String,
    /// How the text is to be read.
    pub(crate) format: Format,
    /// Who is to be pinged.
    pub(crate) mentions: &'a Mentions,
    /// The word that the robot demands.
    pub(crate) keyword: Option<&'a str>,
    /// What a heading says when there must be one and there is none.
    pub(crate) nameless: &'static str,
}

impl<'a> Draft<'a> {
    /// Prepares a post for a target.
    pub(crate) fn new(target: &'a Target, post: &Post<'a>) -> Self {
        let given = post.body.title.as_deref().or(post.subject);
        let line = given.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
        let line = line.filter(|title| !title.is_empty());
        let text = post.body.text.clone();
        // A title that is too long for a heading is cut there and stands whole above the text.
        let (title, text) = match line {
            Some(title) if title.len() > SUBJECT_BYTES_MAX => {
                (Some(shorten(&title, SUBJECT_BYTES_MAX)), format!("{title}\n\n{text}"))
            }
            title => (title, text),
        };
        Self {
            title,
            text,
            format: post.body.format,
            mentions: &post.body.mentions,
            keyword: target.extension.keyword.as_ref().map(|keyword| keyword.reveal()),
            nameless: match post.locale {
                Locale::English => "Notification",
                Locale::Chinese => "通知",
            },
        }
    }

    /// The title with the part's number behind it; the number alone when there is no title.
    pub(crate) fn heading(&self, label: &str) -> Option<String> {
        match &self.title {
            Some(title) => Some(format!("{title}{label}")),
            None if label.is_empty() => None,
            None => Some(label.trim_start().to_owned()),
        }
    }

    /// The heading, or the beginning of the text where a platform cannot do without one.
    pub(crate) fn preview(&self, label: &str) -> String {
        if let Some(heading) = self.heading(label).filter(|_| self.title.is_some()) {
            return heading;
        }
        let marks: &[char] = &['#', '>', '*', '-', '`', '|', ' ', '\t'];
        let first = self.text.lines().map(|line| line.trim_matches(marks)).find(|line| !line.is_empty());
        let line = shorten(first.unwrap_or(self.nameless), PREVIEW_BYTES_MAX);
        format!("{line}{label}")
    }

    /// The keyword, unless one of the texts that the platform searches holds it already.
    pub(crate) fn missing_keyword(&self, searched: &[&str]) -> Option<&'a str> {
        self.keyword.filter(|keyword| !searched.iter().any(|text| text.contains(keyword)))
    }

    /// Adds a line with the keyword, as it stands: escaped it would be another word.
    pub(crate) fn with_keyword(&self, text: String, searched_too: &[&str]) -> String {
        let mut searched = vec![text.as_str()];
        searched.extend_from_slice(searched_too);
        match self.missing_keyword(&searched) {
            Some(keyword) => format!("{text}\n\n{keyword}"),
            None => text,
        }
    }

    /// Cuts the text so that what `compose` makes of each piece fits `bytes_max`, and makes the parts.
    ///
    /// People are pinged in the last part only: who follows the ping finds the whole message there.
    pub(crate) fn parts(
        &self,
        dialect: Dialect,
        measure: fn(&str) -> usize,
        bytes_max: usize,
        compose: impl Fn(&str, &Place) -> Composed,
    ) -> Result<Vec<Composed>, Verdict> {
        let widest = Place { label: LABEL_ROOM.to_owned(), last: true };
        let taken = compose("", &widest).measured;
        // The keyword is left out where the piece holds it, never the other way round, so `taken` is the most.
        let room =
            bytes_max.checked_sub(taken).filter(|room| *room >= TEXT_BYTES_MIN).ok_or_else(too_long)?;
        let mut pieces = match self.format {
            Format::Text => render::plain(&self.text, measure, room),
            Format::Markdown => render::markdown(&self.text, dialect, measure, room),
        };
        pieces.retain(|piece| !piece.trim().is_empty());
        if pieces.is_empty() {
            // Markdown of which nothing shows: better its source than nothing at all.
            pieces = render::plain(&self.text, measure, room);
        }
        let count = pieces.len();
        let parts: Vec<Composed> = pieces
            .iter()
            .enumerate()
            .map(|(index, piece)| {
                let label =
                    if count == 1 { String::new() } else { format!(" {}", render::part_label(index, count)) };
                compose(piece, &Place { label, last: index + 1 == count })
            })
            .collect();
        if parts.is_empty() || parts.iter().any(|part| part.measured > bytes_max) {
            return Err(too_long());
        }
        Ok(parts)
    }
}

/// Which part of a delivery a piece becomes.
pub(crate) struct Place {
    /// What to show of it behind the title: a space and `(2/3)`; empty when there is one part only.
    pub(crate) label: String,
    /// Whether it is the last.
    pub(crate) last: bool,
}

/// A part in the platform's form.
pub(crate) struct Composed {
    /// The request's body, a JSON object.
    pub(crate) json: String,
    /// How much of the platform's limit it takes, in bytes.
    pub(crate) measured: usize,
    /// The same in plainer forms, each plainer than the one before.
    pub(crate) fallbacks: Vec<String>,
}

impl Composed {
    /// A body whose whole JSON counts.
    pub(crate) fn whole(body: &impl Serialize) -> Self {
        let json = json(body);
        let measured = json.len();
        Self { json, measured, fallbacks: Vec::new() }
    }

    /// A body of which only `counted` counts.
    pub(crate) fn counted(body: &impl Serialize, counted: &str) -> Self {
        Self { json: json(body), measured: counted.len(), fallbacks: Vec::new() }
    }

    /// Adds a plainer form for when the platform refuses this one.
    pub(crate) fn or_else(mut self, fallback: String) -> Self {
        self.fallbacks.push(fallback);
        self
    }
}

/// Compact JSON with raw UTF-8, which is what the platforms' limits are kindest to.
pub(crate) fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body)
        .expect("bodies are made of texts, numbers and lists, which all have a JSON form")
}

/// Numbers the parts of a delivery.
pub(crate) fn numbered(post: &Post<'_>, composed: Vec<Composed>) -> Vec<Part> {
    composed
        .into_iter()
        .enumerate()
        .map(|(index, part)| Part {
            body: part.json.into(),
            headers: Vec::new(),
            key: key(post, index),
            secrets: Vec::new(),
            fallbacks: part.fallbacks,
            attachment: None,
            notice: false,
        })
        .collect()
}

/// A part's idempotency key: the same at each attempt.
pub(crate) fn key(post: &Post<'_>, index: usize) -> PartKey {
    PartKey { post: post.key, index }
}

/// Puts fields in front of those of a JSON object.
pub(crate) fn with_fields(fields: &impl Serialize, body: &str) -> String {
    let fields = json(fields);
    match (fields.strip_suffix('}'), body.strip_prefix('{')) {
        (Some("{"), _) | (None, _) | (_, None) => body.to_owned(),
        (Some(fields), Some("}")) => format!("{fields}}}"),
        (Some(fields), Some(body)) => format!("{fields},{body}"),
    }
}

/// Whether an id can stand inside a mention: the platforms' ids are made of these characters.
pub(crate) fn plain_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'@' | b'.' | b'+'))
}

/// Adds words behind a text, where each is still missing.
pub(crate) fn with_words(text: &str, words: impl IntoIterator<Item = String>) -> String {
    let mut out = text.to_owned();
    for word in words {
        if !holds_word(text, &word) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&word);
        }
    }
    out
}

/// Whether `word` stands in `text` and is not the beginning of a longer one, as `@u1` is in `@u10`.
pub(crate) fn holds_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let next = text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        next.is_none_or(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
    })
}

fn too_long() -> Verdict {
    Verdict::plain(Outcome::Refused, Reason::Render)
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
