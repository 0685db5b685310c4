//! What stands in the place of the network in a simulation: far ends answer here by themselves, and nothing is dialled.

use std::pin::Pin;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use tokio::time::{Instant, timeout_at};

use crate::http::{Answer, Failure};

/// Stands in the place of the network.
pub trait Wire: Send + Sync {
    /// Takes a request to its far end and brings the answer back. The client's deadline may cut it at any await.
    fn carry(&self, outgoing: Outgoing) -> Carried<'_>;
}

/// What becomes of a request that a [`Wire`] carries.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// A request as it would leave. It holds secrets, and so it cannot be printed.
pub struct Outgoing {
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers, by name and value.
    pub headers: Vec<(String, String)>,
    /// The body; what is not UTF-8 in it is lost.
    pub body: String,
}

impl Outgoing {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Self {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            method: method.as_str().to_owned(),
            url: uri.to_string(),
            headers: headers.iter().map(header).collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}

/// A far end's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by name and value; those that HTTP does not allow are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request over a wire and reads the answer.
pub(crate) async fn exchange(
    wire: &dyn Wire,
    outgoing: Outgoing,
    deadline: Instant,
) -> Result<Answer, Failure> {
    let reply = timeout_at(deadline, wire.carry(outgoing)).await;
    let Reply { status, headers: given, body } = reply.unwrap_or(Err(Failure::Timeout))?;
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.append(name, value);
        }
    }
    Ok(Answer { status, headers, body, cut: None })
}
