//! The accounts of a project: listed, added, given another role or password, removed.

use std::net::IpAddr;

use carillon_model::account::{check_account_name, check_password};
use carillon_model::audit::Deed;
use carillon_model::id::AccountId;
use carillon_model::role::{Granted, Right};
use carillon_model::{Field, Invalid, SecretText};
use carillon_store::account::Credential;
use carillon_store::member::{Member, MemberChanged, MemberMade, NewMember};

use crate::error::{Error, Unauthenticated};
use crate::{Caller, Service, password};

/// What a caller says of an account to be added.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// Its password; without one, an account that is there joins the project.
    pub password: Option<SecretText>,
    /// What it may do in the project.
    pub granted: Granted,
}

fn changed(changed: MemberChanged) -> Result<(), Error> {
    match changed {
        MemberChanged::Done => Ok(()),
        MemberChanged::NotThere => Err(Error::AccountNotFound),
        MemberChanged::LastAdministrator => Err(Error::LastAdministrator),
    }
}

/// What a role is, for the audit log.
pub(crate) fn described(granted: &Granted) -> String {
    match granted.topics.as_slice() {
        [] => granted.role.to_string(),
        _topics => format!("{} of {}", granted.role, granted.topics.text()),
    }
}

impl Service {
    /// The project's accounts by name, behind `after`.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn list_accounts(
        &self,
        caller: &Caller,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<Member>, Error> {
        caller.may(Right::Inspect)?;
        Ok(self.store.member_list(&caller.project, after, limit).await?)
    }

    /// An account of the project.
    ///
    /// # Errors
    /// When the caller may not see it or there is none.
    pub async fn account(&self, caller: &Caller, id: AccountId) -> Result<Member, Error> {
        caller.may(Right::Inspect)?;
        self.member(caller, id).await
    }

    /// An account of the project, for those who were asked for their right before.
    pub(crate) async fn member(&self, caller: &Caller, id: AccountId) -> Result<Member, Error> {
        self.store.member_find(&caller.project, id).await?.ok_or(Error::AccountNotFound)
    }

    /// Adds an account to the project: a new one, or for the operator without a password one that is there.
    ///
    /// # Errors
    /// When the caller may not, name or password break their rule, or there is an account of that name.
    pub async fn add_account(&self, caller: &Caller, new: NewAccount) -> Result<AccountId, Error> {
        caller.may(Right::Govern)?;
        check_account_name(&new.name)?;
        let password_hash = match new.password {
            Some(password) => {
                check_password(&password)?;
                Some(self.hashed(password).await?)
            }
            // Else anybody could draw others' accounts into a project of its own.
            None if caller.operator => None,
            None => return Err(Invalid::new(Field::Password, "must be given").into()),
        };
        let detail = described(&new.granted);
        let store = self.acting_on(caller, Deed::AccountCreate, vec![new.name.clone()], detail);
        let member = NewMember { name: new.name, password_hash, granted: new.granted };
        match store.member_add(&caller.project, member).await? {
            MemberMade::New(id) => Ok(id),
            MemberMade::There => Err(Error::AccountExists),
            MemberMade::NoAccount => Err(Error::AccountNotFound),
            MemberMade::Full => Err(Error::AccountsFull),
        }
    }

    /// Gives an account another role in the project. Its keys and tokens have it from the next request on.
    ///
    /// # Errors
    /// When the caller may not, there is no such account, or it is the last administrator.
    pub async fn change_role(&self, caller: &Caller, id: AccountId, granted: Granted) -> Result<(), Error> {
        caller.may(Right::Govern)?;
        let member = self.member(caller, id).await?;
        let store = self.acting_on(caller, Deed::AccountRole, vec![member.name], described(&granted));
        changed(store.member_grant(&caller.project, id, granted).await?)
    }

    /// Gives an account another password: one's own with the present one, another's as whoever may give access. All
    /// that was signed in with the old one ends, but for the token that the caller came with.
    ///
    /// # Errors
    /// When the caller may not, the present password is wrong, the new one breaks its rule, or the account is the
    /// operator's or other projects' as well and the caller is not the operator.
    pub async fn change_password(
        &self,
        caller: &Caller,
        id: AccountId,
        client: IpAddr,
        present: Option<SecretText>,
        new: SecretText,
    ) -> Result<(), Error> {
        caller.may(Right::Own)?;
        check_password(&new)?;
        if id == caller.account {
            let present =
                present.ok_or_else(|| Invalid::new(Field::Password, "the present one must be given"))?;
            match self.authenticate(&caller.account_name, client, present).await {
                Err(Error::Unauthenticated(Unauthenticated::WrongPassword)) => {
                    return Err(Error::WrongPassword);
                }
                found => found.map(drop)?,
            }
        } else {
            caller.may(Right::Govern)?;
        }
        let member = self.member(caller, id).await?;
        let shared = member.operator || self.store.membership_count(id).await? > 1;
        if id != caller.account && shared && !caller.operator {
            return Err(Error::AccountShared);
        }
        let hash = self.hashed(new).await?;
        let keep = match &caller.credential {
            Credential::Token(token) => Some(*token),
            Credential::Key(_) | Credential::Session => None,
        };
        let store = self.acting(caller, Deed::AccountPassword, &member.name);
        let there = store.account_password(id, hash, keep).await?;
        if there { Ok(()) } else { Err(Error::AccountNotFound) }
    }

    /// Takes an account out of the project with its keys and tokens there, at once.
    ///
    /// # Errors
    /// When the caller may not, there is no such account, or it is the last administrator.
    pub async fn remove_account(&self, caller: &Caller, id: AccountId) -> Result<(), Error> {
        caller.may(Right::Govern)?;
        let member = self.member(caller, id).await?;
        let store = self.acting(caller, Deed::AccountDelete, &member.name);
        changed(store.member_remove(&caller.project, id).await?)
    }

    async fn hashed(&self, password: SecretText) -> Result<String, Error> {
        let chance = self.chance.clone();
        let hash = tokio::task::spawn_blocking(move || password::hash(&password, chance.as_ref()));
        hash.await.map_err(|_cancelled| {
            Error::Unavailable(carillon_store::Error::Unavailable("the server is stopping".to_owned()))
        })
    }
}
