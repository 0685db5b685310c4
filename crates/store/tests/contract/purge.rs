//! What was deleted is gone from the files, byte for byte, as soon as the call has answered.

use std::collections::BTreeMap;
use std::time::Duration;

use carillon_model::endpoint::Endpoint;
use carillon_model::subscription::{Extension, Target};
use carillon_store::Error;
use carillon_store::subscription::Subscribed;
use tokio::time::Instant;

use crate::harness::{Bed, Home, abandon, subscription};
use crate::traces::{Gone, extension, hash, sealed, target, traces};

pub(crate) async fn a_deleted_subscription_leaves_no_byte<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for _kind in 0..20 {
        let target = target(&bed);
        let id = bed.subscribe(&topic, target.clone()).await;
        bed.publish(&topic, "waits").await;
        let gone = traces(&bed, id, &target);
        assert!(!gone.find(&bed.home).is_empty(), "what is not found before proves nothing");
        bed.store.subscription_delete(vec![(topic.id, id)]).await.unwrap();
        gone.assert_gone(&bed.home, "after the delete");
    }
}

pub(crate) async fn a_replaced_target_leaves_no_byte<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut target = target(&bed);
    let id = bed.subscribe(&topic, target.clone()).await;
    for _again in 0..20 {
        let mut gone = Gone::default();
        gone.add_all("a sealed target", &sealed(&bed, id));
        let app = target.extension.app.take();
        target.extension = extension(&bed, &target.endpoint);
        // Through another app it would be another lane, and another subscription.
        if let (Some(new), Some(app)) = (&mut target.extension.app, app) {
            new.app_key = app.app_key;
        }
        gone.add_plain(&target);
        let again = bed.store.subscription_add(subscription(&topic, target.clone())).await.unwrap();
        assert_eq!(again, Subscribed::There(id));
        gone.assert_gone(&bed.home, "after the replacement");
        assert_eq!(bed.store.target_open(id).await.unwrap().as_ref(), Some(&target));
    }
}

pub(crate) async fn a_deleted_topic_leaves_no_byte_of_its_subscriptions<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("db").await);
    let mut gone = Gone::default();
    let mut shared = Vec::new();
    for index in 0..40 {
        let target = target(&bed);
        let id = bed.subscribe(&topic, target.clone()).await;
        gone.add_plain(&target);
        gone.add_all("a sealed target", &sealed(&bed, id));
        if index % 4 == 0 {
            shared.push((bed.subscribe(&other, target.clone()).await, target));
        } else {
            gone.add_all("a hash", &hash(&bed, id));
        }
    }
    assert!(bed.store.topic_delete(&bed.project, &topic.name).await.unwrap());
    gone.assert_gone(&bed.home, "after the topic's delete");
    for (id, target) in shared {
        assert_eq!(bed.store.target_open(id).await.unwrap(), Some(target));
    }
}

pub(crate) async fn a_lane_leaves_no_byte_when_its_last_subscription_goes<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let target = target(&bed);
    let first = bed.subscribe(&ops, target.clone()).await;
    let last = bed.subscribe(&db, target).await;
    let mut gone = Gone::default();
    gone.add_all("a hash", &hash(&bed, first));
    bed.store.subscription_delete(vec![(ops.id, first)]).await.unwrap();
    assert!(!gone.find(&bed.home).is_empty());
    bed.store.subscription_delete(vec![(db.id, last)]).await.unwrap();
    gone.assert_gone(&bed.home, "after the last delete");
}

/// A caller who goes away, as a web client does that hangs up, must not leave the bytes behind: whoever asks again is
/// told that the subscription is not there.
pub(crate) async fn a_deleter_who_went_away_leaves_no_byte<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let target = target(&bed);
    let id = bed.subscribe(&topic, target.clone()).await;
    let gone = traces(&bed, id, &target);
    abandon(bed.store.subscription_delete(vec![(topic.id, id)])).await;
    let again = bed.store.subscription_delete(vec![(topic.id, id)]).await.unwrap();
    assert_eq!(again, [false]);
    gone.assert_gone(&bed.home, "after the second call has answered");
}

/// A process that dies between the delete and the purge must not leave the bytes behind either. A delete behind the
/// store's back, which nothing purges, stands for it.
pub(crate) async fn a_start_takes_out_what_a_crash_left<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let target = target(&bed);
    let id = bed.subscribe(&topic, target.clone()).await;
    let gone = traces(&bed, id, &target);
    bed.home.erase_all();
    bed.home.alter(&format!("DELETE FROM subscription WHERE id = '{id}'; DELETE FROM endpoint"));
    let bed = bed.crash();
    assert!(bed.store.target_open(id).await.unwrap().is_none());
    bed.store.check().await.unwrap();
    gone.assert_gone(&bed.home, "after a start");
}

/// The shortest way found to a page that is laid out anew and keeps old copies of rows that are still there: steps of
/// a subscription's number and the size of its sealed form, which is added, replaced, or with size 0 deleted.
const MOVES: [(usize, usize); 20] = [
    (0, 800),
    (1, 600),
    (2, 600),
    (3, 240),
    (4, 600),
    (5, 240),
    (6, 600),
    (7, 220),
    (9, 400),
    (10, 220),
    (11, 600),
    (12, 400),
    (13, 300),
    (1, 0),
    (9, 240),
    (14, 300),
    (15, 240),
    (15, 600),
    (11, 800),
    (12, 800),
];

pub(crate) async fn a_row_that_moved_leaves_no_copy<H: Home>() {
    const SEALED_WITH_EMPTY_HEADER: usize = 183;
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut ids = BTreeMap::new();
    let mut gone = Gone::default();
    for (number, size) in MOVES {
        if let Some(id) = ids.get(&number) {
            gone.add_all("a sealed target", &sealed(&bed, *id));
        }
        if size == 0 {
            let which = vec![(topic.id, ids.remove(&number).unwrap())];
            assert_eq!(bed.store.subscription_delete(which).await.unwrap(), [true]);
        } else {
            let endpoint = Endpoint::Web { url: format!("https://hooks.example/{number:02}").into() };
            let header = "v".repeat(size - SEALED_WITH_EMPTY_HEADER).into();
            let extension = Extension { headers: vec![("x".to_owned(), header)], ..Extension::default() };
            let new = subscription(&topic, Target { endpoint, extension });
            match bed.store.subscription_add(new).await.unwrap() {
                Subscribed::New(id) | Subscribed::There(id) => ids.insert(number, id),
                other @ (Subscribed::Full | Subscribed::NoTopic) => panic!("{other:?}"),
            };
        }
        gone.assert_gone(&bed.home, &format!("after step ({number}, {size})"));
    }
}

/// Another program's read keeps the log from being emptied. The answer says so, and the bytes go without another
/// delete once the reader has let go.
pub(crate) async fn what_a_reader_kept_goes_when_it_lets_go<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let target = target(&bed);
    let id = bed.subscribe(&topic, target.clone()).await;
    let gone = traces(&bed, id, &target);
    let reader = bed.home.reader();
    let answer = bed.store.subscription_delete(vec![(topic.id, id)]).await;
    assert!(matches!(answer, Err(Error::Unpurged)), "{answer:?}");
    assert_eq!(bed.store.subscription_delete(vec![(topic.id, id)]).await.unwrap(), [false]);
    bed.publish(&topic, "writing goes on").await;
    drop(reader);
    let until = Instant::now() + Duration::from_secs(20);
    while !gone.find(&bed.home).is_empty() {
        assert!(Instant::now() < until, "nothing took the bytes out");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
