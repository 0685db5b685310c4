//! When more waits in a lane than its rates let through soon.

use carillon_model::Timestamp;
use carillon_model::message::Priority;
use carillon_model::subscription::Overflow;
use carillon_store::delivery::Ready;

use super::{Dropping, InStore, Lane, RESERVE};

/// The most posts that are looked ahead.
const AHEAD_MAX: usize = 10_000;

impl Lane {
    /// Whether more waits than the rates let through soon. An endpoint without a rate, a web hook, gets every message by
    /// itself.
    pub(super) fn is_storm(&self, now: Timestamp) -> bool {
        let waiting = self.depth();
        let soon = || self.pace.capacity(now, self.patience, RESERVE, waiting);
        self.pace.is_limited()
            && (self.in_store == InStore::Many || (waiting > self.pace.room(now) && waiting > soon()))
    }

    /// How many may stay of those that may be dropped, when more wait than the rates let through soon. Those that must
    /// go together again are not looked behind.
    pub(super) fn too_many(&self, now: Timestamp) -> Option<usize> {
        if self.dropping != Dropping::Open || !self.held.is_empty() || !self.pace.is_limited() {
            return None;
        }
        let may_go = |ready: &&Ready| {
            ready.overflow == Overflow::DropOldest
                && ready.stored.message.priority == Priority::Normal
                && ready.parts_done == 0
        };
        let count = self.queue.iter().filter(may_go).count();
        if count == 0 {
            return None;
        }
        let most = if self.has_more() { AHEAD_MAX } else { count };
        let keep = self.pace.capacity(now, self.patience, RESERVE, most).max(1);
        (self.has_more() || count > keep).then_some(keep)
    }
}
