//! Changing a chat that an app's bot is in.

use carillon_model::audit::Deed;
use carillon_model::id::ConnectionId;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};
use carillon_store::directory::Kept;

use crate::error::Error;
use crate::{Caller, Service};

/// The longest name and description that a chat is given, in characters.
const NAME_MAX: usize = 60;
const DESCRIPTION_MAX: usize = 100;

fn checked(text: Option<String>, most: usize, rule: &'static str) -> Result<Option<String>, Invalid> {
    let fits = |text: &String| text.chars().count() <= most && !text.chars().any(char::is_control);
    match text {
        Some(text) if !fits(&text) || text.trim().is_empty() => Err(Invalid::new(Field::Name, rule)),
        text => Ok(text),
    }
}

impl Service {
    /// Changes a chat's name, its description, or both, at the platform and in the directory.
    ///
    /// # Errors
    /// When there is no such connection or chat, a text breaks its rule, the platform lets no app change chats, or refuses:
    /// the permission that is missing is named.
    pub async fn change_chat(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        chat: &str,
        name: Option<String>,
        description: Option<String>,
    ) -> Result<Kept, Error> {
        caller.may(Right::Change)?;
        self.connection(caller, connection).await?;
        let name = checked(name, NAME_MAX, "name must be 1 to 60 characters on one line")?;
        let rule = "description must be 1 to 100 characters on one line";
        let description = checked(description, DESCRIPTION_MAX, rule)?;
        if name.is_none() && description.is_none() {
            return Err(Invalid::new(Field::Name, "name or description must be given").into());
        }
        let found = self.store.chat_find(connection, chat).await?;
        let found =
            found.ok_or(Invalid::new(Field::Id, "there is no such chat in the directory: update it"))?;
        let app = self.store.connection_open(connection).await?.ok_or(Error::ConnectionNotFound)?;
        let changed = self
            .providers
            .office_chat_change(&app, &found.platform_id, name.as_deref(), description.as_deref())
            .await;
        match changed {
            None => {
                let rule = "only Lark and Feishu let an app change a chat's name and description";
                return Err(Invalid::new(Field::Platform, rule).into());
            }
            Some(Err(fault)) => return Err(crate::connection::refused(&fault)),
            Some(Ok(())) => {}
        }
        let store = self.acting(caller, Deed::ChatUpdate, &found.platform_id);
        store.chat_rename(found.id, name, description).await?;
        let now = self.store.chat_find(connection, &found.id.to_string()).await?;
        now.ok_or(Error::ConnectionNotFound)
    }
}
