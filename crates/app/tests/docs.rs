//! Keeps the documents true: commands, links, file names, settings, metrics, API paths and error codes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use carillon_model::Channel;
use carillon_model::office::Platform;
use carillon_model::outcome::Reason;
use carillon_provider::{ListedCode, advice, listed_codes, listed_office_codes};

const PROGRAM: &str = env!("CARGO_BIN_EXE_carillon");
/// How often a state is asked for before the test gives up; each time starts a process.
const LOOKS_MAX: u32 = 500;

fn root() -> PathBuf {
    let up = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    up.expect("the crate lies two folders down").to_owned()
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path)).expect("the document is there and is text")
}

fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(|name| root().join(name)).to_vec();
    walk(&root().join("docs"), &mut paths);
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), read(path))).collect()
}

/// The contents of the fenced blocks in one of `languages`.
fn blocks(text: &str, languages: &[&str]) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<(bool, String)>);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((languages.contains(&language.trim()), String::new())),
            (Some(_), Some((wanted, block))) if wanted => found.push(block),
            (Some(_), Some(_)) | (None, None) => {}
            (None, Some((wanted, block))) => open = Some((wanted, format!("{block}{line}\n"))),
        }
    }
    found
}

/// What stands between single backticks, outside of fenced blocks.
fn code_spans(text: &str) -> Vec<String> {
    let (mut fenced, mut found) = (false, Vec::new());
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced && !line.trim_start().starts_with("```") {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// Splits a script into commands of words as a shell does, as far as the documents need it.
fn commands(script: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word, mut quote) = (Vec::new(), Vec::new(), None::<String>, None);
    let script = script.replace("\\\n", " ");
    let uncommented = |line: &str| format!(" {line}").split(" # ").next().unwrap_or_default().to_owned();
    let script: Vec<String> = script.lines().map(uncommented).collect();
    for c in script.join("\n").chars().chain(['\n']) {
        match (quote, c) {
            (None, ' ') => words.extend(word.take()),
            (None, '\n' | '|' | ';' | '&') => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == c => quote = None,
            _ => word.get_or_insert_default().push(c),
        }
    }
    all
}

/// Those of a script's commands that are ours, without the program's name.
fn ours(script: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for words in commands(script) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["carillon", rest @ ..] | ["cargo", "run", "--release", "--", rest @ ..] = words.as_slice() {
            found.push(rest.iter().map(|word| (*word).to_owned()).collect());
        }
    }
    found
}

fn checked(what: &str, command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{what}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn every_quoted_command_parses() {
    let mut count = 0;
    for (path, text) in documents() {
        let mut scripts = blocks(&text, &["sh", "console"]);
        scripts.extend(code_spans(&text).into_iter().filter(|code| code.starts_with("carillon ")));
        for words in scripts.iter().flat_map(|script| ours(script)) {
            let what = format!("{}: carillon {}", path.display(), words.join(" "));
            checked(&what, Command::new(PROGRAM).args(&words).arg("--help"));
            count += 1;
        }
    }
    assert!(count > 40, "only {count} commands were found");
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_and_file_name_leads_somewhere() {
    for (path, text) in documents() {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let pictures = text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links.chain(pictures).filter(|link| !link.contains("://")) {
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            let has = |text: &str| text.lines().any(|it| it.starts_with('#') && anchor(it) == part);
            assert!(part.is_empty() || has(&read(target)), "{}: {link}", path.display());
        }
        for code in code_spans(&text) {
            let ours = ["crates/", "docs/", "scripts/"].iter().any(|folder| code.starts_with(folder));
            let whole = !code.contains([' ', '{', '*', '<']);
            assert!(!(ours && whole) || root().join(&code).exists(), "{}: {code}", path.display());
        }
    }
}

/// The cells of the table rows that begin with `start`, without backticks.
fn rows(text: &str, start: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| line.starts_with(start));
    lines.map(|line| line.split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
}

#[test]
fn the_manual_lists_every_setting() {
    let help = checked("serve --help", Command::new(PROGRAM).args(["serve", "--help"]));
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let mut shown = BTreeSet::new();
    let mut flag = String::new();
    for line in help.lines().map(str::trim) {
        if line.starts_with("--") {
            line.split(' ').next().unwrap_or_default().clone_into(&mut flag);
        } else if let Some(name) = line.strip_prefix("[env: ") {
            shown.insert((flag.clone(), name.trim_end_matches([']', '=']).to_owned()));
        }
    }
    let manual = rows(&read("docs/operate.md"), "| `--");
    let told = manual.iter().map(|row| (row[1].clone(), row[2].clone())).collect::<BTreeSet<_>>();
    assert_eq!(told, shown, "docs/operate.md, Settings (left), must list the settings of serve (right)");
    for row in manual {
        let key = row[1].trim_start_matches('-').replace('-', "_");
        assert_eq!(row[2], format!("CARILLON_{}", key.to_uppercase()));
        assert_eq!(row[3], if row[1] == "--config" { "-".to_owned() } else { key }, "{}", row[1]);
        let default = row[4].clone();
        let fits = default == "none" || help.contains(&format!("[default: {default}]"));
        assert!(fits, "{}: the default is not {default}", row[1]);
    }
}

/// The variant of a scenario's name: `ten-thousand` is `TenThousand`.
fn variant(scenario: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    scenario.split('-').map(capital).collect()
}

#[test]
fn every_promise_of_the_engine_names_what_shows_it() {
    let (text, tests, bench) = (read("docs/testing.md"), tests(), read("crates/bench/src/main.rs"));
    let (_, part) = text.split_once("\n## What shows which promise\n").expect("testing.md has that part");
    let part = part.split("\n## ").next().unwrap_or_default();
    let is_promise = |row: &&str| row.starts_with("| ") && !row.starts_with("| ---");
    let promises: Vec<&str> =
        part.lines().filter(is_promise).filter(|row| !row.ends_with("| shown by |")).collect();
    assert!(promises.len() > 40, "only {} promises were found", promises.len());
    for row in promises {
        let shown = code_spans(row.rsplit('|').nth(1).unwrap_or_default());
        assert!(!shown.is_empty(), "nothing shows it: {row}");
        for name in shown {
            let mut words = name.split(' ');
            let found = match (words.next(), words.next()) {
                (Some("scripts/bench"), Some(scenario)) => {
                    bench.contains(&format!("    {}(", variant(scenario)))
                }
                (Some(script), _) if script.starts_with("scripts/") => root().join(script).exists(),
                _ => [format!("fn {name}("), format!("fn {name}<")].iter().any(|it| tests.contains(it)),
            };
            assert!(found, "{name} is not there: {row}");
        }
    }
}

/// The text of every test, in Rust and in Python.
fn tests() -> String {
    let mut text = String::new();
    let mut folders = vec![root().join("crates"), root().join("tests/clients")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "py") {
                text.push_str(&std::fs::read_to_string(&path).expect("the file is text"));
            }
        }
    }
    text
}

