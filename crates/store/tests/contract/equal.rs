use std::sync::Arc;
use std::time::Duration;

use carillon_model::filter::Attributes;
use carillon_model::id::MessageId;
use carillon_model::message::{Body, Locale, Priority};
use carillon_model::{Clock, Timestamp};
use carillon_store::delivery::StoredMessage;
use carillon_store::idempotency::Accepted;

use crate::harness::{Bed, Home, robot};

const WINDOW: Duration = Duration::from_secs(300);

/// The same content in a message of its own id and time.
fn again<H: Home>(bed: &Bed<H>, first: &StoredMessage) -> StoredMessage {
    let mut second = first.clone();
    let now = bed.tick();
    second.message.id = MessageId::new(now, bed.chance.as_ref());
    let life = first.message.expires_at.since(first.message.created_at);
    (second.message.created_at, second.message.expires_at) = (now, now.plus(life));
    second
}

async fn publish<H: Home>(bed: &Bed<H>, stored: &StoredMessage, key: Option<&str>) -> Accepted {
    let recipients = bed.store.recipient_list(stored.message.topic).await.unwrap();
    let none = Attributes::default();
    bed.store.message_publish_unequal(stored.clone(), recipients, key, &none, WINDOW).await.unwrap()
}

pub(crate) async fn the_first_goes_through_and_equal_ones_are_recorded<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(publish(&bed, &first, None).await, Accepted::New);
    let to = first.message.id;
    for _repeat in 0..3 {
        assert_eq!(publish(&bed, &again(&bed, &first), None).await, Accepted::Equal { to });
    }
    assert_eq!(bed.store.wake().take().ready.len(), 1, "only the first is handed over");
    let bed = bed.crash();
    let repeat = again(&bed, &first);
    assert_eq!(publish(&bed, &repeat, None).await, Accepted::Equal { to }, "a restart forgets nothing");
    assert_eq!(bed.store.suppressed_count(to).await.unwrap(), 4);
    assert_eq!((bed.store.suppressed_take(), bed.store.suppressed_take()), (1, 0), "told once, by this run");
    let found = bed.store.message_find(&bed.project, repeat.message.id).await.unwrap().unwrap();
    assert_eq!((found.deliveries, found.equal_to), (0, Some(to)));
    let listed = bed.store.message_list(&bed.project, None, None, None, 10).await.unwrap();
    assert_eq!(listed.iter().filter(|one| one.equal_to == Some(to)).count(), 4, "each is a message");
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery"), 1);
    assert_eq!(bed.home.number("SELECT count(*) FROM equal_content"), 1, "one row, however often");
}

pub(crate) async fn a_first_that_reached_nobody_counts_for_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(publish(&bed, &first, None).await, Accepted::New);
    let delivery = carillon_model::id::DeliveryId::new(first.message.id, 1);
    bed.store.delivery_cancel(&bed.project, delivery).await.unwrap();
    let second = again(&bed, &first);
    assert_eq!(publish(&bed, &second, None).await, Accepted::New, "nobody got the first");
    let to = second.message.id;
    assert_eq!(publish(&bed, &again(&bed, &first), None).await, Accepted::Equal { to });
}

pub(crate) async fn what_says_something_else_goes_through<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(publish(&bed, &first, None).await, Accepted::New);
    let changes: [fn(&mut StoredMessage); 3] = [
        |stored| stored.message.content.default = Body::text("disk empty"),
        |stored| stored.message.content.subject = Some("disk".to_owned()),
        |stored| stored.message.priority = Priority::Urgent,
    ];
    for change in changes {
        let mut changed = again(&bed, &first);
        change(&mut changed);
        assert_eq!(publish(&bed, &changed, None).await, Accepted::New);
    }
    let (mut attributes, recipients) = (Attributes::default(), bed.recipients(1));
    attributes.add("severity", &["high".to_owned()]).unwrap();
    let with = again(&bed, &first);
    let with = bed.store.message_publish_unequal(with, recipients, None, &attributes, WINDOW).await.unwrap();
    assert_eq!(with, Accepted::New, "attributes decide who gets it");
    let mut same = again(&bed, &first);
    same.message.locale = Locale::Chinese;
    same.message.expires_at = same.message.expires_at.plus(Duration::from_secs(9));
    assert_eq!(publish(&bed, &same, None).await, Accepted::Equal { to: first.message.id });
    // What goes to nobody anyway takes nobody's place.
    let other = bed.topic("quiet").await;
    let to_nobody = bed.new_message(&other, "disk full");
    for _twice in 0..2 {
        assert_eq!(publish(&bed, &again(&bed, &to_nobody), None).await, Accepted::New);
    }
}

