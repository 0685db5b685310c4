use std::future::ready;
use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_model::message::Priority;
use carillon_store::delivery::Ready;
use carillon_store::health::Wellness;
use carillon_store::pick::{DeliveryFilter, Portion};

use crate::harness::{Bed, Home, accepted, robot, settlement, start};

/// How many deliveries the index by lane has that still wait.
fn entered<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM lane_waiting")
}

/// How many lists of places there are, in a file.
fn lists<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM lane_places")
}

/// Whether the index goes exactly so far; where servers share a database it has no mark.
fn goes_to<H: Home>(bed: &Bed<H>, place: i64) -> bool {
    bed.store.is_shared() || bed.home.number("SELECT coalesce(max(upto), 0) FROM lane_mark") == place
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
    assert_eq!(entered(&bed), 1);
    assert!(goes_to(&bed, waits.seq));
    if !bed.store.is_shared() {
        let places = bed.home.number("SELECT CAST(places ->> 0 AS INTEGER) FROM lane_places");
        assert_eq!((lists(&bed), places), (1, waits.seq), "the first was never entered");
    }
    tokio::select! {
        biased;
        place = bed.store.lane_index_behind() => panic!("nothing is behind {place}"),
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
    assert!(goes_to(&bed, last));
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
                let taken = bed.store.lane_take(endpoint, 9).await.unwrap().ready;
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
    let taken = bed.store.lane_take(places[0].endpoint, 9).await.unwrap().ready;
    let seqs = |ready: &[Ready]| ready.iter().map(|one| one.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&taken), seqs(&places));
    assert_eq!(entered(&bed), 5);
    assert!(goes_to(&bed, places[4].seq));
}

/// Settles these as delivered.
async fn settle<H: Home>(bed: &Bed<H>, some: &[Ready]) {
    let at = bed.tick();
    let starts = some.iter().map(|one| start(one, 1, at)).collect();
    let done = some
        .iter()
        .map(|one| settlement(one, 1, at, accepted(), DeliveryState::Delivered))
        .collect::<Vec<_>>();
    bed.store.delivery_settle(starts, done).await.unwrap();
}

/// Whether somebody met lists in which nothing waits any more.
async fn met_over<H: Home>(bed: &Bed<H>) -> bool {
    tokio::select! {
        biased;
        () = bed.store.lane_index_over() => true,
        () = ready(()) => false
    }
}

pub(crate) async fn a_long_lane_is_read_in_its_order_and_leaves_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let recipients = bed.store.recipient_list(topic.id).await.unwrap();
    let mut all = Vec::new();
    for number in 0..300 {
        let mut stored = bed.new_message(&topic, "some");
        stored.message.priority = if number % 3 == 0 { Priority::Urgent } else { Priority::Normal };
        bed.store.message_publish(stored, recipients.clone()).await.unwrap();
        all.extend(bed.store.wake().take().ready);
        // In two portions, and the rest by whoever asks.
        if number == 99 || number == 249 {
            bed.store.lane_index_step(all.last().unwrap().seq).await.unwrap();
        }
    }
    all.sort_by_key(|one| (one.stored.message.priority == Priority::Normal, one.seq));
    let lane = all[0].endpoint;
    for some in all.chunks(50) {
        let taken = bed.store.lane_take(lane, 50).await.unwrap().ready;
        let seqs = |some: &[Ready]| some.iter().map(|one| one.seq).collect::<Vec<_>>();
        assert_eq!(seqs(&taken), seqs(some));
        settle(&bed, some).await;
    }
    assert!(bed.store.lane_take(lane, 50).await.unwrap().ready.is_empty());
    assert_eq!(bed.store.lane_list().await.unwrap(), []);
    if !bed.store.is_shared() {
        assert!(met_over(&bed).await);
        bed.store.lane_index_tidy().await.unwrap();
        assert_eq!(lists(&bed), 0);
    }
}

pub(crate) async fn what_somebody_else_entered_first_is_entered_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let leaves = bed.subscribe(&topic, robot("fedcba9876543210")).await;
    bed.store.delivery_recover().await.unwrap();
    bed.publish(&topic, "waits").await;
    let all = bed.store.wake().take().ready;
    // It enters all that waits, and what was told of the mark before does not know that.
    bed.store.subscription_delete(vec![(topic.id, leaves)]).await.unwrap();
    bed.store.lane_index_step(all.last().unwrap().seq).await.unwrap();
    assert_eq!(entered(&bed), 1);
    if !bed.store.is_shared() {
        assert_eq!(lists(&bed), 2, "one for each lane, that of the subscription that left among them");
    }
}

pub(crate) async fn what_is_over_without_being_read_is_taken_out_of_the_index<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "over").await;
    let over = bed.store.wake().take().ready;
    bed.store.lane_index_step(over[0].seq).await.unwrap();
    bed.publish(&topic, "waits").await;
    let waits = bed.store.wake().take().ready;
    bed.store.lane_index_step(waits[0].seq).await.unwrap();
    assert!(!met_over(&bed).await);
    settle(&bed, &over).await;
    // With every entering some lists are looked at, round and round.
    for text in ["one", "two"] {
        bed.publish(&topic, text).await;
        let last = bed.store.wake().take().ready.pop().unwrap().seq;
        bed.store.lane_index_step(last).await.unwrap();
    }
    if !bed.store.is_shared() {
        assert!(met_over(&bed).await);
        bed.store.lane_index_tidy().await.unwrap();
        assert_eq!(lists(&bed), 3);
    }
    assert_eq!(entered(&bed), 3);
}

pub(crate) async fn many_that_are_sent_again_are_found_by_lane<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for _each in 0..70 {
        bed.publish(&topic, "some").await;
    }
    let all = bed.store.wake().take().ready;
    bed.store.lane_index_step(all.last().unwrap().seq).await.unwrap();
    let portion = || Portion { filter: DeliveryFilter::default(), cursor: None, limit: 100 };
    assert_eq!(bed.store.delivery_cancel_all(&bed.project, portion()).await.unwrap().moved, 70);
    let life = Duration::from_secs(60);
    assert_eq!(bed.store.delivery_resend_all(&bed.project, portion(), life).await.unwrap().moved, 70);
    let taken = bed.store.lane_take(all[0].endpoint, 100).await.unwrap().ready;
    assert_eq!(taken.len(), 70);
    assert!(taken.iter().zip(&all).all(|(again, one)| again.id == one.id && again.seq > one.seq));
}
