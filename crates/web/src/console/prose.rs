//! Markdown as a chat shows it, as safe HTML: a publisher's own HTML stays text, links lead nowhere.

use carillon_model::message::{Body, Format};
use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd, html};

use super::show::escaped;

/// What a platform's own tags look like: colours and pings, which a preview shows as their text alone.
const PLATFORM_TAGS: [&str; 6] = ["<font", "</font", "<at", "</at", "<@", "<text_tag"];

/// Markdown as HTML.
pub(crate) fn markdown(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(text, options).map(|event| {
        if let Event::Html(raw) | Event::InlineHtml(raw) = &event {
            let platform = PLATFORM_TAGS.iter().any(|tag| raw.starts_with(tag));
            return Event::Text(if platform { "".into() } else { raw.clone() });
        }
        if let Event::TaskListMarker(done) = &event {
            return Event::Text(if *done { "☑ ".into() } else { "☐ ".into() });
        }
        if matches!(&event, Event::Start(Tag::Link { .. } | Tag::Image { .. })) {
            return Event::InlineHtml("<u>".into());
        }
        if matches!(&event, Event::End(TagEnd::Link | TagEnd::Image)) {
            return Event::InlineHtml("</u>".into());
        }
        // Alignment would be an inline style, which the pages' policy refuses.
        if let Event::Start(Tag::Table(columns)) = &event {
            return Event::Start(Tag::Table(vec![Alignment::None; columns.len()]));
        }
        // Chats keep the line ends that Markdown would join.
        if matches!(&event, Event::SoftBreak) { Event::HardBreak } else { event }
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    page.replace("<table>", "<div class=\"scroll\"><table>").replace("</table>", "</table></div>")
}

/// How much of a message a list reads, and how much of that it shows, in characters.
const READ: usize = 2_000;
const SHOWN: usize = 180;

/// How a message begins, without the signs of its Markdown: for lists, which would otherwise carry all of it.
pub(crate) fn excerpt(body: &Body) -> String {
    let text: String = body.text.chars().take(READ).collect();
    let mut plain = String::new();
    match body.format {
        Format::Text => plain.push_str(&text),
        Format::Markdown => {
            for event in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
                if let Event::Text(part) | Event::Code(part) = &event {
                    plain.push_str(part);
                } else if matches!(event, Event::End(TagEnd::TableCell)) {
                    plain.push_str(" · ");
                } else if matches!(event, Event::SoftBreak | Event::HardBreak)
                    || matches!(event, Event::End(end) if is_block(end))
                {
                    plain.push(' ');
                }
            }
        }
    }
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ").replace(" · · ", " · ");
    let mut short: String = words.chars().take(SHOWN).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    short
}

fn is_block(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::TableHead
            | TagEnd::TableRow
    )
}

/// Plain text as HTML.
pub(crate) fn plain(text: &str) -> String {
    format!("<p class=\"content\">{}</p>", escaped(text))
}

/// Whether a text has a table.
pub(crate) fn has_table(text: &str) -> bool {
    Parser::new_ext(text, Options::ENABLE_TABLES).any(|event| matches!(event, Event::Start(Tag::Table(_))))
}

#[cfg(test)]
mod tests {
    use carillon_model::message::{Body, Format};

    use super::{excerpt, has_table, markdown, plain};

    #[test]
    fn a_list_shows_how_a_message_begins() {
        let of = |format, text: &str| excerpt(&Body { format, text: text.to_owned(), ..Body::default() });
        let report =
            "**checkout** is slow.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n- [x](http://e.example) `done`";
        assert_eq!(of(Format::Markdown, report), "checkout is slow. a · b · 1 · 2 · x done");
        assert_eq!(of(Format::Text, "a\n  **b**"), "a **b**");
        let long = of(Format::Text, &"磁盘".repeat(100_000));
        assert_eq!(long.chars().count(), 181);
    }

    #[test]
    fn hostile_text_stays_text() {
        let shown = markdown(
            "a <script>alert(1)</script> [x](javascript:alert(1)) ![y](http://e.example/t.png)\n\n<img src=x>",
        );
        assert!(
            !shown.contains("<script") && !shown.contains("javascript:") && !shown.contains("<img"),
            "{shown}"
        );
        assert!(!plain("<b>&").contains("<b>"));
        let shown = markdown("<font color=\"info\">good</font> **b**");
        assert_eq!(shown, "<p>good <strong>b</strong></p>\n");
    }

    #[test]
    fn tables_are_seen() {
        assert!(!markdown("| a |\n| :--- |\n| b |").contains("style="));
        assert!(has_table("| a |\n| --- |\n| b |"));
        assert!(!has_table("a | b"));
    }
}
