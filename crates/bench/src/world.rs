//! A receiver, a server, topics and subscriptions: what every scenario begins with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::http::{self, Connection};
use crate::postgres::{Database, Done, Postgres};
use crate::receiver::Receiver;
use crate::scenario::scale::Cost;
use crate::server::{PROJECT, Server, TOKEN};

/// How long a scenario waits for what is still under way.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The most that SMN takes at once.
const SUBSCRIPTIONS_AT_ONCE: usize = 50;
/// The most that SMN lists at once.
const PAGE: usize = 100;

/// What the user chose.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    pub(crate) flags: Vec<String>,
    pub(crate) connections: usize,
    pub(crate) to: Kind,
    pub(crate) backing: Backing,
    /// How many servers there are.
    pub(crate) nodes: usize,
}

/// Where the server keeps everything.
#[derive(Debug, Clone)]
pub(crate) enum Backing {
    /// A file in its data directory.
    File,
    /// A fresh database of a PostgreSQL server.
    Postgres(Arc<Postgres>),
}

impl Backing {
    /// What `--database` means.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "sqlite" => Self::File,
            "postgres" => Self::Postgres(Arc::new(Postgres::start()?)),
            url => Self::Postgres(Arc::new(Postgres::at(url)?)),
        })
    }
}

/// What kind of address deliveries go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Feishu's custom bots, with their rates switched off and their host led to the receiver.
    Robot,
    /// Web hooks: every message's body is signed with RSA.
    Hook,
}

/// Feishu's host.
const FEISHU: &str = "open.feishu.cn";
/// Lark's, which is always down.
const LARK: &str = "open.larksuite.com";
/// How many addresses a message goes to that is to wait.
const WAITING: usize = 1000;

impl Setup {
    /// The same, but to web hooks.
    pub(crate) fn to_hooks(&self) -> Self {
        Self { to: Kind::Hook, ..self.clone() }
    }

    /// The same with a file.
    pub(crate) fn on_file(&self) -> Self {
        Self { backing: Backing::File, nodes: 1, ..self.clone() }
    }

    /// The same with so many servers on PostgreSQL.
    pub(crate) fn on_postgres(&self, nodes: usize) -> anyhow::Result<Self> {
        let backing = match &self.backing {
            Backing::File => Backing::named("postgres")?,
            there @ Backing::Postgres(_) => there.clone(),
        };
        Ok(Self { backing, nodes, ..self.clone() })
    }

    /// The server's flags.
    fn flags(&self, receiver: SocketAddr, down: SocketAddr) -> Vec<String> {
        let detour = |host: &str, to: SocketAddr| ["--connect-to".to_owned(), format!("{host}=http://{to}")];
        let rates = ["--rate".to_owned(), "lark=off".to_owned()];
        let detours = detour(FEISHU, receiver).into_iter().chain(detour(LARK, down));
        let robots = detours.chain(rates).filter(|_| self.to == Kind::Robot);
        robots.chain(self.flags.iter().cloned()).collect()
    }

    /// What a subscription to an endpoint asks for.
    fn subscription(&self, (receiver, host): (SocketAddr, &str), kind: char, number: usize) -> Value {
        match self.to {
            Kind::Hook => {
                json!({"protocol": "http", "endpoint": format!("http://{receiver}/{kind}/{number}")})
            }
            Kind::Robot => {
                let endpoint = format!(
                    "https://{host}/open-apis/bot/v2/hook/0be0c000-0000-4000-8000-{kind}{number:011}"
                );
                json!({"protocol": "feishu", "endpoint": endpoint})
            }
        }
    }
}

/// A receiver, a server, and topics with confirmed subscriptions.
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) receiver: Arc<Receiver>,
    /// Another host, which is down all the time.
    down: Arc<Receiver>,
    pub(crate) server: Server,
    /// More servers on the same database.
    others: Vec<Server>,
    pub(crate) database: Option<Database>,
    pub(crate) topics: Arc<Vec<String>>,
    folder: TempDir,
}

/// How a closed loop went.
#[derive(Debug, Default)]
pub(crate) struct Loop {
    /// How long each accepting answer took, shortest first, in microseconds.
    pub(crate) answers: Vec<u64>,
    /// Which messages were accepted.
    pub(crate) accepted: Vec<usize>,
    /// How many were answered 503 or 429.
    pub(crate) refused: usize,
}

pub(crate) fn headers() -> String {
    format!("x-auth-token: {TOKEN}\r\n")
}

