//! What every test starts from: a fresh store in a place of its own, a clock that is moved by hand, and a chance
//! that repeats itself.

use std::future::poll_fn;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::delivery::DeliveryState;
use carillon_model::endpoint::Endpoint;
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{AccountId, DeliveryId, EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::subscription::{Extension, Overflow, SubscriptionState, Target};
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Chance, Channel, Clock, SecretText};
use carillon_store::account::Installation;
use carillon_store::delivery::{Ready, Settlement, Start, StoredMessage, Tried};
use carillon_store::recipient::Recipient;
use carillon_store::subscription::{NewSubscription, Subscribed};
use carillon_store::topic::Made;
use carillon_store::{Error, NoObserver, Page, Settings, Store};
use data_encoding::HEXLOWER;
use rusqlite::Connection;

use crate::opened;
use crate::postgres::{Database, Server};

/// The moment at which every test begins.
pub(crate) const START: Timestamp = Timestamp(1_750_000_000_000);
/// A page that holds whatever a test made.
pub(crate) const ALL: Page = Page { offset: 0, limit: 10_000 };
/// The project that every bed has.
pub(crate) const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";
/// Another tenant, there once a test asks for it.
pub(crate) const FOREIGN: &str = "1111dd7a1300f5672ff2c003c60ae222";

/// A kind of database, and a place of its own for one test.
pub(crate) trait Home: Send + Sync + 'static {
    /// How long the longest test goes on.
    const CHURN_BATCHES: usize;
    /// A place where no store was yet.
    fn fresh() -> Self;
    /// Where the store is.
    fn settings(&self) -> Settings;
    /// Opens the store that lives here.
    fn open(&self, clock: Arc<TestClock>, chance: Arc<SeededChance>) -> Result<Store, Error> {
        Store::open(&self.settings(), clock, chance, Arc::new(NoObserver))
    }
    /// The place as a power cut at this moment would leave it.
    fn after_a_crash(&self) -> Self;
    /// Every file that may hold what was written.
    fn files(&self) -> Vec<PathBuf>;
    /// Another program that reads, and does not end its transaction until this is dropped.
    fn reader(&self) -> Box<dyn Send>;
    /// Erases all that is sealed behind the store's back, as a store does that dies before it purges.
    fn erase_all(&self);
    /// Runs statements behind the store's back.
    fn alter(&self, sql: &str);
    /// The one number that a query gives.
    fn number(&self, sql: &str) -> i64;
    /// How many rows were read by going through whole large tables, where the database counts them; 0 elsewhere.
    fn rows_scanned(&self) -> i64;
    /// How many rows of what lists show were read so far, in whatever way; 0 where the database does not count.
    fn rows_read(&self) -> i64;
    /// The bytes in the first column of every row that a query gives.
    fn bytes(&self, sql: &str) -> Vec<Vec<u8>>;
}

/// The file database in a directory that goes away with the test.
pub(crate) struct Sqlite {
    dir: tempfile::TempDir,
}

impl Sqlite {
    /// The data directory, which the store makes itself.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(self.data_dir().join("carillon.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.pragma_update(None, "secure_delete", "ON").unwrap();
        connection
    }
}

impl Home for Sqlite {
    const CHURN_BATCHES: usize = 16;

    fn fresh() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn settings(&self) -> Settings {
        Settings { data_dir: self.data_dir(), key_file: None, database_url: None }
    }

