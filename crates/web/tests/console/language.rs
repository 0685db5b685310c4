//! No page has a word that was not translated.

use carillon_model::message::{Body, Content};
use carillon_service::publish::Publish;

use crate::harness::Bed;

/// What is no language's: names, formats, what the test made.
const NAMES: &[&str] = &[
    "Carillon",
    "English",
    "admin",
    "local",
    "URN",
    "HTTP",
    "HTTPS",
    "JSON",
    "SMN",
    "UTC",
    "KB",
    "Web",
    "urn",
    "smn",
    "api",
    "openapi",
    "json",
    "bootstrap",
    "topicname",
];

fn foreign_words(text: &str) -> Vec<String> {
    let words = text.split(|sign: char| !sign.is_ascii_alphabetic());
    words
        .filter(|word| {
            word.len() > 2 && !NAMES.contains(word) && !word.chars().all(|sign| sign.is_ascii_hexdigit())
        })
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_page_is_in_one_language() {
    let bed = Bed::fresh().await;
    let mut first = bed.signed_in("zh-CN").await;
    assert_eq!(first.get("/console").await.words().matches("一切就绪").count(), 1);
    first.post("/console/topics", &[("name", "topicname"), ("display_name", "topicname")]).await;
    let urn = bed.service.topic_urn(&bed.caller, "topicname").unwrap();
    let content = Content { default: Body::text("42"), ..Content::default() };
    let publish = Publish { content, ..Publish::default() };
    let message = bed.service.publish(&bed.caller, &urn, publish).await.unwrap().message;
    let message = format!("/console/messages/{message}");
    let paths = [
        "/console",
        "/console/topics",
        "/console/topics?find=0",
        "/console/topics/new",
        "/console/topics/topicname",
        "/console/topics/topicname/settings",
        "/console/topics/topicname/delete",
        "/console/messages",
        &message,
        "/console/about",
        "/console/nowhere",
    ];
    let (mut chinese, mut english) = (bed.signed_in("zh-CN").await, bed.signed_in("en").await);
    for path in paths {
        let words = chinese.get(path).await.words();
        assert_eq!(foreign_words(&words), Vec::<String>::new(), "{path}: {words}");
        let words = english.get(path).await.words().replace("中文", "");
        assert!(
            words.is_ascii() || !words.chars().any(|sign| ('\u{2e80}'..'\u{ffff}').contains(&sign)),
            "{words}"
        );
    }
    let (mut chinese, mut english) = (bed.browser("zh-CN"), bed.browser("en"));
    let words = chinese.get("/console/sign-in").await.words();
    assert_eq!(foreign_words(&words), Vec::<String>::new(), "{words}");
    assert!(!english.get("/console/sign-in").await.words().contains("登录"));
}
