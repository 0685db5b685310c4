//! Office apps: what pages show of them, and what they do. The platform itself is met by the browser tests.

use axum::http::StatusCode;
use carillon_model::id::{ConnectionId, RunId};
use carillon_model::office::connection::LarkApp;
use carillon_model::office::{App, Department, Member, Platform, Range};
use carillon_store::office_run::Progress;
use carillon_store::office_staged::Staged;

use crate::harness::Bed;
use crate::language::in_one_language;

const SECRET: &str = "lark-secret-00112233445566";

pub(crate) async fn connected(bed: &Bed) -> ConnectionId {
    let app = App::Lark(LarkApp { app_id: "cli_a1b2c3d4e5f6a7b8".into(), app_secret: SECRET.into() });
    bed.store.connection_add(&bed.caller.project, "0".to_owned(), app).await.unwrap();
    bed.store.connection_list(&bed.caller.project).await.unwrap().remove(0).id
}

fn member(id: &str) -> Member {
    Member {
        user_id: id.to_owned(),
        open_id: None,
        union_id: None,
        name: format!("<b>{id}"),
        left: false,
        departments: vec!["1".to_owned()],
    }
}

/// Reads a directory of these members to its end.
pub(crate) async fn read(bed: &Bed, connection: ConnectionId, members: &[&str]) -> RunId {
    let run = bed.store.run_begin(connection, "admin".to_owned()).await.unwrap();
    let department = Department { id: "1".to_owned(), other_id: None, parent: None, name: "00".to_owned() };
    let staged = Staged {
        departments: vec![department],
        members: members.iter().map(|id| member(id)).collect(),
        chats: Vec::new(),
    };
    let range = Some(Range { all: true, ..Range::default() });
    let progress = Progress { calls: 3, missing: vec!["0:0".to_owned()], range };
    assert!(bed.store.run_stage(run, Platform::Lark, staged, progress).await.unwrap());
    bed.store.run_finish(run).await.unwrap();
    run
}

#[tokio::test]
async fn what_is_typed_is_kept_but_for_the_secret() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get("/console/office").await.words().contains("No app is connected yet"));
    assert!(browser.get("/console/office/new").await.words().contains("DingTalk"));
    assert_eq!(browser.get("/console/office/new/slack").await.status, StatusCode::NOT_FOUND);
    browser.get("/console/office/new/wecom").await;
    let fields = [("name", "Shop"), ("corp_id", "ww1"), ("agent_id", "seven"), ("app_secret", "hush-hush")];
    let shown = browser.post("/console/office/new/wecom", &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.html.contains("id=\"agent_id-error\" role=\"alert\""), "{}", shown.words());
    assert!(shown.html.contains("value=\"ww1\"") && shown.html.contains("value=\"Shop\""));
    assert!(!shown.html.contains("hush-hush"), "a secret is never sent back");
    let fields = [("name", "x"), ("app_id", "cli_1"), ("app_secret", "hush-hush")];
    let shown = browser.post("/console/office/new/lark", &fields).await;
    assert!(shown.html.contains("id=\"platform-error\" role=\"alert\""), "{}", shown.words());
    let fields = [("name", "x"), ("platform", "lark"), ("app_id", "cli_1")];
    let shown = browser.post("/console/office/new/lark", &fields).await;
    assert!(shown.html.contains("id=\"app_secret-error\" role=\"alert\""), "{}", shown.words());
    let fields = [("name", " "), ("app_id", "cli_1"), ("app_secret", "hush-hush")];
    let shown = browser.post("/console/office/new/dingtalk", &fields).await;
    assert!(shown.html.contains("id=\"name-error\" role=\"alert\""), "{}", shown.words());
}

