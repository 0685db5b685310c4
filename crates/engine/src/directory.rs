//! Reads directories: those that somebody asked for, and in turn those that were read before, so that they stay fresh.
//!
//! What was being read when the server stopped is read again from the beginning: nothing of it was the directory yet.
//!
//! Of several servers, the one that serves the shard of a connection reads its directory. What it reads is kept only while
//! the shard is its own.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::id::ConnectionId;
use carillon_model::office::{App, Range};
use carillon_model::outcome::{Advice, Outcome};
use carillon_model::{Chance, Clock, Timestamp};
use carillon_provider::{Fault, Found, Providers, Walk, Wrong};
use carillon_store::office_run::{Progress, Run};
use carillon_store::office_staged::Staged;
use carillon_store::shard::{Shard, Shards};
use carillon_store::{Error, Store};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::settings::{Parts, Settings};

/// How often it is looked whose turn has come, and whether another server asked.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How many times a step is tried when the platform has no time for it.
const TRIES_MAX: u32 = 6;
/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How many things read are kept with one write.
const BATCH: usize = 200;

/// What reading directories needs.
pub(crate) struct Directories {
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    /// Which connections are this server's.
    pub(crate) shards: Arc<Shards>,
    /// Stands in every URN.
    pub(crate) region: String,
    /// How often a directory is read by itself; never when not set.
    pub(crate) every: Option<Duration>,
}

