//! Seals and opens what must not be readable at rest.
//!
//! Every sealed value has a data key of its own, which is itself sealed under a master key (envelope encryption,
//! AES-256-GCM twice). Its form: version, master key id, nonce, sealed data key, nonce, ciphertext and tag. Both
//! layers are bound to where the value stands (table, row, column), so that a value moved elsewhere does not open.
//! Equality is looked up over a keyed hash (HMAC-SHA256 under a key derived for that one purpose).

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use carillon_model::Chance;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::key_file::{KEY, KEY_ID, KeyFile, KeyId};

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const HEAD: usize = 1 + KEY_ID + NONCE + KEY + TAG + NONCE;
const KEY_MISSING: &str = "its key is not in the key file";

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub row: &'a str,
    /// The column.
    pub column: &'static str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        format!("{}\u{1f}{}\u{1f}{}", self.table, self.row, self.column).into_bytes()
    }
}

struct MasterKey {
    id: KeyId,
    seal: LessSafeKey,
}

/// The master keys as they stand in the key file, oldest first, and the one that seals.
struct Ring {
    keys: Vec<Arc<MasterKey>>,
    active: usize,
    lookup: hmac::Key,
}

impl Ring {
    fn new(file: &KeyFile) -> Result<Self, Error> {
        let key = |(id, key): (KeyId, Zeroizing<[u8; KEY]>)| {
            let seal = UnboundKey::new(&AES_256_GCM, key.as_ref());
            let seal = seal.map_err(|_unspecified| Error::Sealed("there is no key"))?;
            Ok::<_, Error>(Arc::new(MasterKey { id, seal: LessSafeKey::new(seal) }))
        };
        let keys = file.sealing().into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
        let active = keys.len().saturating_sub(1);
        Ok(Self { keys, active, lookup: hmac::Key::new(hmac::HMAC_SHA256, file.lookup().as_ref()) })
    }

    fn place(&self, id: KeyId) -> Option<usize> {
        self.keys.iter().position(|key| key.id == id)
    }
}

/// The master keys of an installation.
pub struct Vault {
    path: Option<PathBuf>,
    ring: RwLock<Arc<Ring>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.ring().keys.len()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the key file, or makes one (mode 0600) when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is no key file.
    pub fn open(path: &Path, chance: &dyn Chance) -> Result<Self, Error> {
        let file = match KeyFile::read(path)? {
            Some(file) => file,
            None => {
                let file = KeyFile::fresh(chance);
                file.create(path)?;
                file
            }
        };
        Ok(Self { path: Some(path.to_owned()), ring: RwLock::new(Arc::new(Ring::new(&file)?)) })
    }

