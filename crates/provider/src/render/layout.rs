//! Blocks into rows.

use super::cell::{cells, write};
use super::dialect::Dialect;
use super::escape::Place;
use super::inline::{self, Target};
use super::lead::{Leads, leads};
use super::sheet::{Frame, Level, Row, Sheet};
use super::tree::{Block, Container, Leaf, Span};

/// The most columns of a fence, in backticks; code that needs more is shown as quoted lines.
const FENCE_BYTES_MAX: usize = 16;

/// Lays out blocks for a dialect.
pub(super) fn lay(blocks: Vec<Block>, target: Target) -> Sheet {
    let mut layout = Layout { target, sheet: Sheet::default(), last: None };
    for block in blocks {
        layout.block(block);
    }
    layout.sheet
}

/// What the block before was.
struct Last {
    path: Vec<Container>,
    heading: bool,
    paragraph: bool,
}

pub(super) struct Layout {
    pub(super) target: Target,
    pub(super) sheet: Sheet,
    last: Option<Last>,
}

impl Layout {
    fn block(&mut self, block: Block) {
        let Block { path, leaf } = block;
        match leaf {
            Leaf::Heading { level, spans } => {
                let line = inline::line(&spans, self.target);
                self.heading(&path, level, line);
                self.last = Some(Last { path, heading: true, paragraph: false });
            }
            Leaf::Paragraph { spans } => {
                let mut lines = inline::lines(&spans, self.target);
                if lines.is_empty() && path.iter().any(|container| is_fresh(*container)) {
                    lines.push(Vec::new());
                }
                let starts_list = path.iter().any(|container| is_fresh(*container));
                self.lines(&path, lines, starts_list);
                self.last = Some(Last { path, heading: false, paragraph: true });
            }
            Leaf::Code { language, text } => self.code(path, &language, &text),
            Leaf::Table { head, rows } => self.table(&path, &head, &rows),
            Leaf::Rule => {
                if self.target.dialect.has_rules() {
                    let rule = if self.target.dialect == Dialect::LarkCard { " ---" } else { "---" };
                    let (joint, level) = self.joint(&[], false);
                    self.raw(joint, level, (String::new(), String::new()), rule.to_owned(), None);
                    self.last = Some(Last { path: Vec::new(), heading: false, paragraph: false });
                }
            }
        }
    }

    fn heading(&mut self, path: &[Container], level: usize, line: Vec<Span>) {
        let (joint, inner) = self.joint(path, false);
        let mark = if self.target.dialect == Dialect::Plain {
            String::new()
        } else {
            format!("{} ", "#".repeat(level))
        };
        let Leads { lead, follow } = leads(path, self.target);
        let leads = (format!("{lead}{mark}"), format!("{follow}{mark}"));
        self.row(joint, inner, leads, line);
        if let Some(row) = self.sheet.rows.last_mut() {
            row.leads_on = true;
        }
    }

    /// Adds the lines of one block.
    pub(super) fn lines(&mut self, path: &[Container], lines: Vec<Vec<Span>>, tight: bool) {
        let Leads { lead, follow } = leads(path, self.target);
        for (number, line) in lines.into_iter().enumerate() {
            let (joint, level) = if number == 0 {
                self.joint(path, tight)
            } else {
                (self.target.dialect.line_end().to_owned(), Level::Line)
            };
            let lead = if number == 0 { lead.clone() } else { follow.clone() };
            self.row(joint, level, (lead, follow.clone()), line);
        }
    }

