use std::sync::Arc;

use carillon_model::clock::TestClock;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, DeliveryId, MessageId};
use carillon_model::message::{Body, Button, Color, Kind, Locale, Mentions, Priority};
use carillon_model::office::connection::{DingtalkApp, LarkApp, WecomApp};
use carillon_model::office::{App, RecipientKind};
use carillon_model::subscription::{Extension, OfficeApp, Target};
use carillon_model::{SecretText, Timestamp};

use crate::{Part, Post, PostKey, ProviderSettings, Providers};

fn providers() -> Providers {
    Providers::new(ProviderSettings::default(), Arc::new(TestClock::at(Timestamp(0))))
}

fn robot(token: &str, keyword: Option<&str>) -> Target {
    let endpoint = Endpoint::LarkRobot { feishu: true, token: SecretText::new(token) };
    Target {
        endpoint,
        extension: Extension { keyword: keyword.map(SecretText::from), ..Extension::default() },
    }
}

fn delivery(message: u8, number: u32) -> PostKey {
    PostKey::Delivery(DeliveryId::new(MessageId::from_bytes([message; 16]), number))
}

fn post(body: &Body, key: PostKey) -> Post<'_> {
    Post {
        body,
        key,
        kind: Kind::Published,
        message: MessageId::from_bytes([1; 16]),
        subject: None,
        topic_urn: "urn",
        subscription_urn: "urn",
        priority: Priority::Normal,
        created_at: Timestamp(0),
        locale: Locale::English,
        origin: None,
    }
}

/// What a target gets of `text` under a key, from whoever asks first for what was rendered.
fn text_of(providers: &Providers, target: &Target, text: &str, key: PostKey) -> String {
    let kept = providers.rendered(target, key);
    let parts = kept.unwrap_or_else(|| providers.render(target, &post(&Body::text(text), key)).unwrap());
    parts[0].body.to_string()
}

#[test]
fn what_was_rendered_for_one_group_is_sent_to_the_next_under_its_own_name() {
    let providers = providers();
    let (one, other) = (robot("token-000001", None), robot("token-000002", None));
    let first = providers.render(&one, &post(&Body::text("disk"), delivery(1, 2))).unwrap();
    let second = providers.rendered(&other, delivery(1, 3)).unwrap();
    assert_eq!(&*first[0].body, &*second[0].body);
    assert_eq!(second[0].key.to_string(), format!("{}-3-1", "01".repeat(16)));
    assert!(providers.rendered(&other, delivery(2, 3)).is_none(), "another message");
}

/// The text tells who was rendered anew.
#[test]
fn what_differs_is_rendered_by_itself() {
    let providers = providers();
    let plain = robot("token-000001", None);
    assert!(text_of(&providers, &plain, "first", delivery(1, 2)).contains("first"));
    assert!(text_of(&providers, &plain, "kept?", delivery(1, 3)).contains("first"), "the same message");
    for (target, key, why) in [
        (plain.clone(), delivery(2, 2), "another message"),
        (plain.clone(), PostKey::Named("preview"), "no delivery"),
        (plain, PostKey::Digest(DeliveryId::new(MessageId::from_bytes([1; 16]), 1), 9), "a digest"),
        (robot("token-000001", Some("word")), delivery(1, 4), "another keyword"),
        (
            Target {
                endpoint: Endpoint::WecomRobot { key: SecretText::new("x") },
                extension: Extension::default(),
            },
            delivery(1, 5),
            "another platform",
        ),
    ] {
        assert!(text_of(&providers, &target, "anew", key).contains("anew"), "{why}");
    }
}

#[test]
fn what_says_something_of_its_endpoint_is_not_kept() {
    let providers = providers();
    let web = Endpoint::Web { url: SecretText::new("https://hooks.example/x") };
    let target = Target { endpoint: web, extension: Extension::default() };
    text_of(&providers, &target, "first", delivery(1, 2));
    assert!(providers.rendered(&target, delivery(1, 3)).is_none());
    let asks = Body::text("confirm?");
    let asks = Post { kind: Kind::SubscriptionConfirmation, ..post(&asks, delivery(1, 2)) };
    let robot = robot("token-000001", None);
    providers.render(&robot, &asks).unwrap();
    assert!(providers.rendered(&robot, delivery(1, 3)).is_none());
}

#[test]
fn large_ones_are_not_kept() {
    let providers = providers();
    let robot = robot("token-000001", None);
    let long = Body::text("0123456789\n".repeat(super::BYTES_MAX / 10));
    assert!(providers.render(&robot, &post(&long, delivery(1, 2))).unwrap().len() > 10);
    assert!(providers.rendered(&robot, delivery(1, 3)).is_none());
}

