//! The one client: deadlines, caps, detours, redirects, guarded addresses, web endpoints.

use std::time::Duration;

use carillon_model::Channel;
use carillon_model::endpoint::Endpoint;
use carillon_model::message::Body;
use carillon_model::outcome::{Outcome, Reason, Scope};
use carillon_provider::{ConnectTo, ProviderSettings};
use tokio::net::TcpListener;

use crate::far_end::{
    FarEnd, NOW, Reply, TOKEN, dingtalk, lark, post, providers, send_text, sent, signed, web, wecom,
};

fn later(seconds: Option<u64>) -> Outcome {
    Outcome::Later { wait: seconds.map(Duration::from_secs), scope: Scope::Endpoint }
}

#[tokio::test]
async fn after_the_request_left_nobody_knows() {
    type Behave = fn() -> Reply;
    let table: [(Behave, Reason); 5] = [
        (|| Reply::Hang, Reason::Timeout),
        (|| Reply::HangInBody, Reason::Timeout),
        (|| Reply::Cut, Reason::Broken),
        (|| Reply::CutInBody, Reason::Broken),
        (|| Reply::Large(1_000_000), Reason::Answer),
    ];
    for (behave, reason) in table {
        for target in [dingtalk(), lark(), wecom()] {
            let far_end = FarEnd::start(move |_| behave()).await;
            let verdict = send_text(&far_end.impatient(), &target).await;
            assert_eq!((verdict.outcome, verdict.reason), (Outcome::Unknown, reason));
        }
    }
}

#[tokio::test]
async fn before_the_request_left_nothing_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let detour = |url: String| ConnectTo::parse(&format!("qyapi.weixin.qq.com={url}")).unwrap();
    let timeout = Duration::from_millis(500);
    let settings =
        |url| ProviderSettings { connect_to: vec![detour(url)], timeout, ..ProviderSettings::default() };
    let refused = send_text(&providers(settings(format!("http://{addr}"))), &wecom()).await;
    assert_eq!((refused.outcome, refused.reason), (later(None), Reason::Connect));

    // A far end that speaks no TLS.
    let far_end = FarEnd::answering(200, "{}").await;
    let insecure = send_text(&providers(settings(format!("https://{}", far_end.addr))), &wecom()).await;
    assert_eq!((insecure.outcome, insecure.reason), (later(None), Reason::Connect));

    let settings = ProviderSettings::default();
    let unknown =
        send_text(&providers(settings), &web(&format!("http://x.{}.invalid/", "y".repeat(64)))).await;
    assert_eq!((unknown.outcome, unknown.reason), (later(None), Reason::Resolve));
}

#[tokio::test]
async fn a_detour_keeps_path_query_and_host() {
    for (target, host, path) in [
        (dingtalk(), "oapi.dingtalk.com", format!("/robot/send?access_token={TOKEN}")),
        (lark(), "open.feishu.cn", format!("/open-apis/bot/v2/hook/{TOKEN}")),
        (wecom(), "qyapi.weixin.qq.com", format!("/cgi-bin/webhook/send?key={TOKEN}")),
    ] {
        let seen = sent(&target, &Body::text("x")).await;
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].header("host"), Some(host));
        assert_eq!(seen[0].path, path);
        assert_eq!(seen[0].header("content-type"), Some("application/json; charset=utf-8"));
    }
}

#[tokio::test]
async fn signs_at_each_attempt() {
    let seen = sent(&signed(dingtalk()), &Body::text("x")).await;
    let query = "&timestamp=1700000000000&sign=";
    assert!(seen[0].path.starts_with(&format!("/robot/send?access_token={TOKEN}{query}")));
    assert_eq!(seen[0].json().get("timestamp"), None);
    let seen = sent(&signed(lark()), &Body::text("x")).await;
    assert_eq!(seen[0].json()["timestamp"], "1700000000");
    assert_eq!(seen[0].json()["sign"].as_str().unwrap().len(), 44);
    assert_eq!(seen[0].json()["content"]["text"], "x");
}

