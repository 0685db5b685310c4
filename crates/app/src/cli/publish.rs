//! `carillon publish`.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::client::text;
use super::{ClientFlags, say, text_or_stdin};

#[derive(Debug, Args)]
pub(crate) struct PublishFlags {
    #[command(flatten)]
    client: ClientFlags,
    /// Name or URN of the topic
    topic: String,
    /// The message; - reads standard input
    text: String,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The message is Markdown
    #[arg(long)]
    markdown: bool,
    /// It goes first within the limits of each endpoint
    #[arg(long)]
    urgent: bool,
    /// How many seconds it may wait, 1 to 86400 [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    time_to_live: Option<u64>,
    /// Publish once: the same key again within 24 hours prints the first message's id and publishes nothing
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(flags: PublishFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let message = text_or_stdin(flags.text)?;
    let kind = if flags.markdown { "markdown" } else { "text" };
    let mut body = json!({
        "topic": client.topic_urn(&flags.topic),
        "title": flags.title,
        "priority": if flags.urgent { "urgent" } else { "normal" },
        "time_to_live": flags.time_to_live,
        "idempotency_key": flags.idempotency_key,
    });
    if let Some(object) = body.as_object_mut() {
        object.insert(kind.to_owned(), message.into());
    }
    let answer = client.call(Method::POST, "/api/v1/messages", Some(&body)).await?;
    if flags.client.json {
        say(&answer.to_string());
    } else {
        say(text(&answer, "/message_id"));
    }
    Ok(ExitCode::SUCCESS)
}