#[test]
fn the_first_of_a_message_may_be_its_only_one_and_is_not_kept() {
    let providers = providers();
    let robot = robot("token-000001", None);
    text_of(&providers, &robot, "first", delivery(1, 1));
    assert!(
        providers.rendered(&robot, delivery(1, 1)).is_none()
            && providers.rendered(&robot, delivery(1, 2)).is_none()
    );
    text_of(&providers, &robot, "first", delivery(1, 2));
    assert!(providers.rendered(&robot, delivery(1, 3)).is_some());
}

fn office(app: App, kind: RecipientKind, id: &str) -> Target {
    let connection = ConnectionId::parse("00000000000000000000000000000001").unwrap();
    let office = Some(Box::new(OfficeApp { app, connection }));
    let endpoint = Endpoint::Office { connection, kind, id: id.into() };
    Target { endpoint, extension: Extension { office, ..Extension::default() } }
}

fn apps(secret: &str) -> Vec<App> {
    let lark = || LarkApp { app_id: "cli_1".into(), app_secret: secret.into() };
    let dingtalk = |robot: Option<&str>| {
        App::Dingtalk(DingtalkApp {
            app_key: "key".into(),
            app_secret: secret.into(),
            robot_code: robot.map(SecretText::from),
            agent_id: Some(7),
            corp_id: None,
        })
    };
    let wecom = WecomApp { corp_id: "ww1".into(), agent_id: 1, secret: secret.into() };
    vec![App::Lark(lark()), App::Feishu(lark()), dingtalk(Some("robot")), dingtalk(None), App::Wecom(wecom)]
}

/// Targets of every kind, of each at least two that differ in whatever they may.
fn targets() -> Vec<Target> {
    let mut targets = Vec::new();
    for (text, keyword, secret) in
        [("0123456789", None, None), ("9876543210", None, Some("SEC1")), ("0000000000", Some("word"), None)]
    {
        let text = || SecretText::new(text);
        let extension = || Extension {
            keyword: keyword.map(SecretText::from),
            sign_secret: secret.map(SecretText::from),
            ..Extension::default()
        };
        let endpoints = [
            Endpoint::DingtalkRobot { token: text() },
            Endpoint::DingtalkConversation { conversation: text() },
            Endpoint::DingtalkPerson { user: text() },
            Endpoint::LarkRobot { feishu: secret.is_some(), token: text() },
            Endpoint::WecomRobot { key: text() },
            Endpoint::Web { url: SecretText::new(format!("https://{}.example/", text().reveal())) },
        ];
        targets.extend(endpoints.map(|endpoint| Target { endpoint, extension: extension() }));
    }
    for (secret, id) in [("one", "u1"), ("two", "u2")] {
        for app in apps(secret) {
            targets.extend(RecipientKind::ALL.map(|kind| office(app.clone(), kind, id)));
        }
    }
    targets
}

/// Messages in which everything stands that a platform may take apart.
fn bodies() -> Vec<Body> {
    let buttons = vec![Button::parse("Open", "https://ci.example/1").unwrap()];
    let ids = || vec!["u1".to_owned(), "u2".to_owned()];
    let mentions = Mentions { all: true, mobiles: ids(), user_ids: ids() };
    let title = || Some("T".to_owned());
    vec![
        Body { title: title(), mentions: mentions.clone(), ..Body::text("plain <at>") },
        Body { title: title(), mentions, color: Some(Color::Red), ..Body::markdown("**bold** `code`") },
        Body { title: title(), buttons, notice: true, ..Body::markdown("# head\n\ntext") },
        Body::text("汉字 line\n".repeat(3_000)),
    ]
}

/// All of a part but what belongs to the delivery.
fn said(parts: &[Part]) -> Vec<(&str, &[String], bool)> {
    parts.iter().map(|part| (&*part.body, part.fallbacks.as_slice(), part.notice)).collect()
}

/// The rule that the whole rests on: nobody gets what would have been rendered otherwise for him.
#[test]
fn what_is_kept_for_one_is_what_another_would_get_anew() {
    let targets = targets();
    for body in bodies() {
        let anew: Vec<_> = targets
            .iter()
            .map(|target| providers().render(target, &post(&body, delivery(1, 3))).unwrap())
            .collect();
        let mut shared = 0;
        for target in &targets {
            let providers = providers();
            providers.render(target, &post(&body, delivery(1, 2))).unwrap();
            for (other, anew) in targets.iter().zip(&anew) {
                if let Some(kept) = providers.rendered(other, delivery(1, 3)) {
                    assert_eq!(said(&kept), said(anew), "{target:?}, then {other:?}");
                    shared += 1;
                }
            }
        }
        assert!(shared > targets.len(), "{shared}: not only with itself");
    }
}
