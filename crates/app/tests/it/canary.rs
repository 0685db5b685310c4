//! Secrets that are found again wherever they leak: no file, log line, number, answer or output holds one.

use std::path::{Path, PathBuf};

use carillon_simulator::{Act, DingtalkApp, Robot, Running, Simulator};
use data_encoding::{BASE64, HEXLOWER};
use reqwest::Method;
use serde_json::{Value, json};

use crate::chats::{LOOPBACK, dingtalk_url, feishu_url, wecom_url};
use crate::client::{Api, Auth, smn};
use crate::harness::{ACCESS_KEY, HOSTS, PROJECT, Server, Start, home, program, run};

const DING_TOKEN: &str = "canaryA7dingtoken0x4f9a1c0b7d2eTAIL";
const DING_SECRET: &str = "SECcanaryB3signsecret5b1d8e7f60TAIL";
const DING_KEYWORD: &str = "canaryC5keyword9d2e44TAIL";
const APP_KEY: &str = "canaryD9appkey7713TAIL";
const APP_SECRET: &str = "canaryE4appsecret0292TAIL";
const ROBOT_CODE: &str = "canaryF1robotcode5541TAIL";
const CONVERSATION: &str = "cidcanaryG2conversation8831TAIL";
const LARK_TOKEN: &str = "canaryH6larktoken6120TAIL";
const LARK_SECRET: &str = "canaryI8larksecret3309TAIL";
const WECOM_KEY: &str = "canaryJ0wecomkey9087TAIL";
const HOOK: &str = "canaryK1hookpath7754TAIL";
const HOOK_QUERY: &str = "canaryL8hookquery5512TAIL";
const HOOK_HEADER: &str = "canaryM6headervalue3378TAIL";
const SECRET_KEY: &str = "canaryN2secretaccesskey1140TAIL";
const TOKEN: &str = "canaryO5apitoken6696TAIL";
const PASSWORD: &str = "canaryP3password8205TAIL";

const ALL: [&str; 16] = [
    DING_TOKEN,
    DING_SECRET,
    DING_KEYWORD,
    APP_KEY,
    APP_SECRET,
    ROBOT_CODE,
    CONVERSATION,
    LARK_TOKEN,
    LARK_SECRET,
    WECOM_KEY,
    HOOK,
    HOOK_QUERY,
    HOOK_HEADER,
    SECRET_KEY,
    TOKEN,
    PASSWORD,
];

/// The secrets that stand in these bytes: as they are (but for the last four letters, which may be shown), in base64
/// or in hexadecimal.
fn leaks(bytes: &[u8]) -> Vec<&'static str> {
    let forms = |secret: &str| {
        let shown = secret.strip_suffix("TAIL").unwrap();
        let base64 = BASE64.encode(secret.as_bytes());
        [shown.to_owned(), base64.trim_end_matches('=').to_owned(), HEXLOWER.encode(shown.as_bytes())]
    };
    let text = String::from_utf8_lossy(bytes);
    ALL.into_iter().filter(|secret| forms(secret).iter().any(|form| text.contains(form.as_str()))).collect()
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let found = leaks(bytes);
    let text = String::from_utf8_lossy(bytes);
    let line = found.first().and_then(|secret| {
        let shown = secret.strip_suffix("TAIL").unwrap();
        text.lines().find(|line| line.contains(shown))
    });
    assert!(found.is_empty(), "{what} holds {found:?}: {}", line.unwrap_or_default());
}

pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The data directory and the logs; `bootstrap.json` holds secrets on purpose.
fn scan(home: &Path) {
    let mut looked = 0;
    for path in files(home).into_iter().filter(|path| !path.ends_with("bootstrap.json")) {
        clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
        looked += 1;
    }
    assert!(looked >= 4, "{looked} files");
}

async fn far_ends() -> Running {
    let app = DingtalkApp {
        app_key: APP_KEY.to_owned(),
        app_secret: APP_SECRET.to_owned(),
        robot_code: ROBOT_CODE.to_owned(),
        conversations: vec![(CONVERSATION.to_owned(), "internal".to_owned())],
        users: Vec::new(),
    };
    let simulator = Simulator::new()
        .robot(Robot::dingtalk(DING_TOKEN, "group").with_secret(DING_SECRET).with_keyword(DING_KEYWORD))
        .robot(Robot::feishu(LARK_TOKEN, "lark").with_secret(LARK_SECRET))
        .robot(Robot::wecom(WECOM_KEY, "wecom"))
        .robot(Robot::webhook(HOOK, "hook"))
        .app(app);
    simulator.start(LOOPBACK).await.unwrap()
}

