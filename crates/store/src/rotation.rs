//! Another master key, while everything goes on: the new key seals from one moment on, then everything that an older one
//! sealed is sealed anew, in portions. Whoever was cut short begins again and passes over what is done.
//!
//! Which key seals is written in the database: it is the one that sealed the known word of `key_check`. Values keep their
//! length, so that a new one takes the place of the old one in its page.

use std::collections::BTreeMap;

use crate::db::{Tx, Value, params};
use crate::error::Error;
use crate::key_file::KeyId;
use crate::setup::Store;
use crate::vault::{Place, Vault, id_text, key_of};
use crate::{account, connection, key_check, office_token, signing, subscription, subscription_user};

/// How many values are sealed anew in one transaction.
const PORTION: u64 = 128;

/// A table with sealed values.
struct Kind {
    /// Its name.
    table: &'static str,
    /// Reads a portion behind a row: its key, the place in `sealed` (0 when the value stands in the row), the value.
    read: &'static str,
    /// Writes a value, by the row's key or by its place in `sealed`.
    write: &'static str,
    /// How many values each key has sealed, by the bytes that name it.
    count: &'static str,
    place: for<'a> fn(&'a str) -> Place<'a>,
}

/// Reads, writes and counts the values of a table that stand in `sealed`.
macro_rules! kept_apart {
    ($table:literal, $place:path) => {
        Kind {
            table: $table,
            read: concat!(
                "SELECT t.id, t.sealed_seq, x.bytes FROM ",
                $table,
                " t JOIN sealed x ON x.seq = t.sealed_seq WHERE t.id > $1 ORDER BY t.id LIMIT $2"
            ),
            write: "UPDATE sealed SET bytes = $2 WHERE seq = $1",
            count: concat!(
                "SELECT substr(x.bytes, 2, 4), count(*) FROM ",
                $table,
                " t JOIN sealed x ON x.seq = t.sealed_seq GROUP BY substr(x.bytes, 2, 4)"
            ),
            place: $place,
        }
    };
}

/// The same of a table that holds them itself.
macro_rules! kept_within {
    ($table:literal, $column:literal, $place:path) => {
        Kind {
            table: $table,
            read: concat!("SELECT id, 0, ", $column, " FROM ", $table, " WHERE id > $1 ORDER BY id LIMIT $2"),
            write: concat!("UPDATE ", $table, " SET ", $column, " = $2 WHERE id = $1"),
            count: concat!(
                "SELECT substr(",
                $column,
                ", 2, 4), count(*) FROM ",
                $table,
                " GROUP BY substr(",
                $column,
                ", 2, 4)"
            ),
            place: $place,
        }
    };
}

/// Every table with sealed values, but for the known word, which goes first, and the tokens of office apps, which go
/// last.
const KINDS: &[Kind] = &[
    kept_apart!("subscription", subscription::place),
    kept_apart!("subscription_user", subscription_user::place),
    kept_apart!("connection", connection::place),
    kept_within!("access_key", "sealed_secret", account::key_place),
    kept_within!("signing_key", "sealed_key", signing::place),
];

/// A master key and how much it has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Its id.
    pub id: String,
    /// Whether it seals.
    pub active: bool,
    /// How many values it has sealed.
    pub sealed: u64,
}

/// What came of beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationBegun {
    /// A new key seals.
    New,
    /// One that was begun before goes on: something is sealed by an older key still.
    Continues,
    /// Several servers share the database, and the key file has no new key: each of them needs it first.
    NoNewKey,
}

/// What a portion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// How many values were sealed anew.
    pub done: u64,
    /// Where the next portion begins; none when all were looked at.
    pub next: Option<String>,
}

/// What came of taking old keys out of the key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retired {
    /// These went.
    Done(Vec<String>),
    /// So many values are sealed by them still.
    InUse(u64),
}

/// A place in the walk: which kind, and the row behind which to go on.
fn cursor(text: Option<&str>) -> Option<(usize, String)> {
    let Some(text) = text else { return Some((0, String::new())) };
    let (kind, row) = text.split_once(':')?;
    let kind = kind.parse().ok().filter(|kind| *kind < KINDS.len())?;
    Some((kind, row.to_owned()))
}

fn reseal(
    tx: &mut Tx<'_>,
    vault: &Vault,
    chance: &dyn carillon_model::Chance,
    (at, after): (usize, String),
) -> Result<Resealed, Error> {
    let Some(kind) = KINDS.get(at) else { return Ok(Resealed { done: 0, next: None }) };
    key_check::follow(tx, vault)?;
    let rows = tx.query(kind.table, kind.read, params![after, PORTION])?;
    let (count, mut done, mut last) = (rows.len() as u64, 0, String::new());
    for mut row in rows {
        let (id, seq, sealed) = (row.text()?, row.int()?, row.bytes()?);
        last.clone_from(&id);
        if key_of(&sealed) == vault.active() {
            continue;
        }
        let plain = vault.open_sealed((kind.place)(&id), &sealed)?;
        let anew = vault.seal((kind.place)(&id), &plain, chance)?;
        let key = if seq == 0 { Value::from(id) } else { Value::from(seq) };
        tx.execute(kind.write, &[key, Value::from(anew)])?;
        done += 1;
    }
    let next = if count == PORTION {
        Some(format!("{at}:{last}"))
    } else {
        (at + 1 < KINDS.len()).then(|| format!("{}:", at + 1))
    };
    Ok(Resealed { done, next })
}

