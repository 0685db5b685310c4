use std::time::Duration;

use carillon_model::Clock;
use carillon_model::delivery::DeliveryState;
use carillon_model::message::Priority;
use carillon_store::shard::{Server, Shard};

use crate::harness::{Bed, Home, accepted, limited, settlement, start};

pub(crate) async fn what_is_taken_over_waits_again<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let at = bed.tick();
    bed.store.delivery_settle(vec![start(&ready, 1, at)], Vec::new()).await.unwrap();
    assert_eq!(bed.state(ready.id).await, DeliveryState::Sending);
    let own = Shard::of(ready.endpoint);
    let others: Vec<Shard> = (0..=u8::MAX).map(Shard).filter(|shard| *shard != own).collect();
    assert_eq!(bed.store.shard_take(&others).await.unwrap(), (0, Vec::new()));
    assert_eq!(bed.store.shard_take(&[own]).await.unwrap(), (1, vec![ready.endpoint]));
    assert_eq!(bed.state(ready.id).await, DeliveryState::Pending);
    assert_eq!(bed.store.shard_take(&[own]).await.unwrap(), (0, vec![ready.endpoint]));
    // Alone with its database, a server serves every lane.
    assert!(bed.store.shards().may_send(ready.endpoint) && !bed.store.shards().are_shared());
}

pub(crate) async fn what_was_written_since_a_place_is_told<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    assert_eq!(bed.store.lane_list_since(0).await.unwrap(), (0, Vec::new()));
    let ready = bed.one_ready().await;
    assert_eq!(
        bed.store.lane_list_since(0).await.unwrap(),
        (ready.seq, vec![(ready.endpoint, Priority::Normal)])
    );
    assert_eq!(bed.store.lane_list_since(ready.seq).await.unwrap(), (ready.seq, Vec::new()));
}

pub(crate) async fn what_a_lane_sent_is_told<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let first = bed.tick();
    let again = settlement(&ready, 1, first, limited(), DeliveryState::Pending);
    bed.store.delivery_settle(vec![start(&ready, 1, first)], vec![again]).await.unwrap();
    bed.clock.advance(Duration::from_secs(30));
    let second = bed.tick();
    let mut done = settlement(&ready, 2, second, accepted(), DeliveryState::Delivered);
    done.parts_done = 3;
    bed.store.delivery_settle(vec![start(&ready, 2, second)], vec![done]).await.unwrap();
    // A message in three parts was three posts.
    let sent = bed.store.lane_sent(ready.endpoint, first).await.unwrap();
    assert_eq!(sent, [first, second, second, second]);
    assert_eq!(bed.store.lane_sent(ready.endpoint, second).await.unwrap(), [second; 3]);
}

pub(crate) async fn servers_are_listed_with_their_shares<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    assert_eq!(bed.store.server_list().await.unwrap(), Vec::new(), "alone, nobody writes itself down");
    bed.home.alter("INSERT INTO node (id, seen_at, serves, version) VALUES ('b', 7, 0, 3), ('a', 5, 1, 4)");
    let listed = bed.store.server_list().await.unwrap();
    let seen: Vec<_> =
        listed.iter().map(|it| (it.id.as_str(), it.seen_at.0, it.serves, it.version)).collect();
    assert_eq!(seen, [("a", 5, true, 4), ("b", 7, false, 3)]);
    assert!(listed.iter().all(|it| it.shares == 0 && !it.is_here));
}

// Leases go by the database's clock and by a steady one.
pub(crate) async fn a_clock_that_is_set_takes_no_lane_away<H: Home>() {
    const HOURS: i64 = 3 * 3_600_000;
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    bed.store.shard_join().unwrap();
    if !bed.store.is_shared() {
        assert!(bed.store.shards().may_send(ready.endpoint), "alone, it serves every lane");
        return;
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    // By when it said last that it is there, once it has every lane.
    let seen = async |after: i64| {
        loop {
            let listed = bed.store.server_list().await.unwrap();
            if let Some(one) = listed.iter().find(|it| it.is_here && it.shares == 256 && it.seen_at.0 > after)
            {
                return one.seen_at.0;
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not serve every lane: {listed:?}");
            tokio::task::yield_now().await;
        }
    };
    let mut last = seen(0).await;
    for by in [-HOURS, 2 * HOURS] {
        bed.clock.set(bed.clock.now().shifted(by));
        // Longer than a lease lasts.
        for _beat in 0..6 {
            last = seen(last).await;
            assert!(bed.store.shards().may_send(ready.endpoint), "a lane went away with {by}");
        }
    }
}

/// This server, once it has so many shards.
async fn here<H: Home>(bed: &Bed<H>, shares: u32) -> Server {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let listed = bed.store.server_list().await.unwrap();
        if let Some(one) = listed.iter().find(|it| it.is_here && it.shares == shares) {
            return one.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "it does not have {shares}: {listed:?}");
        tokio::task::yield_now().await;
    }
}

// Whoever has the lock of a directory is alone there: who had it before is dead, whatever its lease says.
pub(crate) async fn a_server_that_starts_again_where_it_was_takes_its_lanes_back_at_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    if !bed.store.is_shared() {
        return;
    }
    bed.store.shard_join().unwrap();
    let first = here(&bed, 256).await;
    // It goes away in order here; what a kill leaves is written back. No lease ends within this test.
    let bed = bed.reopen();
    let far = first.seen_at.0 + 3_600_000;
    bed.home.alter("DELETE FROM node");
    bed.home.alter(&format!(
        "INSERT INTO node (id, seen_at, serves, version) VALUES ('{}', {far}, 1, {version}), ('f00d-1', {far}, 1, {version})",
        first.id,
        version = first.version
    ));
    bed.home.alter(&format!("UPDATE shard SET node_id = '{}'", first.id));
    bed.store.shard_join().unwrap();
    let again = here(&bed, 128).await;
    assert_ne!(again.id, first.id, "what the first had under way is not taken for its own");
    let listed = bed.store.server_list().await.unwrap();
    let mut names: Vec<_> = listed.iter().map(|it| it.id.as_str()).collect();
    names.sort_unstable();
    let mut expected = [again.id.as_str(), "f00d-1"];
    expected.sort_unstable();
    assert_eq!(names, expected, "another server's lease is its own");
}
