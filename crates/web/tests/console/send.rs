//! Subscribing and publishing.

use axum::http::StatusCode;

use crate::harness::{Bed, Browser};

const HOOK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-000000000001";
const SECRET: &str = "a-secret-that-nobody-sees";

async fn with_topic(bed: &Bed) -> Browser {
    let mut browser = bed.signed_in("en").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    browser
}

/// The page of the topic's only subscription.
async fn only_subscription(browser: &mut Browser) -> String {
    let html = browser.get("/console/topics/alerts").await.html;
    let start =
        html.split("href=\"").find(|it| it.starts_with("/console/topics/alerts/subscriptions/")).unwrap();
    start.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_address_is_checked_kept_and_never_shown_again() {
    let bed = Bed::fresh().await;
    let mut browser = with_topic(&bed).await;
    let way = "/console/topics/alerts/subscribe/lark";
    let shown = browser.get(way).await;
    assert!(shown.words().contains("Data privacy") && shown.html.contains("<svg class=\"drawing\""));
    // Wrong: said beside the field, and what was typed stays.
    let fields = [("endpoint", "https://open.feishu.cn/nowhere"), ("remark", "Kept"), ("do", "save")];
    let shown = browser.post(way, &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.words().contains("Must be a Feishu or Lark robot's webhook"));
    assert!(
        shown.html.contains("value=\"https://open.feishu.cn/nowhere\"")
            && shown.html.contains("value=\"Kept\"")
    );
    // Right: where it leads to is told without what must stay secret.
    let shown = browser.post(way, &[("endpoint", HOOK), ("do", "check")]).await;
    assert!(shown.words().contains("It leads to https://open.feishu.cn/open-apis/bot/v2/hook/****0001"));
    // Nothing typed is nothing wrong yet.
    let shown = browser.post(way, &[("endpoint", ""), ("do", "check")]).await;
    assert_eq!(shown.status, StatusCode::OK);
    let fields = [("endpoint", HOOK), ("sign_secret", SECRET), ("remark", "On call"), ("do", "save")];
    assert_eq!(browser.post(way, &fields).await.to(), "/console/topics/alerts?done=created");
    let page = only_subscription(&mut browser).await;
    for path in ["/console/topics/alerts", &page, &format!("{page}/delete")] {
        let shown = browser.get(path).await;
        assert!(shown.words().contains("On call") && shown.words().contains("****0001"), "{path}");
        assert!(!shown.html.contains("4000-8000") && !shown.html.contains(SECRET), "{path}");
    }
    assert_eq!(browser.get("/console/topics/alerts/subscribe/pigeon").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_secret_that_was_typed_is_not_echoed() {
    let bed = Bed::fresh().await;
    let mut browser = with_topic(&bed).await;
    let long = SECRET.repeat(20);
    for (way, field) in [("lark", "sign_secret"), ("dingtalk-app", "app_secret"), ("web", "headers")] {
        let path = format!("/console/topics/alerts/subscribe/{way}");
        let shown = browser.post(&path, &[("endpoint", HOOK), (field, &long), ("do", "save")]).await;
        assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY, "{way}");
        assert!(!shown.html.contains(SECRET), "{way}");
    }
}

#[tokio::test]
async fn a_subscription_is_changed_and_deleted() {
    let bed = Bed::fresh().await;
    let mut browser = with_topic(&bed).await;
    browser.post("/console/topics/alerts/subscribe/lark", &[("endpoint", HOOK), ("do", "save")]).await;
    let page = only_subscription(&mut browser).await;
    let fields = [("remark", "North"), ("filter", "level: high, higher\r\nplace: north")];
    assert_eq!(browser.post(&page, &fields).await.to(), format!("{page}?done=saved"));
    let shown = browser.get(&page).await;
    assert!(
        shown.html.contains("level: high, higher\nplace: north") && shown.html.contains("value=\"North\"")
    );
    let shown = browser.post(&page, &[("remark", "Kept"), ("filter", "no policy")]).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("filter-error\" role=\"alert\"") && shown.html.contains("no policy"));
    let id = page.rsplit('/').next().unwrap();
    let gone = browser.post(&format!("{page}/delete"), &[("confirm", id)]).await;
    assert_eq!(gone.to(), "/console/topics/alerts?done=deleted");
    assert_eq!(browser.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_message_is_previewed_and_published_once() {
    let bed = Bed::fresh().await;
    let mut browser = with_topic(&bed).await;
    browser.post("/console/topics/alerts/subscribe/lark", &[("endpoint", HOOK), ("do", "save")]).await;
    let path = "/console/topics/alerts/publish";
    let html = browser.get(path).await.html;
    let key = html.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let table = "| a | b |\n| --- | --- |\n| 1 | <b>2</b> |";
    let fields = [("subject", "Numbers"), ("message", table), ("key", &key), ("do", "preview")];
    let shown = browser.post(path, &fields).await;
    let words = shown.words();
    assert!(words.contains("1 subscription would get it of 1 in force"), "{words}");
    assert!(words.contains("DingTalk robot nobody here, for comparison"), "{words}");
    assert!(words.contains("This platform has no tables"), "{words}");
    assert!(!shown.html.contains("<b>2</b>"), "a publisher's tags stay text");
    let long = "line after line\n".repeat(600);
    let shown = browser.post(path, &[("message", &long), ("format", "text"), ("do", "preview")]).await;
    assert!(shown.words().contains("WeCom robot nobody here, for comparison sent in 5 parts"));
    assert!(browser.get("/console/messages").await.words().contains("No messages"), "nothing was sent");

    let fields = [("subject", "Numbers"), ("message", table), ("key", &key), ("do", "publish")];
    let first = browser.post(path, &fields).await.to().to_owned();
    assert!(first.starts_with("/console/messages/") && first.ends_with("?done=published"));
    assert_eq!(browser.post(path, &fields).await.to(), first, "a second click publishes nothing");
    let shown = browser.get(&first).await;
    assert!(shown.words().contains("Waiting 1") && shown.html.contains("<table>"), "{}", shown.words());
    // What waits can be cancelled, and sent again, and explained.
    let page = first.split('?').next().unwrap().to_owned();
    assert!(browser.post(&format!("{page}/cancel"), &[]).await.to().ends_with("?done=cancelled"));
    assert!(browser.get(&page).await.words().contains("Cancelled 1"));
    assert!(browser.post(&format!("{page}/resend"), &[]).await.to().ends_with("?done=resent"));
    let words = browser.get(&page).await.words();
    assert!(words.contains("Waiting 1"), "{words}");
    let delivery = format!("/console/deliveries/{}-1", page.rsplit('/').next().unwrap());
    assert!(browser.get(&delivery).await.words().contains("No attempt has been made yet."));
    assert!(browser.post(&format!("{delivery}/cancel"), &[]).await.to().ends_with("?done=cancelled"));
    let shown = browser.post(&format!("{delivery}/cancel"), &[]).await;
    assert_eq!(shown.status, StatusCode::CONFLICT);
    assert!(browser.post(&format!("{delivery}/resend"), &[]).await.to().ends_with("?done=resent"));
    let urn = only_subscription(&mut browser).await.rsplit('/').next().unwrap().to_owned();
    let topic = bed.service.topic_urn(&bed.caller, "alerts").unwrap();
    let shown = browser.get(&format!("{page}?why={topic}%3A{urn}")).await;
    assert!(shown.html.contains("class=\"notice info\""), "{}", shown.words());

    // Whoever asks types what they know; an address that is typed does not come back.
    browser.get(&page).await;
    let secret = "hush-hush-address";
    let shown = browser.post(&format!("{page}/why"), &[("who", secret)]).await;
    assert!(shown.words().contains("Nobody is known by that here."), "{}", shown.words());
    assert!(!shown.html.contains(secret));
    browser.get(&page).await;
    let shown = browser.post(&format!("{page}/why"), &[("who", "open.")]).await;
    assert!(shown.words().contains("It waits since"), "{}", shown.words());
    assert!(shown.words().contains("Nobody has changed it since."), "{}", shown.words());
    let shown = browser.post(&format!("{page}/why"), &[("who", "x")]).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("id=\"why-who-error\""), "{}", shown.words());
}
