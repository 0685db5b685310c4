//! One lane: what waits for one endpoint, in its order and under its rates. No clock, no task, no store in here; the
//! loop asks and tells.
//!
//! Urgent deliveries go before others, and within a priority the order is that of acceptance. When more waits than the
//! endpoint's rates let through soon (a storm), posts keep an even distance, so that what waits can gather, and each
//! takes as many deliveries as fit into it. A subscription may want its messages one by one instead, or the oldest dropped.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::message::Priority;
use carillon_model::pace::Pace;
use carillon_model::rate::Rate;
use carillon_model::subscription::Overflow;
use carillon_store::delivery::Ready;
use carillon_store::lane::{Room, Taken};

use crate::held::Held;
use crate::queue::Queue;

/// How many deliveries of a lane are kept in memory; the rest waits in the store.
pub(crate) const LANE_QUEUE_MAX: usize = 128;
/// Of how many bytes of text no more is put in memory behind them. It is what as many messages of two kilobytes have, so
/// that a lane holds more than a minute's worth of any rate.
const LANE_BYTES_MAX: usize = 256 * 1024;
/// How many posts of a rate only urgent deliveries may use.
const RESERVE: u32 = 2;

/// What a lane wants the loop to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Send the first of what waits now, and as many behind it as one post takes, up to this many in all.
    Send(usize),
    /// Ask again then.
    Wait(Timestamp),
    /// Let the first of what waits, so many, end: their time to live is over, and nothing may be sent now.
    Expire(usize),
    /// Let the oldest end that may be dropped, but for so many.
    Drop(usize),
    /// Bring more from the store.
    Load,
    /// Nothing: it is busy.
    Busy,
    /// Nothing waits in it, and nothing of it must be remembered.
    Done,
}

/// How far the dropping of the oldest is, between two posts.
#[derive(Debug, Default, PartialEq, Eq)]
enum Dropping {
    #[default]
    Open,
    UnderWay,
    Done,
}

/// What the store may have beyond what is in memory.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum InStore {
    #[default]
    Nothing,
    /// Something came of which it is not known how much it is.
    Something,
    /// More than memory holds: a storm, whatever else there is.
    Many,
}

/// The deliveries of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    queue: Queue,
    /// The highest place ever taken in, from the store or by hand-over.
    last_seq: i64,
    in_store: InStore,
    loading: bool,
    /// The highest priority of what came into the store while it was read.
    came_meanwhile: Option<Priority>,
    /// How many of the first are being sent.
    sending: usize,
    /// What was in a post that is tried again.
    held: Held,
    /// Whose held post is being sent, instead of the first of the queue.
    sends_held: Option<Priority>,
    /// The places of those that were cancelled while they were being sent: there is no other try of them.
    cancelled: Vec<i64>,
    /// Whether it was released while something was being sent: what that says of the endpoint is out of date.
    outdated: bool,
    /// Whether the oldest were dropped since something was sent last.
    dropping: Dropping,
    /// Nothing is sent before, whatever waits.
    paused_until: Option<Timestamp>,
    /// Nothing but what is urgent is sent before.
    reserved_until: Option<Timestamp>,
    /// When those are due, by their places, that were tried and left to the store.
    due: Vec<(i64, Timestamp)>,
    /// By how much the clock was set before anything was read from the store, which has the times of the old one.
    set_by_ms: i64,
    pace: Pace,
    /// What the rates let through within this time may wait.
    patience: Duration,
}

impl Lane {
    /// A lane of which only the store knows what waits.
    pub(crate) fn from_store() -> Self {
        Self { in_store: InStore::Something, ..Self::default() }
    }

    /// Takes in a delivery that was just accepted, if the store has none before it and there is room; else the store
    /// keeps it. Tells whether it was taken in.
    pub(crate) fn arrive(&mut self, ready: Ready) -> bool {
        let in_order = ready.seq > self.last_seq;
        if self.has_more() || self.loading || !in_order || self.is_full() {
            self.read_again(ready.stored.message.priority);
            return false;
        }
        self.last_seq = ready.seq;
        self.insert(ready);
        true
    }

