//! A markdown text as a flat list of blocks; each knows the quotes and list items it stands in.
//!
//! Flat on purpose: however deeply a text nests, nothing here recurses.

use std::rc::Rc;

/// How many quotes and list items around a block are kept; what nests deeper is drawn at this depth.
pub(super) const DEPTH_MAX: usize = 16;

/// A paragraph, heading, table or the like, with what it stands in, outermost first.
pub(super) struct Block {
    pub(super) path: Vec<Container>,
    pub(super) leaf: Leaf,
}

/// What a block stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Quote { id: usize },
    Item(Item),
}

/// One item of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) id: usize,
    /// The list it belongs to.
    pub(super) list: usize,
    /// Its number in an ordered list.
    pub(super) number: Option<u64>,
    /// Whether the box of a task is ticked.
    pub(super) task: Option<bool>,
    /// Whether the block is the first of the item, the one that carries its mark.
    pub(super) fresh: bool,
}

impl Container {
    /// Its identity, whatever has been drawn of it.
    pub(super) fn id(self) -> usize {
        match self {
            Self::Quote { id } => id,
            Self::Item(item) => item.id,
        }
    }
}

/// The content of a block.
pub(super) enum Leaf {
    Heading { level: usize, spans: Vec<Span> },
    Paragraph { spans: Vec<Span> },
    Code { language: String, text: String },
    Table { head: Vec<Vec<Span>>, rows: Vec<Vec<Vec<Span>>> },
    Rule,
}

/// A run of text in one style.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) style: Style,
}

/// What a run of text is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Words; whatever looks like markup in them is escaped.
    Text,
    /// Inline code.
    Code,
    /// A picture at this address; the text tells what it shows.
    Picture(Rc<str>),
    /// A line break, soft or hard: people write logs line by line.
    Break,
    /// Already in the platform's form, and never cut.
    Ready,
}

/// How a run of text looks.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Style {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    pub(super) strike: bool,
    pub(super) link: Option<Rc<str>>,
}

impl Span {
    pub(super) fn new(kind: Kind, text: impl Into<String>, style: Style) -> Self {
        Self { kind, text: text.into(), style }
    }

    /// Words without any style.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Kind::Text, text, Style::default())
    }
}

/// Adds a run of words, and joins it to the one before when both look alike, so that escaping sees whole words.
pub(super) fn push_text(spans: &mut Vec<Span>, text: &str, style: &Style) {
    match spans.last_mut() {
        Some(last) if last.kind == Kind::Text && last.style == *style => last.text.push_str(text),
        _ => spans.push(Span::new(Kind::Text, text, style.clone())),
    }
}
