//! What every test starts from: a store in a directory of its own, a topic, and the simulator at the end of every wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::chance::SeededChance;
use carillon_model::endpoint::Endpoint;
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{ConnectionId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::office::{App, Recipient, RecipientKind};
use carillon_model::subscription::{Extension, Overflow, SubscriptionState, Target};
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Channel, Clock, Timestamp};
use carillon_provider::{Carried, Failure, Outgoing, ProviderSettings, Providers, Reply, Wire};
use carillon_simulator::{Answered, Simulator, Unplugged};
use carillon_store::account::Installation;
use carillon_store::connection::Connected;
use carillon_store::delivery::StoredMessage;
use carillon_store::recipient::Recipient as To;
use carillon_store::subscription::NewSubscription;
use carillon_store::{Hand, NoObserver, Store};
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

pub(crate) const MINUTE: i64 = 60_000;
const START: i64 = 1_750_000_000_000;
/// How long a request takes to its far end, and its answer back.
const WAY: Duration = Duration::from_millis(40);
/// The longest that a test waits for something, in simulated time.
const PATIENCE: Duration = Duration::from_secs(6 * 3_600);

/// Time as the paused runtime has it; the far ends' clocks go by it.
pub(crate) struct Time(Instant);

impl Time {
    /// Milliseconds since the beginning.
    pub(crate) fn passed(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    /// Milliseconds since the beginning, of a time that the simulator tells.
    pub(crate) fn since_start(at_ms: i64) -> i64 {
        at_ms - START
    }
}

impl carillon_simulator::Clock for Time {
    fn now_ms(&self) -> i64 {
        START + self.passed()
    }
}

/// The clock of the machine that the engine runs on: somebody may set it.
pub(crate) struct Wall {
    time: Arc<Time>,
    off_ms: AtomicI64,
}

impl Wall {
    /// Sets the clock forward or back.
    pub(crate) fn set_by(&self, by_ms: i64) {
        self.off_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(START + self.time.passed() + self.off_ms.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Timestamp {
        Timestamp(self.time.passed())
    }
}

/// The way to the simulator and back.
struct Far(Arc<Unplugged>);

impl Wire for Far {
    fn carry(&self, outgoing: Outgoing) -> Carried<'_> {
        Box::pin(async move {
            sleep(WAY).await;
            let Outgoing { method, url, headers, body } = outgoing;
            let answered = self.0.take(&method, &url, &headers, &body).await;
            sleep(WAY).await;
            let Some(Answered { status, headers, body }) = answered else { return Err(Failure::Broken) };
            Ok(Reply { status, headers, body })
        })
    }
}

/// A store, a topic, and perhaps an engine.
pub(crate) struct Bed {
    pub(crate) time: Arc<Time>,
    pub(crate) wall: Arc<Wall>,
    pub(crate) far: Arc<Unplugged>,
    pub(crate) store: Store,
    pub(crate) topic: Topic,
    /// How the engine is started the next time.
    pub(crate) settings: Settings,
    chance: Arc<SeededChance>,
    engine: Option<Engine>,
    /// Does the store's work.
    work: JoinSet<()>,
    /// Whether the store refuses whatever it is asked.
    full: Arc<AtomicBool>,
    /// Where the running engine counts.
    registry: Registry,
    dir: tempfile::TempDir,
}

impl Bed {
    /// A bed whose engine does not run yet.
    pub(crate) async fn still(simulator: Simulator) -> Self {
        let time = Arc::new(Time(Instant::now()));
        let wall = Arc::new(Wall { time: Arc::clone(&time), off_ms: AtomicI64::new(0) });
        let (chance, dir) = (Arc::new(SeededChance::new(7)), tempfile::tempdir().unwrap());
        let far = Arc::new(simulator.with_clock(time.clone()).unplugged());
        let mut work = JoinSet::new();
        let full = Arc::new(AtomicBool::new(false));
        let store = open(dir.path(), &wall, &chance, &full, &mut work);
        let topic = topic(&store, wall.now(), &chance).await;
        let settings = Settings::default();
        let (engine, registry) = (None, Registry::default());
        Self { time, wall, far, store, topic, settings, chance, engine, work, full, registry, dir }
    }

