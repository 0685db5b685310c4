//! What to change after an attempt that did not succeed, in English and Chinese, per platform where it differs.

use std::borrow::Cow;

use carillon_model::Channel;
use carillon_model::outcome::{Advice, Reason};

mod mail;
mod reason;
mod words;

pub use self::reason::{reason_named, reason_words};

/// English and Chinese.
type Pair = (&'static str, &'static str);

/// Whose words the advice must use.
#[derive(Clone, Copy)]
enum Family {
    Dingtalk,
    App,
    Lark,
    Wecom,
    Web,
    Office,
    Mail,
}

/// Tells what to change on `channel` after an attempt that ended for `reason`.
#[must_use]
pub fn advice(channel: Channel, reason: Reason) -> Advice {
    let family = match channel {
        Channel::Dingtalk => Family::Dingtalk,
        Channel::DingtalkPerson => Family::App,
        Channel::Lark => Family::Lark,
        Channel::Wecom => Family::Wecom,
        Channel::Http | Channel::Https => Family::Web,
        Channel::Office => Family::Office,
        Channel::Email => Family::Mail,
    };
    let (en, zh) = pair(family, reason);
    Advice { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
}

/// What only an office app's connection can be told.
fn office(reason: Reason) -> Option<Pair> {
    let told = [
        (Reason::Address, words::ADDRESS_OFFICE),
        (Reason::Credentials, words::CREDENTIALS_OFFICE),
        (Reason::Permission, words::PERMISSION_OFFICE),
        (Reason::TargetGone, words::TARGET_GONE_OFFICE),
        (Reason::Recipient, words::RECIPIENT_OFFICE),
        (Reason::AccessToken, words::ACCESS_TOKEN_OFFICE),
        (Reason::TooLong, words::TOO_LONG_OFFICE),
        (Reason::BadRequest, words::BAD_REQUEST_OFFICE),
        (Reason::Render, words::RENDER_OFFICE),
    ];
    told.into_iter().find(|(own, _)| *own == reason).map(|(_, pair)| pair)
}

fn pair(family: Family, reason: Reason) -> Pair {
    use Family::{App, Dingtalk, Lark, Mail, Office, Web, Wecom};
    match (family, mail::mail(reason), office(reason)) {
        (Mail, Some(pair), _) | (Office, _, Some(pair)) => return pair,
        _ => {}
    }
    match (reason, family) {
        (Reason::Ok, _) => words::OK,
        (Reason::Keyword, Lark) => words::KEYWORD_LARK,
        (Reason::Keyword, Dingtalk | App | Wecom | Web | Mail | Office) => words::KEYWORD,
        (Reason::Signature, _) => words::SIGNATURE,
        (Reason::Clock, _) => words::CLOCK,
        (Reason::SignatureOrClock, _) => words::SIGNATURE_OR_CLOCK,
        (Reason::Address, App) => words::ADDRESS_APP,
        (Reason::Address, Dingtalk | Lark | Wecom | Web | Mail | Office) => words::ADDRESS,
        (Reason::Security, _) => words::SECURITY,
        (Reason::TokenUnknown, Lark) => words::TOKEN_UNKNOWN_LARK,
        (Reason::TokenUnknown, Dingtalk | App | Wecom | Web | Mail | Office) => words::TOKEN_UNKNOWN,
        (Reason::Credentials, _) => words::CREDENTIALS,
        (Reason::Permission, _) => words::PERMISSION,
        (Reason::TargetGone, _) => words::TARGET_GONE,
        (Reason::Recipient, _) => words::RECIPIENT,
        (Reason::TooLong, _) => words::TOO_LONG,
        (Reason::Content, _) => words::CONTENT,
        (Reason::BadRequest, Lark) => words::BAD_REQUEST_LARK,
        (Reason::BadRequest, Dingtalk | App | Wecom | Web | Mail | Office) => words::BAD_REQUEST,
        (Reason::RateLimited, Dingtalk) => words::RATE_DINGTALK,
        (Reason::RateLimited, App | Office) => words::RATE_APP,
        (Reason::RateLimited, Lark) => words::RATE_LARK,
        (Reason::RateLimited, Wecom) => words::RATE_WECOM,
        (Reason::RateLimited, Web | Mail) => words::RATE_WEB,
        (Reason::Quota, _) => words::QUOTA,
        (Reason::Busy, Web) => words::BUSY_WEB,
        (Reason::Busy, Dingtalk | App | Lark | Wecom | Mail | Office) => words::BUSY,
        (Reason::AccessToken, _) => words::ACCESS_TOKEN,
        (Reason::Resolve, _) => words::RESOLVE,
        (Reason::Connect, Web) => words::CONNECT_WEB,
        (Reason::Connect, Dingtalk | App | Lark | Wecom | Mail | Office) => words::CONNECT,
        (Reason::Forbidden, _) => words::FORBIDDEN,
        (Reason::Timeout, Web) => words::TIMEOUT_WEB,
        (Reason::Timeout, Dingtalk | App | Lark | Wecom | Mail | Office) => words::TIMEOUT,
        (Reason::Broken, _) => words::BROKEN,
        (Reason::Answer, _) => words::ANSWER,
        (Reason::Status, _) => words::STATUS,
        (Reason::PlatformUnsure, _) => words::PLATFORM_UNSURE,
        (Reason::Interrupted, _) => words::INTERRUPTED,
        (Reason::Unopened, _) => words::UNOPENED,
        (Reason::Render, _) => words::RENDER,
        (Reason::Unlisted, _) => words::UNLISTED,
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Channel;
    use carillon_model::outcome::Reason;

    use super::advice;

    #[test]
    fn there_is_advice_for_everything_in_both_languages() {
        for channel in Channel::ALL {
            for reason in Reason::ALL {
                let advice = advice(channel, reason);
                assert!(advice.en.ends_with('.') && advice.en.is_ascii(), "{channel} {reason:?}");
                assert!(advice.zh.ends_with('。') && !advice.zh.is_ascii(), "{channel} {reason:?}");
            }
        }
    }

    #[test]
    fn every_reason_has_advice_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in Reason::ALL {
            assert!(seen.insert(advice(Channel::Dingtalk, reason).en), "{reason:?}");
        }
    }
}
