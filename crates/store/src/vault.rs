//! Seals and opens what must not be readable at rest.
//!
//! Every sealed value has a data key of its own, which is itself sealed under a master key (envelope encryption,
//! AES-256-GCM twice). Its form: version, master key id, nonce, sealed data key, nonce, ciphertext and tag. Both
//! layers are bound to where the value stands (table, row, column), so that a value moved elsewhere does not open.
//! Equality is looked up over a keyed hash (HMAC-SHA256 under a key derived for that one purpose).

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use carillon_model::Chance;
use data_encoding::{BASE64, HEXLOWER};
use zeroize::Zeroizing;

use crate::error::Error;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 12;
const KEY: usize = 32;
const TAG: usize = 16;
const HEAD: usize = 1 + KEY_ID + NONCE + KEY + TAG + NONCE;
const FILE_WORD: &str = "carillon-key-v1";

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
    id: [u8; KEY_ID],
    seal: LessSafeKey,
}

/// The master keys of an installation.
pub struct Vault {
    /// Oldest first; the last one seals, all of them open.
    keys: Vec<MasterKey>,
    lookup: hmac::Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the key file, or makes one (mode 0600) when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is no key file.
    pub fn open(path: &Path, chance: &dyn Chance) -> Result<Self, Error> {
        let fail = |what: &str, error: &std::io::Error| {
            Error::Setup(format!("the key file {} cannot be {what}: {error}", path.display()))
        };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&Zeroizing::new(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = Zeroizing::new(new_line(chance));
                let mut options = std::fs::OpenOptions::new();
                let mut file = options
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(|error| fail("made", &error))?;
                file.write_all(text.as_bytes()).map_err(|error| fail("written", &error))?;
                file.sync_all().map_err(|error| fail("written", &error))?;
                Self::parse(&text)
            }
            Err(error) => Err(fail("read", &error)),
        }
    }

    /// Reads a key file's text: a line for each key, `carillon-key-v1 {id} {base64}`, the newest last.
    ///
    /// # Errors
    /// When a line has another form, or there is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys = Vec::new();
        let mut lookup = None;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = || Error::Setup(format!("line {} of the key file is no key", index + 1));
            let words: Vec<&str> = line.split_whitespace().collect();
            let [FILE_WORD, id, key] = words.as_slice() else { return Err(wrong()) };
            let id =
                HEXLOWER.decode(id.as_bytes()).ok().and_then(|id| id.try_into().ok()).ok_or_else(wrong)?;
            let key = Zeroizing::new(BASE64.decode(key.as_bytes()).map_err(|_decode| wrong())?);
            if key.len() != KEY {
                return Err(wrong());
            }
            let seal = LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, derive(&key, b"seal").as_ref())
                    .map_err(|_unspecified| wrong())?,
            );
            keys.push(MasterKey { id, seal });
            // The oldest key makes the look-up hashes, so that a new key does not change them.
            lookup.get_or_insert_with(|| hmac::Key::new(hmac::HMAC_SHA256, derive(&key, b"lookup").as_ref()));
        }
        let lookup = lookup.ok_or_else(|| Error::Setup("the key file holds no key".to_owned()))?;
        Ok(Self { keys, lookup })
    }

    /// Seals `plain` for its place.
    ///
    /// # Errors
    /// Never for the sizes kept here; the cipher's own limit is 64 GiB.
    pub fn seal(&self, place: Place<'_>, plain: &[u8], chance: &dyn Chance) -> Result<Vec<u8>, Error> {
        let wrong = |_unspecified| Error::Sealed("it cannot be sealed");
        let master = self.keys.last().ok_or(Error::Sealed("there is no key"))?;
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
        let master = self
            .keys
            .iter()
            .find(|key| key.id == id)
            .ok_or(Error::Sealed("its key is not in the key file"))?;
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

    /// The keyed hash by which a secret value is looked up, different for each `purpose`.
    #[must_use]
    pub fn hash(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.lookup);
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

/// A key for one purpose, derived from a master key.
fn derive(master: &[u8], purpose: &'static [u8]) -> Zeroizing<[u8; KEY]> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"carillon vault 1");
    let mut key = Zeroizing::new([0_u8; KEY]);
    salt.extract(master)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("32 bytes are within the reach of HKDF-SHA256");
    key
}

fn new_line(chance: &dyn Chance) -> String {
    let mut id = [0_u8; KEY_ID];
    let mut key = Zeroizing::new([0_u8; KEY]);
    chance.fill(&mut id);
    chance.fill(key.as_mut());
    format!("{FILE_WORD} {} {}\n", HEXLOWER.encode(&id), BASE64.encode(key.as_ref()))
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
