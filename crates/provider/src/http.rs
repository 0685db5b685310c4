//! The one HTTP client: every request that leaves for a platform or a web endpoint passes here.
//!
//! It keeps one deadline over the whole exchange, reads bodies up to a cap, follows no redirect, uses no proxy, and
//! never lets a URL, a token or a header into an error or a log.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use carillon_model::endpoint::{DINGTALK_API_HOST, DINGTALK_ROBOT_HOST, FEISHU_HOST, LARK_HOST, WECOM_HOST};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use data_encoding::HEXLOWER;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, Response, Uri};
use tokio::time::{Instant, Sleep, sleep_until};
use url::Url;

use crate::carry::{self, Outgoing, Wire};
use crate::client::{Address, Client, Sent};
use crate::connect_to::ConnectTo;
use crate::guard::{Guard, PrivateEndpoint, Resolver};
use crate::line::Ready;
use crate::{Authorities, ProviderSettings};

/// The most bytes of an answer that are read.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How slow an upload may be: each so many bytes make its time a second longer.
const UPLOAD_BYTES_PER_SECOND: usize = 256 * 1024;
/// What we say that we are.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("carillon/", env!("CARGO_PKG_VERSION")));
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
    Json(Bytes),
    /// A form with a file.
    Form(Form),
}

impl Default for Payload {
    fn default() -> Self {
        Self::Json(Bytes::new())
    }
}

impl From<String> for Payload {
    fn from(json: String) -> Self {
        Self::Json(json.into())
    }
}

impl From<Bytes> for Payload {
    fn from(json: Bytes) -> Self {
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

/// Where a request goes, once that is settled.
struct Aim {
    to: Address,
    timeout: Duration,
    /// Whether only public addresses may be dialled.
    public: bool,
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
    platform: OnceLock<Option<Client>>,
    web: OnceLock<Option<Client>>,
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
        if url.host_str().is_some_and(|host| self.detour(host).is_some()) {
            Ok(())
        } else {
            self.guard.check_url(&url)
        }
    }

    /// Posts one request and reads the answer.
    pub(crate) fn post(&self, request: Request<'_>) -> impl Future<Output = Result<Answer, Failure>> {
        self.send(Method::POST, request, ANSWER_BYTES_MAX)
    }

    /// Makes one request and reads at most `bytes_max` of the answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        request: Request<'_>,
        bytes_max: usize,
    ) -> Result<Answer, Failure> {
        let mut headers = headers(request.headers)?;
        let aim = self.aim(&request.to)?;
        let (body, timeout) = match request.body {
            Payload::Json(json) => (json, aim.timeout),
            Payload::Form(form) => {
                let kind = format!("multipart/form-data; boundary={}", form.boundary);
                let kind = HeaderValue::from_str(&kind).map_err(|_value| Failure::Request)?;
                headers.insert(CONTENT_TYPE, kind);
                let patience = form.patience();
                (form.body, aim.timeout + patience)
            }
        };
        let deadline = Instant::now() + timeout;
        if let Some(wire) = &self.wire {
            if aim.to.detour {
                headers.insert(HOST, aim.to.host.clone());
            }
            let outgoing = Outgoing::new(&method, &aim.to.uri()?, &headers, &body);
            return carry::exchange(wire.as_ref(), outgoing, deadline).await;
        }
        let client = if aim.public { self.web_client() } else { self.platform_client() };
        let client = client.ok_or(Failure::Connect)?;
        let mut ready = Some(ready(method, headers, body));
        exchange(client, (&aim.to, &mut ready), deadline, bytes_max).await
    }

    /// Where a request goes, after the guard has looked at it.
    fn aim(&self, to: &To<'_>) -> Result<Aim, Failure> {
        match to {
            To::Platform { host, path } if PLATFORM_HOSTS.contains(host) => self.aim_at_platform(host, path),
            To::Platform { .. } => Err(Failure::Forbidden),
            To::Web { url } => self.aim_at_web(url),
        }
    }

    /// Most requests go this way: what is known of a platform's host is not parsed again.
    fn aim_at_platform(&self, host: &'static str, path: &str) -> Result<Aim, Failure> {
        let (timeout, public) = (self.timeout, false);
        // Else it would go on where the host ends.
        if !path.starts_with('/') {
            return Err(Failure::Request);
        }
        let (place, detour) = match self.detour(host) {
            Some(detour) => (detour.to(), true),
            None => ((Scheme::HTTPS, Authority::from_static(host)), false),
        };
        let path = path.parse().map_err(|_parse| Failure::Request)?;
        let to = Address { place, path, host: HeaderValue::from_static(host), detour };
        Ok(Aim { to, timeout, public })
    }

