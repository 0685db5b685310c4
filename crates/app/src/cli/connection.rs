//! `carillon connection`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};
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
    /// Lark's and Feishu's App ID, `DingTalk`'s `AppKey`
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The app's secret; - reads it from standard input
    #[arg(long, env = "CARILLON_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    app_secret: String,
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

/// Runs the command.
pub(crate) async fn run(flags: ConnectionFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let show = !flags.client.json;
    let mut code = ExitCode::SUCCESS;
    let answer = match flags.action {
        Action::Add(add) => {
            let answer = added(&client, *add).await?;
            if show {
                say(text(&answer, "/id"));
            }
            answer
        }
        Action::List => {
            let answer = client.call(Method::GET, "/api/v1/connections", None).await?;
            if show {
                items(&answer, "/connections").iter().for_each(show_connection);
            }
            answer
        }
        Action::Delete { connection } => {
            let answer = client.call(Method::DELETE, &path(&connection, ""), None).await?;
            if show {
                say("deleted, with its credentials and directory");
            }
            answer
        }
        Action::Check { connection, test_to } => {
            let body = test_to.map(|to| json!({ "test_to": to }));
            let answer = client.call(Method::POST, &path(&connection, "/check"), body.as_ref()).await?;
            let findings = items(&answer, "/findings");
            if show {
                findings.iter().for_each(show_finding);
            }
            let is_bad = |one: &Value| one["ok"] == false && one["needed"] == true;
            if findings.iter().any(is_bad) {
                code = ExitCode::FAILURE;
            }
            answer
        }
        Action::Update { connection, confirm } => {
            let answer = updated(&client, &connection, confirm).await?;
            code = shown_run(&answer, show);
            answer
        }
        Action::Confirm { connection, update } => {
            let rest = format!("/updates/{}/confirm", piece(&update));
            let answer = client.call(Method::POST, &path(&connection, &rest), None).await?;
            code = shown_run(&answer, show);
            answer
        }
        Action::Cancel { connection, update } => {
            let rest = format!("/updates/{}/cancel", piece(&update));
            let answer = client.call(Method::POST, &path(&connection, &rest), None).await?;
            if show {
                say("cancelled; the directory is as it was");
            }
            answer
        }
    };
    if !show {
        say(&answer.to_string());
    }
    Ok(code)
}

async fn added(client: &Client, add: Add) -> anyhow::Result<Value> {
    let secret = text_or_stdin(add.app_secret)?;
    let mut body = json!({ "platform": add.platform, "name": add.name, "app_secret": secret });
    let fields = [
        ("app_id", add.app_id),
        ("corp_id", add.corp_id),
        ("agent_id", add.agent_id),
        ("robot_code", add.robot_code),
    ];
    let given: Map<String, Value> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    if let Some(body) = body.as_object_mut() {
        body.extend(given);
    }
    client.call(Method::POST, "/api/v1/connections", Some(&body)).await
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

fn show_connection(connection: &Value) {
    say(&format!(
        "{}  {}  {}  {} members  {}",
        text(connection, "/id"),
        text(connection, "/platform"),
        text(connection, "/app_masked"),
        connection["members"],
        paint::plain(text(connection, "/name"))
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

/// Says what came of an update: 0 when it is the directory now, 1 when not.
fn shown_run(run: &Value, show: bool) -> ExitCode {
    let state = text(run, "/state");
    if show {
        say(&format!(
            "{state}: {} members in {} departments; {} added, {} changed, {} moved, {} gone",
            run["members"], run["departments"], run["added"], run["changed"], run["moved"], run["gone"]
        ));
        for scope in items(run, "/missing").iter().filter_map(Value::as_str) {
            say(&format!("missing permission: {scope}"));
        }
        let error = text(run, "/error/en");
        if !error.is_empty() {
            say(&paint::plain(error));
        }
        if state == "asks" {
            say(&format!("too many would go: confirm or cancel the update {}", text(run, "/id")));
        }
    }
    if state == "done" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
