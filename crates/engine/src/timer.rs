//! The lanes that wait for a time, soonest first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use carillon_model::Timestamp;
use carillon_model::id::EndpointId;

/// A heap of times with at most one valid entry a lane; an entry that was replaced is skipped when it comes up.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    heap: BinaryHeap<Reverse<(Timestamp, EndpointId)>>,
    valid: HashMap<EndpointId, Timestamp>,
}

impl Timer {
    /// Wakes `lane` at `at`, and not at any time set before.
    pub(crate) fn set(&mut self, lane: EndpointId, at: Timestamp) {
        if self.valid.insert(lane, at) != Some(at) {
            self.heap.push(Reverse((at, lane)));
        }
    }

    /// Does not wake `lane`.
    pub(crate) fn clear(&mut self, lane: EndpointId) {
        self.valid.remove(&lane);
    }

    /// Says that the clock was set by so much: everything is as far away as before.
    pub(crate) fn shift(&mut self, by_ms: i64) {
        self.valid.values_mut().for_each(|at| *at = at.shifted(by_ms));
        self.heap = self.valid.iter().map(|(lane, at)| Reverse((*at, *lane))).collect();
    }

    /// The soonest time.
    pub(crate) fn next(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, lane))) = self.heap.peek() {
            if self.valid.get(lane) == Some(at) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes a lane whose time has come.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<EndpointId> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, lane)) = self.heap.pop()?;
        self.valid.remove(&lane);
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;
    use carillon_model::chance::SeededChance;
    use carillon_model::id::EndpointId;

    use super::Timer;

    #[test]
    fn the_latest_time_set_counts() {
        let chance = SeededChance::new(1);
        let (a, b) = (EndpointId::new(Timestamp(0), &chance), EndpointId::new(Timestamp(0), &chance));
        let mut timer = Timer::default();
        timer.set(a, Timestamp(10));
        timer.set(b, Timestamp(20));
        timer.set(a, Timestamp(30));
        assert_eq!(timer.next(), Some(Timestamp(20)));
        assert_eq!(timer.take_due(Timestamp(19)), None);
        assert_eq!(timer.take_due(Timestamp(40)), Some(b));
        timer.set(b, Timestamp(50));
        timer.clear(b);
        assert_eq!(timer.take_due(Timestamp(60)), Some(a));
        assert_eq!(timer.take_due(Timestamp(60)), None);
        assert_eq!(timer.next(), None);
    }
}
