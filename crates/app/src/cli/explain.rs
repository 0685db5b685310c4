//! `carillon explain`: why a subscription did or did not get a message.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::delivery::painted;
use super::paint::{Paint, plain};
use super::{ClientFlags, say, text_or_stdin};

#[derive(Debug, Args)]
pub(crate) struct ExplainFlags {
    #[command(flatten)]
    client: ClientFlags,
    /// The message's id
    message: String,
    /// The subscription's URN; all deliveries of the message when nobody is given
    #[arg(conflicts_with_all = ["endpoint", "person"])]
    subscription: Option<String>,
    /// Why this address did or did not get it: the whole address (`-` reads it from standard input), the end of it, or a subscription's remark
    #[arg(long, value_name = "ADDRESS", conflicts_with = "person")]
    endpoint: Option<String>,
    /// Why this person did or did not get it: a name, an id, a mail address or a phone number; `-` reads it from standard input
    #[arg(long, value_name = "PERSON")]
    person: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(flags: ExplainFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let asked = flags.endpoint.as_deref().map(|text| ("endpoint", text));
    if let Some((kind, text)) = asked.or(flags.person.as_deref().map(|text| ("person", text))) {
        return who(&client, &flags, kind, text).await;
    }
    let answer = all_of(&client, &flags.message, flags.subscription.as_deref()).await?;
    if flags.client.json {
        say(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let paint = Paint::of_stdout();
    if flags.subscription.is_none() {
        summary(&answer, paint);
    }
    items(&answer, "/explanations").iter().for_each(|explanation| show(explanation, paint));
    Ok(ExitCode::SUCCESS)
}

/// The answers about an address or a person; 1 when nobody is known by that.
async fn who(client: &Client, flags: &ExplainFlags, kind: &str, text: &str) -> anyhow::Result<ExitCode> {
    let sought = text_or_stdin(text.to_owned())?;
    let body = json!({ "message_id": flags.message, "to": sought, "as": kind });
    let answer = client.call(Method::POST, "/api/v1/explain", Some(&body)).await?;
    let answers = items(&answer, "/answers");
    let code = if answers.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if flags.client.json {
        say(&answer.to_string());
        return Ok(code);
    }
    let paint = Paint::of_stdout();
    if answers.is_empty() {
        say("nobody is known by that");
    }
    for one in answers {
        say(&plain(self::text(one, "/whom/en")));
        if let Some(explanation) = one.pointer("/explanation") {
            show(explanation, paint);
        }
        for pointer in ["/then/en", "/then/zh"] {
            let line = plain(self::text(one, pointer));
            if !line.is_empty() {
                say(&format!("  {line}"));
            }
        }
    }
    if answer.pointer("/more").and_then(Value::as_bool) == Some(true) {
        say("there are more; say more of it");
    }
    Ok(code)
}

/// Every explanation of a message, page by page.
async fn all_of(client: &Client, message: &str, subscription: Option<&str>) -> anyhow::Result<Value> {
    let which = subscription.map(|urn| format!("&subscription_urn={}", piece(urn))).unwrap_or_default();
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/explain?message_id={}{which}&limit=200{after}", piece(message));
        let page = client.call(Method::GET, &path, None).await?;
        found.extend_from_slice(items(&page, "/explanations"));
        match page.pointer("/next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => {
                let counts = page.pointer("/counts").cloned().unwrap_or_default();
                return Ok(json!({ "message_id": message, "counts": counts, "explanations": found }));
            }
        }
    }
}

fn summary(answer: &Value, paint: Paint) {
    let Some(counts) = answer.pointer("/counts").and_then(Value::as_object) else { return };
    let told = counts.iter().filter(|(_, count)| count.as_u64() != Some(0));
    let told: Vec<String> = told.map(|(state, count)| format!("{count} {}", painted(state, paint))).collect();
    say(&if told.is_empty() { "it was made into no delivery".to_owned() } else { told.join(", ") });
}

fn show(explanation: &Value, paint: Paint) {
    let verdict = painted(text(explanation, "/verdict"), paint);
    say(&format!("{verdict}  {}", paint.dim(text(explanation, "/subscription_urn"))));
    for pointer in ["/sentence/en", "/sentence/zh", "/advice/en", "/advice/zh"] {
        let line = plain(text(explanation, pointer));
        if !line.is_empty() {
            say(&format!("  {line}"));
        }
    }
}
