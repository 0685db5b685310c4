//! A database with topics and subscriptions, made once and copied for each run.

use std::path::Path;
use std::sync::Arc;

use carillon_model::Timestamp;
use carillon_model::chance::SeededChance;
use carillon_model::clock::TestClock;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{CertificateId, ProjectId, TopicId};
use carillon_model::subscription::{Extension, SubscriptionState, Target};
use carillon_model::topic::{Topic, TopicName};
use carillon_provider::Signer;
use carillon_store::account::Installation;
use carillon_store::signing::SigningKey;
use carillon_store::subscription::NewSubscription;
use carillon_store::{NoObserver, Settings, Store};

use crate::plan::{Lane, TOPICS};
use crate::platform::address;

const NOW: Timestamp = Timestamp(1_749_000_000_000);

/// The database, and what it holds.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) project: ProjectId,
    pub(crate) topics: Vec<Topic>,
    dir: Arc<tempfile::TempDir>,
}

/// A folder in memory where there is one: thousands of databases are made and thrown away.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder can be made")
}

impl Template {
    pub(crate) fn make() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime needs nothing but memory").block_on(Self::fill())
    }

    async fn fill() -> Self {
        let dir = folder();
        let settings = Settings { data_dir: dir.path().to_owned(), key_file: None, database_url: None };
        let (clock, chance) = (Arc::new(TestClock::at(NOW)), Arc::new(SeededChance::new(1)));
        let store = Store::open(&settings, clock, chance.clone(), Arc::new(NoObserver)).unwrap();
        let project = ProjectId::parse("simulation").unwrap();
        let installation = Installation {
            project: project.clone(),
            project_name: "simulation".to_owned(),
            account_name: "a".to_owned(),
            password_hash: String::new(),
            access_key: "k".to_owned(),
            secret_key: "s".into(),
            token: None,
        };
        assert!(store.install(installation).await.unwrap());
        let mut topics = Vec::new();
        for (number, lanes) in TOPICS.iter().enumerate() {
            let topic = Topic {
                id: TopicId::new(NOW, chance.as_ref()),
                project: project.clone(),
                name: TopicName::parse(&format!("topic-{number}")).unwrap(),
                display_name: String::new(),
                enterprise_project_id: "0".to_owned(),
                created_at: NOW,
                updated_at: NOW,
            };
            store.topic_create(topic.clone()).await.unwrap();
            for lane in *lanes {
                subscribe(&store, topic.id, *lane).await;
            }
            topics.push(topic);
        }
        let id = CertificateId::new(NOW, chance.as_ref());
        let made = Signer::make("localhost", id, NOW).unwrap();
        let key = SigningKey { id, private_key: made.private_key, certificate: made.certificate };
        store.signing_key_add(key).await.unwrap();
        drop(store);
        Self { project, topics, dir: Arc::new(dir) }
    }

    /// A data directory of one's own.
    pub(crate) fn copy(&self) -> tempfile::TempDir {
        let dir = folder();
        for name in ["carillon.db", "master.key"] {
            std::fs::copy(self.dir.path().join(name), dir.path().join(name)).expect("there is room");
        }
        dir
    }
}

async fn subscribe(store: &Store, topic: TopicId, lane: Lane) {
    let channel = lane.channel();
    let endpoint = Endpoint::parse(channel, &address(lane)).unwrap();
    let new = NewSubscription {
        topic,
        protocol: channel.name().to_owned(),
        target: Target { endpoint, extension: Extension::default() },
        remark: None,
        state: SubscriptionState::Confirmed,
    };
    store.subscription_add(new).await.unwrap();
}
