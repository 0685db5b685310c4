//! Tells at every start whether the key file is this database's own, before anything is sealed under another.

use carillon_model::Chance;

use crate::account;
use crate::db::{Tx, params};
use crate::error::Error;
use crate::vault::{Place, Vault};

const WORD: &[u8] = b"carillon";
const PLACE: Place<'_> = Place { table: "key_check", row: "1", column: "sealed" };

/// Whether something was sealed in this database before.
pub(crate) fn is_kept(tx: &mut Tx<'_>) -> Result<bool, Error> {
    Ok(tx.query_one("key_check", "SELECT id FROM key_check", &[])?.is_some())
}

/// Whether `vault` holds the keys that this database was sealed with. The first start writes down by what later ones
/// can tell.
pub(crate) fn fits(tx: &mut Tx<'_>, vault: &Vault, chance: &dyn Chance) -> Result<bool, Error> {
    let hash = vault.hash("key check", WORD);
    let kept = tx.query_one("key_check", "SELECT sealed, hash FROM key_check WHERE id = 1", &[])?;
    if let Some(mut row) = kept {
        let (sealed, kept_hash) = (row.bytes()?, row.bytes()?);
        let opens = vault.open_sealed(PLACE, &sealed).is_ok_and(|plain| plain.as_slice() == WORD);
        return Ok(opens && kept_hash == hash);
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
