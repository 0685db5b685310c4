//! Accounts, keys, tokens, passwords, the audit log, about.

use axum::http::StatusCode;

use crate::harness::{Bed, PASSWORD, Shown};

/// The id at the end of where an answer leads.
fn id(shown: &Shown) -> String {
    shown.to().split('?').next().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// What stands in the page's copy buttons.
fn copied(shown: &Shown) -> Vec<String> {
    let parts = shown.html.split("data-copy=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_shown_once_signs_and_is_revoked() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get("/console/keys/new").await.words().contains("New access key"));
    let shown = browser.post("/console/keys", &[("note", "billing"), ("role", "reader")]).await;
    assert_eq!(shown.status, StatusCode::CREATED);
    assert!(shown.words().contains("Copy it now"));
    let [key, secret] = copied(&shown).try_into().unwrap();
    let listed = browser.get("/console/keys").await;
    assert!(listed.words().contains("billing") && listed.html.contains(&key));
    assert!(!listed.html.contains(&secret), "a secret is never shown again");
    let found = bed.service.list_keys(&bed.caller, None, None, 50).await.unwrap();
    assert!(found.iter().any(|it| it.id == key && it.note == "billing" && it.granted.is_some()));
    // What was typed stays.
    let fields = [("note", "kept"), ("role", "publisher"), ("topics", "not a name!")];
    let shown = browser.post("/console/keys", &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("value=\"kept\"") && shown.html.contains("not a name!"));
    assert!(shown.html.contains("id=\"topics-error\" role=\"alert\""));

    assert!(listed.words().contains(&format!("Revoke the key {key}?")));
    let path = format!("/console/keys/{key}/delete");
    assert_eq!(listed.hidden(&path), [("confirm".to_owned(), key.clone())]);
    assert_eq!(browser.post(&path, &[("confirm", &key)]).await.to(), "/console/keys?done=revoked");
    assert!(!browser.get("/console/keys").await.html.contains(&key));
    assert_eq!(browser.post(&path, &[("confirm", &key)]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_has_an_end_and_a_role_and_is_shown_once() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("zh-CN").await;
    browser.get("/console/tokens/new").await;
    let shown = browser.post("/console/tokens", &[("note", "ci"), ("days", "30"), ("role", "")]).await;
    assert_eq!(shown.status, StatusCode::CREATED, "{}", shown.words());
    let [id, token] = copied(&shown).try_into().unwrap();
    let caller = bed.service.caller_by_token(&token.as_str().into()).await.unwrap();
    assert_eq!(caller.account, bed.caller.account);
    let listed = browser.get("/console/tokens").await;
    assert!(listed.html.contains(&id) && !listed.html.contains(&token));
    let found = bed.service.list_tokens(&bed.caller, None, None, 50).await.unwrap();
    let made = found.iter().find(|it| it.id == id).unwrap();
    assert_eq!(made.expires_at.unwrap().0 - made.created_at.0, 30 * 86_400_000);
    let shown = browser.post("/console/tokens", &[("days", "soon")]).await;
    assert!(shown.html.contains("id=\"days-error\" role=\"alert\""));
    let path = format!("/console/tokens/{id}/delete");
    assert_eq!(listed.hidden(&path), [("confirm".to_owned(), id.clone())]);
    browser.post(&path, &[("confirm", &id)]).await;
    assert!(bed.service.caller_by_token(&token.as_str().into()).await.is_err());
}

#[tokio::test]
async fn an_account_is_added_changed_and_removed_by_its_name() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let fields =
        [("name", "paul"), ("password", "tiny-one"), ("role", "publisher"), ("topics", "orders\nweb-*")];
    let shown = browser.post("/console/accounts", &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("value=\"paul\"") && shown.html.contains("web-*"), "{}", shown.html);
    assert!(shown.html.contains("id=\"password-error\" role=\"alert\"") && !shown.html.contains("tiny-one"));
    let fields =
        [("name", "paul"), ("password", PASSWORD), ("role", "publisher"), ("topics", "orders\nweb-*")];
    let shown = browser.post("/console/accounts", &fields).await;
    let paul = id(&shown);
    assert_eq!(shown.to(), format!("/console/accounts/{paul}?done=created"));
    assert!(browser.get("/console/accounts").await.words().contains("paul Publisher orders web-*"));
    let shown = browser.post("/console/accounts", &fields).await;
    assert!(shown.html.contains("id=\"name-error\" role=\"alert\""), "there is one already");

    // A publisher sees its own keys and tokens, its password, and nothing of others.
    let mut his = bed.browser("en");
    his.get("/console/sign-in").await;
    his.post("/console/sign-in", &[("name", "paul"), ("password", PASSWORD)]).await;
    assert_eq!(his.get("/console/accounts").await.status, StatusCode::FORBIDDEN);
    assert_eq!(his.get("/console/audit").await.status, StatusCode::FORBIDDEN);
    let tokens = his.get("/console/tokens").await;
    assert_eq!(tokens.status, StatusCode::OK);
    assert!(!tokens.words().contains("admin ") && !tokens.words().contains("New token"));
    assert!(!his.get("/console/about").await.words().contains("Master keys"));
    assert_eq!(his.post("/console/tokens", &[("days", "1")]).await.status, StatusCode::FORBIDDEN);

    // Another role and password: at once, and his sessions end.
    let shown = browser.post(&format!("/console/accounts/{paul}/role"), &[("role", "reader")]).await;
    assert_eq!(shown.to(), format!("/console/accounts/{paul}?done=saved"));
    assert_eq!(his.get("/console/audit").await.status, StatusCode::OK);
    let words = his.get("/console/accounts").await.words();
    assert!(words.contains("admin") && !words.contains("Add account"), "a reader sees and changes nothing");
    let path = format!("/console/accounts/{paul}/password");
    let shown = browser.post(&path, &[("password", "another long password")]).await;
    assert_eq!(shown.to(), format!("/console/accounts/{paul}?done=password"));
    assert_eq!(his.get("/console/tokens").await.status, StatusCode::SEE_OTHER);

    let path = format!("/console/accounts/{paul}/delete");
    assert!(browser.get(&path).await.words().contains("Remove the account paul?"));
    let shown = browser.post(&path, &[("confirm", "peter")]).await;
    assert!(shown.words().contains("That is not the account's name."));
    assert_eq!(browser.post(&path, &[("confirm", "paul")]).await.to(), "/console/accounts?done=deleted");
    assert_eq!(browser.get(&format!("/console/accounts/{paul}")).await.status, StatusCode::NOT_FOUND);
    // The last administrator stays.
    let admin = bed.caller.account;
    let shown = browser.post(&format!("/console/accounts/{admin}/role"), &[("role", "reader")]).await;
    assert!(shown.words().contains("last administrator"), "{}", shown.words());
}

#[tokio::test]
async fn ones_own_password_ends_every_session() {
    let bed = Bed::fresh().await;
    let (mut browser, mut elsewhere) = (bed.signed_in("en").await, bed.signed_in("en").await);
    browser.get("/console/password").await;
    let new = "a new and longer password";
    let fields = [("present", "not mine"), ("password", new), ("repeated", new)];
    let shown = browser.post("/console/password", &fields).await;
    assert!(shown.html.contains("id=\"present-error\" role=\"alert\""), "{}", shown.words());
    let fields = [("present", PASSWORD), ("password", new), ("repeated", "something else")];
    let shown = browser.post("/console/password", &fields).await;
    assert!(shown.html.contains("id=\"repeated-error\" role=\"alert\""));
    let fields = [("present", PASSWORD), ("password", "short"), ("repeated", "short")];
    let shown = browser.post("/console/password", &fields).await;
    assert!(shown.html.contains("id=\"password-error\" role=\"alert\""));
    let fields = [("present", PASSWORD), ("password", new), ("repeated", new)];
    let shown = browser.post("/console/password", &fields).await;
    assert_eq!(shown.to(), "/console/sign-in?done=password");
    assert!(browser.get(shown.to()).await.words().contains("Your password was changed."));
    for browser in [&mut browser, &mut elsewhere] {
        assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER);
    }
    browser.get("/console/sign-in").await;
    let shown = browser.post("/console/sign-in", &[("name", "admin"), ("password", new)]).await;
    assert_eq!(shown.to(), "/console");
}

#[tokio::test]
async fn the_audit_log_is_filtered_by_its_address() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    browser.get("/console/topics/new").await;
    for number in 0..60 {
        browser.post("/console/topics", &[("name", &format!("topic-{number}"))]).await;
    }
    let shown = browser.get("/console/audit?deed=topic.create").await;
    assert_eq!(shown.html.matches("<tr><td class=\"fit\">").count(), 42);
    let next = shown.html.split("href=\"").find(|it| it.contains("after=")).unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let shown = browser.get(&next).await;
    assert_eq!(shown.html.matches("<tr><td class=\"fit\">").count(), 18);
    assert!(shown.words().contains("Created a topic") && shown.words().contains("in the console"));
    let shown = browser.get("/console/audit?account=nobody").await;
    assert!(shown.words().contains("No line fits the filter."));
    let mut chinese = bed.signed_in("zh-CN").await;
    assert!(chinese.get("/console/audit").await.words().contains("创建主题"));
}

#[tokio::test]
async fn about_tells_the_operator_of_store_and_keys() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let shown = browser.get("/console/about").await.words();
    for part in ["Carillon 1.2.3", "SQLite", "Writable", "Master keys", "Seals now"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
