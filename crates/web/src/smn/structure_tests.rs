use carillon_model::Channel;
use carillon_model::message::{Color, Format};

use super::read;

#[test]
fn a_form_for_each_protocol() {
    let content = read(
        r#"{"default":"plain","dingding":{"msgType":"markdown","title":"Disk","content":"**full**","at":{"isAtAll":false,"atMobiles":["13800000001"],"atUserIds":["u001"]}},
            "feishu":{"msgType":"markdown","text":"**full**","color":"red"},
            "wechat":"{\"msgType\":\"text\",\"content\":\"full\"}",
            "https":"{\"any\":1}","email":"mail","sms":"sms"}"#,
    )
    .unwrap();
    let ding = content.for_channel(Channel::Dingtalk);
    assert_eq!(
        (ding.format, ding.title.as_deref(), ding.text.as_str()),
        (Format::Markdown, Some("Disk"), "**full**")
    );
    assert_eq!(ding.mentions.mobiles, ["13800000001"]);
    assert_eq!(content.for_channel(Channel::Lark).color, Some(Color::Red));
    assert_eq!(content.for_channel(Channel::Wecom).text, "full");
    assert_eq!(content.for_channel(Channel::Https).text, r#"{"any":1}"#);
    assert_eq!(content.for_channel(Channel::Http).text, "plain");
    assert_eq!(content.for_channel(Channel::DingtalkPerson).text, "plain");
}

#[test]
fn the_platforms_own_shape_is_taken_too() {
    let content =
        read(r#"{"default":"d","dingding":{"msgType":"markdown","markdown":{"title":"T","text":"x"}}}"#)
            .unwrap();
    let body = content.for_channel(Channel::Dingtalk);
    assert_eq!((body.title.as_deref(), body.text.as_str()), (Some("T"), "x"));
}

#[test]
fn refusals_name_what_is_wrong() {
    let cases = [
        ("", "valid JSON"),
        ("[]", "JSON object"),
        ("{}", "default is missing"),
        (r#"{"default":1}"#, "default must be a text"),
        (r#"{"default":"d","telegram":"x"}"#, "no protocol"),
        (r#"{"default":"d","feishu":"x"}"#, "msgType"),
        (r#"{"default":"d","feishu":{"content":"x"}}"#, "lacks msgType"),
        (r#"{"default":"d","feishu":{"msgType":"post","content":"x"}}"#, "text or markdown"),
        (r#"{"default":"d","feishu":{"msgType":"text"}}"#, "lacks its content"),
        (r#"{"default":"d","feishu":{"msgType":"text","content":"x","color":"pink"}}"#, "wathet"),
        (r#"{"default":"d","wechat":{"msgType":"text","content":"x","color":"red"}}"#, "feishu only"),
        (
            r#"{"default":"d","dingding":{"msgType":"text","content":"x","at":{"atMobiles":["<@all>"]}}}"#,
            "atMobiles",
        ),
        (r#"{"default":"d","dingding":{"msgType":"text","content":"x","at":{"isAtAll":"yes"}}}"#, "isAtAll"),
        (r#"{"default":"d","https":{"a":1}}"#, "https must be a text"),
    ];
    for (text, word) in cases {
        let error = read(text).unwrap_err();
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
}
