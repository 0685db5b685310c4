//! `carillon migrate`, and programs of two versions on one database.

use std::process::Command;

use serde_json::json;

use crate::harness::{Start, home, program, run};
use crate::postgres_server::Server;

fn migrate(home: &std::path::Path, flags: &[&str]) -> Command {
    let mut command = program(home);
    command.arg("migrate").arg("--data-dir").arg(home.join("data")).args(flags);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_brought_to_this_version_beforehand() {
    let home = home();
    let said = run(migrate(home.path(), &["--check"]), None).await;
    assert!(
        said.code == 1 && said.out.contains("at version 0") && said.out.contains("0001_start"),
        "{said:?}"
    );
    assert!(!home.path().join("data").exists(), "a check makes nothing");
    let said = run(migrate(home.path(), &[]), None).await;
    assert!(said.code == 0 && said.out.contains("applied 0001_start"), "{said:?}");
    for flags in [&["--check"][..], &[]] {
        let said = run(migrate(home.path(), flags), None).await;
        assert!(said.code == 0 && said.out.contains("as this program"), "{said:?}");
    }
    // The first start is still to come, and a file that is served is left alone.
    let server = Start::new().at(home.path()).await;
    server.user().create_topic("ops").await;
    let said = run(migrate(home.path(), &[]), None).await;
    assert!(said.code == 1 && said.err.contains("another carillon"), "{said:?}");
    assert_eq!(run(migrate(home.path(), &["--check"]), None).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_when_a_newer_one_has_changed_the_database() {
    let (home, other, database) = (home(), home(), Server::shared().database());
    let url = database.url();
    let start = Start::new().env("CARILLON_DATABASE_URL", &url);
    let server = start.at(home.path()).await;
    let topic = server.user().create_topic("ops").await;

    // What the next version would do, beside the server that runs.
    let next: u32 = database.sql("SELECT count(*) + 1 FROM migration").parse().unwrap();
    database.sql(&format!(
        "ALTER TABLE topic ADD COLUMN of_tomorrow BIGINT NOT NULL DEFAULT 0;
         ALTER TABLE message ADD COLUMN of_tomorrow TEXT;
         INSERT INTO migration (number, name, checksum, applied_at, served_from)
             VALUES ({next}, 'tomorrow', 'x', 0, {next} - 1)"
    ));
    server.user().publish(&topic, &json!({ "message": "still here" })).await;
    let key = home.path().join("data/master.key");
    let start = start.flag("--key-file", key.to_str().unwrap());
    let second = start.at(other.path()).await;
    second.user().publish(&topic, &json!({ "message": "here as well" })).await;
    drop((server, second));
    let said = run(migrate(home.path(), &["--check", "--database-url", &url]), None).await;
    assert!(said.code == 0 && said.out.contains("can serve it"), "{said:?}");

    // One that takes away what this version needs.
    database.sql(&format!("UPDATE migration SET served_from = {next} WHERE number = {next}"));
    let refusal = format!("version {next}, which programs from version {next} on can serve");
    for command in [start.command(other.path()), migrate(home.path(), &["--database-url", &url])] {
        let said = run(command, None).await;
        assert!(said.code == 1 && said.err.contains(&refusal), "{said:?}");
        assert!(said.err.contains("start the newer program"), "{said:?}");
    }
}
