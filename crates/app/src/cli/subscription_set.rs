//! `carillon subscription set`.

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, items, piece, text};

#[derive(Debug, Args)]
pub(super) struct SetFlags {
    /// Its URN
    subscription: String,
    /// A note of yours
    #[arg(long, value_name = "TEXT")]
    remark: Option<String>,
    /// It gets only messages whose attribute has one of these values; may be given several times
    #[arg(long = "filter", value_name = "NAME: VALUE, VALUE")]
    filters: Vec<String>,
    /// It gets every message again
    #[arg(long, conflicts_with = "filters")]
    no_filter: bool,
    /// Who is told when the address is paused: another subscription's URN, or a topic's URN or name
    #[arg(long, value_name = "URN")]
    fallback: Option<String>,
    /// Nobody is told
    #[arg(long, conflicts_with = "fallback")]
    no_fallback: bool,
    /// When more waits than may be sent soon: queue each, merge them, or drop the oldest
    #[arg(long, value_name = "WHAT")]
    overflow: Option<String>,
}

/// Sets what is given, and gives the answers as one.
pub(super) async fn set(client: &Client, flags: SetFlags) -> anyhow::Result<Value> {
    let urn = flags.subscription;
    let mut calls = Vec::new();
    if let Some(remark) = flags.remark {
        let topic = urn.rsplit_once(':').map_or("", |(topic, _id)| topic);
        let path = client.smn(&format!("topics/{}/subscriptions/{}", piece(topic), piece(&urn)));
        calls.push((Method::PUT, path, json!({ "remark": remark })));
    }
    if !flags.filters.is_empty() {
        let policies = flags.filters.iter().map(|line| policy(line)).collect::<anyhow::Result<Vec<_>>>()?;
        let polices = json!([{ "subscription_urn": urn, "filter_polices": policies }]);
        calls.push((Method::PUT, client.smn("subscriptions/filter_polices"), json!({ "polices": polices })));
    }
    if flags.no_filter {
        let body = json!({ "subscription_urns": [urn] });
        calls.push((Method::DELETE, client.smn("subscriptions/filter_polices"), body));
    }
    let fallback = (flags.fallback.is_some() || flags.no_fallback).then_some(flags.fallback);
    let moods = [
        fallback.map(|fallback| ("fallback", json!(fallback))),
        flags.overflow.map(|overflow| ("overflow", json!(overflow))),
    ];
    for (name, value) in moods.into_iter().flatten() {
        let path = format!("/api/v1/subscriptions/{}/{name}", piece(&urn));
        calls.push((Method::PUT, path, json!({ name: value })));
    }
    if calls.is_empty() {
        bail!("give --remark, --filter, --no-filter, --fallback, --no-fallback or --overflow");
    }
    let mut answers = Map::new();
    for (method, path, body) in calls {
        let answer = client.call(method, &path, Some(&body)).await?;
        // Each subscription has an answer of its own in a call for many.
        for one in items(&answer, "/batch_result") {
            if !text(one, "/code").is_empty() {
                bail!("{} ({})", super::paint::plain(text(one, "/message")), text(one, "/code"));
            }
        }
        answers.extend(answer.as_object().cloned().unwrap_or_default());
    }
    Ok(answers.into())
}

/// Reads a filter policy, `name: value, value`.
fn policy(line: &str) -> anyhow::Result<Value> {
    let (name, values) = line.split_once(':').context("--filter must be NAME: VALUE, VALUE")?;
    let values: Vec<&str> = values.split(',').map(str::trim).collect();
    Ok(json!({ "name": name.trim(), "string_equals": values }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::policy;

    #[test]
    fn a_filter_is_a_name_and_values() {
        let read = policy("level: high, higher").unwrap();
        assert_eq!(read, json!({ "name": "level", "string_equals": ["high", "higher"] }));
        assert!(policy("level").is_err());
    }
}
