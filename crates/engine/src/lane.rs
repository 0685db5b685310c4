//! One lane: what waits for one endpoint, in its order and under its rates. No clock, no task, no store in here; the
//! loop asks and tells.
//!
//! Urgent deliveries go before others, and within a priority the order is that of acceptance. When more waits than the
//! endpoint's rates let through soon (a storm), posts keep an even distance, so that what waits can gather, and each
//! takes as many deliveries as fit into it.

use std::collections::VecDeque;

use carillon_model::Timestamp;
use carillon_model::message::Priority;
use carillon_model::pace::{Pace, Rate};
use carillon_store::delivery::Ready;

/// How many deliveries of a lane are kept in memory; the rest waits in the store.
pub(crate) const LANE_QUEUE_MAX: usize = 128;
/// How many posts of a rate only urgent deliveries may use.
const RESERVE: u32 = 2;

/// What a lane wants the loop to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Send the first of what waits now, and as many behind it as one post takes, up to this many in all.
    Send(usize),
    /// Ask again then.
    Wait(Timestamp),
    /// Bring more from the store.
    Load,
    /// Nothing: it is busy.
    Busy,
    /// Nothing waits in it, and nothing of it must be remembered.
    Done,
}

/// The deliveries of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    queue: VecDeque<Ready>,
    /// The highest place ever taken in, from the store or by hand-over.
    last_seq: i64,
    /// Whether the store may have more than the queue.
    more_in_store: bool,
    loading: bool,
    /// How many of the first are being sent.
    sending: usize,
    /// How many of the first were in a post that is tried again: they must go together again, under the same key.
    held: Option<usize>,
    /// Nothing is sent before, whatever waits.
    paused_until: Option<Timestamp>,
    pace: Pace,
}

impl Lane {
    /// A lane of which only the store knows what waits.
    pub(crate) fn from_store() -> Self {
        Self { more_in_store: true, ..Self::default() }
    }

    /// Takes in a delivery that was just accepted, if the store has none before it and there is room; else the store
    /// keeps it. Tells whether it was taken in.
    pub(crate) fn arrive(&mut self, ready: Ready) -> bool {
        let in_order = ready.seq > self.last_seq;
        if self.more_in_store || self.loading || !in_order || self.queue.len() >= LANE_QUEUE_MAX {
            self.more_in_store = true;
            return false;
        }
        self.last_seq = ready.seq;
        self.insert(ready);
        true
    }

    /// Forgets what was cancelled in place `seq`, so that nothing waits for its due time. What is being sent stays
    /// until it comes back: whoever sends it looks for itself.
    pub(crate) fn cancelled(&mut self, seq: i64) {
        let found = self.queue.iter().position(|ready| ready.seq == seq);
        let Some(place) = found.filter(|place| *place >= self.sending) else { return };
        self.queue.remove(place);
        self.held = self.held.map(|held| held - usize::from(place < held)).filter(|held| *held > 1);
    }

    /// Puts a delivery behind those of its priority; what is under way, or held for another try, stays in front.
    fn insert(&mut self, ready: Ready) {
        let priority = ready.stored.message.priority;
        let fixed = self.sending.max(self.held.unwrap_or(0));
        let behind =
            self.queue.iter().skip(fixed).take_while(|other| other.stored.message.priority >= priority);
        let place = fixed.min(self.queue.len()) + behind.count();
        self.queue.insert(place, ready);
    }

    /// Says that the store may have deliveries that were never handed over.
    pub(crate) fn look_again(&mut self) {
        self.more_in_store = true;
    }

    /// Says that the store has a new delivery of this priority. An urgent one is not to wait for what was read already.
    pub(crate) fn read_again(&mut self, priority: Priority) {
        self.more_in_store = true;
        if priority == Priority::Urgent && !self.loading {
            self.queue.truncate(self.sending.max(self.held.unwrap_or(0)));
        }
    }

