//! What platforms tell by themselves: setting what proves it, hearing it, and how it stands.

use std::collections::HashMap;

use carillon_model::audit::Deed;
use carillon_model::id::ConnectionId;
use carillon_model::office::callback::Callback;
use carillon_model::outcome::Advice;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid, SecretText};
use carillon_provider::{Finding, Told, Wanted};
use carillon_store::office_callback::CallbackState;

use crate::error::Error;
use crate::{Caller, Service};

/// Where platforms tell us, before the connection's id.
pub const CALLBACK_PATH: &str = "/callbacks/";

/// How a connection's callbacks stand, and the address for the app's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callbacks {
    /// How they stand.
    pub state: CallbackState,
    /// The address; only the path where the server's own public address is not known.
    pub url: String,
}

/// What comes of hearing something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearing {
    /// The answer to it.
    Answer {
        /// The text.
        text: String,
        /// Whether it is JSON.
        json: bool,
    },
    /// It is for no connection that believes anything.
    Unknown,
    /// It is not believed.
    Unproved,
}

impl Service {
    /// Sets, or takes away, what proves that a connection's callbacks are the platform's. It is sealed and never shown again.
    ///
    /// # Errors
    /// When there is no such connection, or a part cannot be right.
    pub async fn set_callback(
        &self,
        caller: &Caller,
        id: ConnectionId,
        secrets: Option<(SecretText, SecretText)>,
    ) -> Result<Callbacks, Error> {
        caller.may(Right::Change)?;
        let connection = self.connection(caller, id).await?;
        let callback = match &secrets {
            Some((token, key)) => Some(Callback::parse(connection.platform, token, key)?),
            None => None,
        };
        let store = self.acting(caller, Deed::ConnectionCallback, &id);
        if !store.callback_set(&caller.project, id, callback).await? {
            return Err(Error::ConnectionNotFound);
        }
        self.callbacks(caller, id).await
    }

    /// How a connection's callbacks stand.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn callbacks(&self, caller: &Caller, id: ConnectionId) -> Result<Callbacks, Error> {
        caller.may(Right::Look)?;
        let state = self.store.callback_state(&caller.project, id).await?;
        let base = self.public_url().map_or("", |links| links.base());
        Ok(Callbacks {
            state: state.ok_or(Error::ConnectionNotFound)?,
            url: format!("{base}{CALLBACK_PATH}{id}"),
        })
    }

    /// Hears what a platform tells: nobody signs in for it, the proof is in it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn hear(
        &self,
        id: ConnectionId,
        query: &HashMap<String, String>,
        header: &(dyn Fn(&str) -> Option<String> + Send + Sync),
        body: &[u8],
    ) -> Result<Hearing, Error> {
        let found = self.store.callback_open(id).await?;
        let Some((app, Some(callback))) = found else { return Ok(Hearing::Unknown) };
        let told = Told { query, header, body };
        let heard = carillon_provider::hear(&app, &callback, &told, self.now(), self.chance.as_ref());
        let heard = match heard {
            Ok(heard) => heard,
            Err(why) => {
                tracing::warn!(connection = %id, reason = why.name(), "what was told of an office app is not believed");
                return Ok(Hearing::Unproved);
            }
        };
        let (changes, event) = (heard.changes_directory, heard.event.unwrap_or_default());
        let event = carillon_model::text::shorten(&event, EVENT_BYTES_MAX);
        let new = self.store.callback_heard(id, &heard.key, event.clone(), changes).await?;
        tracing::info!(connection = %id, ?event, new, changes, "heard of an office app");
        let (text, json) = heard.answer;
        Ok(Hearing::Answer { text, json })
    }

    /// What the check says of a connection's callbacks: nothing when they were never set up.
    pub(crate) async fn check_callbacks(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<Option<Finding>, Error> {
        let Callbacks { state, url } = self.callbacks(caller, id).await?;
        if !state.set {
            return Ok(None);
        }
        let advice = match state.heard_at {
            Some(at) => Advice {
                en: format!("Last heard at {at}.").into(),
                zh: format!("最近一次收到于 {at}。").into(),
            },
            None => Advice {
                en: format!(
                    "Nothing was heard yet. On the app's page for events enter the address {url} with the same token and \
                     key, subscribe to changes of members and departments, and publish a new version."
                )
                .into(),
                zh: format!(
                    "尚未收到任何事件。请在应用的事件订阅页面填写地址 {url} 及相同的 Token 与密钥，订阅成员和部门变更事件，\
                     并发布新版本。"
                )
                .into(),
            },
        };
        let ok = state.heard_at.is_some();
        Ok(Some(Finding { ok, what: "change events", scope: None, wanted: Wanted::Useful, advice }))
    }
}

/// The longest name of an event that is kept, in bytes.
const EVENT_BYTES_MAX: usize = 100;

/// Both secrets of a callback, or that one is missing.
///
/// # Errors
/// When only one of them was typed.
pub fn both(
    token: Option<SecretText>,
    key: Option<SecretText>,
) -> Result<Option<(SecretText, SecretText)>, Invalid> {
    match (token, key) {
        (Some(token), Some(key)) => Ok(Some((token, key))),
        (None, None) => Ok(None),
        _ => Err(Invalid::new(
            Field::Callback,
            "token and key must both be given, as the app's page shows them",
        )),
    }
}
