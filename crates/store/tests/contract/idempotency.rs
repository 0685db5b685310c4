use std::sync::Arc;
use std::time::Duration;

use carillon_model::Clock;
use carillon_model::filter::Attributes;
use carillon_model::limits::IDEMPOTENCY_KEY_LIFE;
use carillon_model::message::{Body, Priority};
use carillon_store::delivery::StoredMessage;
use carillon_store::idempotency::Accepted;

use crate::harness::{Bed, Home, robot};
use crate::traces;

/// The same content as another publish of it has: a message of its own id and time.
fn again<H: Home>(bed: &Bed<H>, first: &StoredMessage) -> StoredMessage {
    let mut second = first.clone();
    let now = bed.tick();
    let life = first.message.expires_at.since(first.message.created_at);
    second.message.id = carillon_model::id::MessageId::new(now, bed.chance.as_ref());
    (second.message.created_at, second.message.expires_at) = (now, now.plus(life));
    second
}

async fn once<H: Home>(bed: &Bed<H>, stored: &StoredMessage, key: &str) -> Accepted {
    let recipients = bed.store.recipient_list(stored.message.topic).await.unwrap();
    bed.store.message_publish_once(stored.clone(), recipients, key, &Attributes::default()).await.unwrap()
}

pub(crate) async fn the_same_key_publishes_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(once(&bed, &first, "deploy-7").await, Accepted::New);
    let message = first.message.id;
    let told = Accepted::Again { message, deliveries: 1 };
    assert_eq!(once(&bed, &again(&bed, &first), "deploy-7").await, told);
    assert_eq!(bed.store.wake().take().ready.len(), 1, "the repeat hands nothing over");
    let bed = bed.crash();
    assert_eq!(once(&bed, &again(&bed, &first), "deploy-7").await, told, "a restart forgets no key");
    assert_eq!(once(&bed, &again(&bed, &first), "deploy-8").await, Accepted::New);
    assert_eq!(bed.home.number("SELECT count(*) FROM message"), 2);
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery"), 2);
}

pub(crate) async fn another_content_under_the_same_key_is_told<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("db").await);
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(once(&bed, &first, "k").await, Accepted::New);
    let changes: [fn(&mut StoredMessage); 4] = [
        |stored| stored.message.content.default = Body::text("disk empty"),
        |stored| stored.message.content.subject = Some("disk".to_owned()),
        |stored| stored.message.priority = Priority::Urgent,
        |stored| stored.message.expires_at = stored.message.expires_at.plus(Duration::from_secs(1)),
    ];
    for change in changes {
        let mut changed = again(&bed, &first);
        change(&mut changed);
        assert_eq!(once(&bed, &changed, "k").await, Accepted::Differs);
    }
    let mut attributes = Attributes::default();
    attributes.add("severity", &["high".to_owned()]).unwrap();
    let with =
        bed.store.message_publish_once(again(&bed, &first), Vec::new(), "k", &attributes).await.unwrap();
    assert_eq!(with, Accepted::Differs);
    let mut elsewhere = StoredMessage { topic_name: other.name.clone(), ..again(&bed, &first) };
    elsewhere.message.topic = other.id;
    assert_eq!(once(&bed, &elsewhere, "k").await, Accepted::Differs);
    assert_eq!(bed.home.number("SELECT count(*) FROM message"), 1);
}

pub(crate) async fn a_key_is_its_projects_own<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let foreign = bed.foreign();
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(once(&bed, &first, "k").await, Accepted::New);
    let mut theirs = again(&bed, &first);
    theirs.message.project = foreign;
    assert_eq!(once(&bed, &theirs, "k").await, Accepted::New);
}

pub(crate) async fn a_key_is_honoured_for_its_life<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(once(&bed, &first, "k").await, Accepted::New);
    let taken_at = bed.clock.now();
    bed.clock.set(taken_at.plus(IDEMPOTENCY_KEY_LIFE - Duration::from_millis(2)));
    assert!(matches!(once(&bed, &again(&bed, &first), "k").await, Accepted::Again { .. }));
    assert_eq!(bed.store.idempotency_forget(10).await.unwrap(), 0);
    assert_eq!(once(&bed, &again(&bed, &first), "k").await, Accepted::New, "and may be used again then");
    assert_eq!(bed.home.number("SELECT count(*) FROM idempotency_key"), 1);
}

pub(crate) async fn old_keys_are_forgotten_in_batches<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for index in 0..5 {
        let stored = bed.new_message(&topic, "disk full");
        assert_eq!(once(&bed, &stored, &format!("key {index}")).await, Accepted::New);
    }
    bed.clock.advance(IDEMPOTENCY_KEY_LIFE + Duration::from_secs(120));
    let stored = bed.new_message(&topic, "disk full");
    assert_eq!(once(&bed, &stored, "fresh").await, Accepted::New);
    for wanted in [2, 2, 1, 0] {
        assert_eq!(bed.store.idempotency_forget(2).await.unwrap(), wanted);
    }
    assert_eq!(bed.home.number("SELECT count(*) FROM idempotency_key"), 1);
}

pub(crate) async fn no_key_is_readable_at_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let stored = bed.new_message(&topic, "disk full");
    assert_eq!(once(&bed, &stored, "a-key-that-names-a-customer").await, Accepted::New);
    for file in bed.home.files() {
        let bytes = traces::bytes_of(&file);
        let found = bytes.windows(27).any(|window| window == b"a-key-that-names-a-customer");
        assert!(!found, "{}", file.display());
    }
}

pub(crate) async fn many_at_once_with_one_key_publish_one_message<H: Home>() {
    let bed = Arc::new(Bed::<H>::fresh().await);
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    let mut racers = tokio::task::JoinSet::new();
    for _racer in 0..64 {
        let (bed, stored) = (Arc::clone(&bed), again(&bed, &first));
        racers.spawn(async move { (stored.message.id, once(&bed, &stored, "k").await) });
    }
    let ends = racers.join_all().await;
    let new: Vec<_> = ends.iter().filter(|(_, end)| *end == Accepted::New).collect();
    let [(winner, _)] = new.as_slice() else { panic!("{ends:?}") };
    let told = Accepted::Again { message: *winner, deliveries: 1 };
    assert_eq!(ends.iter().filter(|(_, end)| *end == told).count(), 63);
    assert_eq!(bed.home.number("SELECT count(*) FROM message"), 1);
    assert_eq!(bed.store.wake().take().ready.len(), 1);
}
