//! Starts, watches and ends a server.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use carillon_simulator::Running;
use tempfile::TempDir;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use crate::client::{Api, Auth};

pub(crate) const PROJECT: &str = "0f0e0d0c0b0a49088706050403020100";
pub(crate) const REGION: &str = "local";
pub(crate) const ACCESS_KEY: &str = "CTESTACCESSKEY000001";
pub(crate) const SECRET_KEY: &str = "test-secret-key-0123456789-abcdefghij";
pub(crate) const TOKEN: &str = "test-api-token-0123456789";
pub(crate) const PASSWORD: &str = "test-admin-password-0123";

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_carillon");
/// The hosts whose requests are led to the simulator.
pub(crate) const HOSTS: [&str; 5] =
    ["oapi.dingtalk.com", "api.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com"];

/// How long anything may take that ought to be quick, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// Looks until there is something, at most as long as patience lasts.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match until_at_most(PATIENCE, look).await {
        Some(found) => found,
        None => panic!("waited too long: {what}"),
    }
}

/// Looks until there is something or the time is over.
pub(crate) async fn until_at_most<T>(
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Runs all of them at the same time, on the test's own thread, and gives their results in their order.
pub(crate) async fn all<T: 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + 'static>,
) -> Vec<T> {
    let local = LocalSet::new();
    let mut tasks = JoinSet::new();
    for (place, future) in futures.into_iter().enumerate() {
        tasks.spawn_local_on(async move { (place, future.await) }, &local);
    }
    let mut done = local.run_until(tasks.join_all()).await;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The program with an environment of its own: nothing of the machine's settings reaches it.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("TMPDIR", home).current_dir(home).stdin(Stdio::null());
    command
}

/// How a server is to be started.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
    /// Another program than this build's.
    program: Option<PathBuf>,
    /// The most that a file may hold, in blocks of 512 bytes.
    file_blocks: Option<u32>,
}

impl Start {
    pub(crate) fn new() -> Self {
        let presets = [
            ("CARILLON_BOOTSTRAP_PROJECT_ID", PROJECT),
            ("CARILLON_BOOTSTRAP_AK", ACCESS_KEY),
            ("CARILLON_BOOTSTRAP_SK", SECRET_KEY),
            ("CARILLON_BOOTSTRAP_TOKEN", TOKEN),
            ("CARILLON_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD),
        ];
        let env = presets.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Self { args: Vec::new(), env, program: None, file_blocks: None }
    }

    pub(crate) fn flag(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.args.extend([name.to_owned(), value.to_string()]);
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.env.push((name, value.to_string()));
        self
    }

    /// The same by another program, as one of another version is.
    pub(crate) fn by(&self, program: &Path) -> Self {
        Self { program: Some(program.to_owned()), ..self.clone() }
    }

    /// Leads what would go to the platforms to a simulator.
    pub(crate) fn led_to(self, platforms: &Running) -> Self {
        HOSTS
            .iter()
            .fold(self, |start, host| start.flag("--connect-to", &format!("{host}={}", platforms.url())))
    }

    /// Lets web hooks on this machine be subscribed.
    pub(crate) fn with_loopback(self) -> Self {
        self.flag("--allow-private-endpoints", "127.0.0.0/8")
    }

    /// Lets no file grow beyond so many blocks of 512 bytes, as a full disk would, until [`Server::unlimited`].
    pub(crate) fn file_blocks(self, blocks: u32) -> Self {
        Self { file_blocks: Some(blocks), ..self }
    }

    /// The command that would start it, with its data in `home/data`.
    pub(crate) fn command(&self, home: &Path) -> Command {
        let mut command = program(home);
        if let Some(other) = &self.program {
            command = Command::new(other);
            command.env_clear().env("TMPDIR", home).current_dir(home).stdin(Stdio::null());
        }
        if let Some(blocks) = self.file_blocks {
            // A file that is too large is an error to the program, and not its end.
            let limited = "trap '' XFSZ; ulimit -S -f \"$0\"; exec \"$@\"";
            command = Command::new("/bin/sh");
            command.env_clear().env("TMPDIR", home).current_dir(home).stdin(Stdio::null());
            command.args(["-c", limited, &blocks.to_string(), PROGRAM]);
        }
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).arg("--data-dir").arg(home.join("data"));
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and waits until it serves. Its log is `home/server-N.log`, N counting its starts.
    pub(crate) async fn at(&self, home: &Path) -> Server {
        let log =
            (1_u32..).map(|n| home.join(format!("server-{n}.log"))).find(|path| !path.exists()).unwrap();
        let file = std::fs::File::create(&log).unwrap();
        let child = self.command(home).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut server =
            Server { child, addr: SocketAddr::from(([127, 0, 0, 1], 0)), log, home: home.to_owned() };
        server.addr = until("the server's address in its log", async || server.address_in_log()).await;
        let api = server.api(Auth::Nobody);
        until("readiness", async || (api.get("/readyz").await.status == 200).then_some(())).await;
        server
    }
}

/// A server that runs; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    pub(crate) log: PathBuf,
    pub(crate) home: PathBuf,
}

impl Server {
    fn address_in_log(&mut self) -> Option<SocketAddr> {
        let log = self.log_text();
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the server ended with {status}: {log}");
        }
        let line = log.lines().find(|line| line.contains(" ready address="))?;
        line.split("address=").nth(1)?.split_whitespace().next()?.parse().ok()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.home.join("data")
    }

    /// A client of this server.
    pub(crate) fn api(&self, auth: Auth) -> Api {
        Api::new(self.addr, auth)
    }

    /// The client that most tests want.
    pub(crate) fn user(&self) -> Api {
        self.api(Auth::token())
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        self.child.wait().unwrap();
    }

    /// Asks it to end.
    pub(crate) fn signal_terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let kill = ["-c", "kill -\"$2\" \"$1\"", "sh", &pid, name];
        assert!(Command::new("/bin/sh").args(kill).status().unwrap().success());
    }

    /// Lets its files grow again.
    pub(crate) fn unlimited(&self) {
        let pid = self.child.id().to_string();
        let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:unlimited"]).status();
        assert!(lifted.unwrap().success());
    }

    /// Asks it to end and waits for that.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.signal_terminate();
        self.ended().await
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the server's end", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A directory for one test, gone with it.
pub(crate) fn home() -> TempDir {
    tempfile::Builder::new().prefix("carillon-it-").tempdir().unwrap()
}

/// What a command of the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end, off the test's own threads, which may have to answer it.
pub(crate) async fn run(mut command: Command, input: Option<&str>) -> Said {
    let input = input.map(str::to_owned);
    let done = tokio::task::spawn_blocking(move || {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let Some(input) = input else { return command.output().unwrap() };
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = done.await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}
