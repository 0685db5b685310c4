//! WeCom's codes of a group robot's webhook ("message push", "global error codes").

use carillon_model::outcome::{Reason, Scope};

use crate::listed::{ListedCode, Ruling, Wait, row, row_with};

use Ruling::{Accepted, Later, Misconfigured, Refused};
use Scope::Endpoint;
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
