//! `carillon copy`: from a file to PostgreSQL and back, cut short on the way.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use carillon_simulator::Act;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::{Api, smn};
use crate::harness::{Start, home, program, run, until};
use crate::load::{LANES, arrivals, hooks, subscribed};
use crate::postgres_server::{Database, Server};

fn copy(home: &Path, from: &str, to: &str) -> Command {
    let mut command = program(home);
    command.args(["copy", "--from", from, "--to", to]);
    command
}

/// What a user sees of everything but what is still on its way.
async fn listed(api: &Api, but: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/api/v1/messages?limit=200", "/api/v1/accounts", "/api/v1/audit?limit=200"] {
        all.push(api.get(path).await.expect(200).json());
    }
    for path in ["topics?limit=100", "subscriptions?limit=100"] {
        let mut answer = api.get(&smn(path)).await.expect(200).json();
        answer["request_id"].take();
        all.push(answer);
    }
    for message in all[0]["messages"].as_array().unwrap().clone() {
        let id = message["id"].as_str().unwrap();
        if id != but {
            all.push(json!(api.deliveries(id).await));
        }
    }
    all
}

/// Puts many old deliveries into the file: enough for several portions.
fn fill(data_dir: &Path) {
    let database = Connection::open(data_dir.join("carillon.db")).unwrap();
    let sql = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
         INSERT INTO delivery (seq, message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at,
             attempts, parts_done, platform_text)
         SELECT 100000 + n, 'gone', n, 'gone', 'gone', 'http', 1, 2, 0, 1, 0, 'said ' || char(0) || n FROM n";
    database.execute_batch(sql).unwrap();
}

/// What only a file has is complete in one that was copied.
fn all_are_in_their_topics(data_dir: &Path) {
    let database = Connection::open(data_dir.join("carillon.db")).unwrap();
    let count = |table| -> i64 {
        database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert!(count("message") > 0);
    assert_eq!(count("topic_message"), count("message"));
}

/// Begins a delivery at this place in the target, as soon as it has tables, and neither ends nor gives it up.
fn in_the_way(database: &Database, place: u32) -> std::process::Child {
    let mut psql = database.psql(database.name());
    let mut child = psql.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let block = format!(
        "DO $$ BEGIN
             LOOP
                 EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'delivery');
                 PERFORM pg_sleep(0.001);
             END LOOP;
             EXECUTE 'INSERT INTO delivery (seq, message_id, number, subscription_id, endpoint_id, channel, priority, state,
                 due_at, attempts, parts_done) VALUES ({place}, '''', 0, '''', '''', '''', 1, 2, 0, 0, 0)';
             PERFORM pg_sleep(60);
         END $$;"
    );
    child.stdin.take().unwrap().write_all(block.as_bytes()).unwrap();
    child
}

