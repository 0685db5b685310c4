//! A log tank: that what becomes of a topic's messages is written to the delivery log, under these names.

use crate::clock::Timestamp;
use crate::error::{Field, Invalid};
use crate::id::LogtankId;
use crate::limits;

/// A log tank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logtank {
    /// Its id.
    pub id: LogtankId,
    /// The log group that its lines name.
    pub group: String,
    /// The log stream that its lines name.
    pub stream: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// Checks the id of a log group or stream. They are the cloud's; here they only stand in the lines.
///
/// # Errors
/// When it is empty, too long, or has other signs.
pub fn check_log_id(name: &str, text: &str) -> Result<(), Invalid> {
    let fits = (1..=limits::LOG_ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        return Ok(());
    }
    Err(Invalid::new(Field::Body, format!("{name} must be 1 to 64 letters, digits, hyphens or underscores")))
}

#[cfg(test)]
mod tests {
    use super::check_log_id;

    #[test]
    fn ids_are_checked() {
        for good in ["a", "6d24d2f2-8c5e-4d0c-9b5e-0123456789ab", &"x".repeat(64)] {
            assert!(check_log_id("log_group_id", good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\n", "磁", &"x".repeat(65)] {
            assert!(check_log_id("log_group_id", bad).is_err(), "{bad}");
        }
    }
}
