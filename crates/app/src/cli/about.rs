//! `carillon about`.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::client::{items, text};
use super::{ClientFlags, say};

#[derive(Debug, Args)]
pub(crate) struct AboutFlags {
    #[command(flatten)]
    client: ClientFlags,
}

/// Runs the command.
pub(crate) async fn run(flags: AboutFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let answer = client.call(Method::GET, "/api/v1/installation", None).await?;
    if flags.client.json {
        say(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let writable = if answer["writable"] == true { "writable" } else { "CANNOT BE WRITTEN" };
    say(&format!("Carillon {}", text(&answer, "/version")));
    say(&format!("region  {}", text(&answer, "/region")));
    say(&format!("store   {}, version {}, {writable}", text(&answer, "/store"), answer["store_version"]));
    items(&answer, "/servers").iter().for_each(show);
    items(&answer, "/quotas").iter().for_each(quota);
    Ok(ExitCode::SUCCESS)
}

fn quota(quota: &Value) {
    let limit =
        quota["limit"].as_u64().map_or_else(|| "no limit".to_owned(), |limit| format!("at most {limit}"));
    let used = quota["used"].as_u64().map(|used| format!("{used}, ")).unwrap_or_default();
    say(&format!("{}  {used}{limit}", text(quota, "/name").replace('_', " ")));
}

fn show(server: &Value) {
    let here = if server["here"] == true { ", the one that answers" } else { "" };
    let leaving = if server["serves"] == true { "" } else { ", about to stop" };
    let (id, seen) = (text(server, "/id"), text(server, "/seen_at"));
    say(&format!("server  {id}  {} of 256 shares  seen {seen}{leaving}{here}", server["shares"]));
}
