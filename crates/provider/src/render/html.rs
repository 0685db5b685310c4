//! Markdown as HTML for mail programs: raw HTML is text, and links lead to the web or to a mailbox only.

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::source;

/// What HTML would take for markup, as characters.
#[must_use]
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\0' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Writes markdown as HTML in which nothing of the text is markup but what markdown means.
///
/// Pictures become links: a picture that a mail fetches tells its sender who read it and when.
#[must_use]
pub(crate) fn html(markdown: &str) -> String {
    let text = source::clean(markdown);
    let text = source::keep_bracketed_lines(&text);
    let options: Options = source::options();
    let mut links = Links::default();
    let events = Parser::new_ext(&text, options).filter_map(|event| links.tame(event));
    let mut html = String::with_capacity(text.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// For each link or picture that is open, whether it is written as a link.
#[derive(Default)]
struct Links(Vec<bool>);

impl Links {
    fn tame<'a>(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match event {
            Event::InlineHtml(html) if super::parse::is_line_break(&html) => Some(Event::HardBreak),
            Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
            // People write logs line by line.
            Event::SoftBreak => Some(Event::HardBreak),
            Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Link { link_type, dest_url, title: _, id }) => self
                .open(link_type == LinkType::Email || is_safe(&dest_url))
                .then(|| Event::Start(Tag::Link { link_type, dest_url, title: "".into(), id })),
            Event::Start(Tag::Image { link_type: _, dest_url, title: _, id }) => {
                // A link inside a link would end the outer one.
                let alone = !self.0.contains(&true);
                self.open(alone && is_safe(&dest_url)).then(|| {
                    Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title: "".into(), id })
                })
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                self.0.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link))
            }
            Event::Start(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => Some(event),
        }
    }

    fn open(&mut self, written: bool) -> bool {
        self.0.push(written);
        written
    }
}

/// Whether an address may be followed with one click.
fn is_safe(address: &str) -> bool {
    let has =
        |scheme: &str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    has("http://") || has("https://") || has("mailto:")
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
