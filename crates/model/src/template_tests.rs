use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{TemplateName, TemplateText, Values};
use crate::error::Field;

fn values(list: &[(&str, &str)]) -> Values {
    let map = list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Values::new(map).unwrap()
}

fn rendered(text: &str, list: &[(&str, &str)]) -> String {
    TemplateText::parse(text).unwrap().render(&values(list)).unwrap()
}

#[test]
fn placeholders_are_found_and_filled() {
    let text = TemplateText::parse("磁盘 {host}: {use.pct}% of {host}").unwrap();
    assert_eq!(text.placeholders(), ["host", "use.pct"]);
    assert_eq!(
        text.render(&values(&[("host", "db-1"), ("use.pct", "90"), ("extra", "")])).unwrap(),
        "磁盘 db-1: 90% of db-1"
    );
    let missing = text.render(&values(&[("host", "db-1")])).unwrap_err();
    assert_eq!(missing.field, Field::PlaceholderValues);
    assert!(missing.to_string().contains("use.pct"));
}

#[test]
fn other_braces_are_plain_text() {
    let long = format!("{{{}}}", "x".repeat(22));
    for text in ["{", "}", "{}", "{ a}", "{-a}", "{磁}", "{\"a\": 1}", "a}b", &long] {
        assert_eq!(rendered(text, &[]), text);
    }
    assert_eq!(rendered("{{a}}", &[("a", "1")]), "{1}");
    assert_eq!(rendered("{x {a}", &[("a", "1")]), "{x 1");
    assert_eq!(rendered("{a}{b}", &[("a", "{b}"), ("b", "2")]), "{b}2", "a value is not looked into");
}

#[test]
fn limits_are_kept() {
    let places = |count: usize| "{a}".repeat(count);
    assert!(TemplateText::parse(&places(256)).is_ok());
    assert_eq!(TemplateText::parse(&places(257)).unwrap_err().field, Field::Placeholders);
    let different = |count: usize| (0..count).map(|index| format!("{{t{index}}}")).collect::<String>();
    assert!(TemplateText::parse(&different(90)).is_ok());
    assert_eq!(TemplateText::parse(&different(91)).unwrap_err().field, Field::Placeholders);
    for text in ["", " \n", &"a".repeat(262_145)] {
        assert_eq!(TemplateText::parse(text).unwrap_err().field, Field::TemplateContent);
    }
    assert!(TemplateText::parse(&"a".repeat(262_144)).is_ok());
    let one = |name: String, value: String| Values::new(BTreeMap::from([(name, value)]));
    assert!(one("x".repeat(21), "v".repeat(1024)).is_ok());
    assert!(one("x".repeat(22), String::new()).is_err());
    assert!(one("x".to_owned(), "v".repeat(1025)).is_err());
    assert!(one("a b".to_owned(), String::new()).is_err());
}

#[test]
fn open_braces_without_end_are_read_once() {
    // Found by fuzzing: each open brace searched the whole rest for its end, seconds for a text of the largest size.
    let text = "{".repeat(262_144);
    for _time in 0..4 {
        assert!(TemplateText::parse(&text).unwrap().placeholders().is_empty());
    }
}

#[test]
fn names_are_checked() {
    for good in ["a", "0", "Disk_full-1", &"x".repeat(64)] {
        assert!(TemplateName::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "-a", "_a", "a b", "磁盘", &"x".repeat(65)] {
        assert!(TemplateName::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[{}a-c.\\-磁\u{1f514} ]{0,60}|.{0,60}") {
        let Ok(template) = TemplateText::parse(&text) else { return Ok(()) };
        let same = template.placeholders().into_iter().map(|name| (name.clone(), format!("{{{name}}}")));
        let values = Values::new(same.collect()).unwrap();
        prop_assert_eq!(template.render(&values).unwrap(), text, "each filled with itself gives the text back");
    }
}
