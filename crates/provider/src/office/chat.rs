//! Changing a chat that the app's bot is in.

use carillon_model::SecretText;
use carillon_model::office::App;
use hyper::Method;
use serde_json::{Map, Value};

use super::call::{Ask, call, piece};
use super::{Fault, cleaned};
use crate::{Providers, lark};

impl Providers {
    /// Changes a chat's name, its description, or both ("update a chat"). Nothing where the platform lets no app do so.
    ///
    /// # Errors
    /// When the platform refuses; the permission that is missing is named.
    pub async fn office_chat_change(
        &self,
        app: &App,
        chat: &str,
        name: Option<&str>,
        description: Option<&str>,
    ) -> Option<Result<(), Fault>> {
        match app {
            App::Lark(_) | App::Feishu(_) => {}
            App::Dingtalk(_) | App::Wecom(_) => return None,
        }
        let given = [("name", name), ("description", description)];
        let body: Map<String, Value> =
            given.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?.into()))).collect();
        let ask = Ask {
            interface: "im/v1/chats/update",
            method: Method::PUT,
            host: app.lark_host(),
            path: format!("/open-apis/im/v1/chats/{}?user_id_type=open_id", piece(chat)),
            body: Value::Object(body).to_string().into(),
        };
        let changed = call(&self.context(), app, &ask).await.map(drop).map_err(lark::office::fault);
        let hidden = SecretText::new(chat);
        Some(changed.map_err(|fault| cleaned(fault, app)).map_err(|fault| without(fault, &hidden)))
    }
}

/// A fault whose words do not repeat the chat's id.
fn without(fault: Fault, chat: &SecretText) -> Fault {
    Fault { verdict: crate::clean::verdict(fault.verdict, &[chat.reveal()]), ..fault }
}
