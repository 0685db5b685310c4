use std::future::ready;
use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_store::health::Wellness;
use carillon_store::pick::{DeliveryFilter, Portion};

use crate::harness::{Bed, Home, accepted, robot, settlement, start};

/// How many deliveries the index by lane has that still wait.
fn entered<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM delivery WHERE in_lane = 1 AND state IN (0, 1)")
}

fn mark<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT coalesce(max(upto), 0) FROM lane_mark")
}

pub(crate) async fn what_is_over_soon_is_never_entered<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "over soon").await;
    let over = bed.store.wake().take().ready.pop().unwrap();
    bed.publish(&topic, "waits").await;
    let waits = bed.store.wake().take().ready.pop().unwrap();
    let at_once = if bed.store.is_shared() { 2 } else { 0 };
    assert_eq!(entered(&bed), at_once);
    let at = bed.tick();
    let done = settlement(&over, 1, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&over, 1, at)], vec![done]).await.unwrap();
    assert_eq!(bed.store.lane_index_behind().await, waits.seq);
    tokio::select! {
        biased;
        place = bed.store.lane_index_far_behind() => panic!("{place} is not far"),
        () = ready(()) => {}
    }
    bed.store.lane_index_step(waits.seq).await.unwrap();
    assert_eq!((entered(&bed), mark(&bed)), (1, waits.seq));
    let ever = bed.home.number("SELECT count(*) FROM delivery WHERE in_lane = 1");
    assert_eq!(ever, if bed.store.is_shared() { 2 } else { 1 }, "the first was never entered");
    tokio::select! {
        biased;
        place = bed.store.lane_index_behind() => assert!(bed.store.is_shared(), "nothing is behind {place}"),
        () = ready(()) => {}
    }
}

pub(crate) async fn what_was_forgotten_behind_the_mark_holds_nothing_up<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    bed.store.delivery_recover().await.unwrap();
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "over").await;
    let over = bed.store.wake().take().ready.pop().unwrap();
    let at = bed.tick();
    let done = settlement(&over, 1, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&over, 1, at)], vec![done]).await.unwrap();
    let last = bed.store.lane_index_behind().await;
    bed.clock.advance(Duration::from_secs(40 * 24 * 3600));
    let now = carillon_model::Clock::now(bed.clock.as_ref());
    assert_eq!(bed.store.message_forget(now, 500).await.unwrap().deliveries, 1);
    bed.store.lane_index_step(last).await.unwrap();
    assert_eq!(mark(&bed), last);
    tokio::select! {
        biased;
        place = bed.store.lane_index_behind() => panic!("{place} is behind, though nothing is there"),
        () = ready(()) => {}
    }
}

pub(crate) async fn whoever_asks_by_lane_finds_what_was_just_accepted<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let subscription = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let mut lane = None;
    for (waiting, asked) in (1_u64..).zip(["list", "take", "before", "endpoints", "endpoint", "told"]) {
        let message = bed.publish(&topic, asked).await;
        let last = bed.store.wake().take().ready.pop().unwrap();
        let endpoint = *lane.get_or_insert(last.endpoint);
        match asked {
            "list" => assert_eq!(bed.store.lane_list().await.unwrap(), [endpoint]),
            "take" => {
                let taken = bed.store.lane_take(endpoint, 9).await.unwrap();
                assert_eq!(taken.last().map(|one| one.seq), Some(last.seq));
            }
            "before" => assert_eq!(bed.store.lane_before(last.id).await.unwrap(), waiting - 1),
            "endpoints" => {
                let listed =
                    bed.store.endpoint_list(&bed.project, Some(Wellness::Waiting), None, 9).await.unwrap();
                assert_eq!(listed.iter().map(|one| one.waiting).collect::<Vec<_>>(), [waiting]);
            }
            "endpoint" => {
                let found = bed.store.endpoint_find(&bed.project, endpoint).await.unwrap().unwrap();
                assert_eq!(found.waiting, waiting);
            }
            _ => {
                let filter = DeliveryFilter { message: Some(message), ..DeliveryFilter::default() };
                let portion = Portion { filter, cursor: None, limit: 9 };
                assert_eq!(bed.store.delivery_cancel_all(&bed.project, portion).await.unwrap().moved, 1);
            }
        }
    }
    bed.publish(&topic, "left").await;
    bed.store.subscription_delete(vec![(topic.id, subscription)]).await.unwrap();
    assert_eq!(entered(&bed), 0, "what had just been accepted is cancelled with its subscription");
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery WHERE state = 0"), 0);
}

pub(crate) async fn a_crash_before_something_was_entered_hides_nothing<H: Home>() {
    let mut bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let mut places = Vec::new();
    for text in ["one", "two", "three", "four", "five"] {
        bed.publish(&topic, text).await;
        places.push(bed.store.wake().take().ready.pop().unwrap());
        if text == "two" {
            bed.store.lane_index_step(places[1].seq).await.unwrap();
        }
    }
    bed = bed.crash();
    bed.store.delivery_recover().await.unwrap();
    let taken = bed.store.lane_take(places[0].endpoint, 9).await.unwrap();
    let seqs =
        |ready: &[carillon_store::delivery::Ready]| ready.iter().map(|one| one.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&taken), seqs(&places));
    assert_eq!((entered(&bed), mark(&bed)), (5, places[4].seq));
}
