use carillon_model::endpoint::Endpoint;
use carillon_model::id::MessageId;
use carillon_model::message::{Body, Kind, Locale, Priority};
use carillon_model::subscription::{Extension, Target};
use carillon_model::{Channel, SecretText, Timestamp};
use proptest::prelude::*;

use super::render;
use crate::email::Sender;
use crate::{Origin, Post, PostKey};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn from() -> Sender {
    Sender::parse("Alerts <alerts@example.com>").unwrap()
}

fn target() -> Target {
    let endpoint = Endpoint::parse(Channel::Email, "alice@example.org").unwrap();
    Target { endpoint, extension: Extension::default() }
}

fn post(body: &Body) -> Post<'_> {
    Post {
        body,
        key: PostKey::Named("0192-1"),
        kind: Kind::Published,
        message: MessageId::parse("018bcfe568007000800000000000cafe").unwrap(),
        subject: None,
        topic_urn: "urn:smn:local:p:ops",
        subscription_urn: "urn:smn:local:p:ops:s",
        priority: Priority::Normal,
        created_at: NOW,
        locale: Locale::English,
        origin: None,
    }
}

fn written(post: &Post<'_>) -> String {
    let parts = render(&from(), &target(), post).unwrap();
    assert_eq!(parts.len(), 1);
    parts[0].body.to_string()
}

/// Header lines, unfolded.
fn headers(mail: &str) -> Vec<String> {
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    head.split("\r\n").map(str::to_owned).collect()
}

fn header(mail: &str, name: &str) -> Option<String> {
    let found = headers(mail).into_iter().find(|line| line.starts_with(&format!("{name}: ")))?;
    found.split_once(": ").map(|(_, value)| value.to_owned())
}

#[test]
fn a_mail_has_its_headers_and_is_the_same_at_each_try() {
    let body = Body { title: Some("Disk full".to_owned()), ..Body::text("97 %") };
    let link = SecretText::new(
        "https://bells.example/v2/notifications/subscriptions/unsubscribe?subscription_urn=urn:smn:local:0970dd7a1300f5672ff2c003c60ae115:ops:0194250000007000800000000000cafe&signature=abcdefghijklmnopqrstuvwxyz0123456789_-ABCDEFG",
    );
    let origin = Origin { unsubscribe_url: Some(&link), sender: Some("值班"), ..Origin::default() };
    let post = Post { origin: Some(origin), priority: Priority::Urgent, ..post(&body) };
    let mail = written(&post);
    assert_eq!(mail, written(&post));
    for (name, value) in [
        ("Subject", "Disk full"),
        ("To", "alice@example.org"),
        ("Date", "Tue, 14 Nov 2023 22:13:20 +0000"),
        ("Message-ID", "<0192-1-1@example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Unsubscribe", &format!("<{}>", link.reveal())),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Importance", "high"),
        ("X-Priority", "1"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&mail, name).as_deref(), Some(value), "{mail}");
    }
    assert_eq!(header(&mail, "From").as_deref(), Some("=?utf-8?b?5YC854+t?= <alerts@example.com>"));
    assert!(mail.is_ascii() && !mail.replace("\r\n", "").contains(['\r', '\n']));
    assert!(mail.split("\r\n").all(|line| line.len() <= 998));
}

#[test]
fn one_click_is_for_https_only_and_normal_mail_is_not_urgent() {
    let body = Body::text("x");
    let link = SecretText::new("http://bells.example/u");
    let origin = Origin { unsubscribe_url: Some(&link), ..Origin::default() };
    let mail = written(&Post { origin: Some(origin), ..post(&body) });
    assert_eq!(header(&mail, "List-Unsubscribe").as_deref(), Some("<http://bells.example/u>"));
    for name in ["List-Unsubscribe-Post", "Importance", "X-Priority"] {
        assert_eq!(header(&mail, name), None);
    }
    assert_eq!(header(&mail, "From").as_deref(), Some("Alerts <alerts@example.com>"));
    assert_eq!(header(&written(&post(&body)), "List-Unsubscribe"), None);
}

