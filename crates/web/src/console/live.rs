//! Tells an open page that what it shows has changed, by server-sent events. The page then asks for itself anew, so that
//! nothing is shown that its visitor may not see.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use carillon_model::role::Right;
use carillon_service::{Caller, Error, Service};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::overview::hours;
use super::problem::Problem;
use super::visit::Visit;
use crate::App;
use crate::serve::Stopping;

/// How often is looked whether something has changed.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How long one answer lasts; then the browser asks again, and is let in again or not.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// How many pages are told at most.
const PAGES_MAX: usize = 128;

/// The places of pages that are told.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PAGES_MAX)))
    }
}

/// A page that is told.
struct Told {
    service: Service,
    caller: Caller,
    hours: u32,
    seen: u64,
    until: Instant,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Told {
    /// A mark of what the page shows.
    async fn mark(&self) -> Result<u64, Error> {
        let traffic = self.service.traffic(&self.caller, self.hours).await?;
        let standings = self.service.endpoint_standings(&self.caller).await?;
        let mut mark = DefaultHasher::new();
        format!("{traffic:?}{standings:?}").hash(&mut mark);
        Ok(mark.finish())
    }

    /// Waits for the next change; nothing when the answer ends.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep(LOOK_EVERY) => {}
            }
            if Instant::now() >= self.until {
                return None;
            }
            let mark = match self.mark().await {
                Ok(mark) => mark,
                Err(error) => {
                    tracing::debug!(%error, "a page is told no more");
                    return None;
                }
            };
            if mark != self.seen {
                self.seen = mark;
                return Some((Ok(Event::default().event("changed").data("look again")), self));
            }
        }
    }
}

/// The events of the overview.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(places): Extension<Places>,
    stopping: Option<Extension<Stopping>>,
    visit: Visit,
) -> Result<Response, Problem> {
    visit.must(Right::Look)?;
    let Ok(place) = places.0.try_acquire_owned() else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let mut told = Told {
        service: app.service.clone(),
        hours: hours(&visit),
        caller: visit.caller,
        seen: 0,
        until: Instant::now() + LIFE,
        stop: stopping.map(|Extension(Stopping(stop))| stop).unwrap_or_default(),
        _place: place,
    };
    told.seen = told.mark().await.map_err(|error| Problem::new(visit.look, None, error.into()))?;
    let events = Sse::new(stream::unfold(told, Told::next));
    Ok(events.keep_alive(KeepAlive::default()).into_response())
}
