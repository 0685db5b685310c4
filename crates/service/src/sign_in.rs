//! From a token, a signature or a password to a caller; and the lock against guessing.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

use carillon_model::audit::Deed;
use carillon_model::id::{AccountId, ProjectId, TokenId};
use carillon_model::text::shorten;
use carillon_model::{SecretText, Timestamp, limits};
use carillon_store::Store;
use carillon_store::account::Account;
use carillon_store::audit::{Act, Actor};
use carillon_store::credential::{CredentialMade, NewCredential};
use carillon_store::project::Project;
use data_encoding::BASE64URL_NOPAD;

use crate::caller::Caller;
use crate::error::{Error, Unauthenticated};
use crate::{Service, password};

/// How many names the lock remembers before it forgets those that are not locked.
const NAMES_MAX: usize = 10_000;
/// How much of a name the lock looks at, in bytes: names come from strangers.
const NAME_BYTES_MAX: usize = 128;

/// Failures by access key or account name. A stranger who guesses from elsewhere must not lock the owner out, so they
/// are counted in a row for each client address, and for all addresses together with a higher bound.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    tallies: Mutex<HashMap<(String, Option<IpAddr>), Tally>>,
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

impl Tally {
    fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.last.plus(limits::SIGN_IN_LOCK)
    }
}

/// The two tallies that a failure counts in, each with the count that locks.
fn tallied(name: &str, client: IpAddr) -> [((String, Option<IpAddr>), u32); 2] {
    let name = shorten(name, NAME_BYTES_MAX);
    [
        ((name.clone(), Some(network(client))), limits::SIGN_IN_FAILURES_MAX),
        ((name, None), limits::SIGN_IN_FAILURES_EVERYWHERE_MAX),
    ]
}

/// Who has one address of version 6 has the 64 bits behind it too.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

impl Failures {
    fn is_locked(&self, name: &str, client: IpAddr, now: Timestamp) -> bool {
        let tallies = self.tallies.lock().expect("no code panics while it holds the failures");
        tallied(name, client).iter().any(|(key, most)| {
            tallies.get(key).is_some_and(|tally| tally.count >= *most && !tally.has_ended(now))
        })
    }

    fn failed(&self, name: &str, client: IpAddr, now: Timestamp) {
        let mut tallies = self.tallies.lock().expect("no code panics while it holds the failures");
        if tallies.len() >= NAMES_MAX {
            tallies.retain(|_, tally| !tally.has_ended(now));
        }
        for (key, _most) in tallied(name, client) {
            if tallies.len() >= NAMES_MAX && !tallies.contains_key(&key) {
                continue;
            }
            let everywhere = key.1.is_none();
            let tally = tallies.entry(key).or_insert(Tally { count: 0, first: now, last: now });
            // After a lock has ended, counting begins anew; so it does when the failures of all are far apart.
            if tally.has_ended(now) || (everywhere && now >= tally.first.plus(limits::SIGN_IN_LOCK)) {
                *tally = Tally { count: 0, first: now, last: now };
            }
            tally.count = tally.count.saturating_add(1);
            tally.last = now;
        }
    }

    /// The failures of the others stay: they are not made good by the owner's coming in.
    fn succeeded(&self, name: &str, client: IpAddr) {
        let mut tallies = self.tallies.lock().expect("no code panics while it holds the failures");
        let [(own, _most), _everywhere] = tallied(name, client);
        tallies.remove(&own);
    }
}

