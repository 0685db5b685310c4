use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_model::filter::Attributes;
use carillon_model::id::{EndpointId, MessageId};
use carillon_model::topic::Topic;
use carillon_store::delivery::Ready;
use carillon_store::idempotency::Accepted;
use carillon_store::pick::{DeliveryFilter, Moved, Portion};

use crate::harness::{Bed, Home, robot};

/// A topic with so many robots; all topics of a test have the first ones in common.
async fn topic<H: Home>(bed: &Bed<H>, name: &str, robots: usize) -> Topic {
    let topic = bed.topic(name).await;
    for index in 0..robots {
        bed.subscribe(&topic, robot(&format!("0123456789ab{index:04x}"))).await;
    }
    topic
}

/// Everything that was handed to the engine since the last look.
fn handed<H: Home>(bed: &Bed<H>) -> Vec<Ready> {
    bed.store.wake().take().ready
}

async fn all_steps<H: Home>(bed: &Bed<H>) -> usize {
    let mut steps = 1;
    while bed.store.fan_out_step().await.unwrap() {
        steps += 1;
    }
    steps
}

fn deliveries<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM delivery")
}

fn messages(ready: &[Ready]) -> Vec<MessageId> {
    ready.iter().map(|one| one.id.message).collect()
}

pub(crate) async fn a_message_to_many_is_written_down_in_portions<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(4, 3);
    let topic = topic(&bed, "ops", 8).await;
    let recipients = bed.store.recipient_list(topic.id).await.unwrap();
    let id = bed.publish(&topic, "disk full").await;
    assert_eq!((deliveries(&bed), handed(&bed).len()), (0, 0), "the answer does not wait for them");
    assert_eq!(bed.store.fan_out_unplaced(), 8);
    bed.store.fan_out_added().await;
    assert!(bed.store.fan_out_waits().await.unwrap());
    assert_eq!(bed.store.message_find(&bed.project, id).await.unwrap().unwrap().deliveries, 8);

    assert!(bed.store.fan_out_step().await.unwrap());
    let mut ready = handed(&bed);
    assert_eq!((deliveries(&bed), ready.len()), (3, 3));
    assert_eq!(all_steps(&bed).await, 2);
    ready.extend(handed(&bed));
    assert_eq!((deliveries(&bed), bed.store.fan_out_unplaced()), (8, 0));
    for ((ready, to), number) in ready.iter().zip(recipients.iter()).zip(1..) {
        assert_eq!((ready.id.message, ready.id.number), (id, number));
        assert_eq!(
            (ready.subscription, ready.endpoint, ready.overflow),
            (to.subscription, to.endpoint, to.overflow)
        );
        let taken = bed.store.lane_take(to.endpoint, 10).await.unwrap().ready;
        assert_eq!(format!("{taken:?}"), format!("[{ready:?}]"), "the store tells what the wake told");
    }
    assert_eq!(ready.len(), 8);
    assert!(!bed.store.fan_out_waits().await.unwrap());
    assert!(!bed.store.fan_out_step().await.unwrap(), "nothing is left");
    assert!(handed(&bed).is_empty(), "each is handed over once");
}

pub(crate) async fn what_is_accepted_behind_waits_its_turn<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(4, 3);
    let (many, few) = (topic(&bed, "many", 7).await, topic(&bed, "few", 1).await);
    let before = bed.publish(&few, "before").await;
    assert_eq!(messages(&handed(&bed)), [before], "nothing waits yet");
    let first = bed.publish(&many, "to many").await;
    let behind = bed.publish(&few, "behind").await;
    let second = bed.publish(&many, "to many again").await;
    let last = bed.publish(&few, "last").await;
    assert!(handed(&bed).is_empty());
    all_steps(&bed).await;
    let ready = handed(&bed);
    let expected = [vec![first; 7], vec![behind], vec![second; 7], vec![last]].concat();
    assert_eq!(messages(&ready), expected);
    let shared = ready[0].endpoint;
    let lane = bed.store.lane_take(shared, 10).await.unwrap().ready;
    assert_eq!(messages(&lane), [before, first, behind, second, last]);
    let after = bed.publish(&few, "after").await;
    assert_eq!(messages(&handed(&bed)), [after], "nothing waits any more");
}

