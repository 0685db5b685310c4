//! Writes down what began and what ended, in batches.
//!
//! An attempt that begins is marked, so that a crash in its middle is known afterwards. The mark waits a moment: an
//! attempt that ends within it needs only one write.

use std::collections::HashMap;
use std::time::Duration;

use carillon_store::delivery::{Settlement, Start};
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
    /// A part has arrived and others follow; the answer comes when that is durable.
    Reached(Start, oneshot::Sender<()>),
    /// An attempt has ended, for one delivery or for all that went in one post; the answer comes when that is
    /// durable.
    Ended(Vec<Settlement>, oneshot::Sender<()>),
}

#[derive(Default)]
struct Batch {
    starts: HashMap<i64, Start>,
    settlements: Vec<Settlement>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn take(&mut self, note: Note) {
        match note {
            Note::Began(start) => {
                self.starts.insert(start.seq, start);
            }
            Note::Reached(start, done) => {
                self.starts.insert(start.seq, start);
                self.waiting.push(done);
            }
            Note::Ended(settlements, done) => {
                for settlement in &settlements {
                    self.starts.remove(&settlement.seq);
                }
                self.settlements.extend(settlements);
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
        while let Err(error) = store.delivery_settle(starts.clone(), batch.settlements.clone()).await {
            tracing::error!(%error, settlements = batch.settlements.len(), "outcomes cannot be written down yet");
            if matches!(error, Error::Setup(_) | Error::Corrupt { .. }) {
                break;
            }
            sleep(AGAIN).await;
        }
        for done in batch.waiting {
            if done.send(()).is_err() {
                tracing::debug!("an outcome was written down after its lane had gone");
            }
        }
    }
}
