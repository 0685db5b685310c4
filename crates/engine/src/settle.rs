//! Writes down what began and what ended, in batches.
//!
//! An attempt that begins is marked, so that a crash in its middle is known afterwards. The mark waits a moment: an
//! attempt that ends within it needs only one write. Then it stands in a list with others that wait (ADR 38); after a second
//! in the delivery's own row, where it is seen from outside. What ended is written at once; what ends while that is being
//! written shares the next write.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_store::delivery::{Settlement, Start};
use carillon_store::health::{HealthChange, Hold};
use carillon_store::{Error, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use crate::delivery_log::Journal;
use crate::metrics::Metrics;
use crate::run::Event;
use crate::send::Sent;

/// How long a mark waits for its attempt's end.
const MARK_WAIT: Duration = Duration::from_millis(2);
/// How much time lies between two lists: under load what begins within it shares one row, whatever is committed meanwhile.
const LIST_EVERY: Duration = Duration::from_millis(10);
/// After how long an attempt under way is to be seen in its delivery's own row.
const ROW_WAIT: Duration = Duration::from_secs(1);
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
    /// An attempt has ended, for one delivery or for all that went in one post.
    Ended(Box<Ended>),
}

/// What is to be written of a delivery, and, when it is over, how long after it was accepted.
pub(crate) type Settled = (Settlement, Option<Duration>);

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) settlements: Vec<Settled>,
    /// How the endpoint fares, where a restart must know.
    pub(crate) change: Option<HealthChange>,
    /// What else is to be left alone.
    pub(crate) hold: Vec<Hold>,
    pub(crate) then: Then,
}

/// What follows when something is durable.
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub(crate) enum Then {
    /// Somebody waits for it.
    Wakes(oneshot::Sender<()>),
    /// The loop is told what was sent.
    Sent(Sent),
}

/// How far the mark of an attempt under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// It waits.
    Due,
    /// It stands in a list of many.
    Listed,
}

/// What is to be written down, in the order in which it came.
#[derive(Default)]
struct Batch {
    /// The attempts under way whose deliveries' rows say nothing of them, by place.
    under_way: HashMap<i64, (Start, Mark)>,
    /// When they came whose marks wait. Some may have ended.
    due: VecDeque<(Instant, i64)>,
    /// The same for those that stand in a list.
    listed: VecDeque<(Instant, i64)>,
    /// How many marks wait.
    due_count: usize,
    /// No list is written before, unless the batch is full.
    list_at: Option<Instant>,
    /// Marks of parts that arrived, which somebody waits for.
    reached: Vec<Start>,
    settlements: Vec<Settlement>,
    changes: Vec<HealthChange>,
    holds: Vec<Hold>,
    over: Vec<(DeliveryState, Duration)>,
    waiting: Vec<Then>,
}

impl Batch {
    fn take(&mut self, note: Note, now: Instant) {
        match note {
            Note::Began(start) => {
                self.forget(start.seq);
                self.under_way.insert(start.seq, (start, Mark::Due));
                self.due_count += 1;
                self.due.push_back((now, start.seq));
            }
            Note::Reached(start, done) => {
                self.forget(start.seq);
                self.reached.push(start);
                self.waiting.push(Then::Wakes(done));
            }
            Note::Ended(ended) => {
                let Ended { settlements, change, hold, then } = *ended;
                for (settlement, waited) in settlements {
                    self.forget(settlement.seq);
                    self.over.extend(waited.map(|waited| (settlement.state, waited)));
                    self.settlements.push(settlement);
                }
                self.changes.extend(change);
                self.holds.extend(hold);
                self.waiting.push(then);
            }
        }
    }

    fn forget(&mut self, place: i64) {
        if let Some((_start, Mark::Due)) = self.under_way.remove(&place) {
            self.due_count -= 1;
        }
    }

    fn is_full(&self) -> bool {
        self.due_count + self.settlements.len() >= BATCH_MAX
    }

    /// When the next mark has waited enough.
    fn marks_at(&mut self) -> Option<Instant> {
        let under_way = &self.under_way;
        let first = |queue: &mut VecDeque<(Instant, i64)>, mark, wait| {
            while let Some((came, place)) = queue.front() {
                if under_way.get(place).is_some_and(|(_start, stands)| *stands == mark) {
                    return Some(*came + wait);
                }
                queue.pop_front();
            }
            None
        };
        let due = first(&mut self.due, Mark::Due, MARK_WAIT);
        due.map(|at| self.list_at.map_or(at, |list_at| at.max(list_at)))
            .into_iter()
            .chain(first(&mut self.listed, Mark::Listed, ROW_WAIT))
            .min()
    }