#[tokio::test]
async fn an_update_shows_how_far_it_is_and_asks() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let id = connected(&bed).await;
    let path = format!("/console/office/{id}");
    let shown = browser.get(&path).await;
    assert!(shown.words().contains("The directory was not read yet") && !shown.html.contains("every 1s"));
    assert!(!shown.html.contains("cli_a1b2c3d4e5f6a7b8") && !shown.html.contains(SECRET));
    // While it runs, the page asks for itself.
    assert_eq!(browser.post(&format!("{path}/update"), &[]).await.to(), path);
    let shown = browser.get(&path).await;
    assert!(
        shown.words().contains("Reading the directory") && shown.html.contains("hx-trigger=\"every 1s\"")
    );
    let run = bed.store.run_list(id, 1).await.unwrap()[0].id;
    let shown = browser.post(&format!("{path}/updates/{run}/cancel"), &[]).await;
    assert_eq!(shown.to(), format!("{path}?done=ended"));
    let shown = browser.get(shown.to()).await;
    assert!(shown.words().contains("Cancelled by admin.") && !shown.html.contains("every 1s"));

    read(&bed, id, &["a", "b", "c"]).await;
    let shown = browser.get(&path).await.words();
    assert!(shown.contains("+3") && shown.contains("Missing permissions: 0:0"), "{shown}");
    let run = read(&bed, id, &["a"]).await;
    let run = format!("{path}/updates/{run}");
    let shown = browser.get(&run).await;
    assert!(shown.words().contains("2 of 3 members would be marked as gone."), "{}", shown.words());
    assert!(shown.html.contains("<b>&#60;b&#62;b</b>") && !shown.html.contains("<b>b"), "names are text");
    assert!(browser.get(&format!("{run}?change=added")).await.words().contains("Nothing changes."));
    assert_eq!(browser.post(&format!("{run}/confirm"), &[]).await.to(), format!("{path}?done=confirmed"));
    let shown = browser.get(&run).await;
    assert!(!shown.words().contains("Is this meant?") && shown.status == StatusCode::OK);
    assert_eq!(browser.post(&format!("{run}/confirm"), &[]).await.status, StatusCode::CONFLICT);
    assert_eq!(browser.get(&format!("{path}/updates/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_with_a_connections_forms_stands_beside_them() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let path = format!("/console/office/{}", connected(&bed).await);
    browser.get(&path).await;
    for (form, field, typed) in [("calls", "limit", "many"), ("notices", "notices", "no-such-topic")] {
        let shown = browser.post(&format!("{path}/{form}"), &[(field, typed)]).await;
        assert!(shown.status.is_client_error(), "{form}: {}", shown.words());
        assert!(shown.html.contains(&format!("id=\"{field}-error\" role=\"alert\"")), "{}", shown.words());
        assert!(shown.html.contains(&format!("value=\"{typed}\"")), "{form}: what was typed stays");
    }
    let shown = browser.post(&format!("{path}/callback"), &[("token", "hush-hush")]).await;
    assert!(shown.html.contains("id=\"callback-error\" role=\"alert\""), "{}", shown.words());
    assert!(!shown.html.contains("hush-hush"));
}

#[tokio::test]
async fn a_connection_is_renamed_and_deleted_by_its_name() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let path = format!("/console/office/{}", connected(&bed).await);
    browser.get(&path).await;
    let shown = browser.post(&format!("{path}/settings"), &[("name", "Head office")]).await;
    assert_eq!(shown.to(), format!("{path}?done=saved"));
    // Credentials are changed all together.
    let shown = browser.post(&format!("{path}/settings"), &[("name", "Lost?"), ("app_id", "cli_2")]).await;
    assert!(shown.html.contains("id=\"app_secret-error\" role=\"alert\"") && shown.html.contains("cli_2"));
    assert!(browser.get("/console/office").await.words().contains("Head office ****a7b8"));
    let path = format!("{path}/delete");
    assert!(browser.get(&path).await.words().contains("Delete the connection Head office?"));
    let shown = browser.post(&path, &[("confirm", "head")]).await;
    assert!(shown.words().contains("That is not the connection's name."));
    assert_eq!(browser.post(&path, &[("confirm", "Head office")]).await.to(), "/console/office?done=deleted");
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_pages_of_office_apps_are_in_one_language() {
    let bed = Bed::fresh().await;
    in_one_language(&bed, &["/console/office"]).await;
    let id = connected(&bed).await;
    let path = format!("/console/office/{id}");
    in_one_language(&bed, &[&path]).await;
    read(&bed, id, &["a", "b", "c"]).await;
    let run = read(&bed, id, &["a"]).await;
    let mut paths: Vec<String> =
        ["", "/check", "/settings", "/delete"].iter().map(|rest| format!("{path}{rest}")).collect();
    paths.push(format!("{path}/updates/{run}"));
    bed.store.run_confirm(run).await.unwrap();
    let group = bed.service.put_group(&bed.caller, id, "0".to_owned(), Vec::new()).await.unwrap();
    let tabs = ["members", "members?find=9", "departments", "chats", "groups", "gone", "bind"];
    paths.extend(tabs.map(|tab| format!("{path}/{tab}")));
    paths.push(format!("{path}/groups/{group}?find=a"));
    paths.extend(["", "/lark", "/dingtalk", "/wecom"].map(|rest| format!("/console/office/new{rest}")));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    in_one_language(&bed, &paths).await;
}
