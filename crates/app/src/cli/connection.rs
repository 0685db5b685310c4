//! `carillon connection`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};
use super::table::{self, Row};
use super::{ClientFlags, paint, say, text_or_stdin};

/// How often the command looks how far an update is.
const LOOK_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub(crate) struct ConnectionFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Connect an app; its credentials are tried at the platform first
    Add(Box<Add>),
    /// List connections, oldest first
    List,
    /// Remove a connection with its credentials and directory, for good
    Delete {
        /// Its id
        connection: String,
    },
    /// Try everything that the app needs, and say where each thing is granted
    Check {
        /// Its id
        connection: String,
        /// A member, best yourself, who gets a test message at the end
        #[arg(long, value_name = "MEMBER")]
        test_to: Option<String>,
    },
    /// Read the directory again and wait for the end
    Update {
        /// The connection's id
        connection: String,
        /// Say at once that what it would change is meant
        #[arg(long)]
        confirm: bool,
    },
    /// Change a connection's name, or its credentials, all together; they are tried at the platform first
    Change(Box<Changed>),
    /// Show how a connection's change events stand, or set what proves them
    Callback(Box<CallbackFlags>),
    /// Show or choose who is told what concerns a connection: limits that come near, people who are gone
    Notices {
        /// Its id
        connection: String,
        /// A topic's name or URN, or a subscription's URN
        #[arg(long, value_name = "TOPIC", conflicts_with = "nobody")]
        to: Option<String>,
        /// Nobody is told any more
        #[arg(long)]
        nobody: bool,
    },
    /// List the latest updates, newest first
    Updates {
        /// The connection's id
        connection: String,
    },
    /// List what an update that asks would change, member by member
    Changes {
        /// The connection's id
        connection: String,
        /// The update's id
        update: String,
        /// These only: added, changed, moved or gone
        #[arg(long, value_name = "CHANGE")]
        only: Option<String>,
    },
    /// Say that what an update would change is meant
    Confirm {
        /// The connection's id
        connection: String,
        /// The update's id
        update: String,
    },
    /// End an update; the directory stays as it is
    Cancel {
        /// The connection's id
        connection: String,
        /// The update's id
        update: String,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// lark, feishu, dingtalk or wecom
    platform: String,
    /// A name of yours
    name: String,
    /// The app's secret; - reads it from standard input
    #[arg(long, env = "CARILLON_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    app_secret: String,
    #[command(flatten)]
    ids: Ids,
}

#[derive(Debug, Args)]
struct CallbackFlags {
    /// Its id
    connection: String,
    /// The verification token that the app's page shows; - reads it from standard input
    #[arg(long, value_name = "TOKEN", requires = "key", conflicts_with = "off")]
    verification_token: Option<String>,
    /// Lark's encrypt key, `WeCom`'s `EncodingAESKey`, `DingTalk`'s AES key
    #[arg(long, env = "CARILLON_CALLBACK_KEY", value_name = "KEY", hide_env_values = true)]
    key: Option<String>,
    /// Believe no event any more
    #[arg(long)]
    off: bool,
}

#[derive(Debug, Args)]
struct Changed {
    /// Its id
    connection: String,
    /// The new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The app's new secret, with all else that proves the app; - reads it from standard input
    #[arg(long, value_name = "SECRET")]
    app_secret: Option<String>,
    #[command(flatten)]
    ids: Ids,
}

/// What names an app.
#[derive(Debug, Args)]
struct Ids {
    /// Lark's and Feishu's App ID, `DingTalk`'s `AppKey`
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// `WeCom`'s corp id
    #[arg(long, value_name = "ID")]
    corp_id: Option<String>,
    /// The app's number (`WeCom`, `DingTalk`)
    #[arg(long, value_name = "NUMBER")]
    agent_id: Option<String>,
    /// `DingTalk`'s `RobotCode`
    #[arg(long, value_name = "CODE")]
    robot_code: Option<String>,
}

fn path(connection: &str, rest: &str) -> String {
    format!("/api/v1/connections/{}{rest}", piece(connection))
}

