//! Bodies that are no JSON, too large, too deep, or hold what no text may hold.

use reqwest::Method;
use serde_json::json;

use crate::client::{Auth, smn, topic_urn};
use crate::refusals::{Case, World, case, world};

/// Every call that takes a body, with what it answers to one that it cannot read.
fn calls(world: &World) -> Vec<(Method, String, u16, &'static str)> {
    let topic = smn(&format!("topics/{}", topic_urn("ops")));
    vec![
        (Method::POST, smn("topics"), 400, "SMN.0002"),
        (Method::PUT, topic.clone(), 400, "SMN.0003"),
        (Method::POST, format!("{topic}/publish"), 403, "SMN.0009"),
        (Method::POST, format!("{topic}/subscriptions"), 400, "SMN.0043"),
        (Method::PUT, format!("{topic}/subscriptions/{}", world.subscription), 400, "SMN.0017"),
        (Method::DELETE, format!("{topic}/subscriptions"), 400, "SMN.0014"),
        (Method::DELETE, smn("subscriptions"), 400, "SMN.0014"),
        (Method::POST, "/api/v1/messages".to_owned(), 400, "invalid"),
    ]
}

fn with_body(call: &(Method, String, u16, &'static str), what: &str, body: Vec<u8>) -> Case {
    let (method, path, status, code) = call.clone();
    Case { what: format!("{method} {path} with {what}"), method, path, body, status, code }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_json_object() {
    let world = world().await;
    let mut cases = Vec::new();
    for call in calls(&world) {
        for body in [
            "",
            " ",
            "{",
            "[]",
            "[{}]",
            "null",
            "true",
            "5",
            "\"{}\"",
            "{\"name\":}",
            "{\"a\":1}}",
            "name=ops",
            "\u{0}",
            "\u{feff}{}",
            "{'name':'x'}",
            "{\"name\":\"\u{1}\"}",
            "{\"name\":\"\\ud800\"}",
        ] {
            cases.push(with_body(&call, body, body.as_bytes().to_vec()));
        }
        cases.push(with_body(&call, "no UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()));
        cases.push(with_body(&call, "an overlong sign", b"{\"name\":\"\xc0\xaf\"}".to_vec()));
    }
    world.refuses(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_deep() {
    let world = world().await;
    let deep = "[".repeat(100_000);
    let closed = format!("{deep}{}", "]".repeat(100_000));
    let objects = "{\"a\":".repeat(100_000);
    let mut cases = Vec::new();
    for call in calls(&world) {
        for body in [&deep, &closed, &objects] {
            cases.push(with_body(&call, "depth", body.as_bytes().to_vec()));
        }
        cases.push(with_body(
            &call,
            "depth in a field",
            format!("{{\"subscriptions\":{closed}}}").into_bytes(),
        ));
    }
    let publish = smn(&format!("topics/{}/publish", topic_urn("ops")));
    for text in [format!("{{\"default\":\"d\",\"dingding\":{closed}}}"), deep] {
        let body = json!({ "message": "x", "message_structure": text });
        cases.push(case(Method::POST, &publish, &body, 400, "SMN.0021"));
    }
    let inner = json!({ "default": "d", "dingding": "[".repeat(90_000) }).to_string();
    cases.push(case(Method::POST, &publish, &json!({ "message_structure": inner }), 400, "SMN.0021"));
    world.refuses(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large() {
    let world = world().await;
    let mut cases = Vec::new();
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(2 * 1024 * 1024)).into_bytes();
    for (method, path, _, _) in calls(&world) {
        let code = if path.starts_with("/api/") { "too_large" } else { "APIGW.0201" };
        cases.push(with_body(&(method, path, 413, code), "over 2 MiB", large.clone()));
    }
    cases.push(with_body(
        &(Method::POST, "/v3/auth/tokens".to_owned(), 413, "APIGW.0201"),
        "over 2 MiB",
        large,
    ));
    world.refuses(cases).await;
    // A message whose every character is escaped still fits.
    let api = &world.api;
    let escaped = format!("{{\"message\":\"{}\"}}", "\\u78c1".repeat(262_144 / 3)).into_bytes();
    let path = smn(&format!("topics/{}/publish", topic_urn("ops")));
    api.send_raw(Method::POST, &path, escaped, &[]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_in_names() {
    let world = world().await;
    let topics = smn("topics");
    let ops = smn(&format!("topics/{}", topic_urn("ops")));
    let one = format!("{ops}/subscriptions/{}", world.subscription);
    let mut cases = Vec::new();
    for text in ["nul \u{0}", "bell \u{7}", "escape \u{1b}[31m", "line\nfeed", "return\r"] {
        let body = json!({ "name": "fresh", "display_name": text });
        cases.push(case(Method::POST, &topics, &body, 400, "SMN.0003"));
        cases.push(case(Method::PUT, &ops, &json!({ "display_name": text }), 400, "SMN.0003"));
        cases.push(case(Method::PUT, &one, &json!({ "remark": text }), 400, "SMN.0017"));
        let body = json!({ "name": "fresh", "enterprise_project_id": text });
        cases.push(case(Method::POST, &topics, &body, 400, "SMN.0002"));
    }
    world.refuses(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_in_texts_and_queries_are_no_fault_of_the_server() {
    let world = world().await;
    let publish = smn(&format!("topics/{}/publish", topic_urn("ops")));
    for text in ["nul \u{0} inside", "escape \u{1b}[31m", "\u{202e}turned", "\u{ffff}"] {
        let answer = world.api.post(&publish, &json!({ "message": text })).await;
        assert!(
            matches!((answer.status, answer.at("/code").as_str()), (200, "") | (403, "SMN.0009")),
            "{}",
            answer.text()
        );
        if answer.status == 200 {
            world.api.attempted(&answer.at("/message_id")).await;
        }
    }
    for query in
        ["name=%00", "name=%FF", "fuzzy_name=%25%5C", "topic_id=%00", "=", "&&", "a", "name=a&name=b"]
    {
        world.api.get(&smn(&format!("topics?{query}"))).await.expect(200);
    }
    let more = [("x-auth-token", "\u{1}")];
    let nobody = world.server.api(Auth::Nobody);
    assert!(
        nobody.try_send(Method::GET, &smn("topics"), Vec::new(), &more).await.is_err(),
        "no such header leaves"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_no_utf_8_is_not_ones_own() {
    let world = world().await;
    let path = "/v2/%FF/notifications/topics";
    let body = json!({ "name": "intruder" }).to_string().into_bytes();
    for (method, body) in [(Method::GET, Vec::new()), (Method::POST, body)] {
        let answer = world.api.send_raw(method, path, body, &[]).await;
        assert!(matches!(answer.status, 400 | 403 | 404), "{} {}", answer.status, answer.text());
    }
}
