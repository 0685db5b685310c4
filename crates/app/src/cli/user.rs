//! `carillon user`: subscription users, people with several ways to be reached.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};
use super::{ClientFlags, lines_of, paint, say};

/// Where they are: the calls name the one domain, not a project.
const USERS: &str = "/v2/carillon/subscription-users";
/// The protocols that the calls spell in another way than subscriptions do.
const BOT: (&str, &str) = ("dingTalkBot", "ding_talk_bot");

#[derive(Debug, Args)]
pub(crate) struct UserFlags {
    #[command(flatten)]
    client: ClientFlags,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List subscription users with their ways to be reached, oldest first
    List {
        /// Those of this name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Those of this group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// Make one; prints its id
    Add {
        /// The name
        name: String,
        #[command(flatten)]
        kept: Kept,
    },
    /// Change what is given; what is not given stays
    Change {
        /// The user's id
        user: String,
        /// Another name
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// A protocol by which it is reached no more; may be given several times
        #[arg(long = "remove", value_name = "PROTOCOL")]
        removed: Vec<String>,
        #[command(flatten)]
        kept: Kept,
    },
    /// Subscribe users to a topic: each way to be reached becomes a subscription of its own
    Subscribe {
        /// Name or URN of the topic
        topic: String,
        /// The users' ids
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Remove one; its addresses are gone for good, subscriptions made from it stay
    Delete {
        /// The user's id
        user: String,
    },
}

/// What is kept of a user beside its name.
#[derive(Debug, Args)]
struct Kept {
    /// Its group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// A way to be reached: "PROTOCOL ADDRESS", behind it `sign_secret=…` or keyword=… of a robot; may be given several times
    #[arg(long = "contact", value_name = "CONTACT")]
    contacts: Vec<String>,
    /// A file with one way to be reached a line, so that no secret stands on the command line; - reads standard input
    #[arg(long, value_name = "FILE")]
    contacts_file: Option<PathBuf>,
}

/// The protocols that a user can be reached by; the calls pass over any other word.
const PROTOCOLS: [&str; 10] =
    ["http", "https", "email", "wechat", "dingding", "feishu", BOT.0, "sms", "callnotify", "welink"];

/// The name of a protocol in these calls.
fn way(protocol: &str) -> anyhow::Result<&str> {
    if !PROTOCOLS.contains(&protocol) {
        // It may be an address by mistake, and is not repeated.
        bail!("the protocol must be one of {}", PROTOCOLS.join(", "));
    }
    Ok(if protocol == BOT.0 { BOT.1 } else { protocol })
}

/// Reads a way to be reached. It may hold secrets and is not repeated.
fn contact(line: &str) -> anyhow::Result<(String, Value)> {
    let rule =
        "a way to be reached must be PROTOCOL ADDRESS, behind it sign_secret=… or keyword=… of a robot";
    let mut words = line.split_whitespace();
    let (Some(protocol), Some(address)) = (words.next(), words.next()) else { bail!(rule) };
    let mut fields = Map::from_iter([("endpoint".to_owned(), Value::from(address))]);
    for word in words {
        let (name, value) = word.split_once('=').context(rule)?;
        if !["sign_secret", "keyword"].contains(&name) {
            bail!(rule);
        }
        fields.insert(name.to_owned(), value.into());
    }
    Ok((way(protocol)?.to_owned(), fields.into()))
}

impl Kept {
    /// The fields of a body.
    fn body(self, name: Option<String>) -> anyhow::Result<Map<String, Value>> {
        let mut body = Map::new();
        let texts = [("name", name), ("group", self.group)];
        body.extend(texts.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?.into()))));
        let read = self.contacts_file.map(|path| lines_of(&path)).transpose()?.unwrap_or_default();
        for line in self.contacts.iter().chain(&read) {
            let (way, fields) = contact(line)?;
            if body.insert(way, fields).is_some() {
                bail!("one way to be reached for each protocol");
            }
        }
        Ok(body)
    }
}

/// The body of a change: what is given is set, what is removed is nothing.
fn change(kept: Kept, name: Option<String>, removed: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut body = kept.body(name)?;
    for protocol in removed {
        if body.insert(way(protocol)?.to_owned(), Value::Null).is_some() {
            bail!("{protocol} is to be removed and to be set: one of the two");
        }
    }
    if body.is_empty() {
        bail!("nothing is to be changed: give --name, --group, --contact or --remove");
    }
    Ok(body)
}

