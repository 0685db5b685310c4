//! Mail addresses: the part of RFC 5321's syntax that mailboxes of people have.

use url::Host;

use crate::secret::SecretText;

/// The longest address (RFC 5321, section 4.5.3.1.3, without the angle brackets), in bytes.
const ADDRESS_BYTES_MAX: usize = 254;
/// The longest part before the `@` (RFC 5321, section 4.5.3.1.1), in bytes.
const LOCAL_BYTES_MAX: usize = 64;
/// The longest label of a domain (RFC 1035), in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// Reads an address; the domain comes back in lower case and in its ASCII form, so that one mailbox has one form.
///
/// The part before the `@` is kept as it stands: only its own server knows whether upper and lower case are one there.
/// Quoted parts, comments and addresses in brackets are not taken, nor letters outside ASCII before the `@`, which few
/// servers take.
pub(crate) fn parse(text: &str) -> Option<SecretText> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain = ascii_domain(domain)?;
    let address = format!("{local}@{domain}");
    (local_fits(local) && address.len() <= ADDRESS_BYTES_MAX).then(|| address.into())
}

fn local_fits(local: &str) -> bool {
    let atom = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= LOCAL_BYTES_MAX && local.split('.').all(atom)
}

/// A domain of two labels at least, as it stands in the DNS.
fn ascii_domain(text: &str) -> Option<String> {
    // What a URL's parser would decode, or take for the end of a host, is no part of a domain.
    if text.bytes().any(|b| b.is_ascii() && !(b.is_ascii_alphanumeric() || b == b'-' || b == b'.')) {
        return None;
    }
    let Ok(Host::Domain(domain)) = Host::parse(text) else { return None };
    let label = |text: &str| {
        (1..=LABEL_BYTES_MAX).contains(&text.len())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (domain.contains('.') && domain.split('.').all(label)).then_some(domain)
}

/// The address as it may be shown: the first character before the `@`, unless that is nearly all there is.
pub(crate) fn mask(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else { return "****".to_owned() };
    let first: String = local.chars().take(usize::from(local.len() > 2)).collect();
    format!("{first}***@{domain}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{mask, parse};

    #[test]
    fn addresses_of_people_are_taken() {
        for (text, kept) in [
            ("alice@example.com", "alice@example.com"),
            ("Alice.B+ops@Mail.EXAMPLE.com", "Alice.B+ops@mail.example.com"),
            ("o'brien_1@example.co.uk", "o'brien_1@example.co.uk"),
            ("li@例子.测试", "li@xn--fsqu00a.xn--0zwm56d"),
            ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ] {
            assert_eq!(parse(text).unwrap().reveal(), kept, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", vec!["b".repeat(60); 5].join("."));
        let long_label = format!("a@{}.com", "b".repeat(64));
        for bad in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "alice@localhost",
            "alice@127.0.0.1",
            "alice@[127.0.0.1]",
            "alice@example..com",
            "alice@example.com.",
            "alice@-a.com",
            "alice@exa_mple.com",
            "alice@exam%70le.com",
            ".alice@example.com",
            "al..ice@example.com",
            "alice.@example.com",
            "al ice@example.com",
            "\"al ice\"@example.com",
            "李雷@example.com",
            "alice@example.com\r\nBcc: eve@example.com",
            "alice@example.com>",
            "Alice <alice@example.com>",
            "alice@example.com,eve@example.com",
            &long_local,
            &long,
            &long_label,
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn masks_keep_the_domain() {
        assert_eq!(mask("alice@example.com"), "a***@example.com");
        assert_eq!(mask("al@example.com"), "***@example.com");
        assert_eq!(mask("nonsense"), "****");
    }

    proptest! {
        /// Nothing that is taken could end a command or a header line, or be read as two addresses.
        #[test]
        fn what_is_taken_is_one_plain_word(text in "[ -~\\r\\n\u{80}-\u{ff}@.<>,;]{0,40}") {
            if let Some(address) = parse(&text) {
                let address = address.reveal();
                prop_assert!(address.bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.contains(['<', '>', ',', ';', '"', '(', ')', ':', '\\']));
                prop_assert_eq!(address.matches('@').count(), 1);
                let again = parse(address);
                prop_assert_eq!(again.as_ref().map(|text| text.reveal()), Some(address));
            }
        }
    }
}
