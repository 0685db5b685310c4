//! `carillon key`.

use std::process::ExitCode;

use anyhow::bail;
use carillon_model::SystemChance;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::{ClientFlags, say};
use crate::config::DATA_DIR;

/// How often everything is looked at before something else must be wrong: other servers may have sealed meanwhile.
const WALKS_MAX: u32 = 5;

#[derive(Debug, Args)]
pub(crate) struct KeyFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the master keys, and how many values each has sealed
    List,
    /// Write a fresh key into a key file, for `rotate` to use later; needs no server
    Add {
        /// The key file [default: master.key in the data directory]
        #[arg(long, env = "CARILLON_KEY_FILE", value_name = "FILE")]
        key_file: Option<std::path::PathBuf>,
    },
    /// Seal everything anew under a new key, while the server runs; run it again when it was cut short
    Rotate,
    /// Take the old keys out of the server's key file, once nothing is sealed by them
    Retire,
}

/// Runs the command.
pub(crate) async fn run(flags: KeyFlags) -> anyhow::Result<ExitCode> {
    let answer = match &flags.action {
        Action::Add { key_file } => {
            let dir = flags.client.data_dir.clone().unwrap_or_else(|| DATA_DIR.into());
            let path = key_file.clone().unwrap_or_else(|| dir.join("master.key"));
            json!({ "id": carillon_store::vault::add_to_file(&path, &SystemChance)? })
        }
        Action::List => flags.client.connect().await?.call(Method::GET, "/api/v1/master-keys", None).await?,
        Action::Rotate => rotate(&flags.client.connect().await?, flags.client.json).await?,
        Action::Retire => {
            let client = flags.client.connect().await?;
            client.call(Method::POST, "/api/v1/master-keys/retire", None).await?
        }
    };
    if flags.client.json {
        say(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    match flags.action {
        Action::Add { .. } => say(&format!(
            "added key {}: give every other server a copy of the file, then run carillon key rotate",
            text(&answer, "/id")
        )),
        Action::List => items(&answer, "/keys").iter().for_each(|key| say(&line(key))),
        Action::Rotate => say(&format!("done: {} values sealed anew", answer["sealed"])),
        Action::Retire => {
            let gone = items(&answer, "/retired");
            gone.iter().for_each(|id| say(&format!("retired key {}", id.as_str().unwrap_or_default())));
            if gone.is_empty() {
                say("there is no old key");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(key: &Value) -> String {
    let state = if key["active"] == true { "seals" } else { "opens" };
    format!("{}  {state}  {} values", text(key, "/id"), key["sealed"])
}

/// Begins, walks over everything until nothing is sealed by another key, and ends.
async fn rotate(client: &Client, quiet: bool) -> anyhow::Result<Value> {
    const ROTATION: &str = "/api/v1/master-keys/rotation";
    let begun = client.call(Method::POST, ROTATION, None).await?;
    if !quiet {
        let fresh = begun["fresh"] == true;
        say(if fresh { "a new key seals" } else { "a rotation that was cut short goes on" });
    }
    let mut sealed = 0;
    for _walk in 0..WALKS_MAX {
        let mut after = String::new();
        loop {
            let step = client.call(Method::POST, &format!("{ROTATION}/step{after}"), None).await?;
            sealed += step["sealed"].as_u64().unwrap_or(0);
            let Some(next) = step["next"].as_str() else { break };
            after = format!("?after={}", piece(next));
        }
        let end = client.call(Method::POST, &format!("{ROTATION}/end"), None).await?;
        if end["left"] == 0 {
            return Ok(json!({ "sealed": sealed }));
        }
    }
    bail!("old keys go on sealing: give every server that shares the database the new key file")
}
