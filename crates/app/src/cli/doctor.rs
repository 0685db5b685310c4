//! `carillon doctor`: whether this machine, these settings and this store will do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::SystemClock;
use carillon_provider::{Failure, Providers, Reached};
use carillon_store::{KeyStanding, Store};
use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::paint::Paint;
use super::say;
use crate::config::{ServerConfig, ServerFlags};
use crate::install;

/// How long a connection or an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far the clock may be off: signed requests and the platforms allow for much more.
const SKEW_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct DoctorFlags {
    #[command(flatten)]
    server: ServerFlags,
    /// Ask nobody outside of this machine
    #[arg(long)]
    offline: bool,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Fine,
    Noted,
    Bad,
}

#[derive(Debug)]
struct Finding {
    standing: Standing,
    what: &'static str,
    text: String,
}

fn fine(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { standing: Standing::Fine, what, text: text.into() }
}

fn noted(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { standing: Standing::Noted, what, text: text.into() }
}

fn bad(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { standing: Standing::Bad, what, text: text.into() }
}

/// Runs the command: 0 when nothing is bad, 1 when something is.
pub(crate) async fn run(flags: DoctorFlags) -> anyhow::Result<ExitCode> {
    let config = match flags.server.load() {
        Ok(config) => config,
        Err(error) => return Ok(show(&[bad("settings", format!("{error:#}"))])),
    };
    let mut found = vec![fine("settings", "can be read")];
    found.push(match &config.public_url {
        Some(links) => fine("public url", links.base()),
        None => noted(
            "public url",
            "not set: links for subscribers lead to where the server listens (--public-url)",
        ),
    });
    found.push(directory(&config.data_dir));
    found.extend(store(&config));
    if install::path(&config.data_dir).exists() {
        let text = "bootstrap.json is there: move it to a password store";
        found.push(noted("first start", text));
    }
    found.push(server(&config).await);
    if !flags.offline {
        found.extend(outside(&config).await);
    }
    Ok(show(&found))
}

fn show(found: &[Finding]) -> ExitCode {
    let paint = Paint::of_stdout();
    for Finding { standing, what, text } in found {
        let mark = match standing {
            Standing::Fine => paint.green("ok  "),
            Standing::Noted => paint.yellow("note"),
            Standing::Bad => paint.red("bad "),
        };
        say(&format!("{mark}  {what:<18} {text}"));
    }
    ExitCode::from(u8::from(found.iter().any(|finding| finding.standing == Standing::Bad)))
}

/// Whether files can be made in the data directory.
fn directory(dir: &Path) -> Finding {
    const WHAT: &str = "data directory";
    let shown = dir.display();
    let Ok(about) = std::fs::metadata(dir) else {
        return noted(WHAT, format!("{shown} is not there yet: the first start makes it"));
    };
    let probe = dir.join(".carillon-doctor");
    let made = std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe));
    match made {
        Err(error) => bad(WHAT, format!("{shown} cannot be written: {error}")),
        Ok(()) if about.permissions().mode() & 0o077 != 0 => {
            noted(WHAT, format!("{shown} is open to other users: chmod 700"))
        }
        Ok(()) => fine(WHAT, format!("{shown} can be written, by its owner only")),
    }
}

