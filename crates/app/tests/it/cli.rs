//! The commands that speak to a running server, the demonstration, and what starting a server may run into.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::chats;
use crate::harness::{PROJECT, Said, Server, Start, TOKEN, home, program, run};

fn command(server: &Server, line: &[&str]) -> Command {
    let mut command = program(&server.home);
    command.args(line).env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
    command
}

pub(crate) async fn told(server: &Server, line: &[&str]) -> Said {
    run(command(server, line), None).await
}

#[track_caller]
pub(crate) fn good(said: &Said) -> &str {
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    said.out.trim_end()
}

#[track_caller]
fn bad(said: &Said, code: i32, words: &str) {
    assert_eq!(said.code, code, "{said:?}");
    assert!(said.err.contains(words) && said.out.is_empty(), "{said:?}");
    assert!(!said.err.contains("panicked"), "{said:?}");
}

fn urn(name: &str) -> String {
    format!("urn:smn:local:{PROJECT}:{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn topics() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    for _ in 0..2 {
        let made = told(&server, &["topic", "create", "ops", "--display-name", "值班"]).await;
        assert_eq!(good(&made), urn("ops"));
    }
    good(&told(&server, &["topic", "create", "other"]).await);
    let listed = told(&server, &["topic", "list"]).await;
    assert_eq!(good(&listed), format!("{}\n{}  值班", urn("other"), urn("ops")));
    let json = told(&server, &["topic", "--json", "list"]).await;
    assert_eq!(serde_json::from_str::<Value>(good(&json)).unwrap()["topic_count"], 2);
    good(&told(&server, &["topic", "delete", "other"]).await);
    good(&told(&server, &["topic", "delete", &urn("ops")]).await);
    assert_eq!(good(&told(&server, &["topic", "list"]).await), "");
    bad(&told(&server, &["topic", "delete", "ops"]).await, 1, "error: Topic not found. (SMN.0006)");
    bad(&told(&server, &["topic", "create", "a b"]).await, 1, "(SMN.0002)");
    bad(&told(&server, &["topic", "create"]).await, 2, "<NAME>");
    bad(&told(&server, &["topic"]).await, 2, "Usage");
    bad(&told(&server, &["bell"]).await, 2, "bell");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribe_publish_and_ask() {
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    let ding = chats::dingtalk_url(chats::DINGTALK_TOKEN);
    let feishu = chats::feishu_url(chats::LARK_TOKEN);
    let added =
        told(&server, &["subscription", "add", "ops", "dingding", &ding, "--secret", chats::DINGTALK_SECRET])
            .await;
    assert!(good(&added).starts_with(&format!("{}:", urn("ops"))));
    let with_env = {
        let mut command =
            command(&server, &["subscription", "add", "ops", "feishu", "-", "--remark", "飞书群"]);
        command.env("CARILLON_SIGN_SECRET", chats::LARK_SECRET);
        run(command, Some(&format!("{feishu}\n"))).await
    };
    let second = good(&with_env).to_owned();
    let app =
        ["--app-key", chats::APP_KEY, "--app-secret", chats::APP_SECRET, "--robot-code", chats::ROBOT_CODE];
    let line = [&["subscription", "add", "ops", "dingding", chats::CONVERSATION], &app[..]].concat();
    good(&told(&server, &line).await);
    let listed = told(&server, &["subscription", "list", "ops"]).await;
    assert_eq!(good(&listed).lines().count(), 3);
    assert!(listed.out.contains("飞书群") && !listed.out.contains(chats::LARK_TOKEN), "{}", listed.out);
    assert_eq!(good(&told(&server, &["subscription", "list"]).await).lines().count(), 3);

    let plain = good(&told(&server, &["publish", "ops", "hello", "--title", "Hi"]).await).to_owned();
    assert_eq!(plain.len(), 32);
    let markdown =
        run(command(&server, &["publish", "ops", "--markdown", "-", "--urgent"]), Some("**粗** text\n"))
            .await;
    let markdown = good(&markdown).to_owned();
    server.user().settled(&plain).await;
    server.user().settled(&markdown).await;
    let received = platforms.received();
    assert_eq!(received.len(), 6);
    assert!(received.iter().any(|one| one.kind == "markdown" && one.text.contains("**粗** text")));

    let latest = told(&server, &["delivery", "list"]).await;
    assert_eq!(good(&latest).matches("  delivered  ").count(), 3, "{}", latest.out);
    assert!(latest.out.contains(&format!("{markdown}-1")));
    let one = told(&server, &["delivery", "show", &format!("{plain}-2")]).await;
    assert!(
        good(&one).contains("1. ") && one.out.contains("accepted") && one.out.contains("lark"),
        "{}",
        one.out
    );
    let json = told(&server, &["delivery", "--json", "list", &plain]).await;
    let json: Value = serde_json::from_str(good(&json)).unwrap();
    assert_eq!(json["deliveries"].as_array().unwrap().len(), 3);

    good(&told(&server, &["subscription", "delete", &second]).await);
    bad(&told(&server, &["subscription", "delete", &second]).await, 1, "(SMN.0013)");
    bad(&told(&server, &["subscription", "add", "ops", "feishu", &ding]).await, 1, "(SMN.0012)");
    bad(&told(&server, &["publish", "none", "x"]).await, 1, "no such topic");
    bad(&told(&server, &["publish", "ops", "x", "--time-to-live", "0"]).await, 1, "1 to 86400");
    bad(&told(&server, &["delivery", "show", "x"]).await, 1, "(invalid)");
    bad(&told(&server, &["delivery", "list", &"0".repeat(32)]).await, 1, "no such message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_explained_in_both_languages() {
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    let ding = chats::dingtalk_url(chats::DINGTALK_TOKEN);
    good(
        &told(&server, &["subscription", "add", "ops", "dingding", &ding, "--secret", "not-the-secret"])
            .await,
    );
    let id = good(&told(&server, &["publish", "ops", "hello"]).await).to_owned();
    server.user().settled(&id).await;
    let said = told(&server, &["delivery", "list", &id]).await;
    let out = good(&said);
    assert!(out.contains("failed") && out.contains("misconfigured") && out.contains("310000"), "{out}");
    assert!(out.contains("签名") && out.contains("secret"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_client_finds_its_server() {
    let home = home();
    let mut server = Start::new().at(home.path()).await;
    let mut by_file = program(home.path());
    by_file.args(["topic", "--server", &server.url(), "--data-dir"]).arg(server.data_dir()).arg("list");
    good(&run(by_file, None).await);
    let nowhere = run(
        {
            let mut it = program(home.path());
            it.args(["topic", "list"]);
            it
        },
        None,
    )
    .await;
    bad(&nowhere, 1, "no token: give --token or CARILLON_TOKEN");
    let mut wrong = command(&server, &["topic", "list"]);
    wrong.env("CARILLON_TOKEN", "wrong-token-0123456789");
    bad(&run(wrong, None).await, 1, "token is unknown");
    let line = command(&server, &["topic", "list"]);
    server.kill();
    bad(&run(line, None).await, 1, "is `carillon serve` running there?");
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_in_the_way_of_another() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let same = run(Start::new().command(home.path()), None).await;
    bad(&same, 1, "another carillon uses the data directory");
    let elsewhere = crate::harness::home();
    let mut taken = program(elsewhere.path());
    taken.args(["serve", "--listen", &server.addr.to_string()]);
    bad(&run(taken, None).await, 1, &format!("cannot listen on {}", server.addr));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "it left nothing behind");
    for (line, words) in [
        (vec!["serve", "--connect-to", "open.feishu.cn=https://example.com"], "loopback or private"),
        (vec!["serve", "--region", "A B"], "region"),
        (vec!["serve", "--attempts-max", "0"], "at least 1"),
        (vec!["serve", "--config", "none.toml"], "none.toml"),
        (vec!["serve", "--log", "a=b=c"], "log filter"),
    ] {
        let mut command = program(elsewhere.path());
        command.args(line);
        bad(&run(command, None).await, 1, words);
    }
    assert_eq!(server.user().get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_need_not_be_read_but_must_be_written() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    // As with `| head` that has read enough.
    let mut child = command(&server, &["topic", "list"]);
    let (unread, stdout) = std::io::pipe().unwrap();
    drop(unread);
    let said = child.stdout(stdout).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((said.status.code(), String::from_utf8_lossy(&said.stderr).as_ref()), (Some(0), ""));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let said = command(&server, &["topic", "list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: the result cannot be written: No space left"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_shows_four_chats_and_leaves_nothing() {
    let home = home();
    for _ in 0..2 {
        let mut command = program(home.path());
        command.args(["demo", "--once", "--listen", "127.0.0.1:0", "--simulate-listen", "127.0.0.1:0"]);
        let said = run(command, None).await;
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        for words in [
            "DingTalk group",
            "DingTalk internal group",
            "Lark group",
            "WeCom group",
            "Disk almost full",
            "磁盘将在",
        ] {
            assert!(said.out.contains(words), "{words}: {}", said.out);
        }
        assert_eq!(said.out.matches("│ delivered").count(), 4, "{}", said.out);
        let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn help_of_every_command() {
    let home = home();
    // From the program down: a command's own help names those below it.
    let mut lines = vec![Vec::new()];
    let mut whole = String::new();
    while let Some(line) = lines.pop() {
        let mut command = program(home.path());
        command.args(&line).arg("--help");
        let said = run(command, None).await;
        let help = good(&said);
        whole.push_str(&format!(
            "$ carillon {}\n{help}\n\n",
            [&line[..], &["--help".to_owned()]].concat().join(" ")
        ));
        let below = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
        let below = below.split("\n\n").next().unwrap_or_default().lines();
        let names = below.filter_map(|text| text.split_whitespace().next()).filter(|name| *name != "help");
        let mut found: Vec<_> = names.map(|name| [&line[..], &[name.to_owned()]].concat()).collect();
        found.reverse();
        lines.extend(found);
    }
    insta::assert_snapshot!("help", whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_prints_a_script() {
    let home = home();
    for (shell, words) in
        [("bash", "complete -F _carillon"), ("zsh", "#compdef carillon"), ("fish", "complete -c carillon")]
    {
        let mut command = program(home.path());
        command.args(["completion", shell]);
        let said = run(command, None).await;
        assert!(good(&said).contains(words), "{shell}");
    }
    let mut version = program(home.path());
    version.arg("--version");
    assert!(good(&run(version, None).await).starts_with("carillon 0."));
}