fn uses(tx: &mut Tx<'_>) -> Result<BTreeMap<KeyId, u64>, Error> {
    let mut uses = BTreeMap::new();
    let mut add = |id: &[u8], count: i64| {
        if let Ok(id) = KeyId::try_from(id) {
            *uses.entry(id).or_insert(0) += u64::try_from(count).unwrap_or(0);
        }
    };
    for kind in KINDS {
        for mut row in tx.query(kind.table, kind.count, &[])? {
            let (id, count) = (row.bytes()?, row.int()?);
            add(&id, count);
        }
    }
    let sql = "SELECT substr(sealed, 2, 4), count(*) FROM office_token WHERE sealed IS NOT NULL
         GROUP BY substr(sealed, 2, 4)";
    for mut row in tx.query("office_token", sql, &[])? {
        let (id, count) = (row.bytes()?, row.int()?);
        add(&id, count);
    }
    if let Some(id) = key_check::sealed_by(tx)? {
        add(&id, 1);
    }
    Ok(uses)
}

impl Store {
    /// The master keys, oldest first, with how much each has sealed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn key_list(&self) -> Result<Vec<KeyUse>, Error> {
        self.vault.reload()?;
        let (mut used, sealing) = self.db.read(|tx| Ok((uses(tx)?, key_check::sealed_by(tx)?))).await?;
        if let Some(id) = sealing {
            self.vault.activate(id)?;
        }
        let active = self.vault.active();
        let mut ids = self.vault.key_ids();
        ids.extend(used.keys().copied().filter(|id| !self.vault.key_ids().contains(id)).collect::<Vec<_>>());
        let one = |id: KeyId| KeyUse {
            id: id_text(id),
            active: active == Some(id),
            sealed: used.remove(&id).unwrap_or(0),
        };
        Ok(ids.into_iter().map(one).collect())
    }

    /// Makes a new key the one that seals: the newest of the key file, or where nobody else serves the database, a
    /// fresh one. Where something is sealed by an older key, that rotation goes on, and no other begins.
    ///
    /// # Errors
    /// When the key file or the store cannot be read or written.
    pub async fn rotation_begin(&self) -> Result<RotationBegun, Error> {
        let keys = self.key_list().await?;
        if keys.iter().any(|key| !key.active && key.sealed > 0) {
            return Ok(RotationBegun::Continues);
        }
        if self.vault.newer().is_none() {
            if self.db.is_shared() {
                return Ok(RotationBegun::NoNewKey);
            }
            self.vault.add_key(self.chance.as_ref())?;
        }
        let Some(new) = self.vault.newer() else { return Ok(RotationBegun::NoNewKey) };
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let begin = move |tx: &mut Tx<'_>| key_check::seal_by(tx, &vault, new, chance.as_ref());
        self.db.write(begin).await?;
        Ok(RotationBegun::New)
    }

    /// Seals a portion anew that another key than the one in use has sealed. Nothing is done from a place that is none.
    ///
    /// # Errors
    /// When something cannot be opened, or nothing can be written.
    pub async fn rotation_step(&self, after: Option<&str>) -> Result<Resealed, Error> {
        let Some(at) = cursor(after) else { return Ok(Resealed { done: 0, next: None }) };
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        self.db.write(move |tx| reseal(tx, &vault, chance.as_ref(), at)).await
    }

    /// Seals the tokens of office apps anew, takes what older keys have sealed out of the database's files, and tells how
    /// much they have sealed still.
    ///
    /// # Errors
    /// When nothing can be written, or the bytes could not be taken out.
    pub async fn rotation_end(&self) -> Result<u64, Error> {
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let end = move |tx: &mut Tx<'_>| {
            key_check::follow(tx, &vault)?;
            office_token::reseal(tx, &vault, chance.as_ref())?;
            tx.replaced(&["access_key", "signing_key", "key_check", "office_token"])
        };
        self.db.write(end).await?;
        let keys = self.key_list().await?;
        Ok(keys.iter().filter(|key| !key.active).map(|key| key.sealed).sum())
    }

    /// Takes every key out of the key file that has sealed nothing any more, but the one that seals.
    ///
    /// # Errors
    /// When the key file or the store cannot be read or written.
    pub async fn key_retire(&self) -> Result<Retired, Error> {
        let keys = self.key_list().await?;
        let used = keys.iter().filter(|key| !key.active).map(|key| key.sealed).sum();
        if used > 0 {
            return Ok(Retired::InUse(used));
        }
        let gone = self.vault.retire()?;
        if !gone.is_empty() {
            // A line of the audit log goes with a change.
            self.db.write(key_check::touch).await?;
        }
        Ok(Retired::Done(gone.into_iter().map(id_text).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn every_place_that_is_sealed_is_sealed_anew() {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("vault_tests.rs")
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // Put together, so that it does not find itself.
            let words = format!("Place {{ table: {}", '"');
            let tables = text.split(&words).skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(tables.map(str::to_owned));
        }
        found.sort();
        let mut known: Vec<String> = KINDS.iter().map(|kind| kind.table.to_owned()).collect();
        known.extend(["key_check", "office_token"].map(str::to_owned));
        known.sort();
        assert_eq!(found, known, "say in `KINDS` how to seal it anew");
    }
}
