//! A PostgreSQL server for tests, out of Debian's package: one for all test processes that run at the same time, in a
//! directory of its own, on a socket of its own. A small watcher stops it and removes its directory as soon as no
//! process uses it any more, however that process ended.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the lock files of the watcher and of those who use the server are: they outlive it.
const LOCKS: &str = env!("CARGO_TARGET_TMPDIR");

/// Waits until nobody holds the second lock, then stops the server; nobody starts one meanwhile, who must hold the first.
/// Of the locks only those of a server of one test go with it: another watcher may be about to open others.
const WATCHER: &str = r#"
exec 8>"$1/postgres-start.lock" 9>"$1/postgres-use.lock"
while :; do
    flock -x 9; flock -u 9
    sleep 1
    flock -x 8
    flock -n -x 9 && break
    flock -u 8
done
shift
"$@"
rm -rf "$CARILLON_TEST_POSTGRES" $CARILLON_TEST_LOCKS
"#;

/// The server, while somebody uses it.
pub(crate) struct Server {
    dir: PathBuf,
    locks: PathBuf,
    _used: File,
}

impl Server {
    /// The server that all tests share; started if none runs.
    pub(crate) fn shared() -> Self {
        Self::at(dir(), PathBuf::from(LOCKS))
    }

    /// A server for one test, which may be stopped.
    pub(crate) fn own() -> Self {
        let dir = dir().with_extension(std::process::id().to_string());
        let locks = dir.with_extension(format!("{}.locks", std::process::id()));
        std::fs::create_dir_all(&locks).unwrap();
        Self::at(dir, locks)
    }

    fn at(dir: PathBuf, locks: PathBuf) -> Self {
        let lock = |name: &str| {
            File::options().create(true).truncate(false).write(true).open(locks.join(name)).unwrap()
        };
        let (start, used) = (lock("postgres-start.lock"), lock("postgres-use.lock"));
        start.lock().unwrap();
        used.lock_shared().unwrap();
        let server = Self { dir, locks, _used: used };
        if UnixStream::connect(server.dir.join(".s.PGSQL.5432")).is_err() {
            server.start();
        }
        drop(start);
        server
    }

    /// Stops it as a crash would, and starts it again.
    pub(crate) fn restart(&self) {
        run(tool("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "restart"]));
    }

    fn start(&self) {
        if self.dir.exists() {
            std::fs::remove_dir_all(&self.dir).unwrap();
        }
        std::fs::create_dir(&self.dir).unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&self.dir));
        }
        // An order of texts that is not that of their bytes, as many servers have it.
        let order = ["--locale-provider=icu", "--icu-locale=en-US", "--encoding=UTF8"];
        let trust = ["--auth=trust", "--username=carillon", "--no-sync"];
        run(tool("initdb").args(order).args(trust).arg("-D").arg(self.data()));
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off -c full_page_writes=off \
             -c max_connections=500 -c shared_buffers=128MB -c max_wal_size=256MB",
            self.dir.display()
        );
        // Before there is a server, so that none is without one.
        let mut stop = tool("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        let mut watcher = Command::new("setsid");
        run(self.watch(watcher.args(["--fork", "sh"]), &stop));
        let log = self.dir.join("log");
        run(tool("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(log)
            .arg("-o")
            .arg(options)
            .args(["-w", "start"]));
    }

    /// Lets a shell watch over this server.
    fn watch<'c>(&self, shell: &'c mut Command, stop: &Command) -> &'c mut Command {
        let is_own = self.locks.as_path() != Path::new(LOCKS);
        shell.args(["-c", WATCHER, "watcher"]).arg(&self.locks);
        shell.arg(stop.get_program()).args(stop.get_args());
        shell.env("CARILLON_TEST_LOCKS", if is_own { self.locks.as_os_str() } else { OsStr::new("") });
        shell.env("CARILLON_TEST_POSTGRES", &self.dir)
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Makes a database with nothing in it, which goes away with the value.
    pub(crate) fn database(self) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let database = Database { server: self, name };
        database.ask("postgres", &format!("CREATE DATABASE {}", database.name));
        database
    }
}

/// A database of its own for one test.
pub(crate) struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// What a store is told to open.
    pub(crate) fn url(&self) -> String {
        let host: String = self.server.dir.to_str().unwrap().replace('/', "%2F");
        format!("postgres://carillon@{host}/{}", self.name)
    }

    /// The server that it is on.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A `psql` in this database.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "carillon", "-d", database]);
        psql.arg("-h").arg(&self.server.dir);
        psql
    }

    /// Runs statements in this database and gives the lines that they answer with.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.ask(&self.name, sql)
    }

    fn ask(&self, database: &str, sql: &str) -> String {
        let mut psql = self.psql(database);
        let mut child =
            psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Cuts every connection to this database.
    pub(crate) fn cut(&self) {
        let sql = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname";
        self.ask("postgres", &format!("{sql} = '{}'", self.name));
    }

    /// Every file of this database, with all that was written to it; but for the catalogue, which holds no values but
    /// its statistics.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let known = self.sql(
            "CHECKPOINT;
             SELECT oid FROM pg_database WHERE datname = current_database();
             SELECT pg_relation_filenode(oid) FROM pg_class WHERE oid < 16384 AND pg_relation_filenode(oid) > 0
             AND oid NOT IN (SELECT c FROM pg_class s, unnest(ARRAY[s.oid, s.reltoastrelid]) c
             WHERE s.relname = 'pg_statistic')",
        );
        let mut known = known.lines();
        let dir = self.server.data().join("base").join(known.next().unwrap());
        let catalogue: std::collections::HashSet<&str> = known.collect();
        let all = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let number = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            name.split(['_', '.']).next().unwrap().to_owned()
        };
        all.filter(|path| !catalogue.contains(number(path).as_str())).collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if std::thread::panicking() {
            // The server goes with the last test in any case.
            return;
        }
        self.ask("postgres", &drop);
    }
}

/// Short, since a socket's path may not be long, and this checkout's own.
fn dir() -> PathBuf {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in LOCKS.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    std::env::temp_dir().join(format!("carillon-postgres-{hash:016x}"))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A program of the newest server that is installed. It refuses to run as root.
fn tool(name: &str) -> Command {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").expect("Debian's package postgresql is installed") {
        let path = entry.unwrap().path();
        if let Some(version) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) {
            found.push((version, path.join("bin").join(name)));
        }
    }
    let (_version, path) = found.into_iter().max().expect("Debian's package postgresql is installed");
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(path);
    command
}

fn run(command: &mut Command) {
    // What the server inherits must not be a pipe that a test's runner waits for.
    let status =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").status();
    assert!(status.unwrap().success(), "{command:?}");
}

#[test]
fn the_end_of_one_server_leaves_the_locks_of_others() {
    let used = Server::own();
    // Another that nobody uses any more.
    let dir = dir().with_extension("0");
    let locks = dir.with_extension("0.locks");
    std::fs::create_dir_all(&locks).unwrap();
    let lock = File::create(locks.join("postgres-use.lock")).unwrap();
    let other = Server { dir, locks: locks.clone(), _used: lock };
    run(other.watch(&mut Command::new("sh"), &Command::new("true")));
    assert!(!locks.exists() && used.locks.join("postgres-use.lock").exists());
    assert_ne!(used.locks, locks);
}
