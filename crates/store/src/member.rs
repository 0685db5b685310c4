//! The accounts of a project, each with its role there.

use carillon_model::clock::Timestamp;
use carillon_model::id::{AccountId, ProjectId, TokenId};
use carillon_model::limits;
use carillon_model::role::{Granted, Role, TopicPatterns};

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::project::count;
use crate::setup::Store;

/// An account as a project sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// What it may do in the project.
    pub granted: Granted,
    /// Whether it may make projects.
    pub operator: bool,
    /// Since when it belongs to the project.
    pub created_at: Timestamp,
}

/// An account that is to have a role in a project.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Its name.
    pub name: String,
    /// The Argon2 hash of its password, if it is to be made; without, it must be there.
    pub password_hash: Option<String>,
    /// What it may do.
    pub granted: Granted,
}

/// What came of giving an account a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberMade {
    /// It has the role.
    New(AccountId),
    /// There is an account of that name.
    There,
    /// There is no account of that name, and no password to make it with.
    NoAccount,
    /// The project has as many as it may.
    Full,
}

/// What came of changing or removing a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChanged {
    /// It is done.
    Done,
    /// The account does not belong to the project.
    NotThere,
    /// It is the project's last administrator.
    LastAdministrator,
}

/// Reads the columns `role, topics`.
pub(crate) fn read_granted(row: &mut Row) -> Result<Granted, Error> {
    let role = row.parsed(Role::from_name)?;
    let topics = row.parsed(|text| TopicPatterns::parse(text).ok())?;
    Ok(Granted { role, topics })
}

/// Reads the same columns where the role may be missing.
pub(crate) fn read_maybe_granted(row: &mut Row) -> Result<Option<Granted>, Error> {
    let role = row.maybe_parsed(Role::from_name)?;
    let topics = row.parsed(|text| TopicPatterns::parse(text).ok())?;
    Ok(role.map(|role| Granted { role, topics }))
}

pub(crate) fn insert(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    account: AccountId,
    granted: &Granted,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO membership (project_id, account_id, role, topics, created_at) VALUES ($1, $2, $3, $4, $5)",
        params![project.as_str(), account.to_string(), granted.role.name(), granted.topics.text(), now],
    )?;
    Ok(())
}

/// Takes an account out of a project with its keys and tokens there; an account that belongs nowhere any more goes.
pub(crate) fn remove(tx: &mut Tx<'_>, project: &ProjectId, account: AccountId) -> Result<(), Error> {
    let id = account.to_string();
    let of = || params![project.as_str(), id.as_str()].to_vec();
    // The sealed secrets of keys go as well.
    tx.erased_from("access_key")?;
    tx.execute("DELETE FROM access_key WHERE project_id = $1 AND account_id = $2", &of())?;
    tx.execute("DELETE FROM session WHERE project_id = $1 AND account_id = $2", &of())?;
    tx.execute("DELETE FROM token WHERE project_id = $1 AND account_id = $2", &of())?;
    tx.execute("DELETE FROM membership WHERE project_id = $1 AND account_id = $2", &of())?;
    tx.execute(
        "DELETE FROM account WHERE id = $1 AND operator = 0
         AND NOT EXISTS (SELECT 1 FROM membership WHERE account_id = $1)",
        params![id.as_str()],
    )?;
    Ok(())
}

/// Whether the project would be without an administrator if this account were none.
fn is_last(tx: &mut Tx<'_>, project: &ProjectId, account: AccountId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM membership WHERE project_id = $1 AND account_id <> $2 AND role = 'administrator' LIMIT 1";
    Ok(tx.query_one("membership", sql, params![project.as_str(), account.to_string()])?.is_none())
}

fn role_of(tx: &mut Tx<'_>, project: &ProjectId, account: AccountId) -> Result<Option<Role>, Error> {
    let sql = "SELECT role FROM membership WHERE project_id = $1 AND account_id = $2";
    let row = tx.query_one("membership", sql, params![project.as_str(), account.to_string()])?;
    row.map(|mut row| row.parsed(Role::from_name)).transpose()
}

fn read_member(mut row: Row) -> Result<Member, Error> {
    Ok(Member {
        account: row.parsed(|text| AccountId::parse(text).ok())?,
        name: row.text()?,
        granted: read_granted(&mut row)?,
        operator: row.int()? != 0,
        created_at: row.time()?,
    })
}