#[test]
fn what_asks_has_the_link_in_both_forms_and_no_way_out() {
    let body = Body::text("Please confirm.");
    let link = SecretText::new("https://bells.example/s?token=t0&topic_urn=urn");
    let origin = Origin { subscribe_url: Some(&link), ..Origin::default() };
    let asks = Post { kind: Kind::SubscriptionConfirmation, origin: Some(origin), ..post(&body) };
    let parts = render(&from(), &target(), &asks).unwrap();
    let mail = &parts[0].body;
    assert_eq!(header(mail, "List-Unsubscribe"), None);
    assert!(
        header(mail, "Subject").unwrap().starts_with("=?utf-8?")
            || header(mail, "Subject").unwrap().starts_with("Confirm")
    );
    assert!(
        parts[0].secrets.iter().any(|secret| secret.reveal() == "t0")
            || parts[0].secrets.iter().any(|secret| secret.reveal() == link.reveal())
    );
    assert!(!format!("{parts:?}").contains("token=t0"));
}

#[test]
fn hostile_titles_and_names_make_no_header() {
    let body =
        Body { title: Some("a\r\nBcc: eve@example.net\r\n\r\n<script>".to_owned()), ..Body::text("x") };
    let origin = Origin { sender: Some("Ops\r\nBcc: eve@example.net\" <x@y>"), ..Origin::default() };
    let mail = written(&Post { origin: Some(origin), ..post(&body) });
    assert!(headers(&mail).iter().all(|line| !line.to_lowercase().starts_with("bcc")), "{mail}");
    assert!(!mail.split_once("\r\n\r\n").unwrap().1.contains("<script>"), "{mail}");
    assert_eq!(headers(&mail).iter().filter(|line| line.starts_with("From:")).count(), 1);
    assert!(header(&mail, "From").unwrap().ends_with("<alerts@example.com>"), "{mail}");
}

#[test]
fn a_text_that_knows_the_form_ends_no_part() {
    // The boundary is a hash of the text, so it cannot be guessed; a former one is no use.
    let first = written(&post(&Body::text("x")));
    let boundary = first.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let text = format!("a\r\n--{boundary}--\r\n.\r\nQUIT\r\n--{boundary}\r\n\r\nb");
    let body = Body::text(text);
    let mail = written(&post(&body));
    let fresh = mail.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_ne!(fresh, boundary);
    assert_eq!(mail.lines().filter(|line| line.starts_with(&format!("--{fresh}"))).count(), 3);
}

#[test]
fn lone_line_ends_do_not_travel() {
    // Found by the property below: what some relays take for a line end went out as it was written.
    let body = Body::text("a\rb\0c");
    let mail = written(&post(&body));
    assert!(!mail.replace("\r\n", "").contains(['\r', '\n', '\0']), "{mail:?}");
}

#[test]
fn any_message_is_one_mail_and_larger_digests_are_more() {
    let long = Body::text("磁盘\n".repeat(256 * 1024 / 7));
    assert_eq!(render(&from(), &target(), &post(&long)).unwrap().len(), 1);
    let digest = Body::markdown("**x**\n\n".repeat(1024 * 1024 / 7));
    let parts = render(&from(), &target(), &post(&digest)).unwrap();
    assert!(parts.len() > 1, "{}", parts.len());
    let ids: Vec<_> = parts.iter().map(|part| header(&part.body, "Message-ID").unwrap()).collect();
    assert_eq!((ids[0].as_str(), ids[1].as_str()), ("<0192-1-1@example.com>", "<0192-1-2@example.com>"));
}

proptest! {
    /// Whatever is published, the headers are ours, each once, and the mail can travel.
    #[test]
    fn every_mail_can_travel(title in "(\\PC|[\\r\\n\\t\\x00-\\x1f]){0,60}", text in "(\\PC|[\\r\\n.]){0,200}", markdown: bool, name in "(\\PC|[\\r\\n<>\",@]){0,30}") {
        let body = if markdown { Body::markdown(text) } else { Body::text(text) };
        let body = Body { title: Some(title), ..body };
        let origin = Origin { sender: Some(&name), ..Origin::default() };
        let mail = written(&Post { origin: Some(origin), ..post(&body) });
        prop_assert!(mail.is_ascii());
        prop_assert!(!mail.replace("\r\n", "").contains(['\r', '\n', '\0']));
        prop_assert!(mail.split("\r\n").all(|line| line.len() <= 998));
        let names: Vec<String> = headers(&mail).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        let known = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
        prop_assert_eq!(names.len(), known.len(), "{:?}", names);
        for name in known {
            prop_assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{}", name);
        }
    }
}
