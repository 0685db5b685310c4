//! The secrets of office apps are found again wherever they leak: no file, log line, number, answer or output holds one.

use carillon_simulator::{Act, OfficeApp, Platform, Running, Simulator};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use crate::canary::files;
use crate::chats::LOOPBACK;
use crate::client::{Api, Auth};
use crate::harness::{Server, Start, TOKEN, home, program, run};
use crate::office::{ended, update};

/// App ids and secrets by platform, and the robot's code. The last four letters of an id may be shown.
const SECRETS: [(Platform, &str, &str); 3] = [
    (Platform::Lark, "cli_canaryQ1larkappid7713TAIL", "canaryR2larksecret0292TAIL"),
    (Platform::DingtalkApp, "canaryS3dingappkey5541TAIL", "canaryT4dingsecret8831TAIL"),
    (Platform::Wecom, "canaryU5wecomcorp6120TAIL", "canaryV6wecomsecret3309TAIL"),
];
const ROBOT_CODE: &str = "canaryW7robotcode9087TAIL";
const WRONG: &str = "canaryX8wrongsecret4410TAIL";

async fn start() -> Running {
    let mut simulator = Simulator::new();
    for (platform, id, secret) in SECRETS {
        let mut app = OfficeApp::new(platform, id, secret).with_company(3, 9);
        app.robot_code = ROBOT_CODE.to_owned();
        simulator = simulator.office(app);
    }
    simulator.start(LOOPBACK).await.unwrap()
}

/// All that must not be found, and the tokens that the platforms gave out.
fn secrets(platforms: &Running) -> Vec<String> {
    let mut all: Vec<String> =
        SECRETS.iter().flat_map(|(_, id, secret)| [*id, *secret]).map(str::to_owned).collect();
    all.extend([ROBOT_CODE.to_owned(), WRONG.to_owned()]);
    all.extend(platforms.office_tokens());
    all
}

fn clean(what: &str, bytes: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets {
        let shown = secret.strip_suffix("TAIL").unwrap_or(secret);
        let base64 = BASE64.encode(secret.as_bytes());
        for form in
            [shown.to_owned(), base64.trim_end_matches('=').to_owned(), HEXLOWER.encode(shown.as_bytes())]
        {
            let line = text.lines().find(|line| line.contains(&form));
            assert!(line.is_none(), "{what} holds {secret}: {}", line.unwrap_or_default());
        }
    }
}

fn typed(platform: Platform, id: &str, secret: &str) -> Value {
    let mut typed = crate::office::typed(platform);
    (typed["app_id"], typed["app_secret"]) = (id.into(), secret.into());
    typed["name"] = format!("{platform:?}").into();
    if platform == Platform::DingtalkApp {
        typed["robot_code"] = ROBOT_CODE.into();
    }
    typed
}

/// Answers that repeat what they were sent.
fn rude(platform: Platform, id: &str, secret: &str) -> Act {
    let mut said = format!("{id} {secret}");
    if platform == Platform::DingtalkApp {
        said.push_str(ROBOT_CODE);
    }
    let code: Value =
        if platform == Platform::DingtalkApp { "invalidClientIdOrSecret".into() } else { 40_001.into() };
    let body = json!({ "code": code, "errcode": code, "msg": said, "errmsg": said, "message": said });
    Act::Answer { status: 200, headers: Vec::new(), body: body.to_string() }
}

async fn used(
    api: &Api,
    server: &Server,
    platforms: &Running,
    (platform, id, secret): (Platform, &str, &str),
) {
    let kept = api.post("/api/v1/connections", &typed(platform, id, secret)).await.expect(201).at("/id");
    let path = format!("/api/v1/connections/{kept}");
    for (id, secret) in [(id, WRONG), (WRONG, secret)] {
        let mut wrong = typed(platform, id, secret);
        wrong["name"] = "another".into();
        api.post("/api/v1/connections", &wrong).await.expect(400);
        api.put(&path, &wrong).await.expect(400);
    }
    assert_eq!(update(api, &kept).await["state"], "done");
    let push = json!({ "connection_id": kept, "to": [{ "kind": "member", "id": "u00001" }], "text": "x" });
    for act in [None, Some(rude(platform, id, secret)), Some(Act::Garbage), Some(Act::Drop), Some(Act::Hang)]
    {
        platforms.expire_office_tokens(id);
        if let Some(act) = act {
            platforms.script(id, act, Some(1));
        }
        let pushed = api.post("/api/v1/pushes", &push).await.expect(202).at("/message_id");
        ended(api, &pushed).await;
    }
    platforms.expire_office_tokens(id);
    platforms.script(id, rude(platform, id, secret), Some(1));
    api.post(&format!("{path}/check"), &json!({ "test_to": "u00002" })).await.expect(200);
    platforms.clear_script(id);
    api.post(&format!("{path}/check"), &json!({ "test_to": "u00002" })).await.expect(200);
    let secrets = secrets(platforms);
    for line in
        [vec!["connection", "list"], vec!["connection", "check", &kept], vec!["connection", "update", &kept]]
    {
        let mut command = program(&server.home);
        command.args(&line).env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
        let said = run(command, None).await;
        clean(&format!("{line:?}"), format!("{}{}", said.out, said.err).as_bytes(), &secrets);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_an_office_app_is_found_anywhere() {
    let (home, platforms) = (home(), start().await);
    let start = Start::new().led_to(&platforms).env("CARILLON_LOG", "trace");
    let start = start.flag("--attempts-max", &1).flag("--platform-timeout", &1);
    let mut server = start.at(home.path()).await;
    let api = server.api(Auth::token());
    for app in SECRETS {
        used(&api, &server, &platforms, app).await;
    }
    for path in ["/metrics", "/api/v1/connections", "/api/v1/messages?limit=200", "/api/v1/audit?limit=200"] {
        api.get(path).await.expect(200);
    }
    let secrets = secrets(&platforms);
    assert!(secrets.len() >= 8 + 3, "tokens were given out: {}", secrets.len());
    clean("an answer", &api.seen(), &secrets);
    assert_eq!(server.terminate().await.code(), Some(0));
    let log = server.log_text();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    for path in files(home.path()).into_iter().filter(|path| !path.ends_with("bootstrap.json")) {
        clean(&path.display().to_string(), &std::fs::read(&path).unwrap(), &secrets);
    }
}
