//! Accounts, keys, tokens and projects, given and taken; and what the audit log says of it.

use serde_json::{Value, json};

use crate::house::{House, OPERATOR, PASSWORD, PROJECT, smn};

fn sign_in(name: &str, password: &str, project: Option<&str>) -> Value {
    let mut body = json!({ "auth": { "identity": {
        "methods": ["password"],
        "password": { "user": { "name": name, "password": password, "domain": { "name": "carillon" } } },
    } } });
    if let Some(name) = project {
        body["auth"]["scope"] = json!({ "project": { "name": name } });
    }
    body
}

#[tokio::test]
async fn a_password_opens_the_projects_of_its_account_only() {
    let house = House::open().await;
    let signed =
        house.post("", "/v3/auth/tokens", sign_in("paul", PASSWORD, Some("local"))).await.expect(201);
    assert_eq!(signed.text("/token/roles/0/name"), "publisher");
    assert_eq!(signed.text("/token/project/id"), PROJECT);
    let refused = house.post("", "/v3/auth/tokens", sign_in("paul", PASSWORD, Some("elsewhere"))).await;
    assert_eq!((refused.status, refused.text("/code").as_str()), (404, "IAM.0004"));
    let none = house.post("", "/v3/auth/tokens", sign_in("paul", PASSWORD, Some("nowhere"))).await;
    assert_eq!((none.status, none.text("/message")), (refused.status, refused.text("/message")));
    let own = house.post("", "/v3/auth/tokens", sign_in("sven", PASSWORD, None)).await.expect(201);
    assert_eq!(own.text("/token/project/name"), "elsewhere");
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let house = House::open().await;
    let path = format!("/api/v1/accounts/{}/role", house.publisher_id);
    house.put(&house.administrator, &path, json!({ "role": "administrator" })).await.expect(200);
    house.post(&house.publisher, &smn(PROJECT, "topics"), json!({ "name": "new" })).await.expect(201);
    house.put(&house.administrator, &path, json!({ "role": "reader" })).await.expect(200);
    house.post(&house.publisher, &smn(PROJECT, "topics"), json!({ "name": "newer" })).await.expect(403);
    for (bad, field) in [
        (json!({ "role": "king" }), "role"),
        (json!({ "role": "publisher" }), "topics"),
        (json!({ "role": "reader", "topics": ["ops"] }), "topics"),
        (json!({ "role": "publisher", "topics": ["a b"] }), "topics"),
    ] {
        let refused = house.put(&house.administrator, &path, bad).await.expect(400);
        assert_eq!(refused.text("/field"), field);
    }
    let gone = format!("/api/v1/accounts/{}", house.publisher_id);
    house.delete(&house.administrator, &gone).await.expect(200);
    house.get(&house.publisher, "/api/v1/whoami").await.expect(401);
    house.delete(&house.administrator, &gone).await.expect(404);
}

#[tokio::test]
async fn passwords_are_changed_by_their_owner_and_by_who_may_give_access() {
    let house = House::open().await;
    let new = "another good password";
    let path = format!("/api/v1/accounts/{}/password", house.publisher_id);
    let own = |present: &str| json!({ "password": new, "present_password": present });
    let refused = house.put(&house.publisher, &path, json!({ "password": new })).await.expect(400);
    assert_eq!(refused.text("/field"), "password");
    let refused = house.put(&house.publisher, &path, own("a wrong password")).await.expect(403);
    assert_eq!(refused.text("/code"), "wrong_password");
    house
        .put(&house.publisher, &path, json!({ "password": "short", "present_password": PASSWORD }))
        .await
        .expect(400);

    let sign = |password: &'static str| sign_in("paul", password, None);
    house.post("", "/v3/auth/tokens", sign(PASSWORD)).await.expect(201);
    house.put(&house.publisher, &path, own(PASSWORD)).await.expect(200);
    house.post("", "/v3/auth/tokens", sign(PASSWORD)).await.expect(401);
    house.post("", "/v3/auth/tokens", sign(new)).await.expect(201);
    house.put(&house.reader, &path, own(new)).await.expect(403);
    house.put(&house.administrator, &path, json!({ "password": PASSWORD })).await.expect(200);
    house.post("", "/v3/auth/tokens", sign(PASSWORD)).await.expect(201);

    // Nobody becomes the operator, or somebody of another project, by giving it a password.
    let accounts = house.get(&house.administrator, "/api/v1/accounts").await.expect(200);
    let admin =
        accounts.body["accounts"].as_array().unwrap().iter().find(|one| one["name"] == "admin").unwrap();
    let path = format!("/api/v1/accounts/{}/password", admin["id"].as_str().unwrap());
    let refused = house.put(&house.administrator, &path, json!({ "password": new })).await.expect(403);
    assert_eq!(refused.text("/code"), "account_shared");
    let wish = json!({ "account_id": admin["id"] });
    for noun in ["tokens", "keys"] {
        let refused =
            house.post(&house.administrator, &format!("/api/v1/{noun}"), wish.clone()).await.expect(403);
        assert_eq!(refused.text("/code"), "account_shared");
    }
    let drawn = json!({ "name": "sven", "role": "reader" });
    house.post(&house.administrator, "/api/v1/accounts", drawn.clone()).await.expect(400);
    let sven = house.post(OPERATOR, "/api/v1/accounts", drawn).await.expect(201).text("/id");
    let path = format!("/api/v1/accounts/{sven}/password");
    house.put(&house.administrator, &path, json!({ "password": new })).await.expect(403);
    house.put(OPERATOR, &path, json!({ "password": new })).await.expect(200);
}