    fn aim_at_web(&self, url: &str) -> Result<Aim, Failure> {
        // What is judged below is the very text that is dialled.
        let mut url = Url::parse(url).map_err(|_parse| Failure::Request)?;
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::Request);
        }
        let uri: Uri = url.as_str().parse().map_err(|_parse| Failure::Request)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(Failure::Request);
        };
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_value| Failure::Request)?;
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let timeout = self.web_timeout;
        if let Some(detour) = self.detour(authority.host()) {
            return Ok(Aim {
                to: Address { place: detour.to(), path, host, detour: true },
                timeout,
                public: false,
            });
        }
        self.guard.check_url(&url).map_err(|_private| Failure::Forbidden)?;
        let to = Address { place: (scheme, authority), path, host, detour: false };
        Ok(Aim { to, timeout, public: true })
    }

    fn detour(&self, host: &str) -> Option<&ConnectTo> {
        let host = host.trim_end_matches('.');
        self.connect_to.iter().find(|detour| detour.host() == host)
    }

    fn platform_client(&self) -> Option<&Client> {
        let make = || Client::new(Resolver::new(None), connecting(self.timeout), &self.authorities);
        self.platform.get_or_init(make).as_ref()
    }

    fn web_client(&self) -> Option<&Client> {
        let make = || {
            Client::new(
                Resolver::new(Some(self.guard.clone())),
                connecting(self.web_timeout),
                &self.authorities,
            )
        };
        self.web.get_or_init(make).as_ref()
    }
}

/// Shorter than the whole exchange, so that what ends while connecting is known not to have left.
fn connecting(timeout: Duration) -> Duration {
    timeout.mul_f32(0.8)
}

fn headers(pairs: &[(&str, &str)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, AGENT);
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_name| Failure::Request)?;
        let mut value = HeaderValue::from_str(value).map_err(|_value| Failure::Request)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// A request, but for where it goes.
fn ready(method: Method, headers: HeaderMap, body: Bytes) -> Ready {
    let mut ready = Ready::new(Full::new(body));
    (*ready.method_mut(), *ready.headers_mut()) = (method, headers);
    ready
}

async fn exchange(
    client: &Client,
    (to, request): (&Address, &mut Option<Ready>),
    deadline: Instant,
    bytes_max: usize,
) -> Result<Answer, Failure> {
    // One timer for the whole of it.
    let mut late = pin!(sleep_until(deadline));
    let sent = within(late.as_mut(), pin!(client.send(to, request))).await;
    // What waited for a connection all the time has not left.
    let slow = if request.is_some() { Failure::Connect } else { Failure::Timeout };
    let Sent { mut response, lease } = sent.unwrap_or(Err(slow))?;
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: Vec::new(),
        cut: None,
    };
    loop {
        match within(late.as_mut(), pin!(chunk(&mut response))).await {
            None => answer.cut = Some(Failure::Timeout),
            Some(Err(_broken)) => answer.cut = Some(Failure::Broken),
            Some(Ok(None)) => lease.give_back(),
            Some(Ok(Some(chunk))) if answer.body.len() + chunk.len() <= bytes_max => {
                answer.body.extend_from_slice(&chunk);
                continue;
            }
            Some(Ok(Some(_more))) => answer.cut = Some(Failure::Large),
        }
        return Ok(answer);
    }
}

/// What comes of `work`, unless it is late. It stays where it lies, as an attempt would have room for it twice.
async fn within<T>(mut late: Pin<&mut Sleep>, work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = &mut late => None,
    }
}

/// The next piece of a body; nothing at its end.
async fn chunk(response: &mut Response<Incoming>) -> Result<Option<Bytes>, hyper::Error> {
    while let Some(frame) = response.body_mut().frame().await.transpose()? {
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use carillon_model::endpoint::FEISHU_HOST;

    use super::{Failure, Http, To};
    use crate::ProviderSettings;
    use crate::connect_to::ConnectTo;

    #[test]
    fn a_path_never_leads_to_another_host() {
        let detour = ConnectTo::parse("open.feishu.cn=http://127.0.0.1:9001").unwrap();
        let straight = Http::new(&ProviderSettings::default());
        let led = Http::new(&ProviderSettings { connect_to: vec![detour], ..ProviderSettings::default() });
        for (http, uri, detour) in [
            (&straight, "https://open.feishu.cn/hook/a?b=c", false),
            (&led, "http://127.0.0.1:9001/hook/a?b=c", true),
        ] {
            let aim = http.aim(&To::Platform { host: FEISHU_HOST, path: "/hook/a?b=c" }).unwrap();
            assert_eq!((aim.to.uri().unwrap().to_string().as_str(), aim.public), (uri, false));
            assert_eq!((aim.to.host.to_str().unwrap(), aim.to.detour), (FEISHU_HOST, detour));
            for path in ["@evil.example/", ".evil.example/", "", "hook"] {
                let refused = http.aim(&To::Platform { host: FEISHU_HOST, path });
                assert!(matches!(refused, Err(Failure::Request)), "{path}");
            }
            let elsewhere = http.aim(&To::Platform { host: "evil.example", path: "/" });
            assert!(matches!(elsewhere, Err(Failure::Forbidden)));
        }
    }
}
