//! A program of an older version and this one on one database, in the order of an upgrade and of the way back.

use std::collections::HashSet;
use std::path::Path;

use carillon_simulator::Running;
use serde_json::json;

use crate::client::{Api, smn};
use crate::harness::{Server, Start, home, until};
use crate::load::{LANES, hooks, subscribed};
use crate::postgres_server as postgres;

/// What was published so far: each text is its number.
struct Published<'a> {
    topic: String,
    hooks: &'a Running,
    count: usize,
}

impl Published<'_> {
    /// Publishes so many more, each by the next of the servers.
    async fn some(&mut self, count: usize, servers: &[&Server]) {
        let apis: Vec<Api> = servers.iter().map(|server| server.user()).collect();
        for number in self.count..self.count + count {
            let path = smn(&format!("topics/{}/publish", self.topic));
            let said = apis[number % apis.len()].post(&path, &json!({ "message": number.to_string() })).await;
            said.expect(200);
        }
        self.count += count;
    }

    /// Everything is in every lane, once and in its order.
    async fn arrived(&self, when: &str) {
        for lane in LANES {
            let seen = || {
                let all = self.hooks.received().into_iter().filter(|one| one.chat == lane);
                let number = |text: &str| text.parse::<usize>().unwrap();
                all.map(|one| number(one.raw["body"]["message"].as_str().unwrap())).collect::<Vec<_>>()
            };
            until(when, async || {
                (seen().into_iter().collect::<HashSet<_>>().len() >= self.count).then_some(())
            })
            .await;
            assert_eq!(seen(), (0..self.count).collect::<Vec<_>>(), "{when}: {lane}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs an older program: scripts/rolling builds one and runs this"]
async fn an_older_program_serves_beside_this_one() {
    let older = std::env::var("CARILLON_OLDER").expect("CARILLON_OLDER names the older program");
    let (hooks, database) = (hooks().await, postgres::Server::own().database());
    let homes = [home(), home()];
    let key = homes[0].path().join("data/master.key");
    std::fs::create_dir(homes[0].path().join("data")).unwrap();
    let this = Start::new().with_loopback().env("CARILLON_DATABASE_URL", &database.url());
    let this = this.flag("--key-file", key.to_str().unwrap());
    let older = this.by(Path::new(&older));

    let mut first = older.at(homes[0].path()).await;
    let topic = subscribed(&first.user(), &hooks).await;
    let mut published = Published { topic, hooks: &hooks, count: 0 };
    published.some(20, &[&first]).await;
    published.arrived("the older alone").await;

    // This one brings the store to its version while the older goes on.
    let mut second = this.at(homes[1].path()).await;
    published.some(60, &[&first, &second]).await;
    published.arrived("both").await;
    let servers = database.sql("SELECT count(*) FROM node");
    assert_eq!(servers.trim(), "2", "both are servers of this store");

    assert!(first.terminate().await.success());
    published.some(20, &[&second]).await;
    first = this.at(homes[0].path()).await;
    published.some(20, &[&first, &second]).await;
    published.arrived("upgraded").await;

    // And back: the older serves the store that this one made.
    assert!(second.terminate().await.success());
    second = older.at(homes[1].path()).await;
    published.some(40, &[&first, &second]).await;
    published.arrived("one went back").await;
    assert!(first.terminate().await.success());
    published.some(20, &[&second]).await;
    published.arrived("the older alone again").await;
}
