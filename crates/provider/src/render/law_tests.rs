//! What must hold for every text.

use proptest::prelude::*;

use super::{Dialect, escape, json_bytes, markdown, plain, raw_bytes};

const WHOLE: usize = 1 << 30;

/// What a reader reads, without what a split may repeat: the documents below write heads of tables, languages and
/// addresses in capitals.
fn visible<'a>(parts: impl IntoIterator<Item = &'a String>) -> String {
    let kept = |character: &char| character.is_lowercase() || !character.is_ascii();
    let hidden =
        |character: &char| matches!(character, '\u{200b}' | '\u{a0}' | '•' | '◦' | '▪' | '☑' | '☐' | '🖼');
    parts
        .into_iter()
        .flat_map(|part| part.chars())
        .filter(kept)
        .filter(|character| !hidden(character))
        .collect()
}

fn measures() -> impl Strategy<Value = fn(&str) -> usize> {
    prop_oneof![Just(raw_bytes as fn(&str) -> usize), Just(json_bytes as fn(&str) -> usize)]
}

fn dialects() -> impl Strategy<Value = Dialect> {
    proptest::sample::select(Dialect::ALL.to_vec())
}

/// Words that are markup, or nearly, parted by `¦`.
const SOUP: [&str; 5] = [
    "a¦bc¦汉字¦。¦ ¦  ¦\n¦\n\n¦    ¦\t¦*¦**¦***¦_¦__¦~~¦`¦``¦```¦~~~¦#¦## ¦>¦> ¦-¦- ¦+ ¦1. ",
    "10) ¦[¦]¦(¦)¦](HTTPS://A.B)¦![¦<¦>¦<at¦<at id=all></at>¦<@¦<@u1>¦<font¦</font>¦@¦at¦&",
    "&lt;¦&amp;¦\\¦---¦===¦|¦|-|-|¦| a | b |\n|---|---|\n¦[x]: ¦[ ] ¦[x] ¦<br>",
    "HTTPS://A.B/C¦😀¦👩\u{200d}👩\u{200d}👧¦🇨🇳¦e\u{301}¦\u{200d}¦\u{fe0f}¦\u{5d0}\u{5d1}¦\0",
    "\r\n¦\r¦:ok:¦\u{1}¦\"",
];

/// A text of them.
fn soup() -> impl Strategy<Value = String> {
    let tokens: Vec<&str> = SOUP.iter().flat_map(|line| line.split('¦')).collect();
    proptest::collection::vec(proptest::sample::select(tokens), 0..60).prop_map(|tokens| tokens.concat())
}

/// A few words in a line, with marks.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => "[a-z]{1,9}",
        2 => "[一-龥]{1,12}。",
        1 => "[a-z]{60,150}",
        1 => "[a-z]{1,5}_[a-z]{1,5}",
        1 => Just("👩\u{200d}👩\u{200d}👧\u{200d}👦".to_owned()),
    ];
    let marked = (word, 0..10).prop_map(|(word, mark)| match mark {
        0 => format!("**{word}**"),
        1 => format!("*{word}*"),
        2 => format!("`{word}`"),
        3 => format!("[{word}](HTTPS://A.B/C)"),
        4 => format!("~~{word}~~"),
        _ => word,
    });
    proptest::collection::vec(marked, 1..14).prop_map(|words| words.join(" "))
}

fn indented(text: &str, first: &str, other: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(number, line)| format!("{}{line}", if number == 0 { first } else { other }))
        .collect();
    lines.join("\n")
}

fn document() -> impl Strategy<Value = String> {
    let lines = proptest::collection::vec(words(), 1..5).prop_map(|lines| lines.join("\n"));
    let code = proptest::collection::vec("[a-z ]{0,40}", 1..12)
        .prop_map(|lines| format!("```RUST\n{}\n```", lines.join("\n")));
    let table = proptest::collection::vec((words(), words(), words()), 0..6).prop_map(|rows| {
        let rows: Vec<String> =
            rows.iter().map(|(one, two, three)| format!("| {one} | {two} | {three} |")).collect();
        format!("| A | B | C |\n|---|---|---|\n{}", rows.join("\n"))
    });
    let leaf = prop_oneof![
        4 => lines,
        1 => words().prop_map(|words| format!("## {words}")),
        1 => code,
        1 => table,
    ];
    let blocks = leaf.prop_recursive(4, 40, 5, |inner| {
        let many = proptest::collection::vec(inner, 1..5);
        prop_oneof![
            many.clone().prop_map(|blocks| blocks.join("\n\n")),
            many.clone().prop_map(|blocks| indented(&blocks.join("\n\n"), "> ", "> ")),
            many.prop_map(|blocks| {
                let items: Vec<String> = blocks.iter().map(|block| indented(block, "- ", "  ")).collect();
                items.join("\n")
            }),
        ]
    });
    proptest::collection::vec(blocks, 1..5).prop_map(|blocks| blocks.join("\n\n"))
}

/// Whether no fence is left open; code blocks of the documents above hold no backticks.
fn fences_balance(part: &str) -> bool {
    part.matches("```").count().is_multiple_of(2)
}

