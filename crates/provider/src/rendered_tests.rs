use std::sync::Arc;

use carillon_model::clock::TestClock;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::message::{Body, Kind, Locale, Priority};
use carillon_model::subscription::{Extension, Target};
use carillon_model::{SecretText, Timestamp};

use crate::{Post, PostKey, ProviderSettings, Providers};

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

/// What a target gets of `text` under a key.
fn text_of(providers: &Providers, target: &Target, text: &str, key: PostKey) -> String {
    providers.render(target, &post(&Body::text(text), key)).unwrap()[0].body.to_string()
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
