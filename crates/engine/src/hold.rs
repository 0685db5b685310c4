//! Pauses that reach further than one endpoint: a host that bans this machine's address, an organisation whose quota is
//! used up.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use carillon_model::Timestamp;
use carillon_model::outcome::{Outcome, Scope, Verdict};
use carillon_model::scope;
use carillon_model::subscription::Target;
use carillon_store::Store;
use carillon_store::health::{Hold, ScopeKey};

/// What must be left alone, and until when.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// How many there are, so that nothing is looked up while there is none.
    count: AtomicUsize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    held: HashMap<ScopeKey, Hold>,
    unwritten: Vec<Hold>,
}

impl Holds {
    /// Those that an earlier run learned.
    pub(crate) fn from_store(holds: Vec<Hold>) -> Self {
        let held: HashMap<ScopeKey, Hold> = holds.into_iter().map(|hold| (hold.scope, hold)).collect();
        Self { count: AtomicUsize::new(held.len()), known: Mutex::new(Known { held, unwritten: Vec::new() }) }
    }

    /// Says that the clock was set by so much: every hold lasts as long as before.
    pub(crate) fn clock_was_set(&self, by_ms: i64) {
        let mut known = self.known.lock().expect("no code panics while it holds the holds");
        let Known { held, unwritten } = &mut *known;
        held.values_mut().chain(unwritten).for_each(|hold| hold.until = hold.until.shifted(by_ms));
    }

    /// Until when nothing may be sent to a target, for what it shares with others.
    pub(crate) fn until(&self, store: &Store, target: &Target, now: Timestamp) -> Option<Timestamp> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let scopes =
            [Scope::Host, Scope::Organisation].into_iter().filter_map(|scope| scope::name(target, scope));
        let keys: Vec<ScopeKey> = scopes.map(|name| store.scope_key(&name)).collect();
        let mut known = self.known.lock().expect("no code panics while it holds the holds");
        known.held.retain(|_key, hold| hold.until > now);
        self.count.store(known.held.len(), Ordering::Relaxed);
        keys.iter().filter_map(|key| known.held.get(key)).map(|hold| hold.until).max()
    }

    /// Learns from a verdict how far it reaches.
    pub(crate) fn learn(&self, store: &Store, target: &Target, verdict: &Verdict, now: Timestamp) {
        let Outcome::Later { wait: Some(wait), scope } = verdict.outcome else { return };
        let Some(name) = scope::name(target, scope) else { return };
        let hold = Hold { scope: store.scope_key(&name), reason: verdict.reason, until: now.plus(wait) };
        tracing::warn!(
            reason = hold.reason.name(),
            ?scope,
            until = %hold.until,
            "the platform wants more than one endpoint left alone"
        );
        let mut known = self.known.lock().expect("no code panics while it holds the holds");
        known.held.insert(hold.scope, hold);
        known.unwritten.push(hold);
        self.count.store(known.held.len(), Ordering::Relaxed);
    }

    /// What was learned and is not durable yet.
    pub(crate) fn take_unwritten(&self) -> Vec<Hold> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut known = self.known.lock().expect("no code panics while it holds the holds");
        std::mem::take(&mut known.unwritten)
    }
}
