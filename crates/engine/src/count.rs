//! What attempts came back as, for the operator's numbers and for charts.

use std::time::Duration;

use carillon_model::endpoint::Endpoint;
use carillon_model::office::calls;
use carillon_model::outcome::Outcome;
use carillon_model::subscription::Target;
use carillon_store::Store;
use carillon_store::delivery::Ready;
use carillon_store::tally::What;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::send::{Sender, Tally};

/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// Writes what was counted, now and then and at the end.
pub(crate) async fn write_counts(store: Store, metrics: Metrics, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(WRITE_EVERY) => {}
        }
        metrics.suppressed(store.suppressed_take());
        if let Err(error) = store.tally_write().await {
            tracing::error!(%error, "what was counted for charts cannot be written yet");
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

impl Sender {
    pub(crate) fn count(&self, target: &Target, tally: &Tally, batch: &[Ready], start: Instant) {
        let channel = target.endpoint.channel();
        self.metrics.attempted(channel, tally.verdict.outcome, start.elapsed());
        self.metrics.posted(batch.len());
        if let (Endpoint::DingtalkRobot { .. }, Some(first)) = (&target.endpoint, batch.first()) {
            let posts = u64::try_from(tally.posts()).unwrap_or(u64::MAX);
            self.store.calls_add(&calls::of_robots(&first.stored.message.project), posts);
        }
        for ready in batch {
            let what = What::Attempts(channel, tally.verdict.outcome.name());
            self.store.tally_add(&ready.stored.message.project, what, 1);
        }
        if tally.verdict.outcome != Outcome::Accepted
            && let Some(first) = batch.first()
        {
            tracing::warn!(
                delivery = %first.id,
                merged = batch.len(),
                %channel,
                outcome = tally.verdict.outcome.name(),
                reason = tally.verdict.reason.name(),
                platform_code = tally.verdict.platform_code.as_deref(),
                "an attempt was not accepted"
            );
        }
    }
}
