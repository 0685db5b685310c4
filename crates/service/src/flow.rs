//! How often a topic may be published to. Each server counts what it takes itself.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Mutex;
use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::id::TopicId;

use crate::error::Error;

/// The time in which messages are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// How many topics are remembered before those whose minute is over are forgotten.
const TOPICS_MAX: usize = 10_000;

/// The messages of each topic within its present minute, which begins with its first message.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    most: Option<NonZeroU64>,
    minutes: Mutex<HashMap<TopicId, Minute>>,
}

#[derive(Debug, Clone, Copy)]
struct Minute {
    begin: Timestamp,
    count: u64,
}

impl Minute {
    /// Whether it has ended. A clock that was set back ends it too, so that no topic waits for what the clock was.
    fn has_ended(&self, now: Timestamp) -> bool {
        now < self.begin || now >= self.begin.plus(WINDOW)
    }
}

impl Flow {
    /// Lets at most so many through.
    pub(crate) fn new(most: Option<NonZeroU64>) -> Self {
        Self { most, ..Self::default() }
    }

    /// Counts a message.
    ///
    /// # Errors
    /// When the topic had as many within the minute as it may.
    pub(crate) fn take(&self, topic: TopicId, now: Timestamp) -> Result<(), Error> {
        let Some(most) = self.most.map(NonZeroU64::get) else { return Ok(()) };
        let mut minutes = self.minutes.lock().expect("no code panics while it holds the minutes");
        if minutes.len() >= TOPICS_MAX {
            minutes.retain(|_, minute| !minute.has_ended(now));
        }
        let minute = minutes.entry(topic).or_insert(Minute { begin: now, count: 0 });
        if minute.has_ended(now) {
            *minute = Minute { begin: now, count: 0 };
        }
        if minute.count >= most {
            let left = minute.begin.plus(WINDOW).since(now);
            let wait = Duration::from_secs(left.as_secs().saturating_add(1).min(WINDOW.as_secs()));
            return Err(Error::TooFast { most, wait });
        }
        minute.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::time::Duration;

    use carillon_model::chance::SeededChance;
    use carillon_model::clock::Timestamp;
    use carillon_model::id::TopicId;

    use super::{Flow, WINDOW};
    use crate::error::Error;

    #[test]
    fn a_topic_takes_so_many_within_a_minute_whatever_others_take() {
        let now = Timestamp(1_750_000_000_000);
        let chance = SeededChance::new(1);
        let (busy, calm) = (TopicId::new(now, &chance), TopicId::new(now, &chance));
        let flow = Flow::new(NonZeroU64::new(2));
        for second in [0, 30] {
            flow.take(busy, now.plus(Duration::from_secs(second))).unwrap();
        }
        let last = now.plus(Duration::from_secs(59));
        let Err(Error::TooFast { most, wait }) = flow.take(busy, last) else { panic!("it was taken") };
        assert_eq!((most, wait), (2, Duration::from_secs(2)));
        flow.take(calm, last).unwrap();
        flow.take(busy, now.plus(WINDOW)).unwrap();
        // A clock that is set back holds nobody up.
        flow.take(busy, now).unwrap();
    }

    #[test]
    fn without_a_number_there_is_no_limit() {
        let now = Timestamp(1_750_000_000_000);
        let topic = TopicId::new(now, &SeededChance::new(1));
        let flow = Flow::default();
        for _message in 0..10_000 {
            flow.take(topic, now).unwrap();
        }
    }
}
