//! Subscription users, tags, log tanks, quotas, people of office apps as subscribers, and the audit log's words.

use axum::http::StatusCode;

use crate::harness::Bed;
use crate::office::{connected, read};

const HOOK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-000000000001";

#[tokio::test]
async fn a_user_is_made_changed_subscribed_and_deleted() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    assert!(browser.get("/console/users").await.words().contains("No users yet"));
    browser.get("/console/users/new").await;
    let known = ("known", "feishu dingding wechat email https http ");
    let wrong = [("name", "Zoe"), known, ("feishu.endpoint", "https://open.feishu.cn/no"), ("do", "save")];
    let shown = browser.post("/console/users", &wrong).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        shown.html.contains("value=\"Zoe\"") && shown.html.contains("value=\"https://open.feishu.cn/no\"")
    );
    let none = browser.post("/console/users", &[("name", "Zoe"), known, ("do", "save")]).await;
    assert!(none.words().contains("At least one way to reach the user must be given"), "{}", none.words());
    let fields = [
        ("name", "Zoe"),
        ("group", "On call"),
        known,
        ("feishu.endpoint", HOOK),
        ("feishu.sign_secret", "hush-hush-secret"),
        (
            "wechat.endpoint",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000aa",
        ),
        ("do", "save"),
    ];
    let made = browser.post("/console/users", &fields).await.to().to_owned();
    assert!(made.starts_with("/console/users/") && made.ends_with("?done=created"), "{made}");
    let path = made.split('?').next().unwrap().to_owned();
    let shown = browser.get(&path).await;
    assert!(
        shown.words().contains("hook/****0001") && shown.words().contains("key=****00aa"),
        "{}",
        shown.words()
    );
    assert!(!shown.html.contains(HOOK) && !shown.html.contains("hush-hush"));

    let fields = [("name", "Zoe Wu"), ("group", "On call"), known, ("do", "save")];
    assert!(browser.post(&path, &fields).await.to().ends_with("?done=saved"));
    let way = format!("{path}/delete?way=wechat");
    let asked = browser.get(&way).await.words();
    assert!(asked.contains("Remove an address of Zoe Wu?") && asked.contains("WeCom robot"), "{asked}");
    assert!(browser.post(&way, &[("confirm", "wechat")]).await.to().ends_with("?done=saved"));
    let words = browser.get("/console/users").await.words();
    assert!(words.contains("Zoe Wu On call") && !words.contains("00aa"), "{words}");
    assert!(browser.get("/console/users?find=zoe%20w").await.words().contains("Zoe Wu On call"));
    assert!(!browser.get("/console/users?find=Han").await.words().contains("Zoe Wu"));
    browser.get("/console/topics/new").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    let words = browser.get(&path).await.words();
    assert!(words.contains("Subscribe to a topic"), "{words}");
    let to = browser.post(&path, &[("topic", "alerts"), ("do", "subscribe")]).await.to().to_owned();
    assert_eq!(to, "/console/topics/alerts?done=created");
    assert!(browser.get("/console/topics/alerts").await.words().contains("hook/****0001"));

    assert!(browser.get(&format!("{path}/delete")).await.words().contains("Delete the user Zoe Wu?"));
    let gone = browser.post(&format!("{path}/delete"), &[("confirm", "Zoe Wu")]).await;
    assert_eq!(gone.to(), "/console/users?done=deleted");
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    // The log tells of it by name as long as there is one, and says channels in words.
    let words = browser.get("/console/audit").await.words();
    assert!(words.contains("Created a subscription user Zoe Lark / Feishu robot, WeCom robot"), "{words}");
}

#[tokio::test]
async fn tags_and_log_tanks_are_changed_in_the_settings() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    browser.get("/console/topics/new").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    let (settings, tags) = ("/console/topics/alerts/settings", "/console/topics/alerts/tags");
    browser.get(settings).await;
    let put = browser.post(tags, &[("do", "put"), ("key", "team"), ("value", "db")]).await;
    assert_eq!(put.to(), "/console/topics/alerts/settings?done=saved#tags");
    browser.post(tags, &[("do", "put"), ("key", "team"), ("value", "ops")]).await;
    assert!(browser.get(settings).await.words().contains("team = ops"));
    assert!(browser.get("/console/topics/alerts").await.words().contains("team = ops"));
    let refused = browser.post(tags, &[("do", "put"), ("key", ""), ("value", "x")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("id=\"tags-error\" role=\"alert\""), "{}", refused.words());
    browser.post(tags, &[("do", "remove"), ("key", "team"), ("confirm", "team")]).await;
    assert!(!browser.get(settings).await.words().contains("team = ops"));

    // Without a delivery log of the server there are no tanks, and the page says so.
    assert!(browser.get(settings).await.words().contains("The server writes no delivery log"));
    let tanks = "/console/topics/alerts/log-tanks";
    let refused = browser.post(tanks, &[("do", "add"), ("group", "g"), ("stream", "s")]).await;
    assert_eq!(refused.status, StatusCode::NOT_IMPLEMENTED, "{}", refused.words());
}

