//! Two servers on one PostgreSQL share the work of an office app.

use std::time::Duration;

use carillon_simulator::{OfficeApp, Platform, Running, Simulator};
use serde_json::{Value, json};

use crate::chats::LOOPBACK;
use crate::client::Api;
use crate::harness::{Server, Start, home, until, until_at_most};
use crate::{office, postgres_server};

const SECRET: &str = "office-secret-0123456789abcdef";
/// Apps with companies of these many departments: the last one takes some seconds to read.
const APPS: [(&str, usize); 3] =
    [("cli_small_company_1", 6), ("cli_small_company_2", 6), ("cli_large_company_1", 240)];

async fn connect(api: &Api, app: &str) -> String {
    let typed = json!({ "platform": "lark", "name": app, "app_id": app, "app_secret": SECRET });
    api.post("/api/v1/connections", &typed).await.expect(201).at("/id")
}

async fn begin(api: &Api, connection: &str) -> String {
    let path = format!("/api/v1/connections/{connection}/update");
    api.post(&path, &json!({})).await.expect(202).at("/run_id")
}

async fn run(api: &Api, connection: &str, run: &str) -> Value {
    api.get(&format!("/api/v1/connections/{connection}/updates/{run}")).await.expect(200).json()
}

async fn done(api: &Api, connection: &str, id: &str) {
    until("the end of an update", async || {
        let run = run(api, connection, id).await;
        assert_ne!(run["state"], "failed", "{run}");
        (run["state"] == "done").then_some(())
    })
    .await;
}

/// How often a server began to read the directory of a connection.
fn readings(server: &Server, connection: &str) -> usize {
    let log = server.log_text();
    log.lines().filter(|line| line.contains("reading a directory") && line.contains(connection)).count()
}

fn tokens_asked(platforms: &Running) -> usize {
    platforms.calls().iter().filter(|call| call.path.contains("tenant_access_token")).count()
}