fn hook_url(platforms: &Running) -> String {
    format!("{}/hook/{HOOK}?sig={HOOK_QUERY}", platforms.url())
}

fn subscriptions(platforms: &Running) -> Vec<Value> {
    let app = json!({ "app_key": APP_KEY, "app_secret": APP_SECRET, "robot_code": ROBOT_CODE });
    vec![
        json!({ "protocol": "dingding", "endpoint": dingtalk_url(DING_TOKEN),
                "extension": { "sign_secret": DING_SECRET, "keyword": DING_KEYWORD } }),
        json!({ "protocol": "dingding", "endpoint": CONVERSATION, "extension": app }),
        json!({ "protocol": "feishu", "endpoint": feishu_url(LARK_TOKEN), "extension": { "sign_secret": LARK_SECRET } }),
        json!({ "protocol": "wechat", "endpoint": wecom_url(WECOM_KEY) }),
        json!({ "protocol": "http", "endpoint": hook_url(platforms), "extension": { "header": { "X-Pass": HOOK_HEADER } } }),
    ]
}

/// Each far end's name for scripts, its code for a fault, and what a rude one could repeat.
fn echoes(platforms: &Running) -> Vec<(&'static str, Value, Vec<String>)> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    vec![
        (
            DING_TOKEN,
            json!(310_000),
            texts(&[&dingtalk_url(DING_TOKEN), DING_TOKEN, DING_SECRET, DING_KEYWORD]),
        ),
        (ROBOT_CODE, json!("send.forbidden"), texts(&[CONVERSATION, APP_KEY, APP_SECRET, ROBOT_CODE])),
        (LARK_TOKEN, json!(19_021), texts(&[&feishu_url(LARK_TOKEN), LARK_TOKEN, LARK_SECRET])),
        (WECOM_KEY, json!(40_008), texts(&[&wecom_url(WECOM_KEY), WECOM_KEY])),
        (HOOK, json!(1), texts(&[&hook_url(platforms), HOOK, HOOK_QUERY, HOOK_HEADER])),
    ]
}

/// Answers that repeat what they were sent, in several shapes.
fn rude(code: &Value, secrets: &[String], url: &str) -> Vec<Act> {
    let all = secrets.join(" ");
    let encoded = all.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F").replace('=', "%3D");
    let answer = |status: u16, body: String| Act::Answer { status, headers: Vec::new(), body };
    let fault =
        |text: &str| json!({ "errcode": code, "code": code, "errmsg": text, "msg": text, "message": text });
    let padded = format!("{}{all}", "x".repeat(490));
    let location = vec![("Location".to_owned(), url.to_owned())];
    vec![
        answer(400, fault(&all).to_string()),
        answer(200, fault(&encoded).to_string()),
        answer(200, fault(&padded).to_string()),
        answer(
            200,
            json!({ "errcode": secrets[1], "code": secrets[1], "message": all, "msg": all }).to_string(),
        ),
        answer(200, format!("<html>{all}</html>")),
        answer(503, all.clone()),
        Act::Answer { status: 302, headers: location, body: all },
        Act::Drop,
        Act::Gone,
        Act::LoseAnswer,
    ]
}

async fn publish(api: &Api, topic: &str) {
    let message = api.publish(topic, &json!({ "subject": "s", "message": "nothing secret" })).await;
    api.settled(&message).await;
}

async fn misbehaving(api: &Api, platforms: &Running, topic: &str) {
    publish(api, topic).await;
    let ends = echoes(platforms);
    for round in 0..10 {
        for (name, code, secrets) in &ends {
            let act = rude(code, secrets, &secrets[0]).swap_remove(round);
            platforms.script(name, act, Some(1));
        }
        publish(api, topic).await;
        if matches!(round, 5 | 8) {
            // One that arrives, or a breaker would open.
            publish(api, topic).await;
        }
    }
    for (name, _, _) in ends.iter().filter(|(name, _, _)| *name != HOOK) {
        platforms.script(name, Act::Hang, Some(1));
    }
    publish(api, topic).await;
    let body = json!({ "code": "invalidClientIdOrSecret", "message": format!("{APP_KEY} {APP_SECRET}") });
    platforms.expire_tokens(APP_KEY);
    platforms.script(
        APP_KEY,
        Act::Answer { status: 400, headers: Vec::new(), body: body.to_string() },
        Some(1),
    );
    publish(api, topic).await;
}

