//! The program as its users meet it: flags, variables, what it prints, how it ends.
#![expect(clippy::unwrap_used, reason = "a test may fail in any of its helpers")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::time::Instant;

const PROGRAM: &str = env!("CARGO_BIN_EXE_carillon");
const VARIABLES: [&str; 20] = [
    "CARILLON_CONFIG",
    "CARILLON_LISTEN",
    "CARILLON_METRICS_LISTEN",
    "CARILLON_DATA_DIR",
    "CARILLON_KEY_FILE",
    "CARILLON_REGION",
    "CARILLON_CONNECT_TO",
    "CARILLON_ALLOW_PRIVATE_ENDPOINTS",
    "CARILLON_ATTEMPTS_AT_ONCE",
    "CARILLON_ATTEMPTS_MAX",
    "CARILLON_PLATFORM_TIMEOUT",
    "CARILLON_DRAIN_TIMEOUT",
    "CARILLON_LOG",
    "CARILLON_LOG_FORMAT",
    "CARILLON_SERVER",
    "CARILLON_TOKEN",
    "CARILLON_TO",
    "CARILLON_SIGN_SECRET",
    "CARILLON_APP_SECRET",
    "CARILLON_SIMULATE_LISTEN",
];

/// The program in `dir`, with every variable of its own set but empty, which counts as not set.
fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(dir).envs(VARIABLES.map(|name| (name, "")));
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    program(dir, args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What the program says when it succeeds, which has no blanks at the ends of its lines.
fn done(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        assert_eq!(line, line.trim_end(), "{args:?}");
    }
    text
}

/// A program of ours that runs until the test ends.
struct Running {
    child: Child,
    _output: BufReader<Box<dyn Read>>,
    lines: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn start(mut command: Command, until: &str) -> Running {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stream: Box<dyn Read> = match command.get_args().next().is_some_and(|word| word == "serve") {
        true => Box::new(child.stderr.take().unwrap()),
        false => Box::new(child.stdout.take().unwrap()),
    };
    let mut output = BufReader::new(stream);
    let mut lines: Vec<String> = Vec::new();
    while !lines.last().is_some_and(|line| line.contains(until)) {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "it ended before {until:?}: {lines:?}");
        lines.push(line.trim_end().to_owned());
    }
    Running { child, _output: output, lines }
}

/// A server in `dir` and its address.
fn serve(dir: &Path, more: &[&str]) -> (Running, SocketAddr) {
    let args = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
    let running = start(program(dir, &args), "ready address=");
    let last = running.lines.last().unwrap();
    let address = last.split("address=").nth(1).unwrap().split(' ').next().unwrap();
    let address = address.parse().unwrap();
    (running, address)
}

fn simulate(dir: &Path) -> Running {
    start(program(dir, &["simulate", "--listen", "127.0.0.1:0"]), "export CARILLON_CONNECT_TO=")
}

