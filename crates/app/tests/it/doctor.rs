//! `carillon doctor`.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::chats;
use crate::harness::{HOSTS, Said, Server, Start, home, program, run};

fn doctor(server: &Server, more: &[&str]) -> Command {
    let mut command = program(&server.home);
    command.args(["doctor", "--data-dir", "data", "--listen", &server.addr.to_string()]).args(more);
    command
}

fn line<'s>(said: &'s Said, what: &str) -> &'s str {
    let found = said.out.lines().find(|line| line.get(6..).is_some_and(|rest| rest.starts_with(what)));
    found.unwrap_or_else(|| panic!("nothing of {what}: {said:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fine_and_what_is_bad_is_told() {
    let home = home();
    let platforms = chats::start().await;
    let mut server = Start::new().led_to(&platforms).at(home.path()).await;
    let detours = HOSTS.map(|host| format!("{host}={}", platforms.url()));
    let detours: Vec<&str> = detours.iter().flat_map(|detour| ["--connect-to", detour]).collect();
    let said = run(doctor(&server, &detours), None).await;
    assert_eq!(said.code, 0, "{said:?}");
    for what in ["settings", "database", "key file", "server", "platform"] {
        assert!(line(&said, what).starts_with("ok"), "{said:?}");
    }
    assert!(line(&said, "first start").contains("bootstrap.json"));
    assert_eq!(said.out.matches("can be reached").count(), 5, "{said:?}");

    // What is wrong is named, and nothing outside is asked when that is not wanted.
    server.terminate().await;
    let key = server.data_dir().join("master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = run(doctor(&server, &["--offline"]), None).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        line(&said, "key file").contains("chmod 600") && line(&said, "server").starts_with("note"),
        "{said:?}"
    );
    assert!(!said.out.contains("platform"), "{said:?}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, "carillon-key-v1 00000001 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    let said = run(doctor(&server, &["--offline"]), None).await;
    assert!(said.code == 1 && line(&said, "key file").contains("does not open this database"), "{said:?}");
    let said = run(doctor(&server, &["--offline", "--region", "A B"]), None).await;
    assert!(said.code == 1 && line(&said, "settings").starts_with("bad"), "{said:?}");
}