    fn code(&mut self, path: Vec<Container>, language: &str, text: &str) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.trim().is_empty() {
            return;
        }
        let dialect = self.target.dialect;
        // Lark: fence and code stand at the beginning of a line (rich text component).
        let outside = dialect == Dialect::LarkCard && !path.is_empty();
        if dialect.has_frames()
            && let Some((frame, follow)) = self.fence(if outside { &[] } else { &path }, language, text)
        {
            if outside {
                self.item_mark(&path);
            }
            let around: &[Container] = if outside { &[] } else { &path };
            let (joint, level) = self.joint(around, false);
            let number = self.sheet.frames.len();
            self.sheet.frames.push(frame);
            let mut start = Some((joint, level));
            for line in text.split('\n') {
                let (joint, level) = start.take().unwrap_or_else(|| ("\n".to_owned(), Level::Line));
                let lead = if line.is_empty() { follow.trim_end().to_owned() } else { follow.clone() };
                let line = super::escape::defuse(line);
                self.raw(joint, level, (lead, follow.clone()), line, Some(number));
            }
            let path = if outside { Vec::new() } else { path };
            self.last = Some(Last { path, heading: false, paragraph: false });
            return;
        }
        let mut quoted = path.clone();
        if dialect != Dialect::Plain {
            quoted.push(Container::Quote { id: usize::MAX });
        }
        let lines = text.split('\n').map(|line| code_line(line, dialect)).collect();
        self.lines(&quoted, lines, true);
        self.last = Some(Last { path: quoted, heading: false, paragraph: false });
    }

    /// The frame of a code block, and what is written before its lines; nothing if it takes too much room.
    fn fence(&self, path: &[Container], language: &str, text: &str) -> Option<(Frame, String)> {
        let Target { measure, max, .. } = self.target;
        let run = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat((run + 1).max(3));
        let name: String = language
            .chars()
            .take_while(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '+' | '#' | '-' | '_' | '.')
            })
            .take(24)
            .collect();
        let Leads { lead, follow } = leads(path, self.target);
        let close = format!("\n{follow}{fence}");
        [name.as_str(), ""].into_iter().filter(|_| fence.len() <= FENCE_BYTES_MAX).find_map(|name| {
            let first = format!("{lead}{fence}{name}\n");
            let again = format!("{follow}{fence}{name}\n");
            let bytes = measure(&first).max(measure(&again)) + measure(&close);
            (bytes <= max / 3)
                .then(|| (Frame { first, again, close: close.clone(), is_table: false }, follow.clone()))
        })
    }

    /// Writes the mark of an item whose first block cannot stand in it.
    pub(super) fn item_mark(&mut self, path: &[Container]) {
        if path.iter().any(|container| is_fresh(*container)) {
            self.lines(path, vec![Vec::new()], true);
            self.last = Some(Last { path: path.to_vec(), heading: false, paragraph: true });
        }
    }

    /// Remembers a block that is no paragraph.
    pub(super) fn done(&mut self, path: Vec<Container>) {
        self.last = Some(Last { path, heading: false, paragraph: false });
    }

    /// Adds a row of runs.
    pub(super) fn row(
        &mut self,
        joint: String,
        level: Level,
        (lead, follow): (String, String),
        spans: Vec<Span>,
    ) {
        let Target { dialect, measure, .. } = self.target;
        let place = Place { line_start: true, ..Place::default() };
        let text = write(&cells(&spans, dialect, place, measure, usize::MAX));
        let lead = if text.is_empty() { lead.trim_end().to_owned() } else { lead };
        let spans = Some(spans);
        self.sheet.rows.push(Row { joint, level, lead, follow, text, spans, frame: None, leads_on: false });
    }

    /// Adds a row that is written as it stands.
    pub(super) fn raw(
        &mut self,
        joint: String,
        level: Level,
        (lead, follow): (String, String),
        text: String,
        frame: Option<usize>,
    ) {
        self.sheet.rows.push(Row { joint, level, lead, follow, text, spans: None, frame, leads_on: false });
    }

    /// What joins a block to the one before it.
    pub(super) fn joint(&self, path: &[Container], tight: bool) -> (String, Level) {
        let end = self.target.dialect.line_end();
        let Some(last) = &self.last else { return (String::new(), Level::Block) };
        let common = path.iter().zip(&last.path).take_while(|(one, other)| one.id() == other.id()).count();
        let inside = common > 0 || is_next_item(path.get(common), last.path.get(common));
        let level = if inside { Level::Inner } else { Level::Block };
        let next = path.get(common).copied();
        // In WeCom's older markdown a line right behind a quote could be taken into it.
        let leaves_quote = self.target.dialect == Dialect::WecomMarkdown
            && last.path.iter().any(is_quote)
            && !path.iter().any(is_quote);
        let in_item = common.checked_sub(1).and_then(|last| path.get(last)).is_some_and(is_item);
        let begins_item = is_next_item(next.as_ref(), last.path.get(common))
            || (in_item && next.as_ref().is_some_and(is_item));
        if begins_item && !leaves_quote {
            return ("\n".to_owned(), level);
        }
        let line_based = matches!(self.target.dialect, Dialect::WecomMarkdown | Dialect::Plain);
        if last.heading || (line_based && tight && last.paragraph && last.path.len() == common) {
            return (end.to_owned(), level);
        }
        let shared = leads(path.get(..common).unwrap_or_default(), self.target).follow;
        (format!("{end}{}{end}", shared.trim_end()), level)
    }
}

fn is_quote(container: &Container) -> bool {
    matches!(container, Container::Quote { .. })
}

fn is_item(container: &Container) -> bool {
    matches!(container, Container::Item(_))
}

pub(super) fn is_fresh(container: Container) -> bool {
    matches!(container, Container::Item(item) if item.fresh)
}

/// Whether both are items of one list.
fn is_next_item(one: Option<&Container>, other: Option<&Container>) -> bool {
    match (one, other) {
        (Some(Container::Item(one)), Some(Container::Item(other))) => one.list == other.list,
        _ => false,
    }
}

/// A line of code for a chat without code blocks: blanks that must be kept do not break (`DingTalk` wants `&nbsp;` for
/// them, and this is the same character).
fn code_line(line: &str, dialect: Dialect) -> Vec<Span> {
    let line = line.trim_end();
    if line.is_empty() {
        return Vec::new();
    }
    if dialect == Dialect::Plain {
        return vec![Span::plain(line)];
    }
    let mut kept = String::with_capacity(line.len());
    let mut last_blank = true;
    for character in line.replace('\t', "    ").chars() {
        let blank = character == ' ';
        kept.push(if blank && last_blank { '\u{a0}' } else { character });
        last_blank = blank;
    }
    vec![Span::plain(kept)]
}
