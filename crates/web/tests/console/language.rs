//! No page has a word that was not translated.

use carillon_model::message::{Body, Content};
use carillon_service::publish::Publish;

use crate::harness::Bed;

/// What is no language's: names, formats, what the test made.
const NAMES: &str = "Carillon Lark English admin local URN HTTP HTTPS JSON SMN UTC KB Web urn smn api openapi json bootstrap \
    topicname Webhook AppKey AppSecret RobotCode Client Secret SEC userId openConversationId cid POST subscribe url https \
    open oapi qyapi feishu dingtalk weixin com hook Markdown send key cgi bin webhook IDs hooks example carillon \
    App larksuite dev work AgentId CorpId Corp SQLite PostgreSQL rotate wechat SDK Auth Token TOKEN CARILLON \
    callbacks Verification Encrypt Key EncodingAESKey cli ding manager type SubscriptionConfirmation";

fn foreign_words(text: &str) -> Vec<String> {
    let words = text.split(|sign: char| !sign.is_ascii_alphabetic());
    words
        .filter(|word| {
            word.len() > 2
                && !NAMES.split(' ').any(|name| name == *word)
                && !word.chars().all(|sign| sign.is_ascii_hexdigit())
        })
        .map(str::to_owned)
        .collect()
}

/// Looks at pages in both languages. A key's id is nobody's word.
pub(crate) async fn in_one_language(bed: &Bed, paths: &[&str]) {
    let key = bed.service.list_keys(&bed.caller, None, None, 1).await.unwrap().remove(0).id;
    let (mut chinese, mut english) = (bed.signed_in("zh-CN").await, bed.signed_in("en").await);
    for path in paths {
        let words = chinese.get(path).await.words().replace(&key, "");
        assert_eq!(foreign_words(&words), Vec::<String>::new(), "{path}: {words}");
        let words = english.get(path).await.words().replace("中文", "");
        assert!(
            words.is_ascii() || !words.chars().any(|sign| ('\u{2e80}'..'\u{ffff}').contains(&sign)),
            "{words}"
        );
    }
}

#[tokio::test]
async fn the_pages_of_access_are_in_one_language() {
    let bed = Bed::fresh().await;
    let account = format!("/console/accounts/{}", bed.caller.account);
    let removing = format!("{account}/delete");
    let paths = [
        "/console/accounts",
        "/console/accounts/new",
        &account,
        &removing,
        "/console/keys",
        "/console/keys/new",
        "/console/tokens",
        "/console/tokens/new",
        "/console/password",
        "/console/audit",
        "/console/audit?account=0",
    ];
    in_one_language(&bed, &paths).await;
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
    let ways = ["lark", "dingtalk", "wecom", "dingtalk-app", "web"]
        .map(|way| format!("/console/topics/topicname/subscribe/{way}"));
    let key = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-000000000001";
    first.post(&ways[2], &[("endpoint", key), ("do", "save")]).await;
    let html = first.get("/console/topics/topicname").await.html;
    let subscription =
        html.split("href=\"").find(|it| it.starts_with("/console/topics/topicname/subscriptions/")).unwrap();
    let subscription = subscription.split('"').next().unwrap().to_owned();
    let deleting = format!("{subscription}/delete");
    let found = bed.service.list_endpoints(&bed.caller, None, None, 1).await.unwrap();
    let endpoint = format!("/console/endpoints/{}", found[0].record.id);
    let mut paths = vec![
        "/console/topics/topicname/subscribe",
        "/console/topics/topicname/publish",
        &subscription,
        &deleting,
        "/console",
        "/console/topics",
        "/console/topics?find=0",
        "/console/topics/new",
        "/console/topics/topicname",
        "/console/topics/topicname/settings",
        "/console/topics/topicname/delete",
        "/console/messages",
        &message,
        "/console/endpoints",
        "/console/endpoints?state=paused",
        &endpoint,
        "/console/about",
        "/console/nowhere",
    ];
    paths.extend(ways.iter().map(String::as_str));
    in_one_language(&bed, &paths).await;
    let mut chinese = bed.signed_in("zh-CN").await;
    // What is wrong, and what would be shown, is said in the same language.
    for (fields, said) in [
        ([("do", "preview"), ("message", "| 1 |\n| --- |\n| 2 |")], "将发送给 1 个订阅"),
        ([("do", "preview"), ("message", "")], "消息不能为空"),
    ] {
        let words = chinese.post("/console/topics/topicname/publish", &fields).await.words();
        assert!(words.contains(said), "{words}");
        assert_eq!(foreign_words(&words), Vec::<String>::new(), "{words}");
    }
    for way in &ways {
        let words = chinese.post(way, &[("do", "check"), ("endpoint", "http:// 0")]).await.words();
        assert_eq!(foreign_words(&words), Vec::<String>::new(), "{words}");
    }
    let (mut chinese, mut english) = (bed.browser("zh-CN"), bed.browser("en"));
    let words = chinese.get("/console/sign-in").await.words();
    assert_eq!(foreign_words(&words), Vec::<String>::new(), "{words}");
    assert!(!english.get("/console/sign-in").await.words().contains("登录"));
}
