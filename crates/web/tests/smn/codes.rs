//! Every code that SMN documents for what is offered here, each by a real request: status, both pairs, the request's id in
//! body and header.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::time::Duration;

use carillon_model::quota::Quotas;
use serde_json::{Value, json};

use crate::harness::{Door, PASSWORD, PROJECT, refused};

/// SMN's codes that such a service may answer, with the documented status.
const DOCUMENTED: &[(&str, u16)] = &[
    ("SMN.0001", 403),
    ("SMN.0002", 400),
    ("SMN.0003", 400),
    ("SMN.0004", 403),
    ("SMN.0005", 400),
    ("SMN.0006", 404),
    ("SMN.0007", 403),
    ("SMN.0008", 403),
    ("SMN.0009", 403),
    ("SMN.0011", 400),
    ("SMN.0012", 400),
    ("SMN.0013", 404),
    ("SMN.0014", 400),
    ("SMN.0015", 400),
    ("SMN.0016", 500),
    ("SMN.0017", 400),
    ("SMN.0018", 500),
    ("SMN.0021", 400),
    ("SMN.0022", 403),
    ("SMN.0024", 400),
    ("SMN.0025", 400),
    ("SMN.0027", 404),
    ("SMN.0031", 400),
    ("SMN.0032", 400),
    ("SMN.0038", 400),
    ("SMN.0042", 400),
    ("SMN.0043", 400),
    ("SMN.0044", 400),
    ("SMN.0045", 404),
    ("SMN.0046", 400),
    ("SMN.0047", 403),
    ("SMN.0048", 400),
    ("SMN.0049", 400),
    ("SMN.0050", 400),
    ("SMN.0051", 400),
    ("SMN.0052", 400),
    ("SMN.0053", 400),
    ("SMN.0054", 400),
    ("SMN.0055", 400),
    ("SMN.0056", 400),
    ("SMN.0058", 400),
    ("SMN.0069", 403),
    ("SMN.0072", 400),
    ("SMN.0073", 400),
    ("SMN.0075", 403),
    ("SMN.0076", 404),
    ("SMN.0077", 400),
    ("SMN.0078", 403),
    ("SMN.0082", 400),
    ("SMN.0227", 400),
    ("SMN.00290", 400),
    ("SMN.00308", 403),
];

/// Those that are never answered, and why.
const NEVER: &[(&str, &str)] =
    &[("SMN.0082", "a remark that is too long is SMN.0017, which exists for the same field")];

/// Those with another status, and why.
const OTHERWISE: &[(&str, u16, &str)] =
    &[("SMN.0016", 503, "nothing was accepted, and a client may try again")];

/// Codes beside those: the gateway's, the IAM's, ours, and SMN's of services that are offered in part.
const BESIDE: &[(&str, u16)] = &[
    ("SMN.0103", 400),
    ("SMN.0104", 400),
    ("SMN.0113", 400),
    ("SMN.0114", 400),
    ("SMN.00013030", 404),
    ("APIG.0308", 429),
    ("APIGW.0101", 404),
    ("APIGW.0201", 413),
    ("APIGW.0301", 401),
    ("CARILLON.0501", 501),
    ("IAM.0004", 404),
];

/// Codes that stand in the items of an answer and not in an error.
const IN_ITEMS: &[&str] = &["SMN.00011027"];

struct Asked {
    door: Door,
    seen: BTreeMap<String, u16>,
}

impl Asked {
    async fn ask(&mut self, code: &str, method: &str, path: &str, body: Value) {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/v2/{PROJECT}/{path}") };
        let answer = self.door.call_with(method, &path, &[], &body).await;
        assert_eq!(answer.1["code"], code, "{method} {path} {body}: {answer:?}");
        let status = answer.0.as_u16();
        refused(&answer, status, code);
        assert!(!answer.1["message"].as_str().unwrap().is_empty());
        let before = self.seen.insert(code.to_owned(), status);
        assert!(before.is_none_or(|before| before == status), "{code} has one status");
    }

    /// Changes the database behind the store's back.
    fn alter(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.door.dir.path().join("data/carillon.db")).unwrap();
        database.execute_batch(sql).unwrap();
    }
}

