//! Access keys and tokens: given, listed, taken. Their secrets are shown once, to whoever makes them.

use std::time::Duration;

use carillon_model::account::check_note;
use carillon_model::audit::Deed;
use carillon_model::clock::Timestamp;
use carillon_model::id::{AccountId, TokenId};
use carillon_model::role::{Grant, Granted, Right};
use carillon_model::{Field, Invalid, SecretText, limits};
use carillon_store::account::Credential;
use carillon_store::credential::{CredentialMade, ListedCredential, NewCredential};

use crate::account::described;
use crate::error::Error;
use crate::{Caller, Service};

/// What a caller says of a key or token to be made.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Whose it is to be; the caller's own when not set.
    pub account: Option<AccountId>,
    /// What tells it from others.
    pub note: String,
    /// A narrower role than the account's, if it is to have one.
    pub granted: Option<Granted>,
}

/// A fresh key pair.
#[derive(Debug, Clone)]
pub struct FreshKey {
    /// The access key.
    pub access_key: String,
    /// Its secret, shown once.
    pub secret: SecretText,
}

/// A fresh token.
#[derive(Debug, Clone)]
pub struct FreshToken {
    /// Its id.
    pub id: TokenId,
    /// The token, shown once.
    pub token: SecretText,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

impl Service {
    /// The project's access keys by id, behind `after`: those of one account when it is given, else all that the
    /// caller may see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<ListedCredential>, Error> {
        let account = visible(caller, account)?;
        Ok(self.store.access_key_list(&caller.project, account, after, limit).await?)
    }

    /// Makes a key pair for an account of the project.
    ///
    /// # Errors
    /// When the caller may not, or the account is not there or has as many as it may.
    pub async fn create_key(&self, caller: &Caller, wish: Wish) -> Result<FreshKey, Error> {
        caller.may(Right::Govern)?;
        let (new, detail) = self.wished(caller, wish).await?;
        let fresh = FreshKey { access_key: self.access_key(), secret: self.secret() };
        let store = self.acting_on(caller, Deed::KeyCreate, vec![fresh.access_key.clone()], detail);
        match store.access_key_add(new, &fresh.access_key, &fresh.secret).await? {
            CredentialMade::New => Ok(fresh),
            CredentialMade::NoAccount => Err(Error::AccountNotFound),
            CredentialMade::Full => Err(Error::KeysFull),
        }
    }

    /// Takes a key away, at once.
    ///
    /// # Errors
    /// When the caller may not, or there is no such key.
    pub async fn delete_key(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        caller.may(Right::Govern)?;
        let store = self.acting(caller, Deed::KeyDelete, &id);
        let there = store.access_key_remove(&caller.project, None, id).await?;
        if there { Ok(()) } else { Err(Error::KeyNotFound) }
    }

    /// The project's tokens that are still good, by id, behind `after`: those of one account when it is given, else
    /// all that the caller may see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
        after: Option<TokenId>,
        limit: u64,
    ) -> Result<Vec<ListedCredential>, Error> {
        let account = visible(caller, account)?;
        Ok(self.store.token_list(&caller.project, account, after, limit).await?)
    }

    /// Makes a token for an account of the project, good for so many seconds, for ever when not set.
    ///
    /// # Errors
    /// When the caller may not, the account is not there or has as many as it may, or the time is too long.
    pub async fn create_token(
        &self,
        caller: &Caller,
        wish: Wish,
        seconds: Option<u64>,
    ) -> Result<FreshToken, Error> {
        caller.may(Right::Govern)?;
        let now = self.clock.now();
        let expires_at = seconds.map(|seconds| life(seconds).map(|life| now.plus(life))).transpose()?;
        let (new, detail) = self.wished(caller, wish).await?;
        let id = TokenId::new(now, self.chance.as_ref());
        let fresh = FreshToken { id, token: self.secret(), expires_at };
        let store = self.acting_on(caller, Deed::TokenCreate, vec![id.to_string()], detail);
        match store.token_add(new, id, &fresh.token, expires_at, false).await? {
            CredentialMade::New => Ok(fresh),
            CredentialMade::NoAccount => Err(Error::AccountNotFound),
            CredentialMade::Full => Err(Error::TokensFull),
        }
    }

    /// Ends a token, at once. Everybody may end the token that it came with, and those of its own account unless it
    /// came with a narrowed one.
    ///
    /// # Errors
    /// When the caller may not, or there is no such token.
    pub async fn delete_token(&self, caller: &Caller, id: TokenId) -> Result<(), Error> {
        caller.may(Right::Own)?;
        let governs = caller.standing.grant(Right::Govern) == Grant::Yes;
        let itself = caller.credential == Credential::Token(id);
        if !governs && !itself && caller.standing.credential.is_some() {
            return Err(caller.forbidden(Right::Govern));
        }
        let account = (!governs).then_some(caller.account);
        let store = self.acting(caller, Deed::TokenDelete, &id);
        let there = store.token_remove(&caller.project, account, id).await?;
        if there { Ok(()) } else { Err(Error::TokenNotFound) }
    }

    /// What a wish means, and how the audit log tells of it.
    async fn wished(&self, caller: &Caller, wish: Wish) -> Result<(NewCredential, String), Error> {
        check_note(&wish.note)?;
        let member = self.member(caller, wish.account.unwrap_or(caller.account)).await?;
        // Else an administrator could make itself the operator.
        if member.operator && wish.granted.is_none() && !caller.operator {
            return Err(Error::AccountShared);
        }
        let role =
            wish.granted.as_ref().map_or_else(String::new, |granted| format!(", {}", described(granted)));
        let detail = format!("for {}{role}", member.name);
        let new = NewCredential {
            project: caller.project.clone(),
            account: member.account,
            note: wish.note,
            granted: wish.granted,
        };
        Ok((new, detail))
    }
}

/// Whose keys and tokens a caller may see, of those that it asks for.
fn visible(caller: &Caller, account: Option<AccountId>) -> Result<Option<AccountId>, Error> {
    caller.may(Right::Own)?;
    if account != Some(caller.account) && caller.may(Right::Inspect).is_ok() {
        return Ok(account);
    }
    match account {
        Some(other) if other != caller.account => Err(caller.forbidden(Right::Inspect)),
        Some(_) | None => Ok(Some(caller.account)),
    }
}

fn life(seconds: u64) -> Result<Duration, Invalid> {
    if (1..=limits::TOKEN_SECONDS_MAX).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(Invalid::new(
        Field::TokenLife,
        "must be 1 second to 10 years, in seconds; without it the token has no end",
    ))
}
