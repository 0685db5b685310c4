//! One request of a caller who is known: what every protected handler is given.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use carillon_model::id::RequestId;
use carillon_model::{Field, Invalid, limits};
use carillon_service::{Caller, Error, Service};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{auth, layer};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How long an image or a file may take to arrive.
const LARGE_BODY_TIME: Duration = Duration::from_secs(120);
/// Stands in the answer to a publish that was accepted before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Whether handlers may see a header.
fn is_kept(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-smn-") || name.as_str() == IDEMPOTENCY_KEY || *name == header::HOST
}

/// Says in an answer that nothing was published now.
pub(crate) fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
}

/// A request with its caller. A handler cannot get one without the caller being known.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The request's id.
    pub(crate) id: Option<RequestId>,
    /// The address that its connection comes from.
    pub(crate) client: IpAddr,
    path: Vec<(String, String)>,
    query: HashMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

/// Why a request did not become a call.
pub(crate) enum Refused {
    /// The service's own refusal.
    Service(Error),
    /// The body is over the limit.
    TooLarge,
    /// The body did not arrive.
    Broken,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

impl Call {
    /// Reads the body and asks who calls.
    pub(crate) async fn read(request: Request, service: &Service) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let body = read_body(body).await?;
        let caller = auth::caller(service, &parts, &body).await?;
        Ok(Self::known(caller, &parts, body))
    }

    fn known(caller: Caller, parts: &Parts, body: Bytes) -> Self {
        let path = path(parts);
        let query = query(parts.uri.query().unwrap_or_default());
        let id = layer::request_id(&parts.extensions);
        let client = layer::client(&parts.extensions);
        // Only these: others hold credentials, which must not be printed with the call.
        let kept = parts.headers.iter().filter(|(name, _value)| is_kept(name));
        let headers = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { caller, id, client, path, query, headers, body }
    }

    /// Reads a request whose body may be as large as an image or a file. A token is looked at before any of it is read;
    /// whoever signs instead has to sign the whole, and so sends no more than an ordinary body.
    /// What comes with it is the turn among the readers, to be held until the bytes are kept.
    pub(crate) async fn read_large<'r>(
        request: Request,
        service: &Service,
        readers: &'r Semaphore,
    ) -> Result<(Self, Option<SemaphorePermit<'r>>), Refused> {
        let (parts, body) = request.into_parts();
        let Some(caller) = auth::caller_by_token(service, &parts).await else {
            let call = Self::read(Request::from_parts(parts, body), service).await?;
            return Ok((call, None));
        };
        let caller = caller?;
        service.may_attach(&caller)?;
        let turn = readers.acquire().await.ok();
        let body = collect_large(body).await?;
        Ok((Self::known(caller, &parts, body), turn))
    }

    /// The body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// A part of the path by its name in the route.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the query, if it is there and not empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The key that makes a publish happen once, if the header is there.
    pub(crate) fn idempotency_key(&self) -> Option<Cow<'_, str>> {
        let key = self.headers.get(IDEMPOTENCY_KEY)?;
        Some(String::from_utf8_lossy(key.as_bytes()))
    }

    /// Whether there is no body.
    pub(crate) fn is_bare(&self) -> bool {
        self.body.is_empty()
    }

    /// The text of a header of SMN's own (`x-smn-…`) or of `Host`, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as a JSON object; a body that is none is a fault of `field`.
    pub(crate) fn object(&self, field: Field) -> Result<serde_json::Map<String, serde_json::Value>, Invalid> {
        match serde_json::from_slice(&self.body) {
            Ok(serde_json::Value::Object(object)) => Ok(object),
            Ok(_) => Err(Invalid::new(field, "the body must be a JSON object")),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(Invalid::new(
                    field,
                    format!("the body is no valid JSON, see line {line} column {column}"),
                ))
            }
        }
    }
}

/// Reads a body up to the limit.
pub(crate) async fn read_body(body: axum::body::Body) -> Result<Bytes, Refused> {
    collect(body, limits::REQUEST_BODY_BYTES_MAX).await
}

async fn collect(body: axum::body::Body, bytes_max: usize) -> Result<Bytes, Refused> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refused::TooLarge),
        Err(_broken) => Err(Refused::Broken),
    }
}

/// Reads an image or a file. Whoever sends a byte now and then must not keep the others out.
async fn collect_large(body: axum::body::Body) -> Result<Bytes, Refused> {
    let wrong = |rule| Refused::from(Error::from(Invalid::new(Field::Attachment, rule)));
    let body = tokio::time::timeout(LARGE_BODY_TIME, collect(body, limits::ATTACHMENT_BYTES_MAX)).await;
    match body.map_err(|_elapsed| wrong("must arrive within two minutes"))? {
        Err(Refused::TooLarge) => Err(wrong("must be at most 31457280 bytes (30 MiB)")),
        body => body,
    }
}

/// The parts of the path by their names in the route. A byte that is no UTF-8 becomes a sign that fits no rule, so
/// that the part is refused by its own.
fn path(parts: &Parts) -> Vec<(String, String)> {
    let Some(route) = parts.extensions.get::<MatchedPath>() else { return Vec::new() };
    let named = route.as_str().split('/').zip(parts.uri.path().split('/'));
    named
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), auth::sign::decode(value)))
        })
        .collect()
}

/// The parameters of a query.
pub(crate) fn query(text: &str) -> HashMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (auth::sign::decode_query(key), auth::sign::decode_query(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use carillon_service::Error;
    use futures_util::StreamExt;

    use super::{LARGE_BODY_TIME, Refused, collect_large};

    #[tokio::test(start_paused = true)]
    async fn a_file_that_does_not_end_is_refused_in_time() {
        let begun = tokio::time::Instant::now();
        let bytes = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]);
        let body = Body::from_stream(bytes.chain(futures_util::stream::pending()));
        let refused = collect_large(body).await.err();
        assert_eq!(begun.elapsed(), LARGE_BODY_TIME);
        assert!(matches!(refused, Some(Refused::Service(Error::Invalid(_)))), "it is told what was wrong");
    }
}
