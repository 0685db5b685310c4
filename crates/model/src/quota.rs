//! How much of everything there may be, where the operator decides. The defaults are SMN's, but for the rate of
//! publishing, which has none unless it is set (ADR 21).

use std::num::NonZeroU64;

use crate::limits;

/// What a project and a topic may have at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Topics of a project.
    pub topics: u64,
    /// Subscriptions of a topic.
    pub subscriptions: u64,
    /// Message templates of a project.
    pub templates: u64,
    /// Messages that one topic takes within a minute; any number when not set.
    pub publishes_per_minute: Option<NonZeroU64>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            topics: limits::TOPICS_MAX,
            subscriptions: limits::SUBSCRIPTIONS_MAX,
            templates: limits::TEMPLATES_MAX,
            publishes_per_minute: None,
        }
    }
}
