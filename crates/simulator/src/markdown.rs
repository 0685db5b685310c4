//! A small safe subset of the platforms' markdown as HTML. Everything that is not understood is shown as it is
//! written, escaped; no attribute but `href` and `class` is ever made, and both are checked.

/// Past this many bytes a line is shown as written: looking for pairs in it would cost too much.
const MOST_LINE: usize = 8000;
/// Emphasis within emphasis is looked into this deep.
const MOST_DEPTH: u8 = 3;

/// Escapes a text for HTML content and double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// Renders a text of several lines.
pub(crate) fn render(text: &str) -> String {
    let mut page = Page::default();
    let lines: Vec<&str> = text.lines().collect();
    let mut index = 0;
    while let Some(line) = lines.get(index).map(|line| line.trim()) {
        index += 1;
        if line.starts_with("```") {
            let rest = lines.get(index..).unwrap_or_default();
            let end = rest.iter().position(|line| line.trim().starts_with("```")).unwrap_or(rest.len());
            page.block(&format!("<pre>{}</pre>", escape(&rest.get(..end).unwrap_or_default().join("\n"))));
            index += end + 1;
        } else if line.starts_with('|') && lines.get(index).is_some_and(|next| is_rule_of_table(next)) {
            let rest = lines.get(index + 1..).unwrap_or_default();
            let end = rest.iter().position(|line| !line.trim().starts_with('|')).unwrap_or(rest.len());
            page.block(&table(line, rest.get(..end).unwrap_or_default()));
            index += end + 1;
        } else {
            page.line(line);
        }
    }
    page.close();
    page.html
}

/// The page as far as it is written, with the block that is still open.
#[derive(Default)]
struct Page {
    html: String,
    open: Option<&'static str>,
}

impl Page {
    fn close(&mut self) {
        if let Some(tag) = self.open.take() {
            self.html.push_str(&format!("</{tag}>"));
        }
    }

    fn block(&mut self, html: &str) {
        self.close();
        self.html.push_str(html);
    }

    /// Adds to the open block of this tag, or closes another and opens one.
    fn within(&mut self, tag: &'static str, html: &str, between: &str) {
        if self.open == Some(tag) {
            self.html.push_str(between);
        } else {
            self.close();
            self.html.push_str(&format!("<{tag}>"));
            self.open = Some(tag);
        }
        self.html.push_str(html);
    }

    fn line(&mut self, line: &str) {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let heading = line.trim_start_matches('#');
        if line.is_empty() {
            self.close();
        } else if (1..=6).contains(&level) && heading.starts_with(' ') {
            let level = level.min(4);
            self.block(&format!("<p class=\"h{level}\">{}</p>", inline(heading.trim(), 0)));
        } else if ["---", "***", "___"].contains(&line) {
            self.block("<hr>");
        } else if let Some(item) = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)) {
            self.within("ul", &format!("<li>{}</li>", inline(item, 0)), "");
        } else if let Some(item) = numbered(line) {
            self.within("ol", &format!("<li>{}</li>", inline(item, 0)), "");
        } else if let Some(quoted) = line.strip_prefix('>') {
            self.within("blockquote", &inline(quoted.trim(), 0), "<br>");
        } else {
            self.within("p", &inline(line, 0), "<br>");
        }
    }
}

fn numbered(line: &str) -> Option<&str> {
    let (number, item) = line.split_once(". ")?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(item)
}

fn is_rule_of_table(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('|') && line.contains('-') && line.bytes().all(|byte| b"|-: ".contains(&byte))
}

fn table(head: &str, rows: &[&str]) -> String {
    let row = |line: &str, tag: &str| {
        let cells = line.trim().trim_matches('|').split('|');
        let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", inline(cell.trim(), 0))).collect();
        format!("<tr>{cells}</tr>")
    };
    let body: String = rows.iter().map(|line| row(line, "td")).collect();
    format!(
        "<div class=\"wide\"><table><thead>{}</thead><tbody>{body}</tbody></table></div>",
        row(head, "th")
    )
}

/// Renders what stands within a line.
fn inline(text: &str, depth: u8) -> String {
    if depth >= MOST_DEPTH || text.len() > MOST_LINE {
        return escape(text);
    }
    let mut html = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['`', '*', '[', '!', '<']) {
        let (before, marked) = rest.split_at(start);
        html.push_str(&escape(before));
        if let Some((piece, after)) = marked_piece(marked, depth) {
            html.push_str(&piece);
            rest = after;
        } else {
            let mut letters = marked.chars();
            html.push_str(&escape(letters.next().map(String::from).unwrap_or_default().as_str()));
            rest = letters.as_str();
        }
    }
    html.push_str(&escape(rest));
    html
}

