//! What the platforms' answers have in common: JSON objects whose codes are numbers or texts.

use serde_json::{Map, Value};

/// A platform's answer.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body, if it is a JSON object.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// A code: a number or a text.
    pub(crate) fn code(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Words; none when the field is missing or no text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// Whether a field is a list with something in it.
    pub(crate) fn has_entries(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    }

    /// The texts of every list called `name`, at any depth and in any case of letters.
    pub(crate) fn texts_anywhere(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open: Vec<(&str, &Value)> = self.0.iter().map(|(key, value)| (key.as_str(), value)).collect();
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
