//! Text without markup.

use super::cell::{fill, raw_cells, write};
use super::source::clean;

/// Splits plain text at line ends, then at blanks, then between characters, never inside what a reader takes for one
/// character; each part measures at most `max` by `measure`, in bytes.
///
/// Nothing is lost but blank lines and blanks where a part ends. A text of blanks only has no parts. A single character
/// that measures more than `max` gets a part of its own.
#[must_use]
pub(crate) fn plain(text: &str, measure: fn(&str) -> usize, max: usize) -> Vec<String> {
    let text = clean(text);
    let text = text.trim_end();
    if text.trim().is_empty() {
        return Vec::new();
    }
    if measure(text) <= max {
        return vec![text.to_owned()];
    }
    let all = raw_cells(text, measure, max);
    let mut rest = all.as_slice();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(fill(rest, measure, max).max(1));
        let written = write(piece);
        let part = written.trim_end();
        if !part.trim_start_matches('\n').is_empty() {
            parts.push(part.trim_start_matches('\n').to_owned());
        }
        rest = left;
    }
    parts
}
