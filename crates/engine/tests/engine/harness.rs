//! What every test starts from: a store in a directory of its own, one chat on the simulator, and an engine that a
//! test starts when it wants to.

use std::sync::Arc;
use std::time::Duration;

use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::delivery::DeliveryState;
use carillon_model::endpoint::Endpoint;
use carillon_model::health::Health;
use carillon_model::id::{DeliveryId, EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::retry::RetryPolicy;
use carillon_model::subscription::{Extension, SubscriptionState, Target};
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Clock, SecretText};
use carillon_provider::{ConnectTo, ProviderSettings, Providers};
use carillon_simulator::{ManualClock, Robot, Running, Simulator};
use carillon_store::account::Installation;
use carillon_store::attempt::DeliveryRecord;
use carillon_store::delivery::StoredMessage;
use carillon_store::health::EndpointRecord;
use carillon_store::subscription::{NewSubscription, Subscribed};
use carillon_store::topic::Made;
use carillon_store::{NoObserver, Store};
use prometheus_client::registry::Registry;

/// How long anything may take that ought to be quick, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The robot's key.
pub(crate) const KEY: &str = "00000000-0000-4000-8000-0000000000c0";
/// The key of the robot that a test may add.
pub(crate) const OTHER_KEY: &str = "00000000-0000-4000-8000-0000000000c1";
const START: Timestamp = Timestamp(1_750_000_000_000);
const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";

/// A store with one topic, whose one subscription is a chat on the simulator.
pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) far: Running,
    pub(crate) project: ProjectId,
    chance: Arc<SeededChance>,
    topic: Topic,
    registry: Registry,
    metrics: Metrics,
    _dir: tempfile::TempDir,
}

