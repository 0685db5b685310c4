//! One run: lives of the program over one database, until nothing waits any more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::chance::SeededChance;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::message::{Body, Content, Locale, Message};
use carillon_model::retry::RetryPolicy;
use carillon_model::{Clock, Timestamp};
use carillon_provider::{ProviderSettings, Providers};
use carillon_store::delivery::StoredMessage;
use carillon_store::pick::Moved;
use carillon_store::{Hand, NoObserver, Store};
use prometheus_client::registry::Registry;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::check::ATTEMPTS_MAX;
use crate::history::{Answer, History, Record};
use crate::plan::Lane;
use crate::platform::{Platforms, mark};
use crate::template::Template;
use crate::world::{Mark, Trace, World, WorldClock};

/// How long after all is calm something may still wait, in milliseconds: an hour to live, and the longest penalties.
const PATIENCE: i64 = 3 * 3_600_000;
/// How long an orderly stop may take.
const DRAIN: Duration = Duration::from_secs(60);

/// How a life ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It was cut, or could not begin.
    Cut,
    Stopped,
    Finished,
}

/// Runs a seed, and gives what happened and the trace of it.
pub(crate) fn run(seed: u64, template: &Template, loud: bool) -> (History, Trace) {
    let world = World::new(seed, loud);
    let dir = template.copy();
    let mut cuts = world.plan.crashes.clone().into_iter();
    let mut stops = world.plan.stops.clone().into_iter();
    for life in 0.. {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime needs nothing but memory");
        let end = runtime.block_on(async {
            world.begin(cuts.next());
            let end = tokio::select! {
                biased;
                () = world.cut() => End::Cut,
                end = Life::lead(&world, template, dir.path(), life, &mut stops) => end,
            };
            world.note(("life", life, end == End::Cut));
            let now = world.now();
            match end {
                End::Cut => world.state().history.cuts.push(now),
                End::Stopped | End::Finished => world.state().history.stops.push(now),
            }
            world.end(world.dice.between(0, 3_000));
            end
        });
        drop(runtime);
        match end {
            End::Cut => {}
            End::Stopped => world.state().requests.clear(),
            End::Finished => break,
        }
    }
    let history = world.state().history.clone();
    (history, world.trace())
}

struct Life {
    world: Arc<World>,
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<SeededChance>,
    tasks: TaskTracker,
}

