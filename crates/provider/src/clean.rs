//! A platform's words, made fit to be kept: no secret of ours, no address of ours, no link, no control characters,
//! and at most [`PLATFORM_TEXT_BYTES_MAX`] bytes.

use std::net::{IpAddr, SocketAddr};

use carillon_model::limits::PLATFORM_TEXT_BYTES_MAX;
use carillon_model::outcome::Verdict;
use carillon_model::text::shorten;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for anything taken out.
const MASK: &str = "***";
/// The longest code that is kept, in bytes.
const CODE_BYTES_MAX: usize = 100;
/// The shortest secret that is taken out, in bytes: one letter is in every word, and no secret.
const SECRET_MIN: usize = 2;
/// Words may grow while they are cleaned, but no more than this of them is looked at.
const LOOK_BYTES_MAX: usize = 8 * 1024;

/// Cleans code and words of a verdict; `secrets` are what must not be seen in them.
pub(crate) fn verdict(verdict: Verdict, secrets: &[&str]) -> Verdict {
    if is_plain(&verdict) {
        return verdict;
    }
    Verdict {
        platform_code: verdict.platform_code.map(|code| {
            let code: String = without_secrets(&code, secrets)
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '*'))
                .collect();
            shorten(&code, CODE_BYTES_MAX)
        }),
        platform_text: verdict.platform_text.and_then(|words| text(&words, secrets)),
        ..verdict
    }
}

/// Whether a verdict has nothing in it that a secret could stand in: no words, and at most a number as its code.
pub(crate) fn is_plain(verdict: &Verdict) -> bool {
    const DIGITS_MAX: usize = 6;
    let number =
        |code: &str| code.len() <= DIGITS_MAX && code.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    verdict.platform_text.is_none() && verdict.platform_code.as_deref().is_none_or(number)
}

/// Cleans words; nothing when nothing is left.
pub(crate) fn text(words: &str, secrets: &[&str]) -> Option<String> {
    // A secret that the cut would halve has to be found before it.
    let words = without_secrets(words, secrets);
    let words = shorten(&words, LOOK_BYTES_MAX);
    let words = without_brackets(&words);
    let words = without_links(&words);
    let words = without_addresses(&words);
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = words.trim();
    (!words.is_empty()).then(|| shorten(words, PLATFORM_TEXT_BYTES_MAX))
}

fn without_secrets(words: &str, secrets: &[&str]) -> String {
    // What is longer than the words cannot stand in them, encoded or not.
    let fits = |secret: &&str| secret.trim().len() >= SECRET_MIN && secret.len() <= words.len();
    let mut secrets: Vec<&str> = secrets.iter().copied().filter(fits).collect();
    // A secret may be the beginning of another one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut words = words.to_owned();
    for secret in secrets {
        words = words.replace(secret, MASK);
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        if encoded != secret {
            words = words.replace(&encoded, MASK);
        }
    }
    words
}

/// WeCom's "hint: [...]" changes with each answer, and DingTalk's "more: [...]" holds a link.
fn without_brackets(words: &str) -> String {
    let mut words = words.to_owned();
    for opening in ["hint: [", "more: ["] {
        let Some((before, rest)) = words.split_once(opening) else { continue };
        let after = rest.split_once(']').map_or("", |(_inside, after)| after);
        words = format!("{before}{opening}{MASK}]{after}");
    }
    words
}

fn without_links(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some((before, _)) = rest.split_once("://") {
        let scheme_at = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| {
            at + before.get(at..).and_then(|tail| tail.chars().next()).map_or(1, char::len_utf8)
        });
        out.push_str(before.get(..scheme_at).unwrap_or_default());
        out.push_str(MASK);
        let link = rest.get(scheme_at..).unwrap_or_default();
        let end = link
            .find(|c: char| {
                c.is_whitespace() || matches!(c, ']' | ')' | '>' | '"' | '\'' | ',' | ';' | '，' | '。')
            })
            .unwrap_or(link.len());
        rest = link.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn without_addresses(words: &str) -> String {
    let in_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']');
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(start) = rest.find(in_address) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !in_address(c)).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&without_address(run));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A run of characters that may be an address, with or without a port, perhaps in brackets or before a full stop.
fn without_address(run: &str) -> String {
    let candidates = [
        run,
        run.trim_end_matches(['.', ':']),
        run.trim_matches(['.', ']', '[']),
        run.trim_matches(['.', ':', ']', '[']),
    ];
    for candidate in candidates {
        if is_address(candidate) {
            return run.replace(candidate, MASK);
        }
    }
    run.to_owned()
}

fn is_address(text: &str) -> bool {
    // `d::` is an address too, but hardly one that anybody means.
    const SHORTEST: usize = 6;
    text.len() >= SHORTEST && (text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::text;

    #[test]
    fn cleans_what_platforms_say() {
        for (words, clean) in [
            (
                "invalid webhook url, hint: [1700000000_1_abc], from ip: 203.0.113.9, more info at \
                 https://example.invalid/query?e=93000",
                "invalid webhook url, hint: [***], from ip: ***, more info at ***",
            ),
            (
                "keywords not in content, more: [https://example.invalid]",
                "keywords not in content, more: [***]",
            ),
            ("ip 203.0.113.9 not in whitelist.", "ip *** not in whitelist."),
            ("来自ip:203.0.113.9,拒绝", "来自ip:***,拒绝"),
            ("from 2001:db8::9 or [2001:db8::9]:443.", "from *** or ***."),
            ("a\nb\u{7}c", "a b c"),
            ("see http://a/?token=1。错", "see ***。错"),
            ("磁://x y", "磁*** y"),
            ("code 1.2.3 at 10:30, std::io face: bad", "code 1.2.3 at 10:30, std::io face: bad"),
        ] {
            assert_eq!(text(words, &[]).as_deref(), Some(clean));
        }
        assert_eq!(text(" \n", &[]), None);
    }

    #[test]
    fn masks_secrets_longest_first_and_encoded() {
        assert_eq!(text("abc abcdef a%2Fb", &["abc", "abcdef", "a/b", ""]).unwrap(), "*** *** ***");
        let long = format!("{}SECRET", "x".repeat(497));
        assert!(!text(&long, &["SECRET"]).unwrap().contains("SEC"));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_keeps_a_secret(words in ".{0,200}", secret in "[a-z0-9]{4,12}", at in 0_usize..20) {
            let mut chars: Vec<char> = words.chars().collect();
            let at = at.min(chars.len());
            chars.splice(at..at, secret.chars());
            let words: String = chars.into_iter().collect();
            let clean = text(&words, &[&secret]).unwrap_or_default();
            prop_assert!(!clean.contains(&secret));
            prop_assert!(clean.len() <= 500);
        }
    }
}