    fn after_a_crash(&self) -> Self {
        let copy = Self::fresh();
        std::fs::create_dir(copy.data_dir()).unwrap();
        for file in self.files() {
            std::fs::copy(&file, copy.data_dir().join(file.file_name().unwrap())).unwrap();
        }
        copy
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.data_dir()).unwrap() {
            files.push(entry.unwrap().path());
        }
        files
    }

    fn reader(&self) -> Box<dyn Send> {
        let connection = self.connect();
        connection.execute_batch("BEGIN; SELECT count(*) FROM subscription").unwrap();
        Box::new(connection)
    }

    fn erase_all(&self) {
        self.alter("UPDATE sealed SET bytes = zeroblob(length(bytes))");
    }

    fn alter(&self, sql: &str) {
        self.connect().execute_batch(sql).unwrap();
    }

    fn number(&self, sql: &str) -> i64 {
        self.connect().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn rows_scanned(&self) -> i64 {
        0
    }

    fn rows_read(&self) -> i64 {
        0
    }

    fn bytes(&self, sql: &str) -> Vec<Vec<u8>> {
        let connection = self.connect();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}

/// A database on the tests' PostgreSQL server, and a data directory for the key.
pub(crate) struct Postgres {
    dir: tempfile::TempDir,
    database: Arc<Database>,
}

impl Postgres {
    /// The data directory, which the store makes itself.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

impl Home for Postgres {
    /// Each delete writes tables anew.
    const CHURN_BATCHES: usize = 2;

    fn fresh() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), database: Arc::new(Server::shared().database()) }
    }

    fn settings(&self) -> Settings {
        let url = self.database.url();
        Settings { data_dir: self.data_dir(), key_file: None, database_url: Some(url.into()) }
    }

    /// What was not committed is lost with the connections.
    fn after_a_crash(&self) -> Self {
        self.database.cut();
        let copy = Self { dir: tempfile::tempdir().unwrap(), database: Arc::clone(&self.database) };
        std::fs::create_dir(copy.data_dir()).unwrap();
        std::fs::copy(self.data_dir().join("master.key"), copy.data_dir().join("master.key")).unwrap();
        copy
    }

    fn files(&self) -> Vec<PathBuf> {
        self.database.files()
    }

    fn reader(&self) -> Box<dyn Send> {
        let mut psql = self.database.psql(self.database.name());
        let mut child = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let begin = b"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM subscription;\n";
        child.stdin.as_mut().unwrap().write_all(begin).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the reader has begun");
        Box::new(Stranger(child))
    }

    fn erase_all(&self) {
        self.alter(
            "WITH gone AS (DELETE FROM sealed RETURNING tableoid)
             INSERT INTO erased (part, transaction)
             SELECT tableoid::regclass::text, pg_current_xact_id()::xid::text FROM gone",
        );
    }

    fn alter(&self, sql: &str) {
        self.database.sql(sql);
    }

    fn number(&self, sql: &str) -> i64 {
        match self.database.sql(sql).as_str() {
            "t" => 1,
            "f" => 0,
            number => number.parse().unwrap(),
        }
    }

    fn rows_scanned(&self) -> i64 {
        // A connection tells of its work when it ends.
        self.database.cut();
        self.number(
            "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables
             WHERE relname IN ('message', 'delivery', 'attempt')",
        )
    }

    fn rows_read(&self) -> i64 {
        self.database.cut();
        self.number(
            "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_user_tables
             WHERE relname IN ('message', 'audit')",
        )
    }

    fn bytes(&self, sql: &str) -> Vec<Vec<u8>> {
        let hex = |line: &str| HEXLOWER.decode(line.strip_prefix("\\x").unwrap().as_bytes()).unwrap();
        self.database.sql(sql).lines().map(hex).collect()
    }
}

/// Another program on the database, ended with the value.
struct Stranger(Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// An open store with one project in it, and all that a test needs beside it.
pub(crate) struct Bed<H> {
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) chance: Arc<SeededChance>,
    pub(crate) home: H,
    pub(crate) project: ProjectId,
}

impl<H: Home> Bed<H> {
    /// A store with nothing in it.
    pub(crate) fn empty() -> Self {
        let home = H::fresh();
        let clock = Arc::new(TestClock::at(START));
        let chance = Arc::new(SeededChance::new(7));
        let store = home.open(clock.clone(), chance.clone()).unwrap();
        Self { store, clock, chance, home, project: ProjectId::parse(PROJECT).unwrap() }
    }