#[test]
fn every_deliberate_difference_names_a_test_that_is_there() {
    let manual = read("docs/smn-compatibility.md");
    let (_, differences) = manual.split_once("## Deliberate differences").expect("the section is there");
    let tests = tests();
    // A point begins with a hyphen or with bold words, and goes on to the next one.
    let marked = differences.replace("\n- ", "\u{0}- ").replace("\n\n**", "\u{0}**");
    let points = marked.split('\u{0}').skip(1).filter(|point| !point.trim_end().ends_with("**"));
    let mut count = 0;
    for point in points {
        let point = point.split("\n#").next().unwrap_or_default().trim();
        let named = point.split("(test").skip(1).filter_map(|rest| rest.split(')').next());
        let named: Vec<&str> = named.flat_map(|list| list.split('`').skip(1).step_by(2)).collect();
        assert!(!named.is_empty(), "no test is named: {point}");
        for name in named {
            let written = [format!("fn {name}("), format!("fn {name}<"), format!("def {name}(")];
            let there = written.iter().any(|it| tests.contains(it));
            assert!(there, "no test is called {name}: {point}");
        }
        count += 1;
    }
    assert!(count > 30, "{count}");
}

/// What stands between code and reason in a row of the program's table.
fn outcome(code: &ListedCode) -> String {
    let row = code.to_string();
    let words = code.fragment.map(|words| format!(" \"{words}\"")).unwrap_or_default();
    let middle = row.strip_prefix(&format!("{}{words} ", code.code)).expect("a row begins with its code");
    let middle = middle.strip_suffix(code.reason.name()).expect("a row ends with its reason");
    middle.trim().replacen("later ", "later, ", 1)
}

/// Rows of code, words, outcome, reason and advice in both languages.
fn table(codes: &[ListedCode], channel: Channel) -> String {
    let mut text = "| code | words | outcome | reason | what to change | 处理方法 |\n".to_owned();
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for code in codes {
        let (words, told) = (code.fragment.unwrap_or_default(), code.advice(channel));
        let (shown, reason) = (outcome(code), code.reason.name());
        let row = format!("| `{}` | {words} | {shown} | `{reason}` | {} | {} |", code.code, told.en, told.zh);
        writeln!(text, "{row}").expect("a text takes everything");
    }
    text
}

