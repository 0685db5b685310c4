use proptest::prelude::*;

use super::{escape_html, html};

#[test]
fn markdown_is_shown() {
    let shown = html(
        "# Disk\n\n**db-1** is *full*\nnow\n\n| a | b |\n| --- | --- |\n| 1 | `x<y` |\n\n- [x] one\n\n[run](https://a.b/?x=1&y=2)",
    );
    for piece in [
        "<h1>Disk</h1>",
        "<strong>db-1</strong> is <em>full</em><br />\nnow",
        "<table><thead><tr><th>a</th><th>b</th></tr></thead>",
        "<code>x&lt;y</code>",
        "<input disabled=\"\" type=\"checkbox\" checked=\"\"/>",
        "<a href=\"https://a.b/?x=1&amp;y=2\">run</a>",
    ] {
        assert!(shown.contains(piece), "{piece}\n{shown}");
    }
}

#[test]
fn raw_html_is_text() {
    let shown = html("<script>alert(1)</script>\n\na <img src=x onerror=alert(1)> b<br>c\n\n<!-- x -->");
    assert!(!shown.contains("<script") && !shown.contains("<img") && !shown.contains("<!--"), "{shown}");
    assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{shown}");
    assert!(shown.contains("b<br />\nc"), "{shown}");
}

#[test]
fn only_the_web_and_mailboxes_are_linked() {
    let shown = html(
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](JaVaScRiPt:x) <mail@a.b> [d](mailto:x@a.b \"t\\\"x\")",
    );
    assert_eq!(shown.matches("<a ").count(), 2, "{shown}");
    assert!(!shown.to_lowercase().contains("href=\"javascript") && !shown.contains("title="), "{shown}");
    assert!(shown.contains("a b c"), "{shown}");
}

#[test]
fn pictures_are_links() {
    assert_eq!(html("![cpu](https://a.b/c.png)"), "<p><a href=\"https://a.b/c.png\">cpu</a></p>\n");
    assert_eq!(html("[![cpu](https://a.b/c.png)](https://a.b)"), "<p><a href=\"https://a.b\">cpu</a></p>\n");
    assert_eq!(html("![cpu](cid:1)"), "<p>cpu</p>\n");
}

#[test]
fn everything_is_escaped() {
    assert_eq!(escape_html("<a href=\"x\">&'\0"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\u{fffd}");
}

/// The tags of what was written, without their attributes.
fn tags(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    tags.map(|tag| tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default().to_owned())
        .collect()
}

proptest! {
    /// However hostile a text is, only the few tags that markdown means are written, and they are well formed.
    #[test]
    fn nothing_but_known_tags(text in "([ -~\\n]|<(script|img|a|style|iframe)[ -~]{0,9}>|\\[x\\]\\([ -~]{0,12}\\)|磁){0,40}") {
        const KNOWN: &[&str] = &[
            "p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "a",
            "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "input",
        ];
        let shown = html(&text);
        for tag in tags(&shown) {
            prop_assert!(KNOWN.contains(&tag.as_str()), "{tag} in {shown}");
        }
        let lower = shown.to_lowercase();
        prop_assert!(!lower.contains("href=\"javascript") && !lower.contains("href=\"data"), "{shown}");
    }
}
