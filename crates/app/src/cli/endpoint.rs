//! `carillon endpoint`: which addresses are not well, and trying one again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::paint::{Paint, plain};
use super::table::{self, Row};
use super::{ClientFlags, say};

#[derive(Debug, Args)]
pub(crate) struct EndpointFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the addresses that are subscribed, with how they fare
    List {
        /// Those in this state only: working, waiting, unwell, failing, limited, open or paused
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
    },
    /// Try an address again at once that is paused or was left alone for its failures
    Resume {
        /// The endpoint's id, as `list` shows it
        endpoint: String,
    },
}

/// Runs the command.
pub(crate) async fn run(flags: EndpointFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let answer = match flags.action {
        Action::List { state } => json!({ "endpoints": all(&client, state.as_deref()).await? }),
        Action::Resume { endpoint } => {
            let path = format!("/api/v1/endpoints/{}/resume", piece(&endpoint));
            json!({ "endpoints": [client.call(Method::POST, &path, None).await?] })
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        let paint = Paint::of_stdout();
        let rows: Vec<_> = items(&answer, "/endpoints").iter().map(|one| row(one, paint)).collect();
        table::print(&["endpoint", "state", "channel", "address", ""], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// Every endpoint, page by page.
async fn all(client: &Client, state: Option<&str>) -> anyhow::Result<Vec<Value>> {
    let state = state.map(|state| format!("&state={}", piece(state))).unwrap_or_default();
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/endpoints?limit=200{state}{after}");
        let page = client.call(Method::GET, &path, None).await?;
        found.extend_from_slice(items(&page, "/endpoints"));
        match page.pointer("/next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(found),
        }
    }
}

fn row(endpoint: &Value, paint: Paint) -> Row {
    let state = text(endpoint, "/state");
    let painted = match state {
        "working" => paint.green(state),
        "paused" | "open" => paint.red(state),
        _ => paint.yellow(state),
    };
    let waiting = endpoint.pointer("/waiting").and_then(Value::as_u64).unwrap_or(0);
    let mut below = Vec::new();
    if !text(endpoint, "/reason").is_empty() {
        let (reason, since, until) =
            (text(endpoint, "/reason"), text(endpoint, "/since"), text(endpoint, "/until"));
        let until = if until.is_empty() { String::new() } else { format!(", next try at {until}") };
        below.push(format!("  {reason}, since {since}{until}"));
        for pointer in ["/advice/en", "/advice/zh"] {
            below.push(format!("  {}", plain(text(endpoint, pointer))));
        }
    }
    for urn in items(endpoint, "/subscriptions") {
        below.push(format!("  {}", paint.dim(urn.as_str().unwrap_or_default())));
    }
    let (id, channel, address) =
        (text(endpoint, "/id"), text(endpoint, "/channel"), plain(text(endpoint, "/endpoint")));
    Row::new([id, &painted, channel, &address, &format!("{waiting} waiting")]).with(below)
}
