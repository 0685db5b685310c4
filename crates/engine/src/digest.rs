//! Several waiting deliveries of one lane as one post, with all their content.
//!
//! They are grouped by subject, urgent groups first, each with its count and the span of time it covers; equal texts
//! stand once, with how often they came. The newest text of a subject stands first in its group and is named so, since it
//! is how things are now; the earlier ones follow in the order of time.

use carillon_model::message::{Body, Format, Locale, Mentions, Priority};
use carillon_model::{Channel, Timestamp};
use carillon_store::delivery::Ready;

/// Equal texts of a group.
struct Entry<'a> {
    body: &'a Body,
    first: Timestamp,
    last: Timestamp,
    count: usize,
}

/// The messages of one subject.
struct Group<'a> {
    title: Option<&'a str>,
    urgent: bool,
    entries: Vec<Entry<'a>>,
}

impl Group<'_> {
    fn count(&self) -> usize {
        self.entries.iter().map(|entry| entry.count).sum()
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.entries.iter().map(|entry| entry.first).min()?;
        let last = self.entries.iter().map(|entry| entry.last).max()?;
        Some((first, last))
    }
}

/// The beginning of `batch` that may go in one post. A message of which parts have arrived already goes on alone, since
/// the parts of a digest are not its own; so does one with images or files. A mail is of one subscription, since it holds
/// the link that ends that one, and what asks a subscriber is a mail of its own.
pub(crate) fn together(batch: &[Ready], channel: Channel) -> &[Ready] {
    let Some(first) = batch.first() else { return batch };
    // What follows a text must stay behind its own.
    let has_more = |ready: &Ready| !ready.stored.message.content.default.attachments.is_empty();
    let alike = |ready: &&Ready| {
        channel != Channel::Email
            || (ready.subscription == first.subscription && ready.stored.message.content.kind.is_published())
    };
    let alone = |ready: &&Ready| ready.parts_done == 0 && !has_more(ready);
    let whole = batch.iter().take_while(alone).take_while(alike).count();
    batch.get(..whole.max(1)).unwrap_or(batch)
}

/// Puts deliveries and their bodies, in the order of their lane, into one body. Fewer than two make no digest.
///
/// It is plain text unless one of the bodies is Markdown, or the platform takes more of that: WeCom's robots take twice
/// as many bytes of Markdown as of text (WeCom, "message push").
pub(crate) fn compose(parts: &[(&Ready, Body)], channel: Channel) -> Option<Body> {
    let (first, _) = parts.first()?;
    if parts.len() < 2 {
        return None;
    }
    let locale = first.stored.message.locale;
    // Buttons of several messages cannot stand together: they become links of their own texts.
    let parts: Vec<(&Ready, Body)> =
        parts.iter().map(|(ready, body)| (*ready, body.clone().with_links())).collect();
    let parts = parts.as_slice();
    let markdown = channel == Channel::Wecom || parts.iter().any(|(_, body)| body.format == Format::Markdown);
    let mut groups = grouped(parts);
    groups.sort_by_key(|group| !group.urgent);
    groups.iter_mut().for_each(newest_first);
    let blocks: Vec<String> = groups.iter().map(|group| block(group, markdown, locale)).collect();
    Some(Body {
        format: if markdown { Format::Markdown } else { Format::Text },
        title: Some(title(parts, &groups, locale)),
        text: blocks.join("\n\n"),
        mentions: mentions(parts),
        color: parts.iter().find_map(|(_, body)| body.color),
        buttons: Vec::new(),
        attachments: Vec::new(),
        notice: parts.iter().all(|(_, body)| body.notice),
    })
}

