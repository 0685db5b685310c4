//! Publishers that go on until their server dies, four web hooks that take what they publish, and what is left in the
//! store when a server is dead.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use carillon_simulator::{Robot, Running, Simulator};
use reqwest::Method;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::chats::LOOPBACK;
use crate::client::{Api, Auth, smn};
use crate::harness::{PATIENCE, until};

pub(crate) const LANES: [&str; 4] = ["lane-0", "lane-1", "lane-2", "lane-3"];

pub(crate) async fn hooks() -> Running {
    let simulator =
        LANES.iter().fold(Simulator::new(), |simulator, name| simulator.robot(Robot::webhook(*name, *name)));
    simulator.start(LOOPBACK).await.unwrap()
}

/// A topic `load` whose messages go to every hook.
pub(crate) async fn subscribed(api: &Api, hooks: &Running) -> String {
    let topic = api.create_topic("load").await;
    for name in LANES {
        let endpoint = format!("{}/hook/{name}", hooks.url());
        api.subscribe(&topic, &json!({ "protocol": "http", "endpoint": endpoint })).await;
    }
    confirm(api, hooks, LANES.len()).await;
    topic
}

/// Follows the links that so many hooks were sent, as their owners would, and forgets that anything arrived.
pub(crate) async fn confirm(api: &Api, hooks: &Running, count: usize) {
    let nobody = api.with(Auth::Nobody);
    let asked = hooks.received_at_least(count, PATIENCE).await;
    assert_eq!(asked.len(), count, "{asked:?}");
    for asked in asked {
        let link = asked.raw["body"]["subscribe_url"].as_str().unwrap();
        let (_, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
        nobody.get(&format!("/{path}")).await.expect(200);
    }
    // The record of the last attempt is written a moment after its answer.
    until("every confirmation's record", async || {
        let listed = api.get("/api/v1/messages?limit=200").await.json();
        for message in listed["messages"].as_array().unwrap() {
            let deliveries = api.deliveries(message["id"].as_str().unwrap()).await;
            if deliveries.iter().any(|it| it["state"] != "delivered") {
                return None;
            }
        }
        Some(())
    })
    .await;
    hooks.clear_received();
}

/// What publishers were promised: text by message id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promised(Arc<Mutex<BTreeMap<String, String>>>);

impl Promised {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, id: String, text: &str) {
        self.0.lock().unwrap().insert(id, text.to_owned());
    }
}

/// One publisher, who numbers its messages and begins the next only when the one before was answered.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    pub(crate) name: usize,
    pub(crate) next: Arc<Mutex<u32>>,
}

impl Publisher {
    /// Publishes until the server does not answer any more.
    pub(crate) async fn until_it_dies(self, api: Api, topic: String, promised: Promised) {
        let path = smn(&format!("topics/{topic}/publish"));
        loop {
            let number = {
                let mut next = self.next.lock().unwrap();
                *next += 1;
                *next
            };
            let text = format!("{} {number}", self.name);
            let body = json!({ "message": text }).to_string().into_bytes();
            match api.try_send(Method::POST, &path, body, &[]).await {
                Err(_dead) => return,
                Ok(answer) => promised.note(answer.expect(200).at("/message_id"), &text),
            }
        }
    }
}

/// What one hook was shown, in order.
pub(crate) fn arrivals(hooks: &Running) -> HashMap<String, Vec<String>> {
    let mut by_lane: HashMap<String, Vec<String>> = HashMap::new();
    for received in hooks.received() {
        let text = received.raw["body"]["message"].as_str().unwrap().to_owned();
        by_lane.entry(received.chat).or_default().push(text);
    }
    by_lane
}

pub(crate) fn open(data_dir: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(data_dir.join("carillon.db"), flags).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    database
}

/// The deliveries that have not come to their end, as text and hook.
pub(crate) fn unsettled(data_dir: &Path) -> Vec<(String, usize)> {
    let database = open(data_dir);
    let sql = "SELECT json_extract(m.content, '$.default.text'), d.number FROM delivery d
         JOIN message m ON m.id = d.message_id WHERE d.state IN (0, 1)";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
    rows.map(|row| {
        let (text, number) = row.unwrap();
        (text, usize::try_from(number).unwrap() - 1)
    })
    .collect()
}
