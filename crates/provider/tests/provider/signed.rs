//! What a server adds for web endpoints: the signature, the links, and that nobody repeats a link.

use carillon_model::SecretText;
use carillon_model::id::CertificateId;
use carillon_model::message::{Body, Kind};
use carillon_model::outcome::Outcome;
use carillon_provider::{Origin, Post, Probe, Seal, Signer};
use serde_json::Value;

use crate::far_end::{FarEnd, NOW, Reply, post, web};

const LINK: &str = "https://bells.example/v2/notifications/subscriptions/subscribe?token=tOkEn-0123456789_abcdef&topic_urn=urn:smn:local:p1:ops";
const TOKEN: &str = "tOkEn-0123456789_abcdef";

fn signer() -> Signer {
    let id = CertificateId::parse("0194250000007000800000000000cafe").unwrap();
    Signer::open(&Signer::make("bells.example", id, NOW).unwrap().private_key).unwrap()
}

fn asking<'a>(body: &'a Body, origin: Origin<'a>) -> Post<'a> {
    Post {
        kind: Kind::SubscriptionConfirmation,
        subject: Some("never shown"),
        origin: Some(origin),
        ..post(body)
    }
}

#[tokio::test]
async fn a_confirmation_has_its_link_and_no_header_of_the_subscribers() {
    let far_end = FarEnd::answering(200, "{}").await;
    let (signer, link, body) = (signer(), SecretText::new(LINK), Body::text("please"));
    let origin = Origin {
        seal: Some(Seal { signer: &signer, signing_cert_url: "https://bells.example/smn/SMN_local_0.pem" }),
        subscribe_url: Some(&link),
        ..Origin::default()
    };
    let mut target = web(&format!("http://{}/hook", far_end.addr));
    target.extension.headers = vec![("X-Key".to_owned(), "own-header".into())];
    let providers = far_end.providers();
    let parts = providers.render(&target, &asking(&body, origin)).unwrap();
    assert_eq!(providers.send(&target, &parts[0]).await.outcome, Outcome::Accepted);
    let seen = far_end.seen().remove(0);
    let body = seen.json();
    assert_eq!((&body["type"], &body["subscribe_url"]), (&"SubscriptionConfirmation".into(), &LINK.into()));
    assert_eq!((body.get("subject"), body.get("unsubscribe_url")), (None, None));
    assert_eq!(body["signature"].as_str().map(str::len), Some(344));
    assert_eq!((seen.header("x-key"), seen.header("x-smn-subscription-urn")), (None, None));
    // The same at each attempt: neither time nor chance is in it.
    let again = providers.render(&target, &asking(&Body::text("please"), origin)).unwrap();
    providers.send(&target, &again[0]).await;
    let signature = |index: usize| -> Value { far_end.seen().remove(index).json()["signature"].clone() };
    assert_eq!(signature(0), signature(1));
}

#[tokio::test]
async fn an_endpoint_that_echoes_the_link_brings_it_into_no_verdict() {
    let far_end = FarEnd::start(|seen| Reply::Json(400, seen.body.clone())).await;
    let (signer, link, body) = (signer(), SecretText::new(LINK), Body::text("please"));
    let origin = Origin {
        seal: Some(Seal { signer: &signer, signing_cert_url: "https://bells.example/smn/SMN_local_0.pem" }),
        subscribe_url: Some(&link),
        ..Origin::default()
    };
    let target = web(&format!("http://{}/hook", far_end.addr));
    let providers = far_end.providers();
    let parts = providers.render(&target, &asking(&body, origin)).unwrap();
    let verdict = providers.send(&target, &parts[0]).await;
    assert_eq!(verdict.outcome, Outcome::Refused);
    assert!(verdict.platform_text.is_some());
    assert!(!format!("{verdict:?} {parts:?} {origin:?}").contains(TOKEN), "{verdict:?}");
}

#[tokio::test]
async fn a_probe_says_what_came_back_without_the_address() {
    let far_end = FarEnd::start(|seen| Reply::Json(404, format!("no {} here", seen.path))).await;
    let target = web(&format!("http://{}/secret-path-1", far_end.addr));
    let Some(Probe::Answered { status: 404, text }) = far_end.providers().probe(&target).await else {
        panic!("it answered")
    };
    assert!(!text.contains("secret-path-1") && text.contains("here"), "{text}");
    let silent = FarEnd::start(|_| Reply::Hang).await;
    let target = web(&format!("http://{}/hook", silent.addr));
    assert_eq!(silent.impatient().probe(&target).await, Some(Probe::Silent));
}