/// A statement with one thing wrong, as an attribute's value.
fn policy(change: &Value) -> Value {
    let mut statement = json!({ "Sid": "s", "Effect": "Allow", "Principal": "*", "Action": ["SMN:Publish"],
        "Resource": "urn:smn:local:*" });
    statement.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({ "value": json!({ "Version": "2016-09-07", "Id": "p", "Statement": [statement] }).to_string() })
}

async fn topics_and_lists(asked: &mut Asked, topic: &str) {
    const TOPICS: &str = "notifications/topics";
    asked.ask("SMN.0002", "POST", TOPICS, json!({ "name": "a b" })).await;
    asked.ask("SMN.0003", "POST", TOPICS, json!({ "name": "a", "display_name": "x".repeat(193) })).await;
    asked.ask("SMN.0004", "POST", TOPICS, json!({ "name": "one-too-many" })).await;
    asked.ask("SMN.0005", "GET", "notifications/topics/none", Value::Null).await;
    let none = topic.replace(":ops", ":none");
    asked.ask("SMN.0006", "GET", &format!("{TOPICS}/{none}"), Value::Null).await;
    asked.ask("SMN.0015", "GET", "notifications/topics?limit=0", Value::Null).await;
    asked.ask("SMN.0077", "GET", "notifications/subscriptions?status=9", Value::Null).await;
    asked.ask("SMN.0001", "GET", "/v2/nobody/notifications/topics", Value::Null).await;
    asked.ask("SMN.0072", "GET", "smn_fax/tags", Value::Null).await;
    asked.ask("SMN.0073", "POST", "smn_topic/resource_instances/action", json!({ "action": "fly" })).await;
}

async fn subscriptions(asked: &mut Asked, topic: &str, subscription: &str) {
    let path = format!("notifications/topics/{topic}/subscriptions");
    let add = |protocol: &str, endpoint: &str| json!({ "protocol": protocol, "endpoint": endpoint });
    asked.ask("SMN.0011", "POST", &path, add("sms", "+8613800000000")).await;
    asked.ask("SMN.0012", "POST", &path, add("feishu", "https://example.com")).await;
    asked.ask("SMN.0043", "POST", &path, json!({ "subscriptions": [] })).await;
    asked.ask("SMN.0069", "POST", &path, add("http", "http://127.0.0.1/x")).await;
    let web = add("https", "https://hooks.example.com/x");
    asked.ask("SMN.0007", "POST", &path, web).await;
    let one = format!("{path}/{subscription}");
    asked.ask("SMN.0017", "PUT", &one, json!({ "remark": "x".repeat(129) })).await;
    asked
        .ask(
            "SMN.0013",
            "DELETE",
            &format!("notifications/subscriptions/{topic}:{}", "0".repeat(32)),
            Value::Null,
        )
        .await;
    asked.ask("SMN.0014", "DELETE", "notifications/subscriptions/none", Value::Null).await;
    let link = "/v2/notifications/subscriptions/subscribe?token=nobodys";
    asked.ask("SMN.0022", "GET", link, Value::Null).await;
    asked.ask("SMN.00290", "DELETE", "/v2/carillon/subscription-users/nobody", Value::Null).await;
    // The 201st question to an address within ten minutes.
    let calm = asked.door.topic("calm").await;
    let path = format!("notifications/topics/{calm}/subscriptions");
    let web = add("https", "https://hooks.example.com/often");
    for _question in 0..200 {
        let (status, body) = asked.door.call("POST", &path, &web).await;
        assert!(status.is_success(), "{body}");
    }
    asked.ask("SMN.0078", "POST", &path, web).await;
}

