//! Reads fields of a request, each with an error that names it.

use carillon_model::{Field, Invalid, limits};
use carillon_service::Page;
use serde_json::{Map, Value};

use crate::call::Call;

/// A text; nothing when it is missing or null.
pub(crate) fn text(object: &Map<String, Value>, name: &str, field: Field) -> Result<Option<String>, Invalid> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Invalid::new(field, format!("{name} must be a text")))
        }
    }
}

/// A whole number that may be written as a text.
pub(crate) fn number(object: &Map<String, Value>, name: &str, field: Field) -> Result<Option<u64>, Invalid> {
    let wrong = || Invalid::new(field, format!("{name} must be a whole number"));
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_parse| wrong()),
        Some(Value::Number(number)) => number.as_u64().map(Some).ok_or_else(wrong),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(wrong()),
    }
}

/// Offset (from 0) and limit (1 to 100, 100 when missing) of a list.
pub(crate) fn page(call: &Call) -> Result<Page, Invalid> {
    let wrong = || Invalid::new(Field::Paging, "offset must be 0 or more, limit 1 to 100");
    let read = |name: &str, default: u64| match call.query(name) {
        None => Ok(default),
        Some(text) => text.parse::<u64>().map_err(|_parse| wrong()),
    };
    let page = Page { offset: read("offset", 0)?, limit: read("limit", limits::PAGE_MAX)? };
    let fits = (1..=limits::PAGE_MAX).contains(&page.limit) && i64::try_from(page.offset).is_ok();
    if fits { Ok(page) } else { Err(wrong()) }
}

/// A list of texts.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}