/// Two servers on one database, each with half of the lanes. Their directories go with them.
async fn pair(
    platforms: &Running,
    database: &postgres_server::Database,
) -> ([tempfile::TempDir; 2], [Server; 2]) {
    let homes = [home(), home()];
    let key = homes[0].path().join("data/master.key");
    let start = Start::new().led_to(platforms).env("CARILLON_DATABASE_URL", &database.url());
    let start = start.flag("--key-file", key.to_str().unwrap());
    std::fs::create_dir(homes[0].path().join("data")).unwrap();
    let servers = [start.at(homes[0].path()).await, start.at(homes[1].path()).await];
    until("a share for each server", async || {
        let shares = database.sql("SELECT count(*) FROM shard WHERE node_id IS NOT NULL GROUP BY node_id");
        (shares == "128\n128").then_some(())
    })
    .await;
    (homes, servers)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_keep_the_limit_of_an_app_together() {
    const MEMBERS: usize = 100;
    /// What DingTalk takes of an app in a second.
    const A_SECOND: usize = 20;
    let platforms = office::start_with(office::company(Platform::DingtalkApp, 5, MEMBERS)).await;
    let database = postgres_server::Server::shared().database();
    let (_homes, servers) = pair(&platforms, &database).await;
    let apis = [servers[0].user(), servers[1].user()];
    let connection = office::connect(&apis[0], Platform::DingtalkApp).await;
    office::update(&apis[0], &connection).await;
    let to: Vec<Value> =
        (0..MEMBERS).map(|number| json!({ "kind": "member", "id": format!("u{number:05}") })).collect();
    let before = platforms.calls().len();
    let mut messages = Vec::new();
    for (number, api) in apis.iter().enumerate() {
        let push = json!({ "connection_id": connection, "to": to, "text": format!("from {number}") });
        messages.push(api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id"));
    }
    for message in &messages {
        let all = until_at_most(Duration::from_secs(60), async || {
            let all = apis[0].deliveries(message).await;
            let ended = all.iter().filter(|it| it["state"] == "delivered").count();
            (ended == MEMBERS).then_some(all)
        });
        assert!(all.await.is_some(), "{message} is not with everybody");
    }
    let calls = platforms.calls().split_off(before);
    let sends: Vec<_> = calls.iter().filter(|call| call.path.ends_with("/batchSend")).collect();
    let refused = sends.iter().filter(|call| call.code != "ok").count();
    // Each by itself, they would have sent twice as fast and had nearly every second call refused. On a machine that does
    // much else calls may arrive closer together than they left, a few at a time.
    assert!(refused <= sends.len() / 20, "{refused} of {} were refused", sends.len());
    let took = sends.last().unwrap().at_ms - sends.first().unwrap().at_ms;
    let least = i64::try_from((2 * MEMBERS - A_SECOND) * 1_000 / A_SECOND).unwrap();
    assert!(took >= least, "{} sends took {took} ms", sends.len());
    assert_eq!(platforms.received().len(), 2 * MEMBERS, "everybody got both, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_the_work_of_an_office_app() {
    let platforms = APPS.into_iter().fold(Simulator::new(), |all, (id, departments)| {
        all.office(OfficeApp::new(Platform::Lark, id, SECRET).with_company(departments, 60))
    });
    let platforms = platforms.start(LOOPBACK).await.unwrap();
    let database = postgres_server::Server::shared().database();
    let (_homes, mut servers) = pair(&platforms, &database).await;

    let apis = [servers[0].user(), servers[1].user()];
    let [small, another, large] = APPS.map(|(app, _departments)| connect(&apis[0], app));
    let (small, another, large) = (small.await, another.await, large.await);
    let asked = tokens_asked(&platforms);
    // Whichever server is asked, one reads, with the token that there is.
    for (turn, api) in apis.iter().enumerate() {
        let id = begin(api, &small).await;
        done(api, &small, &id).await;
        let push =
            json!({ "connection_id": small, "to": [{ "kind": "member", "id": "u00009" }], "text": "x" });
        let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
        api.settled(&message).await;
        let both = servers.iter().map(|server| readings(server, &small)).sum::<usize>();
        assert_eq!(both, turn + 1);
    }
    assert!(servers.iter().any(|server| readings(server, &small) == 0), "one server does all of it");
    assert_eq!(tokens_asked(&platforms), asked, "no server fetched a token again");

    // When its turn has come by the clock, the same one reads; the other update makes both look.
    database.sql("UPDATE office_run SET started_at = 0");
    let id = begin(&apis[0], &another).await;
    done(&apis[0], &another, &id).await;
    until("the timed update", async || {
        let path = format!("/api/v1/connections/{small}/updates?limit=10");
        let runs = apis[0].get(&path).await.expect(200).json();
        let runs = runs["updates"].as_array().unwrap().clone();
        runs.iter().any(|run| run["caused_by"] == "timer" && run["state"] == "done").then_some(())
    })
    .await;
    let each: Vec<usize> = servers.iter().map(|server| readings(server, &small)).collect();
    assert!(each == [3, 0] || each == [0, 3], "{each:?}");

    // The server that reads dies: the other one begins anew within seconds.
    let id = begin(&apis[0], &large).await;
    until("the reading is under way", async || {
        (run(&apis[0], &large, &id).await["members"].as_u64() > Some(0)).then_some(())
    })
    .await;
    let reader = servers.iter().position(|server| readings(server, &large) > 0).unwrap();
    servers[reader].kill();
    let other = 1 - reader;
    let took_over = until_at_most(Duration::from_secs(10), async || {
        (readings(&servers[other], &large) > 0).then_some(())
    });
    assert!(took_over.await.is_some(), "{}", servers[other].log_text());
    done(&apis[other], &large, &id).await;
    assert_eq!(tokens_asked(&platforms), asked, "the token outlives the server that fetched it");
}
