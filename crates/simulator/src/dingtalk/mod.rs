//! DingTalk: the group robot's webhook, and the internal app's interface.

use std::collections::HashMap;

use crate::clock::month_in_china;
use crate::limit::Meter;

pub(crate) mod app;
mod message;
mod param;
pub(crate) mod robot;
pub(crate) mod token;

/// What DingTalk remembers between calls.
#[derive(Debug, Default)]
pub(crate) struct Dingtalk {
    meters: HashMap<String, Meter>,
    seen: robot::Seen,
    webhook_quota: Quota,
    api_quota: Quota,
    tokens: token::Tokens,
}

impl Dingtalk {
    pub(crate) fn set_webhook_quota(&mut self, most: u64) {
        self.webhook_quota.most = Some(most);
    }

    pub(crate) fn set_api_quota(&mut self, most: u64) {
        self.api_quota.most = Some(most);
    }

    /// The app that a living token belongs to.
    pub(crate) fn app_of_token(&self, token: &str, now_ms: i64) -> Option<&str> {
        self.tokens.app_key(token, now_ms)
    }

    pub(crate) fn living_tokens(&self) -> Vec<String> {
        self.tokens.living()
    }

    pub(crate) fn expire_tokens(&mut self, app_key: &str) {
        self.tokens.expire(app_key);
    }
}

/// A count per calendar month, for the whole organisation.
#[derive(Debug, Default)]
struct Quota {
    most: Option<u64>,
    month: (i64, i64),
    used: u64,
}

impl Quota {
    /// Counts one call, or refuses it when the month is used up.
    fn take(&mut self, now_ms: i64) -> bool {
        let month = month_in_china(now_ms);
        if self.month != month {
            self.month = month;
            self.used = 0;
        }
        if self.most.is_some_and(|most| self.used >= most) {
            return false;
        }
        self.used += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Quota;

    #[test]
    fn a_quota_starts_anew_with_the_month() {
        let mut quota = Quota { most: Some(1), ..Quota::default() };
        let november = 1_701_359_999_000;
        assert!(quota.take(november));
        assert!(!quota.take(november));
        assert!(quota.take(november + 1000));
    }
}
