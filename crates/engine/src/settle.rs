//! Writes down what began and what ended, in batches.
//!
//! An attempt that begins is marked, so that a crash in its middle is known afterwards. The mark waits a moment: an
//! attempt that ends within it needs only one write. What ended is written at once; what ends while that is being
//! written shares the next write.

use std::collections::HashMap;
use std::time::Duration;

use carillon_store::delivery::{Settlement, Start};
use carillon_store::health::{HealthChange, Hold};
use carillon_store::{Error, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use crate::delivery_log::Journal;

/// How long a mark waits for its attempt's end.
const MARK_WAIT: Duration = Duration::from_millis(2);
/// How long to wait before a failed write is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// How many notes are written at once at most, so that whoever publishes meanwhile waits for some milliseconds only.
const BATCH_MAX: usize = 512;

/// Something to write down.
pub(crate) enum Note {
    /// An attempt has begun.
    Began(Start),
    /// A part has arrived and others follow; the answer comes when that is durable.
    Reached(Start, oneshot::Sender<()>),
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
    /// The marks that wait, with when they came.
    starts: HashMap<i64, (Instant, Start)>,
    /// The marks that somebody waits for.
    reached: Vec<Start>,
    settlements: Vec<Settlement>,
    changes: Vec<HealthChange>,
    holds: Vec<Hold>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn take(&mut self, note: Note) {
        match note {
            Note::Began(start) => {
                self.starts.insert(start.seq, (Instant::now(), start));
            }
            Note::Reached(start, done) => {
                self.starts.remove(&start.seq);
                self.reached.push(start);
                self.waiting.push(done);
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

    /// When the next mark has waited enough.
    fn marks_at(&self) -> Option<Instant> {
        self.starts.values().map(|(came, _)| *came + MARK_WAIT).min()
    }

    /// Takes the marks that came before.
    fn marks(&mut self, before: Instant) -> Vec<Start> {
        let waited = self.starts.extract_if(|_, (came, _)| *came <= before).map(|(_, (_, start))| start);
        self.reached.drain(..).chain(waited).collect()
    }
}

/// Writes notes down until nobody can hand in any more.
pub(crate) async fn write_down(store: Store, mut notes: mpsc::Receiver<Note>, journal: Journal) {
    let mut batch = Batch::default();
    loop {
        let next = match batch.marks_at() {
            Some(at) => timeout_at(at, notes.recv()).await,
            None => Ok(notes.recv().await),
        };
        match next {
            Ok(Some(note)) => batch.take(note),
            Ok(None) => break,
            Err(_marks_waited) => {}
        }
        while batch.len() < BATCH_MAX {
            let Ok(note) = notes.try_recv() else { break };
            batch.take(note);
        }
        let full = batch.len() >= BATCH_MAX;
        let marks = batch.marks(if full { Instant::now() } else { Instant::now() - MARK_WAIT });
        write(&store, marks, &mut batch, &journal).await;
    }
    let marks = batch.marks(Instant::now());
    write(&store, marks, &mut batch, &journal).await;
}

/// What ended is held until the store takes it: an arrived message must not be sent again because the disk was full for
/// a minute.
async fn write(store: &Store, marks: Vec<Start>, batch: &mut Batch, journal: &Journal) {
    let settlements = std::mem::take(&mut batch.settlements);
    if marks.is_empty() && settlements.is_empty() && batch.waiting.is_empty() {
        return;
    }
    let (changes, holds) = (std::mem::take(&mut batch.changes), std::mem::take(&mut batch.holds));
    let settle = || store.delivery_settle(marks.clone(), settlements.clone());
    // Side by side, so that they share a commit.
    let (mut settled, ()) = tokio::join!(settle(), note_health(store, changes, holds));
    while let Err(error) = settled {
        tracing::error!(%error, settlements = settlements.len(), "outcomes cannot be written down yet");
        if matches!(error, Error::Setup(_) | Error::Corrupt { .. }) {
            break;
        }
        sleep(AGAIN).await;
        settled = settle().await;
    }
    journal.note(&settlements);
    for done in batch.waiting.drain(..) {
        if done.send(()).is_err() {
            tracing::debug!("an outcome was written down after its lane had gone");
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
