//! What breaks a rule of topics, subscriptions or lists is refused with SMN's status and code in both pairs of names,
//! and changes nothing.

use carillon_simulator::Running;
use reqwest::Method;
use serde_json::{Value, json};

use crate::chats::{self, CONVERSATION, LARK_TOKEN, dingtalk_url, feishu_url, wecom_url};
use crate::client::{Answer, Api, smn, topic_urn};
use crate::harness::{PROJECT, Server, Start, home};

/// A request that must be refused.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
}

pub(crate) fn case(method: Method, path: &str, body: &Value, status: u16, code: &'static str) -> Case {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let mut what = format!("{method} {path} {}", String::from_utf8_lossy(&body));
    what = what.chars().take(300).collect();
    Case { what, method, path: path.to_owned(), body, status, code }
}

pub(crate) fn get(path: &str, status: u16, code: &'static str) -> Case {
    case(Method::GET, path, &Value::Null, status, code)
}

/// A server with a topic `ops`, its subscription and a message.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) api: Api,
    pub(crate) subscription: String,
    _platforms: Running,
    _home: tempfile::TempDir,
}

pub(crate) async fn world() -> World {
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    let [_, _, _, (_, wecom)] = chats::subscriptions();
    let subscription = api.subscribe(&topic, &wecom).await;
    let message = api.publish(&topic, &json!({ "message": "the only one" })).await;
    api.settled(&message).await;
    World { server, api, subscription, _platforms: platforms, _home: home }
}

impl World {
    async fn everything(&self) -> Vec<String> {
        let mut found = Vec::new();
        for path in [smn("topics"), smn("subscriptions"), "/api/v1/messages".to_owned()] {
            let mut answer = self.api.get(&path).await.expect(200).json();
            answer.as_object_mut().unwrap().remove("request_id");
            found.push(answer.to_string());
        }
        found
    }