async fn messages(asked: &mut Asked, topic: &str) {
    let path = format!("notifications/topics/{topic}/publish");
    asked.ask("SMN.0008", "POST", &path, json!({ "subject": "x".repeat(513), "message": "x" })).await;
    asked.ask("SMN.0009", "POST", &path, json!({ "message": "" })).await;
    asked.ask("SMN.0227", "POST", &path, json!({ "message": "绝密文件" })).await;
    asked.ask("SMN.0021", "POST", &path, json!({ "message_structure": "{}" })).await;
    asked.ask("SMN.0027", "POST", &path, json!({ "message_template_name": "none" })).await;
    asked.ask("SMN.0042", "POST", &path, json!({ "message_template_name": "a b" })).await;
    const TEMPLATES: &str = "notifications/message_template";
    let template = |name: &str, content: &str| json!({ "message_template_name": name, "protocol": "email", "content": content });
    asked.ask("SMN.0024", "POST", TEMPLATES, template("a", "")).await;
    asked.ask("SMN.0032", "POST", TEMPLATES, template("a b", "x")).await;
    let many: String = (0..91).map(|tag| format!("{{t{tag}}}")).collect();
    asked.ask("SMN.0075", "POST", TEMPLATES, template("a", &many)).await;
    asked.ask("SMN.0031", "GET", &format!("{TEMPLATES}/none"), Value::Null).await;
    assert_eq!(asked.door.call("POST", TEMPLATES, &template("a", "{x}")).await.0, 201);
    asked.ask("SMN.0025", "POST", TEMPLATES, template("a", "x")).await;
    asked.ask("SMN.0044", "POST", TEMPLATES, template("b", "x")).await;
    let by = json!({ "message_template_name": "a", "tags": { "x": "y" } });
    asked.ask("SMN.0076", "POST", &path, by).await;
    asked.ask("SMN.0038", "POST", &path, json!({ "message_template_name": "a", "tags": {} })).await;
}

async fn attributes(asked: &mut Asked, topic: &str) {
    let path = format!("notifications/topics/{topic}/attributes");
    asked.ask("SMN.0045", "DELETE", &format!("{path}/introduction"), Value::Null).await;
    asked.ask("SMN.0046", "DELETE", &format!("{path}/colour"), Value::Null).await;
    asked.ask("SMN.0047", "PUT", &format!("{path}/introduction"), json!({ "value": "x".repeat(121) })).await;
    let whole = |text: &str| json!({ "value": text });
    let cases = [
        ("SMN.0048", whole("nonsense")),
        ("SMN.0049", whole("{\"Version\":\"1\"}")),
        ("SMN.0050", whole("{\"Version\":\"2016-09-07\"}")),
        ("SMN.0051", whole("{\"Version\":\"2016-09-07\",\"Id\":\"p\"}")),
        ("SMN.0052", policy(&json!({ "Sid": "" }))),
        ("SMN.0053", policy(&json!({ "Resource": "x" }))),
        ("SMN.0054", policy(&json!({ "Effect": "x" }))),
        ("SMN.0055", policy(&json!({ "Action": "SMN:Fly" }))),
        ("SMN.0056", policy(&json!({ "Principal": "x" }))),
        ("SMN.0058", policy(&json!({ "Condition": { "StringEquals": { "x": "y" } } }))),
    ];
    for (code, body) in cases {
        asked.ask(code, "PUT", &format!("{path}/access_policy"), body).await;
    }
    let nobody = policy(&json!({ "Principal": { "CSP": ["urn:csp:iam::other:root"] } }));
    let text = nobody["value"].as_str().unwrap().replace('\'', "''");
    asked.alter(&format!(
        "INSERT INTO project (id, name, created_at) VALUES ('theirs', 'theirs', 0);
         INSERT INTO topic VALUES ('00000000000000000000000000000abc', 'theirs', 'news', '', '0', 0, 0, 0);
         INSERT INTO topic_attribute VALUES ('00000000000000000000000000000abc', 'access_policy', '{text}')"
    ));
    let theirs = "notifications/topics/urn:smn:local:theirs:news/publish";
    asked.ask("SMN.00308", "POST", theirs, json!({ "message": "x" })).await;
}