/// Kills the copy, and then who stood in its way.
fn end_both(mut half: std::process::Child, mut stranger: std::process::Child, database: &Database) {
    half.kill().unwrap();
    half.wait().unwrap();
    // What it had under way must not go through when the stranger lets go.
    database.sql(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_postgresql_and_back() {
    let (first, second, third) = (home(), home(), home());
    let (hooks, database) = (hooks().await, Server::shared().database());
    let file = |home: &tempfile::TempDir| format!("sqlite:{}", home.path().join("data").display());
    let (from, url) = (file(&first), database.url());
    let start = Start::new().with_loopback();
    let mut server = start.at(first.path()).await;
    let topic = subscribed(&server.user(), &hooks).await;
    let done = server.user().publish(&topic, &json!({ "message": "arrived" })).await;
    server.user().settled(&done).await;
    hooks.script(LANES[0], Act::Hang, None);
    let waiting = server.user().publish(&topic, &json!({ "message": "waiting" })).await;
    until("all but one", async || {
        (arrivals(&hooks).values().map(Vec::len).sum::<usize>() == 7).then_some(())
    })
    .await;
    until("its records", async || {
        let deliveries = server.user().deliveries(&waiting).await;
        (deliveries.iter().filter(|one| one["state"] == "delivered").count() == 3).then_some(())
    })
    .await;

    let said = run(copy(first.path(), &from, &url), None).await;
    assert!(said.code == 1 && said.err.contains("another carillon"), "a source that is served: {said:?}");
    let before = listed(&server.user(), &waiting).await;
    server.kill();
    fill(&server.data_dir());

    // Killed in the middle of a table.
    let stranger = in_the_way(&database, 101_500);
    let half = copy(first.path(), &from, &url).stdout(Stdio::null()).spawn().unwrap();
    until("half of the deliveries", async || {
        let there = database.sql("SELECT to_regclass('delivery') IS NOT NULL") == "t";
        (there && database.sql("SELECT count(*) > 900 FROM delivery") == "t").then_some(())
    })
    .await;
    end_both(half, stranger, &database);
    database.cut();
    assert_eq!(database.sql("SELECT count(*) < 2000 FROM delivery"), "t");

    let key = first.path().join("data/master.key");
    let on_server =
        start.clone().env("CARILLON_DATABASE_URL", &url).flag("--key-file", key.to_str().unwrap());
    let said = run(on_server.command(second.path()), None).await;
    assert!(said.code == 1 && said.err.contains("half of a copy"), "{said:?}");
    let said = run(copy(first.path(), &from, &url), None).await;
    assert!(said.code == 0 && said.out.contains("going on where it ended"), "{said:?}");
    assert!(said.out.contains("the same  delivery"), "{said:?}");
    let said = run(copy(first.path(), &from, &url), None).await;
    assert!(said.code == 1 && said.err.contains("it is not empty"), "{said:?}");

    // The same is listed, and what waited is delivered.
    hooks.clear_script(LANES[0]);
    let mut server = on_server.at(second.path()).await;
    assert_eq!(listed(&server.user(), &waiting).await, before);
    let deliveries = server.user().settled(&waiting).await;
    assert!(deliveries.iter().all(|one| one["state"] == "delivered"), "{deliveries:?}");
    assert_eq!(arrivals(&hooks)[LANES[0]], ["arrived", "waiting"]);
    let last = server.user().publish(&topic, &json!({ "message": "on the other" })).await;
    server.user().settled(&last).await;
    let before = listed(&server.user(), "").await;

    // And back, from a database that nobody serves.
    let back = format!("sqlite:{}", third.path().join("data").display());
    let said = run(copy(third.path(), &url, &back), None).await;
    assert!(said.code == 1 && said.err.contains("1 servers are running"), "{said:?}");
    assert!(server.terminate().await.success());
    let said = run(copy(third.path(), &url, &back), None).await;
    assert!(said.code == 0, "{said:?}");
    all_are_in_their_topics(&third.path().join("data"));
    let server = start.clone().flag("--key-file", key.to_str().unwrap()).at(third.path()).await;
    assert_eq!(listed(&server.user(), "").await, before);
    let next = server.user().publish(&topic, &json!({ "message": "home again" })).await;
    server.user().settled(&next).await;
    for lane in LANES {
        assert_eq!(arrivals(&hooks)[lane], ["arrived", "waiting", "on the other", "home again"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_told() {
    let home = home();
    let data = format!("sqlite:{}", home.path().join("data").display());
    let wrong = [
        ("mysql://geheim@db/x", data.as_str(), 2, "`sqlite:` and a data directory"),
        (&data, "postgres://carillon:geheim@127.0.0.1:1/x", 1, "the source: there is no database"),
    ];
    for (from, to, code, words) in wrong {
        let said = run(copy(home.path(), from, to), None).await;
        assert!(said.code == code && said.err.contains(words), "{said:?}");
    }
    drop(Start::new().at(home.path()).await);
    let said = run(copy(home.path(), &data, "postgres://carillon:geheim@127.0.0.1:1/x"), None).await;
    assert!(said.code == 1 && said.err.contains("the target: the database cannot be opened"), "{said:?}");
    assert!(!said.err.contains("geheim"), "{said:?}");
    // A file of a version before this one has other columns.
    let database = Connection::open(home.path().join("data/carillon.db")).unwrap();
    database
        .execute_batch("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)")
        .unwrap();
    drop(database);
    let said = run(copy(home.path(), &data, &data), None).await;
    assert!(said.code == 1 && said.err.contains("carillon migrate first"), "{said:?}");
}
