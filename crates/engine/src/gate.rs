//! How many attempts are under way at once: in total, to one host, and how many of them may be further tries. Who waits
//! for a place is served by how urgent it is; hosts take turns.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

/// What kind of attempt wants a place, the first served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of an urgent message.
    Urgent,
    /// The first of a delivery.
    First,
    /// A further one: failures must not keep others from their first try.
    Again,
}

const KINDS: usize = 3;
/// After how many first tries a further one has its turn, when both wait.
const FIRST_TRIES: u32 = 3;

impl Kind {
    fn index(self) -> usize {
        match self {
            Self::Urgent => 0,
            Self::First => 1,
            Self::Again => 2,
        }
    }
}

/// Lets so many in.
#[derive(Debug)]
pub(crate) struct Gate {
    total: usize,
    per_host: usize,
    /// How many of all may be further tries.
    again_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    inside: usize,
    again: usize,
    hosts: HashMap<u64, Host>,
    /// The hosts that have somebody waiting of a kind, and perhaps room; each stands once.
    rings: [VecDeque<u64>; KINDS],
    /// How many first tries were served since the last further one.
    firsts: u32,
    /// Whether nobody is let in any more.
    shut: bool,
}

#[derive(Debug, Default)]
struct Host {
    inside: usize,
    waiting: [VecDeque<oneshot::Sender<Permit>>; KINDS],
    listed: [bool; KINDS],
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// Nothing once it was taken back before anybody had it.
    gate: Option<Arc<Gate>>,
    host: u64,
    kind: Kind,
}

/// What came of asking for a place.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Here it is.
    Now(Permit),
    /// It comes.
    Later(oneshot::Receiver<Permit>),
}

impl Gate {
    /// A gate for `total` attempts, `per_host` of them to one host.
    pub(crate) fn new(total: usize, per_host: usize) -> Arc<Self> {
        let (total, per_host) = (total.max(1), per_host.max(1));
        Arc::new(Self { total, per_host, again_max: (total / 2).max(1), state: Mutex::default() })
    }

    /// Asks for a place.
    pub(crate) fn enter(self: &Arc<Self>, host: u64, kind: Kind) -> Entry {
        let mut state = self.state.lock().expect("no code panics while it holds the gate");
        if state.shut {
            // Nobody has the other end.
            return Entry::Later(oneshot::channel().1);
        }
        let there = state.hosts.get(&host).map_or(0, |host| host.inside);
        if self.has_room(&state, kind) && there < self.per_host {
            state.let_in(host, kind);
            return Entry::Now(Permit { gate: Some(Arc::clone(self)), host, kind });
        }
        let (place, comes) = oneshot::channel();
        state.hosts.entry(host).or_default().waiting[kind.index()].push_back(place);
        state.list(host, kind);
        Entry::Later(comes)
    }

    /// Lets nobody in any more: who waits is told that no place comes. It is one call for all, where each of thousands that
    /// wait would have to listen for the stop.
    pub(crate) fn shut(&self) {
        let mut state = self.state.lock().expect("no code panics while it holds the gate");
        state.shut = true;
        state.rings.iter_mut().for_each(VecDeque::clear);
        for host in state.hosts.values_mut() {
            host.waiting.iter_mut().for_each(VecDeque::clear);
            host.listed = [false; KINDS];
        }
    }

    fn has_room(&self, state: &State, kind: Kind) -> bool {
        state.inside < self.total && (kind != Kind::Again || state.again < self.again_max)
    }

    fn leave(self: &Arc<Self>, host: u64, kind: Kind) {
        let mut state = self.state.lock().expect("no code panics while it holds the gate");
        state.let_out(host, kind);
        [Kind::Urgent, Kind::First, Kind::Again].into_iter().for_each(|kind| state.list(host, kind));
        while let Some((host, kind, place)) = self.next(&mut state) {
            state.let_in(host, kind);
            let permit = Permit { gate: Some(Arc::clone(self)), host, kind };
            if let Err(mut unwanted) = place.send(permit) {
                // Whoever waited is gone; the place is not given back through the lock that is held here.
                unwanted.gate = None;
                state.let_out(host, kind);
                state.list(host, kind);
            }
        }
    }

    /// Who is served next, if anybody can be.
    fn next(&self, state: &mut State) -> Option<(u64, Kind, oneshot::Sender<Permit>)> {
        let order = if state.firsts < FIRST_TRIES {
            [Kind::Urgent, Kind::First, Kind::Again]
        } else {
            [Kind::Urgent, Kind::Again, Kind::First]
        };
        for kind in order {
            if !self.has_room(state, kind) {
                continue;
            }
            if let Some((host, place)) = state.take(kind, self.per_host) {
                match kind {
                    Kind::Urgent => {}
                    Kind::First => state.firsts += 1,
                    Kind::Again => state.firsts = 0,
                }
                return Some((host, kind, place));
            }
        }
        None
    }
}

impl State {
    fn let_in(&mut self, host: u64, kind: Kind) {
        self.inside += 1;
        self.again += usize::from(kind == Kind::Again);
        self.hosts.entry(host).or_default().inside += 1;
    }

    fn let_out(&mut self, host: u64, kind: Kind) {
        self.inside = self.inside.saturating_sub(1);
        self.again = self.again.saturating_sub(usize::from(kind == Kind::Again));
        if let Some(found) = self.hosts.get_mut(&host) {
            found.inside = found.inside.saturating_sub(1);
            if found.inside == 0
                && found.waiting.iter().all(VecDeque::is_empty)
                && found.listed == [false; KINDS]
            {
                self.hosts.remove(&host);
            }
        }
    }

    /// Puts a host that somebody waits for into its ring.
    fn list(&mut self, host: u64, kind: Kind) {
        let index = kind.index();
        let Some(found) = self.hosts.get_mut(&host) else { return };
        if !found.waiting[index].is_empty() && !found.listed[index] {
            found.listed[index] = true;
            self.rings[index].push_back(host);
        }
    }

    /// Takes the first who waits for a host that has room. Hosts without any leave the ring until one of theirs
    /// leaves the gate.
    fn take(&mut self, kind: Kind, per_host: usize) -> Option<(u64, oneshot::Sender<Permit>)> {
        let index = kind.index();
        while let Some(host) = self.rings[index].pop_front() {
            let Some(found) = self.hosts.get_mut(&host) else { continue };
            found.listed[index] = false;
            if found.inside >= per_host {
                continue;
            }
            if let Some(place) = found.waiting[index].pop_front() {
                self.list(host, kind);
                return Some((host, place));
            }
        }
        None
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.leave(self.host, self.kind);
        }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
