//! Which deliveries a command is about: one by its id, or those that fit the flags, in portions until all are done.

use anyhow::bail;
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;

/// One delivery, or a filter.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WhichFlags {
    /// The delivery's id
    #[arg(conflicts_with_all = ["message", "topic", "subscription", "state", "reason", "since", "until"])]
    delivery: Option<String>,
    #[command(flatten)]
    filter: FilterFlags,
}

/// A filter: those that fit all flags.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FilterFlags {
    /// Those of this message, by its id
    #[arg(long, value_name = "MESSAGE")]
    message: Option<String>,
    /// Those of messages to this topic, by name or URN
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Those for this subscription, by its URN
    #[arg(long, value_name = "URN")]
    subscription: Option<String>,
    /// Those in this state: failed, expired or cancelled, to cancel pending
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Those whose latest attempt came back for this reason, such as signature
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Those of messages accepted at this time or later, such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those of messages accepted before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl WhichFlags {
    /// Makes the call of this verb and tells how many deliveries it moved.
    ///
    /// # Errors
    /// When neither an id nor a flag is given, or the server refuses.
    pub(crate) async fn call(
        &self,
        client: &Client,
        verb: &str,
        time_to_live: Option<u64>,
    ) -> anyhow::Result<u64> {
        let mut body = serde_json::Map::new();
        if let Some(seconds) = time_to_live {
            body.insert("time_to_live".to_owned(), json!(seconds));
        }
        if let Some(id) = &self.delivery {
            let path = format!("/api/v1/deliveries/{}/{verb}", super::client::piece(id));
            let answer = client.call(Method::POST, &path, Some(&Value::Object(body))).await?;
            return Ok(count(&answer));
        }
        let before = body.len();
        body.extend(self.filter.given().map(|(name, value)| (name.to_owned(), value.into())));
        if body.len() == before {
            bail!(
                "say which: a delivery's id, or at least one of --message, --topic, --subscription, --state, --reason, --since, --until"
            );
        }
        let path = format!("/api/v1/deliveries/{verb}");
        let mut moved = 0;
        loop {
            let answer = client.call(Method::POST, &path, Some(&Value::Object(body.clone()))).await?;
            moved += count(&answer);
            match answer.pointer("/next").and_then(Value::as_str) {
                Some(next) => body.insert("after".to_owned(), next.into()),
                None => return Ok(moved),
            };
        }
    }
}

impl FilterFlags {
    /// What is given, by the API's names.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let pairs = [
            ("message_id", &self.message),
            ("topic", &self.topic),
            ("subscription_urn", &self.subscription),
            ("state", &self.state),
            ("reason", &self.reason),
            ("since", &self.since),
            ("until", &self.until),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// The one number in the answer of either verb.
fn count(answer: &Value) -> u64 {
    ["/resent", "/cancelled"].iter().find_map(|pointer| answer.pointer(pointer)?.as_u64()).unwrap_or(0)
}
