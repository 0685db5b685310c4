//! What a relay's replies mean (RFC 5321, section 4.2; the enhanced codes are RFC 3463's and IANA's registry).
//!
//! An enhanced code says more than the reply code in front of it, so it is looked up first.

use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};

use crate::listed::{ListedCode, Ruling, Wait, row, row_with};

const OURS: Ruling = Ruling::Later(Wait::Ours, Scope::Endpoint);
/// A relay that greylists wants to see the same mail again after some minutes.
const GREY: Ruling = Ruling::Later(Wait::Seconds(300), Scope::Endpoint);
const REFUSED: Ruling = Ruling::Refused;
const WRONG: Ruling = Ruling::Misconfigured;

/// The enhanced codes.
pub(crate) const ENHANCED: &[ListedCode] = &[
    row("4.2.2", GREY, Reason::Quota),
    row_with("4.2.0", "reylist", GREY, Reason::RateLimited),
    row_with("4.7.1", "reylist", GREY, Reason::RateLimited),
    row_with("4.7.0", "reylist", GREY, Reason::RateLimited),
    row("4.7.28", GREY, Reason::RateLimited),
    row("4.5.3", OURS, Reason::RateLimited),
    row("5.1.7", WRONG, Reason::Permission),
    row("5.1.8", WRONG, Reason::Permission),
    row("5.1.*", REFUSED, Reason::Recipient),
    row("5.2.1", REFUSED, Reason::TargetGone),
    row("5.2.2", REFUSED, Reason::Quota),
    row("5.2.3", REFUSED, Reason::TooLong),
    row("5.3.4", REFUSED, Reason::TooLong),
    row("5.4.*", REFUSED, Reason::Recipient),
    row_with("5.5.1", "uthenticat", WRONG, Reason::Credentials),
    row("5.5.*", REFUSED, Reason::BadRequest),
    row("5.6.*", REFUSED, Reason::BadRequest),
    row("5.7.0", WRONG, Reason::Credentials),
    row_with("5.7.1", "elay", WRONG, Reason::Permission),
    row_with("5.7.1", "uthenticat", WRONG, Reason::Credentials),
    row("5.7.8", WRONG, Reason::Credentials),
    row("5.7.9", WRONG, Reason::Credentials),
    row("5.7.10", WRONG, Reason::Credentials),
    row("5.7.11", WRONG, Reason::Credentials),
    row("5.7.14", WRONG, Reason::Credentials),
    row("5.7.57", WRONG, Reason::Credentials),
    row("5.7.60", WRONG, Reason::Permission),
    row("5.7.2*", WRONG, Reason::Permission),
    row("5.7.*", REFUSED, Reason::Content),
];

/// The reply codes.
pub(crate) const REPLIES: &[ListedCode] = &[
    row("2*", Ruling::Accepted, Reason::Ok),
    row_with("450", "reylist", GREY, Reason::RateLimited),
    row_with("451", "reylist", GREY, Reason::RateLimited),
    row_with("452", "uota", GREY, Reason::Quota),
    row_with("452", "full", GREY, Reason::Quota),
    row("4*", OURS, Reason::Busy),
    row("500", REFUSED, Reason::BadRequest),
    row("501", REFUSED, Reason::BadRequest),
    row("502", REFUSED, Reason::BadRequest),
    row("503", REFUSED, Reason::BadRequest),
    row("504", REFUSED, Reason::BadRequest),
    row("521", REFUSED, Reason::Recipient),
    row("530", WRONG, Reason::Credentials),
    row("534", WRONG, Reason::Credentials),
    row("535", WRONG, Reason::Credentials),
    row("538", WRONG, Reason::Credentials),
    row_with("550", "elay", WRONG, Reason::Permission),
    row_with("550", "pam", REFUSED, Reason::Content),
    row("550", REFUSED, Reason::Recipient),
    row("551", REFUSED, Reason::Recipient),
    row_with("552", "uota", REFUSED, Reason::Quota),
    row_with("552", "ailbox", REFUSED, Reason::Quota),
    row("552", REFUSED, Reason::TooLong),
    row("553", REFUSED, Reason::Recipient),
    row_with("554", "elay", WRONG, Reason::Permission),
    row("554", REFUSED, Reason::Content),
    row("555", REFUSED, Reason::BadRequest),
    row("556", REFUSED, Reason::Recipient),
];

