//! Sessions of the console: a person signs in with a name and a password, and a cookie stands for them from then on.

use std::net::IpAddr;

use carillon_model::SecretText;

use crate::error::{Error, Unauthenticated};
use crate::sign_in::Scope;
use crate::{Caller, Service};

impl Service {
    /// Signs an account in for a client, under the same lock as tokens, and opens a session in its project.
    ///
    /// # Errors
    /// When the name or password is wrong or the name is locked.
    pub async fn open_session(
        &self,
        name: &str,
        client: IpAddr,
        password: SecretText,
    ) -> Result<SecretText, Error> {
        let account = self.authenticate(name, client, password).await?;
        let (project, project_name) = self.project(account.id, &Scope::Any).await?;
        let session = self.secret();
        let store = self.signing_in(name, account.id, client, project.clone(), project_name);
        store.session_add(&session, project, account.id, &account.password_hash).await?;
        Ok(session)
    }

    /// Lets a session in.
    ///
    /// # Errors
    /// When it is unknown or has ended.
    pub async fn caller_by_session(&self, session: &SecretText) -> Result<Caller, Error> {
        let holder = self.store.session_find(session).await?;
        Ok(holder.map(Caller::from).ok_or(Unauthenticated::UnknownToken)?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When nothing can be stored.
    pub async fn close_session(&self, session: &SecretText) -> Result<(), Error> {
        Ok(self.store.session_delete(session).await?)
    }

    /// A secret for a visitor who has not signed in yet.
    #[must_use]
    pub fn visitor(&self) -> SecretText {
        self.secret()
    }
}
