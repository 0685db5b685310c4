//! What waits in a lane's memory, in its order, and when the first of it is past its time to live: that is asked for at every
//! arrival while a lane may not send, and so it is remembered.

use std::collections::VecDeque;
use std::ops::Deref;

use carillon_model::Timestamp;
use carillon_store::delivery::Ready;

/// When the first of some deliveries is past its time to live. All are looked at only after one of them has gone.
#[derive(Debug, Default)]
pub(crate) enum Expiry {
    #[default]
    Unknown,
    At(Option<Timestamp>),
}

impl Expiry {
    /// One more is there.
    pub(crate) fn added(&mut self, ready: &Ready) {
        let at = ready.stored.message.expires_at;
        if let Self::At(first) = self {
            *first = Some(first.map_or(at, |first| first.min(at)));
        }
    }

    /// Somebody has gone.
    pub(crate) fn gone(&mut self) {
        *self = Self::Unknown;
    }

    /// The first of all that there are.
    pub(crate) fn first<'a>(&mut self, all: impl Iterator<Item = &'a Ready>) -> Option<Timestamp> {
        if let Self::At(first) = self {
            return *first;
        }
        let first = all.map(|ready| ready.stored.message.expires_at).min();
        *self = Self::At(first);
        first
    }
}

/// Deliveries in their order. It is read as the list that it is, and changed only here.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Ready>,
    expiry: Expiry,
    /// How many bytes of text the messages have, which is asked for at every arrival.
    bytes: usize,
}

fn bytes_of(ready: &Ready) -> usize {
    ready.stored.message.content.bytes()
}

impl Deref for Queue {
    type Target = VecDeque<Ready>;

    fn deref(&self) -> &VecDeque<Ready> {
        &self.waiting
    }
}

impl Queue {
    /// Puts one in a place, or last.
    pub(crate) fn insert(&mut self, place: usize, ready: Ready) {
        self.expiry.added(&ready);
        self.bytes += bytes_of(&ready);
        if self.waiting.capacity() == 0 {
            // In most lanes one waits at a time, and the list would begin with room for four.
            self.waiting.reserve_exact(1);
        }
        self.waiting.insert(place.min(self.waiting.len()), ready);
    }

    /// How many bytes of text its messages have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts again when many may have gone.
    fn changed(&mut self) {
        self.expiry.gone();
        self.bytes = self.waiting.iter().map(bytes_of).sum();
    }

    /// Puts one last.
    pub(crate) fn push_back(&mut self, ready: Ready) {
        self.insert(self.waiting.len(), ready);
    }

    /// Puts those in front, in their order.
    pub(crate) fn put_first(&mut self, first: Vec<Ready>) {
        for ready in first.into_iter().rev() {
            self.insert(0, ready);
        }
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, place: usize) {
        self.waiting.remove(place);
        self.changed();
    }

    /// Takes out all that do not fit.
    pub(crate) fn retain(&mut self, fits: impl FnMut(&Ready) -> bool) {
        self.waiting.retain(fits);
        self.changed();
    }

    /// Takes out all but the first so many.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.waiting.truncate(count);
        self.changed();
    }

    /// Takes out the first so many.
    pub(crate) fn drop_first(&mut self, count: usize) {
        self.expiry.gone();
        let gone = self.waiting.drain(..count.min(self.waiting.len()));
        self.bytes -= gone.map(|ready| bytes_of(&ready)).sum::<usize>();
    }

    /// Takes out what is past its time to live.
    pub(crate) fn take_past(&mut self, now: Timestamp) -> Vec<Ready> {
        let all = std::mem::take(&mut self.waiting);
        let (past, left) = all.into_iter().partition(|ready| ready.stored.message.expires_at <= now);
        self.waiting = left;
        self.changed();
        Vec::from(past)
    }

    /// Gives all times of the next try away to be changed, first to last.
    pub(crate) fn due_times(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        self.waiting.iter_mut().map(|ready| &mut ready.due_at)
    }

    /// When the first of all is past its time to live.
    pub(crate) fn expires_first(&mut self) -> Option<Timestamp> {
        self.expiry.first(self.waiting.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use carillon_model::Timestamp;
    use carillon_model::message::Priority;
    use carillon_store::delivery::{Ready, StoredMessage};
    use proptest::prelude::*;

    use super::Queue;
    use crate::held::Held;
    use crate::lane::tests::normal;

    /// A delivery of a message that lives until then.
    fn living(seq: i64, until: i64) -> Ready {
        let mut ready = normal(seq);
        let mut message = ready.stored.message.clone();
        message.expires_at = Timestamp(until);
        let topic_name = ready.stored.topic_name.clone();
        ready.stored = Arc::new(StoredMessage { message, topic_name });
        ready
    }

    fn soonest<'a>(all: impl Iterator<Item = &'a Ready>) -> Option<Timestamp> {
        all.map(|ready| ready.stored.message.expires_at).min()
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_looking_at_all_would_tell(
            steps in prop::collection::vec((0_u8..9, 0_usize..6, 0_i64..50), 1..60),
        ) {
            let (mut queue, mut held) = (Queue::default(), Held::default());
            for (seq, (step, place, at)) in (0..).zip(steps) {
                match step {
                    0 | 1 => queue.push_back(living(seq, at)),
                    2 => queue.insert(place, living(seq, at)),
                    3 if place < queue.len() => queue.remove(place),
                    4 => queue.drop_first(place),
                    5 => queue.truncate(place),
                    6 => {
                        let mut past = held.take_past(Timestamp(at));
                        past.extend(queue.take_past(Timestamp(at)));
                        queue.put_first(past);
                    }
                    7 => held.put(vec![living(seq, at), living(seq + 1_000, at + 3)]),
                    8 => drop(held.take(Priority::Normal)),
                    _ => queue.retain(|ready| ready.seq % 3 != at % 3),
                }
                prop_assert_eq!(queue.bytes(), queue.iter().map(|ready| ready.stored.message.content.bytes()).sum::<usize>());
                prop_assert_eq!(queue.expires_first(), soonest(queue.iter()));
                prop_assert_eq!(held.expires_first(), soonest(held.iter()));
            }
        }
    }
}
