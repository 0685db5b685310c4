//! Topics at a glance, as a list of them shows it.

use carillon_model::Timestamp;
use carillon_model::role::Right;
use carillon_store::glance::{RECENT_MAX, Steps};

use crate::error::Error;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

/// In how many steps the last day is told.
pub const STEPS: usize = 12;
/// How long a step is, in milliseconds.
const STEP_MS: i64 = 2 * 60 * 60 * 1000;

/// A topic at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicGlance {
    /// How many are subscribed, by SMN's name of the way.
    pub subscriptions: Vec<(String, u64)>,
    /// How many messages were published in each two hours of the last day.
    pub recent: Vec<u64>,
    /// Whether there were more than were counted.
    pub is_more: bool,
    /// When the latest message was published.
    pub last: Option<Timestamp>,
}

impl Service {
    /// Looks at topics that were just listed, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn glance_topics(
        &self,
        caller: &Caller,
        topics: &[NamedTopic],
    ) -> Result<Vec<TopicGlance>, Error> {
        caller.may(Right::Look)?;
        let since = Timestamp(self.clock.now().0 - STEP_MS * i64::try_from(STEPS).unwrap_or(0));
        let steps = Steps { since, step_ms: STEP_MS, count: STEPS };
        let asked = topics.iter().map(|it| (it.topic.id, it.topic.name.clone())).collect();
        let told = self.store.topic_glance(&caller.project, asked, steps).await?;
        let glance = |it: carillon_store::glance::Glance| TopicGlance {
            is_more: it.recent.iter().any(|count| *count >= RECENT_MAX),
            subscriptions: it.subscriptions,
            recent: it.recent,
            last: it.last,
        };
        Ok(told.into_iter().map(glance).collect())
    }
}
