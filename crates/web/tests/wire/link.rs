//! What links answer that are wrong, and what browsers are shown.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::bed::{Bed, path_of};

const SUBSCRIBE: [&str; 2] =
    ["/v2/notifications/subscriptions/subscribe", "/rest/v2/notifications/subscription/confirm"];
const UNSUBSCRIBE: [&str; 2] =
    ["/v2/notifications/subscriptions/unsubscribe", "/rest/v2/notifications/subscription/unsubscribe"];

#[tokio::test]
async fn wrong_tokens_are_refused() {
    let bed = Bed::running().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("dev").await);
    bed.subscribe(&topic).await;
    let good = path_of(&bed.received(1).await[0], "subscribe_url");
    let token = good.split(['=', '&']).nth(1).unwrap().to_owned();
    for path in SUBSCRIBE {
        for query in [
            String::new(),
            "?token=".to_owned(),
            format!("?token=x&topic_urn={topic}"),
            format!("?token={}&topic_urn={topic}", token.to_lowercase()),
            format!("?token={token}&topic_urn={other}"),
            format!("?token={token}&topic_urn=nonsense"),
        ] {
            let refused = bed.follow(&format!("{path}{query}"), "application/json").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{query}");
            let body = refused.json();
            assert_eq!(body["code"], "SMN.0022");
            assert_eq!(body["request_id"].as_str().unwrap().len(), 32);
            assert!(!refused.text.contains(&token), "{}", refused.text);
        }
    }
    assert_eq!(bed.states(&topic).await, [0]);
}

#[tokio::test]
async fn links_without_their_signature_end_nothing() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    let urn = bed.subscribe(&topic).await.json()["subscription_urn"].as_str().unwrap().to_owned();
    bed.follow(&path_of(&bed.received(1).await[0], "subscribe_url"), "*/*").await;
    bed.publish(&topic, "disk full").await;
    let link = path_of(&bed.received(2).await[1], "unsubscribe_url");
    let signature = link.rsplit('=').next().unwrap().to_owned();
    let other = urn.replace(":ops:", ":dev:");
    for path in UNSUBSCRIBE {
        for query in [
            format!("?subscription_urn={urn}"),
            format!("?subscription_urn={urn}&signature="),
            format!("?subscription_urn={urn}&signature={}", signature.to_lowercase()),
            format!("?subscription_urn={other}&signature={signature}"),
            format!("?signature={signature}"),
            String::new(),
        ] {
            let refused = bed.follow(&format!("{path}{query}"), "*/*").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{query}");
            assert_eq!(refused.json()["code"], "SMN.0001");
        }
    }
    assert_eq!(bed.states(&topic).await, [1]);
    let path = bed.smn(&format!("subscriptions/{urn}"));
    assert_eq!(bed.call("DELETE", &path, None).await.status, StatusCode::OK);
    let gone = bed.follow(&link, "*/*").await;
    assert_eq!((gone.status, gone.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("SMN.0013")));
}

#[tokio::test]
async fn browsers_are_shown_a_page_in_two_languages() {
    const ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic).await;
    let wrong = bed.follow("/v2/notifications/subscriptions/subscribe?token=x", ACCEPT).await;
    assert_eq!((wrong.status, wrong.kind.as_str()), (StatusCode::FORBIDDEN, "text/html; charset=utf-8"));
    let link = path_of(&bed.received(1).await[0], "subscribe_url");
    let page = bed.follow(&link, ACCEPT).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("confirmed") && page.text.contains("您的订阅已确认"), "{}", page.text);
    bed.publish(&topic, "disk full").await;
    let link = path_of(&bed.received(2).await[1], "unsubscribe_url");
    let page = bed.follow(&link, ACCEPT).await;
    assert!(page.text.contains("has ended") && page.text.contains("您已取消订阅"), "{}", page.text);
}

#[tokio::test]
async fn asking_for_the_head_of_a_link_changes_nothing() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic).await;
    let link = path_of(&bed.received(1).await[0], "subscribe_url");
    let head = |link: &str| Request::head(link).body(Body::empty()).unwrap();
    assert_eq!(bed.answer(head(&link)).await.status, StatusCode::OK);
    assert_eq!(bed.states(&topic).await, [0]);
    bed.follow(&link, "*/*").await;
    bed.publish(&topic, "disk full").await;
    let link = path_of(&bed.received(2).await[1], "unsubscribe_url");
    assert_eq!(bed.answer(head(&link)).await.status, StatusCode::OK);
    assert_eq!(bed.states(&topic).await, [1]);
}

#[tokio::test]
async fn the_certificate_is_open_to_all() {
    let bed = Bed::running().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic).await;
    let path = path_of(&bed.received(1).await[0], "signing_cert_url");
    let name = path.strip_prefix("/smn/").unwrap();
    assert!(name.starts_with("SMN_local_") && name.len() == "SMN_local_.pem".len() + 32, "{name}");
    for path in [path.clone(), format!("/v2/notifications/certifications/download/{name}")] {
        let certificate = bed.follow(&path, "*/*").await;
        assert_eq!(certificate.status, StatusCode::OK);
        assert!(certificate.text.starts_with("-----BEGIN CERTIFICATE-----\n"), "{}", certificate.text);
    }
    for wrong in ["/smn/x.pem", "/smn/SMN_local_00000000000000000000000000000000.pem", "/smn/SMN_other_0.pem"]
    {
        assert_eq!(bed.follow(wrong, "*/*").await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}
