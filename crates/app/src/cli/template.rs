//! `carillon template`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};
use super::table::{self, Row};
use super::{ClientFlags, paint, say, text_or_stdin};

#[derive(Debug, Args)]
pub(crate) struct TemplateFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a template, or the variant of one for a protocol
    Create {
        /// Letters, digits, hyphens and underscores
        name: String,
        /// The text with placeholders such as {host}; - reads standard input
        content: String,
        /// Who gets this variant: default, dingding, feishu, wechat, http, https, …
        #[arg(long, value_name = "NAME", default_value = "default")]
        protocol: String,
    },
    /// List templates, oldest first, with their placeholders
    List,
    /// Print the text of a template
    Show(Which),
    /// Give a template's variant another text
    Change {
        #[command(flatten)]
        which: Which,
        /// The text with placeholders such as {host}; - reads standard input
        content: String,
    },
    /// Show what a text would become in each chat; nothing is kept or sent
    Preview {
        /// The text with placeholders such as {host}; - reads standard input
        content: String,
        /// Whose variant it is to be: default, dingding, feishu, wechat, http, https, …
        #[arg(long, value_name = "NAME", default_value = "default")]
        protocol: String,
        /// What stands in a placeholder's place; may be given several times
        #[arg(long = "value", value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Remove a template's variant, for good
    Delete(Which),
}

#[derive(Debug, Args)]
struct Which {
    /// Name or id
    template: String,
    /// Which variant of that name
    #[arg(long, value_name = "NAME", default_value = "default")]
    protocol: String,
}

const TEMPLATES: &str = "message_template";

/// The path of a variant that was given by name or by id. A name is looked for first, since it may look like an id.
async fn path(client: &Client, which: &Which) -> anyhow::Result<String> {
    let query = format!(
        "{TEMPLATES}?message_template_name={}&protocol={}",
        piece(&which.template),
        piece(&which.protocol)
    );
    let found = client.call(Method::GET, &client.smn(&query), None).await?;
    let is_id = which.template.len() == 32 && which.template.bytes().all(|b| b.is_ascii_hexdigit());
    let id = match items(&found, "/message_templates") {
        [one, ..] => text(one, "/message_template_id"),
        [] if is_id => which.template.as_str(),
        [] => bail!("there is no template {} for the protocol {}", which.template, which.protocol),
    };
    Ok(client.smn(&format!("{TEMPLATES}/{}", piece(id))))
}

/// Runs the command.
pub(crate) async fn run(flags: TemplateFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let (answer, lines) = match flags.action {
        Action::Create { name, content, protocol } => {
            let content = text_or_stdin(content)?;
            let body = json!({ "message_template_name": name, "protocol": protocol, "content": content });
            let answer = client.call(Method::POST, &client.smn(TEMPLATES), Some(&body)).await?;
            let id = text(&answer, "/message_template_id").to_owned();
            (answer, vec![id])
        }
        Action::List => {
            let answer = client.call(Method::GET, &client.smn(TEMPLATES), None).await?;
            let row = |template: &Value| {
                let names: Vec<&str> =
                    items(template, "/tag_names").iter().filter_map(|name| name.as_str()).collect();
                let of = |pointer| text(template, pointer);
                let (id, name) = (of("/message_template_id"), of("/message_template_name"));
                Row::new([id, name, of("/protocol"), &names.join(",")])
            };
            let rows: Vec<_> = items(&answer, "/message_templates").iter().map(row).collect();
            let lines = table::lines(&["template", "name", "protocol", "placeholders"], &rows);
            (answer, lines)
        }
        Action::Show(which) => {
            let answer = client.call(Method::GET, &path(&client, &which).await?, None).await?;
            let content = text(&answer, "/content").lines().map(paint::plain).collect();
            (answer, content)
        }
        Action::Change { which, content } => {
            let (path, content) = (path(&client, &which).await?, text_or_stdin(content)?);
            let answer = client.call(Method::PUT, &path, Some(&json!({ "content": content }))).await?;
            (answer, vec!["changed".to_owned()])
        }
        Action::Preview { content, protocol, values } => {
            let pairs = values.iter().map(|value| {
                let (name, value) = value.split_once('=').context("--value must be NAME=VALUE")?;
                Ok((name.to_owned(), value.into()))
            });
            let values = pairs.collect::<anyhow::Result<Map<String, Value>>>()?;
            let content = text_or_stdin(content)?;
            let body = json!({ "content": content, "protocol": protocol, "values": values });
            let answer = client.call(Method::POST, "/api/v1/templates/preview", Some(&body)).await?;
            let lines = items(&answer, "/channels").iter().flat_map(foretold).collect();
            (answer, lines)
        }
        Action::Delete(which) => {
            let answer = client.call(Method::DELETE, &path(&client, &which).await?, None).await?;
            (answer, vec!["deleted".to_owned()])
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        lines.iter().for_each(|line| say(line));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a text becomes on one channel.
fn foretold(form: &Value) -> Vec<String> {
    let channel = text(form, "/channel");
    let parts = items(form, "/parts");
    if parts.is_empty() {
        return vec![format!("{channel}: cannot be sent: {}", text(form, "/advice/en"))];
    }
    let said = parts.iter().flat_map(|part| [text(part, "/title"), text(part, "/text")]);
    let said = said.flat_map(str::lines).map(|line| format!("  {}", paint::plain(line)));
    std::iter::once(format!("{channel}: {} parts", parts.len())).chain(said).collect()
}
