//! From a token, a signature or a password to a caller; and the lock against guessing.

use std::collections::HashMap;
use std::sync::Mutex;

use carillon_model::id::ProjectId;
use carillon_model::{SecretText, Timestamp, limits};
use carillon_store::account::Holder;
use data_encoding::BASE64URL_NOPAD;

use crate::caller::Caller;
use crate::error::{Error, Unauthenticated};
use crate::{Service, password};

/// How many names the lock remembers before it forgets those that are not locked.
const NAMES_MAX: usize = 10_000;

/// Failures in a row, by access key or account name.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    by_name: Mutex<HashMap<String, (u32, Timestamp)>>,
}

impl Failures {
    fn is_locked(&self, name: &str, now: Timestamp) -> bool {
        let by_name = self.by_name.lock().expect("no code panics while it holds the failures");
        by_name.get(name).is_some_and(|(count, last)| {
            *count >= limits::SIGN_IN_FAILURES_MAX && now < last.plus(limits::SIGN_IN_LOCK)
        })
    }

    fn failed(&self, name: &str, now: Timestamp) {
        let mut by_name = self.by_name.lock().expect("no code panics while it holds the failures");
        if by_name.len() >= NAMES_MAX {
            by_name.retain(|_, (_, last)| now < last.plus(limits::SIGN_IN_LOCK));
        }
        if by_name.len() >= NAMES_MAX && !by_name.contains_key(name) {
            return;
        }
        let entry = by_name.entry(name.to_owned()).or_insert((0, now));
        // After a lock has ended, counting begins anew.
        if now >= entry.1.plus(limits::SIGN_IN_LOCK) {
            entry.0 = 0;
        }
        *entry = (entry.0.saturating_add(1), now);
    }

    fn succeeded(&self, name: &str) {
        self.by_name.lock().expect("no code panics while it holds the failures").remove(name);
    }
}

/// The project a token is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The first project, as the request names none.
    Any,
    /// By its id.
    Id(String),
    /// By its name.
    Name(String),
}

/// A fresh token.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token, shown once.
    pub token: SecretText,
    /// Who it is for.
    pub caller: Caller,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Service {
    /// Lets a token in.
    ///
    /// # Errors
    /// When it is unknown or has ended.
    pub async fn caller_by_token(&self, token: &SecretText) -> Result<Caller, Error> {
        let holder = self.store.token_find(token).await?;
        Ok(holder.map(Caller::from).ok_or(Unauthenticated::UnknownToken)?)
    }

    /// Lets a signed request in. `fits` tells whether the signature fits under the key's secret.
    ///
    /// # Errors
    /// When the key is unknown or locked, `signed_at` is too far off, or the signature does not fit.
    pub async fn caller_by_signature(
        &self,
        access_key: &str,
        signed_at: Timestamp,
        fits: impl FnOnce(&SecretText) -> bool + Send,
    ) -> Result<Caller, Error> {
        let now = self.clock.now();
        if self.failures.is_locked(access_key, now) {
            return Err(Unauthenticated::Locked.into());
        }
        let skew = now.since(signed_at).max(signed_at.since(now));
        if skew > limits::SIGNATURE_SKEW_MAX {
            return Err(Unauthenticated::Skewed.into());
        }
        let Some(key) = self.store.access_key_find(access_key).await? else {
            return Err(Unauthenticated::UnknownKey.into());
        };
        if !fits(&key.secret) {
            self.failures.failed(access_key, now);
            return Err(Unauthenticated::WrongSignature.into());
        }
        self.failures.succeeded(access_key);
        Ok(key.holder.into())
    }

    /// Signs an account in and gives it a token for a project.
    ///
    /// # Errors
    /// When the name or password is wrong, the name is locked, or there is no such project.
    pub async fn sign_in(&self, name: &str, password: SecretText, scope: &Scope) -> Result<Issued, Error> {
        let now = self.clock.now();
        let lock = format!("account {name}");
        if self.failures.is_locked(&lock, now) {
            return Err(Unauthenticated::Locked.into());
        }
        let account = self.store.account_find(name).await?;
        let hash =
            account.as_ref().map_or_else(|| password::NOBODY.to_owned(), |it| it.password_hash.clone());
        let fits =
            tokio::task::spawn_blocking(move || password::fits(&password, &hash)).await.unwrap_or(false);
        let Some(account) = account.filter(|_account| fits) else {
            self.failures.failed(&lock, now);
            return Err(Unauthenticated::WrongPassword.into());
        };
        self.failures.succeeded(&lock);
        let (project, project_name) = self.project(scope).await?;
        let token = self.secret();
        let expires_at = now.plus(limits::TOKEN_LIFE);
        self.store.token_add(&token, project.clone(), account.id, expires_at).await?;
        let caller = Caller::from(Holder {
            project,
            project_name,
            account: account.id,
            account_name: name.to_owned(),
        });
        Ok(Issued { token, caller, issued_at: now, expires_at })
    }

    async fn project(&self, scope: &Scope) -> Result<(ProjectId, String), Error> {
        let fits = |id: &ProjectId, name: &str| match scope {
            Scope::Any => true,
            Scope::Id(wanted) => id.as_str() == wanted,
            Scope::Name(wanted) => name == wanted,
        };
        let projects = self.store.project_list().await?;
        projects.into_iter().find(|(id, name)| fits(id, name)).ok_or(Error::ProjectNotFound)
    }

    /// 256 random bits as text.
    pub(crate) fn secret(&self) -> SecretText {
        let mut bytes = [0_u8; 32];
        self.chance.fill(&mut bytes);
        BASE64URL_NOPAD.encode(&bytes).into()
    }
}
