//! One attempt under way when the server is killed or stopped.

use std::collections::BTreeSet;

use carillon_simulator::{Act, Running};
use serde_json::{Value, json};

use crate::client::Api;
use crate::harness::{Server, Start, home, until};
use crate::load::{confirm, hooks, open};

const HOOK: &str = "lane-0";

async fn subscribed(server: &Server, hooks: &Running) -> String {
    let api = server.user();
    let topic = api.create_topic("one").await;
    let endpoint = format!("{}/hook/{HOOK}", hooks.url());
    api.subscribe(&topic, &json!({ "protocol": "http", "endpoint": endpoint })).await;
    confirm(&api, hooks, 1).await;
    topic
}

/// Waits until an attempt under way is seen from outside, which it is after a second.
async fn sending(api: &Api, message: &str) {
    until("an attempt under way", async || {
        let deliveries = api.deliveries(message).await;
        (deliveries[0]["state"] == "sending").then_some(())
    })
    .await;
}

/// The rows that say which attempts have begun: server, row, list.
type Rows = BTreeSet<(String, i64, Vec<u8>)>;

fn rows(server: &Server) -> Rows {
    let database = open(&server.data_dir());
    let mut statement = database.prepare("SELECT node_id, slot, begun FROM attempt_begun").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Waits until the store knows that one more attempt has begun. A row of attempts that have ended stays until it is
/// written anew, so that there is one says nothing.
async fn begun(server: &Server, before: &mut Rows) {
    *before = until("an attempt that is written down as begun", async || {
        let now = rows(server);
        (!now.is_subset(before)).then_some(now)
    })
    .await;
}

fn outcomes(delivery: &Value) -> Vec<(u64, &str, &str)> {
    let attempts = delivery["attempts"].as_array().unwrap();
    attempts
        .iter()
        .map(|it| {
            (it["number"].as_u64().unwrap(), it["outcome"].as_str().unwrap(), it["reason"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_attempt_is_told_and_made_again() {
    let home = home();
    let hooks = hooks().await;
    let start = Start::new().with_loopback();
    let mut server = start.at(home.path()).await;
    let topic = subscribed(&server, &hooks).await;
    hooks.script(HOOK, Act::Hang, Some(1));
    let api = server.user();
    let message = api.publish(&topic, &json!({ "message": "first" })).await;
    let behind = api.publish(&topic, &json!({ "message": "second" })).await;
    sending(&api, &message).await;
    until("the request at the far end", async || (!hooks.calls().is_empty()).then_some(())).await;
    assert!(hooks.received().is_empty());
    server.kill();

    let server = start.at(home.path()).await;
    let api = server.user();
    let deliveries = api.settled(&message).await;
    assert_eq!(deliveries[0]["state"], "delivered");
    assert_eq!(outcomes(&deliveries[0]), [(1, "unknown", "interrupted"), (2, "accepted", "ok")]);
    let advice = &deliveries[0]["attempts"][0]["advice"];
    assert!(!advice["en"].as_str().unwrap().is_empty() && !advice["zh"].as_str().unwrap().is_empty());
    let deliveries = api.settled(&behind).await;
    assert_eq!(outcomes(&deliveries[0]), [(1, "accepted", "ok")]);
    let texts: Vec<Value> = hooks.received().iter().map(|one| one.raw["body"]["message"].clone()).collect();
    assert_eq!(texts, ["first", "second"]);
    assert!(server.log_text().contains("attempts were interrupted by the last stop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_is_one_delivery_with_all_its_attempts() {
    let home = home();
    let hooks = hooks().await;
    let start = Start::new().with_loopback();
    let mut server = start.at(home.path()).await;
    // So slow that it is written down as begun, and its row is still there when the first kill comes.
    hooks.script(HOOK, Act::Slow { ms: 50 }, Some(1));
    let topic = subscribed(&server, &hooks).await;
    hooks.script(HOOK, Act::Hang, Some(3));
    let mut known = rows(&server);
    let message = server.user().publish(&topic, &json!({ "message": "patient" })).await;
    for kills in 1..=3 {
        begun(&server, &mut known).await;
        // Not before the request is there: else one hang would be left for the time after the last kill.
        until("the request at the far end", async || (hooks.calls().len() == kills).then_some(())).await;
        server.kill();
        server = start.at(home.path()).await;
    }
    let deliveries = server.user().settled(&message).await;
    let told: Vec<&str> = outcomes(&deliveries[0]).into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(told, ["unknown", "unknown", "unknown", "accepted"]);
    assert_eq!(deliveries[0]["state"], "delivered");
    assert_eq!(hooks.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_a_slow_attempt_finish() {
    let home = home();
    let hooks = hooks().await;
    let start = Start::new().with_loopback();
    let mut server = start.at(home.path()).await;
    let topic = subscribed(&server, &hooks).await;
    hooks.script(HOOK, Act::Slow { ms: 2_000 }, Some(1));
    let api = server.user();
    let message = api.publish(&topic, &json!({ "message": "slow" })).await;
    let behind = api.publish(&topic, &json!({ "message": "behind" })).await;
    sending(&api, &message).await;
    let ended = server.terminate().await;
    assert_eq!(ended.code(), Some(0), "{}", server.log_text());
    let arrived = hooks.received().len();
    assert!((1..=2).contains(&arrived), "{arrived}");

    let server = start.at(home.path()).await;
    let api = server.user();
    for id in [&message, &behind] {
        let deliveries = api.settled(id).await;
        assert_eq!(outcomes(&deliveries[0]), [(1, "accepted", "ok")]);
    }
    assert_eq!(hooks.received().len(), 2, "no message came twice");
    let connections = open(&server.data_dir());
    let check: String = connections.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_cuts() {
    let home = home();
    let hooks = hooks().await;
    let start = Start::new().with_loopback();
    let mut server = start.at(home.path()).await;
    let topic = subscribed(&server, &hooks).await;
    hooks.script(HOOK, Act::Hang, Some(1));
    let api = server.user();
    let message = api.publish(&topic, &json!({ "message": "cut" })).await;
    sending(&api, &message).await;
    server.signal_terminate();
    until("the word that it stops", async || server.log_text().contains("stopping:").then_some(())).await;
    let ended = server.terminate().await;
    assert_eq!(ended.code(), Some(1), "{}", server.log_text());
    let server = start.at(home.path()).await;
    let deliveries = server.user().settled(&message).await;
    assert_eq!(outcomes(&deliveries[0]), [(1, "unknown", "interrupted"), (2, "accepted", "ok")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_writes_down_which_topic_the_last_messages_are_of() {
    let home = home();
    let mut server = Start::new().at(home.path()).await;
    let entered = |server: &Server| -> i64 {
        let database = open(&server.data_dir());
        database.query_row("SELECT count(*) FROM topic_message", [], |row| row.get(0)).unwrap()
    };
    let api = server.user();
    let topic = api.create_topic("ops").await;
    for text in ["first", "second"] {
        api.publish(&topic, &json!({ "message": text })).await;
    }
    server.kill();
    // Whether the first start wrote them down at once depends on when it looked where the mark is.
    let database = rusqlite::Connection::open(server.data_dir().join("carillon.db")).unwrap();
    database.execute_batch("DELETE FROM topic_message; UPDATE topic_mark SET upto = ''").unwrap();
    drop(database);
    let server = Start::new().at(home.path()).await;
    until("both in their topic", async || (entered(&server) == 2).then_some(())).await;
    let listed = server.user().get("/api/v1/messages?topic=ops").await.expect(200).json();
    assert_eq!(listed["messages"].as_array().map(Vec::len), Some(2), "{listed}");
}