    /// Sends each case, gathers everything that is not as it must be, and fails at the end.
    pub(crate) async fn refuses(&self, cases: Vec<Case>) {
        let before = self.everything().await;
        assert!(!cases.is_empty());
        let mut wrong = Vec::new();
        for case in cases {
            let answer = self.api.send_raw(case.method, &case.path, case.body, &[]).await;
            if let Some(problem) = problem(&answer, &case.path, case.status, case.code) {
                wrong.push(format!("{}\n    {problem}", case.what));
            }
            let after = self.everything().await;
            if after != before {
                wrong.push(format!("{}\n    changed something: {after:?}", case.what));
                break;
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(self.server.api(crate::client::Auth::Nobody).get("/readyz").await.status, 200);
    }
}

fn problem(answer: &Answer, path: &str, status: u16, code: &str) -> Option<String> {
    let said = format!("{} {}", answer.status, answer.text());
    let text = |pointer: &str| answer.at(pointer);
    if answer.status != status || text("/code") != code {
        return Some(format!("expected {status} {code}, got {said}"));
    }
    if text("/request_id").len() != 32 || text("/request_id") != answer.header("x-request-id") {
        return Some(format!("without its request's id: {said}"));
    }
    let own = path.starts_with("/api/");
    let pairs = text("/error_code") == code && text("/error_msg") == text("/message");
    if text("/message").is_empty() || (!own && !pairs) {
        return Some(format!("without both pairs: {said}"));
    }
    None
}

fn topics() -> Vec<Case> {
    let path = smn("topics");
    let create = |body: Value, code: &'static str| case(Method::POST, &path, &body, 400, code);
    let mut cases = vec![
        create(json!({}), "SMN.0002"),
        create(json!({ "name": null }), "SMN.0002"),
        create(json!({ "name": 7 }), "SMN.0002"),
        create(json!({ "name": ["x"] }), "SMN.0002"),
        create(json!({ "name": "x".repeat(256) }), "SMN.0002"),
        create(json!({ "name": "ok", "display_name": "磁".repeat(65) }), "SMN.0003"),
        create(json!({ "name": "ok", "display_name": "x".repeat(193) }), "SMN.0003"),
        create(json!({ "name": "ok", "display_name": 1 }), "SMN.0003"),
        create(json!({ "name": "ok", "enterprise_project_id": "x".repeat(65) }), "SMN.0002"),
    ];
    for name in ["", "-a", "_a", "a b", "a:b", "a/b", "磁盘", "a\u{0}", "a\n", "a.b", " a"] {
        cases.push(create(json!({ "name": name }), "SMN.0002"));
    }
    let rename = |urn: &str, body: Value, status: u16, code: &'static str| {
        case(Method::PUT, &smn(&format!("topics/{urn}")), &body, status, code)
    };
    let ops = topic_urn("ops");
    cases.extend([
        rename(&ops, json!({ "display_name": "磁".repeat(65) }), 400, "SMN.0003"),
        rename(&ops, json!({}), 400, "SMN.0003"),
        rename(&topic_urn("none"), json!({ "display_name": "x" }), 404, "SMN.0006"),
    ]);
    cases
}

/// A URN in the path that is malformed, of nobody, or of somebody else.
fn urns() -> Vec<Case> {
    let mut cases = Vec::new();
    let foreign_project = topic_urn("ops").replace(PROJECT, "11112222333344445555666677778888");
    let foreign_region = topic_urn("ops").replace(":local:", ":elsewhere:");
    for (urn, status, code) in [
        ("ops", 400, "SMN.0005"),
        ("urn:smn:local", 400, "SMN.0005"),
        ("urn%3Asns%3Alocal%3Ap%3Aops", 400, "SMN.0005"),
        ("urn:smn:local:p:ops:extra", 400, "SMN.0005"),
        ("%00", 400, "SMN.0005"),
        ("%FF%FE", 400, "SMN.0005"),
        ("..%2F..%2Fetc", 400, "SMN.0005"),
        (topic_urn("none").as_str(), 404, "SMN.0006"),
        (foreign_project.as_str(), 404, "SMN.0006"),
        (foreign_region.as_str(), 404, "SMN.0006"),
    ] {
        let path = smn(&format!("topics/{urn}"));
        cases.push(get(&path, status, code));
        cases.push(case(Method::DELETE, &path, &Value::Null, status, code));
        cases.push(case(Method::PUT, &path, &json!({ "display_name": "x" }), status, code));
        let publish = json!({ "message": "x" });
        cases.push(case(Method::POST, &format!("{path}/publish"), &publish, status, code));
        cases.push(get(&format!("{path}/subscriptions"), status, code));
        let subscribe = json!({ "protocol": "wechat", "endpoint": wecom_url("key-of-nobody-1") });
        cases.push(case(Method::POST, &format!("{path}/subscriptions"), &subscribe, status, code));
        let many = json!({ "subscriptions": [subscribe] });
        cases.push(case(Method::POST, &format!("{path}/subscriptions"), &many, status, code));
    }
    for project in ["11112222333344445555666677778888", "x", "%00"] {
        let path = format!("/v2/{project}/notifications/topics");
        cases.push(get(&path, 403, "SMN.0001"));
        cases.push(case(Method::POST, &path, &json!({ "name": "intruder" }), 403, "SMN.0001"));
    }
    cases
}

fn endpoints() -> Vec<(Value, u16, &'static str)> {
    let to = |protocol: &str, endpoint: &str| json!({ "protocol": protocol, "endpoint": endpoint });
    let dingtalk = dingtalk_url("0123456789abcdef");
    let mut cases = vec![
        (json!({ "endpoint": dingtalk }), 400, "SMN.0011"),
        (json!({ "protocol": 1, "endpoint": dingtalk }), 400, "SMN.0011"),
        (json!({ "protocol": "dingding" }), 400, "SMN.0012"),
        (json!({ "protocol": "dingding", "endpoint": {} }), 400, "SMN.0012"),
    ];
    for protocol in ["fax", "email", "sms", "functionstage", "welink", "callnotify", "DingDing", "", "wecom"]
    {
        cases.push((to(protocol, &dingtalk), 400, "SMN.0011"));
    }
    for (protocol, endpoint) in [
        ("dingding", ""),
        ("dingding", "https://oapi.dingtalk.com.example.com/robot/send?access_token=0123456789"),
        ("dingding", "https://example.com/robot/send?access_token=0123456789"),
        ("dingding", "http://oapi.dingtalk.com/robot/send?access_token=0123456789"),
        ("dingding", "https://oapi.dingtalk.com:8443/robot/send?access_token=0123456789"),
        ("dingding", "https://u:p@oapi.dingtalk.com/robot/send?access_token=0123456789"),
        ("dingding", "https://oapi.dingtalk.com/robot/send"),
        ("dingding", "https://oapi.dingtalk.com/robot/sendBySession?session=0123456789"),
        ("dingding", "https://api.dingtalk.com/v1.0/robot/groupMessages/send"),
        ("dingding", "cid\u{0}0123456789"),
        ("feishu", "https://www.feishu.cn/flow/api/trigger-webhook/0123456789abcdef"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/hook/0123456789abcdef"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/"),
        ("feishu", "https://open.feishu.cn@example.com/open-apis/bot/v2/hook/0123456789"),
        ("feishu", "cidSomething0123=="),
        ("wechat", "https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key=0123456789"),
        ("wechat", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="),
        ("wechat", "https://weixin.qq.com/cgi-bin/webhook/send?key=0123456789"),
        ("http", "https://hooks.example.com/x"),
        ("https", "http://hooks.example.com/x"),
        ("https", "https://user:secret@hooks.example.com/x"),
        ("https", "ftp://hooks.example.com/x"),
        ("https", "hooks.example.com"),
        ("dingTalkBot", "a/b"),
    ] {
        cases.push((to(protocol, endpoint), 400, "SMN.0012"));
    }
    cases.push((to("https", &format!("https://hooks.example.com/{}", "x".repeat(2048))), 400, "SMN.0012"));
    for host in [
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "192.168.0.1",
        "10.0.0.1:8080",
        "localhost",
        "0x7f.1",
        "[fd00::1]",
    ] {
        cases.push((to("http", &format!("http://{host}/latest")), 403, "SMN.0069"));
        cases.push((to("https", &format!("https://{host}/latest")), 403, "SMN.0069"));
    }
    cases
}

fn extensions() -> Vec<(Value, u16, &'static str)> {
    let with = |protocol: &str, endpoint: &str, extension: Value| {
        (json!({ "protocol": protocol, "endpoint": endpoint, "extension": extension }), 400, "SMN.0043")
    };
    let feishu = feishu_url(LARK_TOKEN);
    let wecom = wecom_url("key-of-nobody-1");
    let hook = "https://hooks.example.com/x";
    let app = json!({ "app_key": "k", "app_secret": "s" });
    let mut cases = vec![
        with("feishu", &feishu, json!({ "keyword": "k", "sign_secret": "s" })),
        with("feishu", &feishu, json!({ "sign_secret": "" })),
        with("feishu", &feishu, json!({ "sign_secret": 5 })),
        with("feishu", &feishu, json!({ "keyword": "磁".repeat(86) })),
        with("feishu", &feishu, json!("text")),
        with("feishu", &feishu, json!([])),
        with("wechat", &wecom, json!({ "keyword": "k" })),
        with("wechat", &wecom, json!({ "header": { "x-a": "b" } })),
        with("dingding", CONVERSATION, json!({})),
        with("dingding", CONVERSATION, app.clone()),
        with("dingTalkBot", "u001", app),
        with("dingTalkBot", "u001", json!({ "app_key": "磁", "app_secret": "s", "robot_code": "r" })),
        with(
            "dingTalkBot",
            "u001",
            json!({ "app_key": "k".repeat(65), "app_secret": "s", "robot_code": "r" }),
        ),
        with("dingding", &dingtalk_url("0123456789abcdef"), chats::app_extension()),
        with("https", hook, json!({ "header": "x" })),
        with("https", hook, json!({ "header": { "x-a": 1 } })),
        with("https", hook, json!({ "header": { "Host": "evil.example.com" } })),
        with("https", hook, json!({ "header": { "x-smn-topic-urn": "mine" } })),
        with("https", hook, json!({ "header": { "x-a": "b\r\nx-c: d" } })),
        with("https", hook, json!({ "header": { "x-a\r\nb": "c" } })),
        with("https", hook, json!({ "header": { "x-a": "v".repeat(1024) } })),
    ];
    let many: Value =
        (0..11).map(|n| (format!("x-{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    cases.push(with("https", hook, json!({ "header": many })));
    let remark = json!({ "protocol": "wechat", "endpoint": wecom, "remark": "磁".repeat(43) });
    cases.push((remark, 400, "SMN.0017"));
    cases.push((json!({ "protocol": "wechat", "endpoint": wecom, "remark": 3 }), 400, "SMN.0017"));
    let item = json!({ "protocol": "wechat", "endpoint": wecom });
    for list in [json!([]), json!(vec![item; 51]), json!("x"), json!({})] {
        cases.push((json!({ "subscriptions": list }), 400, "SMN.0043"));
    }
    cases
}

fn subscriptions(there: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let topic = topic_urn("ops");
    let unknown = format!("{topic}:{}", "0".repeat(32));
    let foreign = there.replace(PROJECT, "11112222333344445555666677778888");
    let remark = json!({ "remark": "x" });
    for (urn, status, code) in [
        ("x", 400, "SMN.0014"),
        ("%00", 400, "SMN.0014"),
        (topic.as_str(), 400, "SMN.0014"),
        (unknown.as_str(), 404, "SMN.0013"),
        (foreign.as_str(), 404, "SMN.0013"),
    ] {
        let of_topic = smn(&format!("topics/{topic}/subscriptions/{urn}"));
        cases.push(case(Method::DELETE, &smn(&format!("subscriptions/{urn}")), &Value::Null, status, code));
        cases.push(case(Method::DELETE, &of_topic, &Value::Null, status, code));
        cases.push(case(Method::PUT, &of_topic, &remark, status, code));
    }
    let one = smn(&format!("topics/{topic}/subscriptions/{there}"));
    for body in [json!({ "remark": "磁".repeat(43) }), json!({}), json!({ "remark": [] })] {
        cases.push(case(Method::PUT, &one, &body, 400, "SMN.0017"));
    }
    let item = json!({ "subscription_urn": there });
    for list in [json!([]), json!([there]), json!([{}]), json!(null), json!(there), json!(vec![item; 101])] {
        for path in [smn("subscriptions"), smn(&format!("topics/{topic}/subscriptions"))] {
            cases.push(case(Method::DELETE, &path, &json!({ "subscription_urns": list }), 400, "SMN.0014"));
        }
    }
    cases
}

fn lists() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in
        [smn("topics"), smn("subscriptions"), smn(&format!("topics/{}/subscriptions", topic_urn("ops")))]
    {
        for query in [
            "offset=-1",
            "limit=0",
            "limit=101",
            "limit=x",
            "offset=1.5",
            "offset=18446744073709551615",
            "limit=%00",
        ] {
            cases.push(get(&format!("{path}?{query}"), 400, "SMN.0015"));
        }
    }
    for query in ["status=5", "status=-1", "status=x"] {
        cases.push(get(&smn(&format!("subscriptions?{query}")), 400, "SMN.0077"));
    }
    cases.push(get(&smn("subscriptions?protocol=fax&endpoint=x"), 400, "SMN.0011"));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_urns() {
    let world = world().await;
    world.refuses(topics()).await;
    world.refuses(urns()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_and_extensions() {
    let world = world().await;
    let path = smn(&format!("topics/{}/subscriptions", topic_urn("ops")));
    let cases = endpoints().into_iter().chain(extensions());
    let cases = cases.map(|(body, status, code)| case(Method::POST, &path, &body, status, code));
    world.refuses(cases.collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_and_lists() {
    let world = world().await;
    world.refuses(subscriptions(&world.subscription)).await;
    world.refuses(lists()).await;
}
