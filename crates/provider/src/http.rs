//! The one HTTP client: every request that leaves for a platform or a web endpoint passes here.
//!
//! It keeps one deadline over the whole exchange, reads bodies up to a cap, follows no redirect, uses no proxy, and
//! never lets a URL, a token or a header into an error or a log.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use carillon_model::endpoint::{DINGTALK_API_HOST, DINGTALK_ROBOT_HOST, FEISHU_HOST, LARK_HOST, WECOM_HOST};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use data_encoding::HEXLOWER;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::connect_to::ConnectTo;
use crate::guard::{Denied, Guard, PrivateEndpoint, Resolver, Unresolved};
use crate::{Authorities, ProviderSettings};

/// The most bytes of an answer that are read.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How slow an upload may be: each so many bytes make its time a second longer.
const UPLOAD_BYTES_PER_SECOND: usize = 256 * 1024;
/// How long an idle connection is kept: shorter than the platforms keep it, so that a request rarely meets its end.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How many idle connections are kept for each host: as many as posts to one host are under way in a burst.
const IDLE_PER_HOST_MAX: usize = 1024;
/// The hosts that platform requests may go to.
pub(crate) const PLATFORM_HOSTS: [&str; 5] =
    [DINGTALK_ROBOT_HOST, DINGTALK_API_HOST, FEISHU_HOST, LARK_HOST, WECOM_HOST];

/// What is asked of the client.
pub(crate) struct Request<'a> {
    /// Where to.
    pub(crate) to: To<'a>,
    /// Headers beside the content type.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// What it carries.
    pub(crate) body: Payload,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// JSON; nothing when it is empty.
    Json(String),
    /// A form with a file.
    Form(Form),
}

impl Default for Payload {
    fn default() -> Self {
        Self::Json(String::new())
    }
}

impl From<String> for Payload {
    fn from(json: String) -> Self {
        Self::Json(json)
    }
}

/// A form with fields and one file, as `multipart/form-data`.
#[derive(Clone)]
pub(crate) struct Form {
    boundary: String,
    body: Bytes,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Form {
    /// Builds a form. What divides it is a digest of the file, so that it does not stand in it.
    pub(crate) fn new(fields: &[(&str, &str)], (field, name): (&str, &str), file: &[u8]) -> Self {
        let digest = digest(&SHA256, file);
        let boundary = format!("carillon{}", HEXLOWER.encode(digest.as_ref()));
        let mut body = Vec::with_capacity(file.len() + 1024);
        for (field, value) in fields {
            let head = format!("Content-Disposition: form-data; name=\"{field}\"");
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n{value}\r\n").as_bytes());
        }
        let head = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"");
        let kind = "Content-Type: application/octet-stream";
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n{kind}\r\n\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Self { boundary, body: body.into() }
    }

    /// How much longer than other requests it may take.
    fn patience(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.body.len() / UPLOAD_BYTES_PER_SECOND).unwrap_or(u64::MAX))
    }
}

/// Where a request goes.
pub(crate) enum To<'a> {
    /// To one of the platforms' own hosts.
    Platform {
        /// The host.
        host: &'static str,
        /// Path and query, from the slash on.
        path: &'a str,
    },
    /// To somebody's own endpoint.
    Web {
        /// The whole URL.
        url: &'a str,
    },
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, up to the most that was asked for.
    pub(crate) body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub(crate) cut: Option<Failure>,
}

impl Answer {
    /// A header that counts seconds, as `Retry-After` does; other forms are ignored, and an hour is the most.
    pub(crate) fn seconds(&self, header: &str) -> Option<Duration> {
        const HOUR: u64 = 3600;
        let seconds: u64 = self.headers.get(header)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.min(HOUR)))
    }
}

/// Stands in the place of the network: a simulation's far ends answer here by themselves, and nothing is dialled.
pub trait Wire: Send + Sync {
    /// Takes a request to its far end and brings the answer back. The client's deadline may cut it at any await.
    fn carry(&self, url: String, body: String) -> Carried<'_>;
}

/// What becomes of a request that a [`Wire`] carries.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// A far end's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer, or no whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The request cannot be built.
    Request,
    /// The host is in a forbidden network.
    Forbidden,
    /// The name could not be resolved.
    Resolve,
    /// No connection, or no secure one.
    Connect,
    /// No answer in time; the request may have arrived.
    Timeout,
    /// The connection broke; the request may have arrived.
    Broken,
    /// The answer is larger than the cap.
    Large,
}

