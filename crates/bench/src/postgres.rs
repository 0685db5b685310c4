//! A PostgreSQL server of this run's own, or one that was named; a fresh database for each world.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

/// Where Debian puts its servers.
const INSTALLED: &str = "/usr/lib/postgresql";

/// A server on which databases are made.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// The URL without the database's name.
    base: String,
    own: Option<Own>,
    made: AtomicUsize,
}

/// A server that was started here. It ends with this value, or with this process, however that ends.
#[derive(Debug)]
struct Own {
    folder: TempDir,
    programs: PathBuf,
    /// Held for as long as the server is needed.
    _lock: File,
}

/// Waits until the lock is free, then stops the server, if it still runs, and removes its folder.
const WATCHER: &str = r#"
exec 9>"$CARILLON_BENCH_FOLDER/lock"
flock -x 9
"$@"
rm -rf "$CARILLON_BENCH_FOLDER"
"#;

/// A database of one world.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) url: String,
}

/// What a database has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    /// Statements that the servers sent, `BEGIN` and `COMMIT` too; none where nobody counts them.
    pub(crate) statements: u64,
    /// Syncs of the log.
    pub(crate) syncs: u64,
    /// Bytes of the log.
    pub(crate) bytes: u64,
    /// Rows that were inserted, updated or deleted, of all tables.
    pub(crate) rows: u64,
    /// Those of them that are messages.
    pub(crate) message_rows: u64,
}

impl Postgres {
    /// Starts a server as Debian's package has it, durable as by default.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("carillon-bench-").tempdir()?;
        let lock = File::create(folder.path().join("lock"))?;
        lock.lock()?;
        let own = Own { programs: programs()?, folder, _lock: lock };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(own.folder.path()))?;
        }
        let init = ["--auth=trust", "--username=carillon", "--encoding=UTF8", "--locale=C"];
        run(own.tool("initdb").args(init).arg("-D").arg(own.data()))?;
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=200 -c shared_buffers=512MB \
             -c max_wal_size=2GB -c shared_preload_libraries=pg_stat_statements",
            own.folder.path().display()
        );
        own.watch()?;
        let log = own.folder.path().join("log");
        let start = ["-w", "start"];
        run(own
            .tool("pg_ctl")
            .arg("-D")
            .arg(own.data())
            .arg("-l")
            .arg(log)
            .arg("-o")
            .arg(options)
            .args(start))?;
        let host = own.folder.path().display().to_string().replace('/', "%2F");
        Ok(Self { base: format!("postgres://carillon@{host}"), own: Some(own), made: AtomicUsize::new(0) })
    }

    /// Uses a server that is there. Databases named `carillon_bench_N` are made on it.
    pub(crate) fn at(url: &str) -> anyhow::Result<Self> {
        let after = url.split_once("://").context("a URL such as postgres://user@host is needed")?.1;
        let base = match after.rsplit_once('/') {
            Some((_server, database)) => {
                url.strip_suffix(database).map_or(url, |base| base.trim_end_matches('/'))
            }
            None => url,
        };
        Ok(Self { base: base.to_owned(), own: None, made: AtomicUsize::new(0) })
    }

    /// A fresh database.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        let name = format!("carillon_bench_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let all = Database { url: format!("{}/postgres", self.base) };
        all.ask(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        all.ask(&format!("CREATE DATABASE {name}"))?;
        let database = Database { url: format!("{}/{name}", self.base) };
        if self.own.is_some() {
            database.ask("CREATE EXTENSION pg_stat_statements")?;
        }
        Ok(database)
    }
}

impl Database {
    /// The lines that a statement answers with.
    fn ask(&self, sql: &str) -> anyhow::Result<String> {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", sql]);
        let output = psql.stdin(Stdio::null()).output().context("psql cannot be started")?;
        ensure!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What was done so far, by all who use it.
    pub(crate) fn done(&self) -> anyhow::Result<Done> {
        let counted =
            self.ask("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'")? != "0";
        let statements = if counted {
            "(SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
                 WHERE d.datname = current_database())"
        } else {
            "0"
        };
        let line = self.ask(&format!(
            "SELECT {statements}, w.wal_sync, w.wal_bytes::bigint, t.rows, t.messages FROM pg_stat_wal w,
                 (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint AS rows,
                      sum(n_tup_ins + n_tup_upd + n_tup_del) FILTER (WHERE relname = 'message')::bigint AS messages
                  FROM pg_stat_user_tables) t"
        ))?;
        let mut numbers = line.split('|').map(|text| text.parse::<u64>().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Done { statements: next(), syncs: next(), bytes: next(), rows: next(), message_rows: next() })
    }

    /// How many servers divide the lanes.
    pub(crate) fn servers(&self) -> anyhow::Result<usize> {
        Ok(self.ask("SELECT count(DISTINCT node_id) FROM shard")?.parse()?)
    }
}

impl Own {
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn stop(&self) -> Command {
        let mut stop = self.tool("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        stop
    }

    /// Starts what stops the server when this process was killed. It is not a child of ours.
    fn watch(&self) -> anyhow::Result<()> {
        let stop = self.stop();
        let mut watcher = Command::new("setsid");
        watcher
            .args(["--fork", "sh", "-c", WATCHER, "watcher"])
            .arg(stop.get_program())
            .args(stop.get_args());
        watcher.env("CARILLON_BENCH_FOLDER", self.folder.path());
        run(&mut watcher)
    }

    /// A program of the server, which refuses to run as root.
    fn tool(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        if !is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // The folder goes in any case.
        drop(run(&mut self.stop()));
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The programs of the newest server that is installed.
fn programs() -> anyhow::Result<PathBuf> {
    let entries = std::fs::read_dir(INSTALLED).context("Debian's package postgresql is not installed")?;
    let version =
        |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<u32>().ok();
    match entries.filter_map(version).max() {
        Some(version) => Ok(Path::new(INSTALLED).join(version.to_string()).join("bin")),
        None => bail!("Debian's package postgresql is not installed"),
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    let status = quiet.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
