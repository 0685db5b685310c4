//! The engine against the simulated platforms: order, isolation, rates and digests.
#![expect(clippy::unwrap_used, reason = "a test that cannot set its bed up has failed")]

use std::sync::Arc;
use std::time::Duration;

use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::delivery::DeliveryState;
use carillon_model::id::{MessageId, ProjectId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::subscription::{Extension, SubscriptionState, Target};
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Channel, Clock, SystemChance, SystemClock, endpoint::Endpoint};
use carillon_provider::{ConnectTo, ProviderSettings, Providers};
use carillon_simulator::{Act, Robot, Running, Simulator};
use carillon_store::delivery::{Settlement, StoredMessage};
use carillon_store::subscription::NewSubscription;
use carillon_store::{NoObserver, Store};
use prometheus_client::registry::Registry;

const PATIENCE: Duration = Duration::from_secs(20);
const HOSTS: [&str; 3] = ["oapi.dingtalk.com", "open.feishu.cn", "qyapi.weixin.qq.com"];
const LARK: &str = "00000000-0000-4000-8000-00000000fe15";
const WECOM: &str = "00000000-0000-4000-8000-0000000000c0";

struct Bed {
    store: Store,
    engine: Option<Engine>,
    providers: Arc<Providers>,
    platforms: Running,
    topic: Topic,
    _dir: tempfile::TempDir,
}

impl Bed {
    async fn new(simulator: Simulator, targets: &[(Channel, &str)]) -> Self {
        let mut bed = Self::still(simulator, targets).await;
        bed.start().await;
        bed
    }

    /// A bed whose engine does not run yet.
    async fn still(simulator: Simulator, targets: &[(Channel, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let platforms = simulator.start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let settings =
            carillon_store::Settings { data_dir: dir.path().to_owned(), key_file: None, database_url: None };
        let (clock, chance) = (Arc::new(SystemClock), Arc::new(SystemChance));
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver)).unwrap();
        let topic = topic(&store, clock.as_ref()).await;
        for (channel, address) in targets {
            let endpoint = Endpoint::parse(*channel, address).unwrap();
            let new = NewSubscription {
                topic: topic.id,
                protocol: channel.name().to_owned(),
                target: Target { endpoint, extension: Extension::default() },
                remark: None,
                state: SubscriptionState::Confirmed,
            };
            store.subscription_add(new).await.unwrap();
        }
        let detour = |host: &str| ConnectTo::parse(&format!("{host}={}", platforms.url())).unwrap();
        let settings = ProviderSettings {
            connect_to: HOSTS.iter().map(|host| detour(host)).collect(),
            timeout: Duration::from_secs(2),
            ..ProviderSettings::default()
        };
        let providers = Arc::new(Providers::new(settings, clock.clone()));
        Self { store, engine: None, providers, platforms, topic, _dir: dir }
    }

    async fn start(&mut self) {
        let parts = Parts {
            store: self.store.clone(),
            providers: Arc::clone(&self.providers),
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance),
            metrics: Metrics::new(&mut Registry::default()),
        };
        self.engine = Some(Engine::start(parts, Settings::default()).await.unwrap());
    }

    async fn publish(&self, subject: &str, text: String, priority: Priority) -> MessageId {
        let now = SystemClock.now();
        let content =
            Content { subject: Some(subject.to_owned()), default: Body::text(text), ..Content::default() };
        let message = Message {
            id: MessageId::new(now, &SystemChance),
            project: self.topic.project.clone(),
            topic: self.topic.id,
            content,
            priority,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(Duration::from_secs(600)),
        };
        let id = message.id;
        let recipients = self.store.recipient_list(self.topic.id).await.unwrap();
        let stored = StoredMessage { message, topic_name: self.topic.name.clone() };
        self.store.message_publish(stored, recipients).await.unwrap();
        id
    }

    /// Waits until what the chats show fulfils a condition.
    async fn shown(&self, enough: impl Fn(&[carillon_simulator::Received]) -> bool) {
        let mut count = 1;
        let all = tokio::time::timeout(PATIENCE, async {
            loop {
                let received = self.platforms.received_at_least(count, PATIENCE).await;
                if enough(&received) {
                    return;
                }
                count = received.len() + 1;
            }
        });
        all.await.expect("everything arrives in time");
    }

    async fn end(self) {
        assert!(self.engine.unwrap().drain(PATIENCE).await);
        self.platforms.stop().await;
    }
}

async fn topic(store: &Store, clock: &dyn Clock) -> Topic {
    let now = clock.now();
    let topic = Topic {
        id: TopicId::new(now, &SystemChance),
        project: ProjectId::parse("p").unwrap(),
        name: TopicName::parse("ops").unwrap(),
        display_name: String::new(),
        enterprise_project_id: "0".to_owned(),
        created_at: now,
        updated_at: now,
    };
    let installation = carillon_store::account::Installation {
        project: topic.project.clone(),
        project_name: "p".to_owned(),
        account_name: "a".to_owned(),
        password_hash: String::new(),
        access_key: "k".to_owned(),
        secret_key: "s".into(),
        token: None,
    };
    assert!(store.install(installation).await.unwrap());
    store.topic_create(topic.clone()).await.unwrap();
    topic
}

