//! What proves that a platform's word about changes is its own.

use data_encoding::{BASE64_NOPAD, Specification};
use serde::{Deserialize, Serialize};

use crate::error::{Field, Invalid};
use crate::office::Platform;
use crate::secret::SecretText;

/// The longest token or key, in bytes.
const BYTES_MAX: usize = 128;
/// How long the key of `WeCom` and `DingTalk` is.
const WIDE_KEY_CHARS: usize = 43;

/// A connection's secrets for callbacks, as they stand on the app's page. They are sealed at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Lark's verification token, `WeCom`'s Token, `DingTalk`'s token for signatures.
    pub token: SecretText,
    /// Lark's encrypt key, `WeCom`'s `EncodingAESKey`, `DingTalk`'s AES key.
    pub key: SecretText,
}

impl Callback {
    /// Reads what was typed.
    ///
    /// # Errors
    /// When a part cannot be right; it is never repeated.
    pub fn parse(platform: Platform, token: &SecretText, key: &SecretText) -> Result<Self, Invalid> {
        let trimmed = |text: &SecretText| SecretText::new(text.reveal().trim());
        let read = Self { token: trimmed(token), key: trimmed(key) };
        let fits = |text: &SecretText| {
            let text = text.reveal();
            (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        if !fits(&read.token) || !fits(&read.key) {
            let rule = "token and key must both be given, as the app's page shows them: 1 to 128 letters, digits and signs";
            return Err(Invalid::new(Field::Callback, rule));
        }
        let wide = matches!(platform, Platform::Dingtalk | Platform::Wecom);
        if wide && read.wide_key().is_none() {
            let rule = "key must be the 43 letters and digits that the app's page shows";
            return Err(Invalid::new(Field::Callback, rule));
        }
        Ok(read)
    }

    /// The 32 bytes that the 43 characters of the key stand for.
    #[must_use]
    pub fn wide_key(&self) -> Option<[u8; 32]> {
        let text = self.key.reveal();
        if text.len() != WIDE_KEY_CHARS {
            return None;
        }
        // Platforms make keys at random, so that the two bits behind the last byte may be anything.
        let mut loose: Specification = BASE64_NOPAD.specification();
        loose.check_trailing_bits = false;
        let bytes = loose.encoding().ok()?.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Callback;
    use crate::office::Platform;

    fn parse(platform: Platform, token: &str, key: &str) -> bool {
        Callback::parse(platform, &token.into(), &key.into()).is_ok()
    }

    #[test]
    fn each_platforms_key_is_checked() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        assert!(parse(Platform::Wecom, "tok0001", key) && parse(Platform::Dingtalk, " tok ", key));
        assert!(
            parse(Platform::Wecom, "t", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
            "any last character"
        );
        assert!(parse(Platform::Lark, "v-token", "ek-notify-01"));
        for (token, key) in [("", key), ("t", ""), ("t", "short"), ("a b", key), ("t", "中")] {
            assert!(!parse(Platform::Wecom, token, key), "{token} {key}");
        }
        let printed = format!("{:?}", Callback { token: "hush".into(), key: "quiet".into() });
        assert!(!printed.contains("hush") && !printed.contains("quiet"), "{printed}");
    }
}
