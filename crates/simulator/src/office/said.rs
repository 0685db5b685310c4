//! What a message to people says, and how it is shown.

use serde_json::Value;

use super::OfficeApp;
use crate::record::{Look, Shown};
use crate::registry::masked;

/// What a message says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) kind: String,
    pub(super) title: Option<String>,
    pub(super) text: String,
    /// Labels and addresses.
    pub(super) buttons: Vec<(String, String)>,
}

impl Said {
    /// How a chat shows it.
    pub(super) fn shown(&self, app: &OfficeApp, chat: &str, raw: &Value, mentions: Vec<String>) -> Shown {
        let mut text = self.text.clone();
        for (label, address) in &self.buttons {
            text.push_str(&format!("\n[{label}]({address})"));
        }
        Shown {
            chat: chat.to_owned(),
            token_masked: masked(&app.app_id),
            kind: self.kind.clone(),
            title: self.title.clone(),
            text,
            mentions,
            raw: raw.clone(),
            look: Look { markup: self.text.clone(), tone: None, buttons: self.buttons.clone() },
        }
    }
}
