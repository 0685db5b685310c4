//! Asking subscribers, the links they follow, and ending by link.

use std::time::Duration;

use carillon_model::Channel;
use carillon_model::Clock;
use carillon_model::delivery::DeliveryState;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{MessageId, SubscriptionId};
use carillon_model::message::Kind;
use carillon_model::subscription::{Extension, SubscriptionState, Target};
use carillon_model::topic::Topic;
use carillon_store::confirmation::{Asked, Ended, Throttle};
use carillon_store::delivery::{Ready, StoredMessage};
use carillon_store::subscription::{NewSubscription, Subscribed};

use crate::harness::{Bed, Home, robot, subscription};
use crate::traces;

const HOUR: Duration = Duration::from_secs(3600);
const FREE: &[Throttle] = &[];
const TWO_AN_HOUR: &[Throttle] = &[Throttle { window: HOUR, most: 2 }];

fn hook(name: &str) -> Target {
    let url = format!("https://hooks.example/{name}");
    let endpoint = Endpoint::parse(Channel::Https, &url).unwrap();
    Target { endpoint, extension: Extension::default() }
}

async fn waiting<H: Home>(bed: &Bed<H>, topic: &Topic, name: &str) -> SubscriptionId {
    let new = NewSubscription { state: SubscriptionState::Unconfirmed, ..subscription(topic, hook(name)) };
    match bed.store.subscription_add(new).await.unwrap() {
        Subscribed::New(id) | Subscribed::There(id) => id,
        other @ (Subscribed::Full | Subscribed::NoTopic) => panic!("{other:?}"),
    }
}

fn own<H: Home>(bed: &Bed<H>, topic: &Topic, kind: Kind) -> StoredMessage {
    let mut stored = bed.new_message(topic, "please confirm");
    stored.message.content.kind = kind;
    stored.message.expires_at = stored.message.created_at.plus(48 * HOUR);
    stored
}

async fn ask<H: Home>(
    bed: &Bed<H>,
    topic: &Topic,
    id: SubscriptionId,
    throttles: &'static [Throttle],
) -> (Asked, MessageId) {
    let stored = own(bed, topic, Kind::SubscriptionConfirmation);
    let message = stored.message.id;
    (bed.store.confirmation_send(id, stored, throttles).await.unwrap(), message)
}

async fn state<H: Home>(bed: &Bed<H>, topic: &Topic, id: SubscriptionId) -> SubscriptionState {
    bed.store.subscription_find(topic.id, id).await.unwrap().unwrap().state
}

/// A subscription in force that was asked, with the message that asked it.
async fn confirmed<H: Home>(bed: &Bed<H>, topic: &Topic, name: &str) -> (SubscriptionId, MessageId) {
    let id = waiting(bed, topic, name).await;
    let (asked, message) = ask(bed, topic, id, FREE).await;
    assert_eq!(asked, Asked::Sent);
    assert!(bed.store.subscription_confirm(&bed.store.confirmation_token(message)).await.unwrap());
    (id, message)
}

pub(crate) async fn asking_makes_a_message_with_one_delivery<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = waiting(&bed, &topic, "a").await;
    let (asked, message) = ask(&bed, &topic, id, FREE).await;
    assert_eq!(asked, Asked::Sent);
    let handed: Vec<Ready> = bed.store.wake().take().ready;
    assert_eq!((handed.len(), handed[0].subscription, handed[0].id.message), (1, id, message));
    let kept = bed.store.lane_take(handed[0].endpoint, 10).await.unwrap().ready;
    assert_eq!(kept[0].stored, handed[0].stored);
    assert_eq!(kept[0].stored.message.content.kind, Kind::SubscriptionConfirmation);
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Unconfirmed);
    assert!(bed.store.recipient_list(topic.id).await.unwrap().is_empty());
    let nobody = SubscriptionId::new(bed.clock.now(), bed.chance.as_ref());
    assert_eq!(ask(&bed, &topic, nobody, FREE).await.0, Asked::Gone);
}

pub(crate) async fn a_crash_loses_neither_the_question_nor_its_link<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = waiting(&bed, &topic, "a").await;
    let (_asked, message) = ask(&bed, &topic, id, FREE).await;
    let token = bed.store.confirmation_token(message);
    let bed = bed.crash();
    let lanes = bed.store.lane_list().await.unwrap();
    let waits = bed.store.lane_take(lanes[0], 10).await.unwrap().ready;
    assert_eq!((waits.len(), waits[0].id.message), (1, message));
    assert_eq!(bed.store.confirmation_token(message), token);
    assert!(bed.store.subscription_confirm(&token).await.unwrap());
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Confirmed);
}

