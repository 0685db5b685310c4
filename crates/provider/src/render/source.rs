//! What must be mended in a text before it is read as markdown, so that nothing of it vanishes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

/// The extensions of GitHub that are read.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Line ends as LF, and NUL as the replacement character.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(['\r', '\0']) {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Takes the meaning of a link definition from lines such as `[ERROR]: disk_full`.
///
/// `CommonMark` reads them as definitions and shows nothing at all. A log line is far likelier here, so a line stays a
/// definition only if it names a web address and the text refers to it.
pub(super) fn keep_bracketed_lines(text: &str) -> Cow<'_, str> {
    if !text.contains("]:") {
        return Cow::Borrowed(text);
    }
    let mut code: Vec<Range<usize>> = Vec::new();
    let mut used: HashSet<String> = HashSet::new();
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) | Event::Code(_) | Event::Html(_) | Event::InlineHtml(_) => {
                code.push(range);
            }
            Event::Start(Tag::Link { id, .. } | Tag::Image { id, .. }) if !id.is_empty() => {
                used.insert(id.to_lowercase());
            }
            Event::Start(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    let mut mended = String::with_capacity(text.len() + 64);
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let bracket = definition(line, &used).filter(|at| {
            let at = offset + at;
            // The ranges are in order of their beginnings.
            let before = code.partition_point(|range| range.start <= at);
            !before.checked_sub(1).and_then(|last| code.get(last)).is_some_and(|range| range.contains(&at))
        });
        let (head, tail) = line.split_at(bracket.unwrap_or(0));
        mended.push_str(head);
        if bracket.is_some() {
            mended.push('\\');
        }
        mended.push_str(tail);
        offset += line.len();
    }
    Cow::Owned(mended)
}

/// Where the bracket of a line stands that looks like a definition and is none for us.
fn definition(line: &str, used: &HashSet<String>) -> Option<usize> {
    let rest = line.trim_start_matches([
        ' ', '\t', '>', '-', '*', '+', '.', ')', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
    ]);
    let inner = rest.strip_prefix('[')?;
    let (label, target) = inner.split_once("]:")?;
    let target = target.trim_start();
    let web = ["http://", "https://", "<http"].iter().any(|scheme| target.starts_with(scheme));
    let real = web && !label.starts_with('^') && used.contains(&label.to_lowercase());
    (!real).then_some(line.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::{clean, keep_bracketed_lines};

    #[test]
    fn log_lines_are_no_definitions() {
        assert_eq!(keep_bracketed_lines("[ERROR]: full\n> [a]: b\n"), "\\[ERROR]: full\n> \\[a]: b\n");
        assert_eq!(keep_bracketed_lines("[^1]: https://a.b\n\n[^1]"), "\\[^1]: https://a.b\n\n[^1]");
    }

    #[test]
    fn real_definitions_and_code_stay() {
        for text in ["[x]: https://a.b\n\nsee [X]", "```\n[a]: b\n```\n", "no brackets"] {
            assert_eq!(keep_bracketed_lines(text), text);
        }
    }

    #[test]
    fn line_ends_and_nul_are_mended() {
        assert_eq!(clean("a\r\nb\rc\0"), "a\nb\nc\u{fffd}");
    }
}
