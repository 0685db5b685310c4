//! Calls per month: counted, limited, told of.

use std::time::Duration;

use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, MessageId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::office::calls::{Limit, Month, of_app, of_robots};
use carillon_model::outcome::Reason;
use carillon_model::subscription::{Extension, Fallback, Target};
use carillon_model::{Clock, SecretText};
use carillon_store::app_calls::HeldBack;
use carillon_store::delivery::StoredMessage;
use carillon_store::health::Hold;

use crate::harness::{Bed, Home};
use crate::office::connected;

const DAY: Duration = Duration::from_secs(86_400);

fn dingtalk() -> Target {
    let endpoint = Endpoint::DingtalkRobot { token: SecretText::new("a-token-of-a-robot") };
    Target { endpoint, extension: Extension::default() }
}

async fn name_of<H: Home>(bed: &Bed<H>, id: ConnectionId) -> String {
    let watched = bed.store.connection_watch().await.unwrap();
    of_app(&watched.iter().find(|one| one.id == id).unwrap().app)
}

async fn used<H: Home>(bed: &Bed<H>, name: &str) -> u64 {
    bed.store.calls_of(&[name.to_owned()]).await.unwrap()[0].used
}

pub(crate) async fn calls_add_up_by_app_and_month<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let store = &bed.store;
    let robots = of_robots(&bed.project);
    assert!(!store.calls_write().await.unwrap());
    store.calls_add("app a", 2);
    store.calls_add(&robots, 1);
    assert_eq!(used(&bed, "app a").await, 2, "what is not written yet counts");
    assert!(store.calls_write().await.unwrap());
    store.calls_add("app a", 3);
    store.calls_write().await.unwrap();
    assert_eq!((used(&bed, "app a").await, used(&bed, &robots).await, used(&bed, "app b").await), (5, 1, 0));
    let month = Month::of(bed.clock.now());
    bed.clock.advance(DAY * 31);
    store.calls_add("app a", 1);
    let known = store.calls_of(&["app a".to_owned()]).await.unwrap();
    assert_eq!((known[0].used, known[0].before.as_slice()), (1, [(month, 5)].as_slice()));
    store.calls_write().await.unwrap();
    bed.clock.advance(DAY * 31 * 14);
    let some = store.calls_forget(1).await.unwrap();
    assert!((1..3).contains(&some), "all of one app's that are old");
    assert_eq!(some + store.calls_forget(100).await.unwrap(), 3);
    assert_eq!(bed.home.number("SELECT count(*) FROM app_calls"), 0);
}

pub(crate) async fn a_limit_holds_back_what_is_not_urgent<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let store = &bed.store;
    let name = "app limited".to_owned();
    let waits = |urgent| store.calls_wait(&name, urgent).is_some();
    store.calls_add(&name, 19);
    assert!(!store.calls_are_limited() && !waits(false));
    store.calls_limit_set(&name, Limit::Calls(20)).await.unwrap();
    assert!(store.calls_are_limited() && waits(false) && !waits(true), "the last one is for urgent ones");
    store.calls_write().await.unwrap();
    assert!(waits(false) && !waits(true));
    store.calls_add(&name, 1);
    assert!(waits(true));
    let until = store.calls_wait(&name, true).unwrap();
    assert!(until > bed.clock.now() && until <= Month::of(bed.clock.now()).end());

    // A start later, all of it is known again.
    let again = bed.home.open(bed.clock.clone(), bed.chance.clone());
    if let Ok(again) = again {
        assert!(again.calls_learn().await.unwrap());
    }
    store.calls_write().await.unwrap();
    store.calls_learn().await.unwrap();
    assert!(waits(true));
    assert_eq!(store.calls_of(std::slice::from_ref(&name)).await.unwrap()[0].limit, Limit::Calls(20));
    bed.clock.advance(DAY * 31);
    assert!(!waits(false), "a new month");
    store.calls_limit_set(&name, Limit::Unlimited).await.unwrap();
    assert_eq!(store.calls_of(std::slice::from_ref(&name)).await.unwrap()[0].limit, Limit::Unlimited);
    assert!(!store.calls_learn().await.unwrap());
    store.calls_limit_set(&name, Limit::Default).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM app_limit"), 0);
    assert!(store.calls_are_shared() || !store.shards().are_shared());
}

