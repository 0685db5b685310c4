//! Writes down what began and what ended, in batches.
//!
//! An attempt that begins is marked, so that a crash in its middle is known afterwards. The mark waits a moment: an
//! attempt that ends within it needs only one write.

use std::collections::HashMap;
use std::time::Duration;

use carillon_store::delivery::{Settlement, Start};
use carillon_store::health::{HealthChange, Hold};
use carillon_store::{Error, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

/// How long a mark or a settlement waits for company.
const GATHER: Duration = Duration::from_millis(2);
/// How long to wait before a failed write is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// How many notes are written at once at most.
const BATCH_MAX: usize = 2048;

/// Something to write down.
pub(crate) enum Note {
    /// An attempt has begun.
    Began(Start),
    /// An attempt has ended, for one delivery or for all that went in one post; the answer comes when that is
    /// durable.
    Ended(Ended),
}

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) settlements: Vec<Settlement>,
    /// How the endpoint fares, where a restart must know.
    pub(crate) change: Option<HealthChange>,
    /// What else is to be left alone.
    pub(crate) hold: Vec<Hold>,
    pub(crate) done: oneshot::Sender<()>,
}

#[derive(Default)]
struct Batch {
    starts: HashMap<i64, Start>,
    settlements: Vec<Settlement>,
    changes: Vec<HealthChange>,
    holds: Vec<Hold>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn take(&mut self, note: Note) {
        match note {
            Note::Began(start) => {
                self.starts.insert(start.seq, start);
            }
            Note::Ended(Ended { settlements, change, hold, done }) => {
                for settlement in &settlements {
                    self.starts.remove(&settlement.seq);
                }
                self.settlements.extend(settlements);
                self.changes.extend(change);
                self.holds.extend(hold);
                self.waiting.push(done);
            }
        }
    }

    fn len(&self) -> usize {
        self.starts.len() + self.settlements.len()
    }
}

/// Writes notes down until nobody can hand in any more. What ended is held until the store takes it: an arrived
/// message must not be sent again because the disk was full for a minute.
pub(crate) async fn write_down(store: Store, mut notes: mpsc::Receiver<Note>) {
    while let Some(first) = notes.recv().await {
        let mut batch = Batch::default();
        batch.take(first);
        sleep(GATHER).await;
        while batch.len() < BATCH_MAX {
            let Ok(note) = notes.try_recv() else { break };
            batch.take(note);
        }
        let starts: Vec<Start> = batch.starts.into_values().collect();
        let settle = || store.delivery_settle(starts.clone(), batch.settlements.clone());
        // Side by side, so that they share a commit.
        let (mut settled, ()) = tokio::join!(settle(), note_health(&store, batch.changes, batch.holds));
        while let Err(error) = settled {
            tracing::error!(%error, settlements = batch.settlements.len(), "outcomes cannot be written down yet");
            if matches!(error, Error::Setup(_) | Error::Corrupt { .. }) {
                break;
            }
            sleep(AGAIN).await;
            settled = settle().await;
        }
        for done in batch.waiting {
            if done.send(()).is_err() {
                tracing::debug!("an outcome was written down after its lane had gone");
            }
        }
    }
}

/// What is lost when it fails is only how long to wait after a restart.
async fn note_health(store: &Store, changes: Vec<HealthChange>, holds: Vec<Hold>) {
    if changes.is_empty() && holds.is_empty() {
        return;
    }
    if let Err(error) = store.health_note(changes, holds).await {
        tracing::error!(%error, "how endpoints fare cannot be written down");
    }
}
