//! Hundreds of subscriptions come, change and go in an order that a seed decides, so that pages split, merge and
//! overflow; what went is looked for after each batch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use carillon_model::id::SubscriptionId;
use carillon_model::subscription::Target;
use carillon_model::topic::Topic;
use carillon_store::subscription::{Subscribed, SubscriptionFilter};
use tokio::task::JoinSet;

use crate::harness::{ALL, Bed, Home, subscription};
use crate::traces::{Gone, extension, hash, sealed, target};

struct Churn<H> {
    bed: Bed<H>,
    topics: Vec<Topic>,
    live: BTreeMap<SubscriptionId, (usize, Target)>,
    gone: Gone,
}

impl<H: Home> Churn<H> {
    async fn new(seed: u64) -> Self {
        let mut bed = Bed::<H>::fresh().await;
        bed.reseed(seed);
        let mut topics = Vec::new();
        for name in ["ops", "db", "net"] {
            topics.push(bed.topic(name).await);
        }
        Self { bed, topics, live: BTreeMap::new(), gone: Gone::default() }
    }

    fn any(&self) -> (SubscriptionId, usize, Target) {
        let (id, (topic, target)) = self.live.iter().nth(self.bed.below(self.live.len())).unwrap();
        (*id, *topic, target.clone())
    }

    async fn add(&mut self) {
        let topic = self.bed.below(self.topics.len());
        // Now and then an address that is subscribed already, perhaps elsewhere.
        let target = match self.bed.below(5) {
            0 if !self.live.is_empty() => self.any().2,
            _ => target(&self.bed),
        };
        self.put(topic, target).await;
    }

    async fn replace(&mut self) {
        let (_id, topic, target) = self.any();
        let mut extension = extension(&self.bed, &target.endpoint);
        // Another app would be another lane.
        if let (Some(new), Some(old)) = (&mut extension.app, target.extension.app) {
            new.app_key = old.app_key;
        }
        self.put(topic, Target { endpoint: target.endpoint, extension }).await;
    }

    async fn put(&mut self, topic: usize, target: Target) {
        self.bed.tick();
        self.gone.add_plain(&target);
        let lane = |one: &Target| {
            let app = one.extension.app.as_ref().map(|app| app.app_key.reveal().to_owned());
            (one.endpoint.canonical().reveal().to_owned(), app)
        };
        let same = |(_id, (there, one)): &(&SubscriptionId, &(usize, Target))| {
            *there == topic && lane(one) == lane(&target)
        };
        let there = self.live.iter().find(same).map(|(id, _one)| *id);
        if let Some(id) = there {
            self.gone.add_all("a replaced target", &sealed(&self.bed, id));
        }
        let new = subscription(&self.topics[topic], target.clone());
        let id = match (self.bed.store.subscription_add(new).await.unwrap(), there) {
            (Subscribed::New(id), None) => id,
            (Subscribed::There(id), Some(old)) if id == old => id,
            other => panic!("{other:?}"),
        };
        self.live.insert(id, (topic, target));
    }

    /// Deletes some in one call, or a whole topic with all it has.
    async fn delete(&mut self, count: usize) {
        let mut which = Vec::new();
        let whole = (self.bed.below(8) == 0).then(|| self.bed.below(self.topics.len()));
        if let Some(topic) = whole {
            let of_topic = self.live.iter().filter(|(_id, one)| one.0 == topic);
            which.extend(of_topic.map(|(id, _one)| (self.topics[topic].id, *id)));
        } else {
            for _one in 0..count.min(self.live.len()) {
                let (id, topic, _target) = self.any();
                which.push((self.topics[topic].id, id));
            }
            which.sort();
            which.dedup();
        }
        let mut lanes = Vec::new();
        for (_topic, id) in &which {
            self.gone.add_all("a deleted target", &sealed(&self.bed, *id));
            lanes.extend(hash(&self.bed, *id));
            self.live.remove(id);
        }
        if let Some(topic) = whole {
            let name = self.topics[topic].name.clone();
            assert!(self.bed.store.topic_delete(&self.bed.project, &name).await.unwrap());
            self.topics[topic] = self.bed.topic(name.as_str()).await;
        } else {
            let there = self.bed.store.subscription_delete(which).await.unwrap();
            assert!(there.iter().all(|there| *there));
        }
        let left =
            self.bed.home.bytes("SELECT x.bytes FROM endpoint e JOIN sealed x ON x.seq = e.sealed_seq");
        lanes.retain(|hash| !left.contains(hash));
        for hash in lanes {
            self.gone.add("a hash", &hash);
        }
    }

    async fn publish(&self) {
        let text = "text ".repeat(1 << self.bed.below(12));
        let topic = &self.topics[self.bed.below(self.topics.len())];
        self.bed.publish(topic, &text).await;
    }

    async fn check(&self, when: &str) {
        self.gone.assert_gone(&self.bed.home, when);
        for (id, (_topic, target)) in &self.live {
            assert_eq!(self.bed.store.target_open(*id).await.unwrap().as_ref(), Some(target), "{when}");
        }
    }
}

/// Readers who never rest while the test goes on.
fn readers<H: Home>(bed: &Bed<H>, stop: &Arc<AtomicBool>) -> JoinSet<()> {
    let mut readers = JoinSet::new();
    for _reader in 0..2 {
        let (store, project, stop) = (bed.store.clone(), bed.project.clone(), Arc::clone(stop));
        readers.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let filter = SubscriptionFilter::default();
                store.subscription_list(&project, filter, ALL).await.unwrap();
                store.lane_list().await.unwrap();
            }
        });
    }
    readers
}

async fn churn<H: Home>(seed: u64) {
    let mut churn = Churn::<H>::new(seed).await;
    let stop = Arc::new(AtomicBool::new(false));
    let readers = readers(&churn.bed, &stop);
    for batch in 0..H::CHURN_BATCHES {
        for _step in 0..50 {
            churn.add().await;
        }
        for _step in 0..15 {
            churn.replace().await;
            churn.publish().await;
        }
        churn.check(&format!("seed {seed}, replacements of batch {batch}")).await;
        for _step in 0..8 {
            let count = 1 << churn.bed.below(4);
            churn.delete(count).await;
        }
        churn.check(&format!("seed {seed}, deletes of batch {batch}")).await;
    }
    stop.store(true, Ordering::SeqCst);
    readers.join_all().await;
}

pub(crate) async fn leaves_no_byte_behind_1<H: Home>() {
    churn::<H>(1).await;
}

pub(crate) async fn leaves_no_byte_behind_2<H: Home>() {
    churn::<H>(2).await;
}
