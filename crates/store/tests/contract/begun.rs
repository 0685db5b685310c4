//! Attempts that have begun, written down many in a row.

use std::time::Duration;

use carillon_model::Clock;
use carillon_model::clock::Timestamp;
use carillon_model::delivery::DeliveryState;
use carillon_model::outcome::Reason;
use carillon_store::delivery::{Ready, Settlement, Start};
use carillon_store::shard::Shard;

use crate::harness::{Bed, Home, accepted, limited, settlement, start};

/// So many deliveries of one message, each in its own lane.
async fn ready<H: Home>(bed: &Bed<H>, count: usize) -> Vec<Ready> {
    let topic = bed.new_topic(&bed.project, "ops");
    bed.store.message_publish(bed.new_message(&topic, "x"), bed.recipients(count)).await.unwrap();
    bed.store.wake().take().ready
}

/// Writes down that an attempt of each has begun, for after a crash only.
async fn begin<H: Home>(bed: &Bed<H>, ready: &[Ready], attempt: u32, at: Timestamp) {
    let starts = ready.iter().map(|one| Start { shown: false, ..start(one, attempt, at) });
    bed.store.delivery_settle(starts.collect(), Vec::new()).await.unwrap();
}

/// How many rows say what has begun.
fn rows<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM attempt_begun")
}

/// How many attempts of a delivery are known as interrupted.
fn attempts<H: Home>(bed: &Bed<H>, ready: &Ready) -> i64 {
    let reason = Reason::Interrupted.name();
    let (message, number) = (ready.id.message, ready.id.number);
    bed.home.number(&format!(
        "SELECT count(*) FROM attempt WHERE message_id = '{message}' AND number = {number} AND outcome = 'unknown'
         AND reason = '{reason}'"
    ))
}

pub(crate) async fn what_had_begun_at_a_crash_is_unknown_and_waits_again<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ready(&bed, 100).await;
    let at = bed.tick();
    begin(&bed, &ready, 1, at).await;
    assert_eq!(rows(&bed), 1, "all of them are one row");
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Pending, "its own row says nothing of it yet");
    // Delivered, tried again later, and begun anew after that.
    let again = bed.clock.now().plus(Duration::from_secs(30));
    let done = settlement(&ready[0], 1, at, accepted(), DeliveryState::Delivered);
    let later =
        |one| Settlement { due_at: again, ..settlement(one, 1, at, limited(), DeliveryState::Pending) };
    bed.store.delivery_settle(Vec::new(), vec![done, later(&ready[1]), later(&ready[2])]).await.unwrap();
    begin(&bed, &ready[2..3], 2, again).await;
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 98);
    assert_eq!((rows(&bed), bed.store.delivery_recover().await.unwrap()), (0, 0));
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Delivered);
    assert_eq!([0, 1, 2, 3, 99].map(|at| attempts(&bed, &ready[at])), [0, 0, 1, 1, 1]);
    let mut seen = Vec::new();
    for one in [&ready[1], &ready[2], &ready[3]] {
        let taken = bed.store.lane_take(one.endpoint, 10).await.unwrap().ready;
        seen.extend(taken.iter().map(|one| (one.attempts, one.due_at)));
    }
    let now = bed.clock.now();
    assert_eq!(seen, [(1, again), (2, now), (1, now)]);
    // What was begun counts against the limits of its lane.
    assert_eq!(bed.store.lane_sent(ready[3].endpoint, at).await.unwrap(), [at]);
    assert_eq!(bed.store.delivery_last_start().await.unwrap(), Some(again));
}

pub(crate) async fn what_was_cancelled_while_it_was_sent_stays_so<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ready(&bed, 2).await;
    let at = bed.tick();
    begin(&bed, &ready, 1, at).await;
    for one in &ready {
        bed.store.delivery_cancel(&bed.project, one.id).await.unwrap();
    }
    let done = settlement(&ready[1], 1, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(Vec::new(), vec![done]).await.unwrap();
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 0);
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Cancelled);
    assert_eq!(bed.state(ready[1].id).await, DeliveryState::Delivered);
}

pub(crate) async fn what_was_no_attempt_after_all_is_none_after_a_crash<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ready(&bed, 3).await;
    let at = bed.tick();
    begin(&bed, &ready, 1, at).await;
    let waits = settlement(&ready[1], 1, at, accepted(), DeliveryState::Pending);
    let waits = Settlement { attempt: None, ..waits };
    bed.store.delivery_settle(Vec::new(), vec![waits]).await.unwrap();
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 2);
    assert_eq!([0, 1, 2].map(|at| attempts(&bed, &ready[at])), [1, 0, 1]);
}

pub(crate) async fn a_row_is_written_anew_when_all_of_it_has_ended<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ready(&bed, 6).await;
    let at = bed.tick();
    for (number, two) in ready.chunks(2).enumerate() {
        begin(&bed, two, 1, at).await;
        // The first one's row is held by what its delivery's own row says after a while.
        let shown = if number == 0 { vec![start(&two[0], 1, at)] } else { Vec::new() };
        let ended = two.iter().skip(usize::from(number == 0));
        let ended = ended.map(|one| settlement(one, 1, at, accepted(), DeliveryState::Delivered));
        bed.store.delivery_settle(shown, ended.collect::<Vec<_>>()).await.unwrap();
    }
    assert_eq!(rows(&bed), 1);
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Sending);
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 1, "the one that its own row tells of");
    assert_eq!(attempts(&bed, &ready[0]), 1);
}

pub(crate) async fn each_server_that_takes_over_makes_known_what_began_in_its_lanes<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ready(&bed, 3).await;
    let at = bed.tick();
    begin(&bed, &ready, 1, at).await;
    let bed = bed.crash();
    let shards: Vec<Shard> = ready.iter().map(|one| Shard::of(one.endpoint)).collect();
    let firsts: Vec<Shard> = (0..=u8::MAX).map(Shard).filter(|shard| *shard != shards[2]).collect();
    let count = shards.iter().filter(|shard| **shard != shards[2]).count();
    assert_eq!(bed.store.shard_take(&firsts).await.unwrap().0, count as u64);
    assert_eq!(rows(&bed), 1, "one that is another server's has begun in it, too");
    assert_eq!(attempts(&bed, &ready[2]), 0);
    assert_eq!(bed.store.shard_take(&[shards[2]]).await.unwrap().0, (3 - count) as u64);
    assert_eq!((rows(&bed), attempts(&bed, &ready[2])), (0, 1));
}

pub(crate) async fn a_server_that_is_there_keeps_its_row<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ready(&bed, 1).await;
    let at = bed.tick();
    begin(&bed, &ready, 1, at).await;
    let server = "INSERT INTO node (id, seen_at, serves, version) SELECT node_id, 7, 1, 1 FROM attempt_begun";
    bed.home.alter(server);
    let shard = Shard::of(ready[0].endpoint);
    assert_eq!(bed.store.shard_take(&[shard]).await.unwrap().0, 1);
    assert_eq!((rows(&bed), attempts(&bed, &ready[0])), (1, 1), "it may be writing it just now");
    assert_eq!(bed.store.shard_take(&[shard]).await.unwrap().0, 0, "what is known is not told again");
    bed.home.alter("DELETE FROM node");
    assert_eq!(bed.store.shard_take(&[shard]).await.unwrap().0, 0);
    assert_eq!((rows(&bed), attempts(&bed, &ready[0])), (0, 1));
}
