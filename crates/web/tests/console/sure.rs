//! Whatever is deleted: a form that does not say which thing it means is answered with a page that names the thing and says
//! what goes with it, and changes nothing; what that page sends deletes.

use axum::http::StatusCode;
use carillon_service::logtank::LogNames;

use crate::harness::{Bed, Browser, PASSWORD, Shown};
use crate::office::connected;

const HOOK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-000000000001";
const POLICY: &str = r#"{"Version":"2016-09-07","Id":"x","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"CSP":["*"]},"Action":["SMN:Publish"],"Resource":"urn:smn:local:0970dd7a1300f5672ff2c003c60ae115:alerts"}]}"#;

/// Something that can be deleted.
struct Thing {
    /// Where its form goes.
    form: String,
    /// What the form says before anybody was asked.
    fields: Vec<(&'static str, String)>,
    /// Its name, as the question says it.
    name: String,
    /// What the question says that goes.
    goes: &'static str,
    /// The same in Chinese.
    goes_zh: &'static str,
    /// What is typed, where something must be.
    typed: Option<&'static str>,
    /// The page that shows it, with what it shows there.
    seen: (String, String),
}

fn pairs<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'f str, &'f str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

async fn is_there(browser: &mut Browser, thing: &Thing) -> bool {
    browser.get(&thing.seen.0).await.html.contains(&thing.seen.1)
}

#[track_caller]
fn asked(shown: &Shown, thing: &Thing, goes: &str) {
    let words = shown.words();
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY, "{}: {words}", thing.form);
    assert!(words.contains(&thing.name) && words.contains(goes), "{}: {words}", thing.form);
}

/// Asks, refuses, and at last deletes.
async fn check(bed: &Bed, thing: &Thing) {
    let (mut browser, mut chinese) = (bed.signed_in("en").await, bed.signed_in("zh-CN").await);
    assert!(is_there(&mut browser, thing).await, "{}", thing.form);
    let fields = pairs(&thing.fields);
    asked(&chinese.post(&thing.form, &fields).await, thing, thing.goes_zh);
    let shown = browser.post(&thing.form, &fields).await;
    asked(&shown, thing, thing.goes);
    let mut wrong = fields.clone();
    wrong.push(("confirm", "something else"));
    asked(&browser.post(&thing.form, &wrong).await, thing, thing.goes);
    assert!(is_there(&mut browser, thing).await, "{} changed something", thing.form);

    let mut hidden = shown.hidden(&thing.form.replace('&', "&#38;"));
    match thing.typed {
        Some(name) => {
            assert!(!hidden.iter().any(|(field, _)| field == "confirm"), "{}: it must be typed", thing.form);
            hidden.push(("confirm".to_owned(), name.to_owned()));
        }
        None => assert!(hidden.iter().any(|(field, _)| field == "confirm"), "{}: {hidden:?}", thing.form),
    }
    let fields: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let gone = browser.post(&thing.form, &fields).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}: {}", thing.form, gone.words());
    assert!(!is_there(&mut browser, thing).await, "{} is still there", thing.form);
}

