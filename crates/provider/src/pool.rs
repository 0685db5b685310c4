//! Connections that are kept for the next request to the same place.
//!
//! Whoever finds none makes one, in a task of its own: he takes that, or what another gives back before. Then what was made for
//! nothing is kept for the next (docs/adr/0041).

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::http::uri::{Authority, Scheme};
use hyper::rt::Executor as _;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::http::Failure;

/// How long a connection is kept that nobody uses: shorter than the platforms keep it, so that a request rarely meets its end.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How many are kept for each place: as many as requests to one host are under way in a burst.
const IDLE_PER_PLACE_MAX: usize = 1024;

/// Whom a connection leads to.
pub(crate) type Place = (Scheme, Authority);

/// A connection, as far as it matters here.
pub(crate) trait Line: Send + Sized + 'static {
    /// Whether a request can go over it now.
    fn is_ready(&self) -> bool;
    /// Waits for that; false when it has ended.
    fn ready(&mut self) -> impl Future<Output = bool> + Send;
    /// The same connection once more, if it carries several requests at once.
    fn again(&self) -> Option<Self>;
}

/// All connections that are kept.
pub(crate) struct Pool<L> {
    places: Arc<Mutex<Places<L>>>,
}

struct Places<L> {
    kept: HashMap<Place, Arc<Lines<L>>>,
    /// Whether somebody looks for what was kept too long.
    swept: bool,
}

impl<L> Default for Pool<L> {
    fn default() -> Self {
        Self { places: Arc::new(Mutex::new(Places { kept: HashMap::new(), swept: false })) }
    }
}

impl<L: Line> Pool<L> {
    /// The connections to a place.
    pub(crate) fn lines(&self, place: &Place) -> Arc<Lines<L>> {
        let mut places = locked(&self.places);
        if let Some(lines) = places.kept.get(place) {
            return Arc::clone(lines);
        }
        if !std::mem::replace(&mut places.swept, true) {
            TokioExecutor::new().execute(sweep(Arc::downgrade(&self.places)));
        }
        let lines = Arc::new(Lines { idle: Mutex::default(), news: Notify::new() });
        places.kept.insert(place.clone(), Arc::clone(&lines));
        lines
    }
}

/// Closes what nobody has used for long, until there is nothing left.
async fn sweep<L: Line>(places: Weak<Mutex<Places<L>>>) {
    loop {
        tokio::time::sleep(IDLE_MAX / 2).await;
        let Some(places) = places.upgrade() else { return };
        let mut places = locked(&places);
        let now = Instant::now();
        places.kept.retain(|_place, lines| {
            let mut idle = locked(&lines.idle);
            idle.retain(|kept| kept.is_good(now));
            // Nobody has it in hand but this list, and nobody can take it out while the list is held.
            !idle.is_empty() || Arc::strong_count(lines) > 1
        });
        if places.kept.is_empty() {
            places.swept = false;
            return;
        }
    }
}

/// The connections to one place.
pub(crate) struct Lines<L> {
    /// The one that was used last is the last.
    idle: Mutex<Vec<Kept<L>>>,
    /// That one was put here.
    news: Notify,
}

struct Kept<L> {
    line: L,
    since: Instant,
}

impl<L: Line> Kept<L> {
    fn is_good(&self, now: Instant) -> bool {
        now.duration_since(self.since) < IDLE_MAX && self.line.is_ready()
    }
}

impl<L: Line> Lines<L> {
    /// The connection that was used last, for one request.
    pub(crate) fn take(self: &Arc<Self>, now: Instant) -> Option<Lease<L>> {
        let mut idle = locked(&self.idle);
        while let Some(mut kept) = idle.pop() {
            if !kept.is_good(now) {
                continue;
            }
            let lines = Arc::clone(self);
            let Some(again) = kept.line.again() else {
                return Some(Lease { line: kept.line, lines, kept: true });
            };
            kept.since = now;
            idle.push(kept);
            return Some(Lease { line: again, lines, kept: true });
        }
        None
    }

    /// Keeps a connection for whoever comes next, or waits.
    fn put(&self, line: L) {
        let mut idle = locked(&self.idle);
        let many = line.again().is_some();
        // One that carries many is enough.
        let enough =
            many && idle.last().is_some_and(|kept| kept.line.again().is_some() && kept.line.is_ready());
        if enough || idle.len() >= IDLE_PER_PLACE_MAX {
            return;
        }
        idle.push(Kept { line, since: Instant::now() });
        drop(idle);
        if many {
            self.news.notify_waiters();
        } else {
            self.news.notify_one();
        }
    }

    /// A connection for one request: the one that `dial` makes, or one that another gives back before.
    pub(crate) async fn wait<D>(self: &Arc<Self>, dial: D) -> Result<Lease<L>, Failure>
    where
        D: Future<Output = Result<L, Failure>> + Send + 'static,
    {
        let mut dialled = self.dial(dial);
        loop {
            let mut news = pin!(self.news.notified());
            // From here on nothing is missed.
            news.as_mut().enable();
            if let Some(lease) = self.take(Instant::now()) {
                return Ok(lease);
            }
            tokio::select! {
                biased;
                made = &mut dialled => {
                    let line = made.unwrap_or(Err(Failure::Connect))?;
                    return Ok(Lease { line, lines: Arc::clone(self), kept: false });
                }
                () = news => {}
            }
        }
    }

    /// Makes a connection for whoever waits for it; if he has another by then, it is kept for the next.
    fn dial<D>(self: &Arc<Self>, dial: D) -> oneshot::Receiver<Result<L, Failure>>
    where
        D: Future<Output = Result<L, Failure>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let lines = Arc::clone(self);
        TokioExecutor::new().execute(async move {
            let made = dial.await;
            if let Some(again) = made.as_ref().ok().and_then(Line::again) {
                lines.put(again);
            }
            if let Err(Ok(line)) = tell.send(made) {
                lines.put(line);
            }
        });
        told
    }
}

/// A connection in use. One that is not given back is closed.
pub(crate) struct Lease<L> {
    pub(crate) line: L,
    lines: Arc<Lines<L>>,
    /// Whether it had been kept: it may have ended meanwhile.
    pub(crate) kept: bool,
}

impl<L: Line> Lease<L> {
    /// Keeps the connection for the next request, as soon as it has ended this one.
    pub(crate) fn give_back(self) {
        let Self { mut line, lines, .. } = self;
        if line.again().is_some() {
            return;
        }
        if line.is_ready() {
            lines.put(line);
            return;
        }
        TokioExecutor::new().execute(async move {
            if line.ready().await {
                lines.put(line);
            }
        });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