    /// A bed whose engine runs.
    pub(crate) async fn new(simulator: Simulator) -> Self {
        let mut bed = Self::still(simulator).await;
        bed.start().await;
        bed
    }

    /// Starts the engine.
    pub(crate) async fn start(&mut self) {
        self.registry = Registry::default();
        let wire = Arc::new(Far(Arc::clone(&self.far)));
        let parts = Parts {
            store: self.store.clone(),
            providers: Arc::new(Providers::over(wire, ProviderSettings::default(), self.wall.clone())),
            clock: self.wall.clone(),
            chance: self.chance.clone(),
            metrics: Metrics::new(&mut self.registry),
        };
        self.engine = Some(Engine::start(parts, self.settings.clone()).await.unwrap());
    }

    /// Stops everything in order, as a restart of the program does, and begins again with what is on disk.
    pub(crate) async fn restart(&mut self) {
        assert!(self.engine.take().unwrap().drain(Duration::from_secs(60)).await);
        // Nothing can be open twice, so the old store goes before the new one comes.
        let spare = tempfile::tempdir().unwrap();
        self.store = open(spare.path(), &self.wall, &self.chance, &self.full, &mut JoinSet::new());
        self.work.shutdown().await;
        self.store = open(self.dir.path(), &self.wall, &self.chance, &self.full, &mut self.work);
        self.start().await;
    }

    pub(crate) async fn end(mut self) {
        assert!(self.engine.take().unwrap().drain(Duration::from_secs(60)).await);
    }

    pub(crate) async fn subscribe(&self, channel: Channel, address: &str) {
        let new = NewSubscription {
            topic: self.topic.id,
            protocol: channel.name().to_owned(),
            target: Target {
                endpoint: Endpoint::parse(channel, address).unwrap(),
                extension: Extension::default(),
            },
            remark: None,
            state: SubscriptionState::Confirmed,
        };
        self.store.subscription_add(new).await.unwrap();
    }

    /// Connects an app, and lets its directory be read.
    pub(crate) async fn connect(&self, app: App) -> ConnectionId {
        let connected = self.store.connection_add(&self.topic.project, "HQ".to_owned(), app).await.unwrap();
        let Connected::Done(connection) = connected else { panic!("{connected:?}") };
        self.store.run_begin(connection, "somebody".to_owned()).await.unwrap();
        self.until("the directory's end", async || {
            self.store.run_list_running().await.unwrap().is_empty().then_some(())
        })
        .await;
        connection
    }

    /// The lane of somebody whom an app reaches.
    pub(crate) async fn lane(&self, connection: ConnectionId, kind: RecipientKind, id: &str) -> To {
        let named = vec![Recipient { kind, id: id.to_owned() }];
        let found = self.store.recipients_expand(connection, named).await.unwrap().unwrap();
        assert_eq!(found.unreached.len(), 0, "{:?}", found.unreached);
        let endpoint = found.to.first().unwrap().id;
        To {
            subscription: SubscriptionId::parse(&endpoint.to_string()).unwrap(),
            endpoint,
            channel: Channel::Office,
            overflow: Overflow::default(),
            filter_policies: FilterPolicies::default(),
        }
    }

    /// Publishes to the topic's subscriptions.
    pub(crate) async fn publish(&self, subject: &str, text: String, priority: Priority) -> MessageId {
        let recipients = self.store.recipient_list(self.topic.id).await.unwrap();
        self.publish_to(subject, text, priority, recipients.to_vec()).await
    }

