//! The listener, its connections, and one request's way through the simulator.

use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::control;
use crate::misbehave;
use crate::registry::Platform;
use crate::route::{self, Far, TokenCall};
use crate::verdict::{Asked, Verdict, text_at};
use crate::world::{World, lock};
use crate::{dingtalk, lark, office, webhook, wecom};

/// The largest request body taken, in bytes.
pub(crate) const MOST_BODY: usize = 4 * 1024 * 1024;
/// The largest upload taken, in bytes: what the platforms refuse must fit.
const MOST_UPLOAD: usize = 40 * 1024 * 1024;
/// How long connections may finish after the stop, before they are cut.
const GRACE: Duration = Duration::from_millis(500);
/// How long to wait after a failed accept (no file handles left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Says that the connection ends without an answer.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("closed without an answer, as scripted or because of the stop")
    }
}

impl std::error::Error for Closed {}

/// Serves until the stop. Dropping this future ends every connection with it.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer.ip(), world.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, from: IpAddr, world: Arc<World>, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not switch delayed sending off");
    }
    let service = service_fn(|request| handle(world.clone(), stop.clone(), from, request));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new());
    let mut serving = pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn handle(
    world: Arc<World>,
    stop: CancellationToken,
    from: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let (parts, body) = request.into_parts();
    let most = if route::takes_files(parts.uri.path()) { MOST_UPLOAD } else { MOST_BODY };
    let read = tokio::select! {
        read = axum::body::to_bytes(Body::new(body), most) => read,
        () = stop.cancelled() => return Err(Closed),
    };
    let Ok(body) = read else {
        let mut answer = plain(StatusCode::PAYLOAD_TOO_LARGE, "413 Request Entity Too Large");
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return Ok(answer);
    };
    respond(&world, &stop, from, &parts, &body).await
}

/// Answers a request that was read whole.
pub(crate) async fn respond(
    world: &World,
    stop: &CancellationToken,
    from: IpAddr,
    parts: &Parts,
    body: &Bytes,
) -> Result<Response<Body>, Closed> {
    if let Some(answer) = control::answer(world, parts, body) {
        return Ok(answer);
    }
    let visit = Visit::new(world, parts, body, from);
    let script = visit.token().and_then(|token| lock(&world.scripts).next(&token));
    match script {
        None => Ok(visit.behave()),
        Some(act) => misbehave::answer(&visit, act, stop).await,
    }
}

/// One request, read whole, before it is judged.
pub(crate) struct Visit<'a> {
    pub(crate) world: &'a World,
    parts: &'a Parts,
    query: Vec<(String, String)>,
    body: &'a Bytes,
    from: IpAddr,
    far: Option<Far>,
}

impl<'a> Visit<'a> {
    fn new(world: &'a World, parts: &'a Parts, body: &'a Bytes, from: IpAddr) -> Self {
        let query = route::query_fields(parts.uri.query().unwrap_or_default());
        Self { world, parts, query, body, from, far: route::find(parts) }
    }

    /// Returns what a script would name this caller by: robot token, app key, robot code, receiver name, or whom an office
    /// app's message is for.
    fn token(&self) -> Option<String> {
        let in_query =
            |name: &str| self.query.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
        let in_body = |name: &str| {
            let body: Value = serde_json::from_slice(self.body).ok()?;
            text_at(&body, name).map(str::to_owned)
        };
        match self.far.as_ref()? {
            Far::DingtalkRobot => in_query("access_token"),
            Far::DingtalkToken(TokenCall::App) => in_body("appKey"),
            Far::DingtalkToken(TokenCall::Corp) => in_body("client_id"),
            Far::DingtalkToken(TokenCall::Legacy) => in_query("appkey"),
            Far::DingtalkSend(_) => in_body("robotCode"),
            Far::WecomSend | Far::WecomUpload => in_query("key"),
            Far::LarkHook(token) | Far::Webhook(token) => Some(token.clone()),
            Far::Office(_) => in_body("app_id")
                .or_else(|| in_query("corpid"))
                .or_else(|| in_body("receive_id"))
                .or_else(|| in_body("touser")),
        }
    }