pub(crate) async fn what_is_published_together_behind_waits_its_turn<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(4, 3);
    let (many, few) = (topic(&bed, "many", 7).await, topic(&bed, "few", 1).await);
    let first = bed.publish(&many, "to many").await;
    let publish = |text: &'static str| bed.publish(&few, text);
    let (a, b, c, d) = tokio::join!(publish("a"), publish("b"), publish("c"), publish("d"));
    assert!(handed(&bed).is_empty());
    all_steps(&bed).await;
    let ready = messages(&handed(&bed));
    assert_eq!(ready.iter().take(7).collect::<Vec<_>>(), [&first; 7]);
    let behind: BTreeSet<_> = ready.into_iter().skip(7).collect();
    assert_eq!(behind, BTreeSet::from([a, b, c, d]));
}

pub(crate) async fn who_left_meanwhile_gets_a_cancelled_delivery<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(2, 3);
    let (ops, gone) = (topic(&bed, "ops", 4).await, topic(&bed, "gone", 4).await);
    let recipients = bed.store.recipient_list(ops.id).await.unwrap();
    let id = bed.publish(&ops, "disk full").await;
    let other = bed.publish(&gone, "disk full").await;
    let left = recipients[1].subscription;
    assert_eq!(bed.store.subscription_delete(vec![(ops.id, left)]).await.unwrap(), [true]);
    assert!(bed.store.topic_delete(&bed.project, &gone.name).await.unwrap());
    all_steps(&bed).await;
    let ready = handed(&bed);
    assert_eq!(messages(&ready), [id; 3]);
    assert!(ready.iter().all(|one| one.subscription != left));
    let states = |records: Vec<carillon_store::attempt::DeliveryRecord>| {
        records.into_iter().map(|record| record.state).collect::<Vec<_>>()
    };
    let (waits, cancelled) = (DeliveryState::Pending, DeliveryState::Cancelled);
    let listed = states(bed.store.delivery_list(&bed.project, id, 0, 10).await.unwrap());
    assert_eq!(listed, [waits, cancelled, waits, waits]);
    let listed = states(bed.store.delivery_list(&bed.project, other, 0, 10).await.unwrap());
    assert_eq!(listed, [cancelled; 4]);
    let lists = bed.home.number("SELECT count(*) FROM recipient_list");
    assert_eq!(lists, 0, "a list goes with its topic, and with the first of it who left");
}

/// Everybody was there when the list was looked through for the first message.
pub(crate) async fn who_leaves_a_list_that_is_known_gets_a_cancelled_delivery<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(2, 3);
    let ops = topic(&bed, "ops", 7).await;
    let recipients = bed.store.recipient_list(ops.id).await.unwrap();
    let mut all = Vec::new();
    for _message in 0..2 {
        all.push(bed.publish(&ops, "disk full").await);
        all_steps(&bed).await;
    }
    let ready = handed(&bed);
    assert_eq!(messages(&ready), [vec![all[0]; 7], vec![all[1]; 7]].concat());
    for ready in ready.chunks(7) {
        let numbers: Vec<_> = ready.iter().map(|one| (one.id.number, one.subscription)).collect();
        let expected: Vec<_> = (1..).zip(recipients.iter().map(|to| to.subscription)).collect();
        assert_eq!(numbers, expected);
    }
    let waits = bed.publish(&ops, "to those who stay").await;
    assert!(bed.store.fan_out_step().await.unwrap(), "the first portion is written down");
    let left = recipients[4].subscription;
    assert_eq!(bed.store.subscription_delete(vec![(ops.id, left)]).await.unwrap(), [true]);
    all_steps(&bed).await;
    let ready = handed(&bed);
    assert_eq!(messages(&ready), [waits; 6]);
    assert!(ready.iter().all(|one| one.subscription != left));
    let listed = bed.store.delivery_list(&bed.project, waits, 0, 10).await.unwrap();
    let cancelled: Vec<_> = listed.iter().map(|one| one.state == DeliveryState::Cancelled).collect();
    assert_eq!(cancelled, [false, false, false, false, true, false, false]);
    // Those whom a publisher saw before somebody left are a list of their own, for whoever sees the same.
    let seen = bed.store.message_publish(bed.new_message(&ops, "to all whom I saw"), recipients).await;
    seen.unwrap();
    bed.publish(&ops, "to all").await;
    all_steps(&bed).await;
    let ready = handed(&bed);
    assert_eq!(ready.len(), 12);
    assert!(ready.iter().all(|one| one.subscription != left));
}