    /// Takes the marks that are to be written now: what has waited for a list, what has waited for its delivery's own row,
    /// and parts that arrived. A full batch, and what is written last, waits for nothing.
    fn marks(&mut self, now: Instant, last: bool) -> Vec<Start> {
        let at_once = last || self.is_full();
        let mut marks = std::mem::take(&mut self.reached);
        while let Some((_came, place)) = self.listed.pop_front_if(|(came, _place)| *came + ROW_WAIT <= now) {
            if let Some((start, Mark::Listed)) = self.under_way.get(&place).copied() {
                self.under_way.remove(&place);
                marks.push(Start { shown: true, ..start });
            }
        }
        if !at_once && self.list_at.is_some_and(|list_at| now < list_at) {
            return marks;
        }
        let waited = |(came, _place): &mut (Instant, i64)| at_once || *came + MARK_WAIT <= now;
        while let Some((came, place)) = self.due.pop_front_if(waited) {
            if let Some((start, mark @ Mark::Due)) = self.under_way.get_mut(&place) {
                *mark = Mark::Listed;
                self.due_count -= 1;
                self.listed.push_back((came, place));
                self.list_at = Some(now + LIST_EVERY);
                marks.push(Start { shown: false, ..*start });
            }
        }
        marks
    }
}

/// Writes notes down until nobody can hand in any more.
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) metrics: Metrics,
    /// Where the loop is told what was sent.
    pub(crate) events: mpsc::Sender<Event>,
}

impl Writer {
    pub(crate) async fn run(self, mut notes: mpsc::Receiver<Note>) {
        let mut batch = Batch::default();
        loop {
            let next = match batch.marks_at() {
                Some(at) => timeout_at(at, notes.recv()).await,
                None => Ok(notes.recv().await),
            };
            match next {
                Ok(Some(note)) => batch.take(note, Instant::now()),
                Ok(None) => break,
                Err(_marks_waited) => {}
            }
            let now = Instant::now();
            while !batch.is_full() {
                let Ok(note) = notes.try_recv() else { break };
                batch.take(note, now);
            }
            let marks = batch.marks(now, false);
            self.write(marks, &mut batch).await;
        }
        let marks = batch.marks(Instant::now(), true);
        self.write(marks, &mut batch).await;
    }