fn bootstrap(dir: &Path) -> Value {
    let text = std::fs::read_to_string(dir.join("carillon-data/bootstrap.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A request as bytes.
fn request(call: &str, token: &str, body: &str) -> String {
    let head = format!("{call} HTTP/1.1\r\nHost: carillon.test\r\nX-Auth-Token: {token}\r\n");
    format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Makes a call from another address of this machine, or any, and gives status and body.
fn call(to: SocketAddr, from: [u8; 4], request: &str) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connect = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    };
    let mut stream: TcpStream = runtime.block_on(connect);
    stream.set_nonblocking(false).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

const HERE: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

#[test]
fn demo_once_leads_to_no_server_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let shown =
        done(dir.path(), &["demo", "--once", "--listen", "127.0.0.1:0", "--simulate-listen", "127.0.0.1:0"]);
    assert_eq!(shown.matches("delivered").count(), 4, "{shown}");
    for gone in ["127.0.0.1", "CARILLON_SERVER", "carillon publish"] {
        assert!(!shown.contains(gone), "{gone}: {shown}");
    }
}

#[test]
fn send_reaches_every_chat_that_simulate_tells_of() {
    let dir = tempfile::tempdir().unwrap();
    let running = simulate(dir.path());
    let lines = &running.lines;
    let url = lines[0].split(' ').next_back().unwrap();
    assert!(lines.contains(&format!("What arrived, as chats: {url}/")), "{lines:?}");
    assert!(lines.contains(&format!("  endpoint  {url}/hook/demo")), "{lines:?}");
    let detours = lines.last().unwrap().split_once("CONNECT_TO=").unwrap().1;
    let send = |more: &[&str]| {
        let output = run(dir.path(), &[&["send", "--connect-to", detours], more].concat());
        (output.status.code().unwrap(), said(&output))
    };
    let at = |name: &str| lines.iter().position(|line| line.starts_with(name)).unwrap();
    let endpoint = |name: &str| lines[at(name) + 1].split_whitespace().nth(1).unwrap();
    let after =
        |name: &str, word: &str| lines[at(name)..].iter().find_map(|line| line.split_once(word)).unwrap().1;
    let app: Vec<&str> = after("DingTalk internal", "  app       ").split(' ').collect();

    let conversation = [&["--to", endpoint("DingTalk internal"), "hello"], app.as_slice()].concat();
    let person = [&["--to-user", endpoint("DingTalk person"), "hello"], app.as_slice()].concat();
    let secret = after("Lark group", "secret    ");
    let lark = ["--to", endpoint("Lark group"), "--secret", secret, "--keyword", "ops", "hello"];
    let wecom = ["--to", endpoint("WeCom group"), "hello"];
    for flags in [conversation.as_slice(), &person, &lark, &wecom] {
        let (code, said) = send(flags);
        assert_eq!(code, 0, "{flags:?}: {said}");
    }
    let wrong: [&[&str]; 4] = [
        &["--to-user", "u001", "hello"],
        &["--to-user", "u001", "--app-key", "k", "--app-secret", "hush-hush", "hello"],
        &["--to", "cid", "hello"],
        &["--to", endpoint("WeCom group"), "--connect-to", "nonsense", "hello"],
    ];
    for flags in wrong {
        let (code, said) = send(flags);
        assert!(code == 2 && !said.contains("hush-hush"), "{flags:?}: {code} {said}");
    }
}

#[test]
fn lists_are_whole_and_pages_end() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = serve(dir.path(), &[]);
    let made = bootstrap(dir.path());
    let (token, project) = (made["token"].as_str().unwrap(), made["project_id"].as_str().unwrap());
    for number in 0..101 {
        let body = json!({ "name": format!("t{number}") }).to_string();
        let path = format!("POST /v2/{project}/notifications/topics");
        assert_eq!(call(address, HERE, &request(&path, token, &body)).0, 201);
    }
    let server = format!("http://{address}");
    assert_eq!(done(dir.path(), &["topic", "list", "--server", &server]).lines().count(), 101);
    let listed = done(dir.path(), &["topic", "--server", &server, "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["topics"].as_array().unwrap().len(), 101);
    let add = ["subscription", "add", "t0", "https", "https://hooks.invalid/x", "--server", &server];
    done(dir.path(), &[add.as_slice(), &["--header", "x-token: a", "--header", "x-other: b"]].concat());
    let twice = run(dir.path(), &[add.as_slice(), &["--header", "hush-hush"]].concat());
    assert!(!twice.status.success() && !said(&twice).contains("hush-hush"), "{}", said(&twice));
    assert_eq!(done(dir.path(), &["subscription", "list", "--server", &server]).lines().count(), 1);

    for _message in 0..2 {
        done(dir.path(), &["publish", "t1", "hello", "--server", &server]);
    }
    let messages = |query: &str| {
        call(address, HERE, &request(&format!("GET /api/v1/messages?topic=t1&{query}"), token, "")).1
    };
    assert_eq!(messages("limit=2")["next"], Value::Null);
    let first = messages("limit=1");
    let last = messages(&format!("limit=1&after={}", first["next"].as_str().unwrap()));
    assert_eq!((last["messages"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null));
    let wrong = messages("limit=0");
    assert_eq!(wrong["message"], "limit must be 1 to 200");
}

#[test]
fn a_stranger_locks_nobody_out_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = serve(dir.path(), &[]);
    let made = bootstrap(dir.path());
    let sign_in = |from, password: &str| {
        let user = json!({ "name": "admin", "password": password });
        let body = json!({ "auth": { "identity": { "password": { "user": user } } } }).to_string();
        call(address, from, &request("POST /v3/auth/tokens", "", &body)).0
    };
    let password = made["admin"]["password"].as_str().unwrap();
    for _guess in 0..5 {
        assert_eq!(sign_in(ELSEWHERE, "a guess"), 401);
    }
    assert_eq!(sign_in(ELSEWHERE, password), 401, "the guesser is locked");
    assert_eq!(sign_in(HERE, password), 201, "its owner is not");
}

#[test]
fn another_installations_key_file_stops_the_start() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop((serve(own.path(), &[]), serve(other.path(), &[])));
    let key = "carillon-data/master.key";
    std::fs::copy(other.path().join(key), own.path().join(key)).unwrap();
    let output = run(own.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let text = said(&output);
    assert!(!output.status.success() && text.contains(key), "{text}");
    assert!(text.contains("put this installation's own key file back"), "{text}");
}

#[test]
fn a_stop_waits_for_requests_and_attempts_until_one_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let far_end = TcpListener::bind("127.0.0.1:0").unwrap();
    let flags = ["--drain-timeout", "2", "--allow-private-endpoints", "127.0.0.0/8"];
    let (mut server, address) = serve(dir.path(), &flags);
    let url = format!("http://{address}");
    let hook = format!("http://{}/", far_end.local_addr().unwrap());
    done(dir.path(), &["topic", "create", "ops", "--server", &url]);
    done(dir.path(), &["subscription", "add", "ops", "http", &hook, "--server", &url]);
    done(dir.path(), &["publish", "ops", "hello", "--server", &url]);
    // An attempt that gets no answer, and a request whose body does not come.
    let _attempt = far_end.accept().unwrap();
    let mut slow = TcpStream::connect(address).unwrap();
    let token = bootstrap(dir.path())["token"].as_str().unwrap().to_owned();
    let head = request("POST /api/v1/messages", &token, "body")
        .replace("\r\n\r\nbody", "\r\nExpect: 100-continue\r\n\r\n");
    slow.write_all(head.as_bytes()).unwrap();
    let mut going = [0; 4];
    slow.read_exact(&mut going).unwrap();

    let begun = Instant::now();
    let killed = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert_eq!(server.child.wait().unwrap().code(), Some(1), "the attempt was cut");
    let elapsed = begun.elapsed();
    assert!((Duration::from_millis(1500)..Duration::from_millis(3500)).contains(&elapsed), "{elapsed:?}");
}
