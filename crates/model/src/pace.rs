//! What was sent to one endpoint lately, and so when the next post may leave: several rates at once, each over a sliding
//! window, so that the platform never has to refuse. Pure; the engine asks and tells.
//!
//! Half of a rate may leave at once. What is left of it is spread over the time until the first of that comes back, so that
//! an urgent one finds a place at any moment of a storm, and not only when a window is over.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::rate::Rate;

/// What was sent to one endpoint lately, and so when the next post may go.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    rates: Arc<[Rate]>,
    /// When posts left, oldest first; as many as the largest count.
    sent: VecDeque<Timestamp>,
    /// How many of them, the oldest, are only taken to have left.
    assumed: usize,
    /// This endpoint's share of a span, of 65,536.
    phase: u16,
}

/// From which span on a rate is spread: within a shorter one nobody waits for long.
const SPREAD_FROM: Duration = Duration::from_secs(10);

impl Pace {
    /// Learns the rates. Where they are new, half of each is taken as used at `sent_before`, when an earlier run of
    /// the program last sent something, perhaps here.
    pub fn learn(&mut self, rates: &Arc<[Rate]>, sent_before: Timestamp) {
        if self.rates == *rates {
            return;
        }
        self.rates = Arc::clone(rates);
        let half = rates.iter().map(|rate| rate.count / 2).max().unwrap_or(0);
        for _used in 0..half {
            self.sent.push_front(sent_before);
            self.assumed += 1;
        }
    }

    /// Learns this endpoint's share of a span, of 65,536, so that many that wait for the same moment do not begin together.
    pub fn learn_phase(&mut self, phase: u16) {
        self.phase = phase;
    }

    /// Says that a post leaves at `at`.
    pub fn sent(&mut self, at: Timestamp) {
        self.sent.push_back(at);
        let most = self.rates.iter().map(|rate| rate.count).max().unwrap_or(1);
        while self.sent.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            self.sent.pop_front();
            self.assumed = self.assumed.saturating_sub(1);
        }
    }

    /// Says that the clock was set by so much: what was sent is as long ago as before.
    pub fn shift(&mut self, by_ms: i64) {
        self.sent.iter_mut().for_each(|at| *at = at.shifted(by_ms));
    }

    /// The first moment from `now` on at which a post may leave so that `reserve` more could follow it.
    #[must_use]
    pub fn next_at(&self, now: Timestamp, reserve: u32) -> Timestamp {
        let mut at = now;
        for rate in self.rates.iter() {
            let count = usize::try_from(rate.count.saturating_sub(reserve).max(1)).unwrap_or(usize::MAX);
            // The post that must have left the window before another one fits.
            if let Some(oldest) = self.sent.len().checked_sub(count).and_then(|index| self.sent.get(index)) {
                at = at.max(oldest.plus(rate.per));
            }
        }
        at
    }

    /// The same for a post that can wait: what is left of a rate of which half is used is spread, and what waited for a
    /// window begins up to a tenth of it later, each endpoint by its own share.
    #[must_use]
    pub fn calm_at(&self, now: Timestamp, reserve: u32) -> Timestamp {
        let mut at = now;
        for rate in self.rates.iter() {
            let most = rate.count.saturating_sub(reserve).max(1);
            let index = self.sent.len().checked_sub(usize::try_from(most).unwrap_or(usize::MAX));
            if let Some(oldest) = index.and_then(|index| self.sent.get(index)) {
                at = at.max(oldest.plus(rate.per).plus(self.share_of(rate.per / 10)));
            }
            at = at.max(self.spread_at(rate, most, now).unwrap_or(now));
        }
        at
    }

    /// When the next of a rate's posts leaves, of those that are left when half of it is used.
    fn spread_at(&self, rate: &Rate, most: u32, now: Timestamp) -> Option<Timestamp> {
        if rate.per < SPREAD_FROM {
            return None;
        }
        let begin = now.minus(rate.per);
        let first = self.sent.partition_point(|at| *at <= begin).max(self.assumed);
        let used = u32::try_from(self.sent.len().saturating_sub(first)).unwrap_or(u32::MAX);
        let (half, free) = ((rate.count / 2).max(1), most.saturating_sub(used));
        let (oldest, last) = (self.sent.get(first)?, self.last()?);
        if used < half || free == 0 {
            return None;
        }
        let gap = (oldest.plus(rate.per).since(last) / (free + 1)).max(rate.per / most);
        // Many endpoints may have used their half at the same moment.
        let gap = if used == half { gap / 2 + self.share_of(gap) } else { gap };
        Some(last.plus(gap))
    }

    fn share_of(&self, span: Duration) -> Duration {
        span * u32::from(self.phase) / (1 << 16)
    }

    /// Whether there is any rate to keep to.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.rates.is_empty()
    }

    /// How many posts may leave from `now` on without waiting; everything when there is no rate.
    #[must_use]
    pub fn room(&self, now: Timestamp) -> usize {
        let room = |rate: &Rate| {
            let used = self.sent.iter().filter(|at| at.plus(rate.per) > now).count();
            usize::try_from(rate.count).unwrap_or(usize::MAX).saturating_sub(used)
        };
        self.rates.iter().map(room).min().unwrap_or(usize::MAX)
    }

    /// How many posts that can wait leave within a time from `now` on, with `reserve` kept free, up to `most`.
    #[must_use]
    pub fn capacity(&self, now: Timestamp, within: Duration, reserve: u32, most: usize) -> usize {
        if !self.is_limited() {
            return most;
        }
        let (mut ahead, mut at, until) = (self.clone(), now, now.plus(within));
        for count in 0..most {
            at = ahead.calm_at(at, reserve);
            if at > until {
                return count;
            }
            ahead.sent(at);
        }
        most
    }

    /// The even distance between posts when an endpoint is sent to as fast as it may be: its longest rate's.
    #[must_use]
    pub fn gap(&self) -> Duration {
        self.rates.iter().map(|rate| rate.per / rate.count.max(1)).max().unwrap_or(Duration::ZERO)
    }

    /// When the latest post left.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.sent.back().copied()
    }

    /// When nothing that was sent counts any more, and all this can be forgotten.
    #[must_use]
    pub fn idle_at(&self) -> Option<Timestamp> {
        let longest = self.rates.iter().map(|rate| rate.per).max()?;
        self.last().map(|last| last.plus(longest))
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
