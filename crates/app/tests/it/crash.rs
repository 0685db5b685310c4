//! Two hundred times killed under load: nothing promised is lost, order is kept, and twice comes only what was under way.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::Chance;
use carillon_model::chance::SeededChance;
use carillon_simulator::Running;

use crate::harness::{Server, Start, home, until};
use crate::load::{LANES, Promised, Publisher, arrivals, hooks, subscribed, unsettled};

const KILLS: usize = 200;
const PUBLISHERS: usize = 3;
const SEED: u64 = 20_240_229;

/// How often each delivery was found unsettled when its server was dead.
type Interrupted = HashMap<(String, usize), usize>;

/// Lets the publishers go until so many more promises were made and a moment has passed, then kills.
async fn one_life(
    mut server: Server,
    publishers: &[Publisher],
    topic: &str,
    promised: &Promised,
    more: usize,
    moment: Duration,
) {
    let api = server.user();
    let enough = promised.count() + more;
    let local = tokio::task::LocalSet::new();
    let mut lives = tokio::task::JoinSet::new();
    for publisher in publishers.iter().cloned() {
        let life = publisher.until_it_dies(api.clone(), topic.to_owned(), promised.clone());
        lives.spawn_local_on(life, &local);
    }
    local
        .run_until(async {
            until("promises", async || (promised.count() >= enough).then_some(())).await;
            // No waiting for anything: it makes the instant of the kill a random one.
            tokio::time::sleep(moment).await;
            server.kill();
            while let Some(life) = lives.join_next().await {
                life.unwrap();
            }
        })
        .await;
}

fn check_lane(
    lane: usize,
    arrived: &[String],
    promised: &Promised,
    interrupted: &Interrupted,
) -> Vec<String> {
    let mut first = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for text in arrived {
        let count = seen.entry(text).or_default();
        *count += 1;
        if *count == 1 {
            first.push(text.clone());
        }
    }
    let lost: Vec<String> =
        promised.all().into_values().filter(|text| !seen.contains_key(text.as_str())).collect();
    assert!(lost.is_empty(), "{} lost in lane {lane}: {lost:?}", lost.len());
    let mut twice = 0;
    for (text, count) in seen {
        let allowed = 1 + interrupted.get(&(text.to_owned(), lane)).copied().unwrap_or(0);
        assert!(count <= allowed, "{text} came {count} times in lane {lane}, {allowed} allowed");
        twice += count - 1;
    }
    assert!(twice <= KILLS, "{twice} came again in lane {lane}: at most one is under way at each kill");
    for publisher in 0..PUBLISHERS {
        let own = format!("{publisher} ");
        let numbers: Vec<u32> = first
            .iter()
            .filter_map(|text| text.strip_prefix(&own))
            .map(|number| number.parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "publisher {publisher} is out of order in lane {lane}: {numbers:?}");
    }
    first
}

async fn drained(data_dir: &Path, hooks: &Running) {
    let mut last = (usize::MAX, 0);
    // Each look resets the patience when something has moved.
    loop {
        let now = until("progress of the backlog", async || {
            let now = (unsettled(data_dir).len(), hooks.received().len());
            (now != last || now.0 == 0).then_some(now)
        })
        .await;
        if now.0 == 0 {
            return;
        }
        last = now;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_lose_nothing() {
    let home = home();
    let hooks = hooks().await;
    let start = Start::new().with_loopback();
    let chance = SeededChance::new(SEED);
    let mut server = start.at(home.path()).await;
    let topic = subscribed(&server.user(), &hooks).await;
    let publishers: Vec<Publisher> =
        (0..PUBLISHERS).map(|name| Publisher { name, next: Arc::default() }).collect();
    let promised = Promised::default();
    let mut interrupted = Interrupted::new();
    for _ in 0..KILLS {
        let more = usize::try_from(chance.number() % 16).unwrap();
        let moment = Duration::from_micros(chance.number() % 10_000);
        let data_dir = server.data_dir();
        one_life(server, &publishers, &topic, &promised, more, moment).await;
        for delivery in unsettled(&data_dir) {
            *interrupted.entry(delivery).or_default() += 1;
        }
        server = start.at(home.path()).await;
    }
    drained(&server.data_dir(), &hooks).await;
    assert!(promised.count() > KILLS * 5, "{} promises are too few to prove much", promised.count());
    assert!(interrupted.len() > KILLS, "{} interrupted are too few to prove much", interrupted.len());

    let arrived = arrivals(&hooks);
    let orders: Vec<Vec<String>> = LANES
        .iter()
        .enumerate()
        .map(|(lane, name)| check_lane(lane, &arrived[*name], &promised, &interrupted))
        .collect();
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "all lanes see one order");
    let texts: HashSet<&String> = orders[0].iter().collect();
    let doubtful = texts.len() - promised.count();
    assert!(doubtful <= KILLS * PUBLISHERS, "{doubtful} were made up");
    let api = server.user();
    for id in promised.all().keys().take(20) {
        for delivery in api.deliveries(id).await {
            assert_eq!(delivery["state"], "delivered", "{delivery:#}");
        }
    }
}
