//! Projects, accounts, the keys that sign requests, and tokens.

use carillon_model::id::{AccountId, ProjectId};
use carillon_model::{SecretText, Timestamp};

use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::vault::{Place, Vault};

/// Everything a first start makes.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The first project.
    pub project: ProjectId,
    /// Its name, which for SMN clients is the region's.
    pub project_name: String,
    /// The first administrator's name.
    pub account_name: String,
    /// The Argon2 hash of the password.
    pub password_hash: String,
    /// The first access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: SecretText,
    /// A token without end, if one was asked for.
    pub token: Option<SecretText>,
}

/// Who holds a key or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The project it is for.
    pub project: ProjectId,
    /// That project's name.
    pub project_name: String,
    /// The account behind it.
    pub account: AccountId,
    /// That account's name.
    pub account_name: String,
}

/// An access key with its secret.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// Who holds it.
    pub holder: Holder,
    /// What its requests are signed with.
    pub secret: SecretText,
}

/// An account as it signs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The Argon2 hash of its password.
    pub password_hash: String,
}

fn key_place(id: &str) -> Place<'_> {
    Place { table: "access_key", row: id, column: "sealed_secret" }
}

/// Whether `vault` opens the secrets of all access keys.
pub(crate) fn secrets_open(tx: &mut Tx<'_>, vault: &Vault) -> Result<bool, Error> {
    for mut row in tx.query("access_key", "SELECT id, sealed_secret FROM access_key", &[])? {
        let (id, sealed) = (row.text()?, row.bytes()?);
        if vault.open_sealed(key_place(&id), &sealed).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(crate) fn read_holder(row: &mut crate::db::Row) -> Result<Holder, Error> {
    Ok(Holder {
        project: row.parsed(|text| ProjectId::parse(text).ok())?,
        project_name: row.text()?,
        account: row.parsed(|text| AccountId::parse(text).ok())?,
        account_name: row.text()?,
    })
}

impl Store {
    /// Makes the first project, account and keys when there is no project yet, and tells whether it did.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn install(&self, new: Installation) -> Result<bool, Error> {
        let now = self.clock.now();
        let account = AccountId::new(now, self.chance.as_ref());
        let sealed = self.vault.seal(
            key_place(&new.access_key),
            new.secret_key.reveal().as_bytes(),
            self.chance.as_ref(),
        )?;
        let token_hash = new.token.as_ref().map(|token| self.vault.hash("token", token.reveal().as_bytes()));
        let install = move |tx: &mut Tx<'_>| {
            if tx.query_one("project", "SELECT id FROM project LIMIT 1", &[])?.is_some() {
                return Ok(false);
            }
            tx.execute(
                "INSERT INTO project (id, name, created_at) VALUES ($1, $2, $3)",
                params![new.project.as_str(), new.project_name.as_str(), now],
            )?;
            tx.execute(
                "INSERT INTO account (id, name, password_hash, created_at) VALUES ($1, $2, $3, $4)",
                params![account.to_string(), new.account_name.as_str(), new.password_hash.as_str(), now],
            )?;
            tx.execute(
                "INSERT INTO access_key (id, project_id, account_id, sealed_secret, created_at)
                 VALUES ($1, $2, $3, $4, $5)",
                params![new.access_key.as_str(), new.project.as_str(), account.to_string(), sealed, now],
            )?;
            if let Some(hash) = token_hash {
                tx.execute(
                    "INSERT INTO token (hash, project_id, account_id, created_at) VALUES ($1, $2, $3, $4)",
                    params![hash, new.project.as_str(), account.to_string(), now],
                )?;
            }
            Ok(true)
        };
        self.db.write(install).await
    }

    /// Whether a first start has already happened.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_installed(&self) -> Result<bool, Error> {
        let find = |tx: &mut Tx<'_>| tx.query_one("project", "SELECT id FROM project LIMIT 1", &[]);
        Ok(self.db.read(find).await?.is_some())
    }

    /// Finds an access key.
    ///
    /// # Errors
    /// When the store cannot be read or the secret not be opened.
    pub async fn access_key_find(&self, id: &str) -> Result<Option<AccessKey>, Error> {
        let key_id = id.to_owned();
        let find = move |tx: &mut Tx<'_>| {
            tx.query_one(
                "access_key",
                "SELECT p.id, p.name, a.id, a.name, k.sealed_secret FROM access_key k
                 JOIN project p ON p.id = k.project_id JOIN account a ON a.id = k.account_id WHERE k.id = $1",
                params![key_id],
            )
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let holder = read_holder(&mut row)?;
        let plain = self.vault.open_sealed(key_place(id), &row.bytes()?)?;
        let secret =
            String::from_utf8(plain.to_vec()).map_err(|_utf8| row.corrupt("the secret is no text"))?;
        Ok(Some(AccessKey { holder, secret: secret.into() }))
    }

    /// Finds who holds a token that is still good.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn token_find(&self, token: &SecretText) -> Result<Option<Holder>, Error> {
        let hash = self.vault.hash("token", token.reveal().as_bytes());
        let (now, version) = (self.clock.now(), self.db.version());
        if let Some((holder, ends)) = self.holders.get(version, &hash) {
            return Ok(ends.is_none_or(|ends| now < ends).then_some(holder));
        }
        let question = hash;
        let find = move |tx: &mut Tx<'_>| {
            tx.query_one(
                "token",
                "SELECT p.id, p.name, a.id, a.name, t.expires_at FROM token t
                 JOIN project p ON p.id = t.project_id JOIN account a ON a.id = t.account_id
                 WHERE t.hash = $1 AND (t.expires_at IS NULL OR t.expires_at > $2)",
                params![hash, now],
            )
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let holder = read_holder(&mut row)?;
        self.holders.put(version, question, (holder.clone(), row.maybe_time()?));
        Ok(Some(holder))
    }

    /// Keeps a token's hash until `expires_at`, and forgets those that have ended.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn token_add(
        &self,
        token: &SecretText,
        project: ProjectId,
        account: AccountId,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let hash = self.vault.hash("token", token.reveal().as_bytes());
        let now = self.clock.now();
        let add = move |tx: &mut Tx<'_>| {
            tx.execute("DELETE FROM token WHERE expires_at <= $1", params![now])?;
            tx.execute(
                "INSERT INTO token (hash, project_id, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
                params![hash, project.as_str(), account.to_string(), now, expires_at],
            )
        };
        self.db.write(add).await.map(drop)
    }

    /// Finds an account by its name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn account_find(&self, name: &str) -> Result<Option<Account>, Error> {
        let name = name.to_owned();
        let find = move |tx: &mut Tx<'_>| {
            tx.query_one("account", "SELECT id, password_hash FROM account WHERE name = $1", params![name])
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let id = row.parsed(|text| AccountId::parse(text).ok())?;
        Ok(Some(Account { id, password_hash: row.text()? }))
    }

    /// Every project with its name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn project_list(&self) -> Result<Vec<(ProjectId, String)>, Error> {
        let list = |tx: &mut Tx<'_>| {
            tx.query("project", "SELECT id, name FROM project ORDER BY created_at, id LIMIT 1000", &[])
        };
        let mut projects = Vec::new();
        for mut row in self.db.read(list).await? {
            projects.push((row.parsed(|text| ProjectId::parse(text).ok())?, row.text()?));
        }
        Ok(projects)
    }
}
