//! Where mail is handed over: `smtp://`, `smtp+starttls://` or `smtps://`, with or without a login.

use std::fmt;

use carillon_model::SecretText;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// How a connection to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// `smtp`: by STARTTLS where the relay offers it.
    Offered,
    /// `smtp+starttls`: by STARTTLS, or not at all.
    Required,
    /// `smtps`: from the first byte.
    Wrapped,
}

/// The relay that takes the mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Relay {
    pub(crate) security: Security,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// User and password.
    pub(crate) login: Option<(SecretText, SecretText)>,
}

impl Relay {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it has another form; the sentence says what would be right and repeats nothing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be smtp://HOST:PORT, smtp+starttls://USER:PASSWORD@HOST:PORT or \
                            smtps://USER:PASSWORD@HOST:PORT; signs in user and password are written as %XX";
        let url = Url::parse(text.trim()).map_err(|_parse| RULE)?;
        let (security, port) = match url.scheme() {
            "smtp" => (Security::Offered, 25),
            "smtp+starttls" => (Security::Required, 587),
            "smtps" => (Security::Wrapped, 465),
            _ => return Err(RULE),
        };
        let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        // Without the brackets that an IPv6 address has in a URL.
        let host = match Host::parse(url.host_str().unwrap_or_default()) {
            Ok(Host::Domain(name)) => name,
            Ok(Host::Ipv4(address)) => address.to_string(),
            Ok(Host::Ipv6(address)) => address.to_string(),
            Err(_wrong) => return Err(RULE),
        };
        if !plain {
            return Err(RULE);
        }
        let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
            Ok(text) if !text.chars().any(char::is_control) => Ok(SecretText::new(text)),
            Ok(_) | Err(_) => Err(RULE),
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err("must hold both user and password, or neither"),
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?)),
        };
        Ok(Self { security, host, port: url.port().unwrap_or(port), login })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Whether it is this machine, so that nobody else hears what is said.
    pub(crate) fn is_local(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.login.is_some() { "***@" } else { "" };
        write!(f, "{:?} {login}{}:{}", self.security, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::{Relay, Security};

    #[test]
    fn the_scheme_says_how_it_is_protected() {
        let plain = Relay::parse("smtp://127.0.0.1:2525").unwrap();
        assert_eq!((plain.security, plain.host.as_str(), plain.port), (Security::Offered, "127.0.0.1", 2525));
        assert!(plain.login.is_none() && plain.is_local());
        let relay = Relay::parse("smtp+starttls://al%40ops:p%3A%2Fw@Mail.example").unwrap();
        assert_eq!(
            (relay.security, relay.host.as_str(), relay.port),
            (Security::Required, "mail.example", 587)
        );
        let (user, password) = relay.login.clone().unwrap();
        assert_eq!((user.reveal(), password.reveal()), ("al@ops", "p:/w"));
        assert!(!format!("{relay:?}").contains("al@ops") && !relay.is_local());
        let wrapped = Relay::parse("smtps://[::1]/").unwrap();
        assert_eq!((wrapped.security, wrapped.host.as_str(), wrapped.port), (Security::Wrapped, "::1", 465));
        assert!(wrapped.is_local());
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for bad in [
            "",
            "mail.example:25",
            "http://mail.example",
            "smtp://",
            "smtp:///x",
            "smtp://mail.example/inbox",
            "smtp://mail.example?tls=none",
            "smtp://hush@mail.example",
            "smtp://:hush@mail.example",
            "smtp://u:hush%0d%0a@mail.example",
            "smtp://u:hush@mail.example:99999",
        ] {
            let rule = Relay::parse(bad).unwrap_err();
            assert!(!rule.contains("hush"), "{bad}");
        }
    }
}