    /// A store with a first project.
    pub(crate) async fn fresh() -> Self {
        let bed = Self::empty();
        assert!(bed.store.install(installation()).await.unwrap());
        bed
    }

    /// The same store after a stop and a start.
    pub(crate) fn reopen(self) -> Self {
        let Self { store, clock, chance, home, project } = self;
        drop(store);
        let store = opened::again(&home, &clock, &chance);
        Self { store, clock, chance, home, project }
    }

    /// What a start finds after a power cut at this moment.
    pub(crate) fn crash(self) -> Self {
        let home = self.home.after_a_crash();
        let store = home.open(self.clock.clone(), self.chance.clone()).unwrap();
        Self { store, home, clock: self.clock, chance: self.chance, project: self.project }
    }

    /// The same store, which fans out messages to more than `over` afterwards.
    pub(crate) fn fan_out(self, over: usize, portion: usize) -> Self {
        Self { store: self.store.with_fan_out(over, portion), ..self }
    }

    /// Goes on with another sequence of chance.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.chance = Arc::new(SeededChance::new(seed));
    }

    /// Another tenant beside the first.
    pub(crate) fn foreign(&self) -> ProjectId {
        self.home.alter(&format!(
            "INSERT INTO project (id, name, created_at) VALUES ('{FOREIGN}', 'elsewhere', {})
             ON CONFLICT (id) DO NOTHING",
            START.0
        ));
        ProjectId::parse(FOREIGN).unwrap()
    }

    /// Moves the clock on and tells the time.
    pub(crate) fn tick(&self) -> Timestamp {
        self.clock.advance(Duration::from_millis(1));
        self.clock.now()
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: usize) -> usize {
        usize::try_from(self.chance.number() % u64::try_from(end).unwrap()).unwrap()
    }

    /// A topic that is not stored yet.
    pub(crate) fn new_topic(&self, project: &ProjectId, name: &str) -> Topic {
        let now = self.tick();
        Topic {
            id: TopicId::new(now, self.chance.as_ref()),
            project: project.clone(),
            name: TopicName::parse(name).unwrap(),
            display_name: format!("{name} 告警"),
            enterprise_project_id: "0".to_owned(),
            created_at: now,
            updated_at: now,
        }
    }

    /// A stored topic.
    pub(crate) async fn topic(&self, name: &str) -> Topic {
        let made = self.store.topic_create(self.new_topic(&self.project, name)).await.unwrap();
        let Made::New(topic) = made else { panic!("{name} was there: {made:?}") };
        topic
    }

    /// Subscribes a target that was not there yet.
    pub(crate) async fn subscribe(&self, topic: &Topic, target: Target) -> SubscriptionId {
        self.tick();
        match self.store.subscription_add(subscription(topic, target)).await.unwrap() {
            Subscribed::New(id) => id,
            other @ (Subscribed::There(_) | Subscribed::Full | Subscribed::NoTopic) => panic!("{other:?}"),
        }
    }

    /// A message that is not stored yet.
    pub(crate) fn new_message(&self, topic: &Topic, text: &str) -> StoredMessage {
        let now = self.tick();
        let message = Message {
            id: MessageId::new(now, self.chance.as_ref()),
            project: topic.project.clone(),
            topic: topic.id,
            content: Content { default: Body::text(text), ..Content::default() },
            priority: Priority::Normal,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(Duration::from_secs(3600)),
        };
        StoredMessage { message, topic_name: topic.name.clone() }
    }

    /// Publishes to whoever receives the topic.
    pub(crate) async fn publish(&self, topic: &Topic, text: &str) -> MessageId {
        let recipients = self.store.recipient_list(topic.id).await.unwrap();
        let stored = self.new_message(topic, text);
        let id = stored.message.id;
        self.store.message_publish(stored, recipients).await.unwrap();
        id
    }

    /// One delivery that waits, handed over by its publish.
    pub(crate) async fn one_ready(&self) -> Ready {
        let topic = self.topic("ops").await;
        self.subscribe(&topic, robot("0123456789abcdef")).await;
        self.publish(&topic, "disk full").await;
        self.store.wake().take().ready.pop().unwrap()
    }

    /// Where a delivery stands.
    pub(crate) async fn state(&self, id: DeliveryId) -> DeliveryState {
        self.store.delivery_find(&self.project, id).await.unwrap().unwrap().state
    }

    /// Recipients that no subscription stands behind, each with a lane of its own.
    pub(crate) fn recipients(&self, count: usize) -> Vec<Recipient> {
        let now = self.clock.now();
        let chance = self.chance.as_ref();
        let one = |_index| Recipient {
            subscription: SubscriptionId::new(now, chance),
            endpoint: EndpointId::new(now, chance),
            channel: Channel::Lark,
            overflow: Overflow::default(),
            filter_policies: FilterPolicies::default(),
        };
        (0..count).map(one).collect()
    }

    /// The account that every bed has.
    pub(crate) async fn account(&self) -> AccountId {
        self.store.account_find("admin").await.unwrap().unwrap().id
    }
}