    /// Reads the key file, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read, or is no key file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Error> {
        let Some(file) = KeyFile::read(path)? else { return Ok(None) };
        Ok(Some(Self { path: Some(path.to_owned()), ring: RwLock::new(Arc::new(Ring::new(&file)?)) }))
    }

    /// Reads a key file's text. Its last key seals unless `activate` says otherwise.
    ///
    /// # Errors
    /// When a line has another form, or there is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let ring = Ring::new(&KeyFile::parse(text)?)?;
        Ok(Self { path: None, ring: RwLock::new(Arc::new(ring)) })
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().expect("no code panics while it holds the keys"))
    }

    fn put(&self, ring: Ring) {
        *self.ring.write().expect("no code panics while it holds the keys") = Arc::new(ring);
    }

    /// The key that seals.
    pub(crate) fn active(&self) -> Option<KeyId> {
        let ring = self.ring();
        ring.keys.get(ring.active).map(|key| key.id)
    }

    /// Every key, oldest first.
    pub(crate) fn key_ids(&self) -> Vec<KeyId> {
        self.ring().keys.iter().map(|key| key.id).collect()
    }

    /// Seals with this key from now on; tells whether it is in the key file.
    pub(crate) fn activate(&self, id: KeyId) -> Result<bool, Error> {
        if self.ring().place(id).is_none() {
            self.reload()?;
        }
        let mut ring = self.ring.write().expect("no code panics while it holds the keys");
        let Some(active) = ring.place(id) else { return Ok(false) };
        if active != ring.active {
            *ring = Arc::new(Ring { keys: ring.keys.clone(), active, lookup: ring.lookup.clone() });
        }
        Ok(true)
    }

    /// Reads the key file again: an operator may have put another key into it. The key that seals stays.
    ///
    /// # Errors
    /// When it cannot be read, or is another installation's.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        let foreign = || Error::Setup(format!("the key file {} lacks the key in use", path.display()));
        let file = KeyFile::read(path)?.ok_or_else(foreign)?;
        let mut ring = Ring::new(&file)?;
        let now = self.ring();
        let mark = |ring: &Ring| hmac::sign(&ring.lookup, b"mark");
        if mark(&ring).as_ref() != mark(&now).as_ref() {
            return Err(foreign());
        }
        let active = now.keys.get(now.active).and_then(|key| ring.place(key.id));
        ring.active = active.ok_or_else(foreign)?;
        self.put(ring);
        Ok(())
    }

    /// The last key of the file, if it is newer than the one that seals.
    pub(crate) fn newer(&self) -> Option<KeyId> {
        let ring = self.ring();
        ring.keys.get(ring.active + 1..).and_then(<[_]>::last).map(|key| key.id)
    }

    /// Writes a fresh key into the key file, behind the others. It does not seal yet.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn add_key(&self, chance: &dyn Chance) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        add_to_file(path, chance)?;
        self.reload()
    }

    /// Takes every key out of the key file but the one that seals, and tells which went.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn retire(&self) -> Result<Vec<KeyId>, Error> {
        let (Some(path), Some(active)) = (&self.path, self.active()) else { return Ok(Vec::new()) };
        let file = KeyFile::read(path)?;
        let mut file = file.ok_or_else(|| Error::Setup("the key file is gone".to_owned()))?;
        let gone = file.keep_only(active);
        if !gone.is_empty() {
            file.replace(path)?;
            self.reload()?;
        }
        Ok(gone)
    }

    /// Seals `plain` for its place.
    ///
    /// # Errors
    /// Never for the sizes kept here; the cipher's own limit is 64 GiB.
    pub fn seal(&self, place: Place<'_>, plain: &[u8], chance: &dyn Chance) -> Result<Vec<u8>, Error> {
        let wrong = |_unspecified| Error::Sealed("it cannot be sealed");
        let ring = self.ring();
        let master = ring.keys.get(ring.active).ok_or(Error::Sealed("there is no key"))?;
        let place = place.bytes();
        let mut data_key = Zeroizing::new([0_u8; KEY]);
        let mut nonces = [[0_u8; NONCE]; 2];
        chance.fill(data_key.as_mut());
        chance.fill(&mut nonces[0]);
        chance.fill(&mut nonces[1]);

        let mut wrapped = data_key.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonces[0]);
        master.seal.seal_in_place_append_tag(nonce, Aad::from(&place), &mut wrapped).map_err(wrong)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, data_key.as_ref()).map_err(wrong)?);
        let mut body = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonces[1]);
        key.seal_in_place_append_tag(nonce, Aad::from(&place), &mut body).map_err(wrong)?;

        let mut sealed = Vec::with_capacity(HEAD + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&master.id);
        sealed.extend_from_slice(&nonces[0]);
        sealed.extend_from_slice(&wrapped);
        sealed.extend_from_slice(&nonces[1]);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] sealed for the same place.
    ///
    /// # Errors
    /// When the key is missing, the value was changed, or it stood elsewhere.
    pub fn open_sealed(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let short = Error::Sealed("it is too short");
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(short)?;
        let (version, head) = head.split_first().ok_or(Error::Sealed("it is too short"))?;
        if *version != VERSION {
            return Err(Error::Sealed("its version is unknown"));
        }
        let (id, head) = head.split_at(KEY_ID);
        let (nonce, head) = head.split_at(NONCE);
        let (wrapped, nonce_body) = head.split_at(KEY + TAG);
        let id: KeyId = id.try_into().map_err(|_length| Error::Sealed("it is too short"))?;
        let ring = self.ring_with(id)?;
        let master =
            ring.place(id).and_then(|place| ring.keys.get(place)).ok_or(Error::Sealed(KEY_MISSING))?;
        let place = place.bytes();
        let mut wrapped = Zeroizing::new(wrapped.to_vec());
        let data_key = open_in_place(&master.seal, nonce, &place, &mut wrapped)?;
        let key = UnboundKey::new(&AES_256_GCM, data_key)
            .map_err(|_unspecified| Error::Sealed("its key is broken"))?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = open_in_place(&LessSafeKey::new(key), nonce_body, &place, &mut body)?.len();
        body.truncate(plain);
        Ok(body)
    }

    /// The keys, among them this one if the file has it. A server that another one is ahead of finds the new key in the
    /// file when it first needs it, and seals with it from then on: nobody seals with a key before a rotation began.
    fn ring_with(&self, id: KeyId) -> Result<Arc<Ring>, Error> {
        let ring = self.ring();
        match ring.place(id) {
            Some(place) if place <= ring.active => return Ok(ring),
            Some(_newer) => {}
            None => self.reload().map_err(|_file| Error::Sealed(KEY_MISSING))?,
        }
        let ring = self.ring();
        if ring.place(id).is_some_and(|place| place > ring.active) {
            self.activate(id)?;
        }
        Ok(self.ring())
    }

    /// The keyed hash by which a secret value is looked up, different for each `purpose`.
    #[must_use]
    pub fn hash(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.ring().lookup);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(value);
        let mut hash = [0_u8; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

fn open_in_place<'a>(
    key: &LessSafeKey,
    nonce: &[u8],
    place: &[u8],
    sealed: &'a mut [u8],
) -> Result<&'a [u8], Error> {
    let nonce = Nonce::try_assume_unique_for_key(nonce)
        .map_err(|_unspecified| Error::Sealed("its nonce is broken"))?;
    key.open_in_place(nonce, Aad::from(place), sealed)
        .map(|plain| &*plain)
        .map_err(|_unspecified| Error::Sealed("it was changed or stood elsewhere"))
}

/// The key that sealed a value.
pub(crate) fn key_of(sealed: &[u8]) -> Option<KeyId> {
    sealed.get(1..=KEY_ID)?.try_into().ok()
}

/// A key's id as it is shown and as it stands in the key file.
pub(crate) fn id_text(id: KeyId) -> String {
    HEXLOWER.encode(&id)
}

/// Writes a fresh key into a key file, behind the others, and gives its id. Servers go on sealing with the one they have.
///
/// # Errors
/// When there is no key file, or it cannot be written.
pub fn add_to_file(path: &Path, chance: &dyn Chance) -> Result<String, Error> {
    let none = || Error::Setup(format!("there is no key file {}", path.display()));
    let mut file = KeyFile::read(path)?.ok_or_else(none)?;
    let id = file.add(chance);
    file.replace(path)?;
    Ok(id_text(id))
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
