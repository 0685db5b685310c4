//! Markdown as a chat shows it, as safe HTML: a publisher's own HTML stays text, links lead nowhere.

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
    use super::{has_table, markdown, plain};

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
