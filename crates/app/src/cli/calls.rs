//! `carillon calls`: calls per month, and their limits.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{items, piece, text};
use super::paint::plain;
use super::{ClientFlags, say};

#[derive(Debug, Args)]
pub(crate) struct CallsFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the calls of this month, with limit and forecast
    List,
    /// Set how many calls a month may be made; what is more waits, and a twentieth is for urgent messages
    Set {
        /// The connection's id, or `dingtalk_robots`
        of: String,
        /// A number; none; or default, the platform's, which is for warnings only
        #[arg(long, value_name = "NUMBER")]
        limit: String,
    },
}

/// Runs the command.
pub(crate) async fn run(flags: CallsFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let answer = match flags.action {
        Action::List => client.call(Method::GET, "/api/v1/calls", None).await?,
        Action::Set { of, limit } => {
            let path = format!("/api/v1/calls/{}", piece(&of));
            json!({ "calls": [client.call(Method::PUT, &path, Some(&json!({ "limit": limit }))).await?] })
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        items(&answer, "/calls").iter().for_each(show);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(calls: &Value) {
    let limit = match (text(calls, "/limit_is"), &calls["limit"]) {
        (_, Value::Null) => "no limit".to_owned(),
        ("set", most) => format!("limit {most}, {} of it for urgent ones", calls["reserve"]),
        (_, most) => format!("limit {most} (the platform's smallest plan, for warnings)"),
    };
    say(&format!(
        "{}  {}  {}  {} made in {} days, {} by the month's end  {limit}  {}",
        text(calls, "/of"),
        text(calls, "/month"),
        text(calls, "/level"),
        calls["used"],
        calls["days"],
        calls["forecast"],
        plain(text(calls, "/name"))
    ));
    let until = text(calls, "/refused_until");
    if !until.is_empty() {
        say(&format!("     the platform refuses every call until {until}"));
    }
}
