//! Whatever goes wrong, nobody learns a token, a secret, a keyword or a whole URL from a verdict or a log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use carillon_model::message::Body;
use carillon_model::subscription::Target;
use tracing_subscriber::fmt::MakeWriter;

use crate::far_end::{
    FarEnd, Reply, SECRET, Seen, TOKEN, conversation, dingtalk, lark, person, post, signed, web, wecom,
};

const KEYWORD: &str = "keyword-磁盘-0001";

/// What must not be seen anywhere.
fn secrets() -> Vec<String> {
    let mut secrets: Vec<String> = [
        TOKEN,
        SECRET,
        KEYWORD,
        "app-key-000000001",
        "app-secret-000000001",
        "robot-code-00000001",
        "access-token-1",
        "user-0001-abcdef",
        "cidConversation0001",
        "hook-secret-path",
        "query-secret",
        "header-secret",
    ]
    .map(str::to_owned)
    .to_vec();
    secrets.extend(["access_token=0123", "/hook/0123", "send?key=0123"].map(str::to_owned));
    secrets
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn targets(web_url: &str) -> Vec<Target> {
    let mut robots = [signed(dingtalk()), signed(lark()), wecom(), person(), conversation()];
    for target in &mut robots {
        target.extension.keyword = Some(KEYWORD.into());
    }
    let mut web = web(web_url);
    web.extension.headers = vec![("X-Key".to_owned(), "header-secret".into())];
    robots.into_iter().chain([web]).collect()
}

/// The signature of a request.
fn signature(seen: &Seen) -> Option<String> {
    if let Some((_, sign)) = seen.path.split_once("&sign=") {
        return Some(sign.replace("%2B", "+").replace("%2F", "/").replace("%3D", "="));
    }
    let body: serde_json::Value = serde_json::from_str(&seen.body).ok()?;
    body["sign"].as_str().map(str::to_owned)
}

/// Says everything back that it was told, as code and as words.
fn echo(seen: &Seen) -> Reply {
    // Secrets that the far end's own robot has, and so could repeat.
    let known = match seen.path.split('/').nth(1) {
        Some("robot" | "open-apis") => format!("{SECRET} {KEYWORD}"),
        Some("cgi-bin" | "v1.0") => KEYWORD.to_owned(),
        _ => String::new(),
    };
    let all = format!("{} {} {} from ip: 203.0.113.9 {known}", seen.path, seen.head, seen.body);
    let body = serde_json::json!({
        "errcode": format!("310000 {all}"), "errmsg": all, "code": format!("x {all}"), "msg": all, "message": all,
    });
    Reply::Json(400, body.to_string())
}

#[tokio::test]
async fn nothing_secret_is_ever_said() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .finish();
    // For every thread: what is first said on a thread without a subscriber would be taken for never wanted. So the
    // other tests of this program are listened to as well.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::callsite::rebuild_interest_cache();
    let mut said = String::new();
    let mut secrets = secrets();
    type Behave = fn(&Seen) -> Reply;
    let table: [Behave; 8] = [
        echo,
        |_| Reply::Hang,
        |_| Reply::HangInBody,
        |_| Reply::Cut,
        |_| Reply::CutInBody,
        |_| Reply::Large(200_000),
        |_| Reply::Json(200, "<html>garbage".to_owned()),
        |seen| Reply::Headers(302, "location: http://127.0.0.1:1/\r\n", seen.path.clone()),
    ];
    for behave in table {
        for with_token in [true, false] {
            let far_end = FarEnd::start(move |seen| {
                if with_token && seen.path.ends_with("/accessToken") {
                    return Reply::Json(
                        200,
                        "{\"accessToken\":\"access-token-1\",\"expireIn\":7200}".to_owned(),
                    );
                }
                behave(seen)
            })
            .await;
            let providers = far_end.impatient();
            let url = format!("http://{}/hook-secret-path?token=query-secret", far_end.addr);
            let body = Body::text("disk full");
            for target in targets(&url) {
                let parts = providers.render(&target, &post(&body)).unwrap();
                let verdict = providers.send(&target, &parts[0]).await;
                said.push_str(&format!("{verdict:?} {parts:?} {target:?}\n"));
                assert!(!said.contains(&url), "{verdict:?}");
                assert!(!said.contains("203.0.113.9"), "{verdict:?}");
            }
            secrets.extend(far_end.seen().iter().filter_map(signature));
        }
    }
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("attempted part"), "the log was not captured");
    assert!(secrets.iter().filter(|secret| secret.ends_with('=')).count() > 1);
    for secret in secrets {
        for (what, text) in [("verdict", &said), ("log", &log)] {
            let line = text.lines().find(|line| line.contains(&secret));
            // A masked endpoint keeps the beginning of its path, as it is shown everywhere.
            let masked = line.is_some_and(|line| line.contains(&format!("{secret}****")));
            assert!(line.is_none() || masked, "{what}: {secret}: {line:?}");
        }
    }
}