pub(crate) async fn following_the_link_puts_it_into_force<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = waiting(&bed, &topic, "a").await;
    let other = waiting(&bed, &topic, "b").await;
    let (_asked, message) = ask(&bed, &topic, id, FREE).await;
    let token = bed.store.confirmation_token(message);
    assert_eq!(bed.store.confirmation_find(&token).await.unwrap().unwrap().id, id);
    assert!(bed.store.confirmation_find(&"x".into()).await.unwrap().is_none());
    assert!(!bed.store.subscription_confirm(&"x".into()).await.unwrap());
    for _twice in 0..2 {
        assert!(bed.store.subscription_confirm(&token).await.unwrap());
        assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Confirmed);
    }
    assert_eq!(state(&bed, &topic, other).await, SubscriptionState::Unconfirmed);
    assert_eq!(bed.store.recipient_list(topic.id).await.unwrap().len(), 1);
}

pub(crate) async fn a_link_ends_after_48_hours<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = waiting(&bed, &topic, "a").await;
    let (_asked, message) = ask(&bed, &topic, id, FREE).await;
    let token = bed.store.confirmation_token(message);
    bed.clock.advance(48 * HOUR - Duration::from_millis(1));
    assert!(bed.store.confirmation_find(&token).await.unwrap().is_some());
    bed.clock.advance(Duration::from_millis(1));
    assert!(bed.store.confirmation_find(&token).await.unwrap().is_none());
    assert!(!bed.store.subscription_confirm(&token).await.unwrap());
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Unconfirmed);
    ask(&bed, &topic, id, FREE).await;
    assert_eq!(bed.home.number("SELECT count(*) FROM confirmation"), 1, "the one that ended is forgotten");
}

pub(crate) async fn what_is_in_force_is_not_asked<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let (id, _message) = confirmed(&bed, &topic, "a").await;
    assert!(!bed.store.wake().take().ready.is_empty());
    assert_eq!(ask(&bed, &topic, id, FREE).await.0, Asked::Unneeded);
    assert!(bed.store.wake().take().ready.is_empty());
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Confirmed);
}

pub(crate) async fn asking_is_throttled_for_an_address_even_after_a_delete<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("dev").await);
    let id = waiting(&bed, &topic, "a").await;
    assert_eq!(ask(&bed, &topic, id, TWO_AN_HOUR).await.0, Asked::Sent);
    let elsewhere = waiting(&bed, &other, "a").await;
    assert_eq!(ask(&bed, &other, elsewhere, TWO_AN_HOUR).await.0, Asked::Sent);
    assert_eq!(ask(&bed, &topic, id, TWO_AN_HOUR).await.0, Asked::Throttled);
    bed.store.subscription_delete(vec![(topic.id, id), (other.id, elsewhere)]).await.unwrap();
    let again = waiting(&bed, &topic, "a").await;
    assert_eq!(ask(&bed, &topic, again, TWO_AN_HOUR).await.0, Asked::Throttled);
    let neighbour = waiting(&bed, &topic, "b").await;
    assert_eq!(ask(&bed, &topic, neighbour, TWO_AN_HOUR).await.0, Asked::Sent);
    bed.clock.advance(HOUR);
    assert_eq!(ask(&bed, &topic, again, TWO_AN_HOUR).await.0, Asked::Sent);
}

pub(crate) async fn confirming_begins_the_count_anew<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("dev").await);
    let id = waiting(&bed, &topic, "a").await;
    ask(&bed, &topic, id, TWO_AN_HOUR).await;
    let (_asked, message) = ask(&bed, &topic, id, TWO_AN_HOUR).await;
    bed.store.subscription_confirm(&bed.store.confirmation_token(message)).await.unwrap();
    let elsewhere = waiting(&bed, &other, "a").await;
    assert_eq!(ask(&bed, &other, elsewhere, TWO_AN_HOUR).await.0, Asked::Sent);
}

