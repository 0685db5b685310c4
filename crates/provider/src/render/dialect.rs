//! What each platform's chat can show.

/// What one platform's chat can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Headings, quotes, bold, italic, links, pictures, lists (`DingTalk` custom robot, message types).
    DingtalkMarkdown,
    /// The markdown element of a card of schema 2.0: headings, lists, tables, code, quotes, links (Lark cards, rich
    /// text component).
    LarkCard,
    /// Headings, bold, links, inline code, quotes, colour, mentions (`WeCom` group robot, markdown).
    WecomMarkdown,
    /// Headings, bold, italic, lists, quotes, links, pictures, rules, code blocks, tables; no colour and no mention
    /// (`WeCom` group robot, `markdown_v2`).
    WecomMarkdownV2,
    /// Text messages: nothing but characters.
    Plain,
}

impl Dialect {
    /// Every dialect.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] =
        [Self::DingtalkMarkdown, Self::LarkCard, Self::WecomMarkdown, Self::WecomMarkdownV2, Self::Plain];

    pub(super) fn has_strong(self) -> bool {
        self != Self::Plain
    }

    pub(super) fn has_emphasis(self) -> bool {
        matches!(self, Self::DingtalkMarkdown | Self::LarkCard | Self::WecomMarkdownV2)
    }

    pub(super) fn has_strike(self) -> bool {
        self == Self::LarkCard
    }

    pub(super) fn has_inline_code(self) -> bool {
        matches!(self, Self::LarkCard | Self::WecomMarkdown | Self::WecomMarkdownV2)
    }

    /// Whether tables and code blocks are shown as such.
    pub(super) fn has_frames(self) -> bool {
        matches!(self, Self::LarkCard | Self::WecomMarkdownV2)
    }

    pub(super) fn has_lists(self) -> bool {
        matches!(self, Self::DingtalkMarkdown | Self::LarkCard | Self::WecomMarkdownV2)
    }

    pub(super) fn has_rules(self) -> bool {
        matches!(self, Self::LarkCard | Self::WecomMarkdownV2)
    }

    /// Whether a picture may stand in the text by its web address. Lark wants an `img_key` from an upload instead.
    pub(super) fn has_pictures(self) -> bool {
        matches!(self, Self::DingtalkMarkdown | Self::WecomMarkdownV2)
    }

    pub(super) fn has_links(self) -> bool {
        self != Self::Plain
    }

    /// Whether an address may be the target of a link: Lark's pages allow http and https only, and the others'
    /// examples show no other, but for `DingTalk`'s own scheme.
    pub(super) fn links_to(self, address: &str) -> bool {
        let has = |scheme: &str| {
            address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        self.has_links()
            && (has("http://") || has("https://") || (self == Self::DingtalkMarkdown && has("dingtalk://")))
    }

    /// The end of a line inside a paragraph; `DingTalk` wants two blanks before it.
    pub(super) fn line_end(self) -> &'static str {
        match self {
            Self::DingtalkMarkdown => "  \n",
            Self::LarkCard | Self::WecomMarkdown | Self::WecomMarkdownV2 | Self::Plain => "\n",
        }
    }

    /// The line between a table's head and its rows, for one column.
    pub(super) fn table_line(self) -> (&'static str, &'static str) {
        match self {
            Self::LarkCard => ("---", "|"),
            Self::DingtalkMarkdown | Self::WecomMarkdown | Self::WecomMarkdownV2 | Self::Plain => {
                (" :--- ", "|")
            }
        }
    }

    /// How many tables one message may hold: five in a Lark card (Lark cards, table component).
    pub(super) fn tables_max(self) -> usize {
        match self {
            Self::LarkCard => 5,
            Self::DingtalkMarkdown | Self::WecomMarkdown | Self::WecomMarkdownV2 | Self::Plain => usize::MAX,
        }
    }
}
