//! Tells at every start whether the key file is this database's own, before anything is sealed under another.

use carillon_model::Chance;

use crate::account;
use crate::db::{Tx, params};
use crate::error::Error;
use crate::key_file::KeyId;
use crate::vault::{Place, Vault, key_of};

const WORD: &[u8] = b"carillon";
const PLACE: Place<'_> = Place { table: "key_check", row: "1", column: "sealed" };

/// Whether something was sealed in this database before.
pub(crate) fn is_kept(tx: &mut Tx<'_>) -> Result<bool, Error> {
    Ok(tx.query_one("key_check", "SELECT id FROM key_check", &[])?.is_some())
}

/// How a key file stands to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// It opens the database.
    Fits,
    /// It is another installation's.
    Foreign,
    /// There is none, and something is sealed.
    Missing,
    /// Nothing is sealed yet.
    Nothing,
}

/// How `vault`, if there is one, stands to this database. Changes nothing.
pub(crate) fn stands(tx: &mut Tx<'_>, vault: Option<&Vault>) -> Result<KeyStanding, Error> {
    let kept = tx.query_one("key_check", "SELECT sealed, hash FROM key_check WHERE id = 1", &[])?;
    let Some(mut row) = kept else { return Ok(KeyStanding::Nothing) };
    let Some(vault) = vault else { return Ok(KeyStanding::Missing) };
    let (sealed, hash) = (row.bytes()?, row.bytes()?);
    let opens = vault.open_sealed(PLACE, &sealed).is_ok_and(|plain| plain.as_slice() == WORD);
    let fits = opens && hash == vault.hash("key check", WORD);
    Ok(if fits { KeyStanding::Fits } else { KeyStanding::Foreign })
}

/// The key that sealed the known word, which is the one that seals whatever is sealed.
pub(crate) fn sealed_by(tx: &mut Tx<'_>) -> Result<Option<KeyId>, Error> {
    let row = tx.query_one("key_check", "SELECT sealed FROM key_check WHERE id = 1", &[])?;
    Ok(row.map(|mut row| row.bytes()).transpose()?.and_then(|sealed| key_of(&sealed)))
}

/// Seals the known word by another key, which is the one that seals from now on.
pub(crate) fn seal_by(tx: &mut Tx<'_>, vault: &Vault, id: KeyId, chance: &dyn Chance) -> Result<(), Error> {
    if !vault.activate(id)? {
        return Err(Error::Sealed("its key is not in the key file"));
    }
    let sealed = vault.seal(PLACE, WORD, chance)?;
    tx.execute("UPDATE key_check SET sealed = $1 WHERE id = 1", params![sealed])?;
    Ok(())
}

/// Seals with the key that the database names, whichever server began to: asked before anything is sealed where others
/// may rotate, in the transaction that keeps it, so that nothing is sealed by a key that was given up.
pub(crate) fn follow(tx: &mut Tx<'_>, vault: &Vault) -> Result<(), Error> {
    if !tx.is_shared() {
        return Ok(());
    }
    match sealed_by(tx)? {
        Some(id) if vault.active() != Some(id) && !vault.activate(id)? => {
            Err(Error::Sealed("its key is not in the key file"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Changes nothing, as a change does.
pub(crate) fn touch(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute("UPDATE key_check SET id = 1 WHERE id = 1", &[]).map(drop)
}

/// Whether `vault` holds the keys that this database was sealed with. The first start writes down by what later ones
/// can tell.
pub(crate) fn fits(tx: &mut Tx<'_>, vault: &Vault, chance: &dyn Chance) -> Result<bool, Error> {
    let hash = vault.hash("key check", WORD);
    let kept = tx.query_one("key_check", "SELECT sealed, hash FROM key_check WHERE id = 1", &[])?;
    if let Some(mut row) = kept {
        let (sealed, kept_hash) = (row.bytes()?, row.bytes()?);
        let opens = vault.open_sealed(PLACE, &sealed).is_ok_and(|plain| plain.as_slice() == WORD);
        let seals = key_of(&sealed).map_or(Ok(false), |id| vault.activate(id))?;
        return Ok(opens && seals && kept_hash == hash);
    }
    // A database from before there was such a row: what it has sealed must open.
    if !account::secrets_open(tx, vault)? {
        return Ok(false);
    }
    let sealed = vault.seal(PLACE, WORD, chance)?;
    let sql = "INSERT INTO key_check (id, sealed, hash) VALUES (1, $1, $2)";
    tx.execute(sql, params![sealed, hash])?;
    Ok(true)
}
