//! A line as cells, the smallest things a split leaves whole, and a pen that writes them with their marks.

use std::borrow::Cow;
use std::rc::Rc;

use super::cluster::clusters;
use super::dialect::Dialect;
use super::escape::{self, Place};
use super::tree::{Kind, Span, Style};

/// One cluster in its written form.
pub(super) struct Cell<'a> {
    text: Cow<'a, str>,
    marks: Rc<[Mark]>,
    pub(super) stop: Stop,
}

/// How good a place for a cut is behind a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// A line ends.
    Line,
    /// A word or a clause ends.
    Word,
    /// Two characters meet.
    Character,
}

/// What is written before and after a run.
#[derive(Clone, PartialEq, Eq)]
enum Mark {
    Link(Rc<str>),
    Strong,
    Strike,
    Emphasis,
    /// With this fence.
    Code(Rc<str>),
}

impl Mark {
    fn open(&self, out: &mut String) {
        match self {
            Self::Link(_) => out.push('['),
            Self::Strong => out.push_str("**"),
            Self::Strike => out.push_str("~~"),
            Self::Emphasis => out.push('*'),
            Self::Code(fence) => out.push_str(fence),
        }
    }

    fn close(&self, out: &mut String) {
        match self {
            Self::Link(address) => {
                out.push_str("](");
                out.push_str(address);
                out.push(')');
            }
            Self::Code(fence) => out.extend(fence.chars().rev()),
            Self::Strong | Self::Strike | Self::Emphasis => self.open(out),
        }
    }
}

fn marks(span: &Span) -> Rc<[Mark]> {
    let mut marks = Vec::new();
    let style = &span.style;
    if let Some(address) = &style.link {
        marks.push(Mark::Link(address.clone()));
    }
    if style.strong {
        marks.push(Mark::Strong);
    }
    if style.strike {
        marks.push(Mark::Strike);
    }
    if style.emphasis {
        marks.push(Mark::Emphasis);
    }
    if span.kind == Kind::Code {
        marks.push(Mark::Code(code_fence(&span.text)));
    }
    marks.into()
}

/// A fence of backticks longer than any run of them in the code, with a blank where one touches it.
fn code_fence(code: &str) -> Rc<str> {
    let run = code.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let blank = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    format!("{}{blank}", "`".repeat(run + 1)).into()
}

/// Cuts the runs of a line into cells. A cluster that with its marks measures more than `unit_max` is cut into
/// characters.
pub(super) fn cells<'a>(
    spans: &'a [Span],
    dialect: Dialect,
    place: Place,
    measure: fn(&str) -> usize,
    unit_max: usize,
) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let marks = marks(span);
        let room = unit_max.saturating_sub(measure(&around(&marks)));
        match span.kind {
            Kind::Text | Kind::Break => {
                let place = Place {
                    line_start: place.line_start && index == 0,
                    in_link: span.style.link.is_some(),
                    ..place
                };
                escape::each(&span.text, dialect, place, |cluster, written| {
                    let text = if written == cluster {
                        Cow::Borrowed(cluster)
                    } else {
                        Cow::Owned(written.to_owned())
                    };
                    push(&mut cells, cluster, text, &marks, measure(written) <= room);
                });
            }
            Kind::Code => {
                let code = escape::defuse(&span.text);
                let code = if place.in_table { code.replace('|', "\\|") } else { code };
                for cluster in clusters(&code) {
                    push(
                        &mut cells,
                        cluster,
                        Cow::Owned(cluster.to_owned()),
                        &marks,
                        measure(cluster) <= room,
                    );
                }
            }
            Kind::Picture(_) | Kind::Ready => {
                cells.push(Cell { text: Cow::Borrowed(&span.text), marks, stop: Stop::Word });
            }
        }
    }
    cells
}

/// Cuts a text that is written as it stands into cells.
pub(super) fn raw_cells(text: &str, measure: fn(&str) -> usize, unit_max: usize) -> Vec<Cell<'_>> {
    let marks: Rc<[Mark]> = Rc::from([]);
    let mut cells = Vec::new();
    for cluster in clusters(text) {
        push(&mut cells, cluster, Cow::Borrowed(cluster), &marks, measure(cluster) <= unit_max);
    }
    cells
}

/// Adds a cluster as one cell, or one for each of its characters if it does not fit in a part. Only the first
/// character of a cluster is ever escaped.
fn push<'a>(cells: &mut Vec<Cell<'a>>, cluster: &str, text: Cow<'a, str>, marks: &Rc<[Mark]>, fits: bool) {
    if fits || cluster.chars().nth(1).is_none() {
        cells.push(Cell { text, marks: marks.clone(), stop: stop(cluster) });
        return;
    }
    // The escape is what the written form has before the cluster's second character.
    let tail = cluster.chars().skip(1).map(char::len_utf8).sum::<usize>();
    let (head, rest) = text.split_at(text.len().saturating_sub(tail));
    let head = std::iter::once(head.to_owned());
    cells.extend(head.chain(rest.chars().map(String::from)).map(|text| Cell {
        text: Cow::Owned(text),
        marks: marks.clone(),
        stop: Stop::Character,
    }));
}

