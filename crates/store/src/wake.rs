//! Tells the engine that work has arrived, and hands it over while there is room.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use carillon_model::id::EndpointId;
use carillon_model::message::Priority;
use tokio::sync::Notify;

use crate::delivery::Ready;
use crate::lane_index::LaneMark;
use crate::shard::{Shard, Shards};
use crate::topic_messages::TopicMark;

/// How many deliveries may wait in memory for the engine to look; the rest waits in the store only.
const HANDED_MAX: usize = 16_384;

/// Lanes that got something to do, with the highest priority of it.
pub(crate) type Lanes = BTreeMap<EndpointId, Priority>;

fn note(lanes: &mut Lanes, (lane, priority): (EndpointId, Priority)) {
    let noted = lanes.entry(lane).or_insert(priority);
    *noted = priority.max(*noted);
}

/// The hand-over between whoever writes deliveries down and the engine.
#[derive(Debug, Default)]
pub struct Wake {
    handed: Mutex<Vec<Ready>>,
    lanes: Mutex<Lanes>,
    cancelled: Mutex<Vec<Dropped>>,
    released: Mutex<Vec<EndpointId>>,
    overflowed: AtomicBool,
    notify: Notify,
    gained: Mutex<Vec<Shard>>,
    left: Mutex<Vec<Shard>>,
    /// Whether something may wait that nobody told of.
    uncertain: AtomicBool,
    shared: OnceLock<Arc<Shards>>,
    /// Lanes of other servers that got something to do.
    foreign: Mutex<Lanes>,
    foreign_arrived: Notify,
    update: Notify,
    pub(crate) mark: LaneMark,
    pub(crate) topics: TopicMark,
    /// Whether the others are to be told that a directory is to be read.
    foreign_update: AtomicBool,
}

/// A place that nothing waits in any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The lane.
    pub endpoint: EndpointId,
    /// The place.
    pub seq: i64,
}

/// What the engine finds when it looks.
#[derive(Debug, Default)]
pub struct Arrived {
    /// New deliveries, in the order they were made durable.
    pub ready: Vec<Ready>,
    /// Lanes in which something waits that is only in the store, with the highest priority of it.
    pub lanes: Vec<(EndpointId, Priority)>,
    /// What was cancelled. The engine need not hear of it, since it looks again when a delivery's turn comes; but a
    /// lane whose first was cancelled need not wait for that one's due time.
    pub cancelled: Vec<Dropped>,
    /// Endpoints that are to be tried as if they were well, whatever was known of them.
    pub released: Vec<EndpointId>,
    /// Whether there were more than fit: the store must be asked which lanes wait.
    pub overflowed: bool,
    /// Shards that are this server's from now on.
    pub gained: Vec<Shard>,
    /// Shards that are this server's no more.
    pub left: Vec<Shard>,
    /// Whether something new may wait that nobody told of.
    pub uncertain: bool,
}

impl Wake {
    /// Hands over what has just been made durable. Called by the writer, in its order.
    pub(crate) fn hand(&self, ready: Vec<Ready>) {
        if let Some(last) = ready.iter().map(|one| one.seq).max() {
            self.mark.saw(last);
        }
        let ready = self.own(ready);
        if !ready.is_empty() {
            let mut handed = self.handed.lock().expect("no code panics while it holds the hand-over");
            if handed.len() + ready.len() > HANDED_MAX {
                self.overflowed.store(true, Ordering::SeqCst);
            } else {
                handed.extend(ready);
            }
        }
        self.notify.notify_one();
    }

    /// What is for this server's lanes; of the rest, the others are told.
    fn own(&self, ready: Vec<Ready>) -> Vec<Ready> {
        let Some(shards) = self.shared.get() else { return ready };
        let (own, others): (Vec<_>, Vec<_>) = ready.into_iter().partition(|one| shards.is_mine(one.endpoint));
        self.tell_others(others.into_iter().map(|one| (one.endpoint, one.stored.message.priority)));
        own
    }

    fn tell_others(&self, lanes: impl IntoIterator<Item = (EndpointId, Priority)>) {
        let mut foreign = self.foreign.lock().expect("no code panics while it holds the hand-over");
        let room = HANDED_MAX.saturating_sub(foreign.len());
        lanes.into_iter().take(room).for_each(|lane| note(&mut foreign, lane));
        let any = !foreign.is_empty();
        drop(foreign);
        if any {
            self.foreign_arrived.notify_one();
        }
    }

    pub(crate) fn share(&self, shards: &Arc<Shards>) {
        // Once for all; a second time would be the same.
        drop(self.shared.set(Arc::clone(shards)));
    }

    pub(crate) async fn foreign_arrived(&self) {
        self.foreign_arrived.notified().await;
    }

    /// Takes the lanes that others are to be told of; nothing in place of too many.
    pub(crate) fn take_foreign(&self) -> Option<Lanes> {
        let mut foreign = self.foreign.lock().expect("no code panics while it holds the hand-over");
        Some(std::mem::take(&mut *foreign)).filter(|lanes| lanes.len() < HANDED_MAX)
    }