    /// What ended is held until the store takes it: an arrived message must not be sent again because the disk was full for
    /// a minute.
    async fn write(&self, marks: Vec<Start>, batch: &mut Batch) {
        let settlements: Arc<[Settlement]> = std::mem::take(&mut batch.settlements).into();
        if marks.is_empty() && settlements.is_empty() && batch.waiting.is_empty() {
            return;
        }
        let (changes, holds) = (std::mem::take(&mut batch.changes), std::mem::take(&mut batch.holds));
        let settle = || self.store.delivery_settle(marks.clone(), Arc::clone(&settlements));
        // Side by side, so that they share a commit.
        let (mut settled, ()) = tokio::join!(settle(), note_health(&self.store, changes, holds));
        while let Err(error) = settled {
            tracing::error!(%error, settlements = settlements.len(), "outcomes cannot be written down yet");
            if matches!(error, Error::Setup(_) | Error::Corrupt { .. }) {
                break;
            }
            sleep(AGAIN).await;
            settled = settle().await;
        }
        self.journal.note(&settlements);
        for (state, waited) in batch.over.drain(..) {
            self.metrics.settled(state, (state == DeliveryState::Delivered).then_some(waited));
        }
        for then in batch.waiting.drain(..) {
            let told = match then {
                Then::Wakes(done) => done.send(()).is_ok(),
                Then::Sent(sent) => self.events.send(Event::Sent(sent)).await.is_ok(),
            };
            if !told {
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

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;
    use carillon_model::delivery::DeliveryState;
    use carillon_model::id::{DeliveryId, MessageId};
    use carillon_store::delivery::{Settlement, Start};
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::{BATCH_MAX, Batch, Ended, LIST_EVERY, MARK_WAIT, Note, ROW_WAIT, Then};

    fn began(seq: i64, attempt: u32) -> Note {
        Note::Began(Start { shown: false, seq, attempt, at: Timestamp(7), parts_done: 0 })
    }

    fn ended(seq: i64) -> Note {
        let settlement = Settlement {
            seq,
            id: DeliveryId::new(MessageId::from_bytes([7; 16]), 1),
            attempt: None,
            state: DeliveryState::Delivered,
            due_at: Timestamp(7),
            parts_done: 0,
        };
        let (done, _durable) = oneshot::channel();
        let then = Then::Wakes(done);
        Note::Ended(Box::new(Ended {
            settlements: vec![(settlement, None)],
            change: None,
            hold: Vec::new(),
            then,
        }))
    }

    /// What is to be written now: in which place, of which attempt, whether in its own row.
    fn marks(batch: &mut Batch, now: Instant) -> Vec<(i64, u32, bool)> {
        batch.marks(now, false).iter().map(|start| (start.seq, start.attempt, start.shown)).collect()
    }

    #[test]
    fn a_mark_waits_stands_in_a_list_and_then_in_a_row() {
        let (mut batch, start) = (Batch::default(), Instant::now());
        assert_eq!(batch.marks_at(), None);
        for place in [1, 2, 3] {
            batch.take(began(place, 1), start);
        }
        assert_eq!(batch.marks_at(), Some(start + MARK_WAIT));
        batch.take(ended(1), start);
        assert!(marks(&mut batch, start).is_empty());
        let listed = marks(&mut batch, start + MARK_WAIT);
        assert_eq!(listed, [(2, 1, false), (3, 1, false)], "the first ended before");
        assert_eq!(batch.marks_at(), Some(start + ROW_WAIT));
        batch.take(ended(2), start);
        assert_eq!(marks(&mut batch, start + ROW_WAIT), [(3, 1, true)], "the second ended before");
        assert_eq!(batch.marks_at(), None);
        assert!(marks(&mut batch, start + 2 * ROW_WAIT).is_empty());
    }

    #[test]
    fn what_begins_soon_after_a_list_waits_for_the_next() {
        let (mut batch, start) = (Batch::default(), Instant::now());
        batch.take(began(1, 1), start);
        let (first, next) = (start + MARK_WAIT, start + MARK_WAIT + LIST_EVERY);
        assert_eq!(marks(&mut batch, first).len(), 1);
        batch.take(began(2, 1), first);
        assert_eq!(batch.marks_at(), Some(next));
        assert!(marks(&mut batch, first + MARK_WAIT).is_empty());
        batch.take(began(3, 1), next - MARK_WAIT);
        assert_eq!(marks(&mut batch, next), [(2, 1, false), (3, 1, false)]);
        // At the end nothing waits.
        batch.take(began(4, 1), next);
        assert_eq!(batch.marks(next, true).len(), 1);
    }

    #[test]
    fn a_part_that_arrived_is_marked_at_once_and_the_attempt_no_more() {
        let (mut batch, start) = (Batch::default(), Instant::now());
        batch.take(began(1, 1), start);
        let (done, _durable) = oneshot::channel();
        let part = Start { shown: true, seq: 1, attempt: 1, at: Timestamp(7), parts_done: 1 };
        batch.take(Note::Reached(part, done), start);
        assert_eq!(batch.marks_at(), None);
        assert_eq!(marks(&mut batch, start), [(1, 1, true)]);
        assert!(marks(&mut batch, start + ROW_WAIT).is_empty());
    }

    #[test]
    fn another_attempt_of_the_same_has_its_own_mark() {
        let (mut batch, start) = (Batch::default(), Instant::now());
        let later = start + LIST_EVERY;
        batch.take(began(1, 1), start);
        assert_eq!(marks(&mut batch, start + MARK_WAIT), [(1, 1, false)]);
        batch.take(ended(1), later);
        batch.take(began(1, 2), later);
        assert_eq!(batch.marks_at(), Some(later + MARK_WAIT));
        assert_eq!(marks(&mut batch, later + MARK_WAIT), [(1, 2, false)]);
    }

    #[test]
    fn marks_that_wait_and_ends_fill_a_batch() {
        let (mut batch, start) = (Batch::default(), Instant::now());
        for place in 1..BATCH_MAX as i64 {
            batch.take(began(place, 1), start);
        }
        assert!(!batch.is_full());
        batch.take(ended(1), start);
        assert!(!batch.is_full(), "one fewer waits, one more has ended");
        batch.take(ended(0), start);
        assert!(batch.is_full());
        assert_eq!(marks(&mut batch, start).len(), BATCH_MAX - 2);
        assert!(!batch.is_full());
    }
}
