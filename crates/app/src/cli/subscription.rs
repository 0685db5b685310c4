//! `carillon subscription`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};
use super::subscription_set::{SetFlags, set};
use super::table::{self, Row};
use super::{ClientFlags, paint, say, text_or_stdin};

#[derive(Debug, Args)]
pub(crate) struct SubscriptionFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Subscribe an address to a topic
    Add(Box<Add>),
    /// List subscriptions, oldest first
    List {
        /// Those of this topic only, by name or URN
        topic: Option<String>,
    },
    /// Change its note and what it wants, and what happens when its address is in trouble or too much waits for it
    Set(SetFlags),
    /// Remove a subscription; its address is gone for good
    Delete {
        /// Its URN
        subscription: String,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// Name or URN of the topic
    topic: String,
    /// dingding, dingTalkBot, feishu, wechat, http, https, email or office
    protocol: String,
    /// The robot's webhook, or the protocol's other kind of address, such as a mail address; - reads it from standard input
    endpoint: String,
    /// The robot's signing secret
    #[arg(long, env = "CARILLON_SIGN_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// One of the robot's keywords
    #[arg(long, value_name = "WORD")]
    keyword: Option<String>,
    /// The internal DingTalk app's key
    #[arg(long, value_name = "KEY")]
    app_key: Option<String>,
    /// The internal DingTalk app's secret
    #[arg(long, env = "CARILLON_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    app_secret: Option<String>,
    /// The internal DingTalk robot's code
    #[arg(long, value_name = "CODE")]
    robot_code: Option<String>,
    /// A header to send along to an http or https endpoint; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A note of yours
    #[arg(long, value_name = "TEXT")]
    remark: Option<String>,
    /// Subscribe nothing: send a test message there and tell what came of it
    #[arg(long)]
    test: bool,
}

/// Runs the command.
pub(crate) async fn run(flags: SubscriptionFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let answer = match flags.action {
        Action::Add(add) => {
            let test = add.test;
            let answer = added(&client, *add).await?;
            if !flags.client.json {
                if test { tried(&answer) } else { say(text(&answer, "/subscription_urn")) }
            }
            answer
        }
        Action::List { topic } => {
            let path = match topic {
                Some(topic) => {
                    client.smn(&format!("topics/{}/subscriptions", piece(&client.topic_urn(&topic))))
                }
                None => client.smn("subscriptions"),
            };
            let answer = client.whole_list(&path, "subscriptions").await?;
            if !flags.client.json {
                let rows: Vec<_> = items(&answer, "/subscriptions").iter().map(row).collect();
                table::print(&["subscription", "protocol", "address", "remark"], &rows);
            }
            answer
        }
        Action::Set(wanted) => {
            let answer = set(&client, wanted).await?;
            if !flags.client.json {
                say("set");
            }
            answer
        }
        Action::Delete { subscription } => {
            let path = client.smn(&format!("subscriptions/{}", piece(&subscription)));
            let answer = client.call(Method::DELETE, &path, None).await?;
            if !flags.client.json {
                say("deleted; the address is gone for good");
            }
            answer
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    }
    // A test message that did not arrive is a failure.
    let failed = answer.pointer("/arrived").and_then(Value::as_bool) == Some(false);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn added(client: &Client, add: Add) -> anyhow::Result<Value> {
    let mut extension = Map::new();
    let fields = [
        ("sign_secret", add.secret),
        ("keyword", add.keyword),
        ("app_key", add.app_key),
        ("app_secret", add.app_secret),
        ("robot_code", add.robot_code),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            extension.insert(name.to_owned(), value.into());
        }
    }
    if !add.headers.is_empty() {
        extension.insert("header".to_owned(), headers(&add.headers)?.into());
    }
    let endpoint = text_or_stdin(add.endpoint)?;
    if add.test {
        let topic = client.topic_urn(&add.topic);
        let body =
            json!({ "topic": topic, "protocol": add.protocol, "endpoint": endpoint, "extension": extension });
        return client.call(Method::POST, "/api/v1/subscriptions/test", Some(&body)).await;
    }
    let body = json!({ "protocol": add.protocol, "endpoint": endpoint, "remark": add.remark, "extension": extension });
    let path = client.smn(&format!("topics/{}/subscriptions", piece(&client.topic_urn(&add.topic))));
    client.call(Method::POST, &path, Some(&body)).await
}

/// Says what came of a test message.
fn tried(answer: &Value) {
    let arrived = answer.pointer("/arrived").and_then(Value::as_bool) == Some(true);
    say(if arrived { "it arrived" } else { "it did not arrive" });
    for pointer in ["/code", "/text"] {
        if !text(answer, pointer).is_empty() {
            say(&format!("  {}", paint::plain(text(answer, pointer))));
        }
    }
    if !arrived {
        for pointer in ["/advice/en", "/advice/zh"] {
            say(&format!("  {}", text(answer, pointer)));
        }
    }
}

/// Reads headers, each `Name: value`. The value may be a secret and is not repeated.
fn headers(lines: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut headers = Map::new();
    for line in lines {
        let (name, value) = line.split_once(':').context("--header must be a name, a colon and a value")?;
        if headers.insert(name.trim().to_owned(), value.trim().into()).is_some() {
            bail!("--header must name each header once");
        }
    }
    Ok(headers)
}

fn row(subscription: &Value) -> Row {
    let of = |pointer| paint::plain(text(subscription, pointer));
    Row::new([of("/subscription_urn"), of("/protocol"), of("/endpoint"), of("/remark")])
}

#[cfg(test)]
mod tests {
    use super::headers;

    #[test]
    fn headers_are_read_and_never_repeated() {
        let lines = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let read = headers(&lines(&["Authorization: Bearer a:b", "x-team:ops"])).unwrap();
        assert_eq!(
            serde_json::json!(read),
            serde_json::json!({ "Authorization": "Bearer a:b", "x-team": "ops" })
        );
        for wrong in [lines(&["hush-hush"]), lines(&["x: hush-hush", "x: hush-hush"])] {
            let said = format!("{:#}", headers(&wrong).unwrap_err());
            assert!(said.contains("--header") && !said.contains("hush-hush"), "{said}");
        }
    }
}
