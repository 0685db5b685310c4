//! Signs what web endpoints get, as SMN does: RSA PKCS#1 v1.5 with SHA-256 over the named fields in the order of the
//! alphabet (SMN user guide, "Verifying message signatures").

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use carillon_model::id::CertificateId;
use carillon_model::{SecretText, Timestamp};
use data_encoding::{BASE64, HEXLOWER};

use crate::certificate::{self, Says};

/// How long a certificate is good: ten years of 365 days.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Why a key cannot be made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be made or read")]
pub struct BadKey;

/// A signing key that was just made.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// The private key: PKCS#8 in base64.
    pub private_key: SecretText,
    /// Its certificate, PEM.
    pub certificate: String,
}

/// Signs bodies.
pub struct Signer {
    key: RsaKeyPair,
    /// The latest signatures, by a hash of what was signed: all subscribers of a message get the same.
    made: Mutex<HashMap<[u8; SHA256_OUTPUT_LEN], String>>,
}

/// How many signatures are kept.
const MADE_MAX: usize = 1024;

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

impl Signer {
    /// Makes an RSA key of 2048 bits and a certificate for `host`, which takes part of a second. The key's chance is
    /// the cryptography library's own.
    ///
    /// # Errors
    /// When the library cannot make one.
    pub fn make(host: &str, id: CertificateId, now: Timestamp) -> Result<MadeKey, BadKey> {
        let failed = |_unspecified| BadKey;
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let private: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
        let private_key = BASE64.encode(private.as_ref()).into();
        let serial = HEXLOWER.decode(id.to_string().as_bytes()).map_err(|_decode| BadKey)?;
        let says = Says { host, serial: &serial, not_before: now, not_after: now.plus(CERTIFICATE_LIFE) };
        let certificate = certificate::self_signed(&key, &says).map_err(failed)?;
        Ok(MadeKey { private_key, certificate })
    }

    /// Takes a private key up: PKCS#8 in base64.
    ///
    /// # Errors
    /// When it is no RSA key.
    pub fn open(private_key: &SecretText) -> Result<Self, BadKey> {
        let der = BASE64.decode(private_key.reveal().as_bytes()).map_err(|_decode| BadKey)?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_rejected| BadKey)?;
        Ok(Self { key, made: Mutex::default() })
    }

    /// The signature of fields, base64.
    pub(crate) fn sign(&self, fields: &[(&str, &str)]) -> Option<String> {
        let text = to_sign(fields);
        let hash = digest(&SHA256, text.as_bytes());
        let hash = <[u8; SHA256_OUTPUT_LEN]>::try_from(hash.as_ref()).ok()?;
        if let Some(made) = self.made.lock().ok()?.get(&hash) {
            return Some(made.clone());
        }
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        let signature = BASE64.encode(&signature);
        let mut made = self.made.lock().ok()?;
        if made.len() >= MADE_MAX {
            made.clear();
        }
        made.insert(hash, signature.clone());
        Some(signature)
    }
}

/// Each field's name and value, a line feed behind both; the caller gives them in the order of the alphabet.
fn to_sign(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect()
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