async fn refused(api: &Api, topic: &str) {
    let path = smn(&format!("topics/{topic}/subscriptions"));
    let ding = dingtalk_url(DING_TOKEN);
    for body in [
        json!({ "protocol": "fax", "endpoint": ding }),
        json!({ "protocol": "feishu", "endpoint": feishu_url(LARK_TOKEN), "extension": { "keyword": DING_KEYWORD, "sign_secret": LARK_SECRET } }),
        json!({ "protocol": "wechat", "endpoint": ding }),
        json!({ "protocol": "dingding", "endpoint": format!("https://example.com/?access_token={DING_TOKEN}") }),
        json!({ "protocol": "dingding", "endpoint": CONVERSATION, "extension": { "app_secret": APP_SECRET } }),
        json!({ "protocol": "https", "endpoint": format!("https://x:{HOOK_QUERY}@example.com/") }),
        json!({ "protocol": "http", "endpoint": format!("http://10.0.0.1/{HOOK}") }),
        json!({ "protocol": "wechat", "endpoint": wecom_url(WECOM_KEY), "extension": { "header": { "x": HOOK_HEADER } } }),
        json!({ "protocol": "wechat", "endpoint": wecom_url(WECOM_KEY), "remark": [WECOM_KEY] }),
        json!({ "subscriptions": [{ "protocol": "fax", "endpoint": ding }, { "endpoint": { "url": ding } }] }),
    ] {
        let status = api.post(&path, &body).await.status;
        assert!((400..500).contains(&status) || body.get("subscriptions").is_some(), "{status}");
    }
    let broken = format!("{{\"endpoint\":\"{ding}\",\"extension\":{{\"sign_secret\":\"{DING_SECRET}\"}}");
    api.send_raw(Method::POST, &path, broken.into_bytes(), &[]).await.expect(400);
    let whole = ding.replace(':', "%3A").replace('?', "%3F").replace('=', "%3D");
    api.get(&smn(&format!("subscriptions?endpoint={whole}"))).await.expect(200);
    api.get(&smn(&format!("subscriptions?protocol=feishu&endpoint={whole}"))).await.expect(200);
    for auth in [
        Auth::Token(format!("{TOKEN}x")),
        Auth::Bearer(PASSWORD.to_owned()),
        Auth::Token(SECRET_KEY.to_owned()),
    ] {
        api.with(auth).get("/api/v1/whoami").await.expect(401);
    }
    let more = [(
        "authorization",
        "SDK-HMAC-SHA256 Access=canaryN2secretaccesskey1140TAIL, SignedHeaders=x-sdk-date, Signature=00",
    )];
    api.with(Auth::Nobody).send_raw(Method::GET, &smn("topics"), Vec::new(), &more).await.expect(401);
    for (name, password, status) in
        [(PASSWORD, PASSWORD, 401), ("admin", SECRET_KEY, 401), ("admin", PASSWORD, 201)]
    {
        let user = json!({ "name": name, "password": password });
        let body = json!({ "auth": { "identity": { "password": { "user": user } } } });
        api.with(Auth::Nobody).post("/v3/auth/tokens", &body).await.expect(status);
    }
}

async fn looked_at(api: &Api) {
    let paths =
        ["/metrics", "/api/v1/messages?limit=200", "/api/v1/whoami", "/api/openapi.json", "/v3/projects"];
    for path in paths.map(str::to_owned).into_iter().chain([smn("topics"), smn("subscriptions")]) {
        api.get(&path).await.expect(200);
    }
    let messages = api.get("/api/v1/messages?limit=200").await.json();
    for message in messages["messages"].as_array().unwrap() {
        api.deliveries(message["id"].as_str().unwrap()).await;
    }
    let key = Auth::Key { access_key: ACCESS_KEY.to_owned(), secret_key: SECRET_KEY.to_owned(), skew: 0 };
    api.with(key).get(&smn("topics")).await.expect(200);
}

