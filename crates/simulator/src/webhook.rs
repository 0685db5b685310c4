//! The plain receiver: writes down headers and body, answers 200.

use serde_json::{Value, json};

use crate::record::{Look, Shown};
use crate::registry::{Platform, Registry};
use crate::verdict::{Asked, Verdict};

/// Takes whatever was posted to `/hook/{name}`; a name nobody registered is a chat of that name.
pub(crate) fn receive(registry: &Registry, name: &str, asked: &Asked<'_>) -> Verdict {
    let body: Value = serde_json::from_slice(asked.body)
        .unwrap_or_else(|_not_json| Value::String(String::from_utf8_lossy(asked.body).into_owned()));
    let headers: serde_json::Map<String, Value> = asked
        .headers
        .iter()
        .map(|(field, value)| (field.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    let text = match &body {
        Value::String(text) => text.clone(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            serde_json::to_string_pretty(other).unwrap_or_default()
        }
    };
    let title =
        ["subject", "title", "type"].iter().find_map(|field| body.get(field)?.as_str().map(str::to_owned));
    let shown = Shown {
        chat: registry
            .robot(Platform::Webhook, name)
            .map_or_else(|| name.to_owned(), |robot| robot.chat.clone()),
        token_masked: name.to_owned(),
        kind: "webhook".to_owned(),
        title,
        look: Look { markup: text.clone(), ..Look::default() },
        text,
        mentions: Vec::new(),
        raw: json!({"headers": headers, "body": body}),
    };
    Verdict::accepted("200", json!({"received": true})).showing(shown)
}
