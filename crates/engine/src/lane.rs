//! One lane: what waits for one endpoint, in the order it was accepted. No clock, no task, no store in here; the
//! loop asks and tells.

use std::collections::VecDeque;

use carillon_model::Timestamp;
use carillon_store::delivery::Ready;

/// How many deliveries of a lane are kept in memory; the rest waits in the store.
pub(crate) const LANE_QUEUE_MAX: usize = 64;

/// What a lane wants the loop to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Send its first delivery now.
    Send,
    /// Ask again then.
    Wait(Timestamp),
    /// Bring more from the store, behind this place.
    Load(i64),
    /// Nothing: it is busy.
    Busy,
    /// Nothing waits in it; it can be forgotten.
    Done,
}

/// The deliveries of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    queue: VecDeque<Ready>,
    /// The highest place ever taken in, from the store or by hand-over.
    last_seq: i64,
    /// Whether the store has more than the queue.
    more_in_store: bool,
    loading: bool,
    sending: bool,
    /// Nothing is sent before, whatever waits.
    paused_until: Option<Timestamp>,
}

impl Lane {
    /// A lane of which only the store knows what waits.
    pub(crate) fn from_store() -> Self {
        Self { more_in_store: true, ..Self::default() }
    }

    /// Takes in a delivery that was just accepted, if it is next in order and there is room; else the store keeps
    /// it. Tells whether it was taken in.
    pub(crate) fn arrive(&mut self, ready: Ready) -> bool {
        if self.more_in_store || self.loading || self.queue.len() >= LANE_QUEUE_MAX {
            self.more_in_store = true;
            return false;
        }
        if ready.seq <= self.last_seq {
            return false;
        }
        self.last_seq = ready.seq;
        self.queue.push_back(ready);
        true
    }

    /// Forgets what was cancelled in place `seq`, so that nothing waits for its due time. What is out to be sent stays
    /// first until it comes back: whoever sends it looks for itself.
    pub(crate) fn cancelled(&mut self, seq: i64) {
        let out = self.sending.then(|| self.queue.front().map(|first| first.seq)).flatten();
        self.queue.retain(|ready| ready.seq != seq || Some(seq) == out);
    }

    /// Says that the store may have deliveries that were never handed over.
    pub(crate) fn look_again(&mut self) {
        self.more_in_store = true;
    }

    /// Takes in what the store gave for a load; fewer than asked for means there is no more. Tells how many.
    pub(crate) fn loaded(&mut self, batch: Vec<Ready>) -> usize {
        self.loading = false;
        // What arrived meanwhile set the flag again; only a short batch that nothing followed empties the store.
        self.more_in_store = batch.len() >= LANE_QUEUE_MAX || self.more_in_store;
        let before = self.queue.len();
        for ready in batch {
            if ready.seq > self.last_seq {
                self.last_seq = ready.seq;
                self.queue.push_back(ready);
            }
        }
        self.queue.len() - before
    }

    /// A load failed; the store is asked again at the next look.
    pub(crate) fn load_failed(&mut self, retry_at: Timestamp) {
        self.loading = false;
        self.more_in_store = true;
        self.paused_until = Some(retry_at);
    }

    /// What to do now.
    pub(crate) fn wish(&mut self, now: Timestamp) -> Wish {
        if self.sending || self.loading {
            return Wish::Busy;
        }
        if let Some(until) = self.paused_until {
            if now < until {
                return Wish::Wait(until);
            }
            self.paused_until = None;
        }
        match self.queue.front() {
            Some(first) if first.due_at > now => Wish::Wait(first.due_at),
            Some(_) => Wish::Send,
            None if self.more_in_store => {
                self.more_in_store = false;
                self.loading = true;
                Wish::Load(self.last_seq)
            }
            None => Wish::Done,
        }
    }

    /// Gives the first delivery out to be sent; it stays first until [`Lane::sent`].
    pub(crate) fn begin(&mut self) -> Option<Ready> {
        let first = self.queue.front()?.clone();
        self.sending = true;
        Some(first)
    }

    /// The first delivery has ended.
    pub(crate) fn sent(&mut self) {
        self.sending = false;
        self.queue.pop_front();
    }

    /// The first delivery is to be tried again at `due_at`; the lane waits for it, since order is kept.
    pub(crate) fn again(&mut self, attempts: u32, parts_done: u32, due_at: Timestamp) {
        self.sending = false;
        if let Some(first) = self.queue.front_mut() {
            first.attempts = attempts;
            first.parts_done = parts_done;
            first.due_at = due_at;
        }
    }

    /// How many deliveries wait in memory.
    pub(crate) fn depth(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
#[path = "lane_tests.rs"]
mod tests;
