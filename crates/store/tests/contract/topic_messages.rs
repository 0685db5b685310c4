//! What was published to a topic is found by it, whenever it was written down for that.

use std::time::Duration;

use carillon_model::Clock;
use carillon_model::id::MessageId;
use carillon_model::topic::Topic;
use carillon_store::glance::Steps;
use tokio::task::JoinSet;

use crate::harness::{Bed, Home};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn listed<H: Home>(bed: &Bed<H>, topic: &Topic, before: Option<MessageId>) -> Vec<MessageId> {
    let name = Some(topic.name.as_str().to_owned());
    let found = bed.store.message_list(&bed.project, name, None, before, 3).await.unwrap();
    found.iter().map(|one| one.message.message.id).collect()
}

/// A store that has looked where the mark is, as a server does when it starts.
async fn started<H: Home>() -> Bed<H> {
    let bed = Bed::<H>::fresh().await;
    bed.store.topic_messages_behind().await;
    bed.store.topic_messages_enter().await.unwrap();
    bed
}

/// How many messages are found by their topics now, without anybody asking for it.
fn entered<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM topic_message")
}

pub(crate) async fn a_topic_lists_its_own_newest_first<H: Home>() {
    let bed = started::<H>().await;
    let (ops, data) = (bed.topic("ops").await, bed.topic("data").await);
    let mut published = Vec::new();
    for _round in 0..5 {
        published.push(bed.publish(&ops, "full").await);
        bed.publish(&data, "late").await;
        bed.tick();
    }
    assert_eq!(entered(&bed), if bed.store.is_shared() { 10 } else { 0 }, "they wait for more");
    published.reverse();
    let first = listed(&bed, &ops, None).await;
    assert_eq!(first, published[..3]);
    assert_eq!(listed(&bed, &ops, first.last().copied()).await, published[3..]);
    assert_eq!(entered(&bed), 10);
    let mine =
        bed.store.message_list(&bed.project, Some("ops".to_owned()), Some(bed.account().await), None, 3);
    assert!(mine.await.unwrap().is_empty(), "no account published them");
    // What is read of them at a glance is up to date, too.
    bed.publish(&data, "later").await;
    let steps = Steps { since: bed.clock.now().minus(HOUR), step_ms: 7_200_000, count: 1 };
    let told = bed.store.topic_glance(&bed.project, vec![(data.id, data.name)], steps).await.unwrap();
    assert_eq!((told[0].recent.as_slice(), told[0].last), ([6].as_slice(), Some(bed.clock.now())));
}

pub(crate) async fn a_crash_loses_none_of_them<H: Home>() {
    let bed = started::<H>().await;
    let topic = bed.topic("ops").await;
    let first = bed.publish(&topic, "first").await;
    bed.tick();
    let second = bed.publish(&topic, "second").await;
    let bed = bed.crash();
    bed.tick();
    let third = bed.publish(&topic, "third").await;
    bed.store.topic_messages_behind().await;
    bed.store.topic_messages_enter().await.unwrap();
    assert_eq!(entered(&bed), 3);
    assert_eq!(listed(&bed, &topic, None).await, [third, second, first]);
}

pub(crate) async fn a_clock_that_was_set_back_hides_nothing<H: Home>() {
    let bed = started::<H>().await;
    let topic = bed.topic("ops").await;
    let late = bed.publish(&topic, "late").await;
    let now = bed.clock.now();
    bed.clock.set(now.minus(HOUR));
    let early = bed.publish(&topic, "early").await;
    assert_eq!(listed(&bed, &topic, None).await, [late, early]);
    bed.clock.set(now.minus(HOUR * 2));
    let earliest = bed.publish(&topic, "earliest").await;
    assert_eq!(listed(&bed, &topic, None).await, [late, early, earliest]);
}

pub(crate) async fn many_are_entered_at_once_and_forgotten_with_their_messages<H: Home>() {
    let bed = started::<H>().await;
    let topic = bed.topic("ops").await;
    let mut publishing = JoinSet::new();
    let many = if bed.store.is_shared() { 10 } else { 8_192 };
    for _one in 0..many {
        bed.tick();
        let (store, stored) = (bed.store.clone(), bed.new_message(&topic, "one of many"));
        publishing.spawn(async move { store.message_publish(stored, Vec::new()).await });
    }
    publishing.join_all().await.into_iter().for_each(|done| done.unwrap());
    if !bed.store.is_shared() {
        assert_eq!(entered(&bed), 0);
        bed.store.topic_messages_behind().await;
        bed.store.topic_messages_enter().await.unwrap();
    }
    assert_eq!(entered(&bed), many);
    bed.clock.advance(HOUR);
    let young = bed.publish(&topic, "young").await;
    while !bed.store.message_forget(bed.clock.now().minus(HOUR / 2), 500).await.unwrap().is_nothing() {}
    assert_eq!(listed(&bed, &topic, None).await, [young]);
    assert_eq!((entered(&bed), bed.home.number("SELECT count(*) FROM message")), (1, 1));
}
