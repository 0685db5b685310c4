use super::{APP, ROBOT};

#[test]
fn the_robots_table() {
    let table: Vec<String> = ROBOT.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    0 accepted ok
    310000 "keywords not in content" misconfigured keyword
    310000 "关键词不匹配" misconfigured keyword
    310000 "sign not match" misconfigured signature
    310000 "签名不匹配" misconfigured signature
    310000 "invalid timestamp" misconfigured clock
    310000 "签名过期" misconfigured clock
    310000 "not in whitelist" misconfigured address
    310000 "不在白名单" misconfigured address
    310000 misconfigured security
    400101 misconfigured token_unknown
    300001 misconfigured token_unknown
    300005 misconfigured token_unknown
    40035 "access_token" misconfigured token_unknown
    40035 refused bad_request
    400013 misconfigured target_gone
    400102 misconfigured target_gone
    400106 misconfigured target_gone
    400105 refused bad_request
    43004 refused bad_request
    460101 refused too_long
    101002 refused too_long
    430101 refused content
    430102 refused content
    430103 refused content
    430104 refused content
    130101 later 600s rate_limited
    410100 later 600s rate_limited
    1111 later 300s host rate_limited
    90030 later next month organisation quota
    -1 later busy
    "#);
}

#[test]
fn the_apps_table() {
    let table: Vec<String> = APP.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    InvalidAuthentication misconfigured access_token
    invalidClientIdOrSecret misconfigured credentials
    invalid.client misconfigured credentials
    unauthorized.client misconfigured credentials
    unsupported.grant.type refused bad_request
    server.error later busy
    Forbidden.AccessDenied.QpsLimitForAppkeyAndApi later 1s organisation rate_limited
    Forbidden.AccessDenied.QpmLimitForAppkeyAndApi later 60s organisation rate_limited
    Forbidden.AccessDenied.QpsLimitForApi later 1s rate_limited
    Forbidden.AccessDenied.ApiCountLimitForOrg later next month organisation quota
    Forbidden.AccessDenied.AccessTokenPermissionDenied misconfigured permission
    Forbidden.AccessDenied.IpNotInWhiteList misconfigured address
    invalidParameter.robotCode.* misconfigured credentials
    chatbotId.notAllow.sendOTO misconfigured permission
    robot.oto.notExist misconfigured target_gone
    template.stopped misconfigured bad_request
    template.not.existed misconfigured bad_request
    bot.stopped misconfigured target_gone
    group.disbanded misconfigured target_gone
    invalid.openConversationId misconfigured target_gone
    bot.forbidden.sendMessage misconfigured permission
    send.forbidden misconfigured permission
    ip.not.match misconfigured address
    keywords.not.match misconfigured keyword
    sign.not.match misconfigured signature
    staffId.notExisted refused recipient
    invalidParameter.msgParam.tooLong refused too_long
    invalidParameter.* refused bad_request
    miss.param.* refused bad_request
    contain.* refused content
    send.too.fast later rate_limited
    send.byToken.tooFast later rate_limited
    too.many.group later rate_limited
    too.many.people later rate_limited
    unknown.send.result unknown platform_unsure
    system.error later busy
    40089 misconfigured credentials
    40014 misconfigured access_token
    40001 misconfigured access_token
    42001 misconfigured access_token
    60011 misconfigured permission
    60020 misconfigured address
    90018 later 1s organisation rate_limited
    90002 later 1s rate_limited
    90020 later next month organisation quota
    60003 misconfigured target_gone
    60121 refused recipient
    33012 refused recipient
    50002 refused recipient
    50004 misconfigured permission
    40104 refused bad_request
    40004 refused bad_request
    40005 refused bad_request
    40006 refused too_long
    40007 refused bad_request
    40009 refused too_long
    143103 later 60s rate_limited
    143104 later 60s rate_limited
    143105 later 600s rate_limited
    143106 refused content
    1430002 refused content
    400002 refused bad_request
    88 misconfigured permission
    -1 later busy
    ");
}
