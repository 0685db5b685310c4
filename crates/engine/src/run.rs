//! The loop: takes what arrives, asks each lane what it wants, waits for due times, and stops in order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_model::health::{Health, Standing};
use carillon_model::id::EndpointId;
use carillon_model::message::Priority;
use carillon_model::{Clock, Timestamp};
use carillon_store::health::HealthChange;
use carillon_store::lane::Taken;
use carillon_store::shard::Shards;
use carillon_store::wake::Wake;
use carillon_store::{Error, Store};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::count::write_counts;
use crate::delivery_log;
use crate::directory::Directories;
use crate::fan_out;
use crate::gate::Gate;
use crate::hold::Holds;
use crate::lane::{Lane, Wish};
use crate::month::Months;
use crate::retain::Retain;
use crate::send::{Sender, Sent};
use crate::settings::{Parts, Settings};
use crate::settle;
use crate::share::Share;
use crate::spread;
use crate::timer::Timer;
use crate::turn::Turn;

/// How many notes may wait to be written down.
const NOTES_MAX: usize = 8192;
/// How many results may wait for the loop.
const RESULTS_MAX: usize = 8192;
/// The longest the loop sleeps, so that a clock that was set back delays nothing for long.
const SLEEP_MAX: Duration = Duration::from_secs(5);
/// How often the waiting deliveries are counted, which walks over every lane.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// How often what is remembered of endpoints is compared with the store, in which those that were removed are gone.
const COMPARE_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long a lane waits when the store did not answer.
const LOAD_AGAIN: Duration = Duration::from_secs(1);
/// How far the clock must run away from a steady one within two looks to count as set, in milliseconds.
const CLOCK_SET_MIN: u64 = 1_000;

/// What the loop is told.
pub(crate) enum Event {
    /// What an attempt came to, once that is durable.
    Sent(Sent),
    /// The first so many of a lane, past their time to live, have ended.
    Expired(EndpointId, usize),
    /// The oldest of a lane that were dropped, by their places.
    Dropped(EndpointId, Vec<i64>),
    /// The endpoints that are not well, by the store.
    Compared(Vec<EndpointId>),
    /// What was read of a lane.
    Loaded(EndpointId, Result<Taken, Error>),
}

/// Begins what runs beside the lanes: forgetting what is old, writing what was counted, reading directories.
fn keep_house(parts: &Parts, settings: &Settings, tasks: &TaskTracker, stop: &CancellationToken) {
    let retain = Retain {
        store: parts.store.clone(),
        clock: Arc::clone(&parts.clock),
        keep: settings.keep,
        metrics: parts.metrics.clone(),
    };
    tasks.spawn(retain.run(stop.clone()));
    tasks.spawn(write_counts(parts.store.clone(), parts.metrics.clone(), stop.clone()));
    tasks.spawn(Months::new(parts).run(stop.clone()));
    tasks.spawn(fan_out::run(parts.store.clone(), parts.metrics.clone(), stop.clone()));
    tasks.spawn(Directories::new(parts, settings).run(stop.clone()));
    if !parts.store.is_shared() {
        tasks.spawn(crate::afterwards::run(parts.store.clone(), stop.clone()));
    }
}

/// The engine, while it runs.
pub struct Engine {
    stop: CancellationToken,
    gate: Arc<Gate>,
    tasks: TaskTracker,
    shards: Arc<Shards>,
}

