//! The check of an office app: each permission that is taken away is named, and no other; a test message at the end.

use carillon_simulator::Platform;
use serde_json::{Value, json};

use crate::client::{Api, Auth};
use crate::harness::{Start, home, program, run};
use crate::office::{APP_ID, app, connect, start_with, update};

async fn check(api: &Api, connection: &str, body: &Value) -> Vec<Value> {
    let path = format!("/api/v1/connections/{connection}/check");
    api.post(&path, body).await.expect(200).json()["findings"].as_array().unwrap().clone()
}

/// What is not as it should be: the thing, its permission, and what to do.
fn bad(findings: &[Value]) -> Vec<(String, String, String)> {
    let text = |one: &Value, pointer: &str| {
        one.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let bad = findings.iter().filter(|one| one["ok"] == false);
    bad.map(|one| (text(one, "/what"), text(one, "/scope"), text(one, "/advice/en"))).collect()
}

/// Takes each away, and gives it back.
async fn each_taken_away(platform: Platform, hidden: bool, scopes: &[(&[&str], &str, &str)]) {
    let (home, platforms) = (home(), start_with(app(platform)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, platform).await;
    platforms.change_office(APP_ID, |app| app.grants_hidden = hidden);
    let findings = check(&api, &connection, &json!({})).await;
    assert_eq!(bad(&findings), [], "{findings:?}");
    for (taken, named, page) in scopes {
        platforms.change_office(APP_ID, |app| {
            app.withheld = taken.iter().map(|&scope| scope.to_owned()).collect();
        });
        let found = bad(&check(&api, &connection, &json!({})).await);
        let scopes: Vec<&str> = found.iter().map(|(_, scope, _)| scope.as_str()).collect();
        assert_eq!(scopes, [*named], "without {taken:?}: {found:?}");
        assert!(found[0].2.contains(named) && found[0].2.contains(page), "{found:?}");
    }
    platforms.change_office(APP_ID, |app| app.withheld.clear());
    assert_eq!(bad(&check(&api, &connection, &json!({})).await), []);
}

const LARK: [(&[&str], &str, &str); 11] = [
    (&["contact:contact.base:readonly"], "contact:contact.base:readonly", "Permissions & Scopes"),
    (&["contact:contact:readonly_as_app"], "contact:contact:readonly_as_app", "Permissions & Scopes"),
    (&["contact:department.base:readonly"], "contact:department.base:readonly", "Permissions & Scopes"),
    (
        &["contact:department.organize:readonly"],
        "contact:department.organize:readonly",
        "Permissions & Scopes",
    ),
    (&["contact:user.department:readonly"], "contact:user.department:readonly", "Permissions & Scopes"),
    (&["contact:user.base:readonly"], "contact:user.base:readonly", "Permissions & Scopes"),
    (&["contact:user.employee_id:readonly"], "contact:user.employee_id:readonly", "Permissions & Scopes"),
    (&["contact:user.id:readonly"], "contact:user.id:readonly", "Permissions & Scopes"),
    (&["im:chat", "im:chat:readonly"], "im:chat", "Permissions & Scopes"),
    (
        &["im:message:send_as_bot", "im:message", "im:message:send"],
        "im:message:send_as_bot",
        "Permissions & Scopes",
    ),
    (&["im:resource", "im:resource:upload"], "im:resource", "Permissions & Scopes"),
];

#[tokio::test(flavor = "multi_thread")]
async fn lark_names_each_permission_that_is_missing() {
    each_taken_away(Platform::Lark, false, &LARK).await;
}

/// Where the platform does not list what was granted, each permission is tried. One of them shows in nothing that can be
/// read, so nothing is claimed of it; one is covered by another for the calls that there are.
#[tokio::test(flavor = "multi_thread")]
async fn lark_names_them_by_trying_too() {
    let tried: Vec<_> = LARK
        .into_iter()
        .filter(|(_, named, _)| {
            !["contact:contact:readonly_as_app", "contact:contact.base:readonly"].contains(named)
        })
        .collect();
    each_taken_away(Platform::Feishu, true, &tried).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dingtalk_names_each_permission_that_is_missing() {
    let scopes = [
        "qyapi_get_department_list",
        "qyapi_get_department_member",
        "qyapi_get_member",
        "qyapi_get_member_by_mobile",
        "qyapi_robot_sendmsg",
    ];
    let scopes: Vec<[&str; 1]> = scopes.map(|scope| [scope]).to_vec();
    let taken: Vec<(&[&str], &str, &str)> =
        scopes.iter().map(|scope| (scope.as_slice(), scope[0], "Permission management")).collect();
    each_taken_away(Platform::DingtalkApp, false, &taken).await;
}

/// What is no permission by name is told by what it is.
#[tokio::test(flavor = "multi_thread")]
async fn switches_and_ranges_are_named() {
    for (platform, what) in [
        (Platform::Lark, "bot is on and a version published"),
        (Platform::Lark, "range is the whole company"),
        (Platform::Wecom, "trusted address"),
        (Platform::Wecom, "visible range"),
    ] {
        let (home, platforms) = (home(), start_with(app(platform)).await);
        let server = Start::new().led_to(&platforms).at(home.path()).await;
        let api = server.api(Auth::token());
        let connection = connect(&api, platform).await;
        platforms.change_office(APP_ID, |app| match what {
            "trusted address" => app.trusted_ips = Some(vec!["192.0.2.1".parse().unwrap()]),
            "visible range" => app.range = Some(Vec::new()),
            "range is the whole company" => app.range = Some(vec!["101".to_owned()]),
            _ => app.bot_off = true,
        });
        let found = bad(&check(&api, &connection, &json!({})).await);
        let whats: Vec<&str> = found.iter().map(|(what, _, _)| what.as_str()).collect();
        assert!(whats.contains(&what), "{platform:?} {what}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_ends_with_a_message_to_the_administrator() {
    for platform in [Platform::Lark, Platform::DingtalkApp, Platform::Wecom] {
        let (home, platforms) = (home(), start_with(app(platform)).await);
        let server = Start::new().led_to(&platforms).at(home.path()).await;
        let api = server.api(Auth::token());
        let connection = connect(&api, platform).await;
        update(&api, &connection).await;
        let findings = check(&api, &connection, &json!({ "test_to": "u00003", "locale": "zh-cn" })).await;
        let last = findings.last().unwrap();
        assert_eq!((last["what"].as_str(), &last["ok"]), (Some("test message"), &json!(true)), "{last}");
        let received = platforms.received();
        assert_eq!((received.len(), received[0].chat.as_str()), (1, "Member 3"));
        assert!(received[0].text.contains("HQ"), "{received:?}");

        let findings = check(&api, &connection, &json!({ "test_to": "stranger" })).await;
        let last = findings.last().unwrap();
        assert_eq!(last["ok"], false, "{last}");
        assert!(last["advice"]["en"].as_str().unwrap().contains("cannot be reached"), "{last}");

        let mut command = program(&server.home);
        command.args(["connection", "check", &connection, "--test-to", "u00004"]);
        command.env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", crate::harness::TOKEN);
        let said = run(command, None).await;
        assert!(said.code == 0 && said.out.contains("ok   test message"), "{said:?}");
        assert_eq!(platforms.received().last().unwrap().chat, "Member 4");
    }
}
