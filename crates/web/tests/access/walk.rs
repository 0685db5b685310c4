//! Everybody walks every path.

use std::collections::{BTreeMap, BTreeSet};

use carillon_model::role::{Grant, Right, Role};
use serde_json::{Value, json};

use crate::house::{Answer, House, OPERATOR, PROJECT, smn};
use crate::table::{CONSOLE, TABLE, whole, whole_page};

const NOTHING: &str = "00000000000000000000000000000000";

const LAST: [&str; 2] = ["{T}", "/api/v1/accounts/{account_id}"];

/// What stands in the place of a path's names.
pub(crate) struct Names(Vec<(&'static str, String)>);

impl Names {
    pub(crate) fn put(&self, path: &str) -> String {
        self.0.iter().fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }

    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let change = |(key, old): &(&'static str, String)| {
            (*key, if *key == name { value.to_owned() } else { old.clone() })
        };
        Self(self.0.iter().map(change).collect())
    }
}

/// The names of things that are there, each with a part that shows it in an answer.
pub(crate) async fn there(house: &House) -> Names {
    let topic = format!("urn:smn:local:{PROJECT}:ops");
    let robot = json!({
        "protocol": "feishu",
        "endpoint": "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef",
    });
    let path = smn(PROJECT, &format!("topics/{topic}/subscriptions"));
    let subscription = house.post(OPERATOR, &path, robot).await.expect(201).text("/subscription_urn");
    let template = json!({ "message_template_name": "there", "content": "x" });
    let template = house.post(OPERATOR, &smn(PROJECT, "message_template"), template).await.expect(201);
    let topics = house.get(OPERATOR, &smn(PROJECT, "topics")).await.expect(200);
    let message = house.publish(&house.publisher, "ops").await;
    let endpoints = house.get(OPERATOR, "/api/v1/endpoints").await.expect(200);
    let key = house.post(OPERATOR, "/api/v1/keys", json!({})).await.expect(201).text("/access_key");
    let token = house.post(OPERATOR, "/api/v1/tokens", json!({})).await.expect(201).text("/id");
    let (account, _token) = house.member(OPERATOR, "zoe", json!({ "role": "reader" })).await;
    Names(vec![
        ("project_id", PROJECT.to_owned()),
        ("domain_id", "carillon".to_owned()),
        ("topic", "ops".to_owned()),
        ("subscription", subscription.rsplit(':').next().unwrap().to_owned()),
        ("way", "lark".to_owned()),
        ("mark", "x".to_owned()),
        ("topic_urn", topic),
        ("subscription_urn", subscription),
        ("message_template_id", template.text("/message_template_id")),
        ("template", template.text("/message_template_id")),
        ("resource_type", "smn_topic".to_owned()),
        ("resource_id", topics.text("/topics/0/topic_id")),
        ("message_id", message.clone()),
        ("delivery_id", format!("{message}-1")),
        ("account_id", account),
        ("endpoint_id", endpoints.text("/endpoints/0/id")),
        ("connection_id", NOTHING.to_owned()),
        ("run_id", NOTHING.to_owned()),
        ("group_id", NOTHING.to_owned()),
        ("member_id", NOTHING.to_owned()),
        ("user_id", "x".to_owned()),
        ("access_key", key),
        ("token_id", token),
        ("name", "introduction".to_owned()),
        ("key", "a".to_owned()),
        ("task_id", NOTHING.to_owned()),
        ("certificate_id", "x".to_owned()),
        ("notify_policy_id", "x".to_owned()),
        ("logtank_id", "x".to_owned()),
        ("id", "x".to_owned()),
        ("application_urn", "x".to_owned()),
        ("endpoint_urn", "x".to_owned()),
    ])
}

/// The right that a word of the table means, if it means one.
pub(crate) fn right(who: &str) -> Option<Right> {
    Some(match who {
        "own" => Right::Own,
        "look" => Right::Look,
        "trace" => Right::Trace,
        "publish" | "push" => Right::Publish,
        "change" | "link" => Right::Change,
        "inspect" => Right::Inspect,
        "govern" => Right::Govern,
        "open" | "guest" | "anyone" | "operator" => return None,
        other => panic!("{other} is no word of the table"),
    })
}

/// Paths and methods from what the router prints of itself.
fn routes(router: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    // The router for what nobody serves numbers its paths anew.
    for part in router.split("PathRouter {") {
        let (mut paths, mut methods) = (BTreeMap::new(), Vec::new());
        for piece in part.split("RouteId(").skip(1) {
            let (id, rest) = piece.split_once(')').unwrap();
            if let Some(path) = rest.strip_prefix(": \"") {
                paths.insert(id, path.split('"').next().unwrap());
            } else if let Some((_, allowed)) = rest.split_once("allow_header: Bytes(b\"") {
                methods.push((id, allowed.split('"').next().unwrap()));
            }
        }
        for (id, allowed) in methods {
            found.extend(allowed.split(',').map(|method| (method.to_owned(), paths[id].to_owned())));
        }
    }
    found.retain(|(method, path)| method != "HEAD" && !path.contains("__private"));
    found
}

#[tokio::test]
async fn every_path_is_in_the_table() {
    let house = House::open().await;
    let served = routes(&format!("{:?}", house.router));
    assert!(served.len() > 90, "axum prints its router in another way: {served:?}");
    let path = |path: &str| whole(path).split('?').next().unwrap().to_owned();
    let listed = TABLE.iter().map(|(method, of, _, _)| ((*method).to_owned(), path(of)));
    let pages = CONSOLE.iter().map(|(method, of, _, _)| ((*method).to_owned(), whole_page(of)));
    let listed: BTreeSet<_> = listed.chain(pages).collect();
    assert_eq!(listed.len(), TABLE.len() + CONSOLE.len(), "a path stands twice in the table");
    let missing: Vec<_> = served.difference(&listed).collect();
    assert!(missing.is_empty(), "say in crates/web/tests/access/table.rs who may call {missing:?}");
    let gone: Vec<_> = listed.difference(&served).collect();
    assert!(gone.is_empty(), "nobody serves {gone:?}");
}

#[test]
fn the_document_of_the_api_describes_what_is_in_the_table() {
    let document: Value = serde_json::from_str(&carillon_web::api::document()).unwrap();
    let paths: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let listed = TABLE.iter().map(|(method, path, who, body)| (method, whole(path), who, body));
    let listed = listed.filter(|(_, path, _, _)| path.starts_with("/api/v1/"));
    let listed: BTreeSet<_> =
        listed.map(|(_, path, _, _)| path.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(paths, listed);
}

#[tokio::test]
async fn everybody_walks_every_path() {
    let house = House::open().await;
    let names = there(&house).await;
    let mut wrong = Vec::new();
    let mut check = |fine: bool, what: String| {
        if !fine {
            wrong.push(what);
        }
    };
    let tokens = [
        (Role::Reader, house.reader.as_str()),
        (Role::Publisher, house.publisher.as_str()),
        (Role::Administrator, house.administrator.as_str()),
    ];
    // What takes away that others need comes last.
    let (last, first): (Vec<_>, Vec<_>) =
        TABLE.iter().partition(|(method, path, _, _)| *method == "DELETE" && LAST.contains(path));
    for &(method, path, who, body) in first.into_iter().chain(last) {
        let path = names.put(&whole(path));
        let what = |role: &str, answer: &Answer| format!("{role}: {method} {path} is for {who}: {answer:?}");
        let answer = house.call("", method, &path, body).await;
        let let_in = match who {
            // A wrong password is 401 too.
            "open" => path != "/v3/auth/tokens",
            // Without credentials the link itself must carry the right.
            "link" => true,
            _signed_in => false,
        };
        check((answer.status == 401) != let_in, what("nobody", &answer));
        for (role, token) in tokens {
            let answer = house.call(token, method, &path, body).await;
            let allowed = match right(who) {
                // People are no topic.
                Some(right) if who == "push" => role.grant(right) == Grant::Yes,
                Some(right) => role.grant(right) != Grant::No,
                None => who != "operator",
            };
            let known = answer.status != 401 || who == "open";
            let fine = answer.is_forbidden() != allowed && known && answer.status != 500;
            check(fine, what(role.name(), &answer));
        }
        if who == "operator" {
            let answer = house.call(OPERATOR, method, &path, body).await;
            check(!answer.is_forbidden() && answer.status < 500, what("operator", &answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An answer without what differs from request to request.
fn shape(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    (answer.status, body)
}

#[tokio::test]
async fn a_strangers_project_looks_as_if_it_did_not_exist() {
    let house = House::open().await;
    let names = there(&house).await;
    let nothing = [
        ("topic_urn", format!("urn:smn:local:{PROJECT}:none")),
        ("subscription_urn", format!("urn:smn:local:{PROJECT}:ops:{NOTHING}")),
        ("message_template_id", NOTHING.to_owned()),
        ("resource_id", NOTHING.to_owned()),
        ("message_id", NOTHING.to_owned()),
        ("delivery_id", format!("{NOTHING}-1")),
        ("account_id", NOTHING.to_owned()),
        ("endpoint_id", NOTHING.to_owned()),
        ("access_key", "CNOTHING".to_owned()),
        ("token_id", NOTHING.to_owned()),
    ];
    for (method, path, who, body) in TABLE {
        let path = whole(path);
        if *who == "open" {
            continue;
        }
        if path.starts_with("/v2/{project_id}") {
            // Whether a project is there cannot be told from outside.
            let there = house.call(&house.stranger, method, &names.put(&path), body).await;
            let made_up = names.with("project_id", "nothing").put(&path);
            let not_there = house.call(&house.stranger, method, &made_up, body).await;
            assert_eq!((there.status, there.text("/code").as_str()), (403, "SMN.0001"), "{method} {path}");
            assert_eq!(shape(&there), shape(&not_there), "{method} {path}");
        }
        let own = names.with("project_id", &house.elsewhere);
        for (name, value) in &nothing {
            if !path.contains(&format!("{{{name}}}")) {
                continue;
            }
            let there = house.call(&house.stranger, method, &own.put(&path), body).await;
            let made_up = own.with(name, value).put(&path);
            let not_there = house.call(&house.stranger, method, &made_up, body).await;
            assert_eq!(shape(&there), shape(&not_there), "{method} {path}, {name}");
            assert!(there.status >= 400, "{method} {path}: {there:?}");
        }
    }
    // All of it is still there.
    for path in ["/api/v1/messages/{message_id}", "/api/v1/accounts/{account_id}"] {
        house.get(OPERATOR, &names.put(path)).await.expect(200);
    }
    let topic = smn(PROJECT, &names.put("topics/{topic_urn}/subscriptions"));
    assert_eq!(house.get(OPERATOR, &topic).await.body["subscription_count"], 1);
    for list in ["accounts", "keys", "tokens", "audit", "messages"] {
        let listed = house.get(&house.stranger, &format!("/api/v1/{list}")).await.expect(200);
        let text = listed.body.to_string();
        let leaks = ["paul", "rita", "ops", PROJECT].into_iter().find(|word| text.contains(word));
        assert_eq!(leaks, None, "{list}: {text}");
    }
}