/// Runs the command.
pub(crate) async fn run(flags: UserFlags) -> anyhow::Result<ExitCode> {
    let client = flags.client.connect().await?;
    let mut code = ExitCode::SUCCESS;
    let (answer, lines) = match flags.action {
        Action::List { name, group } => {
            let answer = all(&client, [("name", name), ("group", group)]).await?;
            let lines = items(&answer, "/subscription_users").iter().flat_map(shown).collect();
            (answer, lines)
        }
        Action::Add { name, kept } => {
            let body = kept.body(Some(name))?.into();
            let answer = client.call(Method::POST, USERS, Some(&body)).await?;
            let id = text(&answer, "/id").to_owned();
            (answer, vec![id])
        }
        Action::Change { user, name, removed, kept } => {
            let body = change(kept, name, &removed)?;
            let path = format!("{USERS}/{}", piece(&user));
            let answer = client.call(Method::PUT, &path, Some(&body.into())).await?;
            (answer, vec!["changed".to_owned()])
        }
        Action::Subscribe { topic, users } => {
            let urn = piece(&client.topic_urn(&topic));
            let path = client.smn(&format!("topics/{urn}/subscriptions/from-subscription-users"));
            let answer = client.call(Method::POST, &path, Some(&json!({ "ids": users }))).await?;
            let results = items(&answer, "/subscriptions_result");
            if results.iter().any(|one| !text(one, "/error_code").is_empty()) {
                code = ExitCode::FAILURE;
            }
            let lines = results.iter().map(result).collect();
            (answer, lines)
        }
        Action::Delete { user } => {
            let answer = client.call(Method::DELETE, &format!("{USERS}/{}", piece(&user)), None).await?;
            (answer, vec!["deleted; its addresses are gone for good".to_owned()])
        }
    };
    if flags.client.json {
        say(&answer.to_string());
    } else {
        lines.iter().for_each(|line| say(line));
    }
    Ok(code)
}

/// Every user, page by page.
async fn all(client: &Client, filters: [(&str, Option<String>); 2]) -> anyhow::Result<Value> {
    let given = filters.into_iter().filter_map(|(name, text)| Some(format!("&{name}={}", piece(&text?))));
    client.whole_list_of(USERS, &given.collect::<String>(), "subscription_users").await
}

fn shown(user: &Value) -> Vec<String> {
    let of = |pointer| paint::plain(text(user, pointer));
    let mut lines = vec![format!("{}  {}  {}", of("/id"), of("/name"), of("/group"))];
    let ways = user.as_object().into_iter().flatten().filter(|(_name, value)| value.is_object());
    lines.extend(ways.map(|(way, value)| {
        let protocol = if way == BOT.1 { BOT.0 } else { way };
        let address = paint::plain(text(value, "/endpoint"));
        format!("  {protocol}  {address}  {}", text(value, "/status").to_lowercase())
    }));
    lines
}

fn result(result: &Value) -> String {
    let code = text(result, "/error_code");
    if code.is_empty() {
        return text(result, "/subscription_urn").to_owned();
    }
    format!("not subscribed: {} ({code})", paint::plain(text(result, "/error_msg")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kept, change, contact};

    #[test]
    fn a_way_to_be_reached_is_read_and_never_repeated() {
        let (way, fields) = contact("dingTalkBot cidabc sign_secret=SEC=1").unwrap();
        assert_eq!(way, "ding_talk_bot");
        assert_eq!(fields, json!({ "endpoint": "cidabc", "sign_secret": "SEC=1" }));
        for wrong in ["feishu", "feishu https://a hush", "feishu https://a hush=hush", ""] {
            let said = format!("{:#}", contact(wrong).unwrap_err());
            assert!(said.contains("PROTOCOL ADDRESS") && !said.contains("hush"), "{said}");
        }
    }

    #[test]
    fn a_change_says_what_it_changes_and_nothing_is_passed_over() {
        let kept = |contacts: &[&str]| Kept {
            group: None,
            contacts: contacts.iter().map(|contact| (*contact).to_owned()).collect(),
            contacts_file: None,
        };
        let change = |contacts: &[&str], removed: &[&str]| {
            let removed: Vec<String> = removed.iter().map(|protocol| (*protocol).to_owned()).collect();
            change(kept(contacts), None, &removed).map_err(|error| format!("{error:#}"))
        };
        let body = change(&["email a@example.org"], &["dingTalkBot"]).unwrap();
        assert_eq!(json!(body), json!({ "email": { "endpoint": "a@example.org" }, "ding_talk_bot": null }));
        for (contacts, removed, why) in [
            (&["lark https://hush"][..], &[][..], "must be one of"),
            (&[], &["lark"], "must be one of"),
            (&["email a@example.org"], &["email"], "one of the two"),
            (&[], &[], "nothing is to be changed"),
        ] {
            let said = change(contacts, removed).unwrap_err();
            assert!(said.contains(why) && !said.contains("hush"), "{said}");
        }
    }
}