impl Store {
    /// A project's accounts by name, behind `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn member_list(
        &self,
        project: &ProjectId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<Member>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT a.id, a.name, m.role, m.topics, a.operator, m.created_at FROM membership m
                 JOIN account a ON a.id = m.account_id
                 WHERE m.project_id = $1 AND a.name > $2 ORDER BY a.name LIMIT $3";
            tx.query("membership", sql, params![project.as_str(), after.unwrap_or_default(), limit])
        };
        self.db.read(list).await?.into_iter().map(read_member).collect()
    }

    /// An account of a project.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn member_find(
        &self,
        project: &ProjectId,
        account: AccountId,
    ) -> Result<Option<Member>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT a.id, a.name, m.role, m.topics, a.operator, m.created_at FROM membership m
                 JOIN account a ON a.id = m.account_id WHERE m.project_id = $1 AND m.account_id = $2";
            tx.query_one("membership", sql, params![project.as_str(), account.to_string()])
        };
        self.db.read(find).await?.map(read_member).transpose()
    }

    /// How many projects an account belongs to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn membership_count(&self, account: AccountId) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM membership WHERE account_id = $1";
        self.db.read(move |tx| count(tx, "membership", sql, &account.to_string())).await
    }

    /// Gives an account a role in a project: a new account when there is a password for it, else one that is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn member_add(&self, project: &ProjectId, new: NewMember) -> Result<MemberMade, Error> {
        let (project, now) = (project.clone(), self.clock.now());
        let fresh = AccountId::new(now, self.chance.as_ref());
        let add = move |tx: &mut Tx<'_>| {
            let sql = "SELECT count(*) FROM membership WHERE project_id = $1";
            if count(tx, "membership", sql, project.as_str())? >= limits::ACCOUNTS_MAX {
                return Ok(MemberMade::Full);
            }
            let sql = "SELECT id FROM account WHERE name = $1";
            let there = tx.query_one("account", sql, params![new.name.as_str()])?;
            let there = there.map(|mut row| row.parsed(|text| AccountId::parse(text).ok())).transpose()?;
            let account = match (there, new.password_hash) {
                (Some(_), Some(_)) => return Ok(MemberMade::There),
                (None, None) => return Ok(MemberMade::NoAccount),
                (Some(account), None) => account,
                (None, Some(hash)) => {
                    tx.execute(
                        "INSERT INTO account (id, name, password_hash, created_at) VALUES ($1, $2, $3, $4)",
                        params![fresh.to_string(), new.name.as_str(), hash, now],
                    )?;
                    fresh
                }
            };
            if role_of(tx, &project, account)?.is_some() {
                return Ok(MemberMade::There);
            }
            insert(tx, &project, account, &new.granted, now)?;
            Ok(MemberMade::New(account))
        };
        self.db.write(add).await
    }

    /// Gives an account of a project another role there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn member_grant(
        &self,
        project: &ProjectId,
        account: AccountId,
        granted: Granted,
    ) -> Result<MemberChanged, Error> {
        let project = project.clone();
        let change = move |tx: &mut Tx<'_>| {
            let Some(role) = role_of(tx, &project, account)? else { return Ok(MemberChanged::NotThere) };
            let demoted = role == Role::Administrator && granted.role != Role::Administrator;
            if demoted && is_last(tx, &project, account)? {
                return Ok(MemberChanged::LastAdministrator);
            }
            tx.execute(
                "UPDATE membership SET role = $3, topics = $4 WHERE project_id = $1 AND account_id = $2",
                params![project.as_str(), account.to_string(), granted.role.name(), granted.topics.text()],
            )?;
            Ok(MemberChanged::Done)
        };
        self.db.write(change).await
    }

    /// Takes an account out of a project, with its keys and tokens there; one that belongs nowhere any more is gone.
    ///
    /// # Errors
    /// When nothing can be written, or the deleted bytes could not be taken out of the files.
    pub async fn member_remove(
        &self,
        project: &ProjectId,
        account: AccountId,
    ) -> Result<MemberChanged, Error> {
        let project = project.clone();
        let work = move |tx: &mut Tx<'_>| {
            let Some(role) = role_of(tx, &project, account)? else { return Ok(MemberChanged::NotThere) };
            if role == Role::Administrator && is_last(tx, &project, account)? {
                return Ok(MemberChanged::LastAdministrator);
            }
            remove(tx, &project, account)?;
            Ok(MemberChanged::Done)
        };
        self.db.write(work).await
    }

    /// Gives an account another password, and ends what was signed in with the old one, but for one token. Tells
    /// whether the account is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn account_password(
        &self,
        account: AccountId,
        hash: String,
        keep: Option<TokenId>,
    ) -> Result<bool, Error> {
        let change = move |tx: &mut Tx<'_>| {
            let (id, keep) = (account.to_string(), keep.map(|id| id.to_string()).unwrap_or_default());
            let sql = "DELETE FROM token WHERE account_id = $1 AND signed_in = 1 AND id <> $2";
            tx.execute(sql, params![id.as_str(), keep])?;
            tx.execute("UPDATE account SET password_hash = $2 WHERE id = $1", params![id.as_str(), hash])
        };
        Ok(self.db.write(change).await? > 0)
    }
}