/// Renders the one piece of markup a text begins with, and returns what follows it.
fn marked_piece(text: &str, depth: u8) -> Option<(String, &str)> {
    if let Some(inner) = text.strip_prefix('`') {
        let (code, after) = inner.split_once('`')?;
        return Some((format!("<code>{}</code>", escape(code)), after));
    }
    if let Some(inner) = text.strip_prefix("**") {
        let (bold, after) = inner.split_once("**").filter(|(bold, _)| !bold.is_empty())?;
        return Some((format!("<strong>{}</strong>", inline(bold, depth + 1)), after));
    }
    if let Some(inner) = text.strip_prefix('*') {
        let (slanted, after) = inner.split_once('*').filter(|(slanted, _)| !slanted.is_empty())?;
        return Some((format!("<em>{}</em>", inline(slanted, depth + 1)), after));
    }
    if let Some(inner) = text.strip_prefix("![") {
        let (_, address, after) = link_parts(inner)?;
        return Some((format!("<span class=\"image\">🖼 {}</span>", escape(address)), after));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (label, address, after) = link_parts(inner)?;
        return Some((link(label, address, depth), after));
    }
    if let Some(inner) = text.strip_prefix("<font ") {
        let (attributes, coloured) = inner.split_once('>')?;
        let (coloured, after) = coloured.split_once("</font>")?;
        let class = ink(attributes);
        return Some((format!("<span class=\"{class}\">{}</span>", inline(coloured, depth + 1)), after));
    }
    let (user, after) = text.strip_prefix("<@")?.split_once('>')?;
    Some((format!("<span class=\"at\">@{}</span>", escape(user)), after))
}

fn link_parts(text: &str) -> Option<(&str, &str, &str)> {
    let (label, after) = text.split_once("](")?;
    let (address, after) = after.split_once(')')?;
    Some((label, address, after))
}

fn link(label: &str, address: &str, depth: u8) -> String {
    let label = inline(label, depth + 1);
    match safe_address(address) {
        Some(address) => {
            format!(
                "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{label}</a>",
                escape(address)
            )
        }
        None => format!("{label} <span class=\"image\">({})</span>", escape(address)),
    }
}

/// Passes only addresses of the web: nothing that a browser would run.
pub(crate) fn safe_address(address: &str) -> Option<&str> {
    let address = address.trim();
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let is_clean = !address.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    (is_web && is_clean).then_some(address)
}

/// Names the class of a font colour; the colours are the ones the platforms know.
fn ink(attributes: &str) -> &'static str {
    let colours = [
        ("warning", "ink-orange"),
        ("orange", "ink-orange"),
        ("yellow", "ink-orange"),
        ("info", "ink-green"),
        ("green", "ink-green"),
        ("red", "ink-red"),
        ("carmine", "ink-red"),
        ("blue", "ink-blue"),
        ("comment", "ink-grey"),
        ("grey", "ink-grey"),
    ];
    colours.into_iter().find(|(name, _)| attributes.contains(name)).map_or("ink", |(_, class)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        assert_eq!(
            render("# T\n\na\nb\n- x\n- y\n1. z"),
            "<p class=\"h1\">T</p><p>a<br>b</p><ul><li>x</li><li>y</li></ul><ol><li>z</li></ol>"
        );
        assert_eq!(render("> q\n> r\n---"), "<blockquote>q<br>r</blockquote><hr>");
        assert_eq!(render("```rust\na < b\n```\nc"), "<pre>a &lt; b</pre><p>c</p>");
        assert_eq!(render("```\nopen"), "<pre>open</pre>");
        let wide = "<div class=\"wide\"><table><thead><tr><th>a</th><th>b</th></tr></thead>\
<tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>";
        assert_eq!(render("| a | b |\n|---|:-:|\n| 1 | 2 |"), wide);
    }

    #[test]
    fn inlines() {
        assert_eq!(render("**b** *i* `c`"), "<p><strong>b</strong> <em>i</em> <code>c</code></p>");
        assert_eq!(render("a * b ** c ` d [e] !"), "<p>a <em> b </em>* c ` d [e] !</p>");
        assert_eq!(render("<font color=\"warning\">x</font>"), "<p><span class=\"ink-orange\">x</span></p>");
        assert_eq!(render("<@u1>"), "<p><span class=\"at\">@u1</span></p>");
    }

    #[test]
    fn hostile_text_stays_text() {
        for hostile in [
            "<script>alert(1)</script>",
            "[x](javascript:alert(1))",
            "[x](https://a\" onclick=\"b)",
            "![x](\"><script>)",
            "<font color=\"\"><img src=x onerror=y></font>",
            "**<b onload=1>**",
            "<@<script>>",
            "```\n</pre><script>",
            "| <script> |\n|---|\n| </td><script> |",
        ] {
            let html = render(hostile);
            for forbidden in ["<script", "<img", "<b ", "href=\"javascript", "\" onclick"] {
                assert!(!html.contains(forbidden), "{hostile} became {html}");
            }
        }
    }

    #[test]
    fn long_or_deep_input_ends() {
        assert!(render(&"*".repeat(100_000)).len() >= 100_000);
        assert!(render(&"[".repeat(7_000)).len() >= 7_000);
        assert!(render(&"**a*".repeat(1_500)).len() > 1_500);
    }
}