/// How far an attempt had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Up to the relay's answer to our greeting, and what protects the connection.
    Hello,
    /// Proving who we are.
    Login,
    /// Saying whom it is from.
    Sender,
    /// Saying whom it is for, and asking to send it.
    Recipient,
    /// The mail itself, and the relay's word that it has it.
    Content,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The relay said no: its reply code and its words.
    Reply(String, String),
    /// Its name could not be resolved.
    Resolve,
    /// No connection, or no secure one.
    Connect,
    /// A login would have gone over an open line, or in no way that we know.
    NoLogin,
    /// The relay or the recipient has no form that can be sent.
    Unsendable,
    /// No reply in time.
    Slow,
    /// The connection broke, or what came was no reply.
    Lost,
}

/// The verdict on an attempt that ended in `phase` with `trouble`. Only what was lost after the mail itself had left
/// may have arrived.
pub(crate) fn verdict(phase: Phase, trouble: &Trouble) -> Verdict {
    let later = Outcome::Later { wait: None, scope: Scope::Endpoint };
    match trouble {
        Trouble::Reply(code, text) => replied(phase, code, text),
        Trouble::Resolve => Verdict::plain(later, Reason::Resolve),
        Trouble::NoLogin => Verdict::plain(Outcome::Misconfigured, Reason::Credentials),
        Trouble::Unsendable => Verdict::plain(Outcome::Refused, Reason::Render),
        Trouble::Slow if phase == Phase::Content => Verdict::plain(Outcome::Unknown, Reason::Timeout),
        Trouble::Lost if phase == Phase::Content => Verdict::plain(Outcome::Unknown, Reason::Broken),
        Trouble::Connect | Trouble::Slow | Trouble::Lost => Verdict::plain(later, Reason::Connect),
    }
}

/// The verdict on a reply.
pub(crate) fn replied(phase: Phase, code: &str, text: &str) -> Verdict {
    let enhanced = enhanced(text);
    let by_enhanced = enhanced.and_then(|code| find(ENHANCED, code, text));
    let found = by_enhanced.or_else(|| by_phase(phase, code)).or_else(|| find(REPLIES, code, text));
    let (ruling, reason) = found.unwrap_or((Ruling::Refused, Reason::Unlisted));
    let outcome = match ruling {
        // Nothing but the reply to the mail itself says that it was taken.
        Ruling::Accepted if phase != Phase::Content => Outcome::Later { wait: None, scope: Scope::Endpoint },
        Ruling::Accepted => Outcome::Accepted,
        Ruling::Refused => Outcome::Refused,
        Ruling::Misconfigured => Outcome::Misconfigured,
        Ruling::Unknown => Outcome::Unknown,
        Ruling::Later(Wait::Seconds(seconds), scope) => {
            Outcome::Later { wait: Some(std::time::Duration::from_secs(seconds)), scope }
        }
        Ruling::Later(Wait::Ours | Wait::Header(_) | Wait::NextMonth, scope) => {
            Outcome::Later { wait: None, scope }
        }
    };
    let platform_code = enhanced.map_or_else(|| code.to_owned(), |enhanced| format!("{code}-{enhanced}"));
    let platform_text = Some(text.to_owned()).filter(|text| !text.is_empty());
    Verdict { outcome, reason, platform_code: Some(platform_code), platform_text }
}

fn find(table: &[ListedCode], code: &str, text: &str) -> Option<(Ruling, Reason)> {
    table.iter().find(|row| row.holds(code, text)).map(|row| (row.ruling, row.reason))
}

/// Before a recipient was named, a refusal is about us and not about the recipient.
fn by_phase(phase: Phase, code: &str) -> Option<(Ruling, Reason)> {
    if !code.starts_with('5') {
        return None;
    }
    match phase {
        Phase::Hello => Some((WRONG, Reason::Address)),
        Phase::Login => Some((WRONG, Reason::Credentials)),
        // 552 here is about the size that was announced, 530 about a missing login.
        Phase::Sender if !matches!(code, "552" | "530") => Some((WRONG, Reason::Permission)),
        Phase::Sender | Phase::Recipient | Phase::Content => None,
    }
}

/// The enhanced code that a reply's words begin with, such as `5.1.1`.
fn enhanced(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let mut numbers = word.split('.');
    let mut number = |digits: usize| {
        numbers
            .next()
            .is_some_and(|it| (1..=digits).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit()))
    };
    let fits = number(1) && number(3) && number(3) && numbers.next().is_none();
    (fits && word.starts_with(['2', '4', '5'])).then_some(word)
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
