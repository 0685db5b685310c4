use std::sync::Arc;

use carillon_model::clock::TestClock;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::MessageId;
use carillon_model::message::{Body, Format, Locale, Mentions, Priority};
use carillon_model::subscription::{Extension, Target};
use carillon_model::{SecretText, Timestamp};
use proptest::prelude::*;
use serde_json::Value;

use super::{holds_word, with_fields, with_words};
use crate::{Post, PostKey, ProviderSettings, Providers};

#[test]
fn fields_go_in_front() {
    assert_eq!(with_fields(&serde_json::json!({"a": 1}), "{\"b\":2}"), "{\"a\":1,\"b\":2}");
    assert_eq!(with_fields(&serde_json::json!({"a": 1}), "{}"), "{\"a\":1}");
    assert_eq!(with_fields(&serde_json::json!({}), "{\"b\":2}"), "{\"b\":2}");
}

#[test]
fn words_are_added_where_they_are_missing() {
    assert!(holds_word("to @u1.", "@u1") && holds_word("@u1", "@u1"));
    assert!(!holds_word("@u10 @u1-2", "@u1"));
    assert_eq!(with_words("hi @a", ["@a".to_owned(), "@b".to_owned()]), "hi @a @b");
    assert_eq!(with_words("", ["@a".to_owned()]), "@a");
}

fn endpoints() -> Vec<Endpoint> {
    let text = || SecretText::new("0123456789");
    vec![
        Endpoint::DingtalkRobot { token: text() },
        Endpoint::DingtalkConversation { conversation: text() },
        Endpoint::LarkRobot { feishu: true, token: text() },
        Endpoint::WecomRobot { key: text() },
        Endpoint::Web { url: "https://hooks.example/x".into() },
    ]
}

fn limit(endpoint: &Endpoint) -> usize {
    match endpoint {
        Endpoint::DingtalkRobot { .. } | Endpoint::LarkRobot { .. } => 20_000,
        // Twice the inner text at most, and the names around it.
        Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. } => 31_000,
        // Six bytes for each of 4096 at most.
        Endpoint::WecomRobot { .. } => 25_000,
        Endpoint::Office { .. } | Endpoint::Web { .. } | Endpoint::Mailbox { .. } => usize::MAX,
    }
}

proptest! {
    #[test]
    fn whatever_is_rendered_is_json_and_fits(
        text in "(?s).{1,400}",
        times in 1_usize..120,
        title in proptest::option::of("(?s).{0,700}"),
        keyword in proptest::option::of("[^\u{0}]{1,20}"),
        ids in proptest::collection::vec(".{0,20}", 0..4),
        markdown: bool,
        all: bool,
    ) {
        let providers = Providers::new(ProviderSettings::default(), Arc::new(TestClock::at(Timestamp(0))));
        let body = Body {
            format: if markdown { Format::Markdown } else { Format::Text },
            title,
            text: text.repeat(times),
            mentions: Mentions { all, mobiles: ids.clone(), user_ids: ids },
            color: None,
            buttons: Vec::new(),
            attachments: Vec::new(),
        notice: false,
        };
        let message = MessageId::parse("0190a0b0c0d0e0f00000000000000002").unwrap();
        let post = Post {
            kind: carillon_model::message::Kind::Published,
            origin: None,
            body: &body,
            key: PostKey::Named("0190a0b0c0d0e0f00000000000000002-1"),
            message,
            subject: None,
            topic_urn: "urn:smn:local:p1:ops",
            subscription_urn: "urn:smn:local:p1:ops:x",
            created_at: Timestamp(0),
            priority: Priority::Normal,
            locale: Locale::Chinese,
        };
        for endpoint in endpoints() {
            let most = limit(&endpoint);
            let extension = Extension { keyword: keyword.as_deref().map(SecretText::from), ..Extension::default() };
            // Refusing is allowed for a text of which nothing shows.
            let Ok(parts) = providers.render(&Target { endpoint, extension }, &post) else {
                continue;
            };
            prop_assert!(!parts.is_empty());
            for part in parts {
                prop_assert!(serde_json::from_str::<Value>(&part.body).is_ok());
                prop_assert!(part.body.len() <= most);
            }
        }
    }
}
