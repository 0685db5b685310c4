//! Posts of a lane that are tried again whole: what was in one post goes together again, under the same key, so that a
//! platform that knows keys does not show it twice.

use carillon_model::Timestamp;
use carillon_model::message::Priority;
use carillon_store::delivery::Ready;

use crate::queue::Expiry;

/// What goes together again: at most one post of urgent ones and one of others, which urgent ones pass.
#[derive(Debug, Default)]
pub(crate) struct Held {
    urgent: Vec<Ready>,
    normal: Vec<Ready>,
    expiry: Expiry,
}

impl Held {
    /// Those of a priority.
    pub(crate) fn of(&self, priority: Priority) -> &[Ready] {
        match priority {
            Priority::Urgent => &self.urgent,
            Priority::Normal => &self.normal,
        }
    }

    fn of_mut(&mut self, priority: Priority) -> &mut Vec<Ready> {
        match priority {
            Priority::Urgent => &mut self.urgent,
            Priority::Normal => &mut self.normal,
        }
    }

    /// Keeps the deliveries of a post together; those of one have one priority.
    pub(crate) fn put(&mut self, post: Vec<Ready>) {
        let Some(first) = post.first() else { return };
        post.iter().for_each(|ready| self.expiry.added(ready));
        self.of_mut(first.stored.message.priority).extend(post);
    }

    /// Takes those of a priority out.
    pub(crate) fn take(&mut self, priority: Priority) -> Vec<Ready> {
        self.expiry.gone();
        std::mem::take(self.of_mut(priority))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Ready> {
        self.urgent.iter().chain(&self.normal)
    }

    /// Gives all times of the next try away to be changed.
    pub(crate) fn due_times(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        self.urgent.iter_mut().chain(&mut self.normal).map(|ready| &mut ready.due_at)
    }

    /// When the first of all is past its time to live.
    pub(crate) fn expires_first(&mut self) -> Option<Timestamp> {
        self.expiry.first(self.urgent.iter().chain(&self.normal))
    }

    pub(crate) fn len(&self) -> usize {
        self.urgent.len() + self.normal.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The priority of the one in this place, if it is held.
    pub(crate) fn priority_of(&self, seq: i64) -> Option<Priority> {
        self.iter().find(|ready| ready.seq == seq).map(|ready| ready.stored.message.priority)
    }

    /// Takes out what is past its time to live.
    pub(crate) fn take_past(&mut self, now: Timestamp) -> Vec<Ready> {
        self.expiry.gone();
        let is_past = |ready: &mut Ready| ready.stored.message.expires_at <= now;
        let mut past: Vec<Ready> = self.urgent.extract_if(.., is_past).collect();
        past.extend(self.normal.extract_if(.., is_past));
        past
    }

    /// Forgets one, and takes out what is left alone: it has nobody to go with.
    pub(crate) fn forget(&mut self, seq: i64) {
        self.expiry.gone();
        self.urgent.retain(|ready| ready.seq != seq);
        self.normal.retain(|ready| ready.seq != seq);
    }

    /// Takes out those that are left alone: they have nobody to go with.
    pub(crate) fn take_single(&mut self) -> Vec<Ready> {
        let mut single = Vec::new();
        for post in [&mut self.urgent, &mut self.normal] {
            if post.len() == 1 {
                single.append(post);
                self.expiry.gone();
            }
        }
        single
    }
}
