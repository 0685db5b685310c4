//! Lark's and Feishu's codes of a custom bot's webhook ("custom bot guide", "generic error codes").

use carillon_model::outcome::{Reason, Scope};

use crate::listed::{ListedCode, Ruling, Wait, row};

use Ruling::{Accepted, Later, Misconfigured, Refused};
use Scope::Endpoint;
use Wait::{Header, Ours, Seconds};

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