impl Engine {
    /// Gives back what an earlier run left in the middle, and begins.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(parts: Parts, settings: Settings) -> Result<Self, Error> {
        parts.store.shard_join()?;
        let share = Share::new(parts.store.shards());
        // Where servers share, each lane is looked into when it is taken over.
        let (waiting, sent_before) = match share.shards.are_shared() {
            true => (Vec::new(), Timestamp(0)),
            false => recover(&parts.store).await?,
        };
        let health: HashMap<EndpointId, Health> = parts.store.health_list().await?.into_iter().collect();
        let holds = Holds::from_store(parts.store.hold_list().await?);
        let untold = parts.store.pause_untold().await?;
        let stop = CancellationToken::new();
        let gate = Gate::new(settings.attempts_at_once, settings.attempts_per_host);
        let tasks = TaskTracker::new();
        let shards = parts.store.shards();
        let (notes, inbox) = mpsc::channel(NOTES_MAX);
        let journal = delivery_log::start(&settings, &parts.store, &tasks);
        let (events, results) = mpsc::channel(RESULTS_MAX);
        let (store, metrics) = (parts.store.clone(), parts.metrics.clone());
        let writer = settle::Writer { store, journal, metrics, events: events.clone() };
        tasks.spawn(writer.run(inbox));
        keep_house(&parts, &settings, &tasks, &stop);
        let sender = Sender {
            store: parts.store.clone(),
            providers: parts.providers,
            clock: Arc::clone(&parts.clock),
            chance: parts.chance,
            region: settings.region,
            links: settings.links,
            signing: OnceCell::new(),
            retry: settings.retry,
            health: settings.health,
            rates: settings.rates,
            holds,
            gate: Arc::clone(&gate),
            metrics: parts.metrics,
            notes,
        };
        let mut lanes = Lanes {
            wake: parts.store.wake(),
            share,
            sender: Arc::new(sender),
            sent_before,
            digest_after: settings.digest_after,
            ahead_ms: ahead_before(parts.clock.as_ref(), sent_before),
            clock: parts.clock,
            lanes: HashMap::new(),
            timer: Timer::default(),
            events,
            health,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        for lane in untold {
            let Some(health) = lanes.health.get(&lane).copied() else { continue };
            let sender = Arc::clone(&lanes.sender);
            tasks.spawn(async move { sender.tell_of_pause(lane, &health).await });
        }
        lanes.begin(waiting);
        tasks.spawn(lanes.run(results));
        tasks.close();
        Ok(Self { stop, gate, tasks, shards })
    }

    /// Begins no new attempt, waits for those under way and for their record, at most `patience`. Tells whether all
    /// came to their end; what did not is recorded as unknown at the next start.
    pub async fn drain(self, patience: Duration) -> bool {
        self.stop.cancel();
        self.gate.shut();
        let ended = tokio::time::timeout(patience, self.tasks.wait()).await.is_ok();
        self.shards.release_all();
        ended
    }
}

/// Gives back what an earlier run left in the middle; tells which lanes wait, and when something was sent last.
async fn recover(store: &Store) -> Result<(Vec<EndpointId>, Timestamp), Error> {
    let recovered = store.delivery_recover().await?;
    if recovered > 0 {
        tracing::warn!(recovered, "attempts were interrupted by the last stop and are made again");
    }
    let waiting = store.lane_list().await?;
    Ok((waiting, store.delivery_last_start().await?.unwrap_or(Timestamp(0))))
}

pub(crate) struct Lanes {
    pub(crate) wake: Arc<Wake>,
    pub(crate) share: Share,
    pub(crate) sender: Arc<Sender>,
    clock: Arc<dyn Clock>,
    /// How far the clock is before a steady one, in milliseconds.
    ahead_ms: i64,
    /// When an earlier run last sent something.
    sent_before: Timestamp,
    digest_after: Duration,
    pub(crate) lanes: HashMap<EndpointId, Lane>,
    pub(crate) timer: Timer,
    events: mpsc::Sender<Event>,
    /// The endpoints that are not simply well.
    pub(crate) health: HashMap<EndpointId, Health>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// How far the clock was ahead in an earlier run, as far as that can be known: when that run sent something later than now,
/// the clock was set back meanwhile, and by so much at least.
fn ahead_before(clock: &dyn Clock, sent_before: Timestamp) -> i64 {
    let now = clock.now().0;
    now.saturating_sub(clock.steady().0).saturating_add(sent_before.0.saturating_sub(now).max(0))
}

impl Lanes {
    /// The present moment. When the clock was set since the last look, what lanes wait for is set with it: neither is
    /// anything sent too early for a platform's limit, nor does a lane wait for hours.
    fn now(&mut self) -> Timestamp {
        let now = self.clock.now();
        let ahead_ms = now.0.saturating_sub(self.clock.steady().0);
        let by_ms = ahead_ms.saturating_sub(self.ahead_ms);
        if by_ms.unsigned_abs() >= CLOCK_SET_MIN {
            tracing::warn!(by_ms, "the clock was set");
            self.ahead_ms = ahead_ms;
            self.sent_before = self.sent_before.shifted(by_ms);
            self.lanes.values_mut().for_each(|lane| lane.clock_was_set(by_ms));
            self.timer.shift(by_ms);
            self.sender.holds.clock_was_set(by_ms);
            for health in self.health.values_mut() {
                health.until = health.until.map(|until| until.shifted(by_ms));
            }
        }
        now
    }

    /// Serves the lanes in which something waited before the start.
    fn begin(&mut self, waiting: Vec<EndpointId>) {
        // All are there before the clock is looked at, which an earlier run may have left behind.
        self.lanes.extend(waiting.iter().map(|lane| (*lane, Lane::from_store())));
        waiting.into_iter().for_each(|lane| self.serve(lane));
    }