pub(crate) async fn whoever_asks_sees_everything_that_was_accepted<H: Home>() {
    let hour = Duration::from_secs(3600);
    let bed = Bed::<H>::fresh().await.fan_out(2, 2);
    let ops = topic(&bed, "ops", 5).await;
    let listed = bed.publish(&ops, "listed").await;
    assert_eq!(bed.store.delivery_list(&bed.project, listed, 0, 10).await.unwrap().len(), 5);
    let found = bed.publish(&ops, "found").await;
    let fifth = carillon_model::id::DeliveryId::new(found, 5);
    assert_eq!(bed.store.delivery_find(&bed.project, fifth).await.unwrap().unwrap().id, fifth);
    let counted = bed.publish(&ops, "counted").await;
    let count = bed.store.delivery_count(&bed.project, counted).await.unwrap();
    assert_eq!(count, [(DeliveryState::Pending, 5)]);
    let explained = bed.publish(&ops, "explained").await;
    let last = bed.store.recipient_list(ops.id).await.unwrap()[4].subscription;
    let record = bed.store.delivery_find_for(&bed.project, explained, last).await.unwrap();
    assert_eq!(record.unwrap().id.number, 5);

    let cancelled = bed.publish(&ops, "cancelled").await;
    let one = carillon_model::id::DeliveryId::new(cancelled, 4);
    assert_eq!(bed.store.delivery_cancel(&bed.project, one).await.unwrap(), Moved::Done);
    let all = bed.publish(&ops, "all cancelled").await;
    let filter = DeliveryFilter { message: Some(all), ..DeliveryFilter::default() };
    let portion = Portion { filter, cursor: None, limit: 100 };
    assert_eq!(bed.store.delivery_cancel_all(&bed.project, portion.clone()).await.unwrap().moved, 5);
    assert_eq!(bed.store.delivery_resend(&bed.project, one, hour).await.unwrap(), Moved::Done);
    assert_eq!(bed.store.delivery_resend_all(&bed.project, portion, hour).await.unwrap().moved, 5);
}

pub(crate) async fn a_crash_goes_on_where_it_was<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(2, 2);
    let ops = topic(&bed, "ops", 7).await;
    let stored = bed.new_message(&ops, "once");
    let id = stored.message.id;
    let to = bed.store.recipient_list(ops.id).await.unwrap();
    let none = Attributes::default();
    let once = bed.store.message_publish_once(stored, to.clone(), "once", &none).await.unwrap();
    assert_eq!(once, Accepted::New);
    let some = bed.new_message(&ops, "to some");
    let second = some.message.id;
    bed.store.message_publish(some, to[2..6].to_vec()).await.unwrap();
    assert!(bed.store.fan_out_step().await.unwrap());
    let bed = bed.crash().fan_out(2, 2);
    assert_eq!(deliveries(&bed), 2);
    let again = bed.new_message(&ops, "once");
    let again =
        bed.store.message_publish_once(again, to.clone(), "once", &Attributes::default()).await.unwrap();
    assert_eq!(again, Accepted::Again { message: id, deliveries: 7 });
    let behind = bed.publish(&topic(&bed, "few", 1).await, "behind").await;
    // Another version may take other portions.
    let bed = bed.reopen().fan_out(9, 5);
    all_steps(&bed).await;
    let ready = handed(&bed);
    let expected = [vec![id; 5], vec![second; 4], vec![behind]].concat();
    assert_eq!(messages(&ready), expected);
    let numbers: Vec<_> = ready.iter().map(|one| one.id.number).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7, 1, 2, 3, 4, 1]);
    let lanes: Vec<EndpointId> = ready.iter().skip(5).take(4).map(|one| one.endpoint).collect();
    assert_eq!(lanes, to[2..6].iter().map(|to| to.endpoint).collect::<Vec<_>>());
}

