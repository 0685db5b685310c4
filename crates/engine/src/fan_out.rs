//! Writes down, in portions, the deliveries of messages that were accepted for many.

use std::time::Duration;

use carillon_store::Store;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How often to look for what another server accepted before it went away.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long to wait when the store failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long whoever published has to be answered, before the store and the threads are busy with what follows.
const ANSWER_FIRST: Duration = Duration::from_millis(1);

/// Fans out what waits, first what an earlier run left, until it is told to stop; the rest waits for the next start.
pub(crate) async fn run(store: Store, metrics: Metrics, stop: CancellationToken) {
    let is_shared = store.shards().are_shared();
    loop {
        let more = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            more = store.fan_out_step() => more,
        };
        metrics.unplaced(store.fan_out_unplaced());
        let pause = match more {
            Ok(true) => continue,
            Ok(false) if is_shared => Some(LOOK_EVERY),
            Ok(false) => None,
            Err(error) => {
                tracing::error!(%error, "messages to many cannot be written down yet");
                Some(AGAIN)
            }
        };
        let over = async {
            match pause {
                Some(pause) => sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = store.fan_out_added() => sleep(ANSWER_FIRST).await,
            () = over => {}
        }
    }
}
