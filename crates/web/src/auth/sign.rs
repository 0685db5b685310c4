//! Checks a request's `SDK-HMAC-SHA256` signature (Huawei Cloud, "Signing API requests"): only the headers that the
//! client listed, over the bytes as they came.

use aws_lc_rs::{constant_time, digest, hmac};
use axum::http::request::Parts;
use carillon_model::SecretText;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The one algorithm that is taken.
pub(crate) const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// The header that tells when the request was signed.
pub(crate) const DATE_HEADER: &str = "x-sdk-date";
const BODY_HASH_HEADER: &str = "x-sdk-content-sha256";
/// Everything but letters, digits and `-_.~` is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What an Authorization header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) access_key: String,
    signed_headers: Vec<String>,
    signature: Vec<u8>,
}

impl Signature {
    /// Reads `SDK-HMAC-SHA256 Access=…, SignedHeaders=a;b, Signature=…`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut access_key, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let slot = match name {
                "Access" => &mut access_key,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if slot.replace(value).is_some() || value.is_empty() {
                return None;
            }
        }
        let signed_headers: Vec<String> = signed_headers?.split(';').map(str::to_ascii_lowercase).collect();
        if !signed_headers.iter().any(|name| name == DATE_HEADER) {
            return None;
        }
        let signature =
            HEXLOWER_PERMISSIVE.decode(signature?.as_bytes()).ok().filter(|mac| mac.len() == 32)?;
        let access_key = access_key.filter(|key| key.len() <= 128)?.to_owned();
        Some(Self { access_key, signed_headers, signature })
    }
}

/// Whether the signature is the one that `secret` makes over this request.
pub(crate) fn fits(
    signature: &Signature,
    parts: &Parts,
    body: &[u8],
    date: &str,
    secret: &SecretText,
) -> bool {
    let Some(canonical) = canonical_request(signature, parts, body) else { return false };
    let hash = HEXLOWER.encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("{ALGORITHM}\n{date}\n{hash}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let expected = hmac::sign(&key, to_sign.as_bytes());
    constant_time::verify_slices_are_equal(expected.as_ref(), &signature.signature).is_ok()
}

fn canonical_request(signature: &Signature, parts: &Parts, body: &[u8]) -> Option<String> {
    let mut headers = String::new();
    for name in &signature.signed_headers {
        let value = header(parts, name)?;
        headers.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let body_hash = match header(parts, BODY_HASH_HEADER) {
        Some(value) => value,
        None => HEXLOWER.encode(digest::digest(&digest::SHA256, body).as_ref()),
    };
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{body_hash}",
        parts.method,
        canonical_path(parts.uri.path()),
        canonical_query(parts.uri.query().unwrap_or_default()),
        signature.signed_headers.join(";"),
    ))
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    let value = parts.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Decodes a piece of a path.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes a piece of a query as HTML forms write it, `+` for a blank.
pub(crate) fn decode_query(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// The path with every piece decoded and encoded anew, so that `:` and `%3A` are the same, and a slash at its end.
fn canonical_path(path: &str) -> String {
    let mut canonical: String =
        path.split('/').map(|piece| encode(&decode(piece))).collect::<Vec<_>>().join("/");
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_query(name), decode_query(value))
        })
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
