//! Forgets on time: messages that are older than the operator keeps them, publishers' keys that are honoured no
//! more, what topics were sent that leave equal messages out, old lines of the audit log, old numbers of charts, images and
//! files that nothing needs. In small batches with a pause between, so that publishing never waits for it.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::{Clock, Timestamp};
use carillon_store::shard::Shard;
use carillon_store::{Error, Store};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How many rows are forgotten in one transaction, of what is one row each.
const ROWS_MAX: u64 = 500;
/// How many rows of messages and what belongs to them: no publish waits for that longer than for two or three milliseconds
/// (`scripts/bench retention`).
const MESSAGE_ROWS_MAX: u64 = 64;
/// How many such steps a batch has, and the pause behind each.
const STEPS: u32 = 16;
const STEP_PAUSE: Duration = Duration::from_millis(4);
/// The pause between two batches of anything else.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to wait when there is nothing to forget, or the store failed.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What forgetting needs.
pub(crate) struct Retain {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long messages are kept; for ever when not set.
    pub(crate) keep: Option<Duration>,
    pub(crate) metrics: Metrics,
}

impl Retain {
    /// Forgets until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            let pause = match self.batch().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "what is old cannot be forgotten yet");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Forgets one batch and tells when to forget the next.
    async fn batch(&self) -> Result<Duration, Error> {
        // Of several servers, the one that has this shard does it for all.
        if !self.store.shards().may_serve(Shard(0)) {
            return Ok(LOOK_AGAIN);
        }
        let keys = self.store.idempotency_forget(ROWS_MAX).await?;
        self.metrics.forgotten("idempotency_key", keys);
        let contents = self.store.equal_forget(ROWS_MAX).await?;
        self.metrics.forgotten("equal_content", contents);
        let lines = self.store.audit_forget(ROWS_MAX).await?;
        self.metrics.forgotten("audit", lines);
        let files = self.store.attachment_forget().await?;
        let more = keys > 0 || contents > 0 || lines > 0 || files;
        self.store.tally_forget(ROWS_MAX).await?;
        self.store.calls_forget(ROWS_MAX).await?;
        self.store.callback_forget(ROWS_MAX).await?;
        let pause = if more { PAUSE } else { LOOK_AGAIN };
        let Some(keep) = self.keep else { return Ok(pause) };
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(self.clock.now().0.saturating_sub(keep_ms));
        for _step in 0..STEPS {
            let forgotten = self.store.message_forget(before, MESSAGE_ROWS_MAX).await?;
            if forgotten.is_nothing() {
                return Ok(pause);
            }
            self.metrics.forgotten("message", forgotten.messages);
            self.metrics.forgotten("delivery", forgotten.deliveries);
            self.metrics.forgotten("attempt", forgotten.attempts);
            sleep(STEP_PAUSE).await;
        }
        Ok(STEP_PAUSE)
    }
}