impl Failure {
    /// The verdict on an attempt that ended so. Only what failed before the request left is known not to have arrived.
    pub(crate) fn verdict(self) -> Verdict {
        let later = Outcome::Later { wait: None, scope: Scope::Endpoint };
        match self {
            Self::Request => Verdict::plain(Outcome::Refused, Reason::Render),
            Self::Forbidden => Verdict::plain(Outcome::Misconfigured, Reason::Forbidden),
            Self::Resolve => Verdict::plain(later, Reason::Resolve),
            Self::Connect => Verdict::plain(later, Reason::Connect),
            Self::Timeout => Verdict::plain(Outcome::Unknown, Reason::Timeout),
            Self::Broken => Verdict::plain(Outcome::Unknown, Reason::Broken),
            Self::Large => Verdict::plain(Outcome::Unknown, Reason::Answer),
        }
    }
}

/// The clients: one for the platforms and for detours, one that dials public addresses only. Each is made when it is
/// first needed, because reading the system's certificates takes longer than a start may.
pub(crate) struct Http {
    connect_to: Vec<ConnectTo>,
    guard: Guard,
    timeout: Duration,
    web_timeout: Duration,
    authorities: Authorities,
    wire: Option<Arc<dyn Wire>>,
    platform: OnceLock<Option<reqwest::Client>>,
    web: OnceLock<Option<reqwest::Client>>,
}

impl Http {
    /// Takes the settings in.
    pub(crate) fn new(settings: &ProviderSettings) -> Self {
        Self {
            connect_to: settings.connect_to.clone(),
            guard: Guard::new(&settings.private_allowed),
            timeout: settings.timeout,
            web_timeout: settings.web_timeout,
            authorities: settings.authorities.clone(),
            wire: None,
            platform: OnceLock::new(),
            web: OnceLock::new(),
        }
    }

    /// The same, but every request goes over `wire`.
    pub(crate) fn over(wire: Arc<dyn Wire>, settings: &ProviderSettings) -> Self {
        Self { wire: Some(wire), ..Self::new(settings) }
    }

    /// Judges a web endpoint's URL without resolving it; a host with a detour is the operator's own choice.
    pub(crate) fn check_url(&self, text: &str) -> Result<(), PrivateEndpoint> {
        let url = Url::parse(text).map_err(|_parse| PrivateEndpoint)?;
        if self.detour(&url).is_some() { Ok(()) } else { self.guard.check_url(&url) }
    }

    /// Posts one request and reads the answer.
    pub(crate) async fn post(&self, request: Request<'_>) -> Result<Answer, Failure> {
        self.send(Method::POST, request, ANSWER_BYTES_MAX).await
    }

