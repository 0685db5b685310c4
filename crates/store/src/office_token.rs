//! Access tokens of office apps, sealed: the servers of one database fetch each of them once.

use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::{Chance, SecretText};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::vault::{Place, Vault, key_of};

/// How long a server may take to fetch before another one tries.
const ASKING: Duration = Duration::from_secs(15);
/// How long a token that nobody renews is kept.
const UNUSED: Duration = Duration::from_secs(24 * 60 * 60);

/// What there is of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shelved {
    /// It is here, and is to be renewed then.
    Token(SecretText, Timestamp),
    /// It is not, and whoever asked is the one to fetch it.
    Fetch,
    /// Another server is fetching it.
    Wait,
}

impl Store {
    fn token_row(&self, key: [u8; 32]) -> [u8; 32] {
        self.vault.hash("office token", &key)
    }

    /// The token of an app, or who is to fetch it. The key is a digest of the app's credentials.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn office_token_take(&self, key: [u8; 32]) -> Result<Shelved, Error> {
        let (row, now) = (self.token_row(key), self.clock.now());
        let sql = "SELECT sealed, renew_at FROM office_token WHERE key = $1 AND renew_at > $2";
        let find = move |tx: &mut Tx<'_>| tx.query_one("office_token", sql, params![row, now]);
        if let Some(mut found) = self.db.read(find).await?
            && let (Some(sealed), renew_at) = (found.maybe_bytes()?, found.time()?)
        {
            let name = HEXLOWER.encode(&row);
            // One whose key is gone is fetched anew.
            if let Ok(plain) = self.vault.open_sealed(place(&name), &sealed)
                && let Ok(text) = std::str::from_utf8(&plain)
            {
                return Ok(Shelved::Token(text.into(), renew_at));
            }
            self.office_token_drop(key, renew_at).await?;
        }
        let claim = move |tx: &mut Tx<'_>| {
            let sql = "INSERT INTO office_token (key, renew_at, asked_until) VALUES ($1, 0, $2)
                 ON CONFLICT (key) DO UPDATE SET asked_until = excluded.asked_until
                 WHERE office_token.asked_until <= $3 AND office_token.renew_at <= $3";
            tx.execute(sql, params![row, now.plus(ASKING), now])
        };
        let claimed = self.db.write_beside(claim, |_changed| ()).await? > 0;
        Ok(if claimed { Shelved::Fetch } else { Shelved::Wait })
    }

    /// Keeps a token that was fetched, for all servers.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn office_token_put(
        &self,
        key: [u8; 32],
        text: &SecretText,
        renew_at: Timestamp,
    ) -> Result<(), Error> {
        let (row, now) = (self.token_row(key), self.clock.now());
        let plain = Zeroizing::new(text.reveal().as_bytes().to_vec());
        let sealed = self.vault.seal(place(&HEXLOWER.encode(&row)), &plain, self.chance.as_ref())?;
        let unused = i64::try_from(UNUSED.as_millis()).unwrap_or(i64::MAX);
        let put = move |tx: &mut Tx<'_>| {
            let sql = "INSERT INTO office_token (key, sealed, renew_at, asked_until) VALUES ($1, $2, $3, 0)
                 ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed, renew_at = excluded.renew_at, asked_until = 0";
            tx.execute(sql, params![row, sealed, renew_at])?;
            let sql = "DELETE FROM office_token WHERE renew_at < $1 AND asked_until < $1";
            tx.execute(sql, params![now.0.saturating_sub(unused)])
        };
        self.db.write_beside(put, |_changed| ()).await.map(drop)
    }

    /// Says that a token could not be fetched: whoever asks next tries again.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn office_token_leave(&self, key: [u8; 32]) -> Result<(), Error> {
        let row = self.token_row(key);
        let leave = move |tx: &mut Tx<'_>| {
            tx.execute("UPDATE office_token SET asked_until = 0 WHERE key = $1", params![row])
        };
        self.db.write_beside(leave, |_changed| ()).await.map(drop)
    }

    /// Forgets a token that the platform called dead, unless another has taken its place, which is renewed at another
    /// time.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn office_token_drop(&self, key: [u8; 32], renew_at: Timestamp) -> Result<(), Error> {
        let row = self.token_row(key);
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE office_token SET sealed = NULL, renew_at = 0 WHERE key = $1 AND renew_at = $2";
            tx.execute(sql, params![row, renew_at])
        };
        self.db.write_beside(forget, |_changed| ()).await.map(drop)
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "office_token", row, column: "sealed" }
}

/// Seals every token anew that another key than the one in use has sealed: there is one for each app, so that all are
/// done at once. One that does not open is forgotten, and fetched again.
pub(crate) fn reseal(tx: &mut Tx<'_>, vault: &Vault, chance: &dyn Chance) -> Result<(), Error> {
    let sql = "SELECT key, sealed FROM office_token WHERE sealed IS NOT NULL";
    for mut row in tx.query("office_token", sql, &[])? {
        let (key, sealed) = (row.bytes()?, row.bytes()?);
        if key_of(&sealed) == vault.active() {
            continue;
        }
        let name = HEXLOWER.encode(&key);
        match vault.open_sealed(place(&name), &sealed) {
            Ok(plain) => {
                let anew = vault.seal(place(&name), &plain, chance)?;
                tx.execute("UPDATE office_token SET sealed = $2 WHERE key = $1", params![key, anew])?;
            }
            Err(_lost) => {
                let sql = "UPDATE office_token SET sealed = NULL, renew_at = 0 WHERE key = $1";
                tx.execute(sql, params![key])?;
            }
        }
    }
    Ok(())
}
