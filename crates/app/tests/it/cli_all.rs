//! What the console can change, over the command line: names, policies, tags and log tanks of topics, notes and filters of
//! subscriptions, subscription users, templates.

use serde_json::Value;

use crate::chats;
use crate::cli::{good, told};
use crate::harness::{Said, Server, Start, TOKEN, home, program, run};

async fn says(server: &Server, line: &[&str]) -> String {
    good(&told(server, line).await).to_owned()
}

async fn json(server: &Server, line: &[&str]) -> Value {
    serde_json::from_str(&says(server, &[line, &["--json"]].concat()).await).unwrap()
}

/// A command that reads standard input.
async fn fed(server: &Server, line: &[&str], input: &str) -> Said {
    let mut command = program(&server.home);
    command.args(line).env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
    run(command, Some(input)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_hangs_on_a_topic() {
    let home = home();
    let server = Start::new().flag("--delivery-log", "-").at(home.path()).await;
    let urn = says(&server, &["topic", "create", "ops"]).await;
    let set = ["topic", "set", "ops", "--display-name", "值班", "--introduction", "who is called at night"];
    assert_eq!(says(&server, &set).await, "set");
    let policy = r#"{"Version":"2016-09-07","Id":"x","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"CSP":["*"]},"Action":["SMN:Publish"],"Resource":"URN"}]}"#;
    let policy = policy.replace("URN", &urn);
    let with_policy = fed(&server, &["topic", "set", "ops", "--policy", "-"], &policy).await;
    assert_eq!(good(&with_policy), "set");
    assert_eq!(says(&server, &["topic", "tag", "ops", "team", "night"]).await, "set");
    assert_eq!(says(&server, &["topic", "tag", &urn, "loud"]).await, "set");
    let tank = says(&server, &["topic", "log-tank", "add", "ops", "group", "stream"]).await;
    let change = ["topic", "log-tank", "change", "ops", &tank, "group", "other"];
    assert_eq!(says(&server, &change).await, "changed");
    assert_eq!(says(&server, &["topic", "log-tank", "list", "ops"]).await, format!("{tank}  group  other"));

    let shown = says(&server, &["topic", "show", "ops"]).await;
    for words in
        ["值班", "introduction: who is called at night", "SMN:Publish", "tag: team=night", "tag: loud"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.ends_with(&format!("log tank: {tank}  group  other")), "{shown}");
    let all = json(&server, &["topic", "show", "ops"]).await;
    assert_eq!(all["attributes"]["introduction"], "who is called at night");
    assert_eq!((all["tags"].as_array().unwrap().len(), all["logtanks"].as_array().unwrap().len()), (2, 1));

    says(&server, &["topic", "untag", "ops", "team"]).await;
    says(&server, &["topic", "log-tank", "remove", "ops", &tank]).await;
    says(&server, &["topic", "set", "ops", "--policy", "", "--introduction", ""]).await;
    assert_eq!(says(&server, &["topic", "show", "ops"]).await, format!("{urn}  值班\ntag: loud"));
    let nothing = told(&server, &["topic", "set", "ops"]).await;
    assert!(nothing.code == 1 && nothing.err.contains("give --display-name"), "{nothing:?}");
    let gone = told(&server, &["topic", "untag", "ops", "team"]).await;
    assert_eq!((gone.code, gone.out.as_str()), (1, ""), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_and_what_a_subscription_wants() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    says(&server, &["topic", "create", "ops"]).await;
    let robot = chats::wecom_url(chats::WECOM_KEY);
    let urn = says(&server, &["subscription", "add", "ops", "wechat", &robot]).await;
    let line = ["subscription", "set", &urn, "--remark", "Night", "--filter", "level: high, higher"];
    assert_eq!(says(&server, &line).await, "set");
    let listed = json(&server, &["subscription", "list"]).await;
    let one = &listed["subscriptions"][0];
    assert_eq!(one["remark"], "Night");
    let want = serde_json::json!([{ "name": "level", "string_equals": ["high", "higher"] }]);
    assert_eq!(one["filter_polices"], want);
    says(&server, &["subscription", "set", &urn, "--no-filter"]).await;
    let listed = json(&server, &["subscription", "list"]).await;
    assert_eq!(listed["subscriptions"][0]["filter_polices"], serde_json::json!([]));
    let other = format!("{}:{}", urn.rsplit_once(':').unwrap().0, "0".repeat(32));
    let refused = told(&server, &["subscription", "set", &other, "--filter", "a: b"]).await;
    assert!(refused.code == 1 && refused.err.contains("SMN."), "{refused:?}");
    let nothing = told(&server, &["subscription", "set", &urn]).await;
    assert!(nothing.code == 1 && nothing.err.contains("--remark"), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_users() {
    let (home, platforms) = (home(), chats::start().await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    says(&server, &["topic", "create", "ops"]).await;
    let (feishu, wecom) = (chats::feishu_url(chats::LARK_TOKEN), chats::wecom_url(chats::WECOM_KEY));
    let contact = format!("feishu {feishu} sign_secret={}\n", chats::LARK_SECRET);
    let line = ["user", "add", "Li Lei", "--group", "night", "--contacts-file", "-"];
    let added = fed(&server, &line, &contact).await;
    let id = good(&added).to_owned();
    let wecom = format!("wechat {wecom}");
    let line = ["user", "change", &id, "--name", "Li Lei 2", "--contact", &wecom];
    assert_eq!(says(&server, &line).await, "changed");
    let listed = says(&server, &["user", "list", "--group", "night"]).await;
    assert!(listed.starts_with(&format!("{id}  Li Lei 2  night\n")), "{listed}");
    assert!(listed.contains("  feishu  ") && listed.contains("  wechat  "), "{listed}");
    assert!(!listed.contains(chats::LARK_TOKEN) && !listed.contains(chats::WECOM_KEY), "{listed}");
    assert_eq!(says(&server, &["user", "list", "--name", "Han"]).await, "");

    let made = says(&server, &["user", "subscribe", "ops", &id]).await;
    assert_eq!(made.lines().count(), 2, "{made}");
    assert!(made.lines().all(|line| line.starts_with("urn:smn:")), "{made}");
    let message = says(&server, &["publish", "ops", "hello"]).await;
    server.user().settled(&message).await;
    assert_eq!(platforms.received().len(), 2);

    says(&server, &["user", "change", &id, "--remove", "wechat"]).await;
    assert!(!says(&server, &["user", "list"]).await.contains("wechat"));
    says(&server, &["user", "delete", &id]).await;
    assert_eq!(says(&server, &["user", "list"]).await, "");
    assert_eq!(says(&server, &["subscription", "list"]).await.lines().count(), 2, "those stay");
    let nobody = told(&server, &["user", "subscribe", "ops", &id]).await;
    assert_eq!(nobody.code, 1, "{nobody:?}");
    let hush = told(&server, &["user", "add", "x", "--contact", "feishu https://a hush"]).await;
    assert!(hush.code == 1 && !hush.err.contains("hush"), "{hush:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_text_for_a_template_and_what_it_becomes() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    says(&server, &["template", "create", "disk", "disk of {host}"]).await;
    assert_eq!(says(&server, &["template", "change", "disk", "disk of {host}: {used}"]).await, "changed");
    assert_eq!(says(&server, &["template", "show", "disk"]).await, "disk of {host}: {used}");
    let line = ["template", "preview", "disk of {host}: {used}", "--value", "host=db-1"];
    let shown = says(&server, &line).await;
    assert_eq!(shown.matches("disk of db-1: {used}").count(), 3, "{shown}");
    let one = says(&server, &["template", "preview", "x", "--protocol", "wechat"]).await;
    assert_eq!(one, "wecom: 1 parts\n  x");
    let wrong = told(&server, &["template", "preview", "x", "--protocol", "pigeon"]).await;
    assert!(wrong.code == 1 && wrong.err.contains("protocol"), "{wrong:?}");
}
