//! The overview: numbers, charts, and being told of changes.

use std::time::Duration;

use axum::http::{StatusCode, header};
use carillon_model::Channel;
use carillon_store::tally::What;

use crate::harness::Bed;

#[tokio::test]
async fn charts_show_what_happened_by_platform_and_outcome() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    assert!(browser.get("/console").await.words().contains("Nothing was sent in this span of time."));
    for (channel, outcome, count) in [
        (Channel::Lark, "accepted", 40),
        (Channel::Lark, "later", 2),
        (Channel::Wecom, "misconfigured", 3),
        (Channel::Wecom, "refused", 1),
    ] {
        bed.store.tally_add(&bed.caller.project, What::Attempts(channel, outcome), count);
    }
    bed.store.tally_add(&bed.caller.project, What::Messages, 30);
    bed.clock.advance(Duration::from_secs(3));
    let shown = browser.get("/console").await;
    let words = shown.words();
    assert!(words.contains("Messages 30") && words.contains("Arrived 40"), "{words}");
    assert!(
        words.contains("Lark / Feishu robot") && words.contains("WeCom robot") && !words.contains("DingTalk")
    );
    assert!(
        shown.html.contains("rect class=\"bad\"")
            && shown.html.contains("Messages 30 · Arrived 40 · Tried again 2 · Refused 4")
    );
    // Another span is an address, and what is none of them is the usual one.
    assert!(
        browser
            .get("/console?hours=1")
            .await
            .html
            .contains("href=\"/console?hours=1\" aria-current=\"page\"")
    );
    assert!(
        browser
            .get("/console?hours=x")
            .await
            .html
            .contains("href=\"/console?hours=24\" aria-current=\"page\"")
    );
    bed.clock.advance(Duration::from_secs(2 * 3600));
    assert!(browser.get("/console?hours=1").await.words().contains("Nothing was sent in this span of time."));
    assert!(browser.get("/console?hours=6").await.words().contains("Arrived 40"));
}

#[tokio::test]
async fn an_open_page_is_told_of_a_change() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let response = browser.open("/console/live").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    bed.store.tally_add(&bed.caller.project, What::Messages, 1);
    bed.clock.advance(Duration::from_secs(3));
    let mut body = response.into_body();
    let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
    // That is all it is told: what has changed is for the page to ask.
    assert_eq!(frame.into_data().unwrap(), "event: changed\ndata: look again\n\n");
}
