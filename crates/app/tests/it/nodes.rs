//! Three servers on one PostgreSQL, under load, through every fault that one of them or the database can have.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carillon_simulator::{Platform, Robot, Running, Simulator};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::chats::{LOOPBACK, dingtalk_url};
use crate::client::{Api, smn};
use crate::harness::{Server, Start, home, until, until_at_most};
use crate::load::{LANES, confirm};
use crate::postgres_server as postgres;

/// How long any fault may be felt.
const RECOVERY: Duration = Duration::from_secs(10);
const ROBOT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const PUBLISHERS: u32 = 3;
/// How many messages were promised before the first fault.
const BUSY: usize = 40;

/// Three servers with one key on one database, and a client of each.
struct Nodes {
    start: Start,
    homes: Vec<tempfile::TempDir>,
    servers: Vec<Server>,
    /// Which of them may be asked now.
    up: Arc<Mutex<Vec<Api>>>,
}

impl Nodes {
    async fn new(url: &str, platforms: &Running) -> Self {
        let homes: Vec<_> = (0..3).map(|_node| home()).collect();
        let key = homes[0].path().join("data/master.key");
        let start = Start::new().with_loopback().led_to(platforms).env("CARILLON_DATABASE_URL", url);
        let start = start.flag("--key-file", key.to_str().unwrap());
        std::fs::create_dir(homes[0].path().join("data")).unwrap();
        let mut servers = Vec::new();
        for home in &homes {
            servers.push(start.at(home.path()).await);
        }
        let up = Arc::new(Mutex::new(servers.iter().map(Server::user).collect()));
        Self { start, homes, servers, up }
    }

    fn home(&self, node: usize) -> &Path {
        self.homes[node].path()
    }

    /// Asks only these from now on.
    fn ask(&self, nodes: &[usize]) {
        *self.up.lock().unwrap() = nodes.iter().map(|node| self.servers[*node].user()).collect();
    }
}

/// Publishes and tells whether it was accepted. Whoever does not answer soon is given up.
async fn publish(api: &Api, topic: &str, text: &str) -> bool {
    let path = smn(&format!("topics/{topic}/publish"));
    let body = json!({ "message": text }).to_string().into_bytes();
    let asked = timeout(Duration::from_secs(3), api.try_send(Method::POST, &path, body, &[])).await;
    matches!(asked, Ok(Ok(answer)) if answer.status == 200)
}

