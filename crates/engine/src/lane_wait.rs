//! What a lane wants while it may not send: time, more from the store, or the end of what is past its time to live.

use carillon_model::Timestamp;

use super::{Lane, Wish};

impl Lane {
    /// Waits; and where the store may have more that would make this a storm, looks there meanwhile.
    pub(super) fn wish_later(&mut self, at: Timestamp, may_be_storm: bool) -> Wish {
        // What memory knows of a retry's time is newer than what the store does.
        let is_new = self.queue.front().is_none_or(|first| first.attempts == first.attempts_before);
        if may_be_storm && is_new && self.has_more() && self.pace.is_limited() {
            self.queue.truncate(0);
            return self.load();
        }
        Wish::Wait(at)
    }

    pub(super) fn wish_empty(&mut self, now: Timestamp) -> Wish {
        if self.has_more() {
            return self.load();
        }
        // What was sent lately must be remembered, or the next burst would go over the rate.
        match self.pace.idle_at() {
            Some(until) if until > now => Wish::Wait(until),
            Some(_) | None => Wish::Done,
        }
    }

    /// What to do while nothing may be sent before `until`: what waits in memory is let go when its time to live is
    /// over, so that a long pause does not keep it pending.
    pub(super) fn wish_held(&mut self, now: Timestamp, until: Timestamp) -> Wish {
        let expired = self.expired_first(now);
        if expired > 0 {
            return Wish::Expire(expired);
        }
        let asleep = self.paused_until.is_some_and(|until| until > now);
        // The store is asked for what may be waiting there, unless it was the store that did not answer.
        if self.queue.is_empty() && self.has_more() && !asleep {
            return self.load();
        }
        match self.expires_first() {
            Some(at) => Wish::Wait(at.min(until)),
            None if self.has_more() || asleep => Wish::Wait(until),
            None => self.wish_empty(now),
        }
    }

    /// Puts what is past its time to live in front, and tells how many those are.
    fn expired_first(&mut self, now: Timestamp) -> usize {
        if self.expires_first().is_none_or(|at| at > now) {
            return 0;
        }
        let mut past = self.held.take_past(now);
        self.release_single();
        past.extend(self.queue.take_past(now));
        let count = past.len();
        self.queue.put_first(past);
        count
    }

    /// When the first of what waits in memory is past its time to live.
    fn expires_first(&mut self) -> Option<Timestamp> {
        self.queue.expires_first().into_iter().chain(self.held.expires_first()).min()
    }
}