#[test]
fn the_error_tables_are_those_of_the_code() {
    let app = listed_codes(Channel::DingtalkPerson);
    let mut robot = listed_codes(Channel::Dingtalk);
    robot.truncate(robot.len() - app.len());
    let mut rest = "| reason | what to change | 处理方法 |\n| --- | --- | --- |\n".to_owned();
    for reason in Reason::ALL {
        let told = advice(Channel::Https, reason);
        writeln!(rest, "| `{}` | {} | {} |", reason.name(), told.en, told.zh).expect("a text takes it");
    }
    let tables = [
        ("DingTalk custom robots", table(&robot, Channel::Dingtalk)),
        ("DingTalk internal robot", table(&app, Channel::DingtalkPerson)),
        ("Lark and Feishu custom bots", table(&listed_codes(Channel::Lark), Channel::Lark)),
        ("WeCom group robots", table(&listed_codes(Channel::Wecom), Channel::Wecom)),
        ("HTTP and HTTPS endpoints", table(&listed_codes(Channel::Https), Channel::Https)),
        ("Lark and Feishu office apps", table(&listed_office_codes(Platform::Lark), Channel::Office)),
        ("DingTalk office apps", table(&listed_office_codes(Platform::Dingtalk), Channel::Office)),
        ("WeCom office apps", table(&listed_office_codes(Platform::Wecom), Channel::Office)),
        ("E-mail", table(&listed_codes(Channel::Email), Channel::Email)),
        ("All reasons", rest),
    ];
    let document = read("docs/errors.md");
    let mut expected = document.split("## ").next().unwrap_or_default().to_owned();
    for (title, table) in tables {
        write!(expected, "## {title}\n\n{table}\n").expect("a text takes everything");
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("errors.md");
    std::fs::write(&fresh, expected.trim_end().to_owned() + "\n").unwrap();
    let is_same = document.trim_end() == expected.trim_end();
    assert!(is_same, "docs/errors.md is out of date: copy {} over it", fresh.display());
}

/// A program of ours that runs until the test ends.
struct Running {
    child: Child,
    /// Kept open, so that the program can go on writing.
    _output: BufReader<Box<dyn Read>>,
    lines: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts a program and reads what it says up to the line that holds `until`.
fn start(args: &[&str], dir: &Path, detours: &str, until: &str) -> Running {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.env("CARILLON_CONNECT_TO", detours).spawn().expect("the program starts");
    let stream: Box<dyn Read> = match args {
        ["serve", ..] => Box::new(child.stderr.take().expect("it is piped")),
        _ => Box::new(child.stdout.take().expect("it is piped")),
    };
    let mut output = BufReader::new(stream);
    let mut lines: Vec<String> = Vec::new();
    while !lines.last().is_some_and(|line| line.contains(until)) {
        let mut line = String::new();
        let bytes = output.read_line(&mut line).expect("it speaks UTF-8");
        assert!(bytes > 0, "{args:?} ended before it said {until:?}: {lines:?}");
        lines.push(line.trim().to_owned());
    }
    Running { child, _output: output, lines }
}

fn get(url: &str, path: &str, token: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nX-Auth-Token: {token}\r\n");
    write!(stream, "{head}Connection: close\r\n\r\n").expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers text");
    answer.split_once("\r\n\r\n").expect("an answer has a head").1.to_owned()
}

/// A shell in which the README's names mean the simulator's chats and our server.
struct Shell {
    dir: PathBuf,
    url: String,
    names: Vec<(&'static str, String)>,
}

impl Shell {
    fn run(&self, script: &str) -> String {
        let script = script.replace("http://127.0.0.1:8866", &self.url);
        let bin = Path::new(PROGRAM).parent().expect("the program lies in a folder");
        let mut command = Command::new("sh");
        command.args(["-euc", &format!("PATH=\"$BIN:$PATH\"\n{script}")]).current_dir(&self.dir);
        command.env("BIN", bin).env("CARILLON_SERVER", &self.url).envs(self.names.iter().cloned());
        for name in ["CARILLON_TOKEN", "CARILLON_DATA_DIR", "CARILLON_SIGN_SECRET", "CARILLON_TO"] {
            command.env_remove(name);
        }
        String::from_utf8(checked(&script, &mut command).stdout).expect("it speaks UTF-8")
    }
}

/// The names that the README uses, from what the simulator says of its chats.
fn names(lines: &[String]) -> Vec<(&'static str, String)> {
    let after = |mark: &str, chat: &str| {
        let from = lines.iter().position(|line| line.starts_with(chat)).expect("the chat is there");
        let found = lines[from..].iter().find_map(|line| line.split_once(mark));
        let word = found.expect("the line is there").1.trim();
        word.split_whitespace().next().expect("it is not empty").to_owned()
    };
    let internal = "DingTalk internal group";
    vec![
        ("DINGTALK_WEBHOOK", after("endpoint", "DingTalk group")),
        ("DINGTALK_SECRET", after("secret", "DingTalk group")),
        ("DINGTALK_CONVERSATION", after("endpoint", internal)),
        ("DINGTALK_APP_KEY", after("--app-key", internal)),
        ("DINGTALK_APP_SECRET", after("--app-secret", internal)),
        ("DINGTALK_ROBOT_CODE", after("--robot-code", internal)),
        ("LARK_WEBHOOK", after("endpoint", "Lark group")),
        ("LARK_SECRET", after("secret", "Lark group")),
        ("WECOM_WEBHOOK", after("endpoint", "WeCom group")),
        ("CARILLON_CONNECT_TO", after("CARILLON_CONNECT_TO=", "DingTalk group")),
    ]
}

/// Waits until the latest message has no delivery that waits, and gives what the command shows.
fn settled(shell: &Shell) -> String {
    let waits = |shown: &String| shown.contains("  pending  ") || shown.contains("  sending  ");
    let mut looks = (0..LOOKS_MAX).map(|_look| shell.run("carillon delivery list"));
    looks.find(|shown| !waits(shown)).expect("deliveries do not wait for ever")
}

/// The numbers and paths that the running server shows stand in the manuals, and no others.
fn compare_with_manuals(url: &str, token: &str) {
    let mut numbers = BTreeSet::new();
    for line in get(url, "/metrics", token).lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("a name and a kind");
        numbers.insert(if kind == "counter" { format!("{name}_total") } else { name.to_owned() });
    }
    let told = rows(&read("docs/operate.md"), "| `carillon_").into_iter().map(|row| row[1].clone());
    assert_eq!(told.collect::<BTreeSet<_>>(), numbers, "docs/operate.md (left), GET /metrics (right)");

    let document = serde_json::from_str(&get(url, "/api/openapi.json", ""));
    let document: serde_json::Value = document.expect("it is JSON");
    let manual = code_spans(&read("docs/api.md"));
    for (path, methods) in document["paths"].as_object().expect("it has paths") {
        for method in methods.as_object().expect("a path has methods").keys() {
            let call = format!("{} {path}", method.to_uppercase());
            assert!(manual.contains(&call), "docs/api.md does not tell of {call}");
        }
    }
}

#[test]
fn the_readme_works() {
    let dir = tempfile::tempdir().unwrap();
    let simulate =
        start(&["simulate", "--listen", "127.0.0.1:0"], dir.path(), "", "export CARILLON_CONNECT_TO=");
    let mut names = names(&simulate.lines);
    let detours = names.iter().find(|(name, _)| *name == "CARILLON_CONNECT_TO").expect("it is there");
    let serve = start(&["serve", "--listen", "127.0.0.1:0"], dir.path(), &detours.1, "ready address=");
    let address = serve.lines.last().and_then(|line| line.split("address=").nth(1)).expect("it says where");
    let url = format!("http://{}", address.split(' ').next().expect("it says where"));
    names.push(("SUBSCRIPTION", String::new()));
    let mut shell = Shell { dir: dir.path().to_owned(), url: url.clone(), names };
    let has_curl = Command::new("curl").arg("--version").output().is_ok();

    let readme = read("README.md");
    let (mut done, mut deliveries) = (0, String::new());
    for block in blocks(&readme, &["sh"]) {
        let started = ["carillon serve", "carillon simulate"].contains(&block.trim());
        if started || block.starts_with("cargo ") || (block.contains("curl ") && !has_curl) {
            continue;
        }
        if block.contains("$SUBSCRIPTION") {
            let listed = shell.run("carillon subscription list ops");
            let first = listed.split_whitespace().next().expect("somebody is subscribed").to_owned();
            shell.names.retain(|(name, _)| *name != "SUBSCRIPTION");
            shell.names.push(("SUBSCRIPTION", first));
        }
        if block.contains("carillon delivery list") {
            deliveries = settled(&shell);
        }
        shell.run(&block);
        done += 1;
    }
    assert!(done >= 8, "only {done} blocks of the README were run");
    assert_eq!(deliveries.matches("  delivered  ").count(), 4, "{deliveries}");
    let received = get(simulate.lines[0].split(' ').next_back().unwrap(), "/_simulator/received", "");
    for text in ["Backup finished", "Disks", "Deployed"] {
        assert!(received.contains(text), "{text} did not arrive: {received}");
    }
    assert_eq!(shell.run("carillon subscription list ops").lines().count(), 3);
    let bootstrap = std::fs::read_to_string(dir.path().join("carillon-data/bootstrap.json")).unwrap();
    let bootstrap: serde_json::Value = serde_json::from_str(&bootstrap).unwrap();
    compare_with_manuals(&url, bootstrap["token"].as_str().unwrap());
}
