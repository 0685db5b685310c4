//! Message templates.

use axum::http::StatusCode;

use crate::harness::Bed;

#[tokio::test]
async fn a_template_is_written_with_a_preview_changed_and_deleted() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get("/console/templates").await.words().contains("No templates yet"));
    browser.get("/console/templates/new").await;
    // Every chat shows it; what has no value stands as it is written.
    let fields =
        [("name", "alert"), ("content", "{host} is at {load}"), ("value.host", "db-2"), ("do", "preview")];
    let shown = browser.post("/console/templates", &fields).await;
    assert_eq!(shown.status, StatusCode::OK);
    let words = shown.words();
    assert_eq!(words.matches("db-2 is at {load}").count(), 3, "{words}");
    assert!(shown.html.contains("name=\"value.load\"") && shown.html.contains("value=\"db-2\""));
    // A name that is none is told of beside it, and what was typed stays.
    let fields = [("name", "no name"), ("content", "{host} is at {load}"), ("do", "save")];
    let shown = browser.post("/console/templates", &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        shown.html.contains("id=\"name-error\" role=\"alert\"") && shown.html.contains("{host} is at {load}")
    );
    let fields = [("name", "alert"), ("content", "{host} is at {load}"), ("do", "save")];
    let shown = browser.post("/console/templates", &fields).await;
    assert!(shown.to().ends_with("?done=created"), "{}", shown.words());
    let one = shown.to().split('?').next().unwrap().to_owned();
    // One for a channel of its own is shown as that channel shows it.
    let fields = [("name", "alert"), ("protocol", "wechat"), ("content", "{host}!"), ("do", "preview")];
    let words = browser.post("/console/templates", &fields).await.words();
    assert!(words.contains("{host}!") && words.matches("Robot {host}!").count() == 1, "{words}");

    let listed = browser.get("/console/templates").await.words();
    assert!(
        listed.contains("alert Every channel without its own host load") && listed.contains("1 template "),
        "{listed}"
    );
    let shown = browser.post(&one, &[("content", "{host} only"), ("do", "save")]).await;
    assert_eq!(shown.to(), format!("{one}?done=saved"));
    assert!(browser.get(&one).await.words().contains("{host} only"));
    assert!(browser.get(&format!("{one}/delete")).await.words().contains("Delete the template alert?"));
    let id = one.rsplit('/').next().unwrap();
    let shown = browser.post(&format!("{one}/delete"), &[("confirm", id)]).await;
    assert_eq!(shown.to(), "/console/templates?done=deleted");
    assert_eq!(browser.get(&one).await.status, StatusCode::NOT_FOUND);
}
