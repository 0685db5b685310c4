//! A simulator that listens nowhere: requests are handed in, and the same rooms judge them.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::{Body, Bytes};
use axum::http::Request;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::record::{Call, Received};
use crate::script::Act;
use crate::serve;
use crate::world::{World, lock};

/// The largest answer, in bytes.
const MOST_ANSWER: usize = 16 * 1024 * 1024;

/// A simulator without a listener. Mail is not to be had here.
pub struct Unplugged {
    world: World,
    stop: CancellationToken,
    /// Ends scripted waits with this.
    _stop_at_end: DropGuard,
}

/// What a far end answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Unplugged {
    pub(crate) fn new(world: World) -> Self {
        let stop = CancellationToken::new();
        Self { world, stop: stop.clone(), _stop_at_end: stop.drop_guard() }
    }

    /// Judges a request to the URL of a real host, as if it came from this machine. Nothing when the far end hangs up
    /// without an answer, or in the middle of it, and when it is no request at all.
    pub async fn take(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Option<Answered> {
        let request = Request::builder().method(method).uri(url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let (parts, ()) = request.body(()).ok()?.into_parts();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let answer = serve::respond(&self.world, &self.stop, from, &parts, &body).await.ok()?;
        let (head, body) = answer.into_parts();
        let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = head.headers.iter().map(header).collect();
        let body = axum::body::to_bytes(Body::new(body), MOST_ANSWER).await.ok()?;
        Some(Answered { status: head.status.as_u16(), headers, body: body.to_vec() })
    }

    /// Returns every message shown in a chat, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.world.records).received()
    }

    /// Returns every request that came in with its verdict, refused ones too, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.world.records).calls()
    }

    /// Makes the robot of this token do something else, as [`crate::Running::script`] does.
    pub fn script(&self, token: &str, act: Act, times: Option<u32>) {
        lock(&self.world.scripts).set(token, act, times);
    }
}
