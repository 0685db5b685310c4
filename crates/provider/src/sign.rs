//! HMAC-SHA256 in standard base64: what the platforms' robots are signed with.

use aws_lc_rs::hmac;
use data_encoding::BASE64;

/// Signs `message` with `key`.
pub(crate) fn hmac_base64(key: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    BASE64.encode(hmac::sign(&key, message.as_bytes()).as_ref())
}
