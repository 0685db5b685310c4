//! Mail against the pretend relay: what travels, how each refusal is judged, and that connections are used again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::clock::TestClock;
use carillon_model::endpoint::Endpoint;
use carillon_model::message::Body;
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::{Extension, Target};
use carillon_model::{Channel, SecretText};
use carillon_provider::{MailSettings, Origin, Post, ProviderSettings, Providers, Relay, Sender};
use carillon_simulator::{Act, Running, Simulator};

use crate::far_end::{NOW, post};

const TO: &str = "alice.wonder@example.org";
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

async fn relay() -> Running {
    Simulator::new().mail(SocketAddr::from(LOOPBACK)).start(SocketAddr::from(LOOPBACK)).await.unwrap()
}

fn providers(url: &str, timeout: Duration) -> Providers {
    let relay = Relay::parse(url).unwrap();
    let from = Sender::parse("Alerts <alerts@example.com>").unwrap();
    let mail = Some(MailSettings { relay, from });
    let settings = ProviderSettings { timeout, mail, ..ProviderSettings::default() };
    Providers::new(settings, Arc::new(TestClock::at(NOW)))
}

fn patient(relay: &Running) -> Providers {
    providers(&relay.mail_url().unwrap(), Duration::from_secs(10))
}

fn target(address: &str) -> Target {
    let endpoint = Endpoint::parse(Channel::Email, address).unwrap();
    Target { endpoint, extension: Extension::default() }
}

async fn send(providers: &Providers, post: &Post<'_>) -> Verdict {
    let target = target(TO);
    let parts = providers.render(&target, post).unwrap();
    providers.send(&target, &parts[0]).await
}

