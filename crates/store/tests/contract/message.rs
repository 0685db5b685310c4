use std::sync::Arc;
use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::{DeliveryId, MessageId, ProjectId};
use carillon_model::message::{Body, Color, Content, Locale, Mentions, Priority};
use carillon_model::{Channel, Clock};
use carillon_store::Error;
use carillon_store::delivery::StoredMessage;
use carillon_store::message::MessageSummary;
use tokio::task::JoinSet;

use crate::harness::{Bed, Home, abandon, robot};

fn ids(found: &[MessageSummary]) -> Vec<MessageId> {
    found.iter().map(|one| one.message.message.id).collect()
}

/// A message with something in every field.
fn rich(mut stored: StoredMessage) -> StoredMessage {
    let mentions = Mentions {
        all: true,
        mobiles: vec!["+86 13800000000".to_owned()],
        user_ids: vec!["u001".to_owned()],
    };
    let own = Body {
        title: Some("磁盘".to_owned()),
        mentions,
        color: Some(Color::Carmine),
        ..Body::markdown("**满** | `\\` \"'%_ \u{1} 😀\r\n")
    };
    stored.message.content = Content {
        kind: carillon_model::message::Kind::Published,
        subject: Some("Disk".to_owned()),
        default: Body::text("full"),
        channels: [(Channel::Lark, own)].into(),
        only: Some(vec![Channel::Lark, Channel::Wecom]),
    };
    stored.message.priority = Priority::Urgent;
    stored.message.locale = Locale::Chinese;
    stored.message.expires_at = stored.message.created_at.plus(Duration::from_secs(1));
    stored
}

pub(crate) async fn is_there_with_its_deliveries_after_the_answer<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for index in 0..3 {
        bed.subscribe(&topic, robot(&format!("0123456789abcde{index}"))).await;
    }
    let recipients = bed.store.recipient_list(topic.id).await.unwrap();
    let stored = rich(bed.new_message(&topic, ""));
    let id = stored.message.id;
    bed.store.message_publish(stored.clone(), recipients.clone()).await.unwrap();

    let found = bed.store.message_find(&bed.project, id).await.unwrap().unwrap();
    assert_eq!((found.message.as_ref(), found.deliveries), (&stored, 3));
    let handed = bed.store.wake().take();
    assert!(!handed.overflowed);
    assert_eq!(handed.ready.len(), 3);
    for ((ready, to), number) in handed.ready.iter().zip(recipients.iter()).zip(1..) {
        assert_eq!(ready.id, DeliveryId::new(id, number));
        assert_eq!((ready.subscription, ready.endpoint), (to.subscription, to.endpoint));
        assert_eq!((ready.attempts, ready.parts_done), (0, 0));
        assert_eq!((ready.due_at, ready.stored.as_ref()), (stored.message.created_at, &stored));
        assert_eq!(bed.state(ready.id).await, DeliveryState::Pending);
        let taken = bed.store.lane_take(to.endpoint, 10).await.unwrap().ready;
        assert_eq!(format!("{taken:?}"), format!("[{ready:?}]"), "the store tells what the wake told");
    }
    assert!(bed.store.wake().take().ready.is_empty(), "each is handed over once");
}

pub(crate) async fn to_nobody_is_kept_too<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = bed.publish(&topic, "hello?").await;
    let found = bed.store.message_find(&bed.project, id).await.unwrap().unwrap();
    assert_eq!(found.deliveries, 0);
    assert!(bed.store.delivery_list(&bed.project, id, 0, 10).await.unwrap().is_empty());
    let handed = bed.store.wake().take();
    assert!(handed.ready.is_empty() && !handed.overflowed);
}