fn around(marks: &[Mark]) -> String {
    let mut around = String::new();
    for mark in marks {
        mark.open(&mut around);
        mark.close(&mut around);
    }
    around
}

fn stop(cluster: &str) -> Stop {
    match cluster.chars().next() {
        Some('\n') => Stop::Line,
        Some(
            '。' | '！' | '？' | '；' | '，' | '、' | '：' | '）' | '」' | '』' | '】' | '》' | '…' | '．'
            | '｡' | '､',
        ) => Stop::Word,
        // A cut at a blank that must not break, or inside a word, is the last resort.
        Some('\u{a0}' | '\u{202f}') => Stop::Character,
        Some(first) if first.is_whitespace() => Stop::Word,
        _ => Stop::Character,
    }
}

/// Writes cells and keeps count of the marks that are open.
#[derive(Default)]
pub(super) struct Pen {
    out: String,
    open: Vec<Mark>,
}

impl Pen {
    fn add(&mut self, cell: &Cell<'_>) {
        let kept = self.open.iter().take_while(|mark| cell.marks.contains(mark)).count();
        while self.open.len() > kept {
            if let Some(mark) = self.open.pop() {
                mark.close(&mut self.out);
            }
        }
        for mark in cell.marks.iter() {
            if !self.open.contains(mark) {
                mark.open(&mut self.out);
                self.open.push(mark.clone());
            }
        }
        self.out.push_str(&cell.text);
    }

    fn finish(mut self) -> String {
        while let Some(mark) = self.open.pop() {
            mark.close(&mut self.out);
        }
        self.out
    }

    /// What would still have to be written.
    fn closing(&self) -> String {
        let mut closing = String::new();
        for mark in self.open.iter().rev() {
            mark.close(&mut closing);
        }
        closing
    }
}

/// Writes cells with their marks.
pub(super) fn write(cells: &[Cell<'_>]) -> String {
    let mut pen = Pen::default();
    for cell in cells {
        pen.add(cell);
    }
    pen.finish()
}

/// How many of the cells to write into `budget`: as many as fit, back to the last good place for a cut.
pub(super) fn fill(cells: &[Cell<'_>], measure: fn(&str) -> usize, budget: usize) -> usize {
    let mut pen = Pen::default();
    let mut used = 0;
    let (mut line, mut word, mut fits) = (0, 0, 0);
    for (index, cell) in cells.iter().enumerate() {
        let before = pen.out.len();
        let changed = cell.marks[..] != pen.open[..];
        pen.add(cell);
        used += pen.out.get(before..).map_or(0, measure);
        let closing = if changed || !pen.open.is_empty() { measure(&pen.closing()) } else { 0 };
        if used + closing > budget {
            break;
        }
        fits = index + 1;
        if used * 4 >= budget {
            match cell.stop {
                Stop::Line => line = fits,
                Stop::Word => word = fits,
                Stop::Character => {}
            }
        }
    }
    if fits == cells.len() {
        return fits;
    }
    // A word that ends right where the room ends needs no earlier cut.
    let at_blank = cells.get(fits).is_some_and(|next| next.stop != Stop::Character && next.is_blank());
    match (line, word) {
        (0, _) if at_blank && fits > 0 => fits,
        (0, 0) => fits,
        (0, word) => word,
        (line, _) => line,
    }
}

impl Cell<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether a line that begins with it could be taken for a list, heading, quote or the like.
    pub(super) fn may_begin_block(&self) -> bool {
        self.text.starts_with(|first: char| {
            first.is_ascii_digit()
                || matches!(first, '#' | '>' | '-' | '+' | '*' | '_' | '=' | '|' | '~' | ':')
        })
    }
}

/// Moves blanks at the edges of styled runs outside, since `** so **` is no bold on any platform.
pub(super) fn settle_blanks(spans: Vec<Span>) -> Vec<Span> {
    let mut settled: Vec<Span> = Vec::with_capacity(spans.len());
    let mut rest = spans.into_iter().peekable();
    while let Some(span) = rest.next() {
        if span.kind != Kind::Text || span.style == Style::default() {
            settled.push(span);
            continue;
        }
        let next = rest.peek().map(|next| next.style.clone()).unwrap_or_default();
        let last = settled.last().map(|last| last.style.clone()).unwrap_or_default();
        let body = span.text.trim();
        if body.is_empty() {
            settled.push(Span { style: shared(&last, &next), ..span });
            continue;
        }
        let lead = span.text.len() - span.text.trim_start().len();
        let (lead, tail) = (span.text.split_at(lead).0, span.text.split_at(span.text.trim_end().len()).1);
        if !lead.is_empty() {
            settled.push(Span::new(Kind::Text, lead, shared(&last, &span.style)));
        }
        settled.push(Span::new(Kind::Text, body, span.style.clone()));
        if !tail.is_empty() {
            settled.push(Span::new(Kind::Text, tail, shared(&span.style, &next)));
        }
    }
    settled
}

fn shared(one: &Style, other: &Style) -> Style {
    Style {
        strong: one.strong && other.strong,
        emphasis: one.emphasis && other.emphasis,
        strike: one.strike && other.strike,
        link: one.link.clone().filter(|_| one.link == other.link),
    }
}
