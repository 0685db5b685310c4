//! Lists: in columns under their names where somebody looks; elsewhere a line for each with two blanks between what there is.
//! What programs read is `--json`.

use std::io::IsTerminal;

use super::paint::Paint;
use super::say;

/// How far columns stand apart.
const GAP: &str = "  ";

/// A line of a list, and what stands below it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    cells: Vec<String>,
    below: Vec<String>,
}

impl Row {
    /// A line of these cells; a cell may be empty, and may be painted.
    pub(crate) fn new<T: Into<String>>(cells: impl IntoIterator<Item = T>) -> Self {
        Self { cells: cells.into_iter().map(Into::into).collect(), below: Vec::new() }
    }

    /// The same, with lines below it.
    pub(crate) fn with(self, below: Vec<String>) -> Self {
        Self { below, ..self }
    }
}

/// Prints a list.
pub(crate) fn print(heads: &[&str], rows: &[Row]) {
    lines(heads, rows).iter().for_each(|line| say(line));
}

/// A list as lines to print.
pub(crate) fn lines(heads: &[&str], rows: &[Row]) -> Vec<String> {
    if !std::io::stdout().is_terminal() || rows.is_empty() {
        return rows.iter().flat_map(plain).collect();
    }
    let paint = Paint::of_stdout();
    let head = Row::new(heads.iter().map(|head| paint.dim(&head.to_uppercase())));
    columns(&head, rows)
}

fn plain(row: &Row) -> Vec<String> {
    let told: Vec<&str> = row.cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
    let mut lines = vec![told.join(GAP)];
    lines.extend(row.below.iter().cloned());
    lines
}

fn columns(head: &Row, rows: &[Row]) -> Vec<String> {
    let mut wide: Vec<usize> = Vec::new();
    for row in std::iter::once(head).chain(rows) {
        for (at, cell) in row.cells.iter().enumerate() {
            match wide.get_mut(at) {
                Some(most) => *most = (*most).max(width(cell)),
                None => wide.push(width(cell)),
            }
        }
    }
    let mut lines = Vec::new();
    for row in std::iter::once(head).chain(rows) {
        let mut line = String::new();
        for (cell, most) in row.cells.iter().zip(&wide) {
            line.push_str(cell);
            line.push_str(&" ".repeat(most - width(cell)));
            line.push_str(GAP);
        }
        lines.push(line.trim_end().to_owned());
        lines.extend(row.below.iter().cloned());
    }
    lines
}

/// How many columns of a terminal a text takes: a Chinese character takes two, a change of colour none.
fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        if sign == '\u{1b}' {
            signs.by_ref().find(|sign| *sign == 'm');
        } else {
            columns += if is_wide(sign) { 2 } else { 1 };
        }
    }
    columns
}

/// Whether terminals draw a character twice as wide: Chinese, Japanese, Korean, full-width forms and pictures.
fn is_wide(sign: char) -> bool {
    matches!(sign, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::{Row, columns, plain};

    #[test]
    fn columns_stand_below_each_other_whatever_is_in_them() {
        let head = Row::new(["NAME", "STATE", "NOTE"]);
        let rows = [
            Row::new(["值班", "\u{1b}[1;32mworking\u{1b}[0m", ""]),
            Row::new(["ops", "open", "north"]).with(vec!["  why".to_owned()]),
        ];
        let lines = columns(&head, &rows);
        assert_eq!(
            lines,
            ["NAME  STATE    NOTE", "值班  \u{1b}[1;32mworking\u{1b}[0m", "ops   open     north", "  why"]
        );
        assert_eq!(rows.iter().flat_map(plain).nth(1).as_deref(), Some("ops  open  north"));
    }
}
