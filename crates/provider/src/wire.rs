//! What the platforms' answers have in common: JSON objects whose codes are numbers or texts.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// A platform's answer: its fields in their order. They are few, and each answer is read once: a list is enough.
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, Value)>);

/// A field's name, which is seldom copied.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'a> Fields<'a> {
    /// Reads a body, if it is a JSON object.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// A field; of several with one name the last.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _value)| key == name).map(|(_key, value)| value)
    }

    /// A code: a number or a text.
    pub(crate) fn code(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Words; none when the field is missing or no text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_u64)
    }

    /// Whether a field is a list with something in it.
    pub(crate) fn has_entries(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    }

    /// The texts of every list called `name`, at any depth and in any case of letters.
    pub(crate) fn texts_anywhere(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open: Vec<(&str, &Value)> = self.0.iter().map(|(key, value)| (key.as_ref(), value)).collect();
        while let Some((key, value)) = open.pop() {
            match value {
                Value::Object(inner) => open.extend(inner.iter().map(|(key, value)| (key.as_str(), value))),
                Value::Array(list) if key.eq_ignore_ascii_case(name) => {
                    found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn an_object_is_read_and_nothing_else() {
        let fields =
            Fields::read(br#"{"code":0,"a\u0062":" x ","n":7,"l":[1],"code":"19001","o":{"L":["p","q"]}}"#);
        let fields = fields.unwrap();
        assert_eq!(fields.code("code").as_deref(), Some("19001"), "the last of a name");
        assert_eq!((fields.code("ab").as_deref(), fields.text("ab")), (Some("x"), " x "));
        assert_eq!((fields.number("n"), fields.code("n").as_deref()), (Some(7), Some("7")));
        assert!(fields.has_entries("l") && !fields.has_entries("o"));
        assert_eq!(fields.texts_anywhere("l"), ["p", "q"]);
        assert_eq!((fields.code("o"), fields.text("o"), fields.number("no")), (None, "", None));
        for body in ["", "[]", "0", "{\"a\":1} x", "{\"a\":1", "null"] {
            assert!(Fields::read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
