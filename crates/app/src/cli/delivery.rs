//! `carillon delivery`: who got a message, who did not, and why; send again, cancel.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::paint::{Paint, plain};
use super::table::{self, Row};
use super::which::{FilterFlags, WhichFlags};
use super::{ClientFlags, recall, say};

#[derive(Debug, Args)]
pub(crate) struct DeliveryFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the deliveries of a message
    List {
        /// The message's id [default: the latest message]
        message: Option<String>,
    },
    /// List dead letters of all messages, newest first: what failed or expired, with what to change
    Dead {
        #[command(flatten)]
        filter: FilterFlags,
        /// How many at most, 1 to 200
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Show one delivery with all its attempts
    Show {
        /// The delivery's id
        delivery: String,
    },
    /// Send again what failed, expired or was cancelled: one delivery, or those that fit the flags
    Resend {
        #[command(flatten)]
        which: WhichFlags,
        /// How many seconds they may wait at least, 1 to 86400 [default: 3600]
        #[arg(long, value_name = "SECONDS")]
        time_to_live: Option<u64>,
    },
    /// Take back what office apps sent, from the chats of people and groups: within 24 hours
    Recall {
        #[command(flatten)]
        what: recall::RecallFlags,
    },
    /// Cancel what waits: one delivery, or those that fit the flags
    Cancel {
        #[command(flatten)]
        which: WhichFlags,
    },
}

/// Runs the command.
pub(crate) async fn run(flags: DeliveryFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let answer = match flags.action {
        Action::Resend { which, time_to_live } => {
            let moved = which.call(&client, "resend", time_to_live).await?;
            return Ok(told(&flags.client, "resent", moved));
        }
        Action::Cancel { which } => {
            let moved = which.call(&client, "cancel", None).await?;
            return Ok(told(&flags.client, "cancelled", moved));
        }
        Action::Recall { what } => return recall::run(&client, what, flags.client.json).await,
        Action::List { message } => {
            let message = match message {
                Some(message) => message,
                None => latest(&client).await?,
            };
            json!({ "deliveries": all_of(&client, &message).await? })
        }
        Action::Dead { filter, limit } => {
            json!({ "deliveries": dead(&client, &filter, limit).await? })
        }
        Action::Show { delivery } => {
            json!({ "deliveries": [client.call(Method::GET, &format!("/api/v1/deliveries/{delivery}"), None).await?] })
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        let paint = Paint::of_stdout();
        let rows: Vec<_> = items(&answer, "/deliveries").iter().map(|one| row(one, paint)).collect();
        table::print(&["delivery", "state", "channel", "subscription"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// The latest dead letters, up to so many. A page may be short of them although there are more.
async fn dead(client: &Client, filter: &FilterFlags, limit: u64) -> anyhow::Result<Vec<Value>> {
    let given = filter.given().map(|(name, value)| format!("&{name}={}", piece(value)));
    let given = given.collect::<String>();
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/deliveries?limit={limit}{given}{after}");
        let page = client.call(Method::GET, &path, None).await?;
        found.extend_from_slice(items(&page, "/deliveries"));
        match page.pointer("/next").and_then(Value::as_str) {
            Some(next) if found.len() < wanted => after = format!("&after={}", piece(next)),
            _ => {
                found.truncate(wanted);
                return Ok(found);
            }
        }
    }
}

/// Says how many deliveries were moved.
fn told(flags: &ClientFlags, verb: &str, count: u64) -> ExitCode {
    if flags.json {
        say(&json!({ verb: count }).to_string());
    } else {
        say(&format!("{count} {verb}"));
    }
    ExitCode::SUCCESS
}

async fn latest(client: &Client) -> anyhow::Result<String> {
    let answer = client.call(Method::GET, "/api/v1/messages?limit=1", None).await?;
    match items(&answer, "/messages").first() {
        Some(message) => Ok(text(message, "/id").to_owned()),
        None => bail!("nothing was published yet"),
    }
}

/// Every delivery of a message, page by page.
pub(crate) async fn all_of(client: &Client, message: &str) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/messages/{message}/deliveries?limit=200{after}");
        let page = client.call(Method::GET, &path, None).await?;
        found.extend_from_slice(items(&page, "/deliveries"));
        match page.pointer("/next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(found),
        }
    }
}

/// A state in its colour.
pub(crate) fn painted(state: &str, paint: Paint) -> String {
    match state {
        "delivered" => paint.green(state),
        "failed" | "expired" => paint.red(state),
        _ => paint.yellow(state),
    }
}

fn row(delivery: &Value, paint: Paint) -> Row {
    let mut below = Vec::new();
    for attempt in items(delivery, "/attempts") {
        let number = attempt.pointer("/number").and_then(Value::as_u64).unwrap_or(0);
        let elapsed = attempt.pointer("/elapsed_ms").and_then(Value::as_u64).unwrap_or(0);
        let code = plain(text(attempt, "/platform_code"));
        let words = plain(text(attempt, "/platform_text"));
        let platform = format!("{code} {words}");
        below.push(format!(
            "  {number}. {}  {}  {elapsed} ms  {}",
            text(attempt, "/started_at"),
            text(attempt, "/outcome"),
            platform.trim()
        ));
        if text(attempt, "/outcome") != "accepted" {
            below.push(format!("     {}", text(attempt, "/advice/en")));
            below.push(format!("     {}", text(attempt, "/advice/zh")));
        }
    }
    let recalled = text(delivery, "/recalled_at");
    if !recalled.is_empty() {
        below.push(format!("  recalled at {recalled}"));
    }
    let due = text(delivery, "/due_at");
    if !due.is_empty() {
        below.push(format!("  next try at {due}"));
    }
    let (id, channel, urn) =
        (text(delivery, "/id"), text(delivery, "/channel"), text(delivery, "/subscription_urn"));
    let state = painted(text(delivery, "/state"), paint);
    Row::new([id, &state, channel, &paint.dim(urn)]).with(below)
}
