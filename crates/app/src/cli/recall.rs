//! `carillon delivery recall`.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, text};
use super::{paint, say};

#[derive(Debug, Args)]
pub(crate) struct RecallFlags {
    /// Those of this message
    #[arg(long, value_name = "ID")]
    message: Option<String>,
    /// Those through this app
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// Those to this member or chat of the app
    #[arg(long, value_name = "KIND:ID", requires = "connection")]
    to: Option<String>,
    /// Those of messages accepted at this time or later, such as 2026-01-31T08:00:00Z [default: a day ago]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those of messages accepted before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Takes back, as many calls as it takes; 1 when something is still there.
pub(crate) async fn run(client: &Client, flags: RecallFlags, json: bool) -> anyhow::Result<ExitCode> {
    let to = match flags.to.as_deref().map(|to| to.split_once(':')) {
        Some(Some((kind, id))) => Some(json!({ "kind": kind, "id": id })),
        Some(None) => bail!("--to must be KIND:ID, such as member:u001"),
        None => None,
    };
    let (mut recalled, mut all, mut after) = (0, Vec::new(), None::<String>);
    loop {
        let body = json!({ "message_id": flags.message, "connection_id": flags.connection, "to": to,
                           "since": flags.since, "until": flags.until, "after": after });
        let answer = client.call(Method::POST, "/api/v1/recalls", Some(&body)).await?;
        recalled += answer["recalled"].as_u64().unwrap_or(0);
        all.extend_from_slice(items(&answer, "/recalls"));
        match answer["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    if json {
        say(&json!({ "recalled": recalled, "recalls": all }).to_string());
    } else {
        all.iter().filter(|one| one["recalled"] == false).for_each(show);
        say(&format!("{recalled} recalled"));
    }
    let whole = u64::try_from(all.len()).is_ok_and(|all| all == recalled);
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(one: &Value) {
    let (id, name) = (text(one, "/delivery_id"), paint::plain(text(one, "/name")));
    let said = [text(one, "/platform_code"), text(one, "/platform_text")].join(" ");
    say(&format!("not recalled: {id}  {name}  {}", paint::plain(said.trim())));
    say(&format!("     {}", text(one, "/advice/en")));
    say(&format!("     {}", text(one, "/advice/zh")));
}
