//! Who is let in: the first start's account, and from a name, a key or a token to who holds it.

use carillon_model::SecretText;
use carillon_model::id::{AccountId, ProjectId, TokenId};
use carillon_model::role::{Granted, Standing};

use crate::db::{Tx, params};
use crate::error::Error;
use crate::member::{self, read_granted, read_maybe_granted};
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
    /// Whether it may make projects: the account is the operator's, and the credential has no narrower role.
    pub operator: bool,
    /// What it may do in the project.
    pub standing: Standing,
    /// What let it in.
    pub credential: Credential,
}

/// What lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access key.
    Key(String),
    /// A token, by its id.
    Token(TokenId),
    /// A session of the console.
    Session,
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

pub(crate) fn key_place(id: &str) -> Place<'_> {
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

/// Reads a holder, all but the credential, which `credential` reads from what follows.
pub(crate) fn read_holder(
    row: &mut crate::db::Row,
    credential: impl FnOnce(&mut crate::db::Row) -> Result<Credential, Error>,
) -> Result<Holder, Error> {
    let project = row.parsed(|text| ProjectId::parse(text).ok())?;
    let project_name = row.text()?;
    let account = row.parsed(|text| AccountId::parse(text).ok())?;
    let account_name = row.text()?;
    let operator = row.int()? != 0;
    let standing = Standing { account: read_granted(row)?, credential: read_maybe_granted(row)? };
    let operator = operator && standing.credential.is_none();
    let credential = credential(row)?;
    Ok(Holder { project, project_name, account, account_name, operator, standing, credential })
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
        let token_id = TokenId::new(now, self.chance.as_ref());
        let install = move |tx: &mut Tx<'_>| {
            if tx.query_one("project", "SELECT id FROM project LIMIT 1", &[])?.is_some() {
                return Ok(false);
            }
            tx.execute(
                "INSERT INTO project (id, name, created_at) VALUES ($1, $2, $3)",
                params![new.project.as_str(), new.project_name.as_str(), now],
            )?;
            tx.execute(
                "INSERT INTO account (id, name, password_hash, operator, created_at) VALUES ($1, $2, $3, 1, $4)",
                params![account.to_string(), new.account_name.as_str(), new.password_hash.as_str(), now],
            )?;
            member::insert(tx, &new.project, account, &Granted::administrator(), now)?;
            tx.execute(
                "INSERT INTO access_key (id, project_id, account_id, sealed_secret, created_at)
                 VALUES ($1, $2, $3, $4, $5)",
                params![new.access_key.as_str(), new.project.as_str(), account.to_string(), sealed, now],
            )?;
            if let Some(hash) = token_hash {
                tx.execute(
                    "INSERT INTO token (hash, project_id, account_id, created_at, id) VALUES ($1, $2, $3, $4, $5)",
                    params![hash, new.project.as_str(), account.to_string(), now, token_id.to_string()],
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
        let sql = "SELECT p.id, p.name, a.id, a.name, a.operator, m.role, m.topics, k.role, k.topics, k.sealed_secret
             FROM access_key k JOIN project p ON p.id = k.project_id JOIN account a ON a.id = k.account_id
             JOIN membership m ON m.project_id = k.project_id AND m.account_id = k.account_id
             WHERE k.id = $1";
        let rows = self.db.ask("access_key", sql, params![id], &[]).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        let holder = read_holder(&mut row, |_row| Ok(Credential::Key(id.to_owned())))?;
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
        let sql = "SELECT p.id, p.name, a.id, a.name, a.operator, m.role, m.topics, t.role, t.topics, t.id, t.expires_at
             FROM token t JOIN project p ON p.id = t.project_id JOIN account a ON a.id = t.account_id
             JOIN membership m ON m.project_id = t.project_id AND m.account_id = t.account_id
             WHERE t.hash = $1 AND (t.expires_at IS NULL OR t.expires_at > $2)";
        let rows = self.db.ask("token", sql, params![hash, now], &[]).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        let credential =
            |row: &mut crate::db::Row| row.parsed(|text| TokenId::parse(text).ok()).map(Credential::Token);
        let holder = read_holder(&mut row, credential)?;
        self.holders.put(version, hash, (holder.clone(), row.maybe_time()?));
        Ok(Some(holder))
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
        let Some(mut row) = self.db.read_alone(find).await? else { return Ok(None) };
        let id = row.parsed(|text| AccountId::parse(text).ok())?;
        Ok(Some(Account { id, password_hash: row.text()? }))
    }
}
