//! `carillon push`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, text};
use super::{ClientFlags, say, text_or_stdin};

#[derive(Debug, Args)]
pub(crate) struct PushFlags {
    #[command(flatten)]
    client: ClientFlags,
    /// The connection's id
    connection: String,
    /// The message; - reads standard input; may be left out beside images and files
    text: Option<String>,
    /// To whom: member:ID, department:ID, group:NAME, chat:ID, email:ADDRESS or phone:NUMBER; may be given several times
    #[arg(long = "to", required = true, value_name = "KIND:ID")]
    to: Vec<String>,
    /// The heading
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The message is Markdown
    #[arg(long)]
    markdown: bool,
    /// critical, error, warning, info or ok: the heading's colour
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// A button that opens a page; may be given several times; needs --markdown
    #[arg(long = "button", value_name = "TEXT=URL")]
    buttons: Vec<String>,
    /// An image that follows the message; may be given several times
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// A file that follows the message; may be given several times
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// `robot` or `work_notification`: how DingTalk reaches people [default: robot, where the app has one]
    #[arg(long, value_name = "WAY")]
    via: Option<String>,
    /// A member who is pinged in chats: an id, email:ADDRESS, phone:NUMBER, or all; may be given several times
    #[arg(long = "mention", value_name = "MEMBER")]
    mentions: Vec<String>,
    /// It goes first within the limits of each recipient
    #[arg(long)]
    urgent: bool,
    /// How many seconds it may wait, 1 to 86400 [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    time_to_live: Option<u64>,
    /// Push once: the same key again within 24 hours prints the first message's id and pushes nothing
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Only say whom it would reach
    #[arg(long)]
    preview: bool,
}

/// Runs the command.
pub(crate) async fn run(flags: PushFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let mut to = Vec::new();
    for one in &flags.to {
        let Some((kind, id)) = one.split_once(':') else {
            bail!("--to must be KIND:ID, such as member:u001")
        };
        to.push(json!({ "kind": kind, "id": id }));
    }
    if flags.preview {
        let body = json!({ "connection_id": flags.connection, "to": to });
        let answer = client.call(Method::POST, "/api/v1/pushes/preview", Some(&body)).await?;
        show(&answer, flags.client.json, &format!("{} would get it", answer["heads"]));
        return Ok(ExitCode::SUCCESS);
    }
    let mut buttons = Vec::new();
    for button in &flags.buttons {
        let (text, url) = button.split_once('=').context("--button must be TEXT=URL")?;
        buttons.push(json!({ "text": text, "url": url }));
    }
    let kind = if flags.markdown { "markdown" } else { "text" };
    let mut body = json!({
        "connection_id": flags.connection,
        "to": to,
        "title": flags.title,
        "severity": flags.severity,
        "buttons": buttons,
        "mentions": flags.mentions.iter().filter(|who| *who != "all").map(|who| mention(who)).collect::<Vec<_>>(),
        "mention_all": flags.mentions.iter().any(|who| who == "all"),
        "via": flags.via,
        "priority": if flags.urgent { "urgent" } else { "normal" },
        "time_to_live": flags.time_to_live,
        "idempotency_key": flags.idempotency_key,
    });
    let (images, files) = (hand_in(&client, &flags.images).await?, hand_in(&client, &flags.files).await?);
    if flags.text.is_none() && images.is_empty() && files.is_empty() {
        bail!("give a message, an --image or a --file");
    }
    if let Some(object) = body.as_object_mut() {
        object.insert("images".to_owned(), images.into());
        object.insert("files".to_owned(), files.into());
        if let Some(text) = flags.text {
            object.insert(kind.to_owned(), text_or_stdin(text)?.into());
        }
    }
    let answer = client.call(Method::POST, "/api/v1/pushes", Some(&body)).await?;
    show(&answer, flags.client.json, text(&answer, "/message_id"));
    Ok(ExitCode::SUCCESS)
}

/// Hands files in, and gives what a push names them by.
async fn hand_in(client: &Client, paths: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let mut handed = Vec::new();
    for path in paths {
        let name = path.file_name().with_context(|| format!("{} is no file", path.display()))?;
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let kept = client.upload("/api/v1/attachments", bytes).await;
        let kept = kept.with_context(|| path.display().to_string())?;
        handed.push(json!({ "id": text(&kept, "/id"), "name": name.to_string_lossy() }));
    }
    Ok(handed)
}

fn mention(who: &str) -> Value {
    let (kind, id) = match who.split_once(':') {
        Some((kind @ ("email" | "phone" | "member"), id)) => (kind, id),
        Some(_) | None => ("member", who),
    };
    json!({ "kind": kind, "id": id })
}

fn show(answer: &Value, json: bool, line: &str) {
    if json {
        say(&answer.to_string());
        return;
    }
    say(line);
    for one in items(answer, "/unreachable") {
        say(&format!("not reached: {}:{} ({})", text(one, "/kind"), text(one, "/id"), text(one, "/reason")));
    }
}
