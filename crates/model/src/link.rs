//! The links that a subscriber follows, and the base that they all begin with.

use url::Url;

use crate::error::{Field, Invalid};
use crate::id::CertificateId;
use crate::secret::SecretText;

/// The path of the link that confirms a subscription.
pub const SUBSCRIBE_PATH: &str = "/v2/notifications/subscriptions/subscribe";
/// The path of the link that ends one.
pub const UNSUBSCRIBE_PATH: &str = "/v2/notifications/subscriptions/unsubscribe";
/// The path in front of a signing certificate's name.
pub const CERTIFICATE_PATH: &str = "/smn/";

/// The name of a signing certificate, in SMN's form.
#[must_use]
pub fn certificate_name(region: &str, id: CertificateId) -> String {
    format!("SMN_{region}_{id}.pem")
}

/// The id in a certificate's name.
#[must_use]
pub fn certificate_id(name: &str) -> Option<CertificateId> {
    let (start, id) = name.strip_suffix(".pem")?.rsplit_once('_')?;
    start.strip_prefix("SMN_")?;
    CertificateId::parse(id).ok()
}

/// Writes links that lead to this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    base: String,
    host: String,
}

impl Default for Links {
    /// Links to a server on this machine that listens where it does by default.
    fn default() -> Self {
        Self { base: "http://127.0.0.1:8866".to_owned(), host: "127.0.0.1".to_owned() }
    }
}

impl Links {
    /// Takes the address under which subscribers reach the server; a path is kept, for a proxy in front.
    ///
    /// # Errors
    /// When it is no http(s) URL with a host, or has a user name, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            let rule = "must be the address at which subscribers reach this server, such as \
                        https://carillon.example, without user name, query or fragment";
            Invalid::new(Field::PublicUrl, rule)
        };
        let url = Url::parse(text.trim()).map_err(|_parse| wrong())?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(wrong());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), host })
    }

    /// Whether the server is reached by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// The address that every link begins with, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The host that every link names.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The link that confirms a subscription, or takes one up again.
    #[must_use]
    pub fn subscribe(&self, token: &SecretText, topic_urn: &str) -> SecretText {
        // A token is base64 for URLs, a URN letters, digits, colons, hyphens and underscores: nothing to escape.
        format!("{}{SUBSCRIBE_PATH}?token={}&topic_urn={topic_urn}", self.base, token.reveal()).into()
    }

    /// The link that ends a subscription. Its signature is what lets nobody else follow it.
    #[must_use]
    pub fn unsubscribe(&self, subscription_urn: &str, signature: &SecretText) -> SecretText {
        let signature = signature.reveal();
        format!("{}{UNSUBSCRIBE_PATH}?subscription_urn={subscription_urn}&signature={signature}", self.base)
            .into()
    }

    /// The address of a signing certificate.
    #[must_use]
    pub fn certificate(&self, name: &str) -> String {
        format!("{}{CERTIFICATE_PATH}{name}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::{Links, certificate_id, certificate_name};

    #[test]
    fn links_begin_with_the_base() {
        let links = Links::parse("https://bells.example:8443/carillon/").unwrap();
        assert_eq!(links.host(), "bells.example");
        assert_eq!(
            links.subscribe(&"t0".into(), "urn:smn:r:p:ops").reveal(),
            "https://bells.example:8443/carillon/v2/notifications/subscriptions/subscribe?token=t0&topic_urn=urn:smn:r:p:ops"
        );
        let name = "SMN_cn-north-4_0194250000007000800000000000cafe.pem";
        assert_eq!(certificate_name("cn-north-4", certificate_id(name).unwrap()), name);
        assert_eq!(certificate_id("SMN_0194250000007000800000000000cafe.pe"), None);
        assert_eq!(links.certificate("SMN_r_0.pem"), "https://bells.example:8443/carillon/smn/SMN_r_0.pem");
    }

    #[test]
    fn other_bases_are_refused() {
        for bad in [
            "",
            "bells.example",
            "ftp://bells.example",
            "https://u:p@bells.example",
            "http://a/?x=1",
            "http://a/#x",
        ] {
            assert!(Links::parse(bad).is_err(), "{bad}");
        }
    }
}