impl Bed {
    pub(crate) async fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(START));
        let chance = Arc::new(SeededChance::new(7));
        let settings = carillon_store::Settings {
            data_dir: dir.path().join("data"),
            key_file: None,
            database_url: None,
        };
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver)).unwrap();
        let project = ProjectId::parse(PROJECT).unwrap();
        assert!(store.install(installation(&project)).await.unwrap());
        let topic = topic(&store, &project, chance.as_ref()).await;
        let far = Simulator::new()
            .with_clock(Arc::new(ManualClock::at(START.0)))
            .robot(Robot::wecom(KEY, "ops"))
            .start("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let Subscribed::New(_) = store.subscription_add(chat(&topic, KEY)).await.unwrap() else {
            panic!("the store was empty")
        };
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        Self { store, clock, far, project, chance, topic, registry, metrics, _dir: dir }
    }

    /// Starts the engine.
    pub(crate) async fn start(&self, settings: Settings) -> Engine {
        let detour = ConnectTo::parse(&format!("qyapi.weixin.qq.com={}", self.far.url())).unwrap();
        let provider = ProviderSettings { connect_to: vec![detour], ..ProviderSettings::default() };
        let parts = Parts {
            store: self.store.clone(),
            providers: Arc::new(Providers::new(provider, self.clock.clone())),
            clock: self.clock.clone(),
            chance: self.chance.clone(),
            metrics: self.metrics.clone(),
        };
        Engine::start(parts, settings).await.unwrap()
    }

    /// Publishes a message, which makes one delivery, and gives that one's id.
    pub(crate) async fn publish(&self, text: &str) -> DeliveryId {
        self.clock.advance(Duration::from_millis(1));
        let now = self.clock.now();
        let message = Message {
            id: MessageId::new(now, self.chance.as_ref()),
            project: self.project.clone(),
            topic: self.topic.id,
            content: Content { default: Body::text(text), ..Content::default() },
            priority: Priority::Normal,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(Duration::from_secs(3600)),
        };
        let id = DeliveryId::new(message.id, 1);
        let recipients = self.store.recipient_list(self.topic.id).await.unwrap();
        let stored = StoredMessage { message, topic_name: self.topic.name.clone() };
        self.store.message_publish(stored, recipients).await.unwrap();
        id
    }

    pub(crate) async fn find(&self, id: DeliveryId) -> DeliveryRecord {
        self.store.delivery_find(&self.project, id).await.unwrap().unwrap()
    }

    /// Waits until a delivery stands in a state.
    pub(crate) async fn stands(&self, id: DeliveryId, state: DeliveryState) -> DeliveryRecord {
        self.until(id, |record| record.state == state).await
    }

    /// Waits until a delivery is as wished.
    pub(crate) async fn until(
        &self,
        id: DeliveryId,
        fits: impl Fn(&DeliveryRecord) -> bool,
    ) -> DeliveryRecord {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let record = self.find(id).await;
            if fits(&record) {
                return record;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited too long: {record:?}");
            tokio::task::yield_now().await;
        }
    }

    /// What the chat shows, once it shows so many.
    pub(crate) async fn shown(&self, count: usize) -> Vec<String> {
        let received = self.far.received_at_least(count, PATIENCE).await;
        received.into_iter().map(|one| one.text).collect()
    }

    /// Subscribes another chat.
    pub(crate) async fn subscribe_another(&self) -> SubscriptionId {
        self.clock.advance(Duration::from_millis(1));
        self.far.add_robot(Robot::wecom(OTHER_KEY, "spare"));
        let added = self.store.subscription_add(chat(&self.topic, OTHER_KEY)).await.unwrap();
        let Subscribed::New(id) = added else { panic!("it was not there") };
        id
    }

    /// Subscribes the chat again that is subscribed.
    pub(crate) async fn subscribe_again(&self) {
        let added = self.store.subscription_add(chat(&self.topic, KEY)).await.unwrap();
        assert!(matches!(added, Subscribed::There(_)));
    }

    /// What the other chat shows, once it shows so many.
    pub(crate) async fn shown_in_other(&self, count: usize) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let shown: Vec<String> = self
                .far
                .received()
                .into_iter()
                .filter(|one| one.chat == "spare")
                .map(|one| one.text)
                .collect();
            if shown.len() >= count {
                return shown;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited too long: {shown:?}");
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn topic_id(&self) -> TopicId {
        self.topic.id
    }

    async fn record(&self) -> EndpointRecord {
        let found = self.store.endpoint_list(&self.project, None, None, 10).await.unwrap();
        found.into_iter().min_by_key(|one| one.id).unwrap()
    }

    /// The first subscription.
    pub(crate) async fn subscription(&self) -> SubscriptionId {
        self.record().await.subscriptions[0].1
    }

    /// Its endpoint.
    pub(crate) async fn endpoint(&self) -> EndpointId {
        self.record().await.id
    }

    /// How the first endpoint fares, once that is as wished.
    pub(crate) async fn health(&self, fits: impl Fn(Option<Health>) -> bool) -> Option<Health> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let health = self.record().await.health;
            if fits(health) {
                return health;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited too long: {health:?}");
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the operator's numbers have a line.
    pub(crate) async fn numbers_show(&self, line: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.numbers().lines().any(|one| one == line) {
            assert!(tokio::time::Instant::now() < deadline, "waited too long: {}", self.numbers());
            tokio::task::yield_now().await;
        }
    }

    /// The operator's numbers.
    pub(crate) fn numbers(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }
}

/// A subscription of a chat.
fn chat(topic: &Topic, key: &str) -> NewSubscription {
    let endpoint = Endpoint::WecomRobot { key: SecretText::new(key) };
    NewSubscription {
        topic: topic.id,
        protocol: "wecom".to_owned(),
        target: Target { endpoint, extension: Extension::default() },
        remark: None,
        state: SubscriptionState::Unneeded,
    }
}

/// An engine that tries so often, with next to no wait between.
pub(crate) fn tries(attempts_max: u32) -> Settings {
    let retry = RetryPolicy { attempts_max, wait_first: Duration::from_millis(10), ..RetryPolicy::default() };
    Settings { retry, ..Settings::default() }
}

fn installation(project: &ProjectId) -> Installation {
    Installation {
        project: project.clone(),
        project_name: "local".to_owned(),
        account_name: "admin".to_owned(),
        password_hash: "$argon2id$stand-in".to_owned(),
        access_key: "AKEXAMPLE0000001".to_owned(),
        secret_key: "the-secret-key-of-the-first-pair".into(),
        token: None,
    }
}

async fn topic(store: &Store, project: &ProjectId, chance: &SeededChance) -> Topic {
    let topic = Topic {
        id: TopicId::new(START, chance),
        project: project.clone(),
        name: TopicName::parse("ops").unwrap(),
        display_name: String::new(),
        enterprise_project_id: "0".to_owned(),
        created_at: START,
        updated_at: START,
    };
    let Made::New(topic) = store.topic_create(topic).await.unwrap() else { panic!("the store was empty") };
    topic
}
