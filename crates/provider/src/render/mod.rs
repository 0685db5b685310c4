//! One text, in the form each chat really shows it, in as many parts as it takes.
//!
//! A markdown text is read once into blocks (`parse`), mended for what a dialect lacks (`inline`, `table`), laid out
//! in rows (`layout`) and packed into parts (`split`). Nothing is ever left out because a text is long.

mod cell;
mod cluster;
mod dialect;
mod escape;
mod html;
mod inline;
mod layout;
mod lead;
mod measure;
mod parse;
mod plain;
mod sheet;
mod source;
mod split;
mod table;
mod tree;

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod sample_tests;
#[cfg(test)]
mod split_tests;

pub(crate) use dialect::Dialect;
pub(crate) use escape::escape;
pub(crate) use html::{escape_html, html};
pub(crate) use measure::{json_bytes, raw_bytes};
pub(crate) use plain::plain;
pub(crate) use source::clean;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

/// Renders `markdown` for `dialect` into as few parts as fit while blocks stay whole; each part measures at most `max`
/// by `measure`, in bytes.
///
/// `measure` tells how many bytes a text takes in the request, and two texts together must take no more than each by
/// itself. A text of blanks only has no parts. If `max` is smaller than one character with its marks (it never is from
/// 64 bytes on), that character gets a part of its own and exceeds it.
#[must_use]
pub(crate) fn markdown(
    markdown: &str,
    dialect: Dialect,
    measure: fn(&str) -> usize,
    max: usize,
) -> Vec<String> {
    let text = clean(markdown);
    let target = inline::Target { dialect, measure, max };
    let sheet = layout::lay(parse::parse(&text), target);
    let parts = split::split(&sheet, target);
    if parts.is_empty() {
        // Nothing but a rule, an empty quote and the like: better shown as it was written than not at all.
        return plain(&escape(&text, dialect), measure, max);
    }
    parts
}

/// Whether the markdown has a table, a picture or a fenced code block, which of `WeCom`'s two forms only
/// `markdown_v2` shows (`WeCom` group robot, message types).
#[must_use]
pub(crate) fn wants_wecom_v2(markdown: &str) -> bool {
    Parser::new_ext(markdown, source::options()).any(|event| {
        matches!(
            event,
            Event::Start(Tag::Table(_) | Tag::Image { .. } | Tag::CodeBlock(CodeBlockKind::Fenced(_)))
        )
    })
}

/// The label of part `index` (the first is 0) of `count`, e.g. `(1/3)`; empty if there is only one.
#[must_use]
pub(crate) fn part_label(index: usize, count: usize) -> String {
    if count < 2 { String::new() } else { format!("({}/{count})", index + 1) }
}
