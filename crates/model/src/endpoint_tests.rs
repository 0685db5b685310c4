use super::Endpoint;
use crate::channel::Channel;

/// Accepted and refused robot URLs, from the team's vectors.
const URLS: &[(Channel, bool, &str)] = &[
    (
        Channel::Dingtalk,
        true,
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        Channel::Dingtalk,
        true,
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef&timestamp=1&sign=x",
    ),
    (Channel::Dingtalk, false, "https://oapi.dingtalk.com/robot/send"),
    (
        Channel::Dingtalk,
        false,
        "http://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        Channel::Dingtalk,
        false,
        "https://oapi.dingtalk.com.evil.example/robot/send?access_token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        Channel::Dingtalk,
        false,
        "https://oapi.dingtalk.com@evil.example/robot/send?access_token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (
        Channel::Dingtalk,
        false,
        "https://oapi.dingtalk.com/robot/sendBySession?session=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (Channel::Dingtalk, false, "https://api.dingtalk.com/v1.0/robot/oToMessages/batchSend"),
    (
        Channel::Lark,
        true,
        "https://open.feishu.cn/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (
        Channel::Lark,
        true,
        "https://open.larksuite.com/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (
        Channel::Lark,
        true,
        "https://open.feishu.cn/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100/",
    ),
    (Channel::Lark, false, "https://open.feishu.cn/open-apis/bot/hook/0f0e0d0c-0b0a-4908-8706-050403020100"),
    (Channel::Lark, false, "https://open.feishu.cn/open-apis/bot/v2/hook/"),
    (
        Channel::Lark,
        false,
        "https://www.feishu.cn/flow/api/trigger-webhook/0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (
        Channel::Lark,
        false,
        "https://open.feishu.cn.evil.example/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (
        Channel::Lark,
        false,
        "https://open.feishu.cn:8443/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (
        Channel::Wecom,
        true,
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (
        Channel::Wecom,
        true,
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?debug=1&key=0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
    (Channel::Wecom, false, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"),
    (
        Channel::Wecom,
        false,
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key=0f0e0d0c-0b0a-4908-8706-050403020100&type=file",
    ),
    (
        Channel::Wecom,
        false,
        "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=0f0e0d0c-0b0a-4908-8706-050403020100",
    ),
];

#[test]
fn the_robot_urls_of_the_vectors() {
    for (channel, accept, url) in URLS {
        assert_eq!(Endpoint::parse(*channel, url).is_ok(), *accept, "{url}");
        assert_eq!(
            Endpoint::recognise(url).is_ok_and(|endpoint| endpoint.channel() == *channel),
            *accept,
            "{url}"
        );
    }
}

#[test]
fn keeps_one_form_of_an_address() {
    let pasted = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef&timestamp=1&sign=x";
    let endpoint = Endpoint::parse(Channel::Dingtalk, pasted).unwrap();
    assert_eq!(
        endpoint.canonical().reveal(),
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef"
    );
    let slashed = "https://open.feishu.cn/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100/";
    let endpoint = Endpoint::parse(Channel::Lark, slashed).unwrap();
    assert!(endpoint.canonical().reveal().ends_with("050403020100"));
    let debug =
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?debug=1&key=0f0e0d0c-0b0a-4908-8706-050403020100";
    let endpoint = Endpoint::parse(Channel::Wecom, debug).unwrap();
    assert!(endpoint.canonical().reveal().ends_with("send?key=0f0e0d0c-0b0a-4908-8706-050403020100"));
}

#[test]
fn names_the_well_known_mistakes() {
    let cases = [
        (Channel::Lark, "https://www.feishu.cn/flow/api/trigger-webhook/0f0e0d0c0b0a", "workflow"),
        (Channel::Lark, "https://open.feishu.cn/open-apis/bot/hook/0f0e0d0c0b0a", "first version"),
        (
            Channel::Dingtalk,
            "https://oapi.dingtalk.com/robot/sendBySession?session=0123456789",
            "sendBySession",
        ),
        (Channel::Dingtalk, "https://api.dingtalk.com/v1.0/robot/oToMessages/batchSend", "API"),
        (Channel::Wecom, "https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key=0123456789", "upload"),
    ];
    for (channel, url, word) in cases {
        let error = Endpoint::parse(channel, url).unwrap_err();
        assert!(error.to_string().contains(word), "{url}: {error}");
    }
}

#[test]
fn other_channels() {
    let conversation = Endpoint::parse(Channel::Dingtalk, "cidKXGvzpLx0Gv5JrQ2nCw==").unwrap();
    assert!(matches!(conversation, Endpoint::DingtalkConversation { .. }));
    assert!(Endpoint::parse(Channel::DingtalkPerson, "manager8236").is_ok());
    assert!(Endpoint::parse(Channel::DingtalkPerson, "李四").is_err());
    assert!(Endpoint::parse(Channel::Https, "https://hooks.example/x").is_ok());
    for bad in ["http://hooks.example/x", "https://", "https://u:p@hooks.example/", "ftp://a", "x"] {
        assert!(Endpoint::parse(Channel::Https, bad).is_err(), "{bad}");
    }
}

#[test]
fn shows_itself_masked() {
    let url = "https://open.feishu.cn/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100";
    let endpoint = Endpoint::parse(Channel::Lark, url).unwrap();
    assert_eq!(endpoint.masked(), "https://open.feishu.cn/open-apis/bot/v2/hook/****0100");
    assert_eq!(format!("{endpoint:?}"), endpoint.masked());
    let web = Endpoint::parse(Channel::Https, "https://hooks.example:8443/secret/path?key=1").unwrap();
    assert_eq!(web.masked(), "https://hooks.example:8443/****");
}
