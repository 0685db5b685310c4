//! The rules for accounts and for what they sign in with.

use crate::error::{Field, Invalid};
use crate::limits;
use crate::secret::SecretText;

/// Checks an account's name: letters, digits and `-_.@`, up to 64.
///
/// # Errors
/// When it breaks this rule.
pub fn check_account_name(name: &str) -> Result<(), Invalid> {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@');
    if (1..=limits::ACCOUNT_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(sign) {
        return Ok(());
    }
    Err(Invalid::new(Field::AccountName, "must be 1 to 64 letters, digits, hyphens, underscores, dots or @"))
}

/// Checks a password's length.
///
/// # Errors
/// When it is too short to resist guessing, or too long.
pub fn check_password(password: &SecretText) -> Result<(), Invalid> {
    let length = limits::PASSWORD_BYTES_MIN..=limits::PASSWORD_BYTES_MAX;
    if length.contains(&password.reveal().len()) {
        return Ok(());
    }
    Err(Invalid::new(Field::Password, "must be 12 to 256 bytes"))
}

/// Checks a project's name: letters, digits, `-` and `_`, up to 64, as IAM's are.
///
/// # Errors
/// When it breaks this rule.
pub fn check_project_name(name: &str) -> Result<(), Invalid> {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if (1..=64).contains(&name.len()) && name.bytes().all(sign) {
        return Ok(());
    }
    Err(Invalid::new(Field::ProjectName, "must be 1 to 64 letters, digits, hyphens or underscores"))
}

/// Checks the note that tells keys and tokens apart: one line of up to 128 bytes.
///
/// # Errors
/// When it breaks this rule.
pub fn check_note(note: &str) -> Result<(), Invalid> {
    if note.len() <= limits::NOTE_BYTES_MAX && !note.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Invalid::new(Field::Note, "must be one line of at most 128 bytes"))
}

#[cfg(test)]
mod tests {
    use super::{check_account_name, check_note, check_password, check_project_name};

    #[test]
    fn names_and_passwords_have_their_rules() {
        for good in ["a", "alice@example.com", "ci-1_x"] {
            assert_eq!(check_account_name(good), Ok(()));
        }
        for bad in ["", "a b", "é", &"x".repeat(65), "a\n"] {
            assert!(check_account_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_password(&"x".repeat(11).as_str().into()).is_err());
        assert!(check_password(&"x".repeat(12).as_str().into()).is_ok());
        assert!(check_password(&"x".repeat(257).as_str().into()).is_err());
        assert!(check_project_name("cn-north-4").is_ok());
        assert!(check_project_name("a.b").is_err());
        assert!(check_note("the build server").is_ok());
        assert!(check_note("a\nb").is_err());
    }
}
