//! `carillon topic`: what hangs on a topic stands in `topic_part`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{items, piece, text};
use super::table::{self, Row};
use super::topic_part::{self, Said, SetFlags, TankAction};
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
    /// Show a topic with its introduction, access policy, tags and log tanks
    Show {
        /// Name or URN
        topic: String,
    },
    /// Change a topic's display name, introduction, access policy, or how long equal messages are left out
    Set(SetFlags),
    /// Hang a tag on a topic, or give it another value
    Tag {
        /// Name or URN
        topic: String,
        /// The key
        key: String,
        /// The value
        #[arg(default_value = "")]
        value: String,
    },
    /// Take a tag off
    Untag {
        /// Name or URN
        topic: String,
        /// The key
        key: String,
    },
    /// Log tanks: a hook into the server's delivery log
    LogTank {
        #[command(subcommand)]
        action: TankAction,
    },
    /// Count whom a message would reach, each once, and tell who would not get it and why
    Reach {
        /// Name or URN
        topic: String,
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
                let row = |topic: &Value| {
                    Row::new([text(topic, "/topic_urn"), &paint::plain(text(topic, "/display_name"))])
                };
                let rows: Vec<_> = items(&answer, "/topics").iter().map(row).collect();
                table::print(&["topic", "display name"], &rows);
            }
            answer
        }
        Action::Show { topic } => said(topic_part::show(&client, &topic).await?, &flags.client),
        Action::Set(set) => said(topic_part::set(&client, set).await?, &flags.client),
        Action::Tag { topic, key, value } => {
            said(topic_part::tag(&client, &topic, &key, &value).await?, &flags.client)
        }
        Action::Untag { topic, key } => said(topic_part::untag(&client, &topic, &key).await?, &flags.client),
        Action::LogTank { action } => said(topic_part::tanks(&client, action).await?, &flags.client),
        Action::Reach { topic } => {
            let path = format!("/api/v1/topics/{}/reach", piece(&topic));
            let answer = client.call(Method::GET, &path, None).await?;
            if !flags.client.json {
                show_reach(&answer);
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

/// Says what came of it, and gives the answer on.
fn said((answer, lines): Said, flags: &ClientFlags) -> Value {
    if !flags.json {
        lines.iter().for_each(|line| say(line));
    }
    answer
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