fn grouped<'a>(parts: &'a [(&Ready, Body)]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (ready, body) in parts {
        let title = body.title.as_deref();
        let at = ready.stored.message.created_at;
        let urgent = ready.stored.message.priority == Priority::Urgent;
        // Of one subject, the end may be less urgent than the beginning.
        let is_of = |group: &Group<'_>| group.title == title && (title.is_some() || group.urgent == urgent);
        let index = groups.iter().position(is_of);
        let index = index.unwrap_or_else(|| {
            groups.push(Group { title, urgent, entries: Vec::new() });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(index) else { continue };
        group.urgent |= urgent;
        match group
            .entries
            .iter_mut()
            .find(|entry| entry.body.text == body.text && entry.body.format == body.format)
        {
            Some(entry) => {
                entry.count += 1;
                entry.last = entry.last.max(at);
            }
            None => group.entries.push(Entry { body, first: at, last: at, count: 1 }),
        }
    }
    groups
}

/// Sorts a group's texts by time, but for a subject's newest, which is how it stands now. Texts without a subject may be
/// about anything, so none of them is the state of something.
fn newest_first(group: &mut Group<'_>) {
    group.entries.sort_by_key(|entry| entry.last);
    if group.title.is_some() {
        group.entries.rotate_right(1);
    }
}

/// `HH:MM:SS`, in UTC as all times of messages are.
fn time(at: Timestamp) -> String {
    at.to_seconds_text().chars().skip(11).take(8).collect()
}

fn span(first: Timestamp, last: Timestamp) -> String {
    let (first, last) = (time(first), time(last));
    if first == last { format!("{first} UTC") } else { format!("{first}–{last} UTC") }
}

fn title(parts: &[(&Ready, Body)], groups: &[Group<'_>], locale: Locale) -> String {
    let times = parts.iter().map(|(ready, _)| ready.stored.message.created_at);
    let (first, last) = (times.clone().min(), times.max());
    let span = first.zip(last).map(|(first, last)| span(first, last)).unwrap_or_default();
    let count = parts.len();
    let head = match locale {
        Locale::English => format!("{count} messages, {span}"),
        Locale::Chinese => format!("{count} 条消息，{span}"),
    };
    let subjects = groups.iter().filter_map(|group| group.title).collect::<Vec<_>>();
    let Some(first) = subjects.first() else { return head };
    let first: String = first.chars().take(60).collect();
    match (subjects.len() - 1, locale) {
        (0, _) => format!("{head}: {first}"),
        (more, Locale::English) => format!("{head}: {first} and {more} more"),
        (more, Locale::Chinese) => format!("{head}：{first} 等 {} 类", more + 1),
    }
}

fn block(group: &Group<'_>, markdown: bool, locale: Locale) -> String {
    let mut lines = Vec::new();
    if let Some(title) = group.title {
        let count = group.count();
        let span = group.span().map(|(first, last)| span(first, last)).unwrap_or_default();
        lines.push(match (markdown, count) {
            (true, 1) => format!("**{}**", literal(title)),
            (true, _) => format!("**{}** ({count}, {span})", literal(title)),
            (false, 1) => format!("■ {title}"),
            (false, _) => format!("■ {title} ({count}, {span})"),
        });
    }
    let newest = match locale {
        Locale::English => " (newest)",
        Locale::Chinese => "（最新）",
    };
    let has_newest = group.title.is_some() && group.entries.len() > 1;
    for (place, entry) in group.entries.iter().enumerate() {
        lines.push(shown(entry, if has_newest && place == 0 { newest } else { "" }, markdown));
    }
    lines.join(if markdown { "\n\n" } else { "\n" })
}

fn shown(entry: &Entry<'_>, mark: &str, markdown: bool) -> String {
    let often = if entry.count > 1 { format!(" ×{}", entry.count) } else { String::new() };
    let at = time(entry.last);
    let text = match (markdown, entry.body.format) {
        (true, Format::Text) => literal(&entry.body.text),
        (true, Format::Markdown) | (false, _) => entry.body.text.clone(),
    };
    // A markdown text may begin with a table or a list, which must stand on a line of its own.
    if markdown { format!("{at}{often}{mark}\n\n{text}") } else { format!("{at}{often}{mark} {text}") }
}

/// A text that Markdown shows as it is: `CommonMark` takes a backslash before any ASCII punctuation.
fn literal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut indent = true;
    for c in text.chars() {
        // Four blanks at the beginning of a line would make it code.
        indent = c == '\n' || (indent && c == ' ');
        if indent && c == ' ' {
            shown.push('\u{a0}');
            continue;
        }
        if matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '['
                | ']'
                | '('
                | ')'
                | '#'
                | '>'
                | '<'
                | '+'
                | '-'
                | '|'
                | '~'
                | '!'
                | '&'
        ) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

fn mentions(parts: &[(&Ready, Body)]) -> Mentions {
    let mut all = Mentions::default();
    for (_, body) in parts {
        all.all |= body.mentions.all;
        for (to, from) in
            [(&mut all.mobiles, &body.mentions.mobiles), (&mut all.user_ids, &body.mentions.user_ids)]
        {
            for id in from {
                if !to.contains(id) {
                    to.push(id.clone());
                }
            }
        }
    }
    all
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