pub(crate) async fn to_ten_thousand_is_one_piece<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(usize::MAX, 1);
    let topic = bed.topic("ops").await;
    let recipients = bed.recipients(10_000);
    let stored = bed.new_message(&topic, "everybody");
    let id = stored.message.id;
    bed.store.message_publish(stored, recipients.clone()).await.unwrap();
    assert_eq!(bed.store.message_find(&bed.project, id).await.unwrap().unwrap().deliveries, 10_000);
    let handed = bed.store.wake().take();
    assert!(!handed.overflowed);
    assert!(handed.ready.is_sorted_by(|a, b| a.seq < b.seq));
    let told: Vec<_> = handed.ready.iter().map(|one| (one.id.number, one.endpoint)).collect();
    let wanted: Vec<_> = (1..).zip(recipients.iter().map(|to| to.endpoint)).collect();
    assert_eq!(told, wanted);
    let page = bed.store.delivery_list(&bed.project, id, 9_990, 100).await.unwrap();
    let shown: Vec<_> = page.iter().map(|one| (one.id.number, one.subscription)).collect();
    let wanted: Vec<_> = (9_991..).zip(recipients[9_990..].iter().map(|to| to.subscription)).collect();
    assert_eq!(shown, wanted);
}

pub(crate) async fn more_than_the_wake_holds_is_flagged<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(usize::MAX, 1);
    let topic = bed.topic("ops").await;
    let wake = bed.store.wake();
    for _twice in 0..2 {
        let recipients = bed.recipients(10_000);
        bed.store.message_publish(bed.new_message(&topic, "many"), recipients).await.unwrap();
    }
    let handed = wake.take();
    assert!(handed.overflowed);
    assert_eq!(handed.ready.len(), 10_000, "what was handed over stays");
    let handed = wake.take();
    assert!(!handed.overflowed && handed.ready.is_empty(), "the flag is told once");
    assert_eq!(bed.store.lane_list().await.unwrap().len(), 20_000, "the store knows all of them");

    bed.store.message_publish(bed.new_message(&topic, "one"), bed.recipients(1)).await.unwrap();
    let handed = wake.take();
    assert!(!handed.overflowed);
    assert_eq!(handed.ready.len(), 1);
}

pub(crate) async fn many_at_once_are_handed_over_in_the_order_of_their_lanes<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let lanes = bed.recipients(5);
    let mut calls = JoinSet::new();
    for index in 0..300 {
        let stored = bed.new_message(&topic, &format!("message {index}"));
        let mut to = lanes.clone();
        to.rotate_left(index % 5);
        to.truncate(3);
        let store = bed.store.clone();
        calls.spawn(async move { store.message_publish(stored, to).await.unwrap() });
    }
    calls.join_all().await;
    let handed = bed.store.wake().take().ready;
    assert_eq!(handed.len(), 900);
    assert!(handed.is_sorted_by(|a, b| a.seq < b.seq));
    for lane in lanes {
        let told: Vec<_> =
            handed.iter().filter(|one| one.endpoint == lane.endpoint).map(|one| one.id).collect();
        let taken = bed.store.lane_take(lane.endpoint, 1_000).await.unwrap().ready;
        assert_eq!(taken.iter().map(|one| one.id).collect::<Vec<_>>(), told);
        assert_eq!(told.len(), 180);
    }
}

pub(crate) async fn what_is_published_at_once_shares_a_commit<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut calls = JoinSet::new();
    for index in 0..200 {
        let stored = bed.new_message(&topic, &format!("message {index}"));
        let (store, to) = (bed.store.clone(), bed.recipients(index % 4));
        calls.spawn(async move { store.message_publish(stored, to).await.unwrap() });
    }
    calls.join_all().await;
    assert_eq!(bed.store.wake().take().ready.len(), 300);
    let told = "SELECT count(*) FROM message m
         WHERE m.deliveries <> (SELECT count(*) FROM delivery d WHERE d.message_id = m.id)";
    assert_eq!(bed.home.number(told), 0, "each has its own");
    if bed.store.is_shared() {
        let commits = bed.home.number("SELECT count(DISTINCT xmin::text) FROM message");
        assert!(commits < 100, "{commits} commits");
    }
}

pub(crate) async fn a_caller_who_went_away_loses_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let stored = bed.new_message(&topic, "in flight");
    let id = stored.message.id;
    let wake = bed.store.wake();
    abandon(bed.store.message_publish(stored, bed.recipients(2))).await;
    wake.arrived().await;
    assert_eq!(wake.take().ready.len(), 2);
    assert_eq!(bed.store.message_find(&bed.project, id).await.unwrap().unwrap().deliveries, 2);
}