#[tokio::test]
async fn what_hangs_on_a_topic_and_the_topic() {
    let bed = Bed::logging().await;
    let mut browser = bed.signed_in("en").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    browser.post("/console/topics/alerts/tags", &[("key", "team"), ("value", "db")]).await;
    browser.post("/console/topics/alerts/settings", &[("policy", POLICY), ("seconds", "300")]).await;
    let urn = bed.service.topic_urn(&bed.caller, "alerts").unwrap();
    let names = LogNames { group: "nightly".to_owned(), stream: "failures".to_owned() };
    let tank = bed.service.create_logtank(&bed.caller, &urn, names).await.unwrap().to_string();
    let here = "/console/topics/alerts".to_owned();
    let settings = format!("{here}/settings");
    let seen = |words: &str| (settings.clone(), words.to_owned());
    let things = [
        Thing {
            form: format!("{here}/tags"),
            fields: vec![("do", "remove".to_owned()), ("key", "team".to_owned())],
            name: "team".to_owned(),
            goes: "does not find this one any more",
            goes_zh: "按此标签查找将不再找到该主题",
            typed: None,
            seen: seen("team = db"),
        },
        Thing {
            form: format!("{here}/log-tanks"),
            fields: vec![("do", "remove".to_owned()), ("id", tank)],
            name: "nightly / failures".to_owned(),
            goes: "no longer written under this group and stream",
            goes_zh: "不再写入此日志组和日志流",
            typed: None,
            seen: seen("value=\"failures\""),
        },
        Thing {
            form: settings.clone(),
            fields: vec![("policy", String::new()), ("seconds", "300".to_owned())],
            name: "alerts".to_owned(),
            goes: "only this project publishes and subscribes",
            goes_zh: "仅本项目可以发布和订阅",
            typed: None,
            seen: seen("SMN:Publish"),
        },
        Thing {
            form: format!("{here}/delete"),
            fields: Vec::new(),
            name: "alerts".to_owned(),
            goes: "0 subscriptions, with their addresses and secrets",
            goes_zh: "0 个订阅及其地址和密钥",
            typed: Some("alerts"),
            seen: ("/console/topics".to_owned(), ">alerts<".to_owned()),
        },
    ];
    for thing in things {
        check(&bed, &thing).await;
        if thing.form == settings {
            let kept = bed.service.topic_suppression(&bed.caller, &urn).await.unwrap();
            assert_eq!(kept, 300, "what stands beside it on the form is saved as it was typed");
        }
    }
}

#[tokio::test]
async fn a_subscription_and_its_filter_policy() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    browser.post("/console/topics", &[("name", "alerts")]).await;
    let fields = [("endpoint", HOOK), ("remark", "Night shift"), ("do", "save")];
    browser.post("/console/topics/alerts/subscribe/lark", &fields).await;
    let html = browser.get("/console/topics/alerts").await.html;
    let page = html.split("href=\"").find(|it| it.starts_with("/console/topics/alerts/subscriptions/"));
    let page = page.unwrap().split('"').next().unwrap().to_owned();
    let fields = [("remark", "Night shift"), ("filter", "level: high")];
    assert_eq!(browser.post(&page, &fields).await.status, StatusCode::SEE_OTHER);
    let filter = Thing {
        form: page.clone(),
        fields: vec![("remark", "Night shift".to_owned()), ("filter", String::new())],
        name: "Night shift".to_owned(),
        goes: "level: high",
        goes_zh: "此后该主题的所有消息都会发送到此",
        typed: None,
        seen: (page.clone(), "level: high".to_owned()),
    };
    check(&bed, &filter).await;
    let subscription = Thing {
        form: format!("{page}/delete"),
        fields: Vec::new(),
        name: "Night shift".to_owned(),
        goes: "Its address and secrets, erased for good",
        goes_zh: "其地址与密钥，永久清除",
        typed: None,
        seen: ("/console/topics/alerts".to_owned(), "Night shift".to_owned()),
    };
    check(&bed, &subscription).await;
}

#[tokio::test]
async fn a_user_with_its_addresses_and_a_template() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let robot = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000aa";
    let fields =
        [("name", "Zoe"), ("known", "feishu wechat "), ("feishu.endpoint", HOOK), ("wechat.endpoint", robot)];
    let user = browser.post("/console/users", &fields).await.to().split('?').next().unwrap().to_owned();
    let way = Thing {
        form: format!("{user}/delete?way=wechat"),
        fields: Vec::new(),
        name: "Zoe".to_owned(),
        goes: "The address with its secrets, erased for good",
        goes_zh: "该地址及其密钥，永久清除",
        typed: None,
        seen: (user.clone(), "****00aa".to_owned()),
    };
    check(&bed, &way).await;
    let whole = Thing {
        form: format!("{user}/delete"),
        fields: Vec::new(),
        name: "Zoe".to_owned(),
        goes: "These addresses with their secrets, erased for good",
        goes_zh: "以上地址及其密钥，永久清除",
        typed: Some("Zoe"),
        seen: ("/console/users".to_owned(), "Zoe".to_owned()),
    };
    check(&bed, &whole).await;

    let fields = [("name", "disk-full"), ("content", "{host}"), ("do", "save")];
    let made = browser.post("/console/templates", &fields).await;
    let template = Thing {
        form: format!("{}/delete", made.to().split('?').next().unwrap()),
        fields: Vec::new(),
        name: "disk-full".to_owned(),
        goes: "a publish that names it is refused from then on",
        goes_zh: "此后引用它的发布会被拒绝",
        typed: None,
        seen: ("/console/templates".to_owned(), "disk-full".to_owned()),
    };
    check(&bed, &template).await;
}