    /// Forgets what was cancelled in place `seq`, so that nothing waits for its due time. What is being sent stays
    /// until it comes back, and is not tried again.
    pub(crate) fn cancelled(&mut self, seq: i64) {
        if let Some(priority) = self.held.priority_of(seq) {
            if self.sends_held == Some(priority) {
                return self.cancelled.push(seq);
            }
            self.held.forget(seq);
            return self.release_single();
        }
        let found = self.queue.iter().position(|ready| ready.seq == seq);
        match found {
            Some(place) if place < self.fixed() => self.cancelled.push(seq),
            Some(place) => self.queue.remove(place),
            None => {}
        }
    }

    /// How many of the queue's first stay where they are, since they are being sent.
    fn fixed(&self) -> usize {
        if self.sends_held.is_some() { 0 } else { self.sending }
    }

    /// Puts a delivery behind those of its priority; what is under way stays in front.
    fn insert(&mut self, ready: Ready) {
        let priority = ready.stored.message.priority;
        let last = self.queue.iter().rposition(|other| other.stored.message.priority >= priority);
        let place = last.map_or(0, |last| last + 1).max(self.fixed());
        self.queue.insert(place, ready);
    }

    /// Puts a delivery that came before them in front of those of its priority.
    fn put_back(&mut self, ready: Ready) {
        let priority = ready.stored.message.priority;
        let behind = self.queue.iter().skip(self.fixed());
        let more = behind.take_while(|other| other.stored.message.priority > priority).count();
        self.queue.insert(self.fixed() + more, ready);
    }

    /// What has nobody left to go together with goes as any other.
    fn release_single(&mut self) {
        for ready in self.held.take_single() {
            self.put_back(ready);
        }
    }

    /// Says that the clock was set by so much: what was to be waited for is as far away as before.
    pub(crate) fn clock_was_set(&mut self, by_ms: i64) {
        self.pace.shift(by_ms);
        self.paused_until = self.paused_until.map(|until| until.shifted(by_ms));
        self.reserved_until = self.reserved_until.map(|until| until.shifted(by_ms));
        let due = self.due.iter_mut().map(|(_seq, at)| at);
        self.queue.due_times().chain(self.held.due_times()).chain(due).for_each(|at| *at = at.shifted(by_ms));
        if self.last_seq == 0 {
            self.set_by_ms += by_ms;
        }
    }

    /// Whether memory holds enough of it.
    fn is_full(&self) -> bool {
        self.depth() >= LANE_QUEUE_MAX || self.queue.bytes() >= LANE_BYTES_MAX
    }

    fn has_more(&self) -> bool {
        self.in_store > InStore::Nothing
    }

    /// Takes in what the store gave for a load, which may be fewer than it found, where they are large.
    pub(crate) fn loaded(&mut self, Taken { ready: mut batch, found }: Taken) {
        self.loading = false;
        let more = found > batch.len();
        if self.last_seq == 0 {
            let tried = batch.iter_mut().filter(|ready| ready.attempts > 0);
            let due = tried.map(|ready| {
                ready.due_at = ready.due_at.shifted(self.set_by_ms);
                ready.due_at
            });
            // What an earlier run postponed may have been told to stay away; urgent ones must not press on.
            self.paused_until = self.paused_until.max(due.max());
        }
        for (seq, due_at) in self.due.drain(..) {
            batch.iter_mut().filter(|ready| ready.seq == seq).for_each(|ready| ready.due_at = due_at);
        }
        let before = self.queue.len();
        for ready in batch {
            self.last_seq = self.last_seq.max(ready.seq);
            // What was held alone may have come back into the queue since it was asked for.
            let is_here = self.queue.iter().take(before).any(|other| other.seq == ready.seq);
            if !is_here && self.held.priority_of(ready.seq).is_none() {
                self.queue.push_back(ready);
            }
        }
        // What arrived meanwhile set the flag again; only a short batch that nothing followed empties the store.
        if found.saturating_sub(self.held.len()) >= LANE_QUEUE_MAX {
            self.in_store = InStore::Many;
        } else if more {
            self.in_store = self.in_store.max(InStore::Something);
        }
        self.let_pass_what_came_meanwhile();
    }

