//! A store that does nothing by itself: what waits for it is done when whoever holds the hand says so, in the holder's
//! own thread. So a run can be repeated exactly, and be cut between a commit and its answer.

use tokio::sync::mpsc;

use super::Work;
use super::sqlite::{Committed, Writer};
use crate::error::Error;

/// Does what waits for a store, step by step. Reads and writes go by the same queue, in the order of their calls.
pub struct Hand {
    writer: Writer,
    inbox: mpsc::Receiver<Box<dyn Work>>,
    waiting: Vec<Box<dyn Work>>,
}

/// Work that was done and is durable, while nobody knows of it. Dropped unanswered, it is what a crash leaves.
#[must_use = "whoever asked still waits for the answer"]
pub struct Held(Committed);

impl Hand {
    pub(crate) fn new(writer: Writer, inbox: mpsc::Receiver<Box<dyn Work>>) -> Self {
        Self { writer, inbox, waiting: Vec::new() }
    }

    /// Waits until there is something to do, and tells how much; nothing when the store is gone.
    pub async fn waiting(&mut self) -> usize {
        if self.waiting.is_empty() {
            self.waiting.extend(self.inbox.recv().await);
        }
        while let Ok(work) = self.inbox.try_recv() {
            self.waiting.push(work);
        }
        self.waiting.len()
    }

    /// Does the first `count` of what waits in one transaction.
    pub fn commit(&mut self, count: usize) -> Held {
        let group = self.take(count);
        Held(self.writer.commit(group))
    }

    /// Does nothing of the first `count`, and tells their callers that the store cannot be written.
    pub fn refuse(&mut self, count: usize, why: &str) {
        for work in self.take(count) {
            work.answer(Err(Error::Unavailable(why.to_owned())));
        }
    }

    fn take(&mut self, count: usize) -> Vec<Box<dyn Work>> {
        let count = count.min(self.waiting.len());
        self.waiting.drain(..count).collect()
    }
}

impl Held {
    /// Answers those who asked, and hands over to the engine what is new.
    pub fn answer(self) {
        self.0.answer();
    }
}
