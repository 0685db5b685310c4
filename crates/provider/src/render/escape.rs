//! Keeping a user's text from being read as markup.
//!
//! Only what would act as markup is escaped: `db_main`, `[CRITICAL]` and `3 * 4` stay as they are, so that a robot's
//! keyword is still found and a client that knows no escapes shows nothing odd.

use super::cluster::clusters;
use super::dialect::Dialect;

/// A blank without width: it tells a platform's parser two characters apart and shows nothing.
pub(super) const ZERO_WIDTH: char = '\u{200b}';

/// How far runs, entities and words are followed; longer ones are taken for markup.
const LOOK_MAX: usize = 34;

/// Where a run of text stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// At the beginning of a line, where `#`, `-` and `1.` have a meaning.
    pub(super) line_start: bool,
    /// Inside the cell of a table.
    pub(super) in_table: bool,
    /// Inside the text of a link.
    pub(super) in_link: bool,
}

/// Escapes a user's plain text so that `dialect` shows it literally and pings nobody, e.g. for titles.
///
/// The text is taken to stand at the beginning of a line. Put a blank before anything like `(1/3)` that is added after
/// it, or a bracket at its end becomes a link.
#[must_use]
pub(crate) fn escape(text: &str, dialect: Dialect) -> String {
    let text = super::source::clean(text);
    let mut escaped = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            escaped.push('\n');
        }
        let place = Place { line_start: true, ..Place::default() };
        each(line, dialect, place, |_, written| escaped.push_str(written));
    }
    escaped
}

/// Hands over each cluster of a run as it is and as it must be written.
pub(super) fn each<'a>(text: &'a str, dialect: Dialect, place: Place, mut take: impl FnMut(&'a str, &str)) {
    let mut offset = 0;
    let mut address_end = 0;
    for cluster in clusters(text) {
        let (before, rest) = text.split_at(offset);
        if offset >= address_end && starts_address(rest, before) {
            address_end = offset + address_bytes(rest);
        }
        let sight = Sight { dialect, place, before, rest, in_address: offset < address_end };
        match cluster.chars().next().and_then(|first| sight.written(first).map(|written| (first, written))) {
            Some((first, mut written)) => {
                written.extend(cluster.chars().skip(1));
                debug_assert!(cluster.starts_with(first));
                take(cluster, &written);
            }
            None => take(cluster, cluster),
        }
        offset += cluster.len();
    }
}

/// Code is shown as it stands, but even there nothing may become a mention.
pub(super) fn defuse(code: &str) -> String {
    let mut defused = String::with_capacity(code.len());
    for (offset, character) in code.char_indices() {
        defused.push(character);
        let rest = code.split_at(offset + character.len_utf8()).1;
        if character == '<' && (rest.is_empty() || is_ping(rest, true)) {
            defused.push(ZERO_WIDTH);
        }
    }
    defused
}

/// Whether what follows a `<` makes it a mention or a colour on some platform. Longer names such as `<attribute>` count
/// too unless they are `exact`, as in code, which people copy.
fn is_ping(rest: &str, exact: bool) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let begins = |tag: &str| {
        let Some((head, tail)) = name.split_at_checked(tag.len()) else { return false };
        head.eq_ignore_ascii_case(tag)
            && !(exact && tail.starts_with(|next: char| next.is_ascii_alphabetic()))
    };
    name.starts_with('@') || name.starts_with(ZERO_WIDTH) || ["at", "font", "person"].into_iter().any(begins)
}

fn starts_address(rest: &str, before: &str) -> bool {
    (rest.starts_with("http://") || rest.starts_with("https://"))
        && !before.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// The bytes of a bare web address, which clients make a link of by themselves if no escape disturbs it.
fn address_bytes(rest: &str) -> usize {
    rest.find(|next: char| {
        next.is_whitespace()
            || next.is_control()
            || !next.is_ascii()
            || matches!(next, '<' | '>' | '"' | '`' | '|' | '[' | ']' | '\\')
    })
    .unwrap_or(rest.len())
}

/// One character and what is around it.
struct Sight<'a> {
    dialect: Dialect,
    place: Place,
    before: &'a str,
    /// Begins with the character.
    rest: &'a str,
    in_address: bool,
}

