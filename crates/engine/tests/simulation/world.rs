//! The world of one run: its true time, its clock, its dice, and the place where a life is cut.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use carillon_model::{Clock, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::history::{Arrival, History};
use crate::plan::{Dice, Lane, Plan};

/// The wall clock's time when true time begins.
const START: i64 = 1_750_000_000_000;

/// The trace of a run.
pub(crate) struct Trace {
    pub(crate) hash: u64,
    pub(crate) log: Vec<String>,
}

/// A request that left in this life.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) marks: Vec<Mark>,
    pub(crate) arrived: bool,
}

/// A piece of a message's text: the message's number and the piece's.
pub(crate) type Mark = (usize, usize);

pub(crate) struct State {
    /// True time when this life began, and the runtime's instant then.
    began: (i64, Option<Instant>),
    steps: u64,
    cut_at: Option<u64>,
    cut: bool,
    hasher: DefaultHasher,
    /// What was noted, in words; kept only where somebody reads it.
    log: Option<Vec<String>>,
    pub(crate) history: History,
    /// What left in this life, by lane.
    pub(crate) requests: Vec<(Lane, Request)>,
    /// What left in the life before, when that was cut.
    pub(crate) last_requests: Vec<(Lane, Request)>,
    /// Until when a far end refuses everything.
    pub(crate) penalties: Vec<(Lane, i64)>,
    /// The next publish.
    pub(crate) next: usize,
}

/// Everything around the engine and the store.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    cutting: Notify,
    state: Mutex<State>,
}

impl World {
    pub(crate) fn new(seed: u64, loud: bool) -> Arc<Self> {
        let plan = Plan::of(seed);
        let state = State {
            began: (0, None),
            steps: 0,
            cut_at: None,
            cut: false,
            hasher: DefaultHasher::new(),
            log: loud.then(Vec::new),
            history: History::new(seed, &plan),
            requests: Vec::new(),
            last_requests: Vec::new(),
            penalties: Vec::new(),
            next: 0,
        };
        Arc::new(Self { plan, dice: Dice::new(seed), cutting: Notify::new(), state: Mutex::new(state) })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the world")
    }

    /// Begins a life, inside its runtime.
    pub(crate) fn begin(&self, cut_at: Option<u64>) {
        let mut state = self.state();
        state.began.1 = Some(Instant::now());
        state.cut_at = cut_at.map(|steps| state.steps + steps);
        state.cut = false;
        let requests = std::mem::take(&mut state.requests);
        state.last_requests.extend(requests);
    }

    /// Ends a life, inside its runtime; the next begins `gap` later.
    pub(crate) fn end(&self, gap: i64) {
        let now = self.now();
        self.state().began = (now + gap, None);
    }

    /// True time, in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        let (base, instant) = self.state().began;
        let elapsed = instant.map_or(0, |instant| instant.elapsed().as_millis());
        base + i64::try_from(elapsed).unwrap_or(i64::MAX)
    }

    /// The wall clock at a true time.
    pub(crate) fn wall(&self, at: i64) -> i64 {
        let jumped: i64 = self.plan.jumps.iter().filter(|(when, _)| *when <= at).map(|(_, by)| by).sum();
        START + at + jumped
    }

    pub(crate) fn is_broken(&self) -> bool {
        let now = self.now();
        self.plan.broken.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.now() >= self.plan.calm_at
    }

    /// Something that the outside can see has happened, or is about to.
    pub(crate) fn note(&self, what: impl Hash + Debug) {
        let now = self.now();
        let mut state = self.state();
        if let Some(log) = &mut state.log {
            log.push(format!("{now:>9} {what:?}"));
        }
        (now, what).hash(&mut state.hasher);
    }

    /// A step: here a life may be cut, and nothing of a life that was cut goes on.
    pub(crate) async fn step(&self, what: &'static str) {
        self.note(what);
        let cut = {
            let mut state = self.state();
            state.steps += 1;
            state.cut |= state.cut_at == Some(state.steps);
            state.cut
        };
        if cut {
            self.cutting.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Waits until this life is cut.
    pub(crate) async fn cut(&self) {
        self.cutting.notified().await;
    }

    pub(crate) fn arrived(&self, lane: Lane, left: i64, marks: &[Mark]) {
        let at = self.now();
        self.note(("arrived", lane, marks));
        self.state().history.arrivals.push(Arrival { lane, at, left, marks: marks.to_vec() });
    }

    /// What tells two runs apart, and what there is to read of it.
    pub(crate) fn trace(&self) -> Trace {
        let mut state = self.state();
        Trace { hash: state.hasher.finish(), log: state.log.take().unwrap_or_default() }
    }
}

/// The wall clock, which jumps as planned.
pub(crate) struct WorldClock(pub(crate) Arc<World>);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.wall(self.0.now()))
    }

    fn steady(&self) -> Timestamp {
        Timestamp(self.0.now())
    }
}
