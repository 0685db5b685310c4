//! Tags: a key and a value that an owner hangs on a topic, and the question which topics carry which (SMN API
//! reference, "Tag Operations").

use std::collections::BTreeSet;

use crate::error::{Field, Invalid};
use crate::limits;

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// The key: 1 to 128 characters.
    pub key: String,
    /// The value: up to 256 characters.
    pub value: String,
}

fn wrong(rule: &'static str) -> Invalid {
    Invalid::new(Field::Tag, rule)
}

impl Tag {
    /// Makes a tag.
    ///
    /// # Errors
    /// When the key or the value breaks its rule.
    pub fn new(key: &str, value: &str) -> Result<Self, Invalid> {
        check_key(key)?;
        if value.chars().count() > limits::TAG_VALUE_CHARS_MAX || value.chars().any(char::is_control) {
            return Err(wrong("a value is at most 256 characters without control characters"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// Checks a key.
///
/// # Errors
/// When it is blank, over 128 characters, holds control characters, or begins or ends with a blank.
pub fn check_key(key: &str) -> Result<(), Invalid> {
    let fits = (1..=limits::TAG_KEY_CHARS_MAX).contains(&key.chars().count())
        && key.trim() == key
        && !key.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(wrong("a key is 1 to 128 characters without blanks at its ends")) }
}

/// Checks the tags of one request: as many as a topic may have, each key once.
///
/// # Errors
/// When there are none or too many, or a key stands twice.
pub fn check_batch<'k>(keys: impl Iterator<Item = &'k str>) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    let mut count: usize = 0;
    for key in keys {
        count += 1;
        if !seen.insert(key) {
            return Err(wrong("a key must stand once in a request"));
        }
    }
    if (1..=limits::TAGS_MAX).contains(&count) { Ok(()) } else { Err(wrong("a request takes 1 to 20 tags")) }
}

/// One key of a filter, with the values it may have; any value when there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagWish {
    /// The key.
    pub key: String,
    /// The values, any of which suffices.
    pub values: Vec<String>,
}

impl TagWish {
    fn met(&self, tags: &[Tag]) -> bool {
        tags.iter()
            .any(|tag| tag.key == self.key && (self.values.is_empty() || self.values.contains(&tag.value)))
    }
}

/// Which topics are meant. An empty list asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagFilter {
    /// All of these.
    pub all: Vec<TagWish>,
    /// At least one of these.
    pub any: Vec<TagWish>,
    /// Not all of these together.
    pub not_all: Vec<TagWish>,
    /// None of these.
    pub not_any: Vec<TagWish>,
    /// Exactly this name.
    pub name: Option<String>,
    /// No tag at all; the four lists above then ask for nothing.
    pub untagged: bool,
}

impl TagFilter {
    /// Checks the size of each list.
    ///
    /// # Errors
    /// When a list has more than 10 keys, a key stands twice in it or breaks its rule, or a key has more than 10
    /// values.
    pub fn check(&self) -> Result<(), Invalid> {
        for list in [&self.all, &self.any, &self.not_all, &self.not_any] {
            let keys: BTreeSet<&str> = list.iter().map(|wish| wish.key.as_str()).collect();
            let small = list.len() <= limits::TAG_FILTER_MAX
                && list.iter().all(|wish| wish.values.len() <= limits::TAG_FILTER_MAX);
            if !small || keys.len() != list.len() {
                return Err(wrong("a filter takes up to 10 different keys with up to 10 values each"));
            }
            list.iter().try_for_each(|wish| check_key(&wish.key))?;
        }
        Ok(())
    }

    /// Whether a topic of this name with these tags is meant.
    #[must_use]
    pub fn matches(&self, name: &str, tags: &[Tag]) -> bool {
        if self.name.as_deref().is_some_and(|wanted| wanted != name) {
            return false;
        }
        if self.untagged {
            return tags.is_empty();
        }
        let met = |wish: &TagWish| wish.met(tags);
        self.all.iter().all(met)
            && (self.any.is_empty() || self.any.iter().any(met))
            && (self.not_all.is_empty() || !self.not_all.iter().all(met))
            && !self.not_any.iter().any(met)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Tag, TagFilter, TagWish, check_batch};