pub(crate) async fn the_window_begins_with_what_was_sent<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(publish(&bed, &first, None).await, Accepted::New);
    let sent_at = bed.clock.now();
    bed.clock.set(sent_at.plus(WINDOW - Duration::from_millis(2)));
    let to = first.message.id;
    assert_eq!(publish(&bed, &again(&bed, &first), None).await, Accepted::Equal { to });
    let second = again(&bed, &first);
    assert_eq!(publish(&bed, &second, None).await, Accepted::New, "what was left out does not prolong it");
    let to = second.message.id;
    assert_eq!(publish(&bed, &again(&bed, &first), None).await, Accepted::Equal { to });
    // A clock that is set back by hours holds nothing back for hours.
    bed.clock.set(Timestamp(bed.clock.now().0 - 7_200_000));
    assert_eq!(publish(&bed, &again(&bed, &first), None).await, Accepted::New);
}

pub(crate) async fn a_key_gives_the_first_answer_of_what_was_left_out_too<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    assert_eq!(publish(&bed, &first, Some("a")).await, Accepted::New);
    let told = Accepted::Again { message: first.message.id, deliveries: 1 };
    assert_eq!(publish(&bed, &again(&bed, &first), Some("a")).await, told, "the key comes first");
    let second = again(&bed, &first);
    let equal = Accepted::Equal { to: first.message.id };
    assert_eq!(publish(&bed, &second, Some("b")).await, equal);
    let told = Accepted::Again { message: second.message.id, deliveries: 0 };
    assert_eq!(publish(&bed, &again(&bed, &first), Some("b")).await, told);
    assert_eq!(bed.home.number("SELECT count(*) FROM message"), 2);
}

pub(crate) async fn many_at_once_send_one<H: Home>() {
    let bed = Arc::new(Bed::<H>::fresh().await);
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let first = bed.new_message(&topic, "disk full");
    let mut racers = tokio::task::JoinSet::new();
    for _racer in 0..64 {
        let (bed, stored) = (Arc::clone(&bed), again(&bed, &first));
        racers.spawn(async move { (stored.message.id, publish(&bed, &stored, None).await) });
    }
    let ends = racers.join_all().await;
    let new: Vec<_> = ends.iter().filter(|(_, end)| *end == Accepted::New).collect();
    let [(winner, _)] = new.as_slice() else { panic!("{ends:?}") };
    assert_eq!(ends.iter().filter(|(_, end)| *end == Accepted::Equal { to: *winner }).count(), 63);
    assert_eq!(bed.store.wake().take().ready.len(), 1);
}

pub(crate) async fn it_is_set_for_a_topic_and_known_with_its_recipients<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let known = || async { bed.store.recipient_list(topic.id).await.unwrap().suppress() };
    assert_eq!(known().await, None);
    assert_eq!(bed.store.suppression(topic.id).await.unwrap(), Some(Duration::ZERO));
    assert!(bed.store.suppression_set(&bed.project, &topic.name, 300).await.unwrap());
    assert_eq!(known().await, Some(WINDOW));
    assert_eq!(bed.store.suppression(topic.id).await.unwrap(), Some(WINDOW));
    assert!(bed.store.suppression_set(&bed.project, &topic.name, 0).await.unwrap());
    assert_eq!(known().await, None);
    let foreign = bed.foreign();
    assert!(!bed.store.suppression_set(&foreign, &topic.name, 300).await.unwrap());
    let nobodys = bed.new_topic(&bed.project, "none").id;
    assert_eq!(bed.store.suppression(nobodys).await.unwrap(), None);
}

pub(crate) async fn contents_are_forgotten_in_batches<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for index in 0..5 {
        let stored = bed.new_message(&topic, &format!("disk {index}"));
        assert_eq!(publish(&bed, &stored, None).await, Accepted::New);
    }
    assert_eq!(bed.store.equal_forget(9).await.unwrap(), 0, "nothing before its window is over");
    bed.clock.advance(WINDOW + Duration::from_secs(120));
    assert_eq!(publish(&bed, &bed.new_message(&topic, "fresh"), None).await, Accepted::New);
    for wanted in [2, 2, 1, 0] {
        assert_eq!(bed.store.equal_forget(2).await.unwrap(), wanted);
    }
    assert_eq!(bed.home.number("SELECT count(*) FROM equal_content"), 1);
}