async fn commanded(server: &Server, platforms: &Running) {
    let ding = dingtalk_url(DING_TOKEN);
    let hook = hook_url(platforms);
    let detours: Vec<String> = HOSTS.iter().map(|host| format!("{host}={}", platforms.url())).collect();
    let (_, code, mut secrets) = echoes(platforms).swap_remove(0);
    // This sender was not told the keyword, so that it cannot know it again.
    secrets.pop();
    platforms.script(DING_TOKEN, rude(&code, &secrets, &ding).swap_remove(0), Some(1));
    let lines: [&[&str]; 9] = [
        &["topic", "--json", "list"],
        &["subscription", "list"],
        &["subscription", "--json", "list"],
        &["subscription", "add", "canary", "wechat", &ding, "--secret", DING_SECRET],
        &[
            "subscription",
            "add",
            "canary",
            "feishu",
            &ding,
            "--secret",
            LARK_SECRET,
            "--keyword",
            DING_KEYWORD,
        ],
        &["delivery", "list"],
        &["send", "--to", &ding, "--secret", DING_SECRET, "hello"],
        &["send", "--to", &ding, "--secret", LARK_SECRET, "hello"],
        &["send", "--to", &hook, "hello"],
    ];
    for line in lines {
        let mut command = program(&server.home);
        command.args(line).env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", TOKEN);
        let said = run(
            {
                command.env("CARILLON_CONNECT_TO", detours.join(","));
                command
            },
            None,
        )
        .await;
        clean(&format!("{line:?}"), said.out.as_bytes());
        clean(&format!("{line:?}"), said.err.as_bytes());
    }
    let mut wrong = program(&server.home);
    wrong.args(["topic", "--server", &server.url(), "--token", PASSWORD, "list"]);
    let said = run(wrong, None).await;
    assert_eq!(said.code, 1);
    clean("a wrong token", format!("{}{}", said.out, said.err).as_bytes());
}

fn start(platforms: &Running) -> Start {
    Start::new()
        .led_to(platforms)
        .with_loopback()
        .flag("--attempts-max", &1)
        .flag("--platform-timeout", &1)
        .env("CARILLON_LOG", "trace")
        .env("CARILLON_BOOTSTRAP_SK", SECRET_KEY)
        .env("CARILLON_BOOTSTRAP_TOKEN", TOKEN)
        .env("CARILLON_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_found_anywhere() {
    let home = home();
    let platforms = far_ends().await;
    let start = start(&platforms);
    let mut server = start.at(home.path()).await;
    let api = server.api(Auth::Token(TOKEN.to_owned()));
    let topic = api.create_topic("canary").await;
    for body in subscriptions(&platforms) {
        api.subscribe(&topic, &body).await;
    }
    crate::load::confirm(&api, &platforms, 1).await;
    misbehaving(&api, &platforms, &topic).await;
    assert!(platforms.received().len() > 5 && platforms.calls().len() > 50);
    refused(&api, &topic).await;
    looked_at(&api).await;
    commanded(&server, &platforms).await;
    clean("an answer", &api.seen());
    assert_eq!(server.terminate().await.code(), Some(0));
    let log = server.log_text();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    scan(home.path());
    let bootstrap = std::fs::read(server.data_dir().join("bootstrap.json")).unwrap();
    assert_eq!(leaks(&bootstrap), [SECRET_KEY, TOKEN, PASSWORD], "the search finds what is there");

    platforms.clear_received();
    let mut server = start.at(home.path()).await;
    let api = server.api(Auth::Token(TOKEN.to_owned()));
    for body in subscriptions(&platforms) {
        api.post(&smn(&format!("topics/{topic}/subscriptions")), &body).await.expect(200);
    }
    publish(&api, &topic).await;
    platforms.script(WECOM_KEY, Act::Hang, None);
    api.publish(&topic, &json!({ "message": "under way" })).await;
    looked_at(&api).await;
    clean("an answer", &api.seen());
    server.kill();
    scan(home.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_never_repeats_a_value() {
    let home = home();
    let server = Start::new().env("CARILLON_LOG", "trace").at(home.path()).await;
    let api = server.user();
    api.create_topic("ops").await;
    for (field, value) in [
        ("priority", json!(TOKEN)),
        ("locale", json!(TOKEN)),
        ("topic", json!(format!("{TOKEN} "))),
        ("topic", json!([TOKEN])),
        ("time_to_live", json!(TOKEN)),
        ("title", json!({ "x": TOKEN })),
        ("text", json!([TOKEN])),
    ] {
        let mut body = json!({ "topic": "ops", "text": "x" });
        body[field] = value;
        let answer = api.post("/api/v1/messages", &body).await.expect(400);
        clean(field, &answer.body);
    }
    for (path, body) in [
        (smn("topics"), json!({ "name": format!("{TOKEN} ") })),
        (
            smn(&format!("topics/urn:smn:local:{PROJECT}:ops/publish")),
            json!({ "message": "x", "locale": TOKEN }),
        ),
        (
            smn(&format!("topics/urn:smn:local:{PROJECT}:ops/publish")),
            json!({ "message": "x", "time_to_live": TOKEN }),
        ),
    ] {
        let answer = api.post(&path, &body).await;
        assert!((400..500).contains(&answer.status));
        clean(&path, &answer.body);
    }
    clean("the log", server.log_text().as_bytes());
}
