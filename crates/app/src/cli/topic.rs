//! `carillon topic`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{items, piece, text};
use super::{ClientFlags, paint, say};

#[derive(Debug, Args)]
pub(crate) struct TopicFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a topic; one of that name stays as it is
    Create {
        /// Letters, digits, hyphens and underscores
        name: String,
        /// The name that people see
        #[arg(long, value_name = "TEXT", default_value = "")]
        display_name: String,
    },
    /// List topics, newest first
    List,
    /// Count whom a message would reach, each once, and tell who would not get it and why
    Reach {
        /// Name or URN
        topic: String,
    },
    /// Choose for how long nothing is sent that says the same again
    Set {
        /// Name or URN
        topic: String,
        /// Seconds, up to 86400; 0 sends everything
        #[arg(long, value_name = "SECONDS")]
        suppress_equal: u64,
    },
    /// Remove a topic with its subscriptions, for good
    Delete {
        /// Name or URN
        topic: String,
    },
}

/// Runs the command.
pub(crate) async fn run(flags: TopicFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let answer = match flags.action {
        Action::Create { name, display_name } => {
            let body = json!({ "name": name, "display_name": display_name });
            let answer = client.call(Method::POST, &client.smn("topics"), Some(&body)).await?;
            if !flags.client.json {
                say(text(&answer, "/topic_urn"));
            }
            answer
        }
        Action::List => {
            let answer = client.whole_list(&client.smn("topics"), "topics").await?;
            if !flags.client.json {
                for topic in items(&answer, "/topics") {
                    let (urn, name) = (text(topic, "/topic_urn"), paint::plain(text(topic, "/display_name")));
                    say(format!("{urn}  {name}").trim_end());
                }
            }
            answer
        }
        Action::Reach { topic } => {
            let path = format!("/api/v1/topics/{}/reach", piece(&topic));
            let answer = client.call(Method::GET, &path, None).await?;
            if !flags.client.json {
                show_reach(&answer);
            }
            answer
        }
        Action::Set { topic, suppress_equal } => {
            let path = format!("/api/v1/topics/{}/suppression", piece(&topic));
            let answer = client.call(Method::PUT, &path, Some(&json!({ "seconds": suppress_equal }))).await?;
            if !flags.client.json {
                say("set");
            }
            answer
        }
        Action::Delete { topic } => {
            let path = client.smn(&format!("topics/{}", piece(&client.topic_urn(&topic))));
            let answer = client.call(Method::DELETE, &path, None).await?;
            if !flags.client.json {
                say("deleted, with its subscriptions");
            }
            answer
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

fn show_reach(reach: &Value) {
    let (people, chats, addresses) = (&reach["people"], &reach["chats"], &reach["addresses"]);
    say(&format!(
        "{people} people, {chats} chats, {addresses} other addresses; {} not reached",
        reach["not_reached"]
    ));
    if reach["filtered"] != 0 {
        say(&format!("{} subscriptions want only some messages (filter policies)", reach["filtered"]));
    }
    for one in items(reach, "/unreachable") {
        let (kind, id) = (text(one, "/kind"), paint::plain(text(one, "/id")));
        say(&format!("{}  {kind}  {id}  {}", text(one, "/reason"), text(one, "/subscription_urn")));
    }
}
