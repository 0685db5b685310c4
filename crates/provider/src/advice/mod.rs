//! What to change after an attempt that did not succeed, in English and Chinese, per platform where it differs.

use std::borrow::Cow;

use carillon_model::Channel;
use carillon_model::outcome::{Advice, Reason};

mod mail;
mod words;

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
        Channel::Email => Family::Mail,
    };
    let (en, zh) = pair(family, reason);
    Advice { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
}

fn pair(family: Family, reason: Reason) -> Pair {
    use Family::{App, Dingtalk, Lark, Mail, Web, Wecom};
    if let (Mail, Some(pair)) = (family, mail::mail(reason)) {
        return pair;
    }
    match (reason, family) {
        (Reason::Ok, _) => words::OK,
        (Reason::Keyword, Lark) => words::KEYWORD_LARK,
        (Reason::Keyword, Dingtalk | App | Wecom | Web | Mail) => words::KEYWORD,
        (Reason::Signature, _) => words::SIGNATURE,
        (Reason::Clock, _) => words::CLOCK,
        (Reason::SignatureOrClock, _) => words::SIGNATURE_OR_CLOCK,
        (Reason::Address, App) => words::ADDRESS_APP,
        (Reason::Address, Dingtalk | Lark | Wecom | Web | Mail) => words::ADDRESS,
        (Reason::Security, _) => words::SECURITY,
        (Reason::TokenUnknown, Lark) => words::TOKEN_UNKNOWN_LARK,
        (Reason::TokenUnknown, Dingtalk | App | Wecom | Web | Mail) => words::TOKEN_UNKNOWN,
        (Reason::Credentials, _) => words::CREDENTIALS,
        (Reason::Permission, _) => words::PERMISSION,
        (Reason::TargetGone, _) => words::TARGET_GONE,
        (Reason::Recipient, _) => words::RECIPIENT,
        (Reason::TooLong, _) => words::TOO_LONG,
        (Reason::Content, _) => words::CONTENT,
        (Reason::BadRequest, Lark) => words::BAD_REQUEST_LARK,
        (Reason::BadRequest, Dingtalk | App | Wecom | Web | Mail) => words::BAD_REQUEST,
        (Reason::RateLimited, Dingtalk) => words::RATE_DINGTALK,
        (Reason::RateLimited, App) => words::RATE_APP,
        (Reason::RateLimited, Lark) => words::RATE_LARK,
        (Reason::RateLimited, Wecom) => words::RATE_WECOM,
        (Reason::RateLimited, Web | Mail) => words::RATE_WEB,
        (Reason::Quota, _) => words::QUOTA,
        (Reason::Busy, Web) => words::BUSY_WEB,
        (Reason::Busy, Dingtalk | App | Lark | Wecom | Mail) => words::BUSY,
        (Reason::AccessToken, _) => words::ACCESS_TOKEN,
        (Reason::Resolve, _) => words::RESOLVE,
        (Reason::Connect, Web) => words::CONNECT_WEB,
        (Reason::Connect, Dingtalk | App | Lark | Wecom | Mail) => words::CONNECT,
        (Reason::Forbidden, _) => words::FORBIDDEN,
        (Reason::Timeout, Web) => words::TIMEOUT_WEB,
        (Reason::Timeout, Dingtalk | App | Lark | Wecom | Mail) => words::TIMEOUT,
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
