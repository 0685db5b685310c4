//! This crate's readers of what strangers write, fed as `crates/model/tests/fuzz` feeds the model's.

#[path = "../../model/tests/fuzz/mutate.rs"]
mod mutate;

use axum::http::{HeaderName, HeaderValue, Request};
use carillon_model::SecretText;
use carillon_model::message::Mentions;

use crate::auth::sign::{Signature, fits};
use crate::smn::structure;

const SIGNED: &str = "SDK-HMAC-SHA256 Access=AKEXAMPLE0000000000A, SignedHeaders=content-type;host;x-sdk-date, \
    Signature=114d6aa0385ed5cb289e6d2cd6bb66f715e0a78df70a1587dbc5e8e0d3793b9f";

#[test]
fn signatures() {
    let words = [
        "SDK-HMAC-SHA256",
        "Access=",
        "SignedHeaders=",
        "Signature=",
        ", ",
        ",",
        ";",
        "=",
        "x-sdk-date",
        "host",
        "X-SDK-Date",
        "114d6aa0385ed5cb289e6d2cd6bb66f715e0a78df70a1587dbc5e8e0d3793b9f",
        "A",
        "V11-HMAC-SHA256",
    ];
    let seeds = [SIGNED, "SDK-HMAC-SHA256 Signature=, Access=a, SignedHeaders=x-sdk-date", "Bearer x"];
    let make = |dice: &mut mutate::Dice, seeds: &[String]| mutate::text(dice, seeds, &words);
    mutate::run("signature", &seeds, make, |text, dice| {
        let Some(signature) = Signature::parse(text) else { return false };
        assert!(text.starts_with("SDK-HMAC-SHA256 ") && text.to_lowercase().contains("x-sdk-date"));
        assert!((1..=128).contains(&signature.access_key.len()));
        // A request of any kind is judged, and not taken: nobody guesses a signature.
        let targets = ["/", "/v2/%", "/v2/%FF/x?a=%&b&=&c=+%2B", "/a//b?x=1&x=0&%C3=%28", "*"];
        let mut request = Request::builder().method("POST").uri(*dice.pick(&targets)).body(()).unwrap();
        for name in ["host", "content-type", "x-sdk-date"] {
            let value =
                HeaderValue::from_bytes(dice.pick::<&[u8]>(&[b"x", b" \xff\xfe ", b"", b"a, b"])).unwrap();
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
        let (parts, ()) = request.into_parts();
        assert!(!fits(&signature, &parts, text.as_bytes(), "20250102T030405Z", &SecretText::new("secret")));
        true
    });
}

#[test]
fn message_structures() {
    let words = [
        "default",
        "dingding",
        "feishu",
        "wechat",
        "dingTalkBot",
        "http",
        "https",
        "email",
        "sms",
        "welink",
        "msgType",
        "text",
        "markdown",
        "content",
        "title",
        "subject",
        "message",
        "at",
        "isAtAll",
        "atMobiles",
        "atUserIds",
        "color",
        "red",
        "13800000001",
        "**x**",
        "{\"msgType\":\"text\",\"content\":\"x\"}",
        "@all",
    ];
    let seeds = [
        r#"{"default":"d","dingding":{"msgType":"markdown","title":"T","content":"x","at":{"isAtAll":true,"atMobiles":["1"]}}}"#,
        r#"{"default":"d","feishu":{"msgType":"markdown","text":"x","color":"red"},"sms":"s","https":"h"}"#,
        r#"{"default":"d","wechat":"{\"msgType\":\"text\",\"content\":\"x\"}","dingTalkBot":{"msgType":"text","text":"x"}}"#,
    ];
    let make = |dice: &mut mutate::Dice, seeds: &[String]| mutate::json(dice, seeds, &words);
    mutate::run("message structure", &seeds, make, |text, _dice| {
        let Ok(content) = structure::read(text) else { return false };
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(value["default"].as_str(), Some(content.default.text.as_str()));
        assert_eq!((&content.default.mentions, content.default.color), (&Mentions::default(), None));
        for body in content.channels.values() {
            let Mentions { mobiles, user_ids, .. } = &body.mentions;
            assert!(mobiles.len() <= 50 && user_ids.len() <= 50);
            let plain =
                |id: &String| (1..=64).contains(&id.len()) && !id.contains(['<', '>', '&', ' ', '\n', '"']);
            assert!(mobiles.iter().chain(user_ids).all(plain), "{body:?}");
        }
        true
    });
}
