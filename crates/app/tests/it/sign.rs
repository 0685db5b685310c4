//! A client's side of the `SDK-HMAC-SHA256` signature, written from its description and not from the server's code.

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path and query as they are sent.
    pub(crate) target: &'a str,
    /// The headers that are signed, names in lower case and sorted; `x-sdk-date` among them.
    pub(crate) headers: &'a [(&'a str, String)],
    pub(crate) body: &'a [u8],
}

fn again(text: &str) -> String {
    let plain = percent_decode_str(text).decode_utf8().unwrap();
    utf8_percent_encode(&plain, KEPT).to_string()
}

/// The value of the Authorization header.
pub(crate) fn authorization(access_key: &str, secret_key: &str, signed: &Signed<'_>) -> String {
    let (path, query) = signed.target.split_once('?').unwrap_or((signed.target, ""));
    let mut path: String = path.split('/').map(again).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", again(name), again(value)))
        .collect();
    pairs.sort();
    let lines: String =
        signed.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names: Vec<&str> = signed.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let body = sha256(signed.body);
    let canonical = format!("{}\n{path}\n{}\n{lines}\n{names}\n{body}", signed.method, pairs.join("&"));
    let date = signed.headers.iter().find(|(name, _)| *name == "x-sdk-date").unwrap();
    let text = format!("SDK-HMAC-SHA256\n{}\n{}", date.1, sha256(canonical.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes());
    let mac = HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref());
    format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={mac}")
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[test]
fn signs_as_the_published_example_does() {
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("host", "service.region.example.com".to_owned()),
        ("x-sdk-date", "20191115T033655Z".to_owned()),
    ];
    let target =
        "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0";
    let signed = Signed { method: "GET", target, headers: &headers, body: b"" };
    let value = authorization("QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc", &signed);
    assert_eq!(
        value,
        "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, \
         Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    );
}