    async fn run(mut self, mut results: mpsc::Receiver<Event>) {
        let wake = Arc::clone(&self.wake);
        let stop = self.stop.clone();
        let (mut counted, mut compared) = (Instant::now(), Instant::now());
        loop {
            self.look_around(false).await;
            let now = self.now();
            while let Some(lane) = self.timer.take_due(now) {
                self.serve(lane);
            }
            if counted.elapsed() >= COUNT_EVERY {
                self.count();
                counted = Instant::now();
            }
            if compared.elapsed() >= COMPARE_EVERY {
                self.compare();
                compared = Instant::now();
            }
            let nap = self.timer.next().map_or(SLEEP_MAX, |at| at.since(now).min(SLEEP_MAX));
            tokio::select! {
                // What was handed over comes before results: a delivery may have been read from the store and sent
                // before its own hand-over is looked at, and its lane must still know it then.
                biased;
                () = stop.cancelled() => return self.hand_over(),
                () = wake.arrived() => self.arrivals().await,
                Some(event) = results.recv() => self.event(event),
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Takes in what was handed over. When there was more than fits in memory, every waiting lane looks into the
    /// store.
    async fn arrivals(&mut self) {
        let arrived = self.wake.take();
        self.let_go(arrived.left);
        self.take_over(arrived.gained).await;
        self.look_around(arrived.uncertain).await;
        for ready in arrived.ready {
            let lane = ready.endpoint;
            if !self.share.shards.is_mine(lane) {
                self.wake.look_elsewhere(lane, ready.stored.message.priority);
                continue;
            }
            let found = self.lanes.entry(lane).or_default();
            if self.share.shards.are_shared() {
                // Another server may have written down one before it, of which no word has come yet.
                found.read_again(ready.stored.message.priority);
            } else {
                found.arrive(ready);
            }
            self.serve(lane);
        }
        for (lane, priority) in arrived.lanes {
            self.lanes.entry(lane).or_default().look_again(priority);
            self.serve(lane);
        }
        for lane in arrived.released {
            self.health.remove(&lane);
            self.lanes.entry(lane).or_insert_with(Lane::from_store).release(self.clock.now());
            self.serve(lane);
        }
        for dropped in arrived.cancelled {
            self.sender.metrics.settled(DeliveryState::Cancelled, None);
            if let Some(lane) = self.lanes.get_mut(&dropped.endpoint) {
                lane.cancelled(dropped.seq);
                self.serve(dropped.endpoint);
            }
        }
        if arrived.overflowed {
            match self.sender.store.lane_list().await {
                Ok(waiting) => {
                    for lane in waiting
                        .into_iter()
                        .filter(|lane| self.share.shards.is_mine(*lane))
                        .collect::<Vec<_>>()
                    {
                        // How urgent it is was not told.
                        self.lanes.entry(lane).or_default().look_again(Priority::Urgent);
                        self.serve(lane);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the store did not say which lanes wait; asking again");
                    self.wake.overflow();
                }
            }
        }
    }

    fn event(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Sent(Sent {
                lane,
                count,
                again,
                pause,
                posts,
                asked,
                rates,
                change,
                held_until,
                reserved_until,
            }) => {
                let outdated = self.lanes.get_mut(&lane).is_some_and(Lane::take_outdated);
                match change {
                    Some(_) if outdated => self.forget(lane),
                    Some(change) => self.learn(lane, change.health),
                    None => {}
                }
                if let Some(found) = self.lanes.get_mut(&lane) {
                    if let Some(rates) = rates {
                        found.learn(&rates, self.sent_before, self.digest_after);
                        found.learn_phase(spread::phase(lane));
                    }
                    posts.into_iter().for_each(|at| found.posted(now.minus(at.elapsed())));
                    found.sent(count, again, pause);
                    let later = |until| spread::later(lane, now, until);
                    asked.into_iter().chain(held_until.map(later)).for_each(|until| found.pause(until));
                    reserved_until.map(later).into_iter().for_each(|until| found.reserve(until));
                }
                if self.share.is_leaving(lane) {
                    return self.came_to_rest(lane);
                }
                self.serve_at(now, lane);
            }
            Event::Expired(lane, count) => {
                if let Some(found) = self.lanes.get_mut(&lane) {
                    found.expired(count);
                }
                self.serve_at(now, lane);
            }
            Event::Dropped(lane, seqs) => {
                if let Some(found) = self.lanes.get_mut(&lane) {
                    found.dropped(&seqs);
                }
                self.serve_at(now, lane);
            }
            Event::Compared(unwell) => {
                let (unwell, now) = (unwell.into_iter().collect::<HashSet<_>>(), self.clock.now());
                self.health.retain(|lane, health| {
                    unwell.contains(lane) || (!health.is_told(now) && now.since(health.since) < COMPARE_EVERY)
                });
            }
            Event::Loaded(lane, batch) => {
                if let Some(found) = self.lanes.get_mut(&lane) {
                    match batch {
                        Ok(batch) => found.loaded(batch),
                        Err(error) => {
                            tracing::error!(%error, "a lane cannot be read");
                            found.load_failed(now.plus(LOAD_AGAIN));
                        }
                    }
                }
                self.serve_at(now, lane);
            }
        }
    }

    /// Does what a lane wants.
    pub(crate) fn serve(&mut self, id: EndpointId) {
        let now = self.now();
        self.serve_at(now, id);
    }

    /// The same, for whoever has just looked at the clock.
    fn serve_at(&mut self, now: Timestamp, id: EndpointId) {
        if self.share.is_leaving(id) {
            return;
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let health = if self.health.is_empty() { None } else { self.health.get(&id).copied() };
        match lane.wish(now, health.and_then(|health| health.until)) {
            Wish::Busy => self.timer.clear(id),
            Wish::Wait(until) => self.timer.set(id, until),
            Wish::Done => {
                self.timer.clear(id);
                self.lanes.remove(&id);
            }
            Wish::Load => {
                let room = lane.load_room();
                let (store, events) = (self.sender.store.clone(), self.events.clone());
                self.tasks.spawn(async move {
                    let batch = store.lane_take(id, room).await;
                    // The loop is gone only when the engine stops.
                    drop(events.send(Event::Loaded(id, batch)).await);
                });
            }
            Wish::Drop(keep) => {
                let (sender, events) = (Arc::clone(&self.sender), self.events.clone());
                self.tasks.spawn(async move {
                    let dropped = sender.drop_oldest(id, keep).await;
                    drop(events.send(Event::Dropped(id, dropped)).await);
                });
            }
            Wish::Send(count) => {
                let posts_max = lane.room(now);
                let turn = Turn { lane: id, batch: lane.begin(count), room: posts_max, health };
                let (sender, events) = (Arc::clone(&self.sender), self.events.clone());
                self.tasks.spawn(async move {
                    if let Some(sent) = sender.attempt(turn).await {
                        drop(events.send(Event::Sent(sent)).await);
                    }
                });
            }
            Wish::Expire(count) => {
                let batch = lane.begin_expiry(count);
                let (sender, events) = (Arc::clone(&self.sender), self.events.clone());
                self.tasks.spawn(async move {
                    sender.expire(batch).await;
                    drop(events.send(Event::Expired(id, count)).await);
                });
            }
        }
    }

    fn learn(&mut self, lane: EndpointId, health: Option<Health>) {
        match health {
            Some(health) => drop(self.health.insert(lane, health)),
            None => drop(self.health.remove(&lane)),
        }
    }

    /// Takes out of the store what an attempt said that began before its endpoint was released.
    fn forget(&self, endpoint: EndpointId) {
        let store = self.sender.store.clone();
        self.tasks.spawn(async move {
            let well = HealthChange { endpoint, health: None };
            if let Err(error) = store.health_note(vec![well], Vec::new()).await {
                tracing::error!(%error, "that an endpoint was released cannot be written down");
            }
        });
    }

    /// Forgets what the store no longer knows.
    fn compare(&self) {
        if self.health.is_empty() {
            return;
        }
        let (store, events) = (self.sender.store.clone(), self.events.clone());
        self.tasks.spawn(async move {
            match store.health_list().await {
                Ok(unwell) => {
                    let unwell = unwell.into_iter().map(|(lane, _health)| lane).collect();
                    drop(events.send(Event::Compared(unwell)).await);
                }
                Err(error) => tracing::error!(%error, "the store did not say which endpoints are not well"),
            }
        });
    }

    fn count(&self) {
        let metrics = &self.sender.metrics;
        metrics.lanes.set(i64::try_from(self.lanes.len()).unwrap_or(i64::MAX));
        let queued: usize = self.lanes.values().map(Lane::depth).sum();
        metrics.queued.set(i64::try_from(queued).unwrap_or(i64::MAX));
        for standing in Standing::ALL {
            let count = self.health.values().filter(|health| health.standing == standing).count();
            metrics.standing(standing, count);
        }
    }
}
