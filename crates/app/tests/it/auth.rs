//! Who is let in.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Api, Auth, smn, topic_urn};
use crate::harness::{ACCESS_KEY, PASSWORD, PROJECT, REGION, Start, TOKEN, home};

/// Every route that wants to know who asks.
fn routes() -> Vec<(Method, String)> {
    let topic = topic_urn("ops");
    let subscription = format!("{topic}:{}", "0".repeat(32));
    let of_topic = |rest: &str| smn(&format!("topics/{topic}{rest}"));
    let id = "0".repeat(32);
    let one = format!("/subscriptions/{subscription}");
    vec![
        (Method::GET, "/metrics".to_owned()),
        (Method::GET, "/v2/notifications/protocols".to_owned()),
        (Method::GET, "/v3/projects".to_owned()),
        (Method::GET, "/v3/auth/domains".to_owned()),
        (Method::POST, smn("topics")),
        (Method::GET, smn("topics")),
        (Method::GET, of_topic("")),
        (Method::PUT, of_topic("")),
        (Method::DELETE, of_topic("")),
        (Method::POST, of_topic("/publish")),
        (Method::POST, of_topic("/subscriptions")),
        (Method::GET, of_topic("/subscriptions")),
        (Method::DELETE, of_topic("/subscriptions")),
        (Method::PUT, of_topic(&one)),
        (Method::DELETE, of_topic(&one)),
        (Method::GET, smn("subscriptions")),
        (Method::DELETE, smn("subscriptions")),
        (Method::DELETE, smn(&format!("subscriptions/{subscription}"))),
        (Method::POST, "/api/v1/messages".to_owned()),
        (Method::GET, "/api/v1/messages".to_owned()),
        (Method::GET, format!("/api/v1/messages/{id}")),
        (Method::GET, format!("/api/v1/messages/{id}/deliveries")),
        (Method::GET, format!("/api/v1/deliveries/{id}-1")),
        (Method::GET, "/api/v1/whoami".to_owned()),
    ]
}

#[track_caller]
fn unauthenticated(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    let body = answer.json();
    assert_eq!(body["request_id"], answer.header("x-request-id"));
    if path.starts_with("/api/") || path == "/metrics" {
        assert_eq!(body["code"], "unauthenticated", "{path}");
        return;
    }
    assert_eq!((&body["code"], &body["error_code"]), (&json!("APIGW.0301"), &json!("APIGW.0301")), "{path}");
    assert!(body["error_msg"].as_str().unwrap().starts_with("Incorrect IAM authentication information:"));
}

