//! The two signature constructions, DingTalk's and Lark's, and the comparison both share.

use aws_lc_rs::{constant_time, hmac};
use data_encoding::BASE64;

/// DingTalk: the secret is the key and, after the timestamp, the message.
pub(crate) fn dingtalk(timestamp_ms: &str, secret: &str) -> String {
    authenticate(secret.as_bytes(), format!("{timestamp_ms}\n{secret}").as_bytes())
}

/// Lark: timestamp and secret are the key, the message is empty.
pub(crate) fn lark(timestamp_s: &str, secret: &str) -> String {
    authenticate(format!("{timestamp_s}\n{secret}").as_bytes(), b"")
}

/// Derives a text nobody without the secret can guess; access tokens and media ids are made of it.
pub(crate) fn derive(secret: &str, about: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    data_encoding::HEXLOWER.encode(hmac::sign(&key, about.as_bytes()).as_ref()).chars().take(32).collect()
}

/// Compares without telling by its duration where the difference is.
pub(crate) fn same(left: &str, right: &str) -> bool {
    constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}

fn authenticate(key: &[u8], message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    BASE64.encode(hmac::sign(&key, message).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dingtalk_vectors() {
        let zeros = format!("SEC{}", "0".repeat(64));
        let faces = format!("SEC{}", "feedface".repeat(8));
        let long = "SEC4f9a1c0b7d2e83655aa1b0c9d8e7f60123456789abcdef0123456789abcdef01";
        let vectors = [
            (zeros.as_str(), "1700000000000", "+8WOOUUcTkFRyfCevQaISh9EUbkxaatnd6MLtL7dAY8="),
            (long, "1735689600000", "YeUfmm7PMUDtc3hQuf7IG/9IWBsHRImS7pp84OFDQwU="),
            ("SECabcdef", "1577262236757", "wbw0gwLOYBOOGZpgsMsPiXY+qWukWiqOZao7SBn5824="),
            ("this is a secret", "1577262236757", "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="),
            (faces.as_str(), "1767225600001", "UwRn+nEXFvLUW1XnZX/MQpNETuXiSXQKFnGOIFOYfRQ="),
        ];
        for (secret, timestamp, expected) in vectors {
            assert_eq!(dingtalk(timestamp, secret), expected);
        }
    }

    #[test]
    fn lark_vectors() {
        let vectors = [
            ("demo", "1599360473", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="),
            ("x", "1700000000", "t2WKLO/e84QnCSsgE16ZiT4RlU8enB7yv0kH7MEVm98="),
            ("Zm9vYmFyYmF6cXV4cXV1eA", "1735689600", "dMh/WSJMpvacIrqVViPKlkCbeKghTzGg/EizQcd7ZVg="),
            ("密钥-secret_01", "1767225600", "FRcwKgi+2P8oWDz95ZakluYoGDrB6d09x5QVmSAf6yM="),
        ];
        for (secret, timestamp, expected) in vectors {
            assert_eq!(lark(timestamp, secret), expected);
            assert_ne!(dingtalk(timestamp, secret), expected);
        }
    }
}
