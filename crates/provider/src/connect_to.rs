//! `--connect-to HOST=URL`: what would go to a host goes to another address instead, as curl's option of that name
//! does. It exists for tests and demonstrations, so the address must be one of this machine or its own network.

use std::net::IpAddr;

use hyper::http::uri::{Authority, Scheme};
use url::{Host, Url};

/// One detour: requests for a host go to another address, with path, query and `Host` header unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    host: String,
    scheme: Scheme,
    authority: Authority,
}

impl ConnectTo {
    /// Reads `HOST=URL`.
    ///
    /// # Errors
    /// When the form is another, or the URL is not http(s) at a loopback or private literal address or `localhost`;
    /// the sentence says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "must look like HOST=URL, for example open.feishu.cn=http://127.0.0.1:9001, with one host and no path";
        let (host, url) = text.trim().split_once('=').ok_or(FORM)?;
        let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
        let host_fits = !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b == b'_');
        let url = Url::parse(url.trim()).map_err(|_parse| FORM)?;
        if !host_fits {
            return Err(FORM.to_owned());
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must lead to a URL that begins with http:// or https://".to_owned());
        }
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare {
            return Err("must lead to a URL without path, query or user name: those of the request are kept"
                .to_owned());
        }
        if !url.host().is_some_and(|host| leads_home(&host)) {
            return Err("must lead to localhost or to a loopback or private address such as 127.0.0.1 or \
                        10.0.0.1, because messages and signatures would be handed to whoever listens there"
                .to_owned());
        }
        let scheme = if url.scheme() == "https" { Scheme::HTTPS } else { Scheme::HTTP };
        let authority = url.authority().parse().map_err(|_parse| FORM)?;
        Ok(Self { host, scheme, authority })
    }

    /// The host whose requests take the detour, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where they go: scheme, address and port, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The same in the form that requests are made of.
    pub(crate) fn to(&self) -> (Scheme, Authority) {
        (self.scheme.clone(), self.authority.clone())
    }
}

fn leads_home(host: &Host<&str>) -> bool {
    let address = match host {
        Host::Domain(name) => return name.trim_end_matches('.') == "localhost",
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical(),
    };
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectTo;

    #[test]
    fn reads_detours_to_home_addresses() {
        for (text, url) in [
            ("open.feishu.cn=http://127.0.0.1:9001", "http://127.0.0.1:9001"),
            (" Open.Feishu.CN=http://localhost:9001/ ", "http://localhost:9001"),
            ("open.feishu.cn.=https://[::1]:1", "https://[::1]:1"),
            ("open.feishu.cn=http://10.1.2.3", "http://10.1.2.3"),
            ("open.feishu.cn=http://[fd00::1]", "http://[fd00::1]"),
        ] {
            let detour = ConnectTo::parse(text).unwrap();
            assert_eq!((detour.host(), detour.url().as_str()), ("open.feishu.cn", url), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else_and_says_why() {
        for (text, why) in [
            ("", "HOST=URL"),
            ("open.feishu.cn", "HOST=URL"),
            ("=http://127.0.0.1", "HOST=URL"),
            ("a/b=http://127.0.0.1", "HOST=URL"),
            ("a=127.0.0.1", "HOST=URL"),
            ("a=ftp://127.0.0.1", "http://"),
            ("a=http://127.0.0.1/x", "without path"),
            ("a=http://u:p@127.0.0.1", "without path"),
            ("a=http://example.com", "loopback or private"),
            ("a=http://8.8.8.8", "loopback or private"),
            ("a=http://169.254.169.254", "loopback or private"),
            ("a=http://localhost.example.com", "loopback or private"),
        ] {
            let refusal = ConnectTo::parse(text).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
    }
}
