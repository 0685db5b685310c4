//! What an engine is told and built from.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::health::HealthPolicy;
use carillon_model::link::Links;
use carillon_model::rate::Rates;
use carillon_model::retry::RetryPolicy;
use carillon_model::{Chance, Clock};
use carillon_provider::Providers;
use carillon_store::Store;

use crate::delivery_log::DeliveryLog;
use crate::metrics::Metrics;

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Stands in every URN.
    pub region: String,
    /// Writes the links that subscribers follow.
    pub links: Links,
    /// How often and how patiently a delivery is tried.
    pub retry: RetryPolicy,
    /// When breakers open and endpoints are paused.
    pub health: HealthPolicy,
    /// How fast each kind of endpoint is sent to.
    pub rates: Rates,
    /// What the rates of an endpoint let through within this time waits; of what is more, digests are made.
    pub digest_after: Duration,
    /// How many attempts are under way at once.
    pub attempts_at_once: usize,
    /// How many of them to one host.
    pub attempts_per_host: usize,
    /// How long messages are kept; for ever when not set.
    pub keep: Option<Duration>,
    /// How often the directories of office apps are read by themselves; never when not set.
    pub directories_every: Option<Duration>,
    /// Where what becomes of deliveries is logged.
    pub delivery_log: DeliveryLog,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "local".to_owned(),
            links: Links::default(),
            retry: RetryPolicy::default(),
            health: HealthPolicy::default(),
            rates: Rates::default(),
            digest_after: Duration::from_secs(60),
            attempts_at_once: 1024,
            attempts_per_host: 256,
            keep: None,
            directories_every: None,
            delivery_log: DeliveryLog::default(),
        }
    }
}

/// What the engine is built from.
pub struct Parts {
    /// Where deliveries wait.
    pub store: Store,
    /// Who speaks to the platforms.
    pub providers: Arc<Providers>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of jitter.
    pub chance: Arc<dyn Chance>,
    /// The operator's numbers.
    pub metrics: Metrics,
}