/// Publishes until it is accepted, by whichever server.
async fn publish_somewhere(up: &Mutex<Vec<Api>>, turn: &AtomicU32, topic: &str, text: &str) {
    loop {
        let api = {
            let up = up.lock().unwrap();
            let turn = usize::try_from(turn.fetch_add(1, Ordering::SeqCst)).unwrap();
            up[turn % up.len()].clone()
        };
        if publish(&api, topic, text).await {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn texts(platforms: &Running, lane: &str) -> Vec<String> {
    let all = platforms.received().into_iter().filter(|one| one.chat == lane);
    all.map(|one| one.raw["body"]["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// How long after `since` what is published now has reached every lane.
async fn recovered(nodes: &Nodes, platforms: &Running, topic: &str, what: &str, since: Instant) -> Duration {
    publish_somewhere(&nodes.up, &AtomicU32::new(0), topic, what).await;
    let arrived = until_at_most(RECOVERY * 3, async || {
        LANES.iter().all(|lane| texts(platforms, lane).iter().any(|text| text == what)).then_some(())
    });
    assert!(arrived.await.is_some(), "{what}: nothing arrives any more");
    let took = since.elapsed();
    if took > RECOVERY {
        let logs: Vec<String> = nodes.servers.iter().map(Server::log_text).collect();
        panic!("{what}: felt for {took:?}\n{}", logs.join("\n---\n"));
    }
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_servers_lose_nothing_whatever_fails() {
    let simulator = LANES.iter().fold(Simulator::new(), |all, name| all.robot(Robot::webhook(*name, *name)));
    let platforms = simulator.robot(Robot::dingtalk(ROBOT, "group")).start(LOOPBACK).await.unwrap();
    let database = postgres::Server::own().database();
    let mut nodes = Nodes::new(&database.url(), &platforms).await;

    let first = nodes.servers[0].user();
    let (topic, chat) = (first.create_topic("load").await, first.create_topic("chat").await);
    for name in LANES {
        let endpoint = format!("{}/hook/{name}", platforms.url());
        first.subscribe(&topic, &json!({ "protocol": "http", "endpoint": endpoint })).await;
    }
    confirm(&first, &platforms, LANES.len()).await;
    first.subscribe(&chat, &json!({ "protocol": "dingding", "endpoint": dingtalk_url(ROBOT) })).await;
    until("a share for each server", async || {
        let shares = database.sql("SELECT count(*) FROM shard WHERE node_id IS NOT NULL GROUP BY node_id");
        (shares.lines().collect::<HashSet<_>>() == HashSet::from(["85", "86"])).then_some(())
    })
    .await;

    // Publishers who go on all the time, each with the next only when the one before was accepted.
    let (stop, promised) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let mut publishers = tokio::task::JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (up, stop, promised) = (Arc::clone(&nodes.up), Arc::clone(&stop), Arc::clone(&promised));
        let (topic, chat) = (topic.clone(), chat.clone());
        publishers.spawn(async move {
            let turn = AtomicU32::new(publisher);
            for number in 0_u32.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let text = format!("{publisher} {number}");
                publish_somewhere(&up, &turn, &topic, &text).await;
                promised.lock().unwrap().push(text);
                if number % 8 == 0 {
                    publish_somewhere(&up, &turn, &chat, &format!("<{publisher}-{number}>")).await;
                    promised.lock().unwrap().push(format!("<{publisher}-{number}>"));
                }
                sleep(Duration::from_millis(150)).await;
            }
        });
    }
    // Each fault meets servers that are busy.
    until("publishers at work", async || (promised.lock().unwrap().len() >= BUSY).then_some(())).await;

    let mut took = Vec::new();
    // One is killed, and comes back.
    let fault = Instant::now();
    nodes.servers[0].kill();
    nodes.ask(&[1, 2]);
    took.push(recovered(&nodes, &platforms, &topic, "killed", fault).await);
    nodes.servers[0] = nodes.start.at(nodes.home(0)).await;
    nodes.ask(&[0, 1, 2]);

    // One is frozen, and goes on as if nothing had been.
    let fault = Instant::now();
    nodes.servers[1].signal("STOP");
    nodes.ask(&[0, 2]);
    took.push(recovered(&nodes, &platforms, &topic, "frozen", fault).await);
    nodes.servers[1].signal("CONT");
    nodes.ask(&[0, 1, 2]);

    // Every connection to the database is cut.
    let fault = Instant::now();
    database.cut();
    took.push(recovered(&nodes, &platforms, &topic, "cut", fault).await);

    // The database crashes and comes back.
    let fault = Instant::now();
    database.server().restart();
    took.push(recovered(&nodes, &platforms, &topic, "restarted", fault).await);

    // One stops in order: the others have its lanes at once.
    let fault = Instant::now();
    nodes.ask(&[0, 1]);
    assert!(nodes.servers[2].terminate().await.success());
    took.push(recovered(&nodes, &platforms, &topic, "stopped", fault).await);

    stop.store(true, Ordering::SeqCst);
    publishers.join_all().await;
    let promised: Vec<String> = promised.lock().unwrap().clone();
    check(&platforms, &promised).await;
    eprintln!("{} promised; felt for {took:?}", promised.len());
}

/// Nothing that was accepted is lost, each publisher's order holds in each lane, and the robot was never pressed.
async fn check(platforms: &Running, promised: &[String]) {
    let (chat, hooks): (Vec<&String>, Vec<&String>) = promised.iter().partition(|text| text.starts_with('<'));
    let deadline = Instant::now() + Duration::from_secs(150);
    for lane in LANES {
        until("everything in every lane", async || {
            let seen: HashSet<String> = texts(platforms, lane).into_iter().collect();
            hooks.iter().all(|text| seen.contains(*text)).then_some(())
        })
        .await;
        let mut seen = HashSet::new();
        let first: Vec<String> =
            texts(platforms, lane).into_iter().filter(|text| seen.insert(text.clone())).collect();
        for publisher in 0..PUBLISHERS {
            let own = format!("{publisher} ");
            let numbers: Vec<u32> = first
                .iter()
                .filter_map(|text| text.strip_prefix(&own))
                .map(|number| number.parse().unwrap())
                .collect();
            assert!(numbers.is_sorted(), "publisher {publisher} is out of order in {lane}: {numbers:?}");
        }
    }
    loop {
        let shown: String = platforms
            .received()
            .into_iter()
            .filter(|one| one.chat == "group")
            .map(|one| one.raw.to_string())
            .collect();
        let lost: Vec<_> = chat.iter().filter(|text| !shown.contains(text.as_str())).collect();
        if lost.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "the robot was not sent {lost:?}");
        sleep(Duration::from_millis(200)).await;
    }
    let refused: Vec<_> = platforms
        .calls()
        .into_iter()
        .filter(|call| call.platform == Platform::Dingtalk && call.code != "0")
        .collect();
    assert!(refused.is_empty(), "the robot was pressed: {refused:?}");
}