    /// Makes one request and reads at most `bytes_max` of the answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        request: Request<'_>,
        bytes_max: usize,
    ) -> Result<Answer, Failure> {
        let (text, timeout, web) = match request.to {
            To::Platform { host, path } if PLATFORM_HOSTS.contains(&host) => {
                (format!("https://{host}{path}"), self.timeout, false)
            }
            To::Platform { .. } => return Err(Failure::Forbidden),
            To::Web { url } => (url.to_owned(), self.web_timeout, true),
        };
        let mut url = Url::parse(&text).map_err(|_parse| Failure::Request)?;
        let mut headers = headers(request.headers)?;
        let timeout = match &request.body {
            Payload::Json(_) => timeout,
            Payload::Form(form) => {
                let kind = format!("multipart/form-data; boundary={}", form.boundary);
                let kind = HeaderValue::from_str(&kind).map_err(|_value| Failure::Request)?;
                headers.insert(CONTENT_TYPE, kind);
                timeout + form.patience()
            }
        };
        let detour = self.detour(&url).map(ConnectTo::url);
        if let Some(address) = detour {
            headers.insert(HOST, host_header(&url)?);
            url = detoured(&url, address)?;
        } else if web {
            self.guard.check_url(&url).map_err(|_private| Failure::Forbidden)?;
        }
        if let Some(wire) = &self.wire {
            let body = match request.body {
                Payload::Json(json) => json,
                Payload::Form(form) => String::from_utf8_lossy(&form.body).into_owned(),
            };
            return over(wire.as_ref(), url, body, Instant::now() + timeout).await;
        }
        let client = if web && detour.is_none() { self.web_client() } else { self.platform_client() };
        let client = client.ok_or(Failure::Connect)?;
        let mut ready = client.request(method, url).headers(headers);
        match request.body {
            Payload::Json(json) if json.is_empty() => {}
            Payload::Json(json) => ready = ready.body(json),
            Payload::Form(form) => ready = ready.body(form.body),
        }
        exchange(ready, Instant::now() + timeout, bytes_max).await
    }

    fn detour(&self, url: &Url) -> Option<&ConnectTo> {
        let host = url.host_str()?.trim_end_matches('.');
        self.connect_to.iter().find(|detour| detour.host() == host)
    }

    fn platform_client(&self) -> Option<&reqwest::Client> {
        let make = || client(Resolver::new(None), self.timeout, &self.authorities);
        self.platform.get_or_init(make).as_ref()
    }

    fn web_client(&self) -> Option<&reqwest::Client> {
        let make = || client(Resolver::new(Some(self.guard.clone())), self.web_timeout, &self.authorities);
        self.web.get_or_init(make).as_ref()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
fn client(resolver: Resolver, timeout: Duration, authorities: &Authorities) -> Option<reqwest::Client> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may install one in the same moment, which is as good.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    }
    let resolver = Arc::new(resolver);
    let more = authorities.iter().filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let more: Vec<_> = more.collect();
    let builder = || {
        reqwest::Client::builder()
            .tls_certs_merge(more.iter().cloned())
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .dns_resolver(Arc::clone(&resolver))
            // Shorter than the whole exchange, so that what ends while connecting is known not to have left.
            .connect_timeout(timeout.mul_f32(0.8))
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .tcp_nodelay(true)
            .user_agent(concat!("carillon/", env!("CARGO_PKG_VERSION")))
    };
    match builder().build() {
        Ok(client) => Some(client),
        Err(_no_roots) => {
            tracing::error!("no certificate authorities on this machine: https endpoints cannot be reached");
            builder().tls_certs_only([]).build().ok()
        }
    }
}

fn headers(pairs: &[(&str, &str)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_name| Failure::Request)?;
        let mut value = HeaderValue::from_str(value).map_err(|_value| Failure::Request)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn host_header(url: &Url) -> Result<HeaderValue, Failure> {
    let host = url.host_str().ok_or(Failure::Request)?;
    let text = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    HeaderValue::from_str(&text).map_err(|_value| Failure::Request)
}

/// The detour's address with the request's own path and query.
fn detoured(url: &Url, address: &str) -> Result<Url, Failure> {
    let mut detoured = Url::parse(address).map_err(|_parse| Failure::Request)?;
    detoured.set_path(url.path());
    detoured.set_query(url.query());
    Ok(detoured)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
async fn exchange(
    request: reqwest::RequestBuilder,
    deadline: Instant,
    bytes_max: usize,
) -> Result<Answer, Failure> {
    let mut response = match timeout_at(deadline, request.send()).await {
        Err(_elapsed) => return Err(Failure::Timeout),
        Ok(Err(error)) => return Err(judge(&error)),
        Ok(Ok(response)) => response,
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: Vec::new(),
        cut: None,
    };
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Err(_elapsed) => answer.cut = Some(Failure::Timeout),
            Ok(Err(_broken)) => answer.cut = Some(Failure::Broken),
            Ok(Ok(None)) => {}
            Ok(Ok(Some(chunk))) if answer.body.len() + chunk.len() <= bytes_max => {
                answer.body.extend_from_slice(&chunk);
                continue;
            }
            Ok(Ok(Some(_more))) => answer.cut = Some(Failure::Large),
        }
        return Ok(answer);
    }
}

async fn over(wire: &dyn Wire, url: Url, body: String, deadline: Instant) -> Result<Answer, Failure> {
    let reply = timeout_at(deadline, wire.carry(url.into(), body)).await;
    let Reply { status, body } = reply.unwrap_or(Err(Failure::Timeout))?;
    Ok(Answer { status, headers: HeaderMap::new(), body, cut: None })
}

/// Tells what failed before the request left from what failed after; when unsure, after.
fn judge(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<Denied>() {
            return Failure::Forbidden;
        }
        if inner.is::<Unresolved>() {
            return Failure::Resolve;
        }
        cause = inner.source();
    }
    if error.is_builder() {
        Failure::Request
    } else if error.is_connect() {
        Failure::Connect
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Broken
    }
}
