//! A text as the rows of a message, each with what it needs to be joined, cut and carried over.

/// Rows in order, and the frames they stand in.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) rows: Vec<Row>,
    pub(super) frames: Vec<Frame>,
}

/// One line of the message.
pub(super) struct Row {
    /// What is between it and the row before, in the same part.
    pub(super) joint: String,
    pub(super) level: Level,
    /// Written before it.
    pub(super) lead: String,
    /// Written before what is left of it in a later part.
    pub(super) follow: String,
    /// As it is written when it need not be cut.
    pub(super) text: String,
    /// What it is made of, for cutting; nothing if its text is written as it stands.
    pub(super) spans: Option<Vec<super::tree::Span>>,
    /// The table or code block it belongs to.
    pub(super) frame: Option<usize>,
    /// Whether it must not be the last of a part: it is a heading.
    pub(super) leads_on: bool,
}

/// How much begins with a row; a part ends where the most begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Only a line.
    Line,
    /// An item, or a block inside a list or quote.
    Inner,
    /// A block.
    Block,
}

/// What is written around the rows of a table or a code block, in each part anew.
pub(super) struct Frame {
    /// Before the first row.
    pub(super) first: String,
    /// Before the first row of a later part.
    pub(super) again: String,
    /// After the last row of a part.
    pub(super) close: String,
    pub(super) is_table: bool,
}
