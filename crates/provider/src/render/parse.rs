//! Markdown events into blocks.

use std::rc::Rc;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd};

use super::source;
use super::tree::{Block, Container, DEPTH_MAX, Item, Kind, Leaf, Span, Style, push_text};

/// Reads a text whose line ends are clean.
pub(super) fn parse(markdown: &str) -> Vec<Block> {
    let text = source::keep_bracketed_lines(markdown);
    let mut reader = Reader::default();
    for event in Parser::new_ext(&text, source::options()) {
        reader.event(event);
    }
    reader.end_paragraph();
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    path: Vec<Container>,
    /// The lists around: identity and next number.
    lists: Vec<(usize, Option<u64>)>,
    ids: usize,
    spans: Vec<Span>,
    heading: Option<usize>,
    code: Option<(String, String)>,
    head: Vec<Vec<Span>>,
    rows: Vec<Vec<Vec<Span>>>,
    row: Vec<Vec<Span>>,
    strong: usize,
    emphasis: usize,
    strike: usize,
    link: Option<Rc<str>>,
    /// How many runs there were when the link began.
    link_from: usize,
    /// Address and description so far of the pictures around.
    pictures: Vec<(Rc<str>, String)>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.inline(Kind::Code, &text),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text);
            }
            Event::InlineHtml(html) if is_line_break(&html) => self.inline(Kind::Break, "\n"),
            Event::Html(html) | Event::InlineHtml(html) => self.lines(&html),
            Event::SoftBreak | Event::HardBreak => self.inline(Kind::Break, "\n"),
            Event::Rule => self.block(Leaf::Rule),
            Event::TaskListMarker(done) => {
                if let Some(Container::Item(item)) = self.path.last_mut() {
                    item.task = Some(done);
                }
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph
            | Tag::HtmlBlock
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::FootnoteDefinition(_)
            | Tag::MetadataBlock(_) => self.end_paragraph(),
            Tag::Heading { level, .. } => {
                self.end_paragraph();
                self.heading = Some(level_number(level));
            }
            Tag::BlockQuote(_) => {
                self.end_paragraph();
                let id = self.next_id();
                self.path.push(Container::Quote { id });
            }
            Tag::CodeBlock(kind) => {
                self.end_paragraph();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::List(first) => {
                self.end_paragraph();
                let id = self.next_id();
                self.lists.push((id, first));
            }
            Tag::Item => self.start_item(),
            Tag::Table(_) => {
                self.end_paragraph();
                self.head.clear();
                self.rows.clear();
            }
            Tag::Emphasis => self.emphasis += 1,
            Tag::Strong => self.strong += 1,
            Tag::Strikethrough => self.strike += 1,
            Tag::Superscript | Tag::Subscript => {}
            Tag::Link { link_type: LinkType::Email, dest_url, .. } => {
                self.start_link(&format!("mailto:{dest_url}"));
            }
            Tag::Link { dest_url, .. } => self.start_link(&dest_url),
            Tag::Image { dest_url, .. } => self.pictures.push((Rc::from(&*dest_url), String::new())),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph
            | TagEnd::HtmlBlock
            | TagEnd::Heading(_)
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::FootnoteDefinition
            | TagEnd::MetadataBlock(_) => self.end_paragraph(),
            TagEnd::BlockQuote(_) => {
                self.end_paragraph();
                self.path.pop();
            }
            TagEnd::Item => self.end_item(),
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    self.block(Leaf::Code { language, text });
                }
            }
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.spans)),
            TagEnd::TableHead => self.head = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.row)),
            TagEnd::Table => {
                let (head, rows) = (std::mem::take(&mut self.head), std::mem::take(&mut self.rows));
                self.block(Leaf::Table { head, rows });
            }
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Strikethrough => self.strike = self.strike.saturating_sub(1),
            TagEnd::Superscript | TagEnd::Subscript => {}
            TagEnd::Link => self.end_link(),
            TagEnd::Image => {
                if let Some((address, description)) = self.pictures.pop() {
                    self.inline(Kind::Picture(address), &description);
                }
            }
        }
    }

    fn next_id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    fn start_link(&mut self, address: &str) {
        self.link = Some(Rc::from(address));
        self.link_from = self.spans.len();
    }

    /// A link without a text would vanish: it shows its address.
    fn end_link(&mut self) {
        if let Some(address) = self.link.clone().filter(|_| self.spans.len() == self.link_from) {
            self.text(&address);
        }
        self.link = None;
    }

    fn start_item(&mut self) {
        self.end_paragraph();
        let id = self.next_id();
        let (list, number) = self.lists.last_mut().map_or((0, None), |(list, next)| {
            let number = *next;
            *next = number.map(|number| number.saturating_add(1));
            (*list, number)
        });
        self.path.push(Container::Item(Item { id, list, number, task: None, fresh: true }));
    }

    fn end_item(&mut self) {
        self.end_paragraph();
        let empty = matches!(self.path.last(), Some(Container::Item(item)) if item.fresh);
        if empty && self.path.len() <= DEPTH_MAX {
            self.block(Leaf::Paragraph { spans: Vec::new() });
        }
        self.path.pop();
    }

    fn block(&mut self, leaf: Leaf) {
        let path: Vec<Container> = self.path.iter().take(DEPTH_MAX).copied().collect();
        for container in self.path.iter_mut().take(DEPTH_MAX) {
            if let Container::Item(item) = container {
                item.fresh = false;
            }
        }
        self.blocks.push(Block { path, leaf });
    }

    fn end_paragraph(&mut self) {
        let heading = self.heading.take();
        if self.spans.is_empty() {
            return;
        }
        let spans = std::mem::take(&mut self.spans);
        self.block(match heading {
            Some(level) => Leaf::Heading { level, spans },
            None => Leaf::Paragraph { spans },
        });
    }

    fn style(&self) -> Style {
        Style {
            strong: self.strong > 0,
            emphasis: self.emphasis > 0,
            strike: self.strike > 0,
            link: self.link.clone(),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
        } else if let Some((_, description)) = self.pictures.last_mut() {
            description.push_str(text);
        } else {
            let style = self.style();
            push_text(&mut self.spans, text, &style);
        }
    }

    fn inline(&mut self, kind: Kind, text: &str) {
        if let Some((_, description)) = self.pictures.last_mut() {
            description.push_str(if kind == Kind::Break { " " } else { text });
        } else {
            let style = self.style();
            self.spans.push(Span::new(kind, text, style));
        }
    }

    /// Raw HTML: text like any other, line by line.
    fn lines(&mut self, html: &str) {
        for line in html.split_inclusive('\n') {
            self.text(line.trim_end_matches('\n'));
            if line.ends_with('\n') {
                self.inline(Kind::Break, "\n");
            }
        }
    }
}

/// `<br>`, which many write in the cells of a table.
pub(super) fn is_line_break(html: &str) -> bool {
    let name = html.trim_matches(['<', '>', '/', ' ']);
    name.eq_ignore_ascii_case("br")
}

fn level_number(level: HeadingLevel) -> usize {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
