//! Keeps the floors: who may import whom, and what from outside (ARCHITECTURE.md).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A crate, the ones of ours it may import, and outsiders it must never import.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], &["tokio", "rusqlite", "sqlx", "reqwest", "axum"]),
    ("store", &["model"], &["reqwest", "axum"]),
    ("provider", &["model"], &["rusqlite", "sqlx", "axum"]),
    ("service", &["model", "store", "provider"], &["axum", "rusqlite", "sqlx", "reqwest"]),
    ("engine", &["model", "store", "provider"], &["axum", "rusqlite", "sqlx", "reqwest"]),
    ("web", &["model", "service"], &["rusqlite", "sqlx", "reqwest"]),
    (
        "app",
        &["model", "store", "provider", "service", "engine", "web", "simulator"],
        &["rusqlite", "sqlx", "axum"],
    ),
    ("bench", &[], &["reqwest", "rusqlite", "sqlx", "axum"]),
    ("simulator", &[], &["reqwest", "rusqlite", "sqlx"]),
];

fn crates_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a folder")
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let path = crates_dir().join(name).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).expect("every crate has a manifest");
    let manifest: toml::Table = text.parse().expect("a manifest is TOML");
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn every_crate_keeps_to_its_floor() {
    for (name, ours, never) in FLOORS {
        for dependency in dependencies(name) {
            if let Some(own) = dependency.strip_prefix("carillon-") {
                assert!(ours.contains(&own), "{name} must not import {own}");
            }
            assert!(!never.contains(&dependency.as_str()), "{name} must not import {dependency}");
        }
    }
}

#[test]
fn every_crate_has_a_floor() {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(crates_dir()).unwrap() {
        found.insert(entry.unwrap().file_name().into_string().unwrap());
    }
    let listed: BTreeSet<String> = FLOORS.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    assert_eq!(found, listed);
}

#[test]
fn only_the_smn_folder_knows_smns_wire() {
    let words = ["message_structure\"", "subscription_urns", "dingTalkBot\"", "error_msg"];
    for name in ["store", "provider", "service", "engine"] {
        for (path, text) in sources(&crates_dir().join(name).join("src")) {
            for word in words {
                assert!(!text.contains(word), "{}: {word} belongs to web/src/smn", path.display());
            }
        }
    }
}

fn sources(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("source is text");
            found.push((path, text));
        }
    }
    found
}
