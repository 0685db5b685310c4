//! `carillon project`.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::{ClientFlags, say};

#[derive(Debug, Args)]
pub(crate) struct ProjectFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a project; prints its id and, this once, a key pair and a token for it
    Create {
        /// Letters, digits, hyphens and underscores
        name: String,
        /// Its id [default: made up]
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// List projects
    List,
    /// Remove a project that holds nothing any more
    Delete {
        /// Name or id
        project: String,
    },
}

/// The id of a project that was given by name or id.
async fn id(client: &Client, name_or_id: &str) -> anyhow::Result<String> {
    let all = client.whole_api_list("/api/v1/projects?limit=200", "projects").await?;
    let fits = |project: &&Value| [text(project, "/id"), text(project, "/name")].contains(&name_or_id);
    let found = items(&all, "/projects").iter().find(fits);
    let found = found.with_context(|| format!("there is no project {name_or_id}"))?;
    Ok(text(found, "/id").to_owned())
}

/// Runs the command.
pub(crate) async fn run(flags: ProjectFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let (answer, lines) = match flags.action {
        Action::Create { name, id } => {
            let body = json!({ "name": name, "id": id });
            let answer = client.call(Method::POST, "/api/v1/projects", Some(&body)).await?;
            let line = |(name, pointer)| format!("{name}  {}", text(&answer, pointer));
            let lines = [
                ("id         ", "/id"),
                ("access key ", "/key/access_key"),
                ("secret key ", "/key/secret_key"),
                ("token      ", "/token/token"),
            ];
            let lines = lines.map(line).to_vec();
            (answer, lines)
        }
        Action::List => {
            let answer = client.whole_api_list("/api/v1/projects?limit=200", "projects").await?;
            let line = |project: &Value| format!("{}  {}", text(project, "/id"), text(project, "/name"));
            let lines = items(&answer, "/projects").iter().map(line).collect();
            (answer, lines)
        }
        Action::Delete { project } => {
            let path = format!("/api/v1/projects/{}", piece(&id(&client, &project).await?));
            (client.call(Method::DELETE, &path, None).await?, vec!["deleted".to_owned()])
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        lines.iter().for_each(|line| say(line));
    }
    Ok(ExitCode::SUCCESS)
}
