//! The same program on PostgreSQL, from the first start over a kill to the refusal of a wrong key.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Start, home, program, run, until, until_at_most};
use crate::load::{LANES, arrivals, hooks, subscribed};
use crate::postgres_server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgresql_survives_a_kill() {
    let (home, database, hooks) = (home(), Server::shared().database(), hooks().await);
    let start = Start::new().with_loopback().env("CARILLON_DATABASE_URL", &database.url());
    let mut server = start.at(home.path()).await;
    let topic = subscribed(&server.user(), &hooks).await;
    let mut promised = Vec::new();
    for round in 0..3 {
        for number in 0..20 {
            let text = format!("{round} {number}");
            server.user().publish(&topic, &json!({ "message": text })).await;
            promised.push(text);
        }
        server.kill();
        server = start.at(home.path()).await;
    }
    until("all that was promised", async || {
        let arrived = arrivals(&hooks);
        let whole = |lane: &str| {
            let mut seen = arrived.get(lane).cloned().unwrap_or_default();
            // What was under way at a kill comes twice, one after the other.
            seen.dedup();
            seen == promised
        };
        LANES.iter().all(|lane| whole(lane)).then_some(())
    })
    .await;
    assert!(!server.data_dir().join("carillon.db").exists(), "nothing is kept in a file");

    // A server without the key, or with a key of its own, is told what to do.
    let other = crate::harness::home();
    let said = run(start.command(other.path()), None).await;
    assert!(said.code != 0 && said.err.contains("give this server a copy of the key file"), "{said:?}");
    assert!(!other.path().join("data/master.key").exists(), "no wrong key is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_was_told_of_is_found_all_the_same() {
    let (home, database, hooks) = (home(), Server::shared().database(), hooks().await);
    let start = Start::new().with_loopback().env("CARILLON_DATABASE_URL", &database.url());
    let server = start.at(home.path()).await;
    let api = server.user();
    let topic = subscribed(&api, &hooks).await;
    let message = api.publish(&topic, &json!({ "message": "late" })).await;
    api.settled(&message).await;
    // As if its server had been halted between giving the place and making it visible, for longer than others look back.
    let late = "UPDATE delivery SET seq = -seq, state = 0, attempts = 0, parts_done = 0 WHERE message_id =";
    database.sql(&format!("{late} '{message}'"));
    let all = until_at_most(Duration::from_secs(90), async || {
        let arrived = arrivals(&hooks);
        LANES.iter().all(|lane| arrived.get(*lane).is_some_and(|texts| texts.len() == 2)).then_some(())
    });
    assert!(all.await.is_some(), "it waits for ever: {:?}", arrivals(&hooks));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_is_told_without_its_password() {
    let home = home();
    for url in ["postgres://carillon:geheim@127.0.0.1:1/carillon", "mysql://carillon:geheim@db/carillon"] {
        let mut command = program(home.path());
        command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(home.path().join("data"));
        command.env("CARILLON_DATABASE_URL", url);
        let said = run(command, None).await;
        assert!(said.code != 0 && said.err.contains("database"), "{said:?}");
        assert!(!format!("{said:?}").contains("geheim"), "{said:?}");
    }
}
