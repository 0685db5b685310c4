//! Mail from end to end: confirmation, publishing, and the one click that ends it.

use carillon_simulator::{Received, Running, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::chats::LOOPBACK;
use crate::client::{Answer, Api, Auth, smn, topic_urn};
use crate::harness::{PATIENCE, Said, Server, Start, home, program, run};

const ALICE: &str = "alice.wonder@example.org";
/// What links begin with; behind it stands the server under test.
const PUBLIC: &str = "https://bells.example";

struct World {
    relay: Running,
    server: Server,
    api: Api,
    topic: String,
    home: tempfile::TempDir,
}

async fn world() -> World {
    let relay = Simulator::new().mail(LOOPBACK).start(LOOPBACK).await.unwrap();
    let home = home();
    let start = Start::new()
        .env("CARILLON_SMTP_URL", &relay.mail_url().unwrap())
        .flag("--mail-from", "Alerts <alerts@example.com>")
        .flag("--public-url", PUBLIC);
    let server = start.at(home.path()).await;
    let api = server.user();
    let body = json!({ "name": "ops", "display_name": "值班, ops" });
    let topic = api.post(&smn("topics"), &body).await.expect(201).at("/topic_urn");
    World { relay, server, api, topic, home }
}

impl World {
    async fn mails(&self, count: usize) -> Vec<Received> {
        let received = self.relay.received_at_least(count, PATIENCE).await;
        assert_eq!(received.len(), count, "{received:?}");
        received
    }

    /// Subscriptions' states and addresses as they are listed.
    async fn listed(&self) -> Vec<(i64, String)> {
        let path = smn(&format!("topics/{}/subscriptions", self.topic));
        let listed = self.api.get(&path).await.expect(200).json();
        let shown =
            |it: &Value| (it["status"].as_i64().unwrap(), it["endpoint"].as_str().unwrap().to_owned());
        listed["subscriptions"].as_array().unwrap().iter().map(shown).collect()
    }

    /// Presses the button behind a link, as somebody whom nobody knows.
    async fn follow(&self, link: &str) -> u16 {
        self.opened(Method::POST, link, "text/html").await.status
    }

    async fn opened(&self, method: Method, link: &str, accept: &str) -> Answer {
        let nobody = self.server.api(Auth::Nobody);
        nobody.send_raw(method, link.strip_prefix(PUBLIC).unwrap(), Vec::new(), &[("accept", accept)]).await
    }

    /// Subscribes and confirms an address.
    async fn confirmed(&self, address: &str) -> String {
        let urn = self.api.subscribe(&self.topic, &json!({ "protocol": "email", "endpoint": address })).await;
        let mail =
            self.relay.received_at_least(self.relay.received().len().max(1), PATIENCE).await.pop().unwrap();
        assert_eq!(self.follow(&link(&mail)).await, 200);
        urn
    }
}

/// The one link of ours in the plain text.
fn link(mail: &Received) -> String {
    mail.text.split_whitespace().find(|word| word.starts_with(PUBLIC)).unwrap().to_owned()
}

fn header<'a>(mail: &'a Received, name: &str) -> &'a str {
    mail.raw["headers"][name].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_confirmation_to_the_one_click_that_ends_it() {
    let world = world().await;
    let path = smn(&format!("topics/{}/attributes/introduction", world.topic));
    world.api.put(&path, &json!({ "value": "磁盘告警 of db-1" })).await.expect(200);
    let body = json!({ "protocol": "email", "endpoint": "alice.wonder@Example.ORG" });
    world.api.subscribe(&world.topic, &body).await;
    assert_eq!(world.listed().await, [(0, "a***@example.org".to_owned())]);
    world
        .api
        .publish(&world.topic, &json!({ "subject": "early", "message": "before anybody wants it" }))
        .await;

    let asked = world.mails(1).await.remove(0);
    assert_eq!(asked.raw["envelope"], json!({ "from": "alerts@example.com", "to": ALICE }));
    assert_eq!(asked.title.as_deref(), Some("Confirm your subscription · 请确认订阅: ops"));
    assert!(
        asked.text.contains("follow the link below") && asked.text.contains("磁盘告警 of db-1"),
        "{}",
        asked.text
    );
    assert!(asked.raw["html"].as_str().unwrap().contains("确认订阅</a>"));
    assert_eq!(
        (header(&asked, "list-unsubscribe"), header(&asked, "auto-submitted")),
        ("", "auto-generated")
    );
    assert_eq!(world.follow(&link(&asked)).await, 200);
    assert_eq!(world.listed().await[0].0, 1);

    let structure =
        json!({ "default": "for others", "email": "**not** markdown <b>\n.\n磁盘 97 %" }).to_string();
    let message = world
        .api
        .publish(&world.topic, &json!({ "subject": "磁盘告警", "message_structure": structure }))
        .await;
    let deliveries = world.api.settled(&message).await;
    assert_eq!((&deliveries[0]["channel"], &deliveries[0]["state"]), (&"email".into(), &"delivered".into()));
    assert_eq!(deliveries[0]["attempts"][0]["platform_code"], "250-2.0.0");
    let mail = world.mails(2).await.remove(1);
    assert_eq!(mail.title.as_deref(), Some("磁盘告警"));
    assert!(mail.text.starts_with("**not** markdown <b>\n.\n磁盘 97 %\n\n-- \n"), "{}", mail.text);
    assert!(mail.raw["html"].as_str().unwrap().contains("**not** markdown &lt;b&gt;"));
    assert!(
        header(&mail, "from").contains("值班") && header(&mail, "from").ends_with("<alerts@example.com>")
    );
    assert!(
        header(&mail, "message-id").starts_with(&format!("<{message}-")),
        "{}",
        header(&mail, "message-id")
    );

    let leave = header(&mail, "list-unsubscribe").trim_matches(['<', '>']).to_owned();
    assert_eq!(leave, link(&mail));
    assert_eq!(header(&mail, "list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    let click = header(&mail, "list-unsubscribe-post").as_bytes().to_vec();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let nobody = world.server.api(Auth::Nobody);
    let answer = nobody.send_raw(Method::POST, leave.strip_prefix(PUBLIC).unwrap(), click, &form).await;
    answer.expect(200);
    assert_eq!(world.listed().await[0].0, 3);
    let farewell = world.mails(3).await.remove(2);
    assert_eq!(farewell.title.as_deref(), Some("You have unsubscribed · 已退订: ops"));
    world.api.publish(&world.topic, &json!({ "message": "after the end" })).await;
    assert_eq!(world.follow(&link(&farewell)).await, 200);
    assert_eq!(world.listed().await[0].0, 1);
    assert!(
        world
            .relay
            .received()
            .iter()
            .all(|mail| !mail.text.contains("before") && !mail.text.contains("after the"))
    );
    for secret in ["alice.wonder", "unsubscribe?"] {
        assert!(!world.server.log_text().contains(secret), "{secret}: {}", world.server.log_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_open_every_link_change_nothing() {
    // Found by asking what a company's mail filter does: opening a link confirmed and ended subscriptions.
    let world = world().await;
    let body = json!({ "protocol": "email", "endpoint": ALICE });
    world.api.subscribe(&world.topic, &body).await;
    let asked = link(&world.mails(1).await[0]);
    let opened = async |link: &str, state: i64| {
        for accept in ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", "application/json"] {
            for method in [Method::HEAD, Method::GET] {
                world.opened(method, link, accept).await.expect(200);
                assert_eq!(world.listed().await[0].0, state, "{accept}");
            }
        }
        world.opened(Method::GET, link, "text/html").await.text()
    };
    let page = opened(&asked, 0).await;
    assert!(page.contains("<form method=\"post\">") && page.contains("<b>ops</b>"), "{page}");
    assert!(page.contains("Confirm · 确认订阅"), "{page}");
    let pressed = world.opened(Method::POST, &asked, "text/html").await.expect(200).text();
    assert!(pressed.contains("您的订阅已确认") && !pressed.contains("<form"), "{pressed}");
    assert_eq!(world.listed().await[0].0, 1);

    world.api.publish(&world.topic, &json!({ "message": "x" })).await;
    let leave = link(&world.mails(2).await[1]);
    let page = opened(&leave, 1).await;
    assert!(page.contains("Unsubscribe · 退订"), "{page}");
    assert_eq!(world.follow(&leave).await, 200);
    assert_eq!(world.listed().await[0].0, 3);
    // A program that sends its credentials along means it, as the official SDKs do.
    let again = link(&world.mails(3).await[2]);
    world.api.get(again.strip_prefix(PUBLIC).unwrap()).await.expect(200);
    assert_eq!(world.listed().await[0].0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_urgency_and_hostile_words_through_our_own_api() {
    let world = world().await;
    world.confirmed(ALICE).await;
    let body = json!({
        "topic": "ops", "priority": "urgent", "title": "Disk\r\nBcc: eve@example.net",
        "markdown": "**db-1** <script>alert(1)</script> [x](javascript:alert(1))\n\n| Mount | Used |\n| --- | --- |\n| /data | 97 % |",
    });
    world.api.post("/api/v1/messages", &body).await.expect(400);
    let body = json!({ "topic": "ops", "priority": "urgent", "title": "Disk", "markdown": body["markdown"] });
    let message = world.api.post("/api/v1/messages", &body).await.expect(201).at("/message_id");
    world.api.settled(&message).await;
    let mail = world.mails(2).await.remove(1);
    let html = mail.raw["html"].as_str().unwrap();
    assert!(html.contains("<strong>db-1</strong>") && html.contains("<td>/data</td>"), "{html}");
    assert!(!html.contains("<script") && !html.contains("javascript:"), "{html}");
    assert_eq!((header(&mail, "importance"), header(&mail, "x-priority")), ("high", "1"));
    assert_eq!(mail.raw["headers"].get("bcc"), None);
    assert_eq!(mail.raw["envelope"]["to"], ALICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_and_each_wrong_address_by_itself() {
    let world = world().await;
    let items: Vec<Value> = ["bob@example.org", "bob@localhost", "a b@example.org", "carol@例子.测试"]
        .map(|endpoint| json!({ "protocol": "email", "endpoint": endpoint }))
        .to_vec();
    let path = smn(&format!("topics/{}/subscriptions", world.topic));
    let answer = world.api.post(&path, &json!({ "subscriptions": items })).await.expect(201).json();
    let results = answer["subscriptions_result"].as_array().unwrap();
    let codes: Vec<i64> = results.iter().map(|it| it["http_code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [201, 400, 400, 201]);
    assert_eq!(results[1]["error_code"], "SMN.0012");
    let mut to: Vec<String> = world
        .mails(2)
        .await
        .iter()
        .map(|mail| mail.raw["envelope"]["to"].as_str().unwrap().to_owned())
        .collect();
    to.sort();
    assert_eq!(to, ["bob@example.org", "carol@xn--fsqu00a.xn--0zwm56d"]);
    let found =
        world.api.get(&smn("subscriptions?protocol=email&endpoint=bob@example.org")).await.expect(200).json();
    assert_eq!(found["subscription_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_to_one_mailbox_are_throttled() {
    let world = world().await;
    let path = smn(&format!("topics/{}/subscriptions", world.topic));
    let body = json!({ "protocol": "email", "endpoint": ALICE });
    for asked in 0..20 {
        world.api.post(&path, &body).await.expect(if asked == 0 { 201 } else { 200 });
    }
    assert_eq!(world.api.post(&path, &body).await.expect(403).at("/code"), "SMN.0078");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_relay_the_setting_is_named() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let api = server.user();
    api.create_topic("ops").await;
    let path = smn(&format!("topics/{}/subscriptions", topic_urn("ops")));
    let refused = api.post(&path, &json!({ "protocol": "email", "endpoint": ALICE })).await.expect(400);
    assert_eq!(refused.at("/code"), "SMN.0011");
    let said = refused.at("/message");
    assert!(said.contains("--smtp-url") && said.contains("CARILLON_MAIL_FROM"), "{said}");

    let other = crate::harness::home();
    let half = Start::new().flag("--smtp-url", "smtp://u:hush-hush@127.0.0.1").command(other.path());
    let said = run(half, None).await;
    assert!(said.code != 0 && said.err.contains("mail-from") && !said.err.contains("hush-hush"), "{said:?}");
}

async fn send(world: &World, line: &[&str]) -> Said {
    let mut command = program(world.home.path());
    command.arg("send").args(line);
    command
        .env("CARILLON_SMTP_URL", world.relay.mail_url().unwrap())
        .env("CARILLON_MAIL_FROM", "ops@example.com");
    run(command, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_subscribes_and_sends() {
    let world = world().await;
    let protocols = world.api.get("/v2/notifications/protocols").await.expect(200).json();
    assert!(protocols["protocols"].as_array().unwrap().contains(&"email".into()));
    let mut command = program(world.home.path());
    command.args(["subscription", "add", "ops", "email", ALICE]);
    command.env("CARILLON_SERVER", world.server.url()).env("CARILLON_TOKEN", crate::harness::TOKEN);
    let said = run(command, None).await;
    assert!(said.code == 0 && said.out.starts_with(&world.topic), "{said:?}");
    world.mails(1).await;

    let sent =
        send(&world, &["--to", "mailto:bob@example.org", "--title", "磁盘", "--markdown", "**full**"]).await;
    assert!(sent.code == 0 && sent.out.contains("***@example.org"), "{sent:?}");
    let mail = world.mails(2).await.remove(1);
    assert_eq!((mail.title.as_deref(), header(&mail, "list-unsubscribe")), (Some("磁盘"), ""));
    assert!(mail.raw["html"].as_str().unwrap().contains("<strong>full</strong>"));

    world.relay.stop_robot("gone@example.org");
    let refused = send(&world, &["--to", "mailto:gone@example.org", "x"]).await;
    assert!(refused.code == 4 && refused.out.contains("邮箱不存在"), "{refused:?}");
    let mut command = program(world.home.path());
    command.args(["send", "--to", "mailto:bob@example.org", "x"]);
    let said = run(command, None).await;
    assert!(said.code == 2 && said.err.contains("--smtp-url"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_says_who_asks_and_a_mailbox_gets_few() {
    let world = world().await;
    let body = json!({ "topic": "ops", "protocol": "email", "endpoint": ALICE });
    let test = async || world.api.post("/api/v1/subscriptions/test", &body).await;
    for _ in 0..6 {
        assert_eq!(test().await.expect(200).json()["arrived"], true);
    }
    let refused = test().await.expect(429).json();
    assert_eq!(refused["code"], "throttled", "{refused}");
    let mails = world.mails(6).await;
    for mail in &mails {
        assert_eq!(mail.title.as_deref(), Some("Test message"));
        assert!(
            mail.text.contains("tries whether messages of the topic ops would arrive here"),
            "{}",
            mail.text
        );
        assert!(!mail.text.contains(PUBLIC) && header(mail, "list-unsubscribe").is_empty(), "{mail:?}");
    }
    assert!(world.listed().await.is_empty(), "nothing was subscribed");
    // Another mailbox is asked from the command line; the first is still asked to confirm.
    let mut command = program(&world.server.home);
    command.args(["subscription", "add", "ops", "email", "bob@example.org", "--test"]);
    command.env("CARILLON_SERVER", world.server.url()).env("CARILLON_TOKEN", crate::harness::TOKEN);
    let said = run(command, None).await;
    assert!(said.code == 0 && said.out.starts_with("it arrived"), "{said:?}");
    world.api.subscribe(&world.topic, &json!({ "protocol": "email", "endpoint": ALICE })).await;
    world.mails(8).await;
}
