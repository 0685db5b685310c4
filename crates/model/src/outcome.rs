//! What an attempt came back as, and why: closed lists.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far a pause reaches that a platform asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This endpoint only.
    Endpoint,
    /// Everything this machine sends to that platform's host.
    Host,
    /// Everything of the organisation behind the endpoint.
    Organisation,
}

/// What an attempt came back as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The platform said, in its body, that it took the message.
    Accepted,
    /// The platform will never take this message; trying again is no use.
    Refused,
    /// A person must change something (a secret, a keyword, a right) before anything can arrive there.
    Misconfigured,
    /// Not now: a limit, a busy platform, a connection that could not be made. Nothing arrived.
    Later {
        /// How long the platform asked to wait, if it did.
        wait: Option<Duration>,
        /// How far the pause reaches.
        scope: Scope,
    },
    /// The request left and no verdict came back: it may have arrived.
    Unknown,
}

impl Outcome {
    /// The names of all outcomes.
    pub const NAMES: [&'static str; 5] = ["accepted", "refused", "misconfigured", "later", "unknown"];

    /// The outcome's name in the API, in metrics and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
            Self::Later { .. } => "later",
            Self::Unknown => "unknown",
        }
    }
}

/// Why an attempt came back as it did: one list for all platforms, so that advice, metrics and exit codes agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Accepted.
    Ok,
    /// The robot wants a keyword that the text lacks.
    Keyword,
    /// The signature is wrong: no secret, or another one.
    Signature,
    /// The signature is too old or too new: a clock is off.
    Clock,
    /// The signature or the clock is wrong, and the platform does not say which.
    SignatureOrClock,
    /// Our address is not on the robot's or the app's list.
    Address,
    /// A security setting of the robot, unclear which.
    Security,
    /// The platform does not know the endpoint's token or key.
    TokenUnknown,
    /// An app's key or secret is wrong.
    Credentials,
    /// The app lacks a permission.
    Permission,
    /// The group or the robot is gone or stopped.
    TargetGone,
    /// This person cannot be reached.
    Recipient,
    /// The message is larger than the platform takes.
    TooLong,
    /// The platform's content check refused the text.
    Content,
    /// The platform did not understand the message.
    BadRequest,
    /// Too many messages.
    RateLimited,
    /// The organisation's monthly quota is used up.
    Quota,
    /// The platform is busy or broken for the moment.
    Busy,
    /// An access token died and a fresh one did not help.
    AccessToken,
    /// The host's name could not be resolved.
    Resolve,
    /// No connection, or no secure one, could be made.
    Connect,
    /// The address leads to a private or forbidden network.
    Forbidden,
    /// No answer in time, after the request had left.
    Timeout,
    /// The connection broke after the request had left.
    Broken,
    /// The answer was not the platform's form.
    Answer,
    /// A web endpoint answered with an HTTP status that is no success.
    Status,
    /// The platform itself does not know whether it sent it.
    PlatformUnsure,
    /// The server stopped while the attempt was under way.
    Interrupted,
    /// What the subscription keeps sealed could not be opened, or there is no key to sign with: nothing was sent.
    Unopened,
    /// The message cannot be rendered for this channel.
    Render,
    /// A code that no table lists.
    Unlisted,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 31] = [
        Self::Ok,
        Self::Keyword,
        Self::Signature,
        Self::Clock,
        Self::SignatureOrClock,
        Self::Address,
        Self::Security,
        Self::TokenUnknown,
        Self::Credentials,
        Self::Permission,
        Self::TargetGone,
        Self::Recipient,
        Self::TooLong,
        Self::Content,
        Self::BadRequest,
        Self::RateLimited,
        Self::Quota,
        Self::Busy,
        Self::AccessToken,
        Self::Resolve,
        Self::Connect,
        Self::Forbidden,
        Self::Timeout,
        Self::Broken,
        Self::Answer,
        Self::Status,
        Self::PlatformUnsure,
        Self::Interrupted,
        Self::Unopened,
        Self::Render,
        Self::Unlisted,
    ];

    /// The reason's name in the API, in metrics and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Keyword => "keyword",
            Self::Signature => "signature",
            Self::Clock => "clock",
            Self::SignatureOrClock => "signature_or_clock",
            Self::Address => "address",
            Self::Security => "security",
            Self::TokenUnknown => "token_unknown",
            Self::Credentials => "credentials",
            Self::Permission => "permission",
            Self::TargetGone => "target_gone",
            Self::Recipient => "recipient",
            Self::TooLong => "too_long",
            Self::Content => "content",
            Self::BadRequest => "bad_request",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::Busy => "busy",
            Self::AccessToken => "access_token",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Forbidden => "forbidden",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Answer => "answer",
            Self::Status => "status",
            Self::PlatformUnsure => "platform_unsure",
            Self::Interrupted => "interrupted",
            Self::Unopened => "unopened",
            Self::Render => "render",
            Self::Unlisted => "unlisted",
        }
    }

    /// The reason of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What to change, in the languages that people read it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// English.
    pub en: Cow<'static, str>,
    /// Chinese.
    pub zh: Cow<'static, str>,
}

/// One attempt's verdict, as a provider hands it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it came back as.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The platform's own code, if it gave one.
    pub platform_code: Option<String>,
    /// The platform's own words, at most [`crate::limits::PLATFORM_TEXT_BYTES_MAX`] bytes, cleaned of secrets and of our address.
    pub platform_text: Option<String>,
}

impl Verdict {
    /// A verdict without a platform's code or words.
    #[must_use]
    pub fn plain(outcome: Outcome, reason: Reason) -> Self {
        Self { outcome, reason, platform_code: None, platform_text: None }
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn reasons_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
        }
    }
}
