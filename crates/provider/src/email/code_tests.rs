use std::time::Duration;

use carillon_model::outcome::{Outcome, Reason, Scope};
use proptest::prelude::*;

use super::{Phase, Trouble, enhanced, replied, verdict};

const fn later(seconds: Option<u64>) -> Outcome {
    let wait = match seconds {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => None,
    };
    Outcome::Later { wait, scope: Scope::Endpoint }
}

#[test]
fn replies_to_a_recipient_are_judged_by_the_more_precise_code() {
    use Outcome::{Misconfigured, Refused};
    let ours = later(None);
    for (code, words, outcome, reason) in [
        ("450", "4.2.0 <x>: Recipient address rejected: Greylisted", later(Some(300)), Reason::RateLimited),
        ("451", "4.7.1 Greylisting in action, please come back later", later(Some(300)), Reason::RateLimited),
        ("451", "Greylisted, try again in 300 seconds", later(Some(300)), Reason::RateLimited),
        ("450", "mailbox busy", ours, Reason::Busy),
        ("421", "4.3.2 closing", ours, Reason::Busy),
        ("452", "4.2.2 The email account is over quota", later(Some(300)), Reason::Quota),
        ("452", "4.5.3 Too many recipients", ours, Reason::RateLimited),
        ("454", "4.7.0 TLS not available", ours, Reason::Busy),
        ("421", "4.7.28 Our system has detected an unusual rate", later(Some(300)), Reason::RateLimited),
        ("550", "5.1.1 The email account does not exist", Refused, Reason::Recipient),
        ("550", "5.1.10 Recipient not found", Refused, Reason::Recipient),
        ("550", "No such user here", Refused, Reason::Recipient),
        ("550", "5.2.1 The account is disabled", Refused, Reason::TargetGone),
        ("552", "5.2.2 mailbox full", Refused, Reason::Quota),
        ("552", "Mailbox quota exceeded", Refused, Reason::Quota),
        ("552", "5.3.4 Message size exceeds fixed limit", Refused, Reason::TooLong),
        ("552", "too big", Refused, Reason::TooLong),
        ("550", "5.4.1 Recipient address rejected: Access denied", Refused, Reason::Recipient),
        ("530", "5.5.1 Authentication Required.", Misconfigured, Reason::Credentials),
        ("530", "5.7.0 Must issue a STARTTLS command first", Misconfigured, Reason::Credentials),
        ("550", "5.7.1 Unable to relay", Misconfigured, Reason::Permission),
        ("554", "5.7.1 <x>: Relay access denied", Misconfigured, Reason::Permission),
        ("554", "Relay access denied", Misconfigured, Reason::Permission),
        ("550", "5.7.1 Our system has detected that this message is likely spam", Refused, Reason::Content),
        (
            "550",
            "5.7.26 Unauthenticated email is not accepted due to DMARC policy",
            Misconfigured,
            Reason::Permission,
        ),
        (
            "550",
            "5.7.60 Client does not have permissions to send as this sender",
            Misconfigured,
            Reason::Permission,
        ),
        ("554", "5.6.0 malformed", Refused, Reason::BadRequest),
        ("501", "syntax error", Refused, Reason::BadRequest),
        ("556", "no mail here", Refused, Reason::Recipient),
        ("599", "what", Refused, Reason::Unlisted),
    ] {
        let verdict = replied(Phase::Recipient, code, words);
        assert_eq!((verdict.outcome, verdict.reason), (outcome, reason), "{code} {words}");
        assert_eq!(verdict.platform_text.as_deref(), Some(words));
    }
}

#[test]
fn before_a_recipient_is_named_a_refusal_is_about_us() {
    for (phase, code, words, reason) in [
        (Phase::Hello, "554", "No SMTP service here", Reason::Address),
        (Phase::Login, "535", "5.7.8 Authentication credentials invalid", Reason::Credentials),
        (Phase::Login, "550", "no", Reason::Credentials),
        (Phase::Sender, "550", "sender refused", Reason::Permission),
        (Phase::Sender, "553", "5.1.8 Sender domain does not exist", Reason::Permission),
        (Phase::Sender, "530", "log in", Reason::Credentials),
    ] {
        let verdict = replied(phase, code, words);
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Misconfigured, reason), "{code} {words}");
    }
    assert_eq!(replied(Phase::Login, "454", "4.7.0 Temporary failure").outcome, later(None));
    assert_eq!(replied(Phase::Sender, "552", "5.3.4 too big").reason, Reason::TooLong);
}

#[test]
fn only_the_reply_to_the_mail_itself_says_that_it_was_taken() {
    let taken = replied(Phase::Content, "250", "2.0.0 Ok: queued as 1A2B");
    assert_eq!((taken.outcome, taken.reason), (Outcome::Accepted, Reason::Ok));
    assert_eq!(taken.platform_code.as_deref(), Some("250-2.0.0"));
    assert_eq!(replied(Phase::Content, "250", "").platform_code.as_deref(), Some("250"));
    assert_ne!(replied(Phase::Recipient, "250", "ok").outcome, Outcome::Accepted);
}

#[test]
fn only_what_was_lost_after_the_mail_had_left_may_have_arrived() {
    for phase in [Phase::Hello, Phase::Login, Phase::Sender, Phase::Recipient] {
        for trouble in [Trouble::Slow, Trouble::Lost, Trouble::Connect] {
            assert_eq!(verdict(phase, &trouble).outcome, later(None), "{phase:?}");
        }
    }
    assert_eq!(verdict(Phase::Content, &Trouble::Slow).reason, Reason::Timeout);
    for trouble in [Trouble::Slow, Trouble::Lost] {
        assert_eq!(verdict(Phase::Content, &trouble).outcome, Outcome::Unknown);
    }
    assert_eq!(verdict(Phase::Hello, &Trouble::Resolve).reason, Reason::Resolve);
    assert_eq!(verdict(Phase::Login, &Trouble::NoLogin).outcome, Outcome::Misconfigured);
    assert_eq!(verdict(Phase::Sender, &Trouble::Unsendable).outcome, Outcome::Refused);
}

#[test]
fn enhanced_codes_are_found_at_the_beginning_only() {
    for (words, code) in [
        ("5.1.1 no", Some("5.1.1")),
        ("4.7.28", Some("4.7.28")),
        ("5.1 no", None),
        ("5.1.1.1 no", None),
        ("10.1.1 no", None),
        ("3.1.1 no", None),
        ("no 5.1.1", None),
        ("", None),
    ] {
        assert_eq!(enhanced(words), code, "{words}");
    }
}

proptest! {
    /// Whatever a relay says: 4xx is tried again, 5xx never is, and nothing but the mail's own 2xx is success.
    #[test]
    fn classes_hold(number in 200_u16..600, words in "[ -~]{0,40}", in_content: bool) {
        let phase = if in_content { Phase::Content } else { Phase::Recipient };
        let code = number.to_string();
        // A relay that contradicts itself in its two codes is not meant here.
        prop_assume!(enhanced(&words).is_none());
        let outcome = replied(phase, &code, &words).outcome;
        match number / 100 {
            2 => prop_assert_eq!(outcome == Outcome::Accepted, in_content),
            4 => {
                let later = matches!(outcome, Outcome::Later { .. });
                prop_assert!(later);
            }
            _ => {
                let ended = matches!(outcome, Outcome::Refused | Outcome::Misconfigured);
                prop_assert!(ended);
            }
        }
    }
}
