//! Where a text is cut, by example.

use insta::assert_snapshot;

use super::sample_tests::show;
use super::{Dialect, markdown, plain, raw_bytes};

#[test]
fn a_table_repeats_its_head_and_code_its_fence() {
    let text = "| Name | Value |\n|---|---|\n| alpha | one |\n| beta | two |\n| gamma | three |\n\n\
                ```rust\nlet first = 1;\nlet second = 2;\nlet third = 3;\nlet fourth = 4;\n```\n";
    assert_snapshot!(show(&markdown(text, Dialect::LarkCard, raw_bytes, 60)), @r###"
    | Name | Value |
    |---|---|
    | alpha | one |
    | beta | two |
    =====
    | Name | Value |
    |---|---|
    | gamma | three |
    =====
    ```rust
    let first = 1;
    let second = 2;
    let third = 3;
    ```
    =====
    ```rust
    let fourth = 4;
    ```
    "###);
}

#[test]
fn bold_links_and_lists_go_on_in_the_next_part() {
    let text = "# Head\n**one two three four five six seven eight nine ten eleven twelve**\n\n\
                - [a link of several words that is too long](https://a.b)\n- second 1. item\n";
    assert_snapshot!(show(&markdown(text, Dialect::WecomMarkdownV2, raw_bytes, 48)), @r###"
    # Head
    **one two three four five six seven**
    =====
    **eight nine ten eleven twelve**

    - a link of
    =====
    several words that is too long (https://a.b)
    =====
    - second 1. item
    "###);
}

#[test]
fn a_heading_goes_with_what_it_heads() {
    let text = "first paragraph here\n\n## Head\nbody of the head\n";
    assert_eq!(
        markdown(text, Dialect::LarkCard, raw_bytes, 40),
        ["first paragraph here", "## Head\nbody of the head"]
    );
}

#[test]
fn a_cut_line_begins_no_list() {
    let parts = markdown("aaaaaaaaaaaaaaaa bbbbbbbbb - c # d", Dialect::LarkCard, raw_bytes, 27);
    assert_eq!(parts, ["aaaaaaaaaaaaaaaa bbbbbbbbb", "\u{200b}- c # d"]);
}

#[test]
fn nothing_vanishes_that_markdown_shows_as_nothing() {
    for text in ["---", ">", "[a]: https://b.c", "&nbsp;x"] {
        for dialect in Dialect::ALL {
            assert!(!markdown(text, dialect, raw_bytes, 100).is_empty(), "{text} in {dialect:?}");
        }
    }
    assert_eq!(markdown("[](https://a.b)", Dialect::Plain, raw_bytes, 100), ["https://a.b"]);
    assert_eq!(markdown("[^1]: a note\n\nx[^1]", Dialect::Plain, raw_bytes, 100), ["[^1]: a note\n\nx[^1]"]);
    assert_eq!(markdown(" \n ", Dialect::Plain, raw_bytes, 100), [""; 0]);
}

#[test]
fn a_card_holds_five_tables() {
    let text = "| a | b |\n|---|---|\n| c | d |\n\n".repeat(6);
    let parts = markdown(&text, Dialect::LarkCard, raw_bytes, 10_000);
    let tables: Vec<usize> = parts.iter().map(|part| part.matches("|---|").count()).collect();
    assert_eq!(tables, [5, 1]);
}

#[test]
fn deep_nesting_is_harmless() {
    for unit in [">", "> ", "[", "- ", "*", "`", "![", "**a ", "> - ", "\n>", "1. "] {
        let text = unit.repeat(100_000 / unit.len());
        for dialect in Dialect::ALL {
            let parts = markdown(&text, dialect, raw_bytes, 4096);
            assert!(
                !parts.is_empty() && parts.iter().all(|part| part.len() <= 4096),
                "{unit} in {dialect:?}"
            );
        }
    }
}

#[test]
fn a_unit_larger_than_the_room_stands_alone() {
    assert_eq!(plain("汉a字", raw_bytes, 1), ["汉", "a", "字"]);
    assert_eq!(markdown("**汉a**", Dialect::LarkCard, raw_bytes, 1), ["**汉**", "**a**"]);
}

#[test]
fn plain_text_is_cut_at_lines_then_blanks_then_characters() {
    assert_eq!(plain("one\r\ntwo three\nfour", raw_bytes, 9), ["one", "two three", "four"]);
    assert_eq!(plain("one two three", raw_bytes, 8), ["one two", "three"]);
    assert_eq!(plain("一二三。四五六", raw_bytes, 15), ["一二三。", "四五六"]);
    assert_eq!(plain("汉".repeat(1366).as_str(), raw_bytes, 4096).first().map(String::len), Some(4095));
    assert_eq!(plain("👍🏽👍🏽", raw_bytes, 12), ["👍🏽", "👍🏽"]);
    assert_eq!(plain("  as it is\n\n\tstands", raw_bytes, 100), ["  as it is\n\n\tstands"]);
}

#[test]
fn a_part_that_begins_inside_a_list_is_no_code() {
    let text = "- one\n    - two\n      three four five six\n    - seven\n- eight\n";
    assert_snapshot!(show(&markdown(text, Dialect::WecomMarkdownV2, raw_bytes, 40)), @r###"
    - one
    =====
    - two
        three four five six
    =====
    - seven
    - eight
    "###);
}
