//! Dead letters: found by a filter, with the reason in words, sent again and cancelled.

use axum::http::StatusCode;
use carillon_model::Clock;
use carillon_model::delivery::DeliveryState;
use carillon_model::message::{Body, Content};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_service::publish::Publish;
use carillon_store::delivery::{Settlement, Start, Tried};

use crate::harness::{Bed, Browser};
use crate::language::in_one_language;

const HERE: &str = "/console/dead-letters";
const KEY: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-000000000001";

/// A topic with a robot that refuses whatever comes.
async fn refused(bed: &Bed, browser: &mut Browser, topic: &str, times: u32) {
    browser.post("/console/topics", &[("name", topic)]).await;
    let fields = [("endpoint", KEY), ("remark", "Night shift"), ("do", "save")];
    browser.post(&format!("/console/topics/{topic}/subscribe/wecom"), &fields).await;
    let urn = bed.service.topic_urn(&bed.caller, topic).unwrap();
    for _ in 0..times {
        let content = Content { default: Body::text("42"), ..Content::default() };
        bed.service.publish(&bed.caller, &urn, Publish { content, ..Publish::default() }).await.unwrap();
    }
    for ready in bed.store.wake().take().ready {
        let at = bed.clock.now();
        let start = Start { shown: true, seq: ready.seq, attempt: 1, at, parts_done: 0 };
        bed.store.delivery_settle(vec![start], Vec::new()).await.unwrap();
        let verdict = Verdict {
            platform_code: Some("93000".to_owned()),
            ..Verdict::plain(Outcome::Misconfigured, Reason::TokenUnknown)
        };
        let settlement = Settlement {
            seq: ready.seq,
            id: ready.id,
            attempt: Some(Tried { number: 1, started_at: at, elapsed_ms: 7, verdict, merged: 1 }),
            state: DeliveryState::Failed,
            due_at: at,
            parts_done: 0,
        };
        bed.store.delivery_settle(Vec::new(), vec![settlement]).await.unwrap();
    }
}

fn rows(html: &str) -> usize {
    html.matches("href=\"/console/deliveries/").count()
}

#[tokio::test]
async fn what_did_not_arrive_is_found_sent_again_and_cancelled() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get(HERE).await.words().contains("Everything arrived"));
    assert!(browser.get("/console/messages").await.html.contains("href=\"/console/dead-letters\""));
    refused(&bed, &mut browser, "alerts", 2).await;
    refused(&bed, &mut browser, "orders", 1).await;
    let shown = browser.get(HERE).await;
    let words = shown.words();
    assert_eq!(rows(&shown.html), 3, "{words}");
    assert!(words.contains("unknown address token_unknown") && words.contains("Night shift"), "{words}");
    assert!(words.contains("the robot was removed or its webhook was reset"), "{words}");
    assert!(!shown.html.contains("value=\"resend\""), "all of everything is not sent again by one press");
    for (query, count) in [
        ("topic=alerts", 2),
        ("topic=orders&reason=token_unknown&state=failed", 1),
        ("reason=timeout", 0),
        ("state=expired", 0),
        ("since=2025-06-15", 3),
        ("until=2025-06-14", 0),
    ] {
        let shown = browser.get(&format!("{HERE}?{query}")).await;
        assert_eq!((shown.status, rows(&shown.html)), (StatusCode::OK, count), "{query}: {}", shown.words());
    }
    let wrong = browser.get(&format!("{HERE}?since=soon&topic=alerts")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("role=\"alert\"") && wrong.html.contains("value=\"soon\""));

    let fields = [("topic", "alerts"), ("do", "resend")];
    let sent = browser.post(HERE, &fields).await;
    assert_eq!(sent.to(), format!("{HERE}?topic=alerts&did=resend&moved=2"));
    let words = browser.get(sent.to()).await.words();
    assert!(words.contains("2 waiting to be sent again.") && words.contains("Nothing fits."), "{words}");
    assert!(words.contains("Cancel everything of the topic alerts that still waits?"), "{words}");
    // Everything of the topic, as the question says, though the list shows one reason.
    let fields = [("topic", "alerts"), ("reason", "token_unknown"), ("do", "cancel")];
    let cancelled = browser.post(HERE, &fields).await;
    assert_eq!(cancelled.to(), format!("{HERE}?reason=token_unknown&topic=alerts&did=cancel&moved=2"));
    // What somebody cancelled did not fail to arrive.
    let sent = browser.post(HERE, &[("topic", "alerts"), ("do", "resend")]).await;
    assert_eq!(sent.to(), format!("{HERE}?topic=alerts&did=resend&moved=0"));
    let shown = browser.get(&format!("{HERE}?topic=alerts&state=cancelled")).await;
    assert_eq!(rows(&shown.html), 2);
    for nothing in [&[("do", "resend")][..], &[("do", "cancel")], &[("do", "cancel"), ("reason", "timeout")]]
    {
        let shown = browser.post(HERE, nothing).await;
        assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY, "{nothing:?}: {}", shown.words());
    }
}

#[tokio::test]
async fn it_is_paged_and_in_one_language() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    refused(&bed, &mut browser, "topicname", 40).await;
    let first = browser.get(&format!("{HERE}?topic=topicname")).await;
    assert_eq!(rows(&first.html), 22);
    let next = first.html.split("href=\"").find(|it| it.contains("after=")).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    assert!(next.starts_with("/console/dead-letters?topic=topicname&after="), "{next}");
    assert_eq!(rows(&browser.get(&next).await.html), 18);
    let urn = bed.service.topic_urn(&bed.caller, "topicname").unwrap();
    let filter = carillon_service::SubscriptionFilter::default();
    let page = carillon_service::Page { offset: 0, limit: 1 };
    let found = bed.service.list_subscriptions(&bed.caller, Some(&urn), filter, page).await.unwrap();
    bed.service
        .remark_subscription(&bed.caller, None, &found.1[0].urn.to_string(), "0".to_owned())
        .await
        .unwrap();
    for query in ["state=expired", "topic=topicname&state=cancelled", "reason=timeout&since=2025-01-01"] {
        in_one_language(&bed, &[&format!("{HERE}?{query}")]).await;
    }
}
