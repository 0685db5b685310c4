//! DingTalk's codes.

use carillon_model::outcome::{Reason, Scope};

use crate::listed::{ListedCode, Ruling, Wait, row, row_with};

use Ruling::{Accepted, Later, Misconfigured, Refused, Unknown};
use Scope::{Endpoint, Host, Organisation};
use Wait::{NextMonth, Ours, Seconds};

/// The pseudo-code of the answer that refuses this machine's address for five minutes; it has no `errcode`.
pub(crate) const ADDRESS_BANNED: &str = "1111";

/// A robot's webhook ("custom robot access", "error codes"). 310000 stands for every security setting, and three
/// generations of wording tell which.
pub(crate) const ROBOT: &[ListedCode] = &[
    row("0", Accepted, Reason::Ok),
    row_with("310000", "keywords not in content", Misconfigured, Reason::Keyword),
    row_with("310000", "关键词不匹配", Misconfigured, Reason::Keyword),
    row_with("310000", "sign not match", Misconfigured, Reason::Signature),
    row_with("310000", "签名不匹配", Misconfigured, Reason::Signature),
    row_with("310000", "invalid timestamp", Misconfigured, Reason::Clock),
    row_with("310000", "签名过期", Misconfigured, Reason::Clock),
    row_with("310000", "not in whitelist", Misconfigured, Reason::Address),
    row_with("310000", "不在白名单", Misconfigured, Reason::Address),
    row("310000", Misconfigured, Reason::Security),
    row("400101", Misconfigured, Reason::TokenUnknown),
    row("300001", Misconfigured, Reason::TokenUnknown),
    row("300005", Misconfigured, Reason::TokenUnknown),
    row_with("40035", "access_token", Misconfigured, Reason::TokenUnknown),
    row("40035", Refused, Reason::BadRequest),
    row("400013", Misconfigured, Reason::TargetGone),
    row("400102", Misconfigured, Reason::TargetGone),
    row("400106", Misconfigured, Reason::TargetGone),
    row("400105", Refused, Reason::BadRequest),
    row("43004", Refused, Reason::BadRequest),
    row("460101", Refused, Reason::TooLong),
    row("101002", Refused, Reason::TooLong),
    row("430101", Refused, Reason::Content),
    row("430102", Refused, Reason::Content),
    row("430103", Refused, Reason::Content),
    row("430104", Refused, Reason::Content),
    row("130101", Later(Seconds(600), Endpoint), Reason::RateLimited),
    row("410100", Later(Seconds(600), Endpoint), Reason::RateLimited),
    row(ADDRESS_BANNED, Later(Seconds(300), Host), Reason::RateLimited),
    row("90030", Later(NextMonth, Organisation), Reason::Quota),
    row("-1", Later(Ours, Endpoint), Reason::Busy),
];

/// The company's own app: the newer API's names (robot pages, "access frequency"), and the older API's numbers for
/// the same, which come back wrapped.
pub(crate) const APP: &[ListedCode] = &[
    row("InvalidAuthentication", Misconfigured, Reason::AccessToken),
    row("invalidClientIdOrSecret", Misconfigured, Reason::Credentials),
    row("invalid.client", Misconfigured, Reason::Credentials),
    row("unauthorized.client", Misconfigured, Reason::Credentials),
    row("unsupported.grant.type", Refused, Reason::BadRequest),
    row("server.error", Later(Ours, Endpoint), Reason::Busy),
    row(
        "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
        Later(Seconds(1), Organisation),
        Reason::RateLimited,
    ),
    row(
        "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi",
        Later(Seconds(60), Organisation),
        Reason::RateLimited,
    ),
    row("Forbidden.AccessDenied.QpsLimitForApi", Later(Seconds(1), Endpoint), Reason::RateLimited),
    row("Forbidden.AccessDenied.ApiCountLimitForOrg", Later(NextMonth, Organisation), Reason::Quota),
    row("Forbidden.AccessDenied.AccessTokenPermissionDenied", Misconfigured, Reason::Permission),
    row("Forbidden.AccessDenied.IpNotInWhiteList", Misconfigured, Reason::Address),
    row("invalidParameter.robotCode.*", Misconfigured, Reason::Credentials),
    row("chatbotId.notAllow.sendOTO", Misconfigured, Reason::Permission),
    row("robot.oto.notExist", Misconfigured, Reason::TargetGone),
    row("template.stopped", Misconfigured, Reason::BadRequest),
    row("template.not.existed", Misconfigured, Reason::BadRequest),
    row("bot.stopped", Misconfigured, Reason::TargetGone),
    row("group.disbanded", Misconfigured, Reason::TargetGone),
    row("invalid.openConversationId", Misconfigured, Reason::TargetGone),
    row("bot.forbidden.sendMessage", Misconfigured, Reason::Permission),
    row("send.forbidden", Misconfigured, Reason::Permission),
    row("ip.not.match", Misconfigured, Reason::Address),
    row("keywords.not.match", Misconfigured, Reason::Keyword),
    row("sign.not.match", Misconfigured, Reason::Signature),
    row("staffId.notExisted", Refused, Reason::Recipient),
    row("invalidParameter.msgParam.tooLong", Refused, Reason::TooLong),
    row("invalidParameter.*", Refused, Reason::BadRequest),
    row("miss.param.*", Refused, Reason::BadRequest),
    row("contain.*", Refused, Reason::Content),
    row("send.too.fast", Later(Ours, Endpoint), Reason::RateLimited),
    row("send.byToken.tooFast", Later(Ours, Endpoint), Reason::RateLimited),
    row("too.many.group", Later(Ours, Endpoint), Reason::RateLimited),
    row("too.many.people", Later(Ours, Endpoint), Reason::RateLimited),
    row("unknown.send.result", Unknown, Reason::PlatformUnsure),
    row("system.error", Later(Ours, Endpoint), Reason::Busy),
    row("40089", Misconfigured, Reason::Credentials),
    row("40014", Misconfigured, Reason::AccessToken),
    row("40001", Misconfigured, Reason::AccessToken),
    row("42001", Misconfigured, Reason::AccessToken),
    row("60011", Misconfigured, Reason::Permission),
    row("60020", Misconfigured, Reason::Address),
    row("90018", Later(Seconds(1), Organisation), Reason::RateLimited),
    row("90002", Later(Seconds(1), Endpoint), Reason::RateLimited),
    row("90020", Later(NextMonth, Organisation), Reason::Quota),
    row("60003", Misconfigured, Reason::TargetGone),
    row("60121", Refused, Reason::Recipient),
    row("33012", Refused, Reason::Recipient),
    row("50002", Refused, Reason::Recipient),
    row("50004", Misconfigured, Reason::Permission),
    row("40104", Refused, Reason::BadRequest),
    row("40004", Refused, Reason::BadRequest),
    row("40005", Refused, Reason::BadRequest),
    row("40006", Refused, Reason::TooLong),
    row("40007", Refused, Reason::BadRequest),
    row("40009", Refused, Reason::TooLong),
    row("143103", Later(Seconds(60), Endpoint), Reason::RateLimited),
    row("143104", Later(Seconds(60), Endpoint), Reason::RateLimited),
    row("143105", Later(Seconds(600), Endpoint), Reason::RateLimited),
    row("143106", Refused, Reason::Content),
    row("1430002", Refused, Reason::Content),
    row("400002", Refused, Reason::BadRequest),
    row("88", Misconfigured, Reason::Permission),
    row("-1", Later(Ours, Endpoint), Reason::Busy),
];

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