/// Why a reading ended without an end.
enum Stopped {
    /// Somebody cancelled it.
    Cancelled,
    /// The server stops, or another one reads on.
    Stopping,
    /// The platform refused.
    Fault(Fault),
    /// The store failed.
    Store(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// What was read and not yet kept.
#[derive(Default)]
struct Pages {
    staged: Staged,
    range: Option<Range>,
}

impl Pages {
    fn take(&mut self, found: Vec<Found>) {
        for one in found {
            match one {
                Found::Range(range) => self.range = Some(range),
                Found::Department(department) => self.staged.departments.push(department),
                Found::Member(member) => self.staged.members.push(member),
                Found::Chat(chat) => self.staged.chats.push(chat),
            }
        }
    }

    fn len(&self) -> usize {
        self.staged.departments.len() + self.staged.members.len() + self.staged.chats.len()
    }
}

impl Directories {
    /// What reads directories, from the engine's own parts.
    pub(crate) fn new(parts: &Parts, settings: &Settings) -> Self {
        Self {
            region: settings.region.clone(),
            store: parts.store.clone(),
            shards: parts.store.shards(),
            providers: Arc::clone(&parts.providers),
            clock: Arc::clone(&parts.clock),
            chance: Arc::clone(&parts.chance),
            every: settings.directories_every,
        }
    }

    /// Reads until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.store.wake();
        loop {
            if let Err(error) = self.look(&stop).await {
                tracing::error!(%error, "directories cannot be read yet");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.update_asked() => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self, stop: &CancellationToken) -> Result<(), Error> {
        if let Some(every) = self.every {
            self.begin_due(every).await?;
        }
        self.begin_changed().await?;
        for run in self.store.run_list_running().await? {
            if stop.is_cancelled() {
                return Ok(());
            }
            if !self.is_mine(run.connection) {
                continue;
            }
            self.read(run, stop).await?;
        }
        self.tell_of_missed().await
    }

    /// Whether this server is the one that reads the directory of a connection now.
    pub(crate) fn is_mine(&self, connection: ConnectionId) -> bool {
        self.shards.may_serve(Shard::of_connection(connection))
    }

    /// Begins readings whose turn has come; up to a tenth later than that, so that they do not all come at once.
    async fn begin_due(&self, every: Duration) -> Result<(), Error> {
        let now = self.clock.now();
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        for (connection, last) in
            self.store.connection_list_due(Timestamp(now.0.saturating_sub(every_ms))).await?
        {
            if !self.is_mine(connection) {
                continue;
            }
            let late = now.since(last).saturating_sub(every);
            let share = u32::try_from(self.chance.number() % 1_000).unwrap_or(0);
            if late >= every / 10 * share / 1_000 {
                let run = self.store.run_begin(connection, "timer".to_owned()).await?;
                tracing::info!(%connection, %run, "a directory's turn has come");
            }
        }
        Ok(())
    }

    /// Begins readings for what the platforms told of changes.
    async fn begin_changed(&self) -> Result<(), Error> {
        for connection in self.store.connection_list_changed().await? {
            if self.is_mine(connection) {
                let run = self.store.run_begin(connection, "events".to_owned()).await?;
                tracing::info!(%connection, %run, "the platform told of changes in a directory");
            }
        }
        Ok(())
    }

    async fn read(&self, run: Run, stop: &CancellationToken) -> Result<(), Error> {
        if !self.store.run_restart(run.id).await? {
            return Ok(());
        }
        let Some(app) = self.store.connection_open(run.connection).await? else { return Ok(()) };
        tracing::info!(run = %run.id, connection = %run.connection, "reading a directory");
        let mut walk = Walk::default();
        let ended = self.read_all(&run, &app, &mut walk, stop).await;
        match ended {
            Ok(()) => {
                let asks = self.store.run_finish(run.id).await?;
                tracing::info!(run = %run.id, connection = %run.connection, calls = walk.calls(), ?asks, "read a directory");
                Ok(())
            }
            Err(Stopped::Cancelled | Stopped::Stopping) => Ok(()),
            Err(Stopped::Store(error)) => Err(error),
            Err(Stopped::Fault(fault)) => {
                tracing::warn!(
                    run = %run.id,
                    connection = %run.connection,
                    platform_code = fault.verdict.platform_code.as_deref(),
                    reason = fault.verdict.reason.name(),
                    "a directory could not be read"
                );
                let mut missing = walk.missing();
                if let Wrong::Scopes(scopes) = &fault.wrong {
                    missing.extend(scopes.iter().cloned());
                }
                let Advice { en: _, zh } = fault.advice();
                let error = Advice { en: fault.sentence().into(), zh };
                self.store.run_end(run.id, error, missing).await.map(drop)
            }
        }
    }

    async fn read_all(
        &self,
        run: &Run,
        app: &App,
        walk: &mut Walk,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let mut pages = Pages::default();
        loop {
            if !self.is_mine(run.connection) {
                return Err(Stopped::Stopping);
            }
            let Some(found) = self.step(app, walk, stop).await? else { break };
            pages.take(found);
            // The first calls and every full batch show that it moves.
            if pages.len() >= BATCH || walk.calls() <= 3 || walk.calls().is_multiple_of(25) {
                self.keep(run, app, walk, std::mem::take(&mut pages)).await?;
            }
        }
        self.keep(run, app, walk, pages).await
    }

    /// Takes a step, and again when the platform has no time for it or asks to wait.
    async fn step(
        &self,
        app: &App,
        walk: &mut Walk,
        stop: &CancellationToken,
    ) -> Result<Option<Vec<Found>>, Stopped> {
        let mut wait = FIRST_WAIT;
        for again in 1.. {
            let fault = match self.providers.directory_next(app, walk).await {
                Ok(found) => return Ok(found),
                Err(fault) => fault,
            };
            let asked = match fault.verdict.outcome {
                Outcome::Later { wait, .. } => wait,
                // Reading twice does no harm.
                Outcome::Unknown => None,
                Outcome::Accepted | Outcome::Refused | Outcome::Misconfigured => {
                    return Err(Stopped::Fault(fault));
                }
            };
            if again >= TRIES_MAX || asked.is_some_and(|asked| asked > Duration::from_secs(600)) {
                return Err(Stopped::Fault(fault));
            }
            tokio::select! {
                () = stop.cancelled() => return Err(Stopped::Stopping),
                () = sleep(asked.unwrap_or(wait)) => wait *= 2,
            }
        }
        Ok(None)
    }

    async fn keep(&self, run: &Run, app: &App, walk: &Walk, pages: Pages) -> Result<(), Stopped> {
        let progress = Progress { calls: walk.calls(), missing: walk.missing(), range: pages.range };
        let wanted = self.store.run_stage(run.id, app.platform(), pages.staged, progress).await?;
        if wanted { Ok(()) } else { Err(Stopped::Cancelled) }
    }
}
