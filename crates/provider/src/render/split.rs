//! Rows into parts.

use super::cell::{cells, fill, raw_cells, write};
use super::escape::{Place, ZERO_WIDTH};
use super::inline::Target;
use super::sheet::{Frame, Level, Row, Sheet};

/// Fills parts with rows. What begins with a row stays whole if it fits in a part: first blocks, then items, then
/// lines; a line that does not fit is cut.
pub(super) fn split(sheet: &Sheet, target: Target) -> Vec<String> {
    let mut packer =
        Packer { sheet, target, parts: Vec::new(), text: String::new(), state: EMPTY, outdent: Vec::new() };
    packer.pack(&sheet.rows, Level::Block);
    packer.flush();
    packer.parts
}

/// How full a part is.
#[derive(Clone, Copy)]
struct State {
    empty: bool,
    used: usize,
    /// The frame that is open.
    frame: Option<usize>,
    tables: usize,
}

const EMPTY: State = State { empty: true, used: 0, frame: None, tables: 0 };

struct Packer<'a> {
    sheet: &'a Sheet,
    target: Target,
    parts: Vec<String>,
    text: String,
    state: State,
    /// How many blanks the indents of the part are shortened by: one that begins inside a list would show as code.
    outdent: Vec<usize>,
}

impl Packer<'_> {
    fn pack(&mut self, rows: &[Row], level: Level) {
        for group in groups(rows, level) {
            if self.fits(self.state, group) {
                self.add(group);
                continue;
            }
            if self.fits(EMPTY, group) {
                self.flush();
                self.add(group);
                continue;
            }
            match (level, group) {
                (Level::Block, _) => self.pack(group, Level::Inner),
                (Level::Inner, _) => self.pack(group, Level::Line),
                (Level::Line, _) => {
                    for row in group {
                        self.row(row);
                    }
                }
            }
        }
    }

    /// Places a row that may have to be cut.
    fn row(&mut self, row: &Row) {
        let group = std::slice::from_ref(row);
        if self.fits(self.state, group) {
            self.add(group);
        } else if self.fits(EMPTY, group) {
            self.flush();
            self.add(group);
        } else {
            self.cut(row);
        }
    }

    fn cut(&mut self, row: &Row) {
        let Target { dialect, measure, max } = self.target;
        let fresh = max.saturating_sub(self.overhead(EMPTY, row, &row.follow));
        let place = Place { line_start: true, ..Place::default() };
        let all = match &row.spans {
            Some(spans) => cells(spans, dialect, place, measure, fresh.saturating_sub(ZERO_WIDTH.len_utf8())),
            None => raw_cells(&row.text, measure, fresh),
        };
        let mut rest = all.as_slice();
        let mut first = true;
        while !rest.is_empty() {
            let lead = if first { &row.lead } else { &row.follow };
            let guard =
                !first && row.spans.is_some() && rest.first().is_some_and(|cell| cell.may_begin_block());
            let overhead =
                self.overhead(self.state, row, lead) + if guard { ZERO_WIDTH.len_utf8() } else { 0 };
            let budget = max.saturating_sub(self.state.used + overhead);
            if !self.state.empty && budget < max / 4 {
                self.flush();
                continue;
            }
            let mut taken = fill(rest, measure, budget);
            if taken == 0 && !self.state.empty {
                self.flush();
                continue;
            }
            taken = taken.max(1);
            let (piece, left) = rest.split_at(taken);
            let kept = if row.spans.is_some() && !left.is_empty() {
                piece.len() - piece.iter().rev().take_while(|cell| cell.is_blank()).count()
            } else {
                piece.len()
            };
            let mut text = write(piece.split_at(kept).0);
            if guard {
                text.insert(0, ZERO_WIDTH);
            }
            if !text.is_empty() || row.spans.is_none() {
                self.write(row, first, &text);
            }
            rest = left;
            if row.spans.is_some() {
                let blanks = rest.iter().take_while(|cell| cell.is_blank()).count();
                rest = rest.split_at(blanks).1;
            }
            first = false;
            if !rest.is_empty() {
                self.flush();
            }
        }
    }

    /// What a row takes besides its text when it is added behind `state`, with the end of its frame.
    fn overhead(&self, state: State, row: &Row, lead: &str) -> usize {
        let measure = self.target.measure;
        let mut bytes = measure(lead);
        if !state.empty {
            bytes += measure(&row.joint);
        }
        if state.frame != row.frame {
            bytes += self.frame(state.frame).map_or(0, |frame| measure(&frame.close));
            bytes +=
                self.frame(row.frame).map_or(0, |frame| measure(&frame.first).max(measure(&frame.again)));
        }
        bytes + self.frame(row.frame).map_or(0, |frame| measure(&frame.close))
    }

    fn frame(&self, number: Option<usize>) -> Option<&Frame> {
        number.and_then(|number| self.sheet.frames.get(number))
    }

    /// Whether rows fit behind what `state` tells of.
    fn fits(&self, mut state: State, rows: &[Row]) -> bool {
        let Target { dialect, measure, max } = self.target;
        for row in rows {
            let all = state.used + self.overhead(state, row, &row.lead) + measure(&row.text);
            let new_table =
                state.frame != row.frame && self.frame(row.frame).is_some_and(|frame| frame.is_table);
            state.tables += usize::from(new_table);
            if all > max || state.tables > dialect.tables_max() {
                return false;
            }
            let close = self.frame(row.frame).map_or(0, |frame| measure(&frame.close));
            state = State { empty: false, used: all - close, frame: row.frame, tables: state.tables };
        }
        true
    }

    fn add(&mut self, rows: &[Row]) {
        for row in rows {
            self.write(row, true, &row.text);
        }
    }

    /// Adds a row, or a piece of it that is the first or a later one.
    fn write(&mut self, row: &Row, first: bool, text: &str) {
        let lead = if first { &row.lead } else { &row.follow };
        let new_frame = self.state.frame != row.frame;
        let mut out = String::new();
        if new_frame && let Some(frame) = self.frame(self.state.frame) {
            out.push_str(&shortened(&frame.close, &self.outdent));
        }
        if !self.state.empty {
            out.push_str(&shortened(&row.joint, &self.outdent));
        }
        let opening = self.frame(row.frame).filter(|_| new_frame).map(|frame| {
            if first && row.level != Level::Line { frame.first.clone() } else { frame.again.clone() }
        });
        let indents = indents(opening.as_deref().unwrap_or(lead));
        // A block at the level of blocks has indents only if something interrupted its list.
        if self.state.empty || row.level == Level::Block {
            self.outdent = if self.target.dialect.has_lists() { indents } else { Vec::new() };
        } else if opening.is_some() || !text.is_empty() {
            self.outdent = self.outdent.iter().zip(indents).map(|(one, other)| other.min(*one)).collect();
        }
        if let Some(opening) = opening {
            out.push_str(&shortened(&opening, &self.outdent));
            self.state.tables += usize::from(self.frame(row.frame).is_some_and(|frame| frame.is_table));
        }
        out.push_str(&shortened(lead, &self.outdent));
        out.push_str(text);
        self.text.push_str(&out);
        self.state.used += (self.target.measure)(&out);
        self.state.frame = row.frame;
        self.state.empty = false;
    }

    fn flush(&mut self) {
        let state = std::mem::replace(&mut self.state, EMPTY);
        let mut text = std::mem::take(&mut self.text);
        if let Some(frame) = self.frame(state.frame) {
            text.push_str(&shortened(&frame.close, &self.outdent));
        }
        if !text.trim().is_empty() {
            self.parts.push(text);
        }
    }
}

/// Cuts rows where at least `level` begins, but never behind a heading.
fn groups(rows: &[Row], level: Level) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(move |one, next| next.level < level || one.leads_on)
}

/// The blanks that indent a line: before its first quote mark, and behind each.
fn indents(line: &str) -> Vec<usize> {
    let mut indents = Vec::new();
    let mut rest = line;
    loop {
        let inner = rest.trim_start_matches(' ');
        indents.push(rest.len() - inner.len());
        match inner.strip_prefix("> ") {
            Some(quoted) => rest = quoted,
            None => return indents,
        }
    }
}

/// Takes up to so many blanks from the indents of each line.
fn shortened(text: &str, blanks: &[usize]) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let mut rest = line;
        for (level, indent) in indents(line).into_iter().enumerate() {
            let taken = blanks.get(level).copied().unwrap_or(0).min(indent);
            let inner = rest.split_at(taken).1;
            let kept = indent - taken;
            let mark = if inner.split_at(kept).1.starts_with("> ") { 2 } else { 0 };
            let (lead, tail) = inner.split_at(kept + mark);
            out.push_str(lead);
            rest = tail;
        }
        out.push_str(rest);
    }
    out
}