    fn tags(list: &[(&str, &str)]) -> Vec<Tag> {
        list.iter().map(|(key, value)| Tag::new(key, value).unwrap()).collect()
    }

    fn wish(key: &str, values: &[&str]) -> TagWish {
        TagWish { key: key.to_owned(), values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    #[test]
    fn each_list_asks_in_its_own_way() {
        let own = tags(&[("env", "prod"), ("team", "db")]);
        let asks = |filter: TagFilter| filter.matches("ops", &own);
        let both = vec![wish("env", &["test", "prod"]), wish("team", &[])];
        let half = vec![wish("env", &[]), wish("cost", &[])];
        let none = vec![wish("env", &["test"]), wish("cost", &[])];
        let with = |list: &[TagWish], place: fn(&mut TagFilter) -> &mut Vec<TagWish>| {
            let mut filter = TagFilter::default();
            *place(&mut filter) = list.to_vec();
            filter
        };
        let answers = |place: fn(&mut TagFilter) -> &mut Vec<TagWish>| {
            [&both, &half, &none].map(|list| asks(with(list, place)))
        };
        assert_eq!(answers(|filter| &mut filter.all), [true, false, false]);
        assert_eq!(answers(|filter| &mut filter.any), [true, true, false]);
        assert_eq!(answers(|filter| &mut filter.not_all), [false, true, true]);
        assert_eq!(answers(|filter| &mut filter.not_any), [false, false, true]);
        assert!(asks(TagFilter::default()));
        assert!(asks(TagFilter { name: Some("ops".to_owned()), ..TagFilter::default() }));
        assert!(!asks(TagFilter { name: Some("op".to_owned()), ..TagFilter::default() }));
        let untagged = TagFilter { untagged: true, all: both.clone(), ..TagFilter::default() };
        assert!(!untagged.matches("ops", &own));
        assert!(untagged.matches("ops", &[]), "untagged overrides the lists");
    }

    #[test]
    fn rules_are_kept() {
        assert!(Tag::new(&"键".repeat(128), &"值".repeat(256)).is_ok());
        assert!(Tag::new("k", "").is_ok());
        for (key, value) in [("", "v"), (" k", "v"), ("k\n", "v"), ("k", "\u{7}")] {
            assert!(Tag::new(key, value).is_err(), "{key:?} {value:?}");
        }
        assert!(Tag::new(&"k".repeat(129), "").is_err());
        assert!(Tag::new("k", &"v".repeat(257)).is_err());
        assert!(check_batch(["a", "b"].into_iter()).is_ok());
        assert!(check_batch(["a", "a"].into_iter()).is_err());
        assert!(check_batch(std::iter::empty()).is_err());
        let twice = TagFilter { all: vec![wish("k", &[]), wish("k", &["v"])], ..TagFilter::default() };
        assert!(twice.check().is_err());
        let keys: Vec<TagWish> = (0..11).map(|index| wish(&format!("k{index}"), &[])).collect();
        assert!(TagFilter { any: keys, ..TagFilter::default() }.check().is_err());
    }

    proptest! {
        #[test]
        fn a_list_and_its_negation_split_all_topics(
            own in proptest::collection::btree_map("[abc]", "[xy]", 0..3),
            list in proptest::collection::btree_map("[abc]", proptest::collection::vec("[xy]", 0..2), 1..3),
        ) {
            let own: Vec<Tag> = own.into_iter().map(|(key, value)| Tag { key, value }).collect();
            let list: Vec<TagWish> = list.into_iter().map(|(key, values)| TagWish { key, values }).collect();
            let asks = |filter: TagFilter| filter.matches("t", &own);
            let empty = TagFilter::default;
            prop_assert_ne!(asks(TagFilter { all: list.clone(), ..empty() }),
                asks(TagFilter { not_all: list.clone(), ..empty() }));
            prop_assert_ne!(asks(TagFilter { any: list.clone(), ..empty() }), asks(TagFilter { not_any: list, ..empty() }));
        }
    }
}