/// The project a token is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The account's first project, as the request names none.
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

    /// Lets a signed request of a client in. `fits` tells whether the signature fits under the key's secret.
    ///
    /// # Errors
    /// When the key is unknown or locked, `signed_at` is too far off, or the signature does not fit.
    pub async fn caller_by_signature(
        &self,
        access_key: &str,
        client: IpAddr,
        signed_at: Timestamp,
        fits: impl FnOnce(&SecretText) -> bool + Send,
    ) -> Result<Caller, Error> {
        let now = self.clock.now();
        if self.failures.is_locked(access_key, client, now) {
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
            self.failures.failed(access_key, client, now);
            return Err(Unauthenticated::WrongSignature.into());
        }
        self.failures.succeeded(access_key, client);
        Ok(key.holder.into())
    }

    /// Signs an account in for a client and gives it a token for a project.
    ///
    /// # Errors
    /// When the name or password is wrong, the name is locked, or there is no such project.
    pub async fn sign_in(
        &self,
        name: &str,
        client: IpAddr,
        password: SecretText,
        scope: &Scope,
    ) -> Result<Issued, Error> {
        let account = self.authenticate(name, client, password).await?;
        let (project, project_name) = self.project(account.id, scope).await?;
        let now = self.clock.now();
        let (id, token) = (TokenId::new(now, self.chance.as_ref()), self.secret());
        let expires_at = now.plus(limits::TOKEN_LIFE);
        let new = NewCredential {
            project: project.clone(),
            account: account.id,
            note: String::new(),
            granted: None,
        };
        let store = self.signing_in(name, account.id, client, project, project_name);
        match store.token_add(new, id, &token, Some(expires_at), true).await? {
            CredentialMade::New => {}
            CredentialMade::NoAccount => return Err(Error::ProjectNotFound),
            CredentialMade::Full => return Err(Error::TokensFull),
        }
        let caller = self.caller_by_token(&token).await?;
        Ok(Issued { token, caller, issued_at: now, expires_at })
    }

    /// The account of a name and its password, under the lock against guessing.
    pub(crate) async fn authenticate(
        &self,
        name: &str,
        client: IpAddr,
        password: SecretText,
    ) -> Result<Account, Error> {
        let now = self.clock.now();
        let lock = format!("account {name}");
        if self.failures.is_locked(&lock, client, now) {
            return Err(Unauthenticated::Locked.into());
        }
        let account = self.store.account_find(name).await?;
        let hash =
            account.as_ref().map_or_else(|| password::NOBODY.to_owned(), |it| it.password_hash.clone());
        let fits =
            tokio::task::spawn_blocking(move || password::fits(&password, &hash)).await.unwrap_or(false);
        let Some(account) = account.filter(|_account| fits) else {
            self.failures.failed(&lock, client, now);
            return Err(Unauthenticated::WrongPassword.into());
        };
        self.failures.succeeded(&lock, client);
        Ok(account)
    }

    /// The store for an account that comes in with its password.
    pub(crate) fn signing_in(
        &self,
        name: &str,
        account: AccountId,
        client: IpAddr,
        project: ProjectId,
        project_name: String,
    ) -> Store {
        let credential = format!("password from {client}");
        let actor = Actor { project, account, account_name: name.to_owned(), credential };
        let deed = Some(Deed::AccountSignIn);
        self.store.acting(Act { actor, deed, what: vec![name.to_owned()], detail: project_name })
    }

    /// The project that a token is wanted for: one that the account belongs to.
    pub(crate) async fn project(
        &self,
        account: AccountId,
        scope: &Scope,
    ) -> Result<(ProjectId, String), Error> {
        let fits = |project: &Project| match scope {
            Scope::Any => true,
            Scope::Id(wanted) => project.id.as_str() == wanted,
            Scope::Name(wanted) => project.name == *wanted,
        };
        let mut projects = self.store.project_page(Some(account), None, limits::PROJECTS_MAX).await?;
        projects.sort_by_key(|project| project.created_at);
        let found = projects.into_iter().find(fits).ok_or(Error::ProjectNotFound)?;
        Ok((found.id, found.name))
    }

    /// 256 random bits as text.
    pub(crate) fn secret(&self) -> SecretText {
        let mut bytes = [0_u8; 32];
        self.chance.fill(&mut bytes);
        BASE64URL_NOPAD.encode(&bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use carillon_model::{Timestamp, limits};

    use super::Failures;

    const NOW: Timestamp = Timestamp(1_750_000_000_000);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fail(failures: &Failures, client: IpAddr, times: u32) {
        for _time in 0..times {
            failures.failed("admin", client, NOW);
        }
    }

    #[test]
    fn a_stranger_locks_nobody_out_from_elsewhere() {
        let failures = Failures::default();
        fail(&failures, address(1), limits::SIGN_IN_FAILURES_MAX);
        assert!(failures.is_locked("admin", address(1), NOW));
        assert!(!failures.is_locked("admin", address(2), NOW));
        assert!(!failures.is_locked("other", address(1), NOW));
        let later = NOW.plus(limits::SIGN_IN_LOCK);
        assert!(!failures.is_locked("admin", address(1), later));
        failures.failed("admin", address(1), later);
        assert!(!failures.is_locked("admin", address(1), later), "counting began anew");
    }

    #[test]
    fn many_addresses_together_lock_the_name() {
        let failures = Failures::default();
        for last in 1..10 {
            fail(&failures, address(last), limits::SIGN_IN_FAILURES_MAX);
        }
        failures.succeeded("admin", address(1));
        assert!(!failures.is_locked("admin", address(1), NOW));
        fail(&failures, address(10), limits::SIGN_IN_FAILURES_MAX);
        assert!(failures.is_locked("admin", address(11), NOW));
        assert!(!failures.is_locked("admin", address(11), NOW.plus(limits::SIGN_IN_LOCK)));
    }

    #[test]
    fn the_addresses_of_one_line_are_one() {
        let failures = Failures::default();
        for last in 0..limits::SIGN_IN_FAILURES_MAX {
            failures.failed("admin", format!("2001:db8::{last}").parse().unwrap(), NOW);
        }
        assert!(failures.is_locked("admin", "2001:db8::ffff".parse().unwrap(), NOW));
        assert!(!failures.is_locked("admin", "2001:db8:0:1::1".parse().unwrap(), NOW));
        fail(&failures, "::ffff:192.0.2.1".parse().unwrap(), limits::SIGN_IN_FAILURES_MAX);
        assert!(failures.is_locked("admin", address(1), NOW));
    }
}
