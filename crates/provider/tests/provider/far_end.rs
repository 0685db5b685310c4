//! A far end on loopback that does what a test tells it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carillon_model::clock::TestClock;
use carillon_model::endpoint::{
    DINGTALK_API_HOST, DINGTALK_ROBOT_HOST, Endpoint, FEISHU_HOST, LARK_HOST, WECOM_HOST,
};
use carillon_model::id::MessageId;
use carillon_model::message::{Body, Kind, Locale, Priority};
use carillon_model::outcome::Verdict;
use carillon_model::subscription::{AppCredentials, Extension, Target};
use carillon_model::{Channel, Timestamp};
use carillon_provider::{ConnectTo, Part, Post, PostKey, ProviderSettings, Providers};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub(crate) const SECRET: &str = "SEC4f9a1c0b7d2e83655aa1b0c9d8e7f60123456789abcdef0123456789abcdef01";

/// What the far end saw of one request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What the far end does with one request.
pub(crate) enum Reply {
    Json(u16, String),
    Headers(u16, &'static str, String),
    /// Takes the request and never answers.
    Hang,
    /// Begins a body, then never goes on.
    HangInBody,
    /// Takes the request and closes the connection.
    Cut,
    /// Begins a body and closes the connection.
    CutInBody,
    /// So many bytes of body.
    Large(usize),
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

pub(crate) struct FarEnd {
    pub(crate) addr: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl FarEnd {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&seen));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                connections.spawn(async move {
                    drop(serve(stream, &*script, &log).await);
                });
            }
        });
        Self { addr, seen, _tasks: tasks }
    }

    pub(crate) async fn answering(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_| Reply::Json(status, body.clone())).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Settings that lead every platform here, and allow loopback for web endpoints.
    pub(crate) fn settings(&self) -> ProviderSettings {
        let hosts = [DINGTALK_ROBOT_HOST, DINGTALK_API_HOST, FEISHU_HOST, LARK_HOST, WECOM_HOST];
        let detour = |host| ConnectTo::parse(&format!("{host}=http://{}", self.addr)).unwrap();
        ProviderSettings {
            connect_to: hosts.into_iter().map(detour).collect(),
            private_allowed: vec!["127.0.0.0/8".parse().unwrap()],
            ..ProviderSettings::default()
        }
    }

    pub(crate) fn providers(&self) -> Providers {
        providers(self.settings())
    }

    /// Settings whose patience is a fifth of a second.
    pub(crate) fn impatient(&self) -> Providers {
        let timeout = Duration::from_millis(200);
        providers(ProviderSettings { timeout, web_timeout: timeout, ..self.settings() })
    }
}

async fn serve(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    loop {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let mut seen = Seen { path: String::new(), head, body: String::new() };
        seen.path = seen.head.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let length: usize = seen.header("content-length").map_or(0, |text| text.parse().unwrap());
        while bytes.len() < head_end + length {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
        seen.body = String::from_utf8_lossy(&bytes[head_end..]).into_owned();
        let reply = script(&seen);
        log.lock().unwrap().push(seen);
        let head = |status: u16, extra: &str, length: usize| {
            format!("HTTP/1.1 {status} X\r\n{extra}content-length: {length}\r\n\r\n")
        };
        match reply {
            Reply::Json(status, body) => {
                stream.write_all(format!("{}{body}", head(status, "", body.len())).as_bytes()).await?;
            }
            Reply::Headers(status, extra, body) => {
                stream.write_all(format!("{}{body}", head(status, extra, body.len())).as_bytes()).await?;
            }
            Reply::Hang => std::future::pending().await,
            Reply::HangInBody => {
                stream.write_all(format!("{}{{\"errcode\"", head(200, "", 100)).as_bytes()).await?;
                std::future::pending::<()>().await;
            }
            Reply::Cut => return Ok(()),
            Reply::CutInBody => {
                return stream.write_all(format!("{}{{\"errcode\"", head(200, "", 100)).as_bytes()).await;
            }
            Reply::Large(length) => {
                stream.write_all(head(200, "", length).as_bytes()).await?;
                for _ in 0..length / 1000 {
                    stream.write_all(&[b' '; 1000]).await?;
                }
            }
        }
    }
}

pub(crate) fn providers(settings: ProviderSettings) -> Providers {
    Providers::new(settings, Arc::new(TestClock::at(NOW)))
}

pub(crate) fn dingtalk() -> Target {
    let url = format!("https://oapi.dingtalk.com/robot/send?access_token={TOKEN}");
    target(Channel::Dingtalk, &url)
}

pub(crate) fn lark() -> Target {
    target(Channel::Lark, &format!("https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}"))
}

pub(crate) fn wecom() -> Target {
    target(Channel::Wecom, &format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}"))
}

pub(crate) fn person() -> Target {
    with_app(target(Channel::DingtalkPerson, "user-0001-abcdef"))
}

pub(crate) fn conversation() -> Target {
    with_app(target(Channel::Dingtalk, "cidConversation0001"))
}

pub(crate) fn web(url: &str) -> Target {
    let channel = if url.starts_with("https") { Channel::Https } else { Channel::Http };
    target(channel, url)
}

fn with_app(mut target: Target) -> Target {
    target.extension.app = Some(AppCredentials {
        app_key: "app-key-000000001".into(),
        app_secret: "app-secret-000000001".into(),
        robot_code: "robot-code-00000001".into(),
    });
    target
}

fn target(channel: Channel, text: &str) -> Target {
    Target { endpoint: Endpoint::parse(channel, text).unwrap(), extension: Extension::default() }
}

pub(crate) fn signed(mut target: Target) -> Target {
    target.extension.sign_secret = Some(SECRET.into());
    target
}

pub(crate) fn post<'a>(body: &'a Body) -> Post<'a> {
    Post {
        body,
        key: PostKey::Named("0190a0b0c0d0e0f00000000000000002-1"),
        kind: Kind::Published,
        message: MessageId::parse("0190a0b0c0d0e0f00000000000000002").unwrap(),
        subject: None,
        topic_urn: "urn:smn:local:p1:ops",
        subscription_urn: "urn:smn:local:p1:ops:0190a0b0c0d0e0f00000000000000003",
        created_at: NOW,
        priority: Priority::Normal,
        locale: Locale::English,
        origin: None,
    }
}

/// Renders a short text and sends its only part.
pub(crate) async fn send_text(providers: &Providers, target: &Target) -> Verdict {
    let body = Body::text("disk full");
    let parts: Vec<Part> = providers.render(target, &post(&body)).unwrap();
    assert_eq!(parts.len(), 1);
    providers.send(target, &parts[0]).await
}

/// Renders a body, sends all its parts, and returns what the far end saw of them.
pub(crate) async fn sent(target: &Target, body: &Body) -> Vec<Seen> {
    let far_end = FarEnd::start(|seen| {
        let body = if seen.path.ends_with("/accessToken") {
            "{\"accessToken\":\"access-token-1\",\"expireIn\":7200}"
        } else {
            "{\"errcode\":0,\"code\":0,\"processQueryKey\":\"q\"}"
        };
        Reply::Json(200, body.to_owned())
    })
    .await;
    let providers = far_end.providers();
    for part in providers.render(target, &post(body)).unwrap() {
        providers.send(target, &part).await;
    }
    far_end.seen().into_iter().filter(|seen| !seen.path.ends_with("/accessToken")).collect()
}