fn key(access_key: &str, secret_key: &str) -> Auth {
    Auth::Key { access_key: access_key.to_owned(), secret_key: secret_key.to_owned(), skew: 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_anywhere() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let api = server.user();
    let strangers = [
        Auth::Nobody,
        Auth::Token("wrong-token-0123456789".to_owned()),
        Auth::Token(format!("{TOKEN}x")),
        Auth::Bearer("wrong-token-0123456789".to_owned()),
        key("CUNKNOWNACCESSKEY001", "whatever-it-is"),
        Auth::skewed(-16 * 60),
    ];
    for (method, path) in routes() {
        for auth in &strangers {
            let body = (method != Method::GET).then(|| json!({ "name": "intruder", "message": "x" }));
            unauthenticated(&api.with(auth.clone()).send(method.clone(), &path, body.as_ref()).await, &path);
        }
        let answer = api.send(method.clone(), &path, None).await;
        assert_ne!(answer.status, 401, "{method} {path}: {}", answer.text());
    }
    let topics = api.get(&smn("topics")).await.expect(200).json();
    assert_eq!(topics["topic_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_project_in_the_path_is_refused() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let api = server.user();
    for (method, path) in routes().into_iter().filter(|(_, path)| path.contains(&format!("/v2/{PROJECT}"))) {
        let path = path.replace(&format!("/v2/{PROJECT}"), "/v2/11112222333344445555666677778888");
        for auth in [Auth::token(), Auth::key()] {
            let answer = api.with(auth).send(method.clone(), &path, None).await.expect(403);
            assert_eq!(
                (answer.at("/code"), answer.at("/error_code")),
                ("SMN.0001".to_owned(), "SMN.0001".to_owned())
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_may_be_off_by_a_quarter_of_an_hour() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    for (minutes, status) in [(0, 200), (14, 200), (-14, 200), (16, 401), (-16, 401)] {
        let answer = server.api(Auth::skewed(minutes * 60)).get(&smn("topics")).await.expect(status);
        assert_eq!(answer.text().contains("more than 15 minutes"), status == 401);
    }
    server
        .api(Auth::key())
        .get(&smn("topics?limit=3&offset=0&fuzzy_name=a%20b%2F%C3%A7~*"))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_signatures_lock_the_key() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let right = server.api(Auth::key());
    let wrong = server.api(key(ACCESS_KEY, "not-the-secret"));
    for _ in 0..4 {
        unauthenticated(&wrong.get(&smn("topics")).await, "");
    }
    right.get(&smn("topics")).await.expect(200);
    for _ in 0..5 {
        assert!(wrong.get(&smn("topics")).await.expect(401).text().contains("verify aksk signature fail"));
    }
    let locked = right.get(&smn("topics")).await;
    assert!(locked.text().contains("locked"), "{}", locked.text());
    unauthenticated(&locked, "");
    server.user().get(&smn("topics")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_covers_the_body_and_what_was_listed() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let api = server.api(Auth::key());
    for header in [
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=x",
        "SDK-HMAC-SM3 Access=x, SignedHeaders=x-sdk-date, Signature=00",
        "SDK-HMAC-SHA256 Access=CTESTACCESSKEY000001, SignedHeaders=host, Signature=00",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer ",
        "AWS4-HMAC-SHA256 Credential=x",
    ] {
        let nobody = api.with(Auth::Nobody);
        let more = [("authorization", header), ("x-sdk-date", "20250101T000000Z")];
        unauthenticated(&nobody.send_raw(Method::GET, &smn("topics"), Vec::new(), &more).await, "");
    }
    let body = json!({ "name": "signed", "display_name": "磁盘" });
    api.post(&smn("topics"), &body).await.expect(201);
    let more = [("x-sdk-content-sha256", "UNSIGNED-PAYLOAD")];
    let answer = api.send_raw(Method::POST, &smn("topics"), body.to_string().into_bytes(), &more).await;
    unauthenticated(&answer, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_is_enough() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let path = smn("topics");
    server.api(Auth::Bearer(TOKEN.to_owned())).get(&path).await.expect(200);
    let bad = key(ACCESS_KEY, "not-the-secret");
    for _ in 0..6 {
        let more = [("x-auth-token", TOKEN)];
        server.api(bad.clone()).send_raw(Method::GET, &path, Vec::new(), &more).await.expect(200);
    }
    // And a good signature beside a bad token, as it is signed along.
    let more = [("x-auth-token", "wrong")];
    server.api(Auth::key()).send_raw(Method::GET, &path, Vec::new(), &more).await.expect(200);
}

fn sign_in(name: &str, password: &str, scope: &Value) -> Value {
    json!({ "auth": { "identity": { "methods": ["password"],
        "password": { "user": { "name": name, "password": password, "domain": { "name": "carillon" } } } },
        "scope": { "project": scope } } })
}

async fn signed_in(api: &Api, body: &Value) -> Answer {
    api.post("/v3/auth/tokens", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_gives_a_token() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let nobody = server.api(Auth::Nobody);
    for scope in [json!({ "name": REGION }), json!({ "id": PROJECT })] {
        let answer = signed_in(&nobody, &sign_in("admin", PASSWORD, &scope)).await.expect(201);
        let token = answer.header("x-subject-token").to_owned();
        assert!(token.len() > 20);
        let body = answer.json();
        assert_eq!(body["token"]["project"]["id"], PROJECT);
        let url = body["token"]["catalog"][0]["endpoints"][0]["url"].as_str().unwrap().to_owned();
        assert_eq!(url, format!("{}/v2/{PROJECT}", server.url()));
        server.api(Auth::Token(token)).get(&smn("topics")).await.expect(200);
    }
    let lean = nobody.post("/v3/auth/tokens?nocatalog=true", &sign_in("admin", PASSWORD, &json!({}))).await;
    assert_eq!(lean.expect(201).json()["token"]["catalog"], json!([]));
    let elsewhere = signed_in(&nobody, &sign_in("admin", PASSWORD, &json!({ "name": "elsewhere" }))).await;
    assert_eq!(elsewhere.expect(404).at("/error_code"), "IAM.0004");
    for body in [json!({}), json!([]), json!({ "auth": 1 }), sign_in("nobody", PASSWORD, &json!({}))] {
        unauthenticated(&signed_in(&nobody, &body).await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_passwords_lock_the_account() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let nobody = server.api(Auth::Nobody);
    for _ in 0..5 {
        let answer = signed_in(&nobody, &sign_in("admin", "wrong-password", &json!({}))).await;
        assert!(answer.text().contains("user name or password is wrong"));
        unauthenticated(&answer, "");
    }
    let locked = signed_in(&nobody, &sign_in("admin", PASSWORD, &json!({}))).await;
    assert!(locked.text().contains("locked"), "{}", locked.text());
    unauthenticated(&locked, "");
    server.user().get(&smn("topics")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_client_finds_its_one_project() {
    let home = home();
    let server = Start::new().flag("--region", "cn-north-4").at(home.path()).await;
    let api = server.api(Auth::key());
    let found = api.get("/v3/projects?name=cn-north-4").await.expect(200).json();
    assert_eq!(found["projects"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&found["projects"][0]["id"], &found["projects"][0]["name"]),
        (&json!(PROJECT), &json!("cn-north-4"))
    );
    assert_eq!(api.get("/v3/projects?name=other").await.expect(200).json()["projects"], json!([]));
    assert_eq!(api.get("/v3/auth/domains").await.expect(200).json()["domains"].as_array().unwrap().len(), 1);
}