/// Calls, and goes away before the answer.
pub(crate) async fn abandon(call: impl Future) {
    let mut call = Box::pin(call);
    poll_fn(|context| {
        drop(call.as_mut().poll(context));
        Poll::Ready(())
    })
    .await;
}

/// What the first start of a bed makes.
pub(crate) fn installation() -> Installation {
    Installation {
        project: ProjectId::parse(PROJECT).unwrap(),
        project_name: "local".to_owned(),
        account_name: "admin".to_owned(),
        password_hash: "$argon2id$stand-in".to_owned(),
        access_key: "AKEXAMPLE0000001".to_owned(),
        secret_key: "the-secret-key-of-the-first-pair".into(),
        token: Some("the-token-of-the-first-start".into()),
    }
}

/// A subscription that needs no confirmation and has no remark.
pub(crate) fn subscription(topic: &Topic, target: Target) -> NewSubscription {
    NewSubscription {
        topic: topic.id,
        protocol: target.endpoint.channel().name().to_owned(),
        target,
        remark: None,
        state: SubscriptionState::Unneeded,
    }
}

/// A Feishu group robot without anything beside its address.
pub(crate) fn robot(token: &str) -> Target {
    Target { endpoint: robot_endpoint(token), extension: Extension::default() }
}

/// The address of a Feishu group robot.
pub(crate) fn robot_endpoint(token: &str) -> Endpoint {
    Endpoint::LarkRobot { feishu: true, token: SecretText::new(token) }
}

/// That the next attempt of a delivery begins now.
pub(crate) fn start(ready: &Ready, attempt: u32, at: Timestamp) -> Start {
    Start { shown: true, seq: ready.seq, attempt, at, parts_done: ready.parts_done }
}

/// How an attempt of a delivery ended.
pub(crate) fn settlement(
    ready: &Ready,
    number: u32,
    at: Timestamp,
    verdict: Verdict,
    state: DeliveryState,
) -> Settlement {
    Settlement {
        seq: ready.seq,
        id: ready.id,
        attempt: Some(Tried { number, started_at: at, elapsed_ms: 42, verdict, merged: 1 }),
        state,
        due_at: at,
        parts_done: 0,
    }
}

/// The platform took it.
pub(crate) fn accepted() -> Verdict {
    let plain = Verdict::plain(Outcome::Accepted, Reason::Ok);
    Verdict { platform_code: Some("0".to_owned()), platform_text: Some("success".to_owned()), ..plain }
}

/// The platform takes no more for a while.
pub(crate) fn limited() -> Verdict {
    let outcome = Outcome::Later { wait: Some(Duration::from_secs(60)), scope: Scope::Endpoint };
    let plain = Verdict::plain(outcome, Reason::RateLimited);
    Verdict { platform_code: Some("9499".to_owned()), platform_text: Some("太频繁".to_owned()), ..plain }
}