impl Sight<'_> {
    fn next(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    fn at_line_start(&self) -> bool {
        self.place.line_start && self.before.trim_start().is_empty()
    }

    /// Whether the next character is a blank or the line ends.
    fn blank_follows(&self) -> bool {
        self.next().is_none_or(char::is_whitespace)
    }

    /// How `character` must be written; nothing if as it is.
    fn written(&self, character: char) -> Option<String> {
        if character == '<' {
            return self.angle();
        }
        let acts = match self.dialect {
            Dialect::Plain => false,
            Dialect::WecomMarkdown => self.acts_in_wecom(character),
            Dialect::DingtalkMarkdown | Dialect::LarkCard | Dialect::WecomMarkdownV2 => self.acts(character),
        };
        if !acts || (self.in_address && !matches!(character, '|' | '&' | ']')) {
            return None;
        }
        Some(match (self.dialect, character) {
            (Dialect::LarkCard | Dialect::DingtalkMarkdown, '&') => "&amp;".to_owned(),
            // Lark: "HTML escapes" in the page of the markdown component.
            (Dialect::LarkCard, '>') => "&gt;".to_owned(),
            (Dialect::LarkCard, _) => format!("&#{};", u32::from(character)),
            _ => format!("\\{character}"),
        })
    }

    /// A `<` that could begin a tag. `WeCom` and plain texts know no escape for it, so a blank without width parts it
    /// from its name.
    fn angle(&self) -> Option<String> {
        let rest = self.rest.split_at(1).1;
        let pings = rest.is_empty() || is_ping(rest, false);
        let is_tag = pings
            || rest.starts_with(|next: char| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'));
        match self.dialect {
            Dialect::LarkCard => Some("&lt;".to_owned()),
            Dialect::DingtalkMarkdown => is_tag.then(|| "&lt;".to_owned()),
            Dialect::WecomMarkdown | Dialect::WecomMarkdownV2 => is_tag.then(|| format!("<{ZERO_WIDTH}")),
            Dialect::Plain => pings.then(|| format!("<{ZERO_WIDTH}")),
        }
    }

    /// The small set of the older `WeCom` markdown: bold, inline code, links, headings, quotes.
    fn acts_in_wecom(&self, character: char) -> bool {
        match character {
            '*' => self.next() == Some('*') || self.before.ends_with('*'),
            '`' => true,
            '[' | ']' if self.place.in_link => true,
            ']' => self.bracket_opens(),
            '#' => self.at_line_start() && self.heading(),
            '>' => self.at_line_start(),
            _ => false,
        }
    }

    fn acts(&self, character: char) -> bool {
        match character {
            '\\' => self.next().is_none_or(|next| next.is_ascii_punctuation()),
            '*' => self.emphasises('*') || (self.at_line_start() && self.blank_follows()) || self.rules('*'),
            '_' => self.emphasises('_') || self.rules('_'),
            '~' if self.dialect == Dialect::LarkCard => self.emphasises('~'),
            '~' => self.next() == Some('~') || self.before.ends_with('~'),
            '`' => true,
            '[' | ']' if self.place.in_link => true,
            ']' => self.bracket_opens(),
            '#' => (self.at_line_start() && self.heading()) || self.closes_heading(),
            '>' => self.dialect == Dialect::LarkCard || self.at_line_start(),
            '-' | '+' => {
                self.at_line_start() && (self.blank_follows() || self.next() == Some('-') || self.rules('-'))
            }
            '=' => self.at_line_start() && (self.blank_follows() || self.next() == Some('=')),
            '.' | ')' => self.numbers(),
            '|' => self.place.in_table || (self.dialect.has_frames() && self.table_line()),
            ':' => {
                (self.dialect == Dialect::LarkCard && self.emoji())
                    || (self.dialect.has_frames() && self.at_line_start() && self.next() == Some('-'))
            }
            '&' => self.entity(),
            _ => false,
        }
    }

    /// Whether a run of `*` or `_` could open or close an emphasis.
    fn emphasises(&self, mark: char) -> bool {
        let follows = self.rest.chars().take(LOOK_MAX).find(|next| *next != mark);
        let precedes = self.before.chars().rev().take(LOOK_MAX).find(|last| *last != mark);
        match (precedes, follows) {
            (Some(before), Some(after)) if before.is_whitespace() && after.is_whitespace() => false,
            (Some(before), Some(after)) if mark == '_' => {
                !(before.is_alphanumeric() && after.is_alphanumeric())
            }
            _ => true,
        }
    }

    /// Whether the line is nothing but a rule.
    fn rules(&self, mark: char) -> bool {
        self.at_line_start()
            && self.rest.chars().take(LOOK_MAX).all(|next| next == mark || next.is_whitespace())
            && self.rest.chars().filter(|next| *next == mark).take(3).count() == 3
    }

    /// Whether the bracket closes the text of a link, or a definition that would show nothing.
    fn bracket_opens(&self) -> bool {
        match self.next() {
            Some('(') => true,
            Some(':') => {
                self.dialect != Dialect::WecomMarkdown
                    && self.place.line_start
                    && self.before.trim_start().starts_with('[')
            }
            Some(_) | None => false,
        }
    }

    fn heading(&self) -> bool {
        let after = self.rest.trim_start_matches('#');
        self.rest.len() - after.len() <= 6 && (after.is_empty() || after.starts_with(char::is_whitespace))
    }

    /// Whether only `#` follow up to the line's end, after a blank: a heading would swallow them.
    fn closes_heading(&self) -> bool {
        self.before.ends_with(char::is_whitespace)
            && self.rest.chars().take(LOOK_MAX).all(|next| next == '#' || next.is_whitespace())
    }

    /// Whether the character makes the number before it the mark of a list.
    fn numbers(&self) -> bool {
        let digits = self.before.trim_start();
        self.place.line_start
            && !digits.is_empty()
            && digits.len() <= 9
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && self.blank_follows()
    }

    /// Whether the line could be the one that makes the line before it a table's head.
    fn table_line(&self) -> bool {
        self.at_line_start()
            && self.next().is_none_or(|next| matches!(next, '-' | ':') || next.is_whitespace())
    }

    /// Whether the colon begins one of Lark's `:NAME:` emoji.
    fn emoji(&self) -> bool {
        let mut name = self.rest.chars().skip(1).take(LOOK_MAX);
        let Some(first) = name.next() else { return false };
        let end = name.find(|next| !(next.is_ascii_alphanumeric() || *next == '_'));
        first.is_ascii_alphabetic() && end == Some(':')
    }

    /// Whether the ampersand begins something like `&lt;`.
    fn entity(&self) -> bool {
        let mut name = self.rest.chars().skip(1).take(LOOK_MAX);
        let Some(first) = name.next() else { return false };
        let end = name.find(|next| !next.is_ascii_alphanumeric());
        (first == '#' || first.is_ascii_alphabetic()) && end == Some(';')
    }
}
