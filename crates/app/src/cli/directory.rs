//! `carillon directory`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::table::{self, Row};
use super::{ClientFlags, paint, people, say};

/// The largest page of a list.
const PAGE: usize = 200;

#[derive(Debug, Args)]
pub(crate) struct DirectoryFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List members, those who are gone too
    Members {
        /// The connection's id
        connection: String,
        /// A part of a name or of the platform's id
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Those who are in this department directly, by the platform's id
        #[arg(long, value_name = "ID")]
        department: Option<String>,
    },
    /// List departments
    Departments {
        /// The connection's id
        connection: String,
    },
    /// List the chats that the app's bot is in
    Chats {
        /// The connection's id
        connection: String,
    },
    /// Change a chat's name or what it is for, where the platform lets the app
    Chat {
        /// The connection's id
        connection: String,
        /// Our id of the chat, or the platform's
        chat: String,
        /// The new name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// What the chat is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List groups of people
    Groups {
        /// The connection's id
        connection: String,
    },
    /// Find members by mail addresses and phone numbers; from then on a push may name them by these
    Bind {
        /// The connection's id
        connection: String,
        /// A mail address; may be given several times
        #[arg(long = "email", value_name = "ADDRESS")]
        emails: Vec<String>,
        /// A phone number; may be given several times
        #[arg(long = "phone", value_name = "NUMBER")]
        phones: Vec<String>,
        /// A file with one mail address or phone number a line; - reads standard input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// List members who are gone: what still names them, and who they may be now
    Gone {
        /// The connection's id
        connection: String,
    },
    /// Say that a member who is gone is another one now: whatever names the first reaches the second
    Merge {
        /// The connection's id
        connection: String,
        /// Our id of the one who is gone
        from: String,
        /// Our id of the other
        into: String,
    },
    /// Take a merge back
    Unmerge {
        /// The connection's id
        connection: String,
        /// Our id of the one who is gone
        from: String,
    },
    /// Make a group of people, or replace the parts of the one of that name
    Group {
        /// The connection's id
        connection: String,
        /// The group's name
        name: String,
        /// member:ID, department:ID (with those below it) or `department_only:ID`
        #[arg(required = true, value_name = "KIND:ID")]
        parts: Vec<String>,
    },
    /// Remove a group of people
    Ungroup {
        /// The connection's id
        connection: String,
        /// The group's id
        group: String,
    },
}

/// Runs the command.
pub(crate) async fn run(flags: DirectoryFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let (answer, name) = match flags.action {
        Action::Members { connection, search, department } => {
            let given = [("search", search), ("department", department)].into_iter();
            let given = given.filter_map(|(name, text)| Some(format!("&{name}={}", piece(&text?))));
            (listed(&client, &connection, "members", &given.collect::<String>()).await?, "members")
        }
        Action::Departments { connection } => {
            (listed(&client, &connection, "departments", "").await?, "departments")
        }
        Action::Chats { connection } => (listed(&client, &connection, "chats", "").await?, "chats"),
        Action::Chat { connection, chat, name, description } => {
            let path = format!("/api/v1/connections/{}/chats/{}", piece(&connection), piece(&chat));
            let mut body = serde_json::Map::new();
            let given = [("name", name), ("description", description)];
            body.extend(given.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?.into()))));
            let chat = client.call(Method::PUT, &path, Some(&body.into())).await?;
            (json!({ "chats": [chat] }), "chats")
        }
        Action::Groups { connection } => (listed(&client, &connection, "groups", "").await?, "groups"),
        Action::Group { connection, name, parts } => {
            let mut read = Vec::new();
            for part in &parts {
                let Some((kind, id)) = part.split_once(':') else { bail!("a part must be KIND:ID") };
                read.push(json!({ "kind": kind, "id": id }));
            }
            let path = format!("/api/v1/connections/{}/groups", piece(&connection));
            let body = json!({ "name": name, "parts": read });
            (client.call(Method::POST, &path, Some(&body)).await?, "")
        }
        Action::Ungroup { connection, group } => {
            let path = format!("/api/v1/connections/{}/groups/{}", piece(&connection), piece(&group));
            (client.call(Method::DELETE, &path, None).await?, "")
        }
        Action::Bind { connection, emails, phones, file } => {
            return people::bind(&client, &connection, (emails, phones, file), flags.client.json).await;
        }
        Action::Gone { connection } => (listed(&client, &connection, "gone", "").await?, "gone"),
        Action::Merge { connection, from, into } => {
            let path = format!("/api/v1/connections/{}/merges", piece(&connection));
            let body = json!({ "from": from, "into": into });
            (client.call(Method::POST, &path, Some(&body)).await?, "")
        }
        Action::Unmerge { connection, from } => {
            let path = format!("/api/v1/connections/{}/merges/{}", piece(&connection), piece(&from));
            (client.call(Method::DELETE, &path, None).await?, "")
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else if name.is_empty() {
        let id = text(&answer, "/id");
        say(if id.is_empty() { "done" } else { id });
    } else if name == "gone" {
        items(&answer, "/gone").iter().for_each(people::show_gone);
    } else {
        let rows: Vec<_> = items(&answer, &format!("/{name}")).iter().map(row).collect();
        table::print(&["id", "at the platform", "state", "name"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// A whole list, which comes page by page.
async fn listed(client: &Client, connection: &str, name: &str, more: &str) -> anyhow::Result<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/connections/{}/{name}?limit={PAGE}{more}{after}", piece(connection));
        let answer = client.call(Method::GET, &path, None).await?;
        all.extend_from_slice(items(&answer, &format!("/{name}")));
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={}", piece(next)),
            None => return Ok(json!({ name: all, "next": null })),
        }
    }
}

fn row(item: &Value) -> Row {
    let platform = ["/platform_user_id", "/platform_chat_id"].map(|pointer| text(item, pointer)).concat();
    let (name, state) = (paint::plain(text(item, "/name")), text(item, "/state"));
    Row::new([text(item, "/id"), &platform, state, &name])
}