impl Ids {
    /// Those that were given, as fields of a body.
    fn given(self) -> Map<String, Value> {
        let fields = [
            ("app_id", self.app_id),
            ("corp_id", self.corp_id),
            ("agent_id", self.agent_id),
            ("robot_code", self.robot_code),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }
}

/// What is said of an answer to somebody who reads it.
type Show = fn(&Value);

/// Runs the command.
pub(crate) async fn run(flags: ConnectionFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let get = |path: String| async { client.call(Method::GET, &{ path }, None).await };
    let post = |path: String| async { client.call(Method::POST, &{ path }, None).await };
    let mut code: fn(&Value) -> ExitCode = |_answer| ExitCode::SUCCESS;
    let (answer, show): (Value, Show) = match flags.action {
        Action::Add(add) => (added(&client, *add).await?, |answer| say(text(answer, "/id"))),
        Action::List => (get("/api/v1/connections".to_owned()).await?, |answer| {
            show_connections(items(answer, "/connections"));
        }),
        Action::Delete { connection } => {
            let answer = client.call(Method::DELETE, &path(&connection, ""), None).await?;
            (answer, |_answer| say("deleted, with its credentials and directory"))
        }
        Action::Check { connection, test_to } => {
            let body = test_to.map(|to| json!({ "test_to": to }));
            code = found;
            let answer = client.call(Method::POST, &path(&connection, "/check"), body.as_ref()).await?;
            (answer, |answer| items(answer, "/findings").iter().for_each(show_finding))
        }
        Action::Update { connection, confirm } => {
            code = became;
            (updated(&client, &connection, confirm).await?, show_run)
        }
        Action::Change(change) => {
            (changed(&client, *change).await?, |answer| show_connections(std::slice::from_ref(answer)))
        }
        Action::Callback(flags) => (callback(&client, *flags).await?, show_callback),
        Action::Notices { connection, to, nobody } => {
            let path = path(&connection, "/notices");
            let answer = if nobody || to.is_some() {
                client.call(Method::PUT, &path, Some(&json!({ "notices": to }))).await?
            } else {
                get(path).await?
            };
            (answer, |answer| say(answer["notices"].as_str().unwrap_or("nobody is told")))
        }
        Action::Updates { connection } => (get(path(&connection, "/updates")).await?, |answer| {
            show_updates(items(answer, "/updates"));
        }),
        Action::Changes { connection, update, only } => {
            let answer = changes(&client, &connection, &update, only).await?;
            (answer, |answer| items(answer, "/changes").iter().for_each(show_change))
        }
        Action::Confirm { connection, update } => {
            code = became;
            let rest = format!("/updates/{}/confirm", piece(&update));
            (post(path(&connection, &rest)).await?, show_run)
        }
        Action::Cancel { connection, update } => {
            let rest = format!("/updates/{}/cancel", piece(&update));
            let answer = post(path(&connection, &rest)).await?;
            (answer, |_answer| say("cancelled; the directory is as it was"))
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        show(&answer);
    }
    Ok(code(&answer))
}

/// 1 when something needed is missing.
fn found(answer: &Value) -> ExitCode {
    let is_bad = |one: &Value| one["ok"] == false && one["needed"] == true;
    if items(answer, "/findings").iter().any(is_bad) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// 0 when an update is the directory now, 1 when not.
fn became(run: &Value) -> ExitCode {
    if text(run, "/state") == "done" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn added(client: &Client, add: Add) -> anyhow::Result<Value> {
    let mut body = add.ids.given();
    body.extend([
        ("platform".to_owned(), add.platform.into()),
        ("name".to_owned(), add.name.into()),
        ("app_secret".to_owned(), text_or_stdin(add.app_secret)?.into()),
    ]);
    client.call(Method::POST, "/api/v1/connections", Some(&body.into())).await
}

async fn changed(client: &Client, changed: Changed) -> anyhow::Result<Value> {
    let mut body = changed.ids.given();
    if let Some(secret) = changed.app_secret {
        body.insert("app_secret".to_owned(), text_or_stdin(secret)?.into());
    }
    if let Some(name) = changed.name {
        body.insert("name".to_owned(), name.into());
    }
    client.call(Method::PUT, &path(&changed.connection, ""), Some(&body.into())).await
}

/// All that an update which asks would change, page by page.
async fn changes(
    client: &Client,
    connection: &str,
    update: &str,
    only: Option<String>,
) -> anyhow::Result<Value> {
    let only = only.map(|only| format!("&change={}", piece(&only))).unwrap_or_default();
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let rest = format!("/updates/{}/changes?limit=200{only}{after}", piece(update));
        let answer = client.call(Method::GET, &path(connection, &rest), None).await?;
        all.extend_from_slice(items(&answer, "/changes"));
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={}", piece(next)),
            None => return Ok(json!({ "changes": all, "next": null })),
        }
    }
}

async fn updated(client: &Client, connection: &str, confirm: bool) -> anyhow::Result<Value> {
    let begun = client.call(Method::POST, &path(connection, "/update"), None).await?;
    let rest = format!("/updates/{}", piece(text(&begun, "/run_id")));
    loop {
        let run = client.call(Method::GET, &path(connection, &rest), None).await?;
        match text(&run, "/state") {
            "running" => tokio::time::sleep(LOOK_EVERY).await,
            "asks" if confirm => {
                return client.call(Method::POST, &path(connection, &format!("{rest}/confirm")), None).await;
            }
            _ => return Ok(run),
        }
    }
}

async fn callback(client: &Client, flags: CallbackFlags) -> anyhow::Result<Value> {
    let path = path(&flags.connection, "/callback");
    match (flags.verification_token, flags.key) {
        _ if flags.off => client.call(Method::PUT, &path, Some(&json!({ "callback": null }))).await,
        (Some(token), Some(key)) => {
            let body = json!({ "callback": { "token": text_or_stdin(token)?, "key": key } });
            client.call(Method::PUT, &path, Some(&body)).await
        }
        _ => client.call(Method::GET, &path, None).await,
    }
}

fn show_callback(callback: &Value) {
    let set = if callback["set"] == true { "set" } else { "not set" };
    say(&format!("{set}; the address for the app's page: {}", text(callback, "/url")));
    let heard_at = text(callback, "/heard_at");
    if !heard_at.is_empty() {
        say(&format!("last heard at {heard_at}: {}", paint::plain(text(callback, "/heard"))));
    }
    let due = text(callback, "/update_due_at");
    if !due.is_empty() {
        say(&format!("the directory is read for it at {due}"));
    }
}

fn show_connections(connections: &[Value]) {
    let row = |connection: &Value| {
        let of = |pointer| text(connection, pointer);
        let (members, name) = (format!("{} members", connection["members"]), paint::plain(of("/name")));
        Row::new([of("/id"), of("/platform"), of("/app_masked"), &members, &name])
    };
    let rows: Vec<_> = connections.iter().map(row).collect();
    table::print(&["connection", "platform", "app", "directory", "name"], &rows);
}

fn show_updates(runs: &[Value]) {
    let row = |run: &Value| {
        let counts = ["added", "changed", "moved", "gone"].map(|name| format!("{} {name}", run[name]));
        let (id, at, state) = (text(run, "/id"), text(run, "/started_at"), text(run, "/state"));
        let (members, by) = (format!("{} members", run["members"]), paint::plain(text(run, "/caused_by")));
        Row::new([id, at, state, &members, &counts.join(", "), &format!("by {by}")])
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    table::print(&["update", "begun", "state", "directory", "changes", ""], &rows);
}

fn show_change(change: &Value) {
    let all = |pointer: &str| {
        let names = items(change, pointer).iter().filter_map(Value::as_str);
        names.map(paint::plain).collect::<Vec<_>>().join(", ")
    };
    let (before, now) = (all("/departments_before"), all("/departments"));
    let departments = if before.is_empty() { now } else { format!("{before} -> {now}") };
    let was = paint::plain(text(change, "/name_before"));
    let was = if was.is_empty() { String::new() } else { format!(" (was {was})") };
    say(&format!(
        "{}  {}  {}{was}  {departments}",
        text(change, "/change"),
        text(change, "/platform_user_id"),
        paint::plain(text(change, "/name"))
    ));
}

fn show_finding(finding: &Value) {
    let mark = if finding["ok"] == true { "ok " } else { "BAD" };
    let scope = text(finding, "/scope");
    let scope = if scope.is_empty() { String::new() } else { format!(" ({scope})") };
    say(&format!("{mark}  {}{scope}", text(finding, "/what")));
    if finding["ok"] == false {
        say(&format!("     {}", text(finding, "/advice/en")));
        say(&format!("     {}", text(finding, "/advice/zh")));
    }
}

fn show_run(run: &Value) {
    let state = text(run, "/state");
    say(&format!(
        "{state}: {} members in {} departments; {} added, {} changed, {} moved, {} gone",
        run["members"], run["departments"], run["added"], run["changed"], run["moved"], run["gone"]
    ));
    for scope in items(run, "/missing").iter().filter_map(Value::as_str) {
        say(&format!("missing permission: {scope}"));
    }
    for one in items(run, "/missed") {
        let topics = items(one, "/subscriptions").iter().map(|by| paint::plain(text(by, "/topic")));
        let groups = items(one, "/groups").iter().filter_map(Value::as_str).map(paint::plain);
        let by = topics.chain(groups).collect::<Vec<_>>().join(", ");
        let (kind, id, name) = (text(one, "/kind"), text(one, "/id"), paint::plain(text(one, "/name")));
        say(&format!("gone, and still named: {kind} {id} {name}: {by}"));
    }
    let error = text(run, "/error/en");
    if !error.is_empty() {
        say(&paint::plain(error));
    }
    if state == "asks" {
        say(&format!("too many would go: confirm or cancel the update {}", text(run, "/id")));
    }
}
