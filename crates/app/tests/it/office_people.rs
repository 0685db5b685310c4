//! Members by mail address and phone number, and members who came back under a new id.

use carillon_simulator::Platform;
use serde_json::{Value, json};

use crate::client::{Api, Auth};
use crate::harness::{Start, TOKEN, home, program, run};
use crate::office::{APP_ID, app, connect, ended, start_with, update};

async fn bind(api: &Api, connection: &str, body: &Value) -> Vec<Value> {
    let path = format!("/api/v1/connections/{connection}/bindings");
    api.post(&path, body).await.expect(200).json()["bindings"].as_array().unwrap().clone()
}

/// Whom each contact belongs to, or why to nobody.
fn became(bindings: &[Value]) -> Vec<&str> {
    bindings
        .iter()
        .map(|it| it["platform_user_id"].as_str().or_else(|| it["reason"].as_str()).unwrap())
        .collect()
}

async fn each_has_its_reason(platform: Platform, expected: &[&str]) {
    let (home, platforms) = (home(), start_with(app(platform)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, platform).await;
    update(&api, &connection).await;
    platforms.change_office(APP_ID, |app| {
        let mut joined = app.members[0].clone();
        joined.id = "u90000".to_owned();
        joined.mobile = Some("13912345678".to_owned());
        app.members.push(joined);
    });
    let body = json!({ "emails": ["U3@company.example", "nobody@company.example", "not an address"],
                       "phones": ["+86 138 0000 0005", "13800000005", "13912345678", "13999999999"] });
    assert_eq!(became(&bind(&api, &connection, &body).await), expected, "{platform:?}");

    // From now on the contact is good as a recipient; one that is not bound is told.
    let push = json!({ "connection_id": connection, "text": "by phone",
        "to": [{ "kind": "phone", "id": "13800000005" }, { "kind": "phone", "id": "13999999999" }] });
    let pushed = api.post("/api/v1/pushes", &push).await.expect(202).json();
    assert_eq!(
        (pushed["heads"].as_u64(), &pushed["unreachable"][0]["reason"]),
        (Some(1), &json!("not_bound"))
    );
    ended(&api, pushed["message_id"].as_str().unwrap()).await;
    assert_eq!(platforms.received().last().unwrap().chat, "Member 5");
    let push = json!({ "connection_id": connection, "text": "x", "to": [{ "kind": "email", "id": "nobody@company.example" }] });
    assert_eq!(api.post("/api/v1/pushes", &push).await.expect(422).at("/code"), "nobody_reached");

    let seen = String::from_utf8_lossy(&api.seen()).into_owned() + &server.log_text();
    assert!(!seen.contains("13800000005") && !seen.contains("u3@company"), "a contact is shown");
    let empty = api.post(&format!("/api/v1/connections/{connection}/bindings"), &json!({})).await.expect(400);
    assert_eq!(empty.at("/field"), "contact");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_contact_that_is_not_bound_has_its_reason() {
    let found = ["u00003", "no_account", "malformed", "u00005", "twice", "outside", "no_account"];
    each_has_its_reason(Platform::Lark, &found).await;
    each_has_its_reason(Platform::Wecom, &found).await;
    let numbers_only =
        ["unsupported", "unsupported", "malformed", "u00005", "twice", "outside", "no_account"];
    each_has_its_reason(Platform::DingtalkApp, &numbers_only).await;
}

/// WeCom shuts an app out for a day that asks for too many it does not know; a permission that is missing is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_stops_before_the_platform_shuts_the_app_out() {
    let (home, platforms) = (home(), start_with(app(Platform::Wecom)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Wecom).await;
    update(&api, &connection).await;
    let mut phones: Vec<String> = (0..6).map(|number| format!("1399999999{number}")).collect();
    phones.push("13800000005".to_owned());
    let found = bind(&api, &connection, &json!({ "phones": phones })).await;
    assert_eq!(became(&found), [["no_account"; 5].as_slice(), &["not_asked", "not_asked"]].concat());

    let (home, platforms) = (crate::harness::home(), start_with(app(Platform::Lark)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    platforms.change_office(APP_ID, |app| {
        app.withheld.insert("contact:user.id:readonly".to_owned());
    });
    let path = format!("/api/v1/connections/{connection}/bindings");
    let refused = api.post(&path, &json!({ "phones": ["13800000005"] })).await.expect(400);
    assert_eq!(refused.at("/code"), "platform_refuses");
    assert!(refused.at("/message").contains("contact:user.id:readonly"), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_back_under_a_new_id_gets_what_the_old_one_got() {
    let (home, platforms) = (home(), start_with(app(Platform::DingtalkApp)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::DingtalkApp).await;
    update(&api, &connection).await;
    let topic = api.create_topic("office").await;
    let endpoint = format!("office:{connection}:member:u00007");
    let subscription = api.subscribe(&topic, &json!({ "protocol": "office", "endpoint": endpoint })).await;
    platforms.change_office(APP_ID, |app| app.members[7].id = "lilei2".to_owned());
    update(&api, &connection).await;
    let message = api.publish(&topic, &json!({ "message": "lost" })).await;
    assert_eq!(ended(&api, &message).await[0]["state"], "failed");

    let path = format!("/api/v1/connections/{connection}");
    let gone = api.get(&format!("{path}/gone")).await.expect(200).json()["gone"][0].clone();
    assert_eq!(
        (gone["platform_user_id"].as_str(), &gone["subscriptions"]),
        (Some("u00007"), &json!([subscription]))
    );
    let offered = &gone["candidates"][0];
    assert_eq!((offered["platform_user_id"].as_str(), &offered["why"]), (Some("lilei2"), &json!(["name"])));
    let command = async |words: &[&str]| {
        let mut command = program(&server.home);
        command.args(words).env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
        run(command, None).await
    };
    let said = command(&["directory", "gone", &connection]).await;
    assert!(said.out.contains("may be now") && said.out.contains("lilei2"), "{said:?}");
    let (from, into) = (gone["id"].as_str().unwrap(), offered["id"].as_str().unwrap());
    let said = command(&["directory", "merge", &connection, from, into]).await;
    assert_eq!((said.code, said.out.trim()), (0, "done"), "{said:?}");
    let message = api.publish(&topic, &json!({ "message": "found" })).await;
    assert_eq!(ended(&api, &message).await[0]["state"], "delivered");
    let last = platforms.received().pop().unwrap();
    assert_eq!((last.chat.as_str(), last.text.contains("found")), ("Member 7", true));

    let said = command(&["directory", "unmerge", &connection, from]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let message = api.publish(&topic, &json!({ "message": "lost again" })).await;
    assert_eq!(ended(&api, &message).await[0]["state"], "failed");
    let merge = json!({ "from": into, "into": into });
    api.post(&format!("{path}/merges"), &merge).await.expect(400);

    let said =
        command(&["directory", "bind", &connection, "--phone", "13800000005", "--phone", "13999999999"])
            .await;
    assert!(
        said.code == 1 && said.out.contains("u00005") && said.out.contains("not bound: no_account"),
        "{said:?}"
    );
}