async fn others(asked: &mut Asked, topic: &str) {
    let statistics = |query: &str| format!("notifications/topics/{topic}/statistics?{query}");
    asked.ask("SMN.0103", "GET", &statistics("start_time=x"), Value::Null).await;
    let start = "start_time=2025-06-15T14:00:00Z";
    asked.ask("SMN.0104", "GET", &statistics(&format!("{start}&end_time=x")), Value::Null).await;
    asked
        .ask("SMN.0114", "GET", &statistics(&format!("{start}&end_time=2025-06-15T14:00:00Z")), Value::Null)
        .await;
    let early = "start_time=2025-05-01T00:00:00Z&end_time=2025-06-15T14:00:00Z";
    asked.ask("SMN.0113", "GET", &statistics(early), Value::Null).await;
    let task = format!("notifications/topics/{topic}/detection/{}", "0".repeat(32));
    asked.ask("SMN.00013030", "GET", &task, Value::Null).await;
    asked.ask("APIGW.0101", "GET", "notifications/nothing", Value::Null).await;
    asked.ask("CARILLON.0501", "GET", &format!("notifications/topics/{topic}/kms"), Value::Null).await;
    let large = json!({ "message": "x".repeat(3 * 1024 * 1024) });
    asked.ask("APIGW.0201", "POST", &format!("notifications/topics/{topic}/publish"), large).await;
    let sign_in = |password: &str, project: &str| {
        json!({ "auth": { "identity": { "methods": ["password"],
            "password": { "user": { "name": "admin", "password": password } } },
            "scope": { "project": { "name": project } } } })
    };
    asked.ask("APIGW.0301", "POST", "/v3/auth/tokens", sign_in("another password", "local")).await;
    asked.ask("IAM.0004", "POST", "/v3/auth/tokens", sign_in(PASSWORD, "elsewhere")).await;
    let publish = format!("notifications/topics/{topic}/publish");
    asked.door.clock.advance(Duration::from_secs(60));
    assert_eq!(asked.door.call("POST", &publish, &json!({ "message": "x" })).await.0, 200);
    asked.ask("APIG.0308", "POST", &publish, json!({ "message": "x" })).await;
}

/// Every code that the sources of the dialect can answer.
fn written() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/smn")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for word in text.split('"') {
            let code =
                ["SMN.", "APIG.", "APIGW.", "CARILLON.", "IAM."].iter().find_map(|it| word.strip_prefix(it));
            if code.is_some_and(|digits| digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit())) {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_answered_with_its_status() {
    let quotas =
        Quotas { topics: 2, subscriptions: 1, templates: 1, publishes_per_minute: NonZeroU64::new(1) };
    let door = Door::open_with(quotas, |service| {
        let words = ["绝密".to_owned()];
        service.with_publishes_per_minute(quotas.publishes_per_minute).with_sensitive_words(&words)
    });
    let door = door.await;
    let topic = door.topic("ops").await;
    let subscription = door.robot(&topic, "0123456789abcdef").await;
    let mut asked = Asked { door, seen: BTreeMap::new() };
    subscriptions(&mut asked, &topic, &subscription).await;
    topics_and_lists(&mut asked, &topic).await;
    messages(&mut asked, &topic).await;
    attributes(&mut asked, &topic).await;
    others(&mut asked, &topic).await;
    // A row that holds what it must not, and a database that cannot be read.
    asked.alter("UPDATE template SET placeholders = 'nonsense'");
    asked.ask("SMN.0018", "GET", "notifications/message_template", Value::Null).await;
    asked.alter("DROP TABLE template");
    asked.ask("SMN.0016", "GET", "notifications/message_template", Value::Null).await;

    let never: BTreeSet<&str> = NEVER.iter().map(|(code, _)| *code).collect();
    let mut wanted = BTreeMap::new();
    for (code, status) in DOCUMENTED.iter().chain(BESIDE).filter(|(code, _)| !never.contains(code)) {
        let otherwise = OTHERWISE.iter().find(|(other, _, _)| other == code).map(|(_, status, _)| *status);
        wanted.insert((*code).to_owned(), otherwise.unwrap_or(*status));
    }
    assert_eq!(asked.seen, wanted);
    let mut known: BTreeSet<String> = wanted.into_keys().collect();
    known.extend(IN_ITEMS.iter().map(|code| (*code).to_owned()));
    assert_eq!(written(), known, "a code of the sources is not asked for above");
}
