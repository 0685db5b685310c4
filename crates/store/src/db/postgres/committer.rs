//! A committer: takes what waits, does it in one transaction, each piece in a savepoint of its own, and answers when
//! that is durable.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::wire::Wire;
use crate::db::{Observer, Tx, Work};
use crate::error::Error;

/// How many pieces of work share one commit at most.
const GROUP_MAX: usize = 256;
/// How long a group waits for a database that is not there, before its callers are told.
const BEGIN_WAIT: Duration = Duration::from_secs(5);
/// How long between two tries to reach it.
const BEGIN_AGAIN: Duration = Duration::from_millis(100);

const BEGIN: &str = "BEGIN";
/// All careful committers of all servers take turns.
const BEGIN_CAREFUL: &str = "BEGIN; SELECT pg_advisory_xact_lock(7157141300000002)";

type Inbox = Arc<Mutex<mpsc::Receiver<Box<dyn Work>>>>;

pub(super) struct Committer {
    wire: Wire,
    inbox: Inbox,
    observer: Arc<dyn Observer>,
    careful: bool,
    /// Pieces that were taken, but not begun before the connection went away.
    kept: VecDeque<Box<dyn Work>>,
    /// Who answers what has erased something.
    purger: Option<mpsc::UnboundedSender<Box<dyn Work>>>,
}

impl Committer {
    pub(super) fn careful(
        wire: Wire,
        inbox: Inbox,
        observer: Arc<dyn Observer>,
        purger: mpsc::UnboundedSender<Box<dyn Work>>,
    ) -> Self {
        Self { wire, inbox, observer, careful: true, kept: VecDeque::new(), purger: Some(purger) }
    }

    pub(super) fn beside(wire: Wire, inbox: Inbox, observer: Arc<dyn Observer>) -> Self {
        Self { wire, inbox, observer, careful: false, kept: VecDeque::new(), purger: None }
    }

    pub(super) fn run(mut self) {
        while let Some(group) = self.gather() {
            self.commit(group);
        }
    }

    /// What waits, at least one piece; nothing at the end.
    fn gather(&mut self) -> Option<VecDeque<Box<dyn Work>>> {
        let mut group = std::mem::take(&mut self.kept);
        let mut inbox = self.inbox.lock().expect("no code panics while it holds the inbox");
        if group.is_empty() {
            group.push_back(inbox.blocking_recv()?);
        }
        while group.len() < GROUP_MAX
            && let Ok(work) = inbox.try_recv()
        {
            group.push_back(work);
        }
        Some(group)
    }

    fn commit(&mut self, mut group: VecDeque<Box<dyn Work>>) {
        let start = Instant::now();
        let mut done = Vec::with_capacity(group.len());
        let outcome = self.write(&mut group, &mut done);
        if let Err(error) = &outcome {
            tracing::error!(%error, pieces = done.len() + group.len(), "a group of writes was not made durable");
            if done.is_empty() {
                // Nothing was begun: the callers are told, and may come again.
                done.extend(group.drain(..).map(|work| (work, false)));
            } else if self.wire.is_connected() && self.wire.batch("ROLLBACK").is_err() {
                self.wire.cut();
            }
        }
        self.kept = group;
        let callers = done.iter().map(|(work, _erased)| work.callers()).sum();
        self.observer.committed(callers, start.elapsed());
        let failure = outcome.err().map(|error| error.to_string());
        for (work, erased) in done {
            match (&failure, &self.purger) {
                (Some(text), _) => work.answer(Err(Error::Unavailable(text.clone()))),
                (None, Some(purger)) if erased => {
                    if let Err(gone) = purger.send(work) {
                        gone.0.answer(Err(Error::Unpurged));
                    }
                }
                (None, _) => work.answer(Ok(())),
            }
        }
    }

    /// Moves pieces from `group` to `done` as they are begun.
    fn write(
        &mut self,
        group: &mut VecDeque<Box<dyn Work>>,
        done: &mut Vec<(Box<dyn Work>, bool)>,
    ) -> Result<(), Error> {
        self.begin()?;
        // A piece that is alone needs no savepoint: when it fails, the whole is rolled back.
        let alone = group.len() == 1;
        if !alone {
            self.wire.batch("SAVEPOINT piece")?;
        }
        while let Some(mut work) = group.pop_front() {
            let mut tx = Tx::postgres(&mut self.wire);
            let written = work.run(&mut tx);
            let erased = tx.has_erased();
            let written = written && !self.wire.has_failed();
            done.push((work, written && erased));
            if !self.wire.is_connected() {
                return Err(Error::Unavailable("the connection to the database was lost".to_owned()));
            }
            self.wire.forget_failure();
            match (alone, written) {
                (true, true) => {}
                (true, false) => self.wire.batch("ROLLBACK; BEGIN")?,
                (false, true) => self.wire.batch("RELEASE SAVEPOINT piece; SAVEPOINT piece")?,
                (false, false) => self.wire.batch("ROLLBACK TO SAVEPOINT piece")?,
            }
        }
        self.wire.batch("COMMIT")
    }

    /// Begins a transaction, on a new connection where the old one is gone, and waits a while for the database.
    fn begin(&mut self) -> Result<(), Error> {
        let until = Instant::now() + BEGIN_WAIT;
        loop {
            let begun = self
                .wire
                .connect()
                .and_then(|()| self.wire.batch(if self.careful { BEGIN_CAREFUL } else { BEGIN }));
            self.wire.forget_failure();
            match begun {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_error) => {
                    self.wire.cut();
                    self.wire.wait(async { sleep(BEGIN_AGAIN).await });
                }
            }
        }
    }
}