fn has_mention(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("<@")
        || ["<at", "</at", "<font", "</font"].iter().any(|tag| {
            let mut after = text.split(tag).skip(1);
            after.any(|after| !after.starts_with(|next: char| next.is_ascii_alphabetic()))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_fits_and_pings_nobody(text in soup(), dialect in dialects(), measure in measures(), max in 64_usize..300) {
        let parts = markdown(&text, dialect, measure, max);
        prop_assert_eq!(parts.is_empty(), text.trim().is_empty());
        for part in &parts {
            prop_assert!(measure(part) <= max, "{} of {max} bytes: {part:?}", measure(part));
            prop_assert!(!part.trim().is_empty());
            prop_assert!(!has_mention(part), "{part:?}");
        }
    }

    #[test]
    fn any_text_survives_a_tiny_room(text in "\\PC{0,40}", dialect in dialects(), max in 0_usize..64) {
        let parts = markdown(&text, dialect, raw_bytes, max);
        prop_assert_eq!(parts.is_empty(), text.trim().is_empty());
    }

    #[test]
    fn splitting_loses_nothing(text in document(), dialect in dialects(), measure in measures(), max in 64_usize..600) {
        let whole = markdown(&text, dialect, measure, WHOLE);
        // Six tables make a second Lark card.
        prop_assert!(whole.len() == 1 || dialect == Dialect::LarkCard);
        let parts = markdown(&text, dialect, measure, max);
        prop_assert_eq!(visible(&parts), visible(&whole));
        prop_assert_eq!(visible(&whole), visible([&text]));
        for part in &parts {
            prop_assert!(measure(part) <= max, "{} of {max} bytes: {part:?}", measure(part));
            prop_assert!(fences_balance(part), "{part:?}");
        }
    }

    #[test]
    fn plain_text_is_cut_between_characters(text in "([a-z]{1,9}[ \n]|[一-龥]{1,5}|👍🏽|🇨🇳|e\u{301}){0,80}", max in 64_usize..200) {
        let parts = plain(&text, raw_bytes, max);
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(letters(&parts.concat()), letters(&text));
        for part in &parts {
            prop_assert!(part.len() <= max && !part.trim().is_empty());
            prop_assert!(!part.starts_with(['\u{301}', '🏽']), "{part:?}");
            prop_assert_eq!(part.matches('\u{1f1e8}').count(), part.matches('\u{1f1f3}').count());
        }
    }

    #[test]
    fn any_plain_text_fits(text in soup(), measure in measures(), max in 64_usize..200) {
        for part in plain(&text, measure, max) {
            prop_assert!(measure(&part) <= max && !part.trim().is_empty());
        }
    }

    /// What is escaped and read again is the text itself, in the dialects that are markdown through and through.
    #[test]
    fn escaped_text_is_literal(text in "[a-c*_~`#<>|&;.:=+1(\\[\\])!\\\\ 汉-]{1,24}") {
        use pulldown_cmark::{Event, Options, Parser};
        let text = text.trim();
        for dialect in [Dialect::LarkCard, Dialect::DingtalkMarkdown, Dialect::WecomMarkdownV2] {
            let escaped = escape(text, dialect);
            let mut options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
            options.set(Options::ENABLE_STRIKETHROUGH, dialect == Dialect::LarkCard);
            let mut read = String::new();
            for event in Parser::new_ext(&escaped, options) {
                match event {
                    Event::Text(part) => read.push_str(&part),
                    Event::Start(_) | Event::End(_) => {}
                    Event::Code(_)
                    | Event::InlineMath(_)
                    | Event::DisplayMath(_)
                    | Event::Html(_)
                    | Event::InlineHtml(_)
                    | Event::FootnoteReference(_)
                    | Event::SoftBreak
                    | Event::HardBreak
                    | Event::Rule
                    | Event::TaskListMarker(_) => prop_assert!(false, "{escaped:?}"),
                }
            }
            prop_assert_eq!(read.replace('\u{200b}', ""), text, "{:?} as {:?}", dialect, escaped);
        }
    }

    /// Each part is markdown that shows the words and none of the marks.
    #[test]
    fn parts_read_as_they_were_meant(text in document(), max in 80_usize..600) {
        use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};
        for dialect in [Dialect::LarkCard, Dialect::WecomMarkdownV2] {
            let parts = markdown(&text, dialect, raw_bytes, max);
            let mut read = Vec::new();
            for part in &parts {
                for event in Parser::new_ext(part, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
                    if let Event::Text(text) | Event::Code(text) = &event {
                        prop_assert!(!text.contains("**") && !text.contains("]("), "{text:?} in {part:?}");
                        read.push(text.to_string());
                    }
                    let code_by_indent = matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)));
                    prop_assert!(!code_by_indent, "{part:?}");
                }
            }
            prop_assert_eq!(visible(&read), visible([&text]));
        }
    }

    #[test]
    fn escaped_text_pings_nobody(text in soup(), dialect in dialects()) {
        prop_assert!(!has_mention(&escape(&text, dialect)));
    }
}