    /// Publishes to whom it is told.
    pub(crate) async fn publish_to(
        &self,
        subject: &str,
        text: String,
        priority: Priority,
        to: Vec<To>,
    ) -> MessageId {
        let stored = self.message(subject, text, priority);
        let id = stored.message.id;
        self.store.message_publish(stored, to).await.unwrap();
        id
    }

    /// Publishes many at once that go to nobody, and gives the last one.
    pub(crate) async fn publish_to_nobody(&self, texts: impl Iterator<Item = String>) -> MessageId {
        let (mut publishing, mut last) = (JoinSet::new(), None);
        for text in texts {
            let store = self.store.clone();
            let stored = self.message("Many", text, Priority::Normal);
            last = Some(stored.message.id);
            publishing.spawn(async move { store.message_publish(stored, Vec::new()).await.unwrap() });
        }
        publishing.join_all().await;
        last.unwrap()
    }

    /// A message of the topic that lives for an hour.
    fn message(&self, subject: &str, text: String, priority: Priority) -> StoredMessage {
        let now = self.wall.now();
        let content =
            Content { subject: Some(subject.to_owned()), default: Body::text(text), ..Content::default() };
        let message = Message {
            id: MessageId::new(now, self.chance.as_ref()),
            project: self.topic.project.clone(),
            topic: self.topic.id,
            content,
            priority,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(Duration::from_secs(3_600)),
        };
        StoredMessage { message, topic_name: self.topic.name.clone() }
    }

    /// Lets the store refuse everything, as on a full disk, or work again.
    pub(crate) fn disk_is_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// How many deliveries the engine counts as settled in a state.
    pub(crate) fn counted(&self, state: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let name = format!("carillon_deliveries_settled_total{{state=\"{state}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
    }

    /// The state of a message's one delivery.
    pub(crate) async fn state(&self, message: MessageId) -> &'static str {
        let found = self.store.delivery_list(&self.topic.project, message, 0, 10).await.unwrap();
        found.first().unwrap().state.name()
    }

    /// Lets time pass until there is something.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "waited too long for {what}");
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Lets time pass until nothing waits.
    pub(crate) async fn until_calm(&self) {
        self.until("an empty store", async || self.store.lane_list().await.unwrap().is_empty().then_some(()))
            .await;
    }
}

fn open(
    dir: &std::path::Path,
    wall: &Arc<Wall>,
    chance: &Arc<SeededChance>,
    full: &Arc<AtomicBool>,
    work: &mut JoinSet<()>,
) -> Store {
    let settings = carillon_store::Settings { data_dir: dir.to_owned(), key_file: None, database_url: None };
    let opened = Store::open_by_hand(&settings, wall.clone(), chance.clone(), Arc::new(NoObserver));
    let (store, hand) = opened.unwrap();
    work.spawn(drive(hand, Arc::clone(full)));
    store
}

/// Does what the store is asked for, a millisecond later.
async fn drive(mut hand: Hand, full: Arc<AtomicBool>) {
    while hand.waiting().await > 0 {
        sleep(Duration::from_millis(1)).await;
        let all = hand.waiting().await;
        if full.load(Ordering::SeqCst) {
            hand.refuse(all, "no room is left");
        } else {
            hand.commit(all).answer();
        }
    }
}

async fn topic(store: &Store, now: Timestamp, chance: &SeededChance) -> Topic {
    let project = ProjectId::parse("p").unwrap();
    let installation = Installation {
        project: project.clone(),
        project_name: "p".to_owned(),
        account_name: "a".to_owned(),
        password_hash: String::new(),
        access_key: "k".to_owned(),
        secret_key: "s".into(),
        token: None,
    };
    assert!(store.install(installation).await.unwrap());
    let topic = Topic {
        id: TopicId::new(now, chance),
        project,
        name: TopicName::parse("ops").unwrap(),
        display_name: String::new(),
        enterprise_project_id: "0".to_owned(),
        created_at: now,
        updated_at: now,
    };
    store.topic_create(topic.clone()).await.unwrap();
    topic
}
