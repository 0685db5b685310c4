//! Tables: as such where a chat shows them, as lines of `column: value` elsewhere.

use super::cell::{cells, write};
use super::dialect::Dialect;
use super::escape::Place;
use super::inline::{self, Target};
use super::layout::Layout;
use super::sheet::{Frame, Level};
use super::tree::{Container, Item, Span};

impl Layout {
    /// Adds a table.
    pub(super) fn table(&mut self, path: &[Container], head: &[Vec<Span>], rows: &[Vec<Vec<Span>>]) {
        if self.target.dialect.has_frames()
            && let Some((frame, lines)) = self.framed(head, rows)
        {
            self.item_mark(path);
            let mut start = Some(self.joint(&[], false));
            let number = self.sheet.frames.len();
            self.sheet.frames.push(frame);
            for line in lines {
                let (joint, level) = start.take().unwrap_or_else(|| ("\n".to_owned(), Level::Line));
                self.raw(joint, level, (String::new(), String::new()), line, Some(number));
            }
            self.done(Vec::new());
            return;
        }
        self.as_lines(path, head, rows);
    }

    /// Head and rows of a table in GitHub's form; nothing if a row with the head is too large for a part.
    fn framed(&self, head: &[Vec<Span>], rows: &[Vec<Vec<Span>>]) -> Option<(Frame, Vec<String>)> {
        let Target { dialect, measure, max } = self.target;
        let written = |row: &[Vec<Span>]| {
            let cells: Vec<String> = row.iter().map(|cell| self.table_cell(cell)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let (dashes, bar) = dialect.table_line();
        let line = format!("{bar}{}", format!("{dashes}{bar}").repeat(head.len()));
        let first = format!("{}\n{line}\n", written(head));
        let rows: Vec<String> = rows.iter().map(|row| written(row)).collect();
        let widest = rows.iter().map(|row| measure(row)).max()?;
        let frame = Frame { again: first.clone(), first, close: String::new(), is_table: true };
        (measure(&frame.first) + widest <= max).then_some((frame, rows))
    }

    fn table_cell(&self, spans: &[Span]) -> String {
        let Target { dialect, measure, .. } = self.target;
        let line = inline::line(spans, self.target);
        let place = Place { in_table: true, ..Place::default() };
        write(&cells(&line, dialect, place, measure, usize::MAX))
    }

    /// One line for each row.
    fn as_lines(&mut self, path: &[Container], head: &[Vec<Span>], rows: &[Vec<Vec<Span>>]) {
        let head: Vec<Vec<Span>> = head.iter().map(|cell| inline::line(cell, self.target)).collect();
        let lines: Vec<Vec<Span>> = if rows.is_empty() {
            vec![joined(head, ", ")]
        } else {
            rows.iter().map(|row| self.row_line(&head, row)).collect()
        };
        for (number, line) in lines.into_iter().filter(|line| !line.is_empty()).enumerate() {
            let mut around = path.to_vec();
            // Only the first row stands for the item that the table begins.
            if number > 0 {
                for container in &mut around {
                    if let Container::Item(item) = container {
                        item.fresh = false;
                    }
                }
            }
            match self.target.dialect {
                Dialect::DingtalkMarkdown | Dialect::LarkCard | Dialect::WecomMarkdownV2 => {
                    let id = usize::MAX - 1 - number;
                    let list = usize::MAX;
                    around.push(Container::Item(Item { id, list, number: None, task: None, fresh: true }));
                }
                Dialect::WecomMarkdown => around.push(Container::Quote { id: usize::MAX }),
                Dialect::Plain => {}
            }
            if number == 0 {
                self.lines(&around, vec![line], true);
            } else {
                let super::lead::Leads { lead, follow } = super::lead::leads(&around, self.target);
                self.row("\n".to_owned(), Level::Inner, (lead, follow), line);
            }
            self.done(around);
        }
    }

    /// A row as `first: second` for two columns, else as `column: value` for each cell that is not empty.
    fn row_line(&self, head: &[Vec<Span>], row: &[Vec<Span>]) -> Vec<Span> {
        let values = row.iter().map(|cell| inline::line(cell, self.target));
        if head.len() == 2 {
            return joined(values.filter(|value| !value.is_empty()).collect(), ": ");
        }
        let pairs = head.iter().zip(values).filter(|(_, value)| !value.is_empty());
        let pairs = pairs.map(|(name, value)| {
            let named = [name.clone(), value].into_iter().filter(|part| !part.is_empty());
            joined(named.collect(), ": ")
        });
        joined(pairs.collect(), ", ")
    }
}

fn joined(parts: Vec<Vec<Span>>, between: &str) -> Vec<Span> {
    let mut line: Vec<Span> = Vec::new();
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 {
            inline::append(&mut line, vec![Span::plain(between)]);
        }
        inline::append(&mut line, part);
    }
    line
}
