//! Mail over SMTP: one relay, which the operator names, and one recipient for each transaction, so that every refusal
//! belongs to one delivery.
//!
//! The guard against private networks does not look at the relay: it protects the operator's network from what
//! subscribers type, and no subscriber names a relay. Most relays stand in a private network.

pub(crate) mod code;
mod message;
mod relay;
mod session;

use carillon_model::endpoint::Endpoint;
use carillon_model::{Channel, SecretText};

pub use relay::{Relay, Security};
pub(crate) use session::Mailer;

pub(crate) use message::render;

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Where it is handed over.
    pub relay: Relay,
    /// Whom it is from.
    pub from: Sender,
}

/// Whom mail is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The name that stands beside the address, for topics without a display name.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

impl Sender {
    /// Reads `alerts@example.com` or `Alerts <alerts@example.com>`.
    ///
    /// # Errors
    /// When it is neither; the sentence says what would be right.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str =
            "must be a mail address such as alerts@example.com, or Alerts <alerts@example.com>";
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
            None => ("", text),
        };
        let Ok(Endpoint::Mailbox { address }) = Endpoint::parse(Channel::Email, address) else {
            return Err(RULE);
        };
        if name.chars().any(char::is_control) {
            return Err(RULE);
        }
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { name, address: address.reveal().to_owned() })
    }

    /// What stands behind the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("localhost", |(_local, domain)| domain)
    }
}

impl MailSettings {
    /// What of them a relay's words must not repeat.
    pub(crate) fn secrets(&self) -> Vec<SecretText> {
        self.relay.login.iter().flat_map(|(user, password)| [user.clone(), password.clone()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Sender;

    #[test]
    fn senders_are_read_with_and_without_a_name() {
        let plain = Sender::parse(" alerts@Example.com ").unwrap();
        assert_eq!((plain.name.as_deref(), plain.address.as_str()), (None, "alerts@example.com"));
        let named = Sender::parse("\"值班, ops\" <alerts@example.com>").unwrap();
        assert_eq!((named.name.as_deref(), named.domain()), (Some("值班, ops"), "example.com"));
        for bad in
            ["", "alerts", "a@b", "<>", "A <a@example.com", "A\r\nBcc: x <a@example.com>", "a@x.com, b@x.com"]
        {
            assert!(Sender::parse(bad).is_err(), "{bad}");
        }
    }
}