#[tokio::test]
async fn log_tanks_are_added_renamed_and_refused_beside_their_form() {
    let bed = Bed::logging().await;
    let mut browser = bed.signed_in("en").await;
    browser.get("/console/topics/new").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    let (settings, tanks) = ("/console/topics/alerts/settings", "/console/topics/alerts/log-tanks");
    let refused = browser.post(tanks, &[("do", "add"), ("group", "kept"), ("stream", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("id=\"tanks-error\" role=\"alert\""), "{}", refused.words());
    assert!(refused.html.contains("value=\"kept\""), "what was typed stays");
    let added = browser.post(tanks, &[("do", "add"), ("group", "night"), ("stream", "failed")]).await;
    assert_eq!(added.to(), format!("{settings}?done=saved#tanks"));
    let urn = bed.service.topic_urn(&bed.caller, "alerts").unwrap();
    let tank = bed.service.list_logtanks(&bed.caller, &urn).await.unwrap().remove(0);
    let id = tank.id.to_string();
    let fields = [("do", "change"), ("id", id.as_str()), ("group", "night"), ("stream", "all")];
    assert_eq!(browser.post(tanks, &fields).await.to(), format!("{settings}?done=saved#tanks"));
    let shown = browser.get(settings).await;
    assert!(shown.html.contains("value=\"night\"") && shown.html.contains("value=\"all\""));
    assert!(browser.get("/console/topics/alerts").await.words().contains("night / all"));
    let gone = [("do", "remove"), ("id", "nothing"), ("confirm", "nothing")];
    assert_eq!(browser.post(tanks, &gone).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gone = [("do", "remove"), ("id", id.as_str()), ("confirm", id.as_str())];
    assert_eq!(browser.post(tanks, &gone).await.to(), format!("{settings}?done=saved#tanks"));
    assert!(bed.service.list_logtanks(&bed.caller, &urn).await.unwrap().is_empty());
}

#[tokio::test]
async fn people_of_an_office_app_are_subscribed_and_named_in_the_log() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    browser.get("/console/topics/new").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    let path = "/console/topics/alerts/subscribe/office";
    assert!(browser.get(path).await.words().contains("No app is connected yet"));
    let id = connected(&bed).await;
    read(&bed, id, &["a", "b"]).await;
    let shown = browser.get(&format!("{path}?kind=member&find=b")).await;
    assert!(shown.words().contains("<b>b b Test Subscribe"), "{}", shown.words());
    let endpoint = format!("office:{id}:member:b");
    let fields = [("kind", "member"), ("endpoint", endpoint.as_str()), ("remark", "Bob")];
    assert_eq!(browser.post(path, &fields).await.to(), "/console/topics/alerts?done=created");
    assert!(browser.get("/console/topics/alerts").await.words().contains("Bob"));
    let shown = browser.get(&format!("{path}?kind=department&find=00")).await;
    assert!(shown.words().contains("00 1 Subscribe"), "{}", shown.words());
    let refused = browser.post(path, &[("endpoint", "office:x:member:b")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    browser.get(&format!("/console/office/{id}")).await;
    browser.post(&format!("/console/office/{id}/update"), &[]).await;
    let words = browser.get("/console/audit").await.words();
    assert!(words.contains("Updated a directory 0"), "the connection's name: {words}");
}

#[tokio::test]
async fn who_is_gone_may_become_anybody_who_is_there() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let id = connected(&bed).await;
    let mut names: Vec<String> = (0..30).map(|number| format!("u{number:03}")).collect();
    let all = |names: &[String]| names.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let first = all(&names);
    read(&bed, id, &first.iter().map(String::as_str).collect::<Vec<_>>()).await;
    names.remove(7);
    read(&bed, id, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let path = format!("/console/office/{id}/gone");
    let shown = browser.get(&path).await;
    assert!(shown.words().contains("Somebody else"), "{}", shown.words());
    let gone = shown.html.split("id=\"for-").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let shown = browser.get(&format!("{path}?for={gone}&find=u009")).await;
    assert!(shown.words().contains("<b>u009 u009 This is the one"), "{}", shown.words());
    let into =
        shown.html.split("name=\"into\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let to = browser.post(&format!("{path}/merge"), &[("from", &gone), ("into", &into)]).await;
    assert!(to.to().ends_with("?done=merged"));
    let words = browser.get("/console/audit").await.words();
    assert!(words.contains("Merged a member into another <b>u007 → <b>u009"), "{words}");
}

#[tokio::test]
async fn quotas_stand_on_the_page_about() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let words = browser.get("/console/about").await.words();
    assert!(
        words.contains("Topics 0 / 3,000") && words.contains("Messages a minute to one topic no limit"),
        "{words}"
    );
    let shown = bed.signed_in("zh").await.get("/console/about").await.words();
    assert!(shown.contains("本项目的配额"), "{shown}");
}
