//! Commands that look before something is done, and those that tell why: dry runs, test messages, `explain` for a person or
//! an address, `connection`, `directory` and `about`.

use serde_json::Value;

use crate::chats;
use crate::cli::{good, told};
use crate::harness::{Start, TOKEN, home, program, run};
use crate::office::{APP_ID, SECRET, app, start_with};
use carillon_simulator::Platform;

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_and_sends_nothing() {
    let (home, platforms) = (home(), chats::start().await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    let wecom = chats::wecom_url(chats::WECOM_KEY);
    good(&told(&server, &["subscription", "add", "ops", "wechat", &wecom]).await);
    let long = "line after line\n".repeat(600);
    let said = told(&server, &["publish", "ops", &long, "--dry-run"]).await;
    assert_eq!(good(&said), "1 of 1 subscriptions would get it\nwecom  1  in 5 parts");
    let said = told(&server, &["publish", "--json", "ops", "short", "--dry-run"]).await;
    let json: Value = serde_json::from_str(good(&said)).unwrap();
    assert_eq!((&json["recipients"], &json["subscribed"]), (&1.into(), &1.into()));
    let refused = told(&server, &["publish", "none", "x", "--dry-run"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
    assert!(platforms.received().is_empty());
    let listed = server.user().get("/api/v1/messages").await.json();
    assert_eq!(listed["messages"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_says_by_its_exit_code_whether_it_arrived() {
    let (home, platforms) = (home(), chats::start().await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    let ding = chats::dingtalk_url(chats::DINGTALK_TOKEN);
    let add = ["subscription", "add", "ops", "dingding", &ding, "--test"];
    let said = told(&server, &[&add[..], &["--secret", chats::DINGTALK_SECRET]].concat()).await;
    assert!(good(&said).starts_with("it arrived"), "{said:?}");
    assert_eq!(platforms.received().len(), 1);
    let said = told(&server, &[&add[..], &["--secret", "not-the-secret"]].concat()).await;
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{said:?}");
    assert!(said.out.starts_with("it did not arrive") && said.out.contains("310000"), "{said:?}");
    assert!(said.out.contains("签名") && said.out.contains("secret"), "{said:?}");
    assert!(!said.out.contains("not-the-secret") && !said.out.contains(chats::DINGTALK_TOKEN));
    assert_eq!(good(&told(&server, &["subscription", "list", "ops"]).await), "", "nothing was subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_through_an_office_app_goes_to_one_person_or_chat() {
    let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    let add = ["connection", "add", "lark", "HQ", "--app-id", APP_ID, "--app-secret", SECRET];
    let connection = good(&told(&server, &add).await).to_owned();
    let updated = told(&server, &["connection", "update", &connection]).await;
    assert_eq!(updated.code, 0, "{updated:?}");
    let test = async |rest: &str| {
        let endpoint = format!("office:{connection}:{rest}");
        told(&server, &["subscription", "add", "ops", "office", &endpoint, "--test"]).await
    };
    for (count, to) in ["member:u00007", "chat:oc_office_chat_1"].iter().enumerate() {
        assert!(good(&test(to).await).starts_with("it arrived"), "{to}");
        let received = platforms.received();
        assert_eq!(received.len(), count + 1);
        assert!(received[count].text.contains("Messages of the topic ops will arrive here."));
    }
    let nobody = test("member:u99999").await;
    assert!(nobody.code == 1 && nobody.out.starts_with("it did not arrive"), "{nobody:?}");
    let many = test("department:od_1").await;
    assert!(many.code == 1 && many.err.contains("one member or chat"), "{many:?}");
    let elsewhere = format!("office:{}:member:u00007", "0".repeat(32));
    let foreign = told(&server, &["subscription", "add", "ops", "office", &elsewhere, "--test"]).await;
    assert!(foreign.code == 1 && foreign.err.contains("connection"), "{foreign:?}");
    assert_eq!(platforms.received().len(), 2);
    assert_eq!(good(&told(&server, &["subscription", "list"]).await), "", "nothing was subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_answers_for_an_address() {
    let (home, platforms) = (home(), chats::start().await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    good(&told(&server, &["topic", "create", "ops"]).await);
    let wecom = chats::wecom_url(chats::WECOM_KEY);
    good(&told(&server, &["subscription", "add", "ops", "wechat", &wecom, "--remark", "On call"]).await);
    let message = good(&told(&server, &["publish", "ops", "hello"]).await).to_owned();
    server.user().settled(&message).await;
    let said = {
        let mut command = program(&server.home);
        command.args(["explain", &message, "--endpoint", "-"]);
        command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
        run(command, Some(&format!("{wecom}\n"))).await
    };
    let out = good(&said);
    assert!(out.contains("On call") && out.contains("delivered") && out.contains("已于"), "{out}");
    assert!(out.contains("Nobody has changed it since.") && !out.contains(chats::WECOM_KEY), "{out}");
    let said = told(&server, &["explain", &message, "--endpoint", "nowhere"]).await;
    assert_eq!((said.code, said.out.trim()), (1, "nobody is known by that"), "{said:?}");
    let said = told(&server, &["explain", &message, "--endpoint", "x", "--person", "y"]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert!(good(&told(&server, &["explain", &message]).await).starts_with("1 delivered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_app_is_run_from_the_command_line() {
    let (home, platforms) = (home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let add = ["connection", "add", "lark", "HQ", "--app-id", APP_ID, "--app-secret"];
    let refused = told(&server, &[&add[..], &["not-the-secret"]].concat()).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
    assert!(!refused.err.contains("not-the-secret"), "{refused:?}");
    let added = told(&server, &[&add[..], &[SECRET]].concat()).await;
    let connection = good(&added).split_whitespace().next().unwrap().to_owned();
    let listed = told(&server, &["connection", "list"]).await;
    assert!(good(&listed).contains(&connection) && listed.out.contains("HQ"), "{listed:?}");
    assert!(!listed.out.contains(SECRET));
    let checked = told(&server, &["connection", "check", &connection]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    let updated = told(&server, &["connection", "update", &connection]).await;
    assert!(updated.code == 0 && updated.out.contains("60"), "{updated:?}");
    let updates = told(&server, &["connection", "updates", &connection]).await;
    assert_eq!(good(&updates).lines().count(), 1, "{updates:?}");
    let found = told(&server, &["directory", "members", &connection, "--search", "Member 7"]).await;
    assert!(good(&found).lines().count() == 1 && found.out.contains("u00007"), "{found:?}");
    for (list, words) in [("departments", "Department"), ("chats", "Release room")] {
        let said = told(&server, &["directory", list, &connection]).await;
        assert!(good(&said).contains(words), "{said:?}");
    }
    good(&told(&server, &["directory", "group", &connection, "Leads", "member:u00007"]).await);
    let groups = told(&server, &["directory", "groups", &connection]).await;
    let group = good(&groups).split_whitespace().next().unwrap().to_owned();
    assert!(groups.out.contains("Leads"), "{groups:?}");

    // Who did not get a push is asked by the person's name.
    let api = server.user();
    let to = serde_json::json!([{ "kind": "member", "id": "u00007" }]);
    let push = serde_json::json!({ "connection_id": connection, "to": to, "text": "hello" });
    let message = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
    let said = told(&server, &["explain", &message, "--person", "Member 7"]).await;
    assert!(good(&said).contains("Member 7 (u00007, HQ)"), "{said:?}");
    let said = told(&server, &["explain", &message, "--person", "u00009"]).await;
    assert!(good(&said).contains("never_addressed") && said.out.contains("从未发往此人"), "{said:?}");

    good(&told(&server, &["directory", "ungroup", &connection, &group]).await);
    good(&told(&server, &["connection", "delete", &connection]).await);
    assert_eq!(good(&told(&server, &["connection", "list"]).await), "");
    let refused = told(&server, &["connection", "check", &connection]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn about_tells_of_the_installation() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let said = told(&server, &["about"]).await;
    let out = good(&said);
    assert!(out.starts_with(&format!("Carillon {}", env!("CARGO_PKG_VERSION"))), "{out}");
    assert!(out.contains("region  local") && out.contains("writable"), "{out}");
    let json = told(&server, &["about", "--json"]).await;
    let json: Value = serde_json::from_str(good(&json)).unwrap();
    assert_eq!(json["writable"], true);
}
