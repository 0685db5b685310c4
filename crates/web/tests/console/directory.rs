//! The directory of an office app: people, departments, groups, who is gone.

use axum::http::StatusCode;

use crate::harness::Bed;
use crate::office::{connected, read};

#[tokio::test]
async fn people_are_searched_and_paged() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let id = connected(&bed).await;
    let path = format!("/console/office/{id}");
    assert!(browser.get(&format!("{path}/members")).await.words().contains("Nobody was read yet."));
    let names: Vec<String> = (0..60).map(|number| format!("u{number:03}")).collect();
    read(&bed, id, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let shown = browser.get(&format!("{path}/members")).await;
    assert_eq!(shown.words().matches(" There ").count(), 50);
    assert!(!shown.html.contains("<b>u"), "names are text");
    let next = shown.html.split("href=\"").find(|it| it.contains("after=")).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(browser.get(&next).await.words().matches(" There ").count(), 10);
    let shown = browser.get(&format!("{path}/members?find=u007")).await;
    assert_eq!(shown.words().matches(" There ").count(), 1);
    let shown = browser.get(&format!("{path}/members?department=1&find=u00")).await.words();
    assert!(shown.contains("In 00 directly") && shown.matches(" There ").count() == 10, "{shown}");
    let shown = browser.get(&format!("{path}/members?department=2")).await.words();
    assert!(shown.contains("Nobody fits."));
    assert!(browser.get(&format!("{path}/departments")).await.words().contains("00 60 members directly"));
    assert!(browser.get(&format!("{path}/chats")).await.words().contains("The bot is in no chat yet."));
}

#[tokio::test]
async fn a_group_is_made_filled_counted_and_deleted() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let id = connected(&bed).await;
    read(&bed, id, &["a", "b", "c"]).await;
    let path = format!("/console/office/{id}/groups");
    assert!(browser.get(&path).await.words().contains("No groups yet"));
    let shown = browser.post(&path, &[("name", "On call")]).await;
    let group = shown.to().to_owned();
    assert!(group.starts_with(&path), "{}", shown.words());
    let shown = browser.post(&path, &[("name", "On call")]).await;
    assert!(shown.html.contains("id=\"name-error\" role=\"alert\""), "made again it would be emptied");
    let shown = browser.post(&path, &[("name", " ")]).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.get(&format!("{group}?find=b")).await.words().contains("<b>b b Add"));
    browser.post(&group, &[("do", "add"), ("kind", "member"), ("id", "b")]).await;
    browser.post(&group, &[("do", "add"), ("kind", "department"), ("id", "1")]).await;
    let shown = browser.get(&format!("{group}?find=b")).await.words();
    assert!(shown.contains("<b>b Member b Take out") && shown.contains("In the group"), "{shown}");
    assert!(shown.contains("00 Department with all below it 1 Take out"), "{shown}");
    // The department holds the member already: each is reached once.
    let shown = browser.post(&format!("{group}/reach"), &[]).await.words();
    assert!(shown.contains("3 people are reached at this moment"), "{shown}");
    browser.post(&group, &[("do", "remove"), ("kind", "department"), ("id", "1")]).await;
    assert!(browser.get(&path).await.words().contains("On call 1 member · 0 departments"));
    let shown = browser.post(&group, &[("do", "add"), ("kind", "everybody"), ("id", "1")]).await;
    assert_eq!(shown.status, StatusCode::BAD_REQUEST);
    let asked = browser.get(&group).await;
    let words = asked.words();
    assert!(words.contains("Delete the group On call?") && words.contains("reach nobody. Its people stay."));
    let path_of = format!("{group}/delete");
    let fields = asked.hidden(&path_of);
    let shown = browser.post(&path_of, &[("confirm", &fields[0].1)]).await;
    assert_eq!(shown.to(), format!("{path}?done=deleted"));
    assert_eq!(browser.get(&group).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn somebody_who_came_back_is_merged() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let id = connected(&bed).await;
    let path = format!("/console/office/{id}/gone");
    assert!(browser.get(&path).await.words().contains("Nobody is gone"));
    read(&bed, id, &["a", "b"]).await;
    let run = read(&bed, id, &["b", "a2"]).await;
    bed.store.run_confirm(run).await.unwrap();
    let shown = browser.get(&path).await;
    assert!(shown.words().contains("Nothing names this member any more."), "{}", shown.words());
    let gone = bed.service.list_gone(&bed.caller, id, None, 9).await.unwrap().remove(0);
    let (from, into) = (gone.member.id.to_string(), gone.candidates.first().map(|it| it.0.id.to_string()));
    // The names differ here, so that nobody is offered; whoever knows better says so all the same.
    let members = carillon_model::office::RecipientKind::Member;
    let all = bed
        .service
        .list_reachable(&bed.caller, id, members, carillon_service::RecipientFilter::default(), None, 9)
        .await;
    let back = all.unwrap().into_iter().find(|one| one.platform_id == "a2").unwrap().id.to_string();
    let into = into.unwrap_or(back);
    let merge = format!("{path}/merge");
    let shown = browser.post(&merge, &[("from", &into), ("into", &from)]).await;
    assert_eq!(shown.status, StatusCode::BAD_REQUEST, "who is there is not gone");
    let shown = browser.post(&merge, &[("from", &from), ("into", &into)]).await;
    assert_eq!(shown.to(), format!("{path}?done=merged"), "{}", shown.words());
    assert!(browser.get(&path).await.words().contains("Is another member now"));
    let shown = browser.post(&format!("{path}/unmerge"), &[("from", &from)]).await;
    assert_eq!(shown.to(), format!("{path}?done=unmerged"));
    assert!(!browser.get(&path).await.words().contains("Is another member now"));
}
