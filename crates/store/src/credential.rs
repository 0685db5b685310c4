//! Access keys and tokens: given, listed, taken.

use carillon_model::clock::Timestamp;
use carillon_model::id::{AccountId, ProjectId, TokenId};
use carillon_model::role::Granted;
use carillon_model::{SecretText, limits};

use crate::account::key_place;
use crate::db::{Row, Tx, Value, params};
use crate::error::Error;
use crate::member::read_maybe_granted;
use crate::setup::Store;

/// Whose a key or token is to be, and what it may do.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// The project.
    pub project: ProjectId,
    /// The account.
    pub account: AccountId,
    /// What tells it from others.
    pub note: String,
    /// A narrower role than the account's, if it has one.
    pub granted: Option<Granted>,
}

/// What came of giving a key or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialMade {
    /// It is good.
    New,
    /// The account does not belong to the project.
    NoAccount,
    /// The account has as many there as it may.
    Full,
}

/// A key or token as lists show it, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCredential {
    /// The access key, or the token's id.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// That account's name.
    pub account_name: String,
    /// What tells it from others.
    pub note: String,
    /// A narrower role than the account's, if it has one.
    pub granted: Option<Granted>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does; a key does not.
    pub expires_at: Option<Timestamp>,
    /// Whether a password made it.
    pub signed_in: bool,
}

fn read_listed(mut row: Row) -> Result<ListedCredential, Error> {
    Ok(ListedCredential {
        id: row.text()?,
        account: row.parsed(|text| AccountId::parse(text).ok())?,
        account_name: row.text()?,
        note: row.text()?,
        granted: read_maybe_granted(&mut row)?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        signed_in: row.int()? != 0,
    })
}

/// The columns `role, topics` of a credential.
pub(crate) fn granted_values(granted: Option<&Granted>) -> [Value; 2] {
    let role = granted.map(|granted| granted.role.name());
    let topics = granted.map(|granted| granted.topics.text()).unwrap_or_default();
    [role.into(), topics.into()]
}

/// Whether the account belongs to the project and may have one more; `count` counts those that it has.
fn room(
    tx: &mut Tx<'_>,
    new: &NewCredential,
    count: &'static str,
    most: u64,
) -> Result<CredentialMade, Error> {
    let of = params![new.project.as_str(), new.account.to_string()];
    let sql = "SELECT 1 FROM membership WHERE project_id = $1 AND account_id = $2";
    if tx.query_one("membership", sql, of)?.is_none() {
        return Ok(CredentialMade::NoAccount);
    }
    let count = tx.query_one("access", count, of)?.map(|mut row| row.int()).transpose()?.unwrap_or(0);
    let full = u64::try_from(count).unwrap_or(0) >= most;
    Ok(if full { CredentialMade::Full } else { CredentialMade::New })
}

const COUNT_KEYS: &str = "SELECT count(*) FROM access_key WHERE project_id = $1 AND account_id = $2";
const COUNT_TOKENS: &str =
    "SELECT count(*) FROM token WHERE project_id = $1 AND account_id = $2 AND signed_in = 0";
const COUNT_SIGNED_IN: &str =
    "SELECT count(*) FROM token WHERE project_id = $1 AND account_id = $2 AND signed_in = 1";

/// Whoever signs in again and again ends the oldest of what it signed in before.
const DELETE_OLDEST: &str = "DELETE FROM token WHERE id IN (SELECT id FROM token
     WHERE project_id = $1 AND account_id = $2 AND signed_in = 1 ORDER BY created_at, id LIMIT 1)";