    /// Judges the request as the real platform would, writes it down, and answers.
    pub(crate) fn behave(&self) -> Response<Body> {
        let Some(far) = &self.far else {
            let text = "404 page not found";
            let mut verdict = Verdict::errcode(404, text);
            verdict.status = 404;
            self.settle(self.platform(), &mut verdict);
            return plain(StatusCode::NOT_FOUND, text);
        };
        let (platform, mut verdict) = self.judge(far);
        self.settle(platform, &mut verdict);
        json(verdict.status, &verdict.answer)
    }

    fn judge(&self, far: &Far) -> (Platform, Verdict) {
        let world = self.world;
        let asked = Asked {
            query: &self.query,
            headers: &self.parts.headers,
            body: self.body,
            from: self.from,
            now_ms: world.clock.now_ms(),
        };
        let number = world.next_request();
        let id = format!("{number:08X}-0000-4000-8000-{:012X}", asked.now_ms);
        let registry = lock(&world.registry);
        let verdict = match far {
            Far::DingtalkRobot => dingtalk::robot::send(&mut lock(&world.dingtalk), &registry, &asked),
            Far::DingtalkToken(call) => {
                let mut state = lock(&world.dingtalk);
                match call {
                    TokenCall::App => dingtalk::token::access_token(&mut state, &registry, &asked, &id),
                    TokenCall::Corp => dingtalk::token::corp_token(&mut state, &registry, &asked, &id),
                    TokenCall::Legacy => dingtalk::token::legacy_token(&mut state, &registry, &asked),
                }
            }
            Far::DingtalkSend(target) => {
                let mut office = lock(&world.office);
                let mut dingtalk = lock(&world.dingtalk);
                dingtalk::app::send(&mut dingtalk, &registry, &mut office, &asked, (*target, &id))
            }
            Far::LarkHook(token) => {
                let cloud = route::cloud(self.parts);
                return lark::send(&mut lock(&world.lark), &registry, cloud, token, &asked);
            }
            Far::WecomSend => wecom::send(&mut lock(&world.wecom), &registry, &asked, number),
            Far::WecomUpload => wecom::upload(&mut lock(&world.wecom), &registry, &asked, number),
            Far::Webhook(name) => webhook::receive(&registry, name, &asked),
            Far::Office(call) => {
                let (mut office, mut dingtalk) = (lock(&world.office), lock(&world.dingtalk));
                office::judge(&mut office, &mut dingtalk, &registry, call, &asked)
            }
        };
        (self.platform(), verdict)
    }

    /// Writes a verdict down that a script gave.
    pub(crate) fn settle(&self, platform: Platform, verdict: &mut Verdict) {
        let path = route::safe_path(self.far.as_ref(), self.parts.uri.path(), &self.query);
        let now_ms = self.world.clock.now_ms();
        self.world.settle(platform, now_ms, path, self.body.len(), verdict);
    }

    /// The platform by the path alone; of the two Lark clouds, the one whose robot has the token.
    pub(crate) fn platform(&self) -> Platform {
        match &self.far {
            None => route::guess(self.parts.uri.path()),
            Some(Far::DingtalkRobot) => Platform::Dingtalk,
            Some(Far::DingtalkToken(_) | Far::DingtalkSend(_)) => Platform::DingtalkApp,
            Some(Far::WecomSend | Far::WecomUpload) => Platform::Wecom,
            Some(Far::Webhook(_)) => Platform::Webhook,
            Some(Far::Office(call)) => call.platform,
            Some(Far::LarkHook(token)) => {
                let is_lark = lock(&self.world.registry).robot(Platform::Lark, token).is_some();
                if is_lark { Platform::Lark } else { Platform::Feishu }
            }
        }
    }
}

/// Answers with JSON.
pub(crate) fn json(status: u16, answer: &Value) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    typed(status, "application/json; charset=utf-8", answer.to_string())
}

/// Answers with plain text.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    typed(status, "text/plain; charset=utf-8", text)
}

/// Answers with a body of the given content type.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