#[tokio::test]
async fn the_last_administrator_cannot_go() {
    let house = House::open().await;
    let accounts = house.get(&house.stranger, "/api/v1/accounts").await.expect(200).body;
    let id = |name: &str| {
        let found = accounts["accounts"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        format!("/api/v1/accounts/{}", found["id"].as_str().unwrap())
    };
    house.delete(&house.stranger, &id("admin")).await.expect(200);
    let refused = house.delete(&house.stranger, &id("sven")).await.expect(409);
    assert_eq!(refused.text("/code"), "last_administrator");
    let refused =
        house.put(&house.stranger, &format!("{}/role", id("sven")), json!({ "role": "reader" })).await;
    assert_eq!(refused.expect(409).text("/code"), "last_administrator");
}

#[tokio::test]
async fn tokens_are_narrowed_shown_once_and_ended() {
    let house = House::open().await;
    let wish = json!({ "note": "ci", "role": "publisher", "topics": ["ops"], "expires_in": 60 });
    let made = house.post(&house.administrator, "/api/v1/tokens", wish).await.expect(201);
    let (id, token) = (made.text("/id"), made.text("/token"));
    assert!(made.text("/expires_at").starts_with("2025-06-15T15:07:4"), "{made:?}");
    house.publish(&token, "ops").await;
    house.get(&token, &smn(PROJECT, "topics")).await.expect(403);
    let listed = house.get(&house.administrator, "/api/v1/tokens?limit=200").await.expect(200);
    assert!(!listed.body.to_string().contains(&token));
    let shown = listed.body["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == id.as_str())
        .unwrap()
        .clone();
    let fields = (&shown["note"], &shown["role"], &shown["topics"], &shown["account"]);
    assert_eq!(fields, (&json!("ci"), &json!("publisher"), &json!(["ops"]), &json!("boss")));

    // A narrowed token ends itself, not its account's others; a plain one ends those too.
    let other = house.post(&house.administrator, "/api/v1/tokens", json!({})).await.expect(201).text("/id");
    house.delete(&token, &format!("/api/v1/tokens/{other}")).await.expect(403);
    house.delete(&token, &format!("/api/v1/tokens/{id}")).await.expect(200);
    house.get(&token, "/api/v1/whoami").await.expect(401);
    house.delete(&house.administrator, &format!("/api/v1/tokens/{other}")).await.expect(200);

    // Somebody who may not give access sees and ends its own only.
    let all = house.get(&house.publisher, "/api/v1/tokens").await.expect(200).body;
    assert!(all["tokens"].as_array().unwrap().iter().all(|one| one["account"] == "paul"), "{all}");
    let others = house.get(&house.reader, "/api/v1/tokens").await.expect(200).body.to_string();
    assert!(others.contains("\"boss\""), "a reader reads everything");
    let own = all["tokens"][0]["id"].as_str().unwrap();
    house.delete(&house.reader, &format!("/api/v1/tokens/{own}")).await.expect(404);
    house.delete(&house.publisher, &format!("/api/v1/tokens/{own}")).await.expect(200);
    house.get(&house.publisher, "/api/v1/whoami").await.expect(401);
    for bad in [json!({ "expires_in": 0 }), json!({ "topics": ["ops"] }), json!({ "note": "a\nb" })] {
        house.post(&house.administrator, "/api/v1/tokens", bad).await.expect(400);
    }
    house.clock.advance(std::time::Duration::from_secs(61));
}

#[tokio::test]
async fn projects_are_made_by_the_operator() {
    let house = House::open().await;
    let made =
        house.post(OPERATOR, "/api/v1/projects", json!({ "name": "third", "id": "p3" })).await.expect(201);
    assert_eq!(made.text("/id"), "p3");
    assert_eq!(made.text("/key/access_key").len(), 20);
    let token = made.text("/token/token");
    let me = house.get(&token, "/api/v1/whoami").await.expect(200);
    assert_eq!((me.text("/project_id").as_str(), me.text("/role").as_str()), ("p3", "administrator"));
    for body in [json!({ "name": "third" }), json!({ "name": "fourth", "id": "p3" })] {
        let refused = house.post(OPERATOR, "/api/v1/projects", body).await.expect(409);
        assert_eq!(refused.text("/code"), "project_exists");
    }
    house.post(OPERATOR, "/api/v1/projects", json!({ "name": "a b" })).await.expect(400);
    let listed = house.get(OPERATOR, "/api/v1/projects").await.expect(200);
    assert_eq!(listed.body["projects"].as_array().unwrap().len(), 3);
    let own = house.get(&house.stranger, "/api/v1/projects").await.expect(200);
    assert_eq!(
        (own.body["projects"].as_array().unwrap().len(), own.text("/projects/0/name").as_str()),
        (1, "elsewhere")
    );

    house.post(&token, &smn("p3", "topics"), json!({ "name": "ops" })).await.expect(201);
    house.delete(OPERATOR, "/api/v1/projects/p3").await.expect(409);
    house.delete(&token, &smn("p3", "topics/urn:smn:local:p3:ops")).await.expect(200);
    house.delete(&token, "/api/v1/projects/p3").await.expect(409);
    house.delete(OPERATOR, "/api/v1/projects/p3").await.expect(200);
    house.get(&token, "/api/v1/whoami").await.expect(401);
    house.delete(OPERATOR, "/api/v1/projects/p3").await.expect(404);
}

#[tokio::test]
async fn lists_are_paged() {
    let house = House::open().await;
    for noun in ["accounts", "keys", "tokens", "audit", "projects"] {
        let items = if noun == "audit" { "lines" } else { noun };
        let all = house.get(OPERATOR, &format!("/api/v1/{noun}?limit=200")).await.expect(200).body;
        assert_eq!(all["next"], Value::Null);
        let (mut paged, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/{noun}?limit=1{after}");
            let page = house.get(OPERATOR, &path).await.expect(200).body;
            paged.extend(page[items].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(Value::Array(paged), all[items], "{noun}");
    }
    for path in ["accounts?limit=0", "tokens?after=x", "audit?deed=nothing", "audit?after=x"] {
        house.get(OPERATOR, &format!("/api/v1/{path}")).await.expect(400);
    }
}

#[tokio::test]
async fn the_audit_log_tells_who_changed_what() {
    let house = House::open().await;
    let urn = format!("urn:smn:local:{PROJECT}:disk");
    let topic = smn(PROJECT, &format!("topics/{urn}"));
    let key = "0123456789abcdef0123456789abcdef";
    house.post(&house.administrator, &smn(PROJECT, "topics"), json!({ "name": "disk" })).await.expect(201);
    house.post(&house.administrator, &smn(PROJECT, "topics"), json!({ "name": "disk" })).await.expect(200);
    let robot = json!({
        "protocol": "feishu",
        "endpoint": format!("https://open.feishu.cn/open-apis/bot/v2/hook/{key}"),
        "extension": { "sign_secret": "the-robots-secret" },
    });
    house.post(&house.administrator, &format!("{topic}/subscriptions"), robot).await.expect(201);
    house.publish(&house.administrator, "disk").await;
    house.post(&house.reader, &smn(PROJECT, "topics"), json!({ "name": "no" })).await.expect(403);
    house.delete(&house.administrator, &topic).await.expect(200);
    house.delete(&house.administrator, &topic).await.expect(404);

    let lines = house.get(&house.reader, "/api/v1/audit?account=boss").await.expect(200).body;
    let said: Vec<_> =
        lines["lines"].as_array().unwrap().iter().map(|line| line["deed"].as_str().unwrap()).collect();
    assert_eq!(said, ["topic.delete", "subscription.create", "topic.create"], "{lines}");
    assert!(lines["lines"].as_array().unwrap().iter().all(|line| line["what"] == urn.as_str()), "{lines}");
    assert!(lines["lines"][0]["credential"].as_str().unwrap().starts_with("token "));
    let all = house.get(&house.reader, "/api/v1/audit?limit=200").await.expect(200).body.to_string();
    for secret in [key, "the-robots-secret", PASSWORD, OPERATOR, house.publisher.as_str()] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    for deed in ["account.create", "token.create", "project.create"] {
        let lines = house.get(&house.reader, &format!("/api/v1/audit?deed={deed}")).await.expect(200).body;
        assert!(!lines["lines"].as_array().unwrap().is_empty(), "{deed}");
    }
    let of = house.get(&house.reader, &format!("/api/v1/audit?what={urn}")).await.expect(200).body;
    assert_eq!(of["lines"].as_array().unwrap().len(), 3);
}