pub(crate) async fn ending_cancels_what_waits_and_says_farewell<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let (id, asked) = confirmed(&bed, &topic, "a").await;
    bed.publish(&topic, "waits").await;
    let waits = bed.store.wake().take().ready.pop().unwrap();
    let stored = own(&bed, &topic, Kind::UnsubscribeConfirmation);
    let farewell = stored.message.id;
    assert_eq!(bed.store.subscription_end(id, stored).await.unwrap(), Ended::Now);
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Cancelled);
    assert_eq!(bed.state(waits.id).await, DeliveryState::Cancelled);
    assert!(bed.store.recipient_list(topic.id).await.unwrap().is_empty());
    let handed = bed.store.wake().take().ready;
    assert_eq!((handed.len(), handed[0].id.message), (1, farewell));
    let again = own(&bed, &topic, Kind::UnsubscribeConfirmation);
    assert_eq!(bed.store.subscription_end(id, again).await.unwrap(), Ended::Before);
    assert!(bed.store.wake().take().ready.is_empty());
    let old = bed.store.confirmation_token(asked);
    assert!(!bed.store.subscription_confirm(&old).await.unwrap(), "older links are dead");
    let new = bed.store.confirmation_token(farewell);
    assert!(bed.store.subscription_confirm(&new).await.unwrap());
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Confirmed);
}

pub(crate) async fn only_what_was_asked_can_be_ended<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let stored = own(&bed, &topic, Kind::UnsubscribeConfirmation);
    assert_eq!(bed.store.subscription_end(id, stored).await.unwrap(), Ended::NoLink);
    assert_eq!(state(&bed, &topic, id).await, SubscriptionState::Unneeded);
    let nobody = SubscriptionId::new(bed.clock.now(), bed.chance.as_ref());
    let stored = own(&bed, &topic, Kind::UnsubscribeConfirmation);
    assert_eq!(bed.store.subscription_end(nobody, stored).await.unwrap(), Ended::Gone);
}

pub(crate) async fn a_message_opens_only_what_it_is_meant_for<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let kinds = [Kind::SubscriptionConfirmation, Kind::Published, Kind::UnsubscribeConfirmation];
    let opened = async |id: SubscriptionId| {
        let mut opened = Vec::new();
        for kind in kinds {
            opened.push(bed.store.target_open_for(id, kind).await.unwrap().is_some());
        }
        opened
    };
    let id = waiting(&bed, &topic, "a").await;
    assert_eq!(opened(id).await, [true, false, false]);
    let (_asked, message) = ask(&bed, &topic, id, FREE).await;
    bed.store.subscription_confirm(&bed.store.confirmation_token(message)).await.unwrap();
    assert_eq!(opened(id).await, [false, true, false]);
    let stored = own(&bed, &topic, Kind::UnsubscribeConfirmation);
    bed.store.subscription_end(id, stored).await.unwrap();
    assert_eq!(opened(id).await, [false, false, true]);
    bed.store.subscription_delete(vec![(topic.id, id)]).await.unwrap();
    assert_eq!(opened(id).await, [false, false, false]);
}

pub(crate) async fn an_ending_link_fits_its_own_subscription_only<H: Home>() {
    let bed = Bed::<H>::empty();
    let signature = bed.store.unsubscribe_signature("urn:smn:local:p:ops:1");
    assert_eq!(signature.reveal().len(), 43);
    assert!(bed.store.unsubscribe_signature_fits("urn:smn:local:p:ops:1", &signature));
    assert!(!bed.store.unsubscribe_signature_fits("urn:smn:local:p:ops:2", &signature));
    assert!(!bed.store.unsubscribe_signature_fits("urn:smn:local:p:ops:1", &"".into()));
    assert!(bed.reopen().store.unsubscribe_signature_fits("urn:smn:local:p:ops:1", &signature));
}

pub(crate) async fn a_deleted_subscription_takes_its_links_along<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = waiting(&bed, &topic, "a").await;
    let (_asked, message) = ask(&bed, &topic, id, FREE).await;
    bed.store.subscription_delete(vec![(topic.id, id)]).await.unwrap();
    assert!(!bed.store.subscription_confirm(&bed.store.confirmation_token(message)).await.unwrap());
    assert_eq!(bed.home.number("SELECT count(*) FROM confirmation"), 0);
}

pub(crate) async fn no_token_is_readable_at_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = waiting(&bed, &topic, "a").await;
    let (_asked, message) = ask(&bed, &topic, id, FREE).await;
    let token = bed.store.confirmation_token(message);
    for file in bed.home.files() {
        let bytes = traces::bytes_of(&file);
        let found = bytes.windows(token.reveal().len()).any(|window| window == token.reveal().as_bytes());
        assert!(!found, "{}", file.display());
    }
}
