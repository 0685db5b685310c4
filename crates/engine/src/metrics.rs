//! Numbers for the operator, under the names that `GET /metrics` shows.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use carillon_model::Channel;
use carillon_model::delivery::DeliveryState;
use carillon_model::outcome::Outcome;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What an attempt is counted under. Never an endpoint: there are too many, and they are secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StandingLabels {
    standing: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LevelLabels {
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// The engine's and the store's numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    attempts: Family<AttemptLabels, Counter>,
    attempt_seconds: Family<ChannelLabels, Histogram>,
    waited_seconds: Histogram,
    post_deliveries: Histogram,
    settled: Family<StateLabels, Counter>,
    dropped: Counter,
    suppressed: Counter,
    forgotten: Family<KindLabels, Counter>,
    endpoints: Family<StandingLabels, Gauge<i64, AtomicI64>>,
    months: Family<LevelLabels, Gauge<i64, AtomicI64>>,
    pub(crate) lanes: Gauge<i64, AtomicI64>,
    pub(crate) queued: Gauge<i64, AtomicI64>,
    pub(crate) sending: Gauge<i64, AtomicI64>,
    unplaced: Gauge<i64, AtomicI64>,
    commit_pieces: Histogram,
    commit_seconds: Histogram,
}

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

fn waits() -> Histogram {
    Histogram::new([0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0])
}

fn pieces() -> Histogram {
    Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0])
}

impl Metrics {
    /// Registers the numbers.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(seconds),
            waited_seconds: waits(),
            post_deliveries: pieces(),
            settled: Family::default(),
            dropped: Counter::default(),
            suppressed: Counter::default(),
            forgotten: Family::default(),
            endpoints: Family::default(),
            months: Family::default(),
            lanes: Gauge::default(),
            queued: Gauge::default(),
            sending: Gauge::default(),
            unplaced: Gauge::default(),
            commit_pieces: pieces(),
            commit_seconds: seconds(),
        };
        let m = &metrics;
        let unit = Unit::Seconds;
        registry.register("carillon_attempts", "Attempts by channel and outcome", m.attempts.clone());
        registry.register_with_unit(
            "carillon_attempt_duration",
            "How long attempts took, by channel",
            unit.clone(),
            m.attempt_seconds.clone(),
        );
        registry.register_with_unit(
            "carillon_delivery_delay",
            "From acceptance to delivery",
            unit.clone(),
            m.waited_seconds.clone(),
        );
        let help = "Deliveries in one post; more than one is a digest";
        registry.register("carillon_post_deliveries", help, m.post_deliveries.clone());
        registry.register(
            "carillon_deliveries_settled",
            "Deliveries that ended, by state",
            m.settled.clone(),
        );
        let help = "Deliveries dropped because too many waited";
        registry.register("carillon_deliveries_dropped", help, m.dropped.clone());
        let help = "Messages sent to nobody because they say the same as another";
        registry.register("carillon_messages_suppressed", help, m.suppressed.clone());
        registry.register("carillon_forgotten", "Rows forgotten for their age, by kind", m.forgotten.clone());
        let help = "Endpoints that are not simply well, by how they stand";
        registry.register("carillon_endpoints", help, m.endpoints.clone());
        let help = "Office apps whose month of calls comes near its limit, or over it";
        registry.register("carillon_app_months", help, m.months.clone());
        registry.register("carillon_lanes", "Lanes in which something waits", m.lanes.clone());
        registry.register(
            "carillon_lane_depth",
            "Deliveries that wait in memory, in all lanes",
            m.queued.clone(),
        );
        registry.register("carillon_deliveries_sending", "Attempts under way", m.sending.clone());
        let help = "Deliveries of accepted messages to many that are still to be written down";
        registry.register("carillon_deliveries_unplaced", help, m.unplaced.clone());
        registry.register("carillon_commit_pieces", "Pieces of work in one commit", m.commit_pieces.clone());
        registry.register_with_unit(
            "carillon_commit_duration",
            "How long commits took",
            unit,
            m.commit_seconds.clone(),
        );
        metrics
    }

    pub(crate) fn attempted(&self, channel: Channel, outcome: Outcome, elapsed: Duration) {
        let labels = AttemptLabels { channel: channel.name(), outcome: outcome.name() };
        self.attempts.get_or_create(&labels).inc();
        let labels = ChannelLabels { channel: channel.name() };
        self.attempt_seconds.get_or_create(&labels).observe(elapsed.as_secs_f64());
    }

    /// Counts what was dropped because too much waited: it is cancelled, too.
    pub(crate) fn dropped(&self, count: usize) {
        let (count, state) = (u64::try_from(count).unwrap_or(u64::MAX), DeliveryState::Cancelled.name());
        self.dropped.inc_by(count);
        self.settled.get_or_create(&StateLabels { state }).inc_by(count);
    }

    /// Counts what was recorded and sent to nobody.
    pub(crate) fn suppressed(&self, count: u64) {
        self.suppressed.inc_by(count);
    }

    pub(crate) fn unplaced(&self, count: usize) {
        self.unplaced.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn forgotten(&self, kind: &'static str, count: u64) {
        self.forgotten.get_or_create(&KindLabels { kind }).inc_by(count);
    }

    pub(crate) fn standing(&self, standing: carillon_model::health::Standing, count: usize) {
        let labels = StandingLabels { standing: standing.name() };
        self.endpoints.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn months(&self, level: carillon_model::office::calls::Level, count: usize) {
        let labels = LevelLabels { level: level.name() };
        self.months.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    #[expect(clippy::cast_precision_loss, reason = "a post holds at most a few hundred deliveries")]
    pub(crate) fn posted(&self, deliveries: usize) {
        self.post_deliveries.observe(deliveries as f64);
    }

    pub(crate) fn settled(&self, state: DeliveryState, waited: Option<Duration>) {
        self.settled.get_or_create(&StateLabels { state: state.name() }).inc();
        if let Some(waited) = waited {
            self.waited_seconds.observe(waited.as_secs_f64());
        }
    }
}

impl carillon_store::Observer for Metrics {
    #[expect(clippy::cast_precision_loss, reason = "a commit holds at most 1024 pieces")]
    fn committed(&self, pieces: usize, elapsed: Duration) {
        self.commit_pieces.observe(pieces as f64);
        self.commit_seconds.observe(elapsed.as_secs_f64());
    }
}
