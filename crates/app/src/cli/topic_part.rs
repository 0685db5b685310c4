//! What hangs on a topic: its names, its access policy, tags, log tanks.

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};
use super::{paint, text_or_stdin};

/// What came of it: the answer, and the lines that are said of it.
pub(super) type Said = (Value, Vec<String>);

#[derive(Debug, Args)]
pub(super) struct SetFlags {
    /// Name or URN
    topic: String,
    /// The name that people see
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// What it is for, up to 120 bytes; empty: none
    #[arg(long, value_name = "TEXT")]
    introduction: Option<String>,
    /// Who else may publish or subscribe, as JSON in SMN's form; - reads it from standard input; empty: this project alone
    #[arg(long, value_name = "JSON")]
    policy: Option<String>,
    /// For how many seconds nothing is sent that says the same again, up to 86400; 0 sends everything
    #[arg(long, value_name = "SECONDS")]
    suppress_equal: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(super) enum TankAction {
    /// List a topic's log tanks, oldest first
    List {
        /// Name or URN of the topic
        topic: String,
    },
    /// Write what becomes of the topic's messages to the delivery log, under a group and a stream
    Add {
        /// Name or URN of the topic
        topic: String,
        /// The log group
        group: String,
        /// The log stream
        stream: String,
    },
    /// Give a log tank another group and stream
    Change {
        /// Name or URN of the topic
        topic: String,
        /// The log tank's id
        tank: String,
        /// The log group
        group: String,
        /// The log stream
        stream: String,
    },
    /// Remove a log tank
    Remove {
        /// Name or URN of the topic
        topic: String,
        /// The log tank's id
        tank: String,
    },
}

fn path(client: &Client, topic: &str, rest: &str) -> String {
    client.smn(&format!("topics/{}{rest}", piece(&client.topic_urn(topic))))
}

/// Where it stands for how long the topic leaves equal messages out.
fn suppression(topic: &str) -> String {
    format!("/api/v1/topics/{}/suppression", piece(topic))
}

/// Where the topic's tags are: they are asked for by its id.
async fn tags(client: &Client, topic: &str) -> anyhow::Result<String> {
    let found = client.call(Method::GET, &path(client, topic, ""), None).await?;
    Ok(client.resource(&format!("smn_topic/{}/tags", piece(text(&found, "/topic_id")))))
}

/// All of a topic.
pub(super) async fn show(client: &Client, topic: &str) -> anyhow::Result<Said> {
    let get = |path: String| async move { client.call(Method::GET, &path, None).await };
    let mut all = get(path(client, topic, "")).await?;
    let attributes = get(path(client, topic, "/attributes")).await?;
    let tags = get(tags(client, topic).await?).await?;
    let tanks = get(path(client, topic, "/logtanks")).await?;
    let suppression = get(suppression(topic)).await?;
    let of = |pointer| paint::plain(text(&all, pointer));
    let mut lines = vec![format!("{}  {}", of("/topic_urn"), of("/display_name"))];
    for (what, pointer) in
        [("introduction", "/attributes/introduction"), ("policy", "/attributes/access_policy")]
    {
        let value = paint::plain(text(&attributes, pointer));
        if !value.is_empty() {
            lines.push(format!("{what}: {value}"));
        }
    }
    if suppression["seconds"] != 0 {
        lines.push(format!("equal messages are left out for {} s", suppression["seconds"]));
    }
    lines.extend(items(&tags, "/tags").iter().map(|tag| format!("tag: {}", tag_line(tag))));
    lines.extend(items(&tanks, "/logtanks").iter().map(|tank| format!("log tank: {}", tank_line(tank))));
    if let Some(object) = all.as_object_mut() {
        object.insert("attributes".to_owned(), attributes["attributes"].clone());
        object.insert("tags".to_owned(), tags["tags"].clone());
        object.insert("logtanks".to_owned(), tanks["logtanks"].clone());
        object.insert("suppression".to_owned(), suppression);
    }
    Ok((all, lines))
}

fn tag_line(tag: &Value) -> String {
    let (key, value) = (paint::plain(text(tag, "/key")), paint::plain(text(tag, "/value")));
    if value.is_empty() { key } else { format!("{key}={value}") }
}

fn tank_line(tank: &Value) -> String {
    let of = |pointer| paint::plain(text(tank, pointer));
    format!("{}  {}  {}", of("/id"), of("/log_group_id"), of("/log_stream_id"))
}

/// Changes what is given, call by call as the API has it.
pub(super) async fn set(client: &Client, flags: SetFlags) -> anyhow::Result<Said> {
    let policy = flags.policy.map(text_or_stdin).transpose()?;
    let smn = |rest, body| (path(client, &flags.topic, rest), body);
    let given = [
        policy.map(|value| smn("/attributes/access_policy", json!({ "value": value }))),
        flags.introduction.map(|value| smn("/attributes/introduction", json!({ "value": value }))),
        flags.display_name.map(|name| smn("", json!({ "display_name": name }))),
        flags.suppress_equal.map(|seconds| (suppression(&flags.topic), json!({ "seconds": seconds }))),
    ];
    let mut answer = Map::new();
    let given: Vec<_> = given.into_iter().flatten().collect();
    if given.is_empty() {
        bail!("give --display-name, --introduction, --policy or --suppress-equal");
    }
    for (path, body) in given {
        let said = client.call(Method::PUT, &path, Some(&body)).await?;
        answer.extend(said.as_object().cloned().unwrap_or_default());
    }
    Ok((answer.into(), vec!["set".to_owned()]))
}

/// Hangs a tag on a topic.
pub(super) async fn tag(client: &Client, topic: &str, key: &str, value: &str) -> anyhow::Result<Said> {
    let body = json!({ "tag": { "key": key, "value": value } });
    let answer = client.call(Method::POST, &tags(client, topic).await?, Some(&body)).await?;
    Ok((answer, vec!["set".to_owned()]))
}

/// Takes a tag off.
pub(super) async fn untag(client: &Client, topic: &str, key: &str) -> anyhow::Result<Said> {
    let path = format!("{}/{}", tags(client, topic).await?, piece(key));
    Ok((client.call(Method::DELETE, &path, None).await?, vec!["taken off".to_owned()]))
}

/// Runs a command about log tanks.
pub(super) async fn tanks(client: &Client, action: TankAction) -> anyhow::Result<Said> {
    let names = |group: &str, stream: &str| json!({ "log_group_id": group, "log_stream_id": stream });
    Ok(match action {
        TankAction::List { topic } => {
            let answer = client.call(Method::GET, &path(client, &topic, "/logtanks"), None).await?;
            let lines = items(&answer, "/logtanks").iter().map(tank_line).collect();
            (answer, lines)
        }
        TankAction::Add { topic, group, stream } => {
            let (path, body) = (path(client, &topic, "/logtanks"), names(&group, &stream));
            let answer = client.call(Method::POST, &path, Some(&body)).await?;
            let id = text(&answer, "/id").to_owned();
            (answer, vec![id])
        }
        TankAction::Change { topic, tank, group, stream } => {
            let path = path(client, &topic, &format!("/logtanks/{}", piece(&tank)));
            let answer = client.call(Method::PUT, &path, Some(&names(&group, &stream))).await?;
            (answer, vec!["changed".to_owned()])
        }
        TankAction::Remove { topic, tank } => {
            let path = path(client, &topic, &format!("/logtanks/{}", piece(&tank)));
            (client.call(Method::DELETE, &path, None).await?, vec!["removed".to_owned()])
        }
    })
}