#[tokio::test]
async fn follows_no_redirect() {
    let elsewhere = FarEnd::answering(200, "{\"errcode\":0}").await;
    let location: &'static str = format!("location: http://{}/\r\n", elsewhere.addr).leak();
    for status in [301, 302, 307, 308] {
        let far_end = FarEnd::start(move |_| Reply::Headers(status, location, String::new())).await;
        let verdict = send_text(&far_end.providers(), &dingtalk()).await;
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Unknown, Reason::Answer));
        let verdict = send_text(&far_end.providers(), &web(&format!("http://{}/", far_end.addr))).await;
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Refused, Reason::Status));
        assert_eq!(verdict.platform_code, Some(status.to_string()));
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_web_endpoint_gets_the_documented_notification() {
    let far_end = FarEnd::answering(204, "").await;
    let providers = far_end.providers();
    let mut target = web(&format!("http://{}/hook?x=1", far_end.addr));
    target.extension.headers = vec![("X-Api-Key".to_owned(), "k-123456".into())];
    let body = Body::text("disk full");
    let post = carillon_provider::Post { subject: Some("Disk"), ..post(&body) };
    let parts = providers.render(&target, &post).unwrap();
    assert_eq!(providers.send(&target, &parts[0]).await.outcome, Outcome::Accepted);
    let seen = far_end.seen().remove(0);
    assert_eq!(seen.path, "/hook?x=1");
    for (name, value) in [
        ("x-smn-message-type", "Notification"),
        ("x-smn-message-id", "0190a0b0c0d0e0f00000000000000002"),
        ("x-smn-topic-urn", "urn:smn:local:p1:ops"),
        ("x-smn-subscription-urn", "urn:smn:local:p1:ops:0190a0b0c0d0e0f00000000000000003"),
        ("x-api-key", "k-123456"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert_eq!(
        seen.json(),
        serde_json::json!({
            "type": "Notification",
            "topic_urn": "urn:smn:local:p1:ops",
            "message_id": "0190a0b0c0d0e0f00000000000000002",
            "message": "disk full",
            "subject": "Disk",
            "timestamp": NOW.to_seconds_text(),
        })
    );
}

#[tokio::test]
async fn a_web_endpoints_status_is_its_verdict() {
    for (status, header, outcome, reason) in [
        (200, "", Outcome::Accepted, Reason::Ok),
        (299, "", Outcome::Accepted, Reason::Ok),
        (500, "", later(None), Reason::Busy),
        (503, "retry-after: 30\r\n", later(Some(30)), Reason::Busy),
        (503, "retry-after: 999999\r\n", later(Some(3600)), Reason::Busy),
        (503, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", later(None), Reason::Busy),
        (429, "retry-after: 2\r\n", later(Some(2)), Reason::RateLimited),
        (400, "", Outcome::Refused, Reason::Status),
        (410, "", Outcome::Refused, Reason::Status),
    ] {
        let far_end = FarEnd::start(move |_| Reply::Headers(status, header, "why not".to_owned())).await;
        let verdict = send_text(&far_end.providers(), &web(&format!("http://{}/", far_end.addr))).await;
        assert_eq!((verdict.outcome, verdict.reason), (outcome, reason), "{status}");
        if outcome != Outcome::Accepted {
            assert_eq!(verdict.platform_code, Some(status.to_string()));
            assert_eq!(verdict.platform_text.as_deref(), Some("why not"));
        }
    }
}

#[tokio::test]
async fn forbidden_addresses_are_never_dialled() {
    let far_end = FarEnd::answering(200, "").await;
    let port = far_end.addr.port();
    let providers = providers(ProviderSettings::default());
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "localhost."] {
        let target = web(&format!("http://{host}:{port}/"));
        assert!(providers.check_endpoint(&target.endpoint).is_err(), "{host}");
        let verdict = send_text(&providers, &target).await;
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Misconfigured, Reason::Forbidden), "{host}");
    }
    assert!(far_end.seen().is_empty());
    let public = Endpoint::parse(Channel::Https, "https://hooks.example/x").unwrap();
    assert!(providers.check_endpoint(&public).is_ok());
    assert!(providers.check_endpoint(&wecom().endpoint).is_ok());
}

#[tokio::test]
async fn a_web_host_may_have_a_detour_too() {
    let far_end = FarEnd::answering(200, "").await;
    let detour =
        ConnectTo::parse(&format!("hooks.example=http://localhost:{}", far_end.addr.port())).unwrap();
    let settings = ProviderSettings { connect_to: vec![detour], ..ProviderSettings::default() };
    let verdict = send_text(&providers(settings), &web("https://hooks.example:8443/a?b=c")).await;
    assert_eq!(verdict.outcome, Outcome::Accepted);
    let seen = far_end.seen();
    assert_eq!((seen[0].path.as_str(), seen[0].header("host")), ("/a?b=c", Some("hooks.example:8443")));
}

#[tokio::test]
async fn a_web_endpoint_that_said_yes_may_say_no_more() {
    type Behave = fn() -> Reply;
    let table: [Behave; 3] = [|| Reply::HangInBody, || Reply::CutInBody, || Reply::Large(1_000_000)];
    for behave in table {
        let far_end = FarEnd::start(move |_| behave()).await;
        let verdict = send_text(&far_end.impatient(), &web(&format!("http://{}/", far_end.addr))).await;
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::Accepted, Reason::Ok));
    }
}

#[test]
fn a_sending_can_move_between_threads() {
    fn moves<T: Send>(_: &T) {}
    let providers = providers(ProviderSettings::default());
    let target = dingtalk();
    let body = Body::text("x");
    let parts = providers.render(&target, &post(&body)).unwrap();
    moves(&providers.send(&target, &parts[0]));
    moves(&providers);
}
