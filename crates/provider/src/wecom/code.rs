//! WeCom's codes of a group robot's webhook ("message push", "global error codes").

use carillon_model::outcome::{Reason, Scope};

use crate::listed::{ListedCode, Ruling, Wait, row, row_with};

use Ruling::{Accepted, Later, Misconfigured, Refused};
use Scope::{Endpoint, Organisation};
use Wait::{Ours, Seconds};

/// All of them.
pub(crate) const TABLE: &[ListedCode] = &[
    row("0", Accepted, Reason::Ok),
    row("93000", Misconfigured, Reason::TokenUnknown),
    row_with("40058", "exceed max length", Refused, Reason::TooLong),
    row("40058", Refused, Reason::BadRequest),
    row("45002", Refused, Reason::TooLong),
    row("45009", Later(Seconds(60), Endpoint), Reason::RateLimited),
    row("45033", Later(Seconds(1), Endpoint), Reason::RateLimited),
    row("40008", Refused, Reason::BadRequest),
    row("44004", Refused, Reason::BadRequest),
    row("40009", Refused, Reason::BadRequest),
    row("40007", Refused, Reason::BadRequest),
    row("85002", Refused, Reason::Content),
    row("-1", Later(Ours, Endpoint), Reason::Busy),
];

/// An app's own interfaces ("application messages", "contacts", "global error codes").
pub(crate) const APP: &[ListedCode] = &[
    row("0", Accepted, Reason::Ok),
    row("40013", Misconfigured, Reason::Credentials),
    row("40001", Misconfigured, Reason::Credentials),
    row("40056", Misconfigured, Reason::Credentials),
    row("301002", Misconfigured, Reason::Credentials),
    row("40014", Misconfigured, Reason::AccessToken),
    row("42001", Misconfigured, Reason::AccessToken),
    row("60020", Misconfigured, Reason::Address),
    row("48002", Misconfigured, Reason::Permission),
    row("60011", Misconfigured, Reason::Permission),
    row("50002", Misconfigured, Reason::Permission),
    row("86008", Misconfigured, Reason::Permission),
    row("50003", Misconfigured, Reason::TargetGone),
    row("86001", Misconfigured, Reason::TargetGone),
    row("86003", Misconfigured, Reason::TargetGone),
    row("40050", Misconfigured, Reason::TargetGone),
    row("81013", Refused, Reason::Recipient),
    row("82001", Refused, Reason::Recipient),
    row("40003", Refused, Reason::Recipient),
    row("46004", Refused, Reason::Recipient),
    row("60111", Refused, Reason::Recipient),
    row("60003", Refused, Reason::BadRequest),
    row("60123", Refused, Reason::BadRequest),
    row("45002", Refused, Reason::TooLong),
    row_with("40058", "exceed max length", Refused, Reason::TooLong),
    row("40058", Refused, Reason::BadRequest),
    row("40007", Refused, Reason::BadRequest),
    row("40008", Refused, Reason::BadRequest),
    row("44004", Refused, Reason::BadRequest),
    row("40004", Refused, Reason::BadRequest),
    row("40005", Refused, Reason::BadRequest),
    row("40006", Refused, Reason::TooLong),
    row("41005", Refused, Reason::BadRequest),
    row("45001", Refused, Reason::TooLong),
    row("82002", Refused, Reason::BadRequest),
    row("82003", Refused, Reason::BadRequest),
    row("85002", Refused, Reason::Content),
    row("45009", Later(Seconds(60), Organisation), Reason::RateLimited),
    row("45033", Later(Seconds(1), Organisation), Reason::RateLimited),
    row("-1", Later(Ours, Endpoint), Reason::Busy),
];

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_table() {
        let table: Vec<String> = TABLE.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        0 accepted ok
        93000 misconfigured token_unknown
        40058 "exceed max length" refused too_long
        40058 refused bad_request
        45002 refused too_long
        45009 later 60s rate_limited
        45033 later 1s rate_limited
        40008 refused bad_request
        44004 refused bad_request
        40009 refused bad_request
        40007 refused bad_request
        85002 refused content
        -1 later busy
        "#);
    }
}