pub(crate) async fn what_holds_a_delivery_back_is_told<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, dingtalk()).await;
    let id = bed.publish(&topic, "hello").await;
    let delivery = carillon_model::id::DeliveryId::new(id, 1);
    assert_eq!(bed.store.delivery_held_back(delivery).await.unwrap(), None);
    let robots = of_robots(&bed.project);
    bed.store.calls_add(&robots, 10);
    bed.store.calls_limit_set(&robots, Limit::Calls(10)).await.unwrap();
    let held = bed.store.delivery_held_back(delivery).await.unwrap();
    assert_eq!(held, Some(HeldBack::Limit { used: 10, most: 10 }));
    let until = bed.clock.now().plus(DAY);
    let scope = bed.store.scope_key("host oapi.dingtalk.com");
    let hold = Hold { scope, reason: Reason::Quota, until };
    bed.store.health_note(Vec::new(), vec![hold]).await.unwrap();
    let held = bed.store.delivery_held_back(delivery).await.unwrap();
    assert_eq!(held, Some(HeldBack::Platform(Reason::Quota, until)));
}

pub(crate) async fn a_connection_tells_whom_it_is_told_to_once_a_day<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (id, topic) = (connected(&bed, "HQ").await, bed.topic("ops").await);
    let subscription = bed.subscribe(&topic, dingtalk()).await;
    assert!(name_of(&bed, id).await.contains("cli_a1b2"));
    assert_eq!(bed.store.connection_notified(id).await.unwrap(), None);
    let set = |to| bed.store.connection_notices_set(&bed.project, id, to);
    assert!(set(Some(Fallback::Subscription(subscription))).await.unwrap());
    let named = bed.store.fallback_find(&bed.project, Fallback::Subscription(subscription)).await.unwrap();
    assert_eq!(named, Some((topic.name.clone(), Some(subscription))));
    assert!(set(Some(Fallback::Topic(topic.id))).await.unwrap());
    let named = bed.store.fallback_find(&bed.project, Fallback::Topic(topic.id)).await.unwrap();
    assert_eq!(named, Some((topic.name.clone(), None)));
    let to = bed.store.connection_notified(id).await.unwrap().unwrap();
    assert_eq!((to.recipients.len(), &to.through), (1, &(topic.id, topic.name.clone())));
    let found = bed.store.connection_find(&bed.project, id).await.unwrap().unwrap();
    assert_eq!(found.notices, Some(Fallback::Topic(topic.id)));
    let notice = |number: u64| {
        let now = bed.clock.now().plus(Duration::from_millis(number));
        let message = Message {
            id: MessageId::new(now, bed.chance.as_ref()),
            project: bed.project.clone(),
            topic: topic.id,
            content: Content { default: Body::text("near"), ..Content::default() },
            priority: Priority::Normal,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(DAY),
        };
        StoredMessage { message, topic_name: topic.name.clone() }
    };
    let tell = |told, number| bed.store.connection_tell(id, told, notice(number), to.recipients.clone());
    assert!(tell(5, 1).await.unwrap());
    assert!(!tell(5, 2).await.unwrap(), "told already");
    assert!(tell(6, 3).await.unwrap());
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery"), 2);
    assert!(tell(1_000, 4).await.unwrap());
    assert!(tell(7, 5).await.unwrap(), "the one before was made while the clock stood far ahead");
    assert!(set(None).await.unwrap());
    assert_eq!(bed.store.connection_notified(id).await.unwrap(), None);
}
