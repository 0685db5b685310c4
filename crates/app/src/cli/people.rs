//! What `carillon directory` does with members by mail address or phone number, and with those who are gone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::{lines_of, paint, say};

/// The most contacts of one call.
const BATCH: usize = 200;

/// Binds contacts, as many calls as it takes; 1 when one of them is not bound.
pub(crate) async fn bind(
    client: &Client,
    connection: &str,
    (mut emails, mut phones, file): (Vec<String>, Vec<String>, Option<PathBuf>),
    json: bool,
) -> anyhow::Result<ExitCode> {
    for line in file.map(|path| lines_of(&path)).transpose()?.unwrap_or_default() {
        if line.contains('@') { emails.push(line) } else { phones.push(line) }
    }
    if emails.is_empty() && phones.is_empty() {
        bail!("give --email, --phone or --file");
    }
    let (mut bound, mut all) = (0, Vec::new());
    let path = format!("/api/v1/connections/{}/bindings", piece(connection));
    for (field, contacts) in [("emails", &emails), ("phones", &phones)] {
        for batch in contacts.chunks(BATCH) {
            let answer = client.call(Method::POST, &path, Some(&json!({ field: batch }))).await?;
            bound += answer["bound"].as_u64().unwrap_or(0);
            let bindings = items(&answer, "/bindings");
            if !json {
                batch.iter().zip(bindings).for_each(|(contact, binding)| show_binding(contact, binding));
            }
            all.extend_from_slice(bindings);
        }
    }
    if json {
        say(&json!({ "bound": bound, "bindings": all }).to_string());
    }
    let whole = u64::try_from(all.len()).is_ok_and(|all| all == bound);
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show_binding(contact: &str, binding: &Value) {
    let reason = text(binding, "/reason");
    let (id, name) = (text(binding, "/platform_user_id"), paint::plain(text(binding, "/name")));
    let became = if reason.is_empty() { format!("{id}  {name}") } else { format!("not bound: {reason}") };
    say(&format!("{}  {became}", paint::plain(contact)));
}

/// Shows somebody who is gone, and who it may be now.
pub(crate) fn show_gone(gone: &Value) {
    let (id, platform_id) = (text(gone, "/id"), text(gone, "/platform_user_id"));
    say(&format!("{id}  {platform_id}  {}", paint::plain(text(gone, "/name"))));
    let texts = |pointer: &str| {
        items(gone, pointer).iter().filter_map(Value::as_str).map(paint::plain).collect::<Vec<_>>()
    };
    for (what, names) in [("in groups", texts("/groups")), ("in subscriptions", texts("/subscriptions"))] {
        if !names.is_empty() {
            say(&format!("    {what}: {}", names.join(", ")));
        }
    }
    let into = text(gone, "/merged_into");
    if !into.is_empty() {
        say(&format!("    merged into {into}"));
        return;
    }
    for one in items(gone, "/candidates") {
        let why: Vec<&str> = items(one, "/why").iter().filter_map(Value::as_str).collect();
        let (id, platform_id) = (text(one, "/id"), text(one, "/platform_user_id"));
        say(&format!(
            "    may be now: {id}  {platform_id}  {}  (same {})",
            paint::plain(text(one, "/name")),
            why.join(", ")
        ));
    }
}
