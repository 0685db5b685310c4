//! The server under test: a process of its own, and what the system says of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::http::{self, Connection};

/// The token that the harness signs in with; the server lives as long as the harness and listens on loopback only.
pub(crate) const TOKEN: &str = "bench-token-of-this-run";
/// The project.
pub(crate) const PROJECT: &str = "0bec0000000000000000000000000bec";
/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(60);

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first good answer.
    pub(crate) ready_after: Duration,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// Time on processors, in microseconds.
    pub(crate) cpu_us: u64,
    /// Bytes written to files and pipes.
    pub(crate) written: u64,
    /// Bytes of memory in use.
    pub(crate) resident: u64,
    /// The most bytes of memory that were in use.
    pub(crate) resident_max: u64,
}

impl Server {
    /// Starts it and waits until it serves.
    pub(crate) async fn start(
        program: &Path,
        flags: &[String],
        data: &Path,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let start = Instant::now();
        let log = std::fs::File::options().create(true).append(true).open(data.join("bench.log"))?;
        let mut child = dying_with_us(program)
            .arg("serve")
            .args(["--listen", &address.to_string(), "--public-url", &format!("http://{address}")])
            .args(["--allow-private-endpoints", "127.0.0.0/8", "--data-dir"])
            .arg(data.join("data"))
            .args(flags)
            .env("CARILLON_BOOTSTRAP_TOKEN", TOKEN)
            .env("CARILLON_BOOTSTRAP_PROJECT_ID", PROJECT)
            .env("CARILLON_LOG", "error")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        loop {
            if let Ok(mut connection) = Connection::open(address).await
                && let Ok(answer) = connection.ask(&http::get(address, "/readyz", "")).await
                && answer.status == 200
            {
                break;
            }
            if let Some(status) = child.try_wait()? {
                bail!("the server ended: {status}; see {}", data.join("bench.log").display());
            }
            if start.elapsed() > START_MAX {
                bail!("the server is not ready after {START_MAX:?}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Self { child, address, ready_after: start.elapsed() })
    }

    /// What it has used.
    pub(crate) fn used(&self) -> Used {
        self.child.id().map(used).unwrap_or_default()
    }

    /// kill -9 while others still look at it.
    pub(crate) async fn strike(&self) -> anyhow::Result<()> {
        let pid = self.child.id().context("the server has ended already")?;
        let status = Command::new("kill").args(["-9", &pid.to_string()]).status().await?;
        ensure!(status.success(), "the server could not be killed");
        Ok(())
    }

    /// kill -9.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// A program that is killed when this process is, where the system has a way.
fn dying_with_us(program: &Path) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Reads `/proc`, where there is one; zeros elsewhere.
fn used(pid: u32) -> Used {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let schedule: u64 = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, |tasks| {
        let one = |entry: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(entry.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        tasks.filter_map(one).sum()
    });
    // Threads that have ended are in the process's own count only, which has steps of ten milliseconds.
    let stat = read("stat");
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or_default()
    };
    let status = read("status");
    Used {
        cpu_us: (schedule / 1000).max(ticks * 10_000),
        written: field(&read("io"), "wchar:"),
        resident: field(&status, "VmRSS:") * 1024,
        resident_max: field(&status, "VmHWM:") * 1024,
    }
}