/// A publish of message `number`.
pub(crate) fn publish(address: SocketAddr, topic: &str, number: usize, now_us: u64) -> Vec<u8> {
    let path = format!("/v2/{PROJECT}/notifications/topics/{topic}/publish");
    http::post(
        address,
        &path,
        &headers(),
        &format!(r#"{{"subject":"bench","message":"~{number}~{now_us}~"}}"#),
    )
}

impl World {
    /// Starts everything: `topics` topics with `fan_out` subscriptions each, for `messages` messages. `kind` names an
    /// endpoint's behaviour by its number.
    pub(crate) async fn start(
        setup: &Setup,
        topics: usize,
        fan_out: usize,
        messages: usize,
        kind: impl Fn(usize) -> char,
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let tasks = TaskTracker::new();
        let receiver = Receiver::start(fan_out, messages * fan_out, &tasks).await?;
        let down = Receiver::start(1, 0, &tasks).await?;
        down.set_down(true);
        // The port is free again when the probe is dropped.
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let database = match &setup.backing {
            Backing::File => None,
            Backing::Postgres(postgres) => Some(postgres.database()?),
        };
        let mut setup = setup.clone();
        if let Some(database) = &database {
            setup.flags.extend(["--database-url".to_owned(), database.url.clone()]);
        }
        let setup = &setup;
        let server = Server::start(
            &setup.program,
            &setup.flags(receiver.address, down.address),
            folder.path(),
            address,
        )
        .await?;
        let others = others(setup, folder.path(), (&receiver, &down), database.as_ref()).await?;
        let mut connection = Connection::open(address).await?;
        let mut names = Vec::new();
        for topic in 0..topics {
            let numbers = topic * fan_out..(topic + 1) * fan_out;
            let fine = (receiver.address, FEISHU);
            let items = numbers.map(|number| setup.subscription(fine, kind(number), number)).collect();
            names.push(add_topic(&mut connection, address, &format!("bench-{topic}"), items).await?);
        }
        let world = Self {
            setup: setup.clone(),
            receiver,
            down,
            server,
            others,
            database,
            topics: Arc::new(names),
            folder,
        };
        world.wait_confirmed(&mut connection).await?;
        Ok(world)
    }

    /// Lets so many deliveries wait for addresses of a host that is down, a thousand of them, and waits until all are
    /// written down.
    pub(crate) async fn let_wait(&self, deliveries: usize) -> anyhow::Result<()> {
        let address = self.server.address;
        let mut connection = Connection::open(address).await?;
        let down = (self.down.address, LARK);
        let items = (0..WAITING).map(|number| self.setup.subscription(down, 'e', number)).collect();
        let topic = add_topic(&mut connection, address, "bench-down", items).await?;
        self.wait_confirmed(&mut connection).await?;
        for number in 0..deliveries.div_ceil(WAITING) {
            // Whoever publishes more than can be written down is told to come again.
            while connection.ask(&publish(address, &topic, number, 0)).await?.status != 200 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let begun = Instant::now();
        while self.metric("carillon_deliveries_unplaced").await? > 0 {
            ensure!(begun.elapsed() < PATIENCE, "what is to wait is not written down");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// The subscriptions of the first topic as they are listed, page after page.
    pub(crate) async fn listed(&self) -> anyhow::Result<Vec<String>> {
        let (address, mut urns) = (self.server.address, Vec::new());
        let mut connection = Connection::open(address).await?;
        let topic = self.topics.first().context("no topic")?;
        loop {
            let offset = urns.len();
            let path = format!(
                "/v2/{PROJECT}/notifications/topics/{topic}/subscriptions?offset={offset}&limit={PAGE}"
            );
            let answer = connection.ask(&http::get(address, &path, &headers())).await?;
            let answer: Value = serde_json::from_slice(&answer.body)?;
            let page = answer["subscriptions"].as_array().context("no list of subscriptions")?;
            urns.extend(page.iter().filter_map(|it| it["subscription_urn"].as_str().map(str::to_owned)));
            if page.len() < PAGE {
                return Ok(urns);
            }
        }
    }

    /// Waits until no subscription waits for its confirmation.
    async fn wait_confirmed(&self, connection: &mut Connection) -> anyhow::Result<()> {
        let (address, until) = (self.server.address, Instant::now() + PATIENCE);
        loop {
            let path = format!("/v2/{PROJECT}/notifications/subscriptions?offset=0&limit=1&status=0");
            let answer = connection.ask(&http::get(address, &path, &headers())).await?;
            let answer: Value = serde_json::from_slice(&answer.body)?;
            if answer["subscription_count"].as_u64() == Some(0) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "subscriptions are not confirmed: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// kill -9 and a new start on the same data.
    pub(crate) async fn restart(self) -> anyhow::Result<Self> {
        self.restart_after(|_data| Ok(())).await
    }

    /// The same, and between them something is done to the data directory.
    pub(crate) async fn restart_after(
        self,
        change: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let address = self.server.address;
        self.server.kill().await?;
        change(&self.folder.path().join("data"))?;
        let flags = self.setup.flags(self.receiver.address, self.down.address);
        let server = Server::start(&self.setup.program, &flags, self.folder.path(), address).await?;
        Ok(Self { server, ..self })
    }

    fn servers(&self) -> impl Iterator<Item = &Server> {
        std::iter::once(&self.server).chain(&self.others)
    }

    /// kill -9 of all servers.
    pub(crate) async fn kill(self) -> anyhow::Result<()> {
        for server in std::iter::once(self.server).chain(self.others) {
            server.kill().await?;
        }
        Ok(())
    }

    /// What servers and database have used so far. A file's syncs are its commits.
    pub(crate) async fn cost(&self) -> anyhow::Result<Cost> {
        let used: Vec<_> = self.servers().map(Server::used).collect();
        let cpu_us = used.iter().map(|used| used.cpu_us).sum();
        if let Some(database) = &self.database {
            return Ok(Cost { cpu_us, done: database.done()? });
        }
        let syncs = self.metric("carillon_commit_duration_seconds_count").await?;
        let bytes = used.iter().map(|used| used.written).sum();
        Ok(Cost { cpu_us, done: Done { syncs, bytes, ..Done::default() } })
    }

    /// One of the server's own numbers; 0 before there is one.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let address = self.server.address;
        let mut connection = Connection::open(address).await?;
        let answer = connection.ask(&http::get(address, "/metrics", &headers())).await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let number = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(number.and_then(|number| number.trim().parse().ok()).unwrap_or_default())
    }

    /// Waits until so many deliveries have arrived and the server has written down that they did.
    pub(crate) async fn at_rest(&self, deliveries: u64) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.metric("carillon_deliveries_settled_total{state=\"delivered\"}").await? < deliveries {
            ensure!(begun.elapsed() < PATIENCE, "not all deliveries are written down");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The bytes of the database's files.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        let entries = std::fs::read_dir(self.folder.path().join("data")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
    }

    /// Publishes `messages` from number `first`, as fast as answers come, over `connections` connections; stops early
    /// when the server is gone.
    pub(crate) async fn publish_all(
        &self,
        first: usize,
        messages: usize,
        connections: usize,
    ) -> anyhow::Result<Loop> {
        let next = Arc::new(AtomicUsize::new(first));
        let servers: Vec<SocketAddr> = self.servers().map(|server| server.address).collect();
        let tasks: Vec<_> = servers
            .into_iter()
            .cycle()
            .take(connections)
            .map(|address| {
                let (next, topics) = (Arc::clone(&next), Arc::clone(&self.topics));
                let receiver = Arc::clone(&self.receiver);
                TaskTracker::new().spawn(async move {
                    let mut done = Loop::default();
                    let Ok(mut connection) = Connection::open(address).await else { return done };
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= first + messages {
                            return done;
                        }
                        let Some(topic) = topics.get(number % topics.len()) else { return done };
                        let sent = receiver.ledger.now_us();
                        match connection.ask(&publish(address, topic, number, sent)).await {
                            Ok(answer) if answer.status == 200 => {
                                done.answers.push(receiver.ledger.now_us() - sent);
                                done.accepted.push(number);
                            }
                            Ok(_refused) => done.refused += 1,
                            Err(_gone) => return done,
                        }
                    }
                })
            })
            .collect();
        let mut all = Loop::default();
        for task in tasks {
            let one = task.await?;
            all.answers.extend(one.answers);
            all.accepted.extend(one.accepted);
            all.refused += one.refused;
        }
        all.answers.sort_unstable();
        Ok(all)
    }
}

/// Starts the other servers of a database, with the first one's key, and waits until all have their share.
async fn others(
    setup: &Setup,
    folder: &Path,
    (receiver, down): (&Receiver, &Receiver),
    database: Option<&Database>,
) -> anyhow::Result<Vec<Server>> {
    let mut servers = Vec::new();
    let Some(database) = database else { return Ok(servers) };
    let mut flags = setup.flags(receiver.address, down.address);
    flags.extend(["--key-file".to_owned(), folder.join("data/master.key").display().to_string()]);
    for number in 1..setup.nodes {
        let data = folder.join(format!("node-{number}"));
        std::fs::create_dir(&data)?;
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        servers.push(Server::start(&setup.program, &flags, &data, address).await?);
    }
    let until = Instant::now() + PATIENCE;
    while database.servers()? < setup.nodes {
        ensure!(Instant::now() < until, "the servers do not divide the lanes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(servers)
}

/// Makes a topic with these subscriptions, and tells its URN.
async fn add_topic(
    connection: &mut Connection,
    address: SocketAddr,
    name: &str,
    items: Vec<Value>,
) -> anyhow::Result<String> {
    let topics = format!("/v2/{PROJECT}/notifications/topics");
    let answer = call(connection, address, &topics, &json!({ "name": name })).await?;
    let urn = answer["topic_urn"].as_str().context("a topic without a URN")?.to_owned();
    for items in items.chunks(SUBSCRIPTIONS_AT_ONCE) {
        let body = json!({"subscriptions": items});
        let answer = call(connection, address, &format!("{topics}/{urn}/subscriptions"), &body).await?;
        let results = answer["subscriptions_result"].as_array().map_or(&[][..], Vec::as_slice);
        let added = results.iter().filter(|result| result["http_code"] == 201).count();
        ensure!(added == items.len(), "{added} of {} were added: {answer}", items.len());
    }
    Ok(urn)
}

/// So many in so long, a second.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub(crate) fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(1e-9)
}

async fn call(
    connection: &mut Connection,
    address: SocketAddr,
    path: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let answer = connection.ask(&http::post(address, path, &headers(), &body.to_string())).await?;
    if !(200..300).contains(&answer.status) {
        bail!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    Ok(serde_json::from_slice(&answer.body)?)
}
