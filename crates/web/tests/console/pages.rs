//! What pages show and do.

use axum::http::StatusCode;

use crate::harness::Bed;

#[tokio::test]
async fn a_topic_is_made_changed_and_deleted_by_its_name() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get("/console").await.words().contains("Create the first topic"));
    // What was typed stays, and what is wrong stands beside it.
    let shown = browser.post("/console/topics", &[("name", "not good"), ("display_name", "Kept")]).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("value=\"not good\"") && shown.html.contains("value=\"Kept\""));
    assert!(shown.html.contains("id=\"name-error\" role=\"alert\""), "{}", shown.html);
    let shown = browser.post("/console/topics", &[("name", "alerts"), ("display_name", "Alerts")]).await;
    assert_eq!(shown.to(), "/console/topics/alerts?done=created");
    let shown = browser.get("/console/topics/alerts?done=created").await;
    assert!(shown.words().contains("Created.") && shown.words().contains("Nobody gets these messages yet"));
    let shown = browser.post("/console/topics", &[("name", "alerts")]).await;
    assert!(shown.words().contains("There is a topic of that name already"));

    let fields = [("display_name", "All alerts"), ("introduction", "Ask operations"), ("policy", "")];
    let shown = browser.post("/console/topics/alerts/settings", &fields).await;
    assert_eq!(shown.to(), "/console/topics/alerts?done=saved");
    let words = browser.get("/console/topics/alerts").await.words();
    assert!(words.contains("All alerts") && words.contains("Ask operations"));
    let fields = [("display_name", "Lost?"), ("introduction", "x"), ("policy", "{no json")];
    let shown = browser.post("/console/topics/alerts/settings", &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("{no json") && shown.html.contains("policy-error\" role=\"alert\""));
    assert!(shown.html.contains("value=\"Lost?\""));

    assert!(browser.get("/console/topics/alerts/delete").await.words().contains("Delete the topic alerts?"));
    let shown = browser.post("/console/topics/alerts/delete", &[("confirm", "alert")]).await;
    assert!(shown.words().contains("That is not the topic's name."));
    let shown = browser.post("/console/topics/alerts/delete", &[("confirm", "alerts")]).await;
    assert_eq!(shown.to(), "/console/topics?done=deleted");
    assert_eq!(browser.get("/console/topics/alerts").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_are_found_and_paged_by_their_address() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    for number in 0..60 {
        browser.post("/console/topics", &[("name", &format!("topic-{number:02}"))]).await;
    }
    let shown = browser.get("/console/topics").await;
    assert!(shown.words().contains("60 topics"));
    assert!(
        shown.html.contains("href=\"/console/topics?find=&#38;after=50\"") || shown.html.contains("after=50")
    );
    assert_eq!(shown.html.matches("<tr><td").count(), 50);
    let shown = browser.get("/console/topics?find=&after=50").await;
    assert_eq!(shown.html.matches("<tr><td").count(), 10);
    let shown = browser.get("/console/topics?find=-1").await;
    assert_eq!(shown.html.matches("<tr><td").count(), 10);
    assert!(shown.html.contains("value=\"-1\""));
    assert!(
        browser
            .get("/console/topics?find=nothing")
            .await
            .words()
            .contains("No topic's name holds that text.")
    );
}

#[tokio::test]
async fn hostile_text_is_only_text() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
    browser.post("/console/topics", &[("name", "hostile"), ("display_name", hostile)]).await;
    browser.post("/console/topics", &[("name", hostile), ("display_name", hostile)]).await;
    let find = format!("/console/topics?find={}", "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    for path in [
        "/console",
        "/console/topics",
        &find,
        "/console/topics/hostile",
        "/console/topics/hostile/settings",
        "/console/topics/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/console/messages?topic=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/console/messages/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/console/nowhere?%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ] {
        let html = browser.get(path).await.html;
        assert!(!html.contains("<script>") && !html.contains("<img src=x"), "{path}");
    }
}

#[tokio::test]
async fn language_and_theme_are_remembered() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get("/console").await.html.contains("lang=\"en\" data-theme=\"auto\""));
    let shown = browser.post("/console/look", &[("lang", "zh-CN"), ("back", "/console/topics")]).await;
    assert_eq!(shown.to(), "/console/topics");
    browser.post("/console/look", &[("theme", "dark"), ("back", "//evil.example")]).await;
    let shown = browser.get("/console").await;
    assert!(shown.html.contains("lang=\"zh-CN\" data-theme=\"dark\""));
    assert!(shown.words().contains("总览"));
}
