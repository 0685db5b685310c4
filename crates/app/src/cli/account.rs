//! `carillon account`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::credential::{self, KeyAction, TokenAction};
use super::table::{self, Row};
use super::{ClientFlags, paint, say, text_or_stdin};

#[derive(Debug, Args)]
pub(crate) struct AccountFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the project's accounts with their roles
    List,
    /// Add an account; its password is read from standard input
    Add {
        /// Letters, digits and -_.@
        name: String,
        #[command(flatten)]
        role: RoleFlags,
        /// Add an account that is there already, as the operator; no password is read
        #[arg(long)]
        existing: bool,
    },
    /// Give an account another role; its keys and tokens have it at once
    Role {
        /// The account's name
        name: String,
        #[command(flatten)]
        role: RoleFlags,
    },
    /// Give an account another password: read from standard input, one's own present one on the next line
    Password {
        /// The account's name
        name: String,
    },
    /// Take an account out of the project, with its keys and tokens
    Remove {
        /// The account's name
        name: String,
    },
    /// Keys that sign requests
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Tokens
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Who changed what, newest first
    Audit {
        /// What this account did
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// What was done, such as topic.create
        #[arg(long, value_name = "DEED")]
        deed: Option<String>,
        /// What was done to exactly this: a URN, an id or a name
        #[arg(long, value_name = "TEXT")]
        what: Option<String>,
        /// How many lines at most
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
    },
}

/// A role with the topics of a publisher.
#[derive(Debug, Args)]
struct RoleFlags {
    /// administrator, publisher or reader
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// A topic that a publisher may publish to: a name, or a pattern with *; may be given again
    #[arg(long = "topic", value_name = "PATTERN")]
    topics: Vec<String>,
}

/// The path of an account that was given by name.
pub(super) async fn path(client: &Client, name: &str) -> anyhow::Result<String> {
    Ok(format!("/api/v1/accounts/{}", id(client, name).await?))
}

/// The id of an account of the project.
pub(super) async fn id(client: &Client, name: &str) -> anyhow::Result<String> {
    let all = client.whole_api_list("/api/v1/accounts?limit=200", "accounts").await?;
    let found = items(&all, "/accounts").iter().find(|account| text(account, "/name") == name);
    let found = found.with_context(|| format!("the project has no account {name}"))?;
    Ok(text(found, "/id").to_owned())
}

/// The role of a line, with its topics.
pub(super) fn role_of(value: &Value) -> String {
    let topics: Vec<&str> = items(value, "/topics").iter().filter_map(Value::as_str).collect();
    format!("{} {}", text(value, "/role"), topics.join(",")).trim_end().to_owned()
}

/// The lines of standard input.
fn passwords() -> anyhow::Result<Vec<String>> {
    let read = text_or_stdin("-".to_owned())?;
    let lines: Vec<String> = read.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    if lines.first().is_none_or(String::is_empty) {
        bail!("give the password on standard input");
    }
    Ok(lines)
}

/// Runs the command.
pub(crate) async fn run(flags: AccountFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let (answer, lines) = account(&client, flags.action).await?;
    if flags.client.json {
        say(&answer.to_string());
    } else {
        lines.iter().for_each(|line| say(line));
    }
    Ok(ExitCode::SUCCESS)
}

async fn account(client: &Client, action: Action) -> anyhow::Result<(Value, Vec<String>)> {
    Ok(match action {
        Action::List => {
            let answer = client.whole_api_list("/api/v1/accounts?limit=200", "accounts").await?;
            let row = |account: &Value| {
                let operator = account.pointer("/operator").and_then(Value::as_bool).unwrap_or_default();
                let operator = if operator { "(operator)" } else { "" };
                Row::new([text(account, "/name"), &role_of(account), operator])
            };
            let rows: Vec<_> = items(&answer, "/accounts").iter().map(row).collect();
            let lines = table::lines(&["name", "role", ""], &rows);
            (answer, lines)
        }
        Action::Add { name, role, existing } => {
            let password = if existing { None } else { passwords()?.into_iter().next() };
            let body =
                json!({ "name": name, "password": password, "role": role.role, "topics": role.topics });
            let answer = client.call(Method::POST, "/api/v1/accounts", Some(&body)).await?;
            let id = text(&answer, "/id").to_owned();
            (answer, vec![id])
        }
        Action::Role { name, role } => {
            let body = json!({ "role": role.role, "topics": role.topics });
            let path = format!("{}/role", path(client, &name).await?);
            (client.call(Method::PUT, &path, Some(&body)).await?, vec!["changed".to_owned()])
        }
        Action::Password { name } => {
            let id = id(client, &name).await?;
            let mut lines = passwords()?.into_iter();
            let mut body = json!({ "password": lines.next() });
            if id == client.own_account().await?
                && let Some(body) = body.as_object_mut()
            {
                body.insert("present_password".to_owned(), json!(lines.next()));
            }
            let path = format!("/api/v1/accounts/{id}/password");
            (client.call(Method::PUT, &path, Some(&body)).await?, vec!["changed".to_owned()])
        }
        Action::Remove { name } => {
            let path = path(client, &name).await?;
            (client.call(Method::DELETE, &path, None).await?, vec!["removed".to_owned()])
        }
        Action::Audit { account, deed, what, limit } => {
            audit(client, [("account", account), ("deed", deed), ("what", what)], limit).await?
        }
        Action::Key { action } => credential::keys(client, action).await?,
        Action::Token { action } => credential::tokens(client, action).await?,
    })
}

async fn audit(
    client: &Client,
    filters: [(&str, Option<String>); 3],
    limit: u32,
) -> anyhow::Result<(Value, Vec<String>)> {
    let given = filters.into_iter().filter_map(|(name, text)| Some(format!("&{name}={}", piece(&text?))));
    let path = format!("/api/v1/audit?limit={limit}{}", given.collect::<String>());
    let answer = client.call(Method::GET, &path, None).await?;
    let row = |line: &Value| {
        let parts = ["/at", "/account", "/deed", "/what", "/detail"];
        Row::new(parts.map(|pointer| paint::plain(text(line, pointer))))
    };
    let rows: Vec<_> = items(&answer, "/lines").iter().map(row).collect();
    let lines = table::lines(&["at", "account", "deed", "what", "detail"], &rows);
    Ok((answer, lines))
}