    /// How much to bring from the store, which gives what is held once more; one beyond that however large it is.
    pub(crate) fn load_room(&self) -> Room {
        let held = self.held.len() as u64;
        Room { most: held + LANE_QUEUE_MAX as u64, least: held + 1, bytes: LANE_BYTES_MAX as u64 }
    }

    /// A load failed; the store is asked again then.
    pub(crate) fn load_failed(&mut self, retry_at: Timestamp) {
        self.loading = false;
        self.in_store = self.in_store.max(InStore::Something);
        self.paused_until = Some(retry_at);
    }

    /// Learns the endpoint's rates, and how long what they hold back may wait before something is done about it.
    pub(crate) fn learn(&mut self, rates: &Arc<[Rate]>, sent_before: Timestamp, patience: Duration) {
        self.pace.learn(rates, sent_before);
        self.patience = patience;
    }

    /// Learns its share of a span, of 65,536: when it begins of many lanes that wait for the same moment.
    pub(crate) fn learn_phase(&mut self, phase: u16) {
        self.pace.learn_phase(phase);
    }

    /// What to do now. Nothing is sent before `hold`, when the endpoint is to be left alone until then.
    pub(crate) fn wish(&mut self, now: Timestamp, hold: Option<Timestamp>) -> Wish {
        if self.sending > 0 || self.loading || self.dropping == Dropping::UnderWay {
            return Wish::Busy;
        }
        self.reserved_until = self.reserved_until.filter(|until| *until > now);
        if let Some(until) = hold.into_iter().chain(self.paused_until).max().filter(|until| *until > now) {
            return self.wish_held(now, until);
        }
        // What is held is not looked behind: the store may have an urgent one.
        let (first, held) = match self.front() {
            Some(found) if !(self.queue.is_empty() && self.has_more()) => found,
            Some(_) | None => return self.wish_empty(now),
        };
        let urgent = first.stored.message.priority == Priority::Urgent;
        let merges = first.overflow == Overflow::Digest;
        let storm = merges && self.is_storm(now);
        // One that was never tried waits for nothing, even when the clock was set back since it was accepted.
        let due_at = if first.attempts > first.attempts_before { first.due_at } else { now };
        if let Some(until) = self.reserved_until.filter(|_until| !urgent) {
            return self.wish_held(now, until);
        }
        let paced = if urgent { self.pace.next_at(now, 0) } else { self.pace.calm_at(now, RESERVE) };
        let mut at = paced.max(due_at);
        if storm
            && !urgent
            && let Some(last) = self.pace.last()
        {
            at = at.max(last.plus(self.pace.gap()));
        }
        if at > now {
            return self.wish_later(at, merges && !storm);
        }
        self.paused_until = None;
        if let Some(keep) = self.too_many(now).filter(|_keep| !urgent) {
            self.dropping = Dropping::UnderWay;
            return Wish::Drop(keep);
        }
        if held > 0 {
            return Wish::Send(held);
        }
        // An urgent one is not to be looked for among many others.
        let merged = self.queue.iter().take_while(|ready| ready.overflow == Overflow::Digest);
        let is_urgent = |ready: &&Ready| ready.stored.message.priority == Priority::Urgent;
        let alike = merged.clone().take_while(is_urgent).count();
        Wish::Send(match (storm, urgent) {
            (true, true) => alike,
            (true, false) => merged.count(),
            (false, _) => 1,
        })
    }

    /// What goes next, and how many are held to go together with it: urgent ones before others, and within a priority
    /// what is tried again.
    fn front(&self) -> Option<(&Ready, usize)> {
        let held =
            |priority| self.held.of(priority).first().map(|first| (first, self.held.of(priority).len()));
        let queued = self.queue.front().map(|first| (first, 0));
        let urgent = queued.filter(|(first, _)| first.stored.message.priority == Priority::Urgent);
        held(Priority::Urgent).or(urgent).or_else(|| held(Priority::Normal)).or(queued)
    }

    fn load(&mut self) -> Wish {
        self.in_store = InStore::Nothing;
        self.loading = true;
        Wish::Load
    }

    /// What was to be dropped has ended, in these places, lowest first; nobody else has ended there.
    pub(crate) fn dropped(&mut self, seqs: &[i64]) {
        self.dropping = Dropping::Done;
        self.queue.retain(|ready| seqs.binary_search(&ready.seq).is_err());
    }

