//! Work for a writer, how its callers are answered, and who is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Tx, closing};
use crate::error::Error;

/// Is told of each commit, for metrics.
pub trait Observer: Send + Sync {
    /// `pieces` pieces of work were made durable together, in `elapsed`.
    fn committed(&self, pieces: usize, elapsed: Duration);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn committed(&self, _pieces: usize, _elapsed: Duration) {}
}

/// A piece of work on its way through the writer: done first, answered after the commit.
pub(crate) trait Work: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), Error>);
    /// Whether it may fail after it has written, so that it needs a way back of its own.
    fn is_careful(&self) -> bool {
        true
    }
    /// For how many callers it was done.
    fn callers(&self) -> usize {
        1
    }
}

/// In which manner a piece of work is written.
pub(super) struct Manner {
    /// Whether no other careful work of any server may come between what it looks at and what it writes.
    pub(super) careful: bool,
    /// The version to raise before anybody is told.
    pub(super) raise: Option<Arc<AtomicU64>>,
}

/// One that is a function, for one caller.
pub(super) struct Piece<T, F, A> {
    work: Option<F>,
    then: A,
    manner: Manner,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F, A> Piece<T, F, A> {
    pub(super) fn new(work: F, then: A, manner: Manner, reply: oneshot::Sender<Result<T, Error>>) -> Self {
        Self { work: Some(work), then, manner, result: None, reply }
    }
}

impl<T, F, A> Work for Piece<T, F, A>
where
    T: Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send,
    A: FnOnce(&T) + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = work(tx);
        let done = result.is_ok();
        self.result = Some(result);
        done
    }

    fn is_careful(&self) -> bool {
        self.manner.careful
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let Self { then, manner, result, reply, .. } = *self;
        if let Some(version) = &manner.raise {
            version.fetch_add(1, Ordering::AcqRel);
        }
        // What is durable is told, also where bytes of it are still to leave the files.
        if let (Ok(()) | Err(Error::Unpurged), Some(Ok(value))) = (&committed, &result) {
            then(value);
        }
        let result = committed.and_then(|()| result.unwrap_or_else(|| Err(closing())));
        // Nobody waits any more when the caller went away; what was written stays written.
        drop(reply.send(result));
    }
}