#[tokio::test]
async fn a_mail_arrives_in_both_forms() {
    let relay = relay().await;
    let providers = patient(&relay);
    let body = Body {
        title: Some("磁盘 97 %".to_owned()),
        ..Body::markdown("**db-1** <b>x</b>\n\n| a |\n| --- |\n| 1 |\n\n.\nend")
    };
    let link =
        SecretText::new("https://bells.example/v2/notifications/subscriptions/unsubscribe?signature=s1");
    let origin = Origin { unsubscribe_url: Some(&link), sender: Some("值班, ops"), ..Origin::default() };
    let verdict = send(&providers, &Post { origin: Some(origin), ..post(&body) }).await;
    assert_eq!((verdict.outcome, verdict.platform_code.as_deref()), (Outcome::Accepted, Some("250-2.0.0")));
    let mail = relay.received().remove(0);
    let (headers, envelope) = (&mail.raw["headers"], &mail.raw["envelope"]);
    assert_eq!((mail.title.as_deref(), mail.chat.as_str()), (Some("磁盘 97 %"), TO));
    assert_eq!((&envelope["from"], &envelope["to"]), (&"alerts@example.com".into(), &TO.into()));
    assert_eq!(headers["list-unsubscribe"], format!("<{}>", link.reveal()));
    assert_eq!(headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    let from = headers["from"].as_str().unwrap();
    assert!(from.contains("值班") && from.ends_with("<alerts@example.com>"), "{from}");
    assert!(mail.text.contains("db-1") && mail.text.contains("\n.\nend"), "{}", mail.text);
    assert!(mail.text.ends_with(&format!("Unsubscribe: {}\n", link.reveal())), "{}", mail.text);
    let html = mail.raw["html"].as_str().unwrap();
    for piece in [
        "<strong>db-1</strong> &lt;b&gt;x&lt;/b&gt;",
        "<td>1</td>",
        "unsubscribe?signature=s1\">Unsubscribe</a>",
    ] {
        assert!(html.contains(piece), "{piece}: {html}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_and_replaced_when_it_was_closed() {
    let relay = relay().await;
    let providers = patient(&relay);
    let body = Body::text("x");
    for _mail in 0..3 {
        assert_eq!(send(&providers, &post(&body)).await.outcome, Outcome::Accepted);
    }
    assert_eq!(relay.mail_connections(), 1);
    // A refusal is no reason to hang up.
    relay.script(TO, Act::Code { code: "550".to_owned(), text: "5.1.1 no".to_owned() }, Some(1));
    assert_eq!(send(&providers, &post(&body)).await.outcome, Outcome::Refused);
    assert_eq!(send(&providers, &post(&body)).await.outcome, Outcome::Accepted);
    assert_eq!(relay.mail_connections(), 1);
    // The relay hangs up while nobody talks: the next mail goes over a fresh connection at once.
    relay.hang_up_mail();
    assert_eq!(send(&providers, &post(&body)).await.outcome, Outcome::Accepted);
    assert_eq!((relay.mail_connections(), relay.received().len()), (2, 5));
}

#[tokio::test]
async fn each_misbehaviour_has_its_verdict() {
    let relay = relay().await;
    let providers = providers(&relay.mail_url().unwrap(), Duration::from_millis(400));
    let body = Body::text("x");
    let code = |code: &str, text: &str| Act::Code { code: code.to_owned(), text: text.to_owned() };
    let at_end = |status, text: &str| Act::Answer { status, headers: Vec::new(), body: text.to_owned() };
    for (act, outcome, reason) in [
        (code("450", "4.2.0 Greylisted"), "later", Reason::RateLimited),
        (code("421", "4.3.2 closing"), "later", Reason::Busy),
        (code("550", "5.1.1 unknown"), "refused", Reason::Recipient),
        (code("554", "5.7.1 Relay access denied"), "misconfigured", Reason::Permission),
        (at_end(552, "5.3.4 too big"), "refused", Reason::TooLong),
        (at_end(554, "5.7.1 looks like spam"), "refused", Reason::Content),
        (at_end(451, "4.3.0 try later"), "later", Reason::Busy),
        (Act::Gone, "later", Reason::Connect),
        (Act::Garbage, "later", Reason::Connect),
        (Act::Huge { megabytes: 2 }, "later", Reason::Connect),
        (Act::Hang, "later", Reason::Connect),
        (Act::Drop, "unknown", Reason::Broken),
        (Act::LoseAnswer, "unknown", Reason::Broken),
        (Act::Slow { ms: 50 }, "accepted", Reason::Ok),
    ] {
        let what = format!("{act:?}");
        relay.script(TO, act, Some(1));
        let verdict = send(&providers, &post(&body)).await;
        assert_eq!((verdict.outcome.name(), verdict.reason), (outcome, reason), "{what}: {verdict:?}");
    }
    // What was shown although its reply was lost, and what came after.
    assert_eq!(relay.received().len(), 2);
    let ids: Vec<_> = relay.received().iter().map(|mail| mail.raw["headers"]["message-id"].clone()).collect();
    assert_eq!(ids[0], ids[1], "a second try is recognisable");
}

#[tokio::test]
async fn a_login_is_used_and_a_wrong_one_is_said_so() {
    let simulator = Simulator::new().mail(SocketAddr::from(LOOPBACK)).mail_login("o@ps", "hush hush");
    let relay = simulator.start(SocketAddr::from(LOOPBACK)).await.unwrap();
    let url = relay.mail_url().unwrap();
    let body = Body::text("x");
    for (login, outcome) in
        [("o%40ps:hush%20hush@", "accepted"), ("o%40ps:wrong@", "misconfigured"), ("", "misconfigured")]
    {
        let providers =
            providers(&url.replace("smtp://", &format!("smtp://{login}")), Duration::from_secs(10));
        let verdict = send(&providers, &post(&body)).await;
        assert_eq!(verdict.outcome.name(), outcome, "{verdict:?}");
        assert!(verdict.outcome == Outcome::Accepted || verdict.reason == Reason::Credentials, "{verdict:?}");
    }
}

#[tokio::test]
async fn no_secure_line_is_no_line() {
    let relay = relay().await;
    let url = relay.mail_url().unwrap();
    let body = Body::text("x");
    for scheme in ["smtp+starttls://", "smtps://"] {
        let providers = providers(&url.replace("smtp://", scheme), Duration::from_secs(2));
        let verdict = send(&providers, &post(&body)).await;
        assert_eq!((verdict.outcome.name(), verdict.reason), ("later", Reason::Connect), "{scheme}");
    }
    assert!(relay.received().is_empty());
}

#[tokio::test]
async fn a_relay_that_is_not_there_and_one_without_a_name() {
    let body = Body::text("x");
    let gone = relay().await;
    let url = gone.mail_url().unwrap();
    gone.stop().await;
    let verdict = send(&providers(&url, Duration::from_secs(2)), &post(&body)).await;
    assert_eq!((verdict.outcome.name(), verdict.reason), ("later", Reason::Connect));
    let verdict = send(&providers("smtp://relay.invalid:25", Duration::from_secs(5)), &post(&body)).await;
    assert_eq!((verdict.outcome.name(), verdict.reason), ("later", Reason::Resolve));
    let without = Providers::new(ProviderSettings::default(), Arc::new(TestClock::at(NOW)));
    assert!(!without.offers(Channel::Email) && without.offers(Channel::Https));
    assert_eq!(without.render(&target(TO), &post(&body)).unwrap_err().outcome, Outcome::Misconfigured);
}

#[tokio::test]
async fn a_relay_that_echoes_brings_no_address_and_no_password_into_a_verdict() {
    let simulator =
        Simulator::new().mail(SocketAddr::from(LOOPBACK)).mail_login("relay-user-1", "relay-password-1");
    let relay = simulator.start(SocketAddr::from(LOOPBACK)).await.unwrap();
    let url = relay.mail_url().unwrap().replace("smtp://", "smtp://relay-user-1:relay-password-1@");
    let providers = providers(&url, Duration::from_secs(10));
    let echo = format!(
        "5.1.1 <{TO}> ALICE.WONDER@example.org alice.wonder relay-user-1 relay-password-1 from 203.0.113.9"
    );
    relay.script(TO, Act::Code { code: "550".to_owned(), text: echo }, Some(1));
    let verdict = send(&providers, &post(&Body::text("x"))).await;
    let said = format!("{verdict:?} {:?}", target(TO));
    assert_eq!(verdict.platform_code.as_deref(), Some("550-5.1.1"));
    for secret in ["alice", "relay-user-1", "relay-password-1", "203.0.113.9"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
