//! Start, drain, cut: the first signal lets what is under way finish, the second ends at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use carillon_model::link::Links;
use carillon_service::install::Preset;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ServerConfig;
use crate::wire;

/// A server that listens.
pub(crate) struct Listening {
    pub(crate) addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    engine: carillon_engine::Engine,
    config: ServerConfig,
}

/// Builds a server and listens.
///
/// # Errors
/// When a part cannot be built or the address is taken.
pub(crate) async fn listen(config: ServerConfig, preset: Preset) -> anyhow::Result<Listening> {
    // The address first: a second server must not touch the store before it fails.
    let listener = bind(config.listen).await?;
    let metrics_listener = match config.metrics_listen {
        Some(addr) => Some(bind(addr).await?),
        None => None,
    };
    let addr = listener.local_addr()?;
    let links = match &config.public_url {
        Some(links) => links.clone(),
        None => local_links(addr)?,
    };
    let server = wire::build(&config, links, preset).await?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let patience = config.drain_timeout;
    if let Some(listener) = metrics_listener {
        let router = carillon_web::metrics_router(server.app.clone());
        tasks.spawn(carillon_web::serve::serve(listener, router, stop.clone(), patience));
    }
    let router = carillon_web::router(server.app);
    tasks.spawn(carillon_web::serve::serve(listener, router, stop.clone(), patience));
    tasks.close();
    Ok(Listening { addr, stop, tasks, engine: server.engine, config })
}

/// Links for subscribers on this machine, when no address is set under which others reach the server.
fn local_links(mut addr: SocketAddr) -> anyhow::Result<Links> {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(Links::parse(&format!("http://{addr}"))?)
}

async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))
}

impl Listening {
    /// Takes no new request and begins no new attempt, and lets those under way finish, all until one deadline. Tells
    /// whether all attempts did in time.
    pub(crate) async fn drain(self) -> bool {
        self.stop.cancel();
        let ((), clean) = tokio::join!(self.tasks.wait(), self.engine.drain(self.config.drain_timeout));
        clean
    }
}

/// The signals that end a server.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to catch them.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one.
    pub(crate) async fn arrived(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Runs a server until a signal.
///
/// # Errors
/// When it cannot start.
pub(crate) async fn serve(config: ServerConfig, preset: Preset) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let listening = listen(config, preset).await?;
    let links = listening.config.public_url.clone().map_or_else(|| local_links(listening.addr), Ok)?;
    let console = format!("{}/console", links.base());
    tracing::info!(address = %listening.addr, %console, version = env!("CARGO_PKG_VERSION"), "ready");
    signals.arrived().await;
    tracing::info!("stopping: what is under way finishes; a second signal ends it at once");
    let clean = tokio::select! {
        clean = listening.drain() => clean,
        () = signals.arrived() => false,
    };
    if clean {
        tracing::info!("stopped");
        return Ok(ExitCode::SUCCESS);
    }
    tracing::warn!("stopped before all attempts had ended; they are made again at the next start");
    Ok(ExitCode::from(1))
}