#[tokio::test]
async fn accounts_keys_and_tokens() {
    let bed = Bed::fresh().await;
    let mut browser = bed.signed_in("en").await;
    let fields = [("name", "paula"), ("password", PASSWORD), ("role", "reader")];
    let account = browser.post("/console/accounts", &fields).await.to().split('?').next().unwrap().to_owned();
    browser.post("/console/keys", &[("note", "billing")]).await;
    browser.post("/console/tokens", &[("note", "nightly"), ("days", "1")]).await;
    let key = bed.service.list_keys(&bed.caller, None, None, 50).await.unwrap();
    let key = key.into_iter().find(|it| it.note == "billing").unwrap().id;
    let token = bed.service.list_tokens(&bed.caller, None, None, 50).await.unwrap();
    let token = token.into_iter().find(|it| it.note == "nightly").unwrap().id;
    let revoked = |kind: &str, id: String, note: &str| Thing {
        form: format!("/console/{kind}/{id}/delete"),
        fields: Vec::new(),
        name: id,
        goes: "refused at once. It cannot be brought back.",
        goes_zh: "立即被拒绝，且无法恢复。",
        typed: None,
        seen: (format!("/console/{kind}"), note.to_owned()),
    };
    let removed = Thing {
        form: format!("{account}/delete"),
        fields: Vec::new(),
        name: "paula".to_owned(),
        goes: "0 tokens, at once",
        goes_zh: "0 个令牌",
        typed: Some("paula"),
        seen: ("/console/accounts".to_owned(), "paula".to_owned()),
    };
    for thing in [revoked("keys", key, "billing"), revoked("tokens", token, "nightly"), removed] {
        check(&bed, &thing).await;
    }
}

#[tokio::test]
async fn a_connection_with_its_groups_and_events() {
    let bed = Bed::fresh().await;
    let id = connected(&bed).await;
    let secrets = carillon_service::callback::both(
        Some("a-verification-token".into()),
        Some("an-encrypt-key-of-lark".into()),
    );
    bed.service.set_callback(&bed.caller, id, secrets.unwrap()).await.unwrap();
    let group = bed.service.put_group(&bed.caller, id, "On call".to_owned(), Vec::new()).await.unwrap();
    let here = format!("/console/office/{id}");
    let mut browser = bed.signed_in("en").await;
    browser.post(&format!("{here}/settings"), &[("name", "Head office")]).await;
    for thing in [
        Thing {
            form: format!("{here}/callback"),
            fields: vec![("token", String::new()), ("key", String::new())],
            name: "Head office".to_owned(),
            goes: "The token and the key that prove them, erased for good",
            goes_zh: "用于校验的令牌与密钥，永久清除",
            typed: None,
            seen: (here.clone(), "Nothing heard yet".to_owned()),
        },
        Thing {
            form: format!("{here}/groups/{group}/delete"),
            fields: Vec::new(),
            name: "On call".to_owned(),
            goes: "subscriptions that name it reach nobody",
            goes_zh: "引用它的订阅将无法送达",
            typed: None,
            seen: (format!("{here}/groups"), "On call".to_owned()),
        },
        Thing {
            form: format!("{here}/delete"),
            fields: Vec::new(),
            name: "Head office".to_owned(),
            goes: "Its groups of people, and its record of updates",
            goes_zh: "人员组和更新记录",
            typed: Some("Head office"),
            seen: ("/console/office".to_owned(), "Head office".to_owned()),
        },
    ] {
        check(&bed, &thing).await;
    }
}