    /// Tells the others of a lane that was this server's a moment ago.
    pub fn look_elsewhere(&self, lane: EndpointId, priority: Priority) {
        self.look_into([(lane, priority)]);
    }

    /// Shards that could not be taken over are to be taken over again.
    pub fn gained_again(&self, shards: Vec<Shard>) {
        self.gained(shards);
    }

    /// Shards are this server's from now on.
    pub(crate) fn gained(&self, shards: Vec<Shard>) {
        self.gained.lock().expect("no code panics while it holds the hand-over").extend(shards);
        self.notify.notify_one();
    }

    /// Shards are this server's no more.
    pub(crate) fn left(&self, shards: Vec<Shard>) {
        self.left.lock().expect("no code panics while it holds the hand-over").extend(shards);
        self.notify.notify_one();
    }

    /// Something may wait that nobody told of.
    pub(crate) fn look_around(&self) {
        self.uncertain.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }

    /// Names lanes in which more waits now than is handed over, with the highest priority of it.
    pub(crate) fn look_into(&self, endpoints: impl IntoIterator<Item = (EndpointId, Priority)>) {
        let is_mine =
            |(lane, _): &(EndpointId, Priority)| self.shared.get().is_none_or(|shards| shards.is_mine(*lane));
        let (endpoints, others): (Vec<_>, Vec<_>) = endpoints.into_iter().partition(is_mine);
        self.tell_others(others);
        let mut lanes = self.lanes.lock().expect("no code panics while it holds the hand-over");
        endpoints.into_iter().for_each(|lane| note(&mut lanes, lane));
        if lanes.len() > HANDED_MAX {
            lanes.clear();
            self.overflowed.store(true, Ordering::SeqCst);
        }
        drop(lanes);
        self.notify.notify_one();
    }

    /// Hands over what was just cancelled, as far as there is room.
    pub(crate) fn drop_cancelled(&self, dropped: &[Dropped]) {
        let mut cancelled = self.cancelled.lock().expect("no code panics while it holds the hand-over");
        let room = HANDED_MAX.saturating_sub(cancelled.len());
        cancelled.extend(dropped.iter().take(room));
        drop(cancelled);
        self.notify.notify_one();
    }

    /// Says that a reading of a directory was asked for: here, and to the other servers, one of which may be the one to
    /// read it.
    pub(crate) fn ask_update(&self) {
        self.look_at_updates();
        if self.shared.get().is_some() {
            self.foreign_update.store(true, Ordering::Release);
            self.foreign_arrived.notify_one();
        }
    }

    /// Says that there may be a directory to read here.
    pub fn look_at_updates(&self) {
        self.update.notify_one();
    }

    /// Whether the others are to be told that a directory is to be read; then they count as told.
    pub(crate) fn take_foreign_update(&self) -> bool {
        self.foreign_update.swap(false, Ordering::AcqRel)
    }

    /// Waits until a reading of a directory was asked for since the last look.
    pub async fn update_asked(&self) {
        self.update.notified().await;
    }

    /// Lets an endpoint be tried as if it were well. There are never many: a person asked for each.
    pub(crate) fn release(&self, endpoint: EndpointId) {
        let mut released = self.released.lock().expect("no code panics while it holds the hand-over");
        if !released.contains(&endpoint) {
            released.push(endpoint);
        }
        drop(released);
        self.notify.notify_one();
    }

    /// Waits until something was handed over since the last look.
    pub async fn arrived(&self) {
        self.notify.notified().await;
    }

    /// Says that the store must be asked which lanes wait.
    pub fn overflow(&self) {
        self.overflowed.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }

    /// Takes what was handed over.
    #[must_use]
    pub fn take(&self) -> Arrived {
        let mut cancelled = self.cancelled.lock().expect("no code panics while it holds the hand-over");
        let cancelled = std::mem::take(&mut *cancelled);
        let mut released = self.released.lock().expect("no code panics while it holds the hand-over");
        let released = std::mem::take(&mut *released);
        let mut lanes = self.lanes.lock().expect("no code panics while it holds the hand-over");
        let lanes = std::mem::take(&mut *lanes);
        let mut handed = self.handed.lock().expect("no code panics while it holds the hand-over");
        let mut ready = std::mem::take(&mut *handed);
        // Commits beside each other may be handed over a little out of order.
        ready.sort_by_key(|one| one.seq);
        let taken = |shards: &Mutex<Vec<Shard>>| {
            std::mem::take(&mut *shards.lock().expect("no code panics while it holds the hand-over"))
        };
        Arrived {
            ready,
            lanes: lanes.into_iter().collect(),
            cancelled,
            overflowed: self.overflowed.swap(false, Ordering::SeqCst),
            gained: taken(&self.gained),
            left: taken(&self.left),
            uncertain: self.uncertain.swap(false, Ordering::SeqCst),
            released,
        }
    }
}
