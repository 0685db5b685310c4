//! Passwords as Argon2id hashes.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use carillon_model::{Chance, SecretText};

/// Hashes a password with a fresh salt.
pub(crate) fn hash(password: &SecretText, chance: &dyn Chance) -> String {
    let mut salt = [0_u8; 16];
    chance.fill(&mut salt);
    Argon2::default()
        .hash_password_with_salt(password.reveal().as_bytes(), &salt)
        .expect("a 16-byte salt and Argon2's own defaults are valid")
        .to_string()
}

/// Whether `password` is the one of `hash`.
pub(crate) fn fits(password: &SecretText, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok())
}

/// A hash that no password fits, so that an unknown name takes as long as a wrong password.
pub(crate) const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use carillon_model::chance::SeededChance;

    use super::{NOBODY, fits, hash};

    #[test]
    fn fits_only_itself() {
        let hashed = hash(&"correct horse".into(), &SeededChance::new(1));
        assert!(hashed.starts_with("$argon2id$v=19$"));
        assert!(fits(&"correct horse".into(), &hashed));
        assert!(!fits(&"wrong horse".into(), &hashed));
        assert!(!fits(&"".into(), NOBODY));
        assert!(!fits(&"x".into(), "no hash"));
    }
}
