//! Lark's and Feishu's codes of a custom bot's webhook ("custom bot guide", "generic error codes").

use carillon_model::outcome::{Reason, Scope};

use crate::listed::{ListedCode, Ruling, Wait, row};

use Ruling::{Accepted, Later, Misconfigured, Refused};
use Scope::{Endpoint, Organisation};
use Wait::{Header, NextMonth, Ours, Seconds};

/// The header in which the gateway says when the limit ends, in seconds.
const RESET: &str = "x-ogw-ratelimit-reset";

/// All of them. 11232 and 11233 have no stated length; ten seconds lie past their windows of a second.
pub(crate) const TABLE: &[ListedCode] = &[
    row("0", Accepted, Reason::Ok),
    row("19001", Misconfigured, Reason::TokenUnknown),
    row("19021", Misconfigured, Reason::SignatureOrClock),
    row("19022", Misconfigured, Reason::Address),
    row("19024", Misconfigured, Reason::Keyword),
    row("19002", Refused, Reason::BadRequest),
    row("9499", Refused, Reason::BadRequest),
    row("11246", Refused, Reason::BadRequest),
    row("19036", Refused, Reason::TooLong),
    row("11232", Later(Seconds(10), Endpoint), Reason::RateLimited),
    row("11233", Later(Seconds(10), Endpoint), Reason::RateLimited),
    row("11247", Later(Ours, Endpoint), Reason::Quota),
    row("99991400", Later(Header(RESET), Endpoint), Reason::RateLimited),
];

/// An app's own interfaces ("send a message", "generic error codes", "contact questions").
pub(crate) const APP: &[ListedCode] = &[
    row("0", Accepted, Reason::Ok),
    row("10003", Misconfigured, Reason::Credentials),
    row("10014", Misconfigured, Reason::Credentials),
    row("10015", Misconfigured, Reason::Credentials),
    row("99991663", Misconfigured, Reason::AccessToken),
    row("99991661", Misconfigured, Reason::AccessToken),
    row("99991664", Misconfigured, Reason::AccessToken),
    row("99991671", Misconfigured, Reason::AccessToken),
    row("99991662", Misconfigured, Reason::TargetGone),
    row("99991672", Misconfigured, Reason::Permission),
    row("99991401", Misconfigured, Reason::Address),
    row("99991400", Later(Header(RESET), Organisation), Reason::RateLimited),
    row("99991403", Later(NextMonth, Organisation), Reason::Quota),
    row("230020", Later(Seconds(1), Endpoint), Reason::RateLimited),
    row("11232", Later(Seconds(10), Endpoint), Reason::RateLimited),
    row("11233", Later(Seconds(10), Endpoint), Reason::RateLimited),
    row("230049", Later(Ours, Endpoint), Reason::Busy),
    row("230002", Misconfigured, Reason::TargetGone),
    row("232009", Misconfigured, Reason::TargetGone),
    row("230006", Misconfigured, Reason::TargetGone),
    row("230018", Misconfigured, Reason::TargetGone),
    row("230035", Misconfigured, Reason::TargetGone),
    row("230027", Misconfigured, Reason::Permission),
    row("230054", Misconfigured, Reason::BadRequest),
    row("230075", Misconfigured, Reason::BadRequest),
    row("230013", Refused, Reason::Recipient),
    row("230029", Refused, Reason::Recipient),
    row("230034", Refused, Reason::Recipient),
    row("230038", Refused, Reason::Recipient),
    row("230053", Refused, Reason::Recipient),
    row("99992351", Refused, Reason::Recipient),
    row("99992361", Refused, Reason::Recipient),
    row("230025", Refused, Reason::TooLong),
    row("230022", Refused, Reason::Content),
    row("230028", Refused, Reason::Content),
    row("230001", Refused, Reason::BadRequest),
    row("99992402", Refused, Reason::BadRequest),
    row("230055", Refused, Reason::BadRequest),
    row("230017", Refused, Reason::BadRequest),
    row("230099", Refused, Reason::BadRequest),
    row("230031", Refused, Reason::BadRequest),
    row("234001", Refused, Reason::BadRequest),
    row("234002", Misconfigured, Reason::Permission),
    row("234006", Refused, Reason::TooLong),
    row("234007", Misconfigured, Reason::TargetGone),
    row("234010", Refused, Reason::BadRequest),
    row("234011", Refused, Reason::BadRequest),
    row("234039", Refused, Reason::TooLong),
    row("40004", Misconfigured, Reason::Permission),
    row("41050", Misconfigured, Reason::Permission),
    row("43010", Refused, Reason::TooLong),
    row("40011", Refused, Reason::BadRequest),
    row("40012", Refused, Reason::BadRequest),
    row("40014", Refused, Reason::BadRequest),
    row("232001", Refused, Reason::BadRequest),
    row("232025", Misconfigured, Reason::TargetGone),
    row("232034", Misconfigured, Reason::TargetGone),
];

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_table() {
        let table: Vec<String> = TABLE.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        0 accepted ok
        19001 misconfigured token_unknown
        19021 misconfigured signature_or_clock
        19022 misconfigured address
        19024 misconfigured keyword
        19002 refused bad_request
        9499 refused bad_request
        11246 refused bad_request
        19036 refused too_long
        11232 later 10s rate_limited
        11233 later 10s rate_limited
        11247 later quota
        99991400 later x-ogw-ratelimit-reset rate_limited
        ");
    }
}