impl Life {
    async fn lead(
        world: &Arc<World>,
        template: &Template,
        dir: &Path,
        number: u64,
        stops: &mut impl Iterator<Item = i64>,
    ) -> End {
        let settings =
            carillon_store::Settings { data_dir: dir.to_owned(), key_file: None, database_url: None };
        let clock: Arc<dyn Clock> = Arc::new(WorldClock(Arc::clone(world)));
        let chance = Arc::new(SeededChance::new(world.state().history.seed ^ (number << 48)));
        let opened = Store::open_by_hand(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver));
        let (store, hand) = opened.expect("the file is there and sound");
        let store = match world.plan.fan_out {
            Some((over, portion)) => store.with_fan_out(over, portion),
            None => store,
        };
        let tasks = TaskTracker::new();
        tasks.spawn(drive(Arc::clone(world), hand));
        let life = Arc::new(Self { world: Arc::clone(world), store, clock, chance, tasks });
        life.look_back(template).await;
        let Ok(engine) = life.engine().await else { return End::Cut };
        let publishing = (0..2).map(|_| life.tasks.spawn(Arc::clone(&life).publish(template.clone())));
        let publishing: Vec<_> = publishing.collect();
        let stop = stops.next();
        let wait = stop.map(|at| Duration::from_millis((at - world.now()).max(0).unsigned_abs()));
        tokio::select! {
            biased;
            () = async { sleep(wait.unwrap_or_default()).await }, if wait.is_some() => {
                engine.drain(DRAIN).await;
                return End::Stopped;
            }
            () = async {
                for one in publishing {
                    one.await.expect("a publisher does not panic");
                }
            } => {}
        }
        life.finish().await;
        world.note("drained");
        if !engine.drain(DRAIN).await {
            world.state().history.ended = None;
        }
        life.read_records(template).await;
        End::Finished
    }

    async fn engine(&self) -> Result<Engine, carillon_store::Error> {
        let wire = Arc::new(Platforms(Arc::clone(&self.world)));
        let parts = Parts {
            store: self.store.clone(),
            providers: Arc::new(Providers::over(wire, ProviderSettings::default(), self.clock.clone())),
            clock: self.clock.clone(),
            chance: self.chance.clone(),
            metrics: Metrics::new(&mut Registry::default()),
        };
        let retry = RetryPolicy {
            attempts_max: u32::try_from(ATTEMPTS_MAX).unwrap_or(u32::MAX),
            wait_max: Duration::from_secs(60),
            ..RetryPolicy::default()
        };
        Engine::start(parts, Settings { retry, ..Settings::default() }).await
    }

    /// Looks what was under way when the last life ended, and is not written down as ended.
    async fn look_back(&self, template: &Template) {
        let mut under_way: Vec<(Lane, Mark)> = Vec::new();
        for lane in Lane::ALL {
            let mine = |(to, request): &(Lane, crate::world::Request)| (*to == lane).then(|| request.clone());
            let requests: Vec<_> = self.world.state().last_requests.iter().filter_map(mine).collect();
            let Some(first) = requests.last().and_then(|last| last.marks.first().copied()) else { continue };
            // The parts of a long message are one attempt.
            let alike =
                requests.iter().rev().enumerate().take_while(|(place, request)| {
                    *place == 0 || request.marks.iter().all(|it| it.0 == first.0)
                });
            let arrived = alike.filter(|(_, request)| request.arrived);
            under_way.extend(arrived.flat_map(|(_, request)| request.marks.clone()).map(|mark| (lane, mark)));
        }
        for (lane, mark) in under_way {
            let records = self.records(template, mark.0).await;
            if records.iter().any(|record| record.lane == lane && !record.state.is_final()) {
                self.world.state().history.under_way.push((lane, mark));
            }
        }
        self.world.state().last_requests.clear();
    }

    async fn records(&self, template: &Template, number: usize) -> Vec<Record> {
        let (id, lanes) = {
            let state = self.world.state();
            let told = &state.history.messages[number];
            (told.id, told.lanes)
        };
        let Some(id) = id else { return Vec::new() };
        loop {
            match self.store.delivery_list(&template.project, id, 0, 10).await {
                Ok(list) => return list.iter().map(|record| Record::new(lanes, record)).collect(),
                Err(_broken) => sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// Publishes what is planned and was not taken by another.
    async fn publish(self: Arc<Self>, template: Template) {
        let world = &self.world;
        loop {
            let number = world.state().next;
            world.state().next += 1;
            let Some(publish) = world.plan.publishes.get(number) else { return };
            let wait = publish.at - world.now();
            sleep(Duration::from_millis(wait.max(0).unsigned_abs())).await;
            let topic = &template.topics[publish.topic];
            let Ok(recipients) = self.store.recipient_list(topic.id).await else {
                world.state().history.messages[number].answer = Answer::Refused;
                continue;
            };
            let now = self.clock.now();
            let id = MessageId::new(now, self.chance.as_ref());
            let text: Vec<String> = (0..publish.marks)
                .map(|piece| {
                    format!(
                        "{}{}",
                        mark((number, piece)),
                        "\nso it goes".repeat(if publish.marks > 1 { 180 } else { 1 })
                    )
                })
                .collect();
            let expires_at = Timestamp(now.0 + publish.life);
            let message = Message {
                id,
                project: template.project.clone(),
                topic: topic.id,
                content: Content {
                    subject: publish.subject.map(str::to_owned),
                    default: Body::text(text.join("\n")),
                    ..Content::default()
                },
                priority: publish.priority,
                locale: Locale::English,
                created_at: now,
                expires_at,
            };
            {
                let mut state = world.state();
                let place = state.history.messages.iter().filter(|told| told.id.is_some()).count();
                let told = &mut state.history.messages[number];
                (told.id, told.place, told.expires_at) = (Some(id), place, expires_at.0);
            }
            let stored = StoredMessage { message, topic_name: topic.name.clone() };
            let result = self.store.message_publish(stored, recipients).await;
            let answer = if result.is_ok() { Answer::Accepted } else { Answer::Refused };
            world.note(("answered", number, answer));
            world.state().history.messages[number].answer = answer;
            if let (Some(after), Answer::Accepted) = (publish.cancel_after, answer) {
                self.tasks.spawn(Arc::clone(&self).cancel(template.clone(), number, id, after));
            }
        }
    }

    async fn cancel(self: Arc<Self>, template: Template, number: usize, id: MessageId, after: i64) {
        sleep(Duration::from_millis(after.unsigned_abs())).await;
        self.world.state().history.messages[number].cancel_asked = true;
        let moved = self.store.delivery_cancel(&template.project, DeliveryId::new(id, 1)).await;
        let now = self.world.now();
        self.world.note(("cancel", number, matches!(moved, Ok(Moved::Done))));
        if matches!(moved, Ok(Moved::Done)) {
            self.world.state().history.messages[number].cancelled_at = Some(now);
        }
    }

    /// Waits until nothing waits in any lane, or far too long.
    async fn finish(&self) {
        let mut nap = Duration::from_secs(1);
        let end = self.world.plan.calm_at + PATIENCE;
        while self.world.now() < end {
            let is_placed = self.store.fan_out_waits().await.is_ok_and(|waits| !waits);
            if is_placed && self.store.lane_list().await.is_ok_and(|lanes| lanes.is_empty()) {
                let now = self.world.now();
                self.world.state().history.ended = Some(self.world.wall(now));
                break;
            }
            sleep(nap).await;
            nap = (nap * 3 / 2).min(Duration::from_secs(60));
        }
    }

    async fn read_records(&self, template: &Template) {
        for number in 0..self.world.plan.publishes.len() {
            let records = self.records(template, number).await;
            self.world.note(records.iter().map(|it| (it.state, it.attempts.clone())).collect::<Vec<_>>());
            self.world.state().history.messages[number].records = records;
        }
    }
}

/// Does the store's work, as late and in such portions as the seed wants.
async fn drive(world: Arc<World>, mut hand: Hand) {
    while hand.waiting().await > 0 {
        match world.dice.between(0, world.plan.commit_max) {
            0 => tokio::task::yield_now().await,
            millis => sleep(Duration::from_millis(millis.unsigned_abs())).await,
        }
        let all = hand.waiting().await;
        let count = if world.dice.permille(200) { 1 + world.dice.index(all) } else { all };
        if world.is_broken() {
            world.note(("refused", count));
            hand.refuse(count, "the disk is full");
            continue;
        }
        world.step("before commit").await;
        let held = hand.commit(count);
        world.step("after commit").await;
        held.answer();
    }
}
