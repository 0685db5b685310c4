//! Which lanes the loop serves when several servers share the database: it takes over what this server gains, lets go
//! what it loses, and looks around now and then for what nobody told of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::id::EndpointId;
use carillon_model::message::Priority;
use carillon_model::pace::Pace;
use carillon_model::rate::Rate;
use carillon_store::shard::{Shard, Shards};
use tokio::time::Instant;

use crate::run::Lanes;
use crate::send::Sender;
use crate::turn::Turn;

/// How often the loop looks for what nobody told of.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// This server's part of the lanes.
pub(crate) struct Share {
    pub(crate) shards: Arc<Shards>,
    /// Given up; what is under way in them comes to its end.
    leaving: BTreeSet<Shard>,
    /// The last places there were at the look before the last one, and at the last one. What was given a place before
    /// the former has long been visible or never will be.
    looked: (i64, i64),
    look_at: Instant,
}

impl Share {
    pub(crate) fn new(shards: Arc<Shards>) -> Self {
        Self { shards, leaving: BTreeSet::new(), looked: (i64::MAX, i64::MAX), look_at: Instant::now() }
    }

    /// Whether a lane is given up, so that nothing begins in it.
    pub(crate) fn is_leaving(&self, lane: EndpointId) -> bool {
        !self.leaving.is_empty() && self.leaving.contains(&Shard::of(lane))
    }
}

impl Lanes {
    /// Lets go what this server does not serve any more.
    pub(crate) fn let_go(&mut self, shards: Vec<Shard>) {
        if shards.is_empty() {
            return;
        }
        self.share.leaving.extend(shards);
        let share = &self.share;
        self.lanes.retain(|id, lane| lane.is_sending() || !share.is_leaving(*id));
        self.release();
    }

    /// A lane that was given up has come to rest.
    pub(crate) fn came_to_rest(&mut self, lane: EndpointId) {
        self.timer.clear(lane);
        self.lanes.remove(&lane);
        self.release();
    }

    /// Tells the others of the shards in which nothing is under way any more.
    fn release(&mut self) {
        let busy: BTreeSet<Shard> = self.lanes.keys().map(|lane| Shard::of(*lane)).collect();
        let quiet: Vec<Shard> = self.share.leaving.difference(&busy).copied().collect();
        self.share.leaving.retain(|shard| busy.contains(shard));
        self.share.shards.release(&quiet);
    }

    /// Takes over shards: what their last server left in the middle, and what waits in them.
    pub(crate) async fn take_over(&mut self, shards: Vec<Shard>) {
        if shards.is_empty() {
            return;
        }
        match self.sender.store.shard_take(&shards).await {
            Ok((recovered, waiting)) => {
                if recovered > 0 {
                    tracing::warn!(recovered, "attempts were interrupted elsewhere and are made again");
                }
                match self.sender.store.health_list().await {
                    Ok(unwell) => self.health.extend(unwell),
                    Err(error) => tracing::warn!(%error, "which endpoints are unwell is not known yet"),
                }
                // How urgent it is was not told.
                self.look_into(waiting.into_iter().map(|lane| (lane, Priority::Urgent)));
                // Their last server may have left a directory half read.
                self.wake.look_at_updates();
            }
            Err(error) => {
                tracing::error!(%error, "shards cannot be taken over yet; trying again");
                self.wake.gained_again(shards);
            }
        }
    }

    /// Looks for what was written down and not told of, when it is time or when word may have been lost.
    pub(crate) async fn look_around(&mut self, now: bool) {
        if !self.share.shards.are_shared() {
            return;
        }
        // The limits of apps are parted as soon as it is known among how many, or two servers send too much meanwhile.
        self.sender.providers.share(self.share.shards.servers());
        if !(now || Instant::now() >= self.share.look_at) {
            return;
        }
        self.share.look_at = Instant::now() + LOOK_EVERY;
        match self.sender.store.lane_list_since(self.share.looked.0).await {
            Ok((last, lanes)) => {
                self.share.looked = (self.share.looked.1.min(last), last);
                self.look_into(lanes);
            }
            Err(error) => tracing::warn!(%error, "the store did not say what is new"),
        }
    }

    fn look_into(&mut self, lanes: impl IntoIterator<Item = (EndpointId, Priority)>) {
        for (lane, priority) in lanes {
            if self.share.shards.is_mine(lane) {
                self.lanes.entry(lane).or_default().look_again(priority);
                self.serve(lane);
            }
        }
    }

    /// The loop ends: what has nothing under way is the others' at once.
    pub(crate) fn hand_over(&mut self) {
        self.share.shards.close();
        let all = self.share.shards.leaving();
        self.let_go(all);
    }
}

impl Sender {
    /// How many posts may leave, and which left that the lane does not know of.
    pub(crate) async fn room(
        &self,
        turn: &Turn,
        limits: &Arc<[Rate]>,
        now: Timestamp,
    ) -> (usize, Vec<Instant>) {
        // The room of a lane that has not learned its rates yet says nothing; another server may have used them.
        let unknown = turn.room == usize::MAX && !limits.is_empty() && self.store.shards().are_shared();
        match unknown {
            true => self.sent_elsewhere(turn.lane, limits, now).await,
            false => (turn.room, Vec::new()),
        }
    }

    /// How many posts may leave in a lane that this server did not serve before, and when others left. One that was on its
    /// way when its server died may not have been written down: it counts as having left now.
    async fn sent_elsewhere(
        &self,
        lane: EndpointId,
        limits: &Arc<[Rate]>,
        now: Timestamp,
    ) -> (usize, Vec<Instant>) {
        let window = limits.iter().map(|rate| rate.per).max().unwrap_or_default();
        match self.store.lane_sent(lane, now.minus(window)).await {
            Ok(mut sent) => {
                sent.push(now);
                let mut pace = Pace::default();
                pace.learn(limits, Timestamp(0));
                sent.iter().for_each(|at| pace.sent(*at));
                let steady = Instant::now();
                let posts = sent.iter().map(|at| steady.checked_sub(now.since(*at)).unwrap_or(steady));
                (pace.room(now), posts.collect())
            }
            Err(error) => {
                tracing::error!(%error, "what a lane sent lately cannot be read");
                // As if all of it had been used just now.
                let most = limits.iter().map(|rate| rate.count).max().unwrap_or(0);
                (0, vec![Instant::now(); usize::try_from(most).unwrap_or(0)])
            }
        }
    }
}