    /// Takes in what the store gave for a load; fewer than asked for means there is no more.
    pub(crate) fn loaded(&mut self, batch: Vec<Ready>) {
        self.loading = false;
        // What arrived meanwhile set the flag again; only a short batch that nothing followed empties the store.
        self.more_in_store |= batch.len() >= LANE_QUEUE_MAX;
        for ready in batch {
            self.last_seq = self.last_seq.max(ready.seq);
            self.queue.push_back(ready);
        }
    }

    /// A load failed; the store is asked again then.
    pub(crate) fn load_failed(&mut self, retry_at: Timestamp) {
        self.loading = false;
        self.more_in_store = true;
        self.paused_until = Some(retry_at);
    }

    /// Learns the endpoint's rates.
    pub(crate) fn learn(&mut self, rates: &'static [Rate], sent_before: Timestamp) {
        self.pace.learn(rates, sent_before);
    }

    /// What to do now.
    pub(crate) fn wish(&mut self, now: Timestamp) -> Wish {
        if self.sending > 0 || self.loading {
            return Wish::Busy;
        }
        let Some(first) = self.queue.front() else { return self.wish_empty(now) };
        let urgent = first.stored.message.priority == Priority::Urgent;
        // An endpoint without a rate, a web hook, gets every message by itself.
        let storm = self.pace.is_limited() && (self.queue.len() > self.pace.room(now) || self.more_in_store);
        let reserve = if urgent { 0 } else { RESERVE };
        let mut at = self.pace.next_at(now, reserve).max(first.due_at).max(self.paused_until.unwrap_or(now));
        if storm
            && !urgent
            && let Some(last) = self.pace.last()
        {
            at = at.max(last.plus(self.pace.gap()));
        }
        if at > now {
            return Wish::Wait(at);
        }
        self.paused_until = None;
        // An urgent one is not to be looked for among many others.
        let alike =
            self.queue.iter().take_while(|ready| ready.stored.message.priority == Priority::Urgent).count();
        let all = match (storm, urgent) {
            (true, true) => alike,
            (true, false) => self.queue.len(),
            (false, _) => 1,
        };
        Wish::Send(self.held.unwrap_or(all))
    }

    fn wish_empty(&mut self, now: Timestamp) -> Wish {
        if self.more_in_store {
            if let Some(until) = self.paused_until.filter(|until| *until > now) {
                return Wish::Wait(until);
            }
            self.more_in_store = false;
            self.loading = true;
            return Wish::Load;
        }
        // What was sent lately must be remembered, or the next burst would go over the rate.
        match self.pace.idle_at().into_iter().chain(self.paused_until).max() {
            Some(until) if until > now => Wish::Wait(until),
            Some(_) | None => Wish::Done,
        }
    }

    /// Gives the first deliveries out to be sent; they stay first until [`Lane::sent`].
    pub(crate) fn begin(&mut self, count: usize) -> Vec<Ready> {
        let batch: Vec<Ready> = self.queue.iter().take(count).cloned().collect();
        self.sending = batch.len();
        batch
    }

    /// A post left.
    pub(crate) fn posted(&mut self, at: Timestamp) {
        self.pace.sent(at);
    }

    /// How many posts may leave now.
    pub(crate) fn room(&self, now: Timestamp) -> usize {
        self.pace.room(now)
    }

    /// The first `count` deliveries have ended, but for those in `again`, which are tried again together and keep
    /// their places; the lane waits for them. Where the endpoint asked for a pause, urgent ones wait too. What was
    /// given out beyond them did not fit and waits on.
    pub(crate) fn sent(&mut self, count: usize, again: Vec<Ready>, pause: bool) {
        self.sending = 0;
        self.held = (again.len() > 1).then_some(again.len());
        if pause {
            self.paused_until = again.iter().map(|ready| ready.due_at).max();
        }
        self.queue.drain(..count.min(self.queue.len()));
        for ready in again.into_iter().rev() {
            self.queue.push_front(ready);
        }
    }

    /// Whether something of it is under way.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending > 0
    }

    /// How many deliveries wait in memory.
    pub(crate) fn depth(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
#[path = "lane_tests.rs"]
pub(crate) mod tests;
