//! A subscription user: somebody with several ways to be reached, kept in one place and subscribed to topics as a whole.

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::clock::Timestamp;
use crate::error::{Field, Invalid};
use crate::id::SubscriptionUserId;
use crate::limits;
use crate::secret::SecretText;
use crate::subscription::Extension;

/// One way to reach a user: what a subscription to the address would say. Sealed at rest and never read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The channel.
    pub channel: Channel,
    /// The channel's name in the dialect that it was given in.
    pub protocol: String,
    /// The address.
    pub endpoint: SecretText,
    /// What goes with it.
    pub extension: Extension,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionUser {
    /// Its id.
    pub id: SubscriptionUserId,
    /// Its name.
    pub name: String,
    /// The group that its owner puts it in.
    pub group: String,
    /// The ways to reach it, one for each protocol.
    pub contacts: Vec<Contact>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// Checks the name or the group of a user: 1 to 32 characters (SMN API reference, "Adding a Subscription User").
///
/// # Errors
/// When it is empty, longer, or holds control characters.
pub fn check_user_name(text: &str) -> Result<(), Invalid> {
    let fits = (1..=limits::USER_NAME_CHARS_MAX).contains(&text.chars().count());
    if !fits || text.chars().any(char::is_control) {
        let rule = "name and group must be 1 to 32 characters without control characters";
        return Err(Invalid::new(Field::Name, rule));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_user_name;

    #[test]
    fn names_are_short_and_on_one_line() {
        for good in ["a", "值班 一", &"磁".repeat(32)] {
            assert!(check_user_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a\nb", &"x".repeat(33)] {
            assert!(check_user_name(bad).is_err(), "{bad}");
        }
    }
}
