//! `carillon endpoint`: which addresses are not well, and trying one again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::paint::{Paint, plain};
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
        items(&answer, "/endpoints").iter().for_each(|endpoint| show(endpoint, paint));
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

fn show(endpoint: &Value, paint: Paint) {
    let state = text(endpoint, "/state");
    let painted = match state {
        "working" => paint.green(state),
        "paused" | "open" => paint.red(state),
        _ => paint.yellow(state),
    };
    let waiting = endpoint.pointer("/waiting").and_then(Value::as_u64).unwrap_or(0);
    say(&format!(
        "{}  {painted}  {}  {}  {waiting} waiting",
        text(endpoint, "/id"),
        text(endpoint, "/channel"),
        plain(text(endpoint, "/endpoint"))
    ));
    if !text(endpoint, "/reason").is_empty() {
        let (reason, since, until) =
            (text(endpoint, "/reason"), text(endpoint, "/since"), text(endpoint, "/until"));
        let until = if until.is_empty() { String::new() } else { format!(", next try at {until}") };
        say(&format!("  {reason}, since {since}{until}"));
        for pointer in ["/advice/en", "/advice/zh"] {
            say(&format!("  {}", plain(text(endpoint, pointer))));
        }
    }
    for urn in items(endpoint, "/subscriptions") {
        say(&format!("  {}", paint.dim(urn.as_str().unwrap_or_default())));
    }
}