    /// Gives the first of the queue out to end without an attempt; they stay first until [`Lane::expired`].
    pub(crate) fn begin_expiry(&mut self, count: usize) -> Vec<Ready> {
        let batch: Vec<Ready> = self.queue.iter().take(count).cloned().collect();
        self.sending = batch.len();
        batch
    }

    /// Gives the first deliveries out to be sent; they stay where they are until [`Lane::sent`].
    pub(crate) fn begin(&mut self, count: usize) -> Vec<Ready> {
        self.dropping = Dropping::Open;
        let held = self.front().filter(|(_, held)| *held > 0).map(|(first, _)| first.stored.message.priority);
        self.sends_held = held;
        let batch: Vec<Ready> = match held {
            Some(priority) => self.held.of(priority).to_vec(),
            None => self.queue.iter().take(count).cloned().collect(),
        };
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

    /// Those given out to expire have ended.
    pub(crate) fn expired(&mut self, count: usize) {
        self.sending = 0;
        self.cancelled.clear();
        self.queue.drop_first(count);
    }

    /// Nothing is sent before `until`.
    pub(crate) fn pause(&mut self, until: Timestamp) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Nothing but what is urgent is sent before `until`.
    pub(crate) fn reserve(&mut self, until: Timestamp) {
        self.reserved_until = Some(until);
        // The store may have an urgent one behind what was read: it gives those first.
        if self.has_more() && !self.loading {
            self.leave_to_store(0);
        }
    }

    /// Whatever was to be waited for is over; what waits for its next try is tried now.
    pub(crate) fn release(&mut self, now: Timestamp) {
        self.outdated = self.sending > 0;
        (self.paused_until, self.reserved_until) = (None, None);
        let due = self.due.iter_mut().map(|(_seq, at)| at);
        let first = self.queue.due_times().take(1).chain(self.held.due_times()).chain(due);
        first.for_each(|at| *at = now.min(*at));
    }

    /// The first `count` deliveries have ended, but for those in `again`, which are tried again together and keep
    /// their places; the lane waits for them, but for urgent ones. Where the endpoint asked for a pause, urgent ones
    /// wait too. What was given out beyond them did not fit and waits on.
    pub(crate) fn sent(&mut self, count: usize, mut again: Vec<Ready>, pause: bool) {
        self.sending = 0;
        if pause {
            self.paused_until = again.iter().map(|ready| ready.due_at).max();
        }
        // The endpoint's wish holds for the others, too; the try does not come.
        let cancelled = std::mem::take(&mut self.cancelled);
        again.retain(|ready| !cancelled.contains(&ready.seq));
        match self.sends_held.take() {
            None => self.queue.drop_first(count),
            // Nothing was sent: it stays as it is.
            Some(_) if count == 0 => {}
            Some(priority) => {
                let mut post = self.held.take(priority);
                let beyond = post.split_off(count.min(post.len()));
                beyond.into_iter().rev().for_each(|ready| self.put_back(ready));
            }
        }
        for seq in cancelled {
            self.queue.retain(|ready| ready.seq != seq);
            self.held.forget(seq);
        }
        if again.len() > 1 {
            self.held.put(again);
        } else if let Some(one) = again.pop() {
            // One that goes alone lets urgent ones pass.
            self.put_back(one);
        }
        self.release_single();
    }

    /// Whether something of it is under way.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending > 0
    }

    /// Tells, once, whether what was being sent began before the lane was released.
    pub(crate) fn take_outdated(&mut self) -> bool {
        std::mem::take(&mut self.outdated)
    }

    /// How many deliveries wait in memory.
    pub(crate) fn depth(&self) -> usize {
        self.queue.len() + self.held.len()
    }
}

#[path = "lane_storm.rs"]
mod storm;
#[path = "lane_wait.rs"]
mod wait;
#[path = "lane_word.rs"]
mod word;

#[cfg(test)]
#[path = "lane_held_tests.rs"]
mod held_tests;
#[cfg(test)]
#[path = "lane_reserved_tests.rs"]
mod reserved_tests;
#[cfg(test)]
#[path = "lane_tests.rs"]
pub(crate) mod tests;
