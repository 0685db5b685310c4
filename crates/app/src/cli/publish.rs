//! `carillon publish`.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{items, text};
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
    /// Publish nothing: tell who would get it, and in how many parts
    #[arg(long, conflicts_with = "idempotency_key")]
    dry_run: bool,
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
    if flags.dry_run {
        let answer = client.call(Method::POST, "/api/v1/messages/preview", Some(&body)).await?;
        if flags.client.json {
            say(&answer.to_string());
        } else {
            foretell(&answer);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let answer = client.call(Method::POST, "/api/v1/messages", Some(&body)).await?;
    if flags.client.json {
        say(&answer.to_string());
    } else {
        say(text(&answer, "/message_id"));
        let first = text(&answer, "/equal_to");
        if !first.is_empty() {
            say(&format!("sent to nobody: it says the same as {first}, which was sent shortly before"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what a publish would do.
fn foretell(answer: &Value) {
    let number = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let (recipients, subscribed) = (number(answer, "/recipients"), number(answer, "/subscribed"));
    say(&format!("{recipients} of {subscribed} subscriptions would get it"));
    for form in items(answer, "/channels").iter().filter(|form| number(form, "/recipients") > 0) {
        let (channel, count) = (text(form, "/channel"), number(form, "/recipients"));
        let parts = items(form, "/parts").len();
        let told = match parts {
            0 => format!("cannot be sent: {}", text(form, "/advice/en")),
            1 => "in one part".to_owned(),
            more => format!("in {more} parts"),
        };
        say(&format!("{channel}  {count}  {told}"));
    }
}
