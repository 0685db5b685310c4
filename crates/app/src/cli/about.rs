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
    Ok(ExitCode::SUCCESS)
}

fn show(server: &Value) {
    let here = if server["here"] == true { ", the one that answers" } else { "" };
    let leaving = if server["serves"] == true { "" } else { ", about to stop" };
    let (id, seen) = (text(server, "/id"), text(server, "/seen_at"));
    say(&format!("server  {id}  {} of 256 shares  seen {seen}{leaving}{here}", server["shares"]));
}
