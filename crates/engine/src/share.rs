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

/// How often the loop looks for what was written down lately and nobody told of.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it looks into every lane in which something waits, so that nothing waits for ever whatever went wrong.
const LOOK_ALL_EVERY: Duration = Duration::from_secs(30);

/// From which place on the next look begins. What was given a place before the look before the last one has long been
/// visible, or is found by a look into every lane; so only time moves it, and not a look for which word gave the reason:
/// places are given before they are visible, and word may come many times in that moment.
#[derive(Debug)]
struct Looks {
    /// The last place there was at the look before the last one.
    since: i64,
    /// The same at the last one.
    last: i64,
    at: Instant,
    all_at: Instant,
}

impl Looks {
    fn new(now: Instant) -> Self {
        Self { since: i64::MAX, last: i64::MAX, at: now, all_at: now + LOOK_ALL_EVERY }
    }

    /// Somebody looked, and this was the last place.
    fn took(&mut self, last: i64, now: Instant) {
        if now >= self.at {
            self.since = self.last.min(last);
            self.last = last;
            self.at = now + LOOK_EVERY;
        }
    }

    /// Whether it is time for a look into every lane, which then counts as made.
    fn is_time_for_all(&mut self, now: Instant) -> bool {
        let is_time = now >= self.all_at;
        if is_time {
            self.all_at = now + LOOK_ALL_EVERY;
        }
        is_time
    }
}

/// This server's part of the lanes.
pub(crate) struct Share {
    pub(crate) shards: Arc<Shards>,
    /// Given up; what is under way in them comes to its end.
    leaving: BTreeSet<Shard>,
    looks: Looks,
}

impl Share {
    pub(crate) fn new(shards: Arc<Shards>) -> Self {
        Self { shards, leaving: BTreeSet::new(), looks: Looks::new(Instant::now()) }
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
        let (moment, looks) = (Instant::now(), &mut self.share.looks);
        if looks.is_time_for_all(moment) {
            match self.sender.store.lane_list().await {
                // What is known of is not to be read anew, as it were for something urgent.
                Ok(waiting) => self.look_into(waiting.into_iter().map(|lane| (lane, Priority::Normal))),
                Err(error) => tracing::warn!(%error, "the store did not say which lanes wait"),
            }
        }
        if !(now || moment >= self.share.looks.at) {
            return;
        }
        match self.sender.store.lane_list_since(self.share.looks.since).await {
            Ok((last, lanes)) => {
                self.share.looks.took(last, moment);
                self.look_into(lanes);
            }
            Err(error) => {
                tracing::warn!(%error, "the store did not say what is new");
                self.share.looks.at = moment + LOOK_EVERY;
            }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{LOOK_ALL_EVERY, LOOK_EVERY, Looks};

    #[test]
    fn what_became_visible_late_is_found_however_often_word_came() {
        let start = Instant::now();
        let mut looks = Looks::new(start);
        looks.took(10, start);
        // Place 11 is given, but not visible yet, when others behind it are.
        for (millisecond, last) in (1..).zip([200, 300, 400]) {
            looks.took(last, start + Duration::from_millis(millisecond));
        }
        assert_eq!(looks.since, 10);
        looks.took(500, start + LOOK_EVERY);
        assert_eq!(looks.since, 10, "another look finds it five seconds later");
        looks.took(600, start + 2 * LOOK_EVERY);
        assert_eq!(looks.since, 500);
    }

    #[test]
    fn every_lane_is_looked_into_now_and_then() {
        let start = Instant::now();
        let mut looks = Looks::new(start);
        assert!(!looks.is_time_for_all(start));
        assert!(looks.is_time_for_all(start + LOOK_ALL_EVERY));
        assert!(!looks.is_time_for_all(start + LOOK_ALL_EVERY));
    }
}
