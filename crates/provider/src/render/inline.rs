//! The runs of a paragraph as the lines and styles that a dialect can show.

use std::rc::Rc;

use super::cell::settle_blanks;
use super::dialect::Dialect;
use super::tree::{Kind, Span, Style, push_text};

/// The longest fence of backticks around inline code, in bytes; code that needs more is shown as text.
const CODE_FENCE_BYTES_MAX: usize = 8;

/// What a text is turned into, and how large it may become.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) dialect: Dialect,
    pub(super) measure: fn(&str) -> usize,
    pub(super) max: usize,
}

/// Turns runs into lines; every run of them is text, code or ready.
pub(super) fn lines(spans: &[Span], target: Target) -> Vec<Vec<Span>> {
    let mut writer = Writer { target, lines: vec![Vec::new()], spelled: None };
    for span in spans {
        writer.span(span);
    }
    writer.spell();
    let mut lines: Vec<Vec<Span>> = writer.lines.into_iter().map(|line| settle_blanks(trim(line))).collect();
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    lines.split_off(blank)
}

/// Turns runs into a single line.
pub(super) fn line(spans: &[Span], target: Target) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for line in lines(spans, target) {
        if !joined.is_empty() && !line.is_empty() {
            push_text(&mut joined, " ", &Style::default());
        }
        append(&mut joined, line);
    }
    joined
}

/// Adds runs to a line.
pub(super) fn append(line: &mut Vec<Span>, more: Vec<Span>) {
    for span in more {
        if span.kind == Kind::Text {
            push_text(line, &span.text, &span.style);
        } else {
            line.push(span);
        }
    }
}

struct Writer {
    target: Target,
    lines: Vec<Vec<Span>>,
    /// A link that cannot be one here: its address, and the text shown so far.
    spelled: Option<(Rc<str>, String)>,
}

impl Writer {
    fn span(&mut self, span: &Span) {
        let Target { dialect, .. } = self.target;
        let style = self.style(&span.style);
        match &span.kind {
            Kind::Break => self.lines.push(Vec::new()),
            Kind::Picture(address) => self.picture(address, &span.text, &style),
            Kind::Code if dialect.has_inline_code() && style.link.is_none() && fence_fits(&span.text) => {
                let code = span.text.replace('\n', " ");
                self.last_line().push(Span::new(Kind::Code, code, style));
            }
            Kind::Code | Kind::Text => push_text(self.last_line(), &span.text, &style),
            Kind::Ready => self.last_line().push(span.clone()),
        }
        if let Some((_, shown)) = &mut self.spelled {
            shown.push_str(&span.text);
        }
    }

    fn last_line(&mut self) -> &mut Vec<Span> {
        if self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.last_mut().expect("there is always a line")
    }

    /// The style as the dialect can show it.
    fn style(&mut self, style: &Style) -> Style {
        let Target { dialect, measure, max } = self.target;
        if self.spelled.as_ref().map(|(address, _)| address) != style.link.as_ref() {
            self.spell();
        }
        let link = style.link.as_ref().and_then(|address| {
            let written = destination(address);
            (dialect.links_to(address) && measure(&written) + 4 <= link_max(max)).then(|| Rc::from(written))
        });
        if link.is_none()
            && let Some(address) = &style.link
            && self.spelled.is_none()
        {
            self.spelled = Some((address.clone(), String::new()));
        }
        // Text in a link stays plain: Lark does not read marks there, and a link stands out by itself.
        let free = link.is_none();
        Style {
            strong: free && style.strong && dialect.has_strong(),
            emphasis: free && style.emphasis && dialect.has_emphasis(),
            strike: free && style.strike && dialect.has_strike(),
            link,
        }
    }

    /// Writes the address behind the text of a link that cannot be one.
    fn spell(&mut self) {
        if let Some((address, shown)) = self.spelled.take()
            && !address.is_empty()
            && *address != *shown
            && address.strip_prefix("mailto:") != Some(shown.as_str())
        {
            let text = if shown.is_empty() { address.to_string() } else { format!(" ({address})") };
            push_text(self.last_line(), &text, &Style::default());
        }
    }

    fn picture(&mut self, address: &str, description: &str, style: &Style) {
        let Target { dialect, measure, max } = self.target;
        let described = if description.is_empty() { "🖼" } else { description };
        let written = destination(address);
        let link = dialect.links_to(address) && measure(&written) + 4 <= link_max(max);
        let picture =
            format!("![{}]({written})", description.replace(['[', ']', '\n', '`', '<', '>', '\\'], " "));
        let line = self.last_line();
        if link && dialect.has_pictures() && measure(&picture) <= max / 2 {
            line.push(Span::new(Kind::Ready, picture, Style::default()));
        } else if link {
            let text = if description.is_empty() { address } else { description };
            push_text(line, text, &Style { link: Some(Rc::from(written)), ..Style::default() });
        } else if address.starts_with("data:") || address.is_empty() {
            // The picture itself, spelled out: nobody can read that.
            push_text(line, described, style);
        } else {
            push_text(line, &format!("{described} ({address})"), &Style { link: None, ..style.clone() });
        }
        // A picture that is a link shows its target beside it.
        if let Some(target) = &style.link {
            let text = if description.is_empty() { target.to_string() } else { description.to_owned() };
            push_text(line, " ", &Style::default());
            push_text(line, &text, style);
        }
    }
}

/// How much of a part the address of a link may take; a longer one is written out as text, which can be cut.
fn link_max(max: usize) -> usize {
    if max < 256 { max / 4 } else { max / 2 }
}

fn fence_fits(code: &str) -> bool {
    code.split(|character| character != '`').all(|run| run.len() < CODE_FENCE_BYTES_MAX)
}

/// An address that cannot end its link early, nor hold a tag.
fn destination(address: &str) -> String {
    let mut written = String::with_capacity(address.len());
    for character in address.chars() {
        let unsafe_here = character.is_whitespace()
            || character.is_control()
            || matches!(character, '(' | ')' | '<' | '>' | '"' | '\\' | '|' | '`');
        if unsafe_here {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                written.push_str(&format!("%{byte:02X}"));
            }
        } else {
            written.push(character);
        }
    }
    written
}

/// Drops blanks at both ends of a line.
fn trim(mut line: Vec<Span>) -> Vec<Span> {
    while let Some(first) = line.first_mut().filter(|first| first.kind == Kind::Text) {
        first.text = first.text.trim_start().to_owned();
        if !first.text.is_empty() {
            break;
        }
        line.remove(0);
    }
    while let Some(last) = line.last_mut().filter(|last| last.kind == Kind::Text) {
        last.text.truncate(last.text.trim_end().len());
        if !last.text.is_empty() {
            break;
        }
        line.pop();
    }
    line
}