impl Store {
    /// Gives an account a key pair.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn access_key_add(
        &self,
        new: NewCredential,
        id: &str,
        secret: &SecretText,
    ) -> Result<CredentialMade, Error> {
        let (id, secret, now) = (id.to_owned(), secret.clone(), self.clock.now());
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let add = move |tx: &mut Tx<'_>| {
            let room = room(tx, &new, COUNT_KEYS, limits::KEYS_MAX)?;
            if room == CredentialMade::New {
                let [role, topics] = granted_values(new.granted.as_ref());
                crate::key_check::follow(tx, &vault)?;
                let sealed = vault.seal(key_place(&id), secret.reveal().as_bytes(), chance.as_ref())?;
                tx.execute(
                    "INSERT INTO access_key (id, project_id, account_id, sealed_secret, created_at, note, role, topics)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    &[
                        id.into(),
                        new.project.as_str().into(),
                        new.account.to_string().into(),
                        sealed.into(),
                        now.into(),
                        new.note.into(),
                        role,
                        topics,
                    ],
                )?;
            }
            Ok(room)
        };
        self.db.write(add).await
    }

    /// A project's access keys by id, behind `after`; those of one account when it is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn access_key_list(
        &self,
        project: &ProjectId,
        account: Option<AccountId>,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<ListedCredential>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT k.id, a.id, a.name, k.note, k.role, k.topics, k.created_at, NULL, 0 FROM access_key k
                 JOIN account a ON a.id = k.account_id WHERE k.project_id = $1 AND ($2 IS NULL OR k.account_id = $2)
                 AND k.id > $3 ORDER BY k.id LIMIT $4";
            let account = account.map(|id| id.to_string());
            tx.query("access_key", sql, params![project.as_str(), account, after.unwrap_or_default(), limit])
        };
        self.db.read(list).await?.into_iter().map(read_listed).collect()
    }

    /// Takes an access key away, one account's only when it is given, and tells whether it was there.
    ///
    /// # Errors
    /// When nothing can be written, or the deleted bytes could not be taken out of the files.
    pub async fn access_key_remove(
        &self,
        project: &ProjectId,
        account: Option<AccountId>,
        id: &str,
    ) -> Result<bool, Error> {
        let (project, id) = (project.clone(), id.to_owned());
        let remove = move |tx: &mut Tx<'_>| {
            tx.erased_from("access_key")?;
            let sql = "DELETE FROM access_key WHERE project_id = $1 AND id = $2 AND ($3 IS NULL OR account_id = $3)";
            tx.execute(sql, params![project.as_str(), id, account.map(|id| id.to_string())])
        };
        Ok(self.db.write(remove).await? > 0)
    }

    /// Keeps a token's hash until `expires_at`, for ever when there is none, and forgets those that have ended.
    /// `signed_in` says that a password made it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn token_add(
        &self,
        new: NewCredential,
        id: TokenId,
        token: &SecretText,
        expires_at: Option<Timestamp>,
        signed_in: bool,
    ) -> Result<CredentialMade, Error> {
        let hash = self.vault.hash("token", token.reveal().as_bytes());
        let now = self.clock.now();
        let add = move |tx: &mut Tx<'_>| {
            tx.execute("DELETE FROM token WHERE expires_at <= $1", params![now])?;
            let count = if signed_in { COUNT_SIGNED_IN } else { COUNT_TOKENS };
            let mut room = room(tx, &new, count, limits::TOKENS_MAX)?;
            if signed_in && room == CredentialMade::Full {
                tx.execute(DELETE_OLDEST, params![new.project.as_str(), new.account.to_string()])?;
                room = CredentialMade::New;
            }
            if room == CredentialMade::New {
                let [role, topics] = granted_values(new.granted.as_ref());
                tx.execute(
                    "INSERT INTO token
                     (hash, project_id, account_id, created_at, expires_at, id, note, role, topics, signed_in)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    &[
                        hash.into(),
                        new.project.as_str().into(),
                        new.account.to_string().into(),
                        now.into(),
                        expires_at.into(),
                        id.to_string().into(),
                        new.note.into(),
                        role,
                        topics,
                        i64::from(signed_in).into(),
                    ],
                )?;
            }
            Ok(room)
        };
        self.db.write(add).await
    }

    /// A project's tokens that have not ended, by id, behind `after`; those of one account when it is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn token_list(
        &self,
        project: &ProjectId,
        account: Option<AccountId>,
        after: Option<TokenId>,
        limit: u64,
    ) -> Result<Vec<ListedCredential>, Error> {
        let (project, now) = (project.clone(), self.clock.now());
        let list = move |tx: &mut Tx<'_>| {
            let sql =
                "SELECT t.id, a.id, a.name, t.note, t.role, t.topics, t.created_at, t.expires_at, t.signed_in
                 FROM token t JOIN account a ON a.id = t.account_id
                 WHERE t.project_id = $1 AND ($2 IS NULL OR t.account_id = $2) AND t.id > $3
                 AND (t.expires_at IS NULL OR t.expires_at > $4) ORDER BY t.id LIMIT $5";
            let account = account.map(|id| id.to_string());
            let after = after.map(|id| id.to_string()).unwrap_or_default();
            tx.query("token", sql, params![project.as_str(), account, after, now, limit])
        };
        self.db.read(list).await?.into_iter().map(read_listed).collect()
    }

    /// Ends a token, one account's only when it is given, and tells whether it was there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn token_remove(
        &self,
        project: &ProjectId,
        account: Option<AccountId>,
        id: TokenId,
    ) -> Result<bool, Error> {
        let project = project.clone();
        let remove = move |tx: &mut Tx<'_>| {
            let sql =
                "DELETE FROM token WHERE project_id = $1 AND id = $2 AND ($3 IS NULL OR account_id = $3)";
            let account = account.map(|id| id.to_string());
            tx.execute(sql, params![project.as_str(), id.to_string(), account])
        };
        Ok(self.db.write(remove).await? > 0)
    }
}