pub(crate) async fn a_list_serves_every_message_of_its_topic<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(2, 2);
    let ops = topic(&bed, "ops", 5).await;
    let count = |what: &str| bed.home.number(&format!("SELECT count(*) FROM {what}"));
    bed.publish(&ops, "first").await;
    bed.publish(&ops, "second").await;
    assert_eq!((count("recipient_list"), count("recipient_list_portion")), (1, 3));
    bed.subscribe(&ops, robot("ffffffffffffffff")).await;
    bed.publish(&ops, "to one more").await;
    assert_eq!(count("recipient_list"), 2, "two messages still go to the first list");
    let some = bed.store.recipient_list(ops.id).await.unwrap()[..4].to_vec();
    bed.store.message_publish(bed.new_message(&ops, "to some"), some).await.unwrap();
    assert_eq!(count("recipient_list"), 3);
    all_steps(&bed).await;
    assert_eq!(handed(&bed).len(), 5 + 5 + 6 + 4);
    assert_eq!((count("recipient_list"), count("recipient_list_portion")), (1, 3), "the topic's own stays");
    assert_eq!(count("fan_out"), 0);
    bed.publish(&ops, "again").await;
    assert_eq!(count("recipient_list"), 1);
}

pub(crate) async fn what_waits_to_be_written_down_is_not_forgotten<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(2, 2);
    let ops = topic(&bed, "ops", 3).await;
    let id = bed.publish(&ops, "disk full").await;
    bed.clock.advance(Duration::from_secs(40 * 24 * 3600));
    assert!(
        bed.store
            .message_forget(carillon_model::Clock::now(bed.clock.as_ref()), 500)
            .await
            .unwrap()
            .is_nothing()
    );
    all_steps(&bed).await;
    assert_eq!(messages(&handed(&bed)), [id; 3]);
}

/// Publishes to many and to few in any order, with steps, asks, departures and restarts between them: each recipient has
/// each message once, and each lane has them in the order of their acceptance.
pub(crate) async fn order_holds_whatever_comes_between<H: Home>() {
    for seed in 0..4 {
        let mut bed = Bed::<H>::fresh().await.fan_out(3, 2);
        bed.reseed(seed);
        let (many, few) = (topic(&bed, "many", 6).await, topic(&bed, "few", 2).await);
        let (mut accepted, mut ready) = (Vec::new(), Vec::new());
        for turn in 0..60 {
            let topic = if bed.below(3) == 0 { &many } else { &few };
            match bed.below(7) {
                0..=3 => {
                    let to = bed.store.recipient_list(topic.id).await.unwrap();
                    accepted.push((bed.publish(topic, &format!("{turn}")).await, to.len()));
                }
                4 => drop(bed.store.fan_out_step().await.unwrap()),
                5 => {
                    let Some((last, count)) = accepted.last() else { continue };
                    let listed = bed.store.delivery_list(&bed.project, *last, 0, 100).await.unwrap();
                    assert_eq!(listed.len(), *count, "seed {seed}");
                }
                _ => {
                    ready.extend(handed(&bed));
                    bed = bed.reopen().fan_out(3, 2);
                }
            }
        }
        all_steps(&bed).await;
        ready.extend(handed(&bed));
        let order: BTreeMap<MessageId, usize> =
            accepted.iter().enumerate().map(|(place, (id, _count))| (*id, place)).collect();
        assert!(ready.is_sorted_by_key(|one| order[&one.id.message]), "seed {seed}");
        assert!(ready.is_sorted_by_key(|one| one.seq), "seed {seed}");
        let distinct: BTreeSet<_> = ready.iter().map(|one| (one.id.message, one.subscription)).collect();
        let all: usize = accepted.iter().map(|(_id, count)| count).sum();
        assert_eq!((distinct.len(), ready.len()), (all, all), "seed {seed}");
    }
}
