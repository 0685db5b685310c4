//! `carillon traffic`: what happened lately.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::client::{items, text};
use super::paint::Paint;
use super::table::{self, Row};
use super::{ClientFlags, say};

#[derive(Debug, Args)]
pub(crate) struct TrafficFlags {
    #[command(flatten)]
    client: ClientFlags,
    /// How many hours back, 1 to 168
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    hours: u32,
}

fn sum(value: &Value, pointer: &str) -> u64 {
    items(value, pointer).iter().filter_map(Value::as_u64).sum()
}

/// Runs the command.
pub(crate) async fn run(flags: TrafficFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let path = format!("/api/v1/traffic?hours={}", flags.hours);
    let answer = client.call(Method::GET, &path, None).await?;
    if flags.client.json {
        say(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let paint = Paint::of_stdout();
    say(&format!("{} messages in {} hours", sum(&answer, "/messages"), flags.hours));
    let mut rows = Vec::new();
    for channel in items(&answer, "/channels") {
        let mut told = vec![paint.green(&format!("{} accepted", sum(channel, "/accepted")))];
        for (pointer, word) in [("/later", "tried again"), ("/unknown", "without an answer")] {
            let count = sum(channel, pointer);
            if count > 0 {
                told.push(paint.yellow(&format!("{count} {word}")));
            }
        }
        for (pointer, word) in [("/refused", "refused"), ("/misconfigured", "need somebody's action")] {
            let count = sum(channel, pointer);
            if count > 0 {
                told.push(paint.red(&format!("{count} {word}")));
            }
        }
        rows.push(Row::new([text(channel, "/channel"), &told.join(", ")]));
    }
    table::print(&["channel", "deliveries"], &rows);
    Ok(ExitCode::SUCCESS)
}