pub(crate) async fn a_failed_publish_leaves_nothing_behind<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.new_message(&topic, "first");
    bed.store.message_publish(first.clone(), bed.recipients(2)).await.unwrap();
    assert_eq!(bed.store.wake().take().ready.len(), 2);

    let mut second = bed.new_message(&topic, "second");
    second.message.id = first.message.id;
    let again = bed.store.message_publish(second, bed.recipients(7)).await;
    assert!(matches!(again, Err(Error::Conflict)), "{again:?}");
    assert!(bed.store.wake().take().ready.is_empty());
    let found = bed.store.message_find(&bed.project, first.message.id).await.unwrap().unwrap();
    assert_eq!((found.message.as_ref(), found.deliveries), (&first, 2));
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery"), 2);
}

pub(crate) async fn one_bad_publish_among_many_fails_alone<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.new_message(&topic, "first");
    bed.store.message_publish(first.clone(), Vec::new()).await.unwrap();
    let mut calls = JoinSet::new();
    for index in 0..200 {
        let mut stored = bed.new_message(&topic, "one of many");
        if index % 7 == 0 {
            stored.message.id = first.message.id;
        }
        let (store, to) = (bed.store.clone(), bed.recipients(2));
        calls.spawn(async move { (index, store.message_publish(stored, to).await) });
    }
    let mut good = 0;
    for (index, answer) in calls.join_all().await {
        assert_eq!(answer.is_ok(), index % 7 != 0, "{index}: {answer:?}");
        good += usize::from(answer.is_ok());
    }
    assert_eq!(bed.store.wake().take().ready.len(), 2 * good);
    let listed = bed.store.message_list(&bed.project, None, None, None, 1_000).await.unwrap();
    assert_eq!(listed.len(), 1 + good);
}

pub(crate) async fn list_is_newest_first_from_a_cursor<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let mut published = Vec::new();
    for index in 0..6 {
        let topic = if index % 3 == 0 { &db } else { &ops };
        published.insert(0, bed.publish(topic, &format!("message {index}")).await);
    }
    let list = |topic: Option<&str>, before, limit| {
        bed.store.message_list(&bed.project, topic.map(str::to_owned), None, before, limit)
    };
    assert_eq!(ids(&list(None, None, 100).await.unwrap()), published);
    assert_eq!(ids(&list(None, None, 2).await.unwrap()), published[..2]);
    assert_eq!(ids(&list(None, Some(published[1]), 3).await.unwrap()), published[2..5]);
    assert!(list(None, Some(published[5]), 3).await.unwrap().is_empty());
    assert_eq!(ids(&list(Some("db"), None, 100).await.unwrap()), [published[2], published[5]]);
    assert_eq!(ids(&list(Some("db"), Some(published[2]), 100).await.unwrap()), published[5..]);
    assert!(list(Some("d%"), None, 100).await.unwrap().is_empty());
}

pub(crate) async fn another_project_sees_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let id = bed.publish(&topic, "ours").await;
    let elsewhere = ProjectId::parse("elsewhere").unwrap();
    assert!(bed.store.message_find(&elsewhere, id).await.unwrap().is_none());
    assert!(bed.store.message_list(&elsewhere, None, None, None, 100).await.unwrap().is_empty());
    let by_name = bed.store.message_list(&elsewhere, Some("ops".to_owned()), None, None, 100).await.unwrap();
    assert!(by_name.is_empty());
    assert!(bed.store.delivery_list(&elsewhere, id, 0, 100).await.unwrap().is_empty());
    assert_eq!(bed.store.delivery_find(&elsewhere, DeliveryId::new(id, 1)).await.unwrap(), None);
    let nothing = MessageId::new(Timestamp(0), bed.chance.as_ref());
    assert!(bed.store.message_find(&bed.project, nothing).await.unwrap().is_none());
}

pub(crate) async fn the_largest_text_comes_back_whole<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let text = "磁盘满😀\"\\\n".repeat(262_144 / 17);
    let id = bed.publish(&topic, &text).await;
    assert!(bed.clock.now() > Timestamp(0));
    let found = bed.store.message_find(&bed.project, id).await.unwrap().unwrap();
    let message = Arc::clone(&found.message);
    assert_eq!(message.message.content.default.text, text);
}