/// The key file's rights, the database's version, and whether the two belong together.
fn store(config: &ServerConfig) -> Vec<Finding> {
    let settings = config.store();
    let mut found = Vec::new();
    let key_file = config.key_file.clone().unwrap_or_else(|| config.data_dir.join("master.key"));
    if let Ok(about) = std::fs::metadata(&key_file)
        && about.permissions().mode() & 0o077 != 0
    {
        found.push(bad("key file", format!("{} is open to other users: chmod 600", key_file.display())));
    }
    let (standing, key) = match Store::examine(&settings) {
        Ok(examined) => examined,
        Err(error) => {
            found.push(bad("database", error.to_string()));
            return found;
        }
    };
    found.push(match standing.migrations.as_slice() {
        [] => fine("database", format!("can be read, version {}", standing.version)),
        _ if standing.version == 0 => noted("database", "is not there yet: the first start makes it"),
        names => noted(
            "database",
            format!(
                "the next start brings it from version {} to {}: {}",
                standing.version,
                standing.known,
                names.join(", ")
            ),
        ),
    });
    let shown = key_file.display();
    found.push(match key {
        KeyStanding::Fits => fine("key file", format!("{shown} opens this database")),
        KeyStanding::Nothing if !key_file.exists() => {
            noted("key file", format!("{shown} is not there yet: the first start makes it"))
        }
        KeyStanding::Nothing => noted("key file", format!("{shown} can be read; nothing is sealed yet")),
        KeyStanding::Missing => {
            bad("key file", format!("{shown} is missing: put this installation's own key file back"))
        }
        KeyStanding::Foreign => bad(
            "key file",
            format!("{shown} does not open this database: put this installation's own key file back"),
        ),
    });
    found
}

/// Whether a server answers where these settings let one listen.
async fn server(config: &ServerConfig) -> Finding {
    const WHAT: &str = "server";
    let addr = config.listen;
    match timeout(PATIENCE, ask(addr)).await {
        Ok(Ok(line)) if line.contains(" 200 ") => fine(WHAT, format!("is ready at {addr}")),
        Ok(Ok(line)) => bad(WHAT, format!("what listens at {addr} says: {}", line.trim())),
        Ok(Err(_refused)) => noted(WHAT, format!("none listens at {addr}")),
        Err(_elapsed) => bad(WHAT, format!("what listens at {addr} does not answer")),
    }
}

/// The first line of an answer.
async fn ask(addr: std::net::SocketAddr) -> std::io::Result<String> {
    const LINE_MAX: u64 = 256;
    let mut stream = TcpStream::connect(addr).await?;
    stream
        .write_all(format!("GET /readyz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut text = Vec::new();
    stream.take(LINE_MAX).read_to_end(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
}

/// The platforms, their clocks, and the mail relay.
async fn outside(config: &ServerConfig) -> Vec<Finding> {
    let providers = Providers::new(config.provider.clone(), Arc::new(SystemClock));
    let reached = providers.reach_platforms().await;
    let mut found: Vec<Finding> = reached.iter().map(platform).collect();
    let skews = reached.iter().filter_map(|one| one.clock.ok().flatten());
    found.push(match skews.min() {
        None => noted("clock", "nobody said what time it is"),
        Some(skew) if skew > SKEW_MAX => bad(
            "clock",
            format!(
                "is off by {} seconds: set it right (NTP), platforms refuse signatures of another time",
                skew.as_secs()
            ),
        ),
        Some(skew) => fine("clock", format!("is right within {} seconds", skew.as_secs() + 1)),
    });
    match &config.provider.mail {
        None => found.push(noted("mail relay", "not set: there are no email subscriptions (--smtp-url)")),
        Some(mail) => {
            let (host, port) = mail.relay.address();
            found.push(match timeout(PATIENCE, TcpStream::connect((host, port))).await {
                Ok(Ok(_stream)) => fine("mail relay", format!("{host}:{port} can be reached")),
                Ok(Err(error)) => bad("mail relay", format!("{host}:{port} cannot be reached: {error}")),
                Err(_elapsed) => bad("mail relay", format!("{host}:{port} does not answer")),
            });
        }
    }
    found
}

/// A platform that nobody subscribed to need not be reached: the operator knows which are wanted.
fn platform(reached: &Reached) -> Finding {
    let host = reached.host;
    match &reached.clock {
        Ok(_) => fine("platform", format!("{host} can be reached")),
        Err(failure) => {
            let why = match failure {
                Failure::Resolve => "its name is not resolved: look at this machine's DNS",
                Failure::Connect => "no connection: let this machine out to port 443",
                Failure::Timeout => "no answer in time: let this machine out to port 443",
                Failure::Broken => "the connection broke: something between here and there cuts it",
                Failure::Request | Failure::Forbidden | Failure::Large => "it cannot be asked",
            };
            noted("platform", format!("{host}: {why}"))
        }
    }
}
