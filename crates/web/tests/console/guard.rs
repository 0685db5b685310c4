//! Who is let in, and what a page may do.

use std::time::Duration;

use axum::http::{StatusCode, header};
use carillon_model::limits;
use carillon_web::console;

use crate::harness::{Bed, PASSWORD};

#[tokio::test]
async fn nobody_sees_a_page_and_comes_back_to_it_after_signing_in() {
    let bed = Bed::fresh().await;
    let mut browser = bed.browser("en");
    let shown = browser.get("/console/topics?find=a").await;
    assert_eq!(shown.status, StatusCode::SEE_OTHER);
    assert_eq!(shown.to(), "/console/sign-in?next=%2Fconsole%2Ftopics%3Ffind%3Da");
    let shown = browser.get(shown.to()).await;
    assert!(shown.words().contains("bootstrap.json"), "the first start is explained");
    let fields = [("name", "admin"), ("password", PASSWORD), ("next", "/console/topics?find=a")];
    let shown = browser.post("/console/sign-in", &fields).await;
    assert_eq!(shown.to(), "/console/topics?find=a");
    assert_eq!(browser.get("/console/topics?find=a").await.status, StatusCode::OK);
    // Another site is never gone on to.
    let fields = [("name", "admin"), ("password", PASSWORD), ("next", "https://evil.example/")];
    browser.get("/console").await;
    assert_eq!(browser.post("/console/sign-in", &fields).await.to(), "/console");
}

#[tokio::test]
async fn a_session_is_fresh_guarded_and_ends() {
    let bed = Bed::with(console::Settings { secure: true, version: "" }).await;
    let mut browser = bed.browser("en");
    browser.get("/console/sign-in").await;
    browser.cookies.insert("carillon_session".to_owned(), "planted-by-somebody-else".to_owned());
    browser.get("/console/sign-in").await;
    let shown = browser.post("/console/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    let cookies: Vec<_> =
        shown.headers.get_all(header::SET_COOKIE).iter().map(|it| it.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("carillon_session=")).unwrap();
    for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/console"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_ne!(browser.cookies["carillon_session"], "planted-by-somebody-else");
    assert_eq!(browser.get("/console").await.status, StatusCode::OK);
    // Used now and then it lasts, left alone it ends.
    for _ in 0..3 {
        bed.clock.advance(limits::SESSION_IDLE - Duration::from_secs(1));
        assert_eq!(browser.get("/console").await.status, StatusCode::OK);
    }
    bed.clock.advance(limits::SESSION_IDLE);
    assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER);
    // Signing out ends it on the server, not only in the browser.
    let mut browser = bed.signed_in("en").await;
    let kept = browser.cookies.clone();
    assert_eq!(browser.post("/console/sign-out", &[]).await.to(), "/console/sign-in");
    browser.cookies = kept;
    assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let paths = [
        "/console/topics",
        "/console/sign-out",
        "/console/look",
        "/console/topics/a/settings",
        "/console/topics/a/delete",
        "/console/topics/a/publish",
        "/console/topics/a/subscribe/lark",
        "/console/topics/a/subscriptions/a",
        "/console/topics/a/subscriptions/a/delete",
        "/console/messages/a/resend",
        "/console/messages/a/cancel",
        "/console/deliveries/a/resend",
        "/console/deliveries/a/cancel",
        "/console/endpoints/a/resume",
        "/console/accounts",
        "/console/accounts/a/role",
        "/console/accounts/a/password",
        "/console/accounts/a/delete",
        "/console/keys",
        "/console/keys/a/delete",
        "/console/tokens",
        "/console/tokens/a/delete",
        "/console/password",
        "/console/office/new/lark",
        "/console/office/a/settings",
        "/console/office/a/delete",
        "/console/office/a/check",
        "/console/office/a/update",
        "/console/office/a/updates/a/confirm",
        "/console/office/a/updates/a/cancel",
        "/console/office/a/groups",
        "/console/office/a/groups/a",
        "/console/office/a/groups/a/reach",
        "/console/office/a/groups/a/delete",
        "/console/office/a/gone/merge",
        "/console/office/a/gone/unmerge",
        "/console/office/a/bind",
    ];
    for csrf in ["", "made-up"] {
        for path in paths {
            browser.csrf = csrf.to_owned();
            let shown = browser.post(path, &[("name", "stolen")]).await;
            assert_eq!(shown.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    assert!(!browser.get("/console/topics").await.words().contains("stolen"));
}

#[tokio::test]
async fn wrong_passwords_lock_the_name_in_the_console_too() {
    let bed = Bed::fresh().await;
    let mut browser = bed.browser("en");
    browser.get("/console/sign-in").await;
    for _ in 0..limits::SIGN_IN_FAILURES_MAX {
        let shown = browser.post("/console/sign-in", &[("name", "admin"), ("password", "guess")]).await;
        assert_eq!(shown.status, StatusCode::UNAUTHORIZED);
        assert!(shown.words().contains("The account or the password is wrong."));
        assert!(!shown.html.contains("guess"), "a password is never shown again");
        assert!(shown.html.contains("value=\"admin\""), "the name is kept");
    }
    let shown = browser.post("/console/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert!(shown.words().contains("Locked for 5 minutes"));
}

#[tokio::test]
async fn nothing_inline_and_nothing_from_elsewhere() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    for path in ["/console", "/console/sign-in", "/console/topics/new", "/console/nowhere"] {
        let mut browser =
            if path.ends_with("sign-in") { bed.browser("en") } else { bed.signed_in("en").await };
        let shown = browser.get(path).await;
        let policy = shown.headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "http://", "https://"] {
            let html = shown.html.replace("http://www.w3.org/2000/svg", "");
            assert!(!html.contains(inline), "{path} has {inline}");
        }
    }
    let shown = browser.get("/console").await;
    let script = shown.html.split("src=\"").find(|it| it.contains("console.js")).unwrap();
    let script = browser.get(script.split('"').next().unwrap()).await;
    assert!(script.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(script.html.contains("htmx:afterSwap"));
    let nothing = browser.get("/console/assets/0/nothing").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}