fn lark() -> String {
    format!("https://open.feishu.cn/open-apis/bot/v2/hook/{LARK}")
}

fn wecom() -> String {
    format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WECOM}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_arrives_whole_in_few_posts_and_no_refusal() {
    const COUNT: usize = 100;
    let simulator = Simulator::new().robot(Robot::feishu(LARK, "lark"));
    let bed = Bed::new(simulator, &[(Channel::Lark, &lark())]).await;
    let mut messages = Vec::new();
    for number in 0..COUNT {
        messages.push(bed.publish("Disk", format!("alert {number:04};"), Priority::Normal).await);
    }
    let holds = |received: &[carillon_simulator::Received], number: usize| {
        received.iter().any(|it| it.text.contains(&format!("alert {number:04};")))
    };
    bed.shown(|received| (0..COUNT).all(|number| holds(received, number))).await;
    let posts = bed.platforms.calls();
    assert!(posts.len() < COUNT / 5, "{} posts for {COUNT} messages", posts.len());
    assert!(posts.iter().all(|call| call.code == "0"), "{posts:?}");
    let store = bed.store.clone();
    let project = bed.topic.project.clone();
    bed.end().await;
    let mut merged = 0;
    for message in messages {
        let delivery = store.delivery_list(&project, message, 0, 10).await.unwrap().remove(0);
        assert_eq!(delivery.state.name(), "delivered");
        merged = merged.max(delivery.attempts[0].merged);
    }
    assert!(merged > 10, "the record says how many went in one post: {merged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_message_overtakes_a_storm() {
    let simulator = Simulator::new().robot(Robot::wecom(WECOM, "wecom"));
    let bed = Bed::new(simulator, &[(Channel::Wecom, &wecom())]).await;
    for number in 0..60 {
        bed.publish("Disk", format!("alert {number:04};"), Priority::Normal).await;
    }
    bed.shown(|received| !received.is_empty()).await;
    bed.publish("Fire", "room 4".to_owned(), Priority::Urgent).await;
    bed.shown(|received| received.iter().any(|it| it.text.contains("room 4"))).await;
    let before = bed.platforms.received();
    let urgent = before.iter().find(|it| it.text.contains("room 4")).unwrap();
    assert!(!urgent.text.contains("alert"), "it stands alone: {}", urgent.text);
    assert!(before.iter().all(|it| !it.text.contains("alert 0059")), "it did not wait for the storm");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_endpoint_costs_the_others_nothing() {
    let simulator = Simulator::new().robot(Robot::feishu(LARK, "lark")).robot(Robot::wecom(WECOM, "wecom"));
    let bed = Bed::new(simulator, &[(Channel::Lark, &lark()), (Channel::Wecom, &wecom())]).await;
    bed.platforms.script(WECOM, Act::Hang, None);
    for number in 0..3 {
        bed.publish("Disk", format!("alert {number}"), Priority::Normal).await;
    }
    bed.shown(|received| received.iter().any(|it| it.text.contains("alert 2"))).await;
    let received = bed.platforms.received();
    assert!(received.iter().all(|it| it.chat == "lark"));
    bed.platforms.clear_script(WECOM);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrived_in_part_is_finished_in_a_storm() {
    let simulator = Simulator::new().robot(Robot::wecom(WECOM, "wecom"));
    let mut bed = Bed::still(simulator, &[(Channel::Wecom, &wecom())]).await;
    bed.publish("First", "the first;".to_owned(), Priority::Normal).await;
    let long: String = (0..300).map(|line| format!("line {line:04};\n")).collect();
    let message = bed.publish("Long", long, Priority::Normal).await;
    for number in 0..40 {
        bed.publish("Disk", format!("alert {number:04};"), Priority::Normal).await;
    }
    let waiting = bed.store.wake().take().ready;
    let begun = waiting.iter().find(|ready| ready.id.message == message).unwrap();
    let part = Settlement {
        seq: begun.seq,
        id: begun.id,
        attempt: None,
        state: DeliveryState::Pending,
        due_at: begun.due_at,
        parts_done: 1,
    };
    bed.store.delivery_settle(Vec::new(), vec![part]).await.unwrap();
    bed.start().await;
    bed.shown(|received| {
        let holds = |text: &str| received.iter().any(|it| it.text.contains(text));
        holds("line 0299;") && (0..40).all(|number| holds(&format!("alert {number:04};")))
    })
    .await;
    let again = bed.platforms.received().iter().any(|it| it.text.contains("line 0000;"));
    assert!(!again, "the part that had arrived is not sent again");
    bed.end().await;
}
