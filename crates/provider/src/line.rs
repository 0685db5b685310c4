//! A connection over which requests go: HTTP/1.1, one after the other, or HTTP/2, many at once.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::header::HOST;
use hyper::rt::{Executor as _, Read, Write};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::client::{ALIVE_EVERY, Address};
use crate::gathered::Gathered;
use crate::http::Failure;
use crate::pool;

/// How long an HTTP/2 connection may take to say that it is alive.
const ALIVE_WAIT: Duration = Duration::from_secs(10);

/// A request as it goes over a connection.
pub(crate) type Ready = Request<Full<Bytes>>;

/// A connection.
pub(crate) enum Line {
    /// HTTP/1.1.
    One(http1::SendRequest<Full<Bytes>>),
    /// HTTP/2.
    Many(http2::SendRequest<Full<Bytes>>),
}

impl Line {
    /// Begins to speak over what was connected.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes connections")]
    pub(crate) async fn over<T>(io: T, many: bool) -> hyper::Result<Self>
    where
        T: Read + Write + Unpin + Send + 'static,
    {
        // What ends a connection is told to the request that is on it.
        if many {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).keep_alive_interval(ALIVE_EVERY).keep_alive_timeout(ALIVE_WAIT);
            let (mut sender, connection) = builder.handshake(io).await?;
            TokioExecutor::new().execute(async move { drop(connection.await) });
            sender.ready().await?;
            return Ok(Self::Many(sender));
        }
        let (mut sender, connection) = http1::Builder::new().handshake(Gathered::new(io)).await?;
        TokioExecutor::new().execute(async move { drop(connection.await) });
        sender.ready().await?;
        Ok(Self::One(sender))
    }

    /// Sends a request and reads the head of its answer. An error has the request in it if nothing of it has left.
    pub(crate) async fn send(&mut self, request: Ready) -> Result<Response<Incoming>, TrySendError<Ready>> {
        match self {
            Self::One(sender) => sender.try_send_request(request).await,
            Self::Many(sender) => sender.try_send_request(request).await,
        }
    }

    /// Writes on a request where it goes, as HTTP/1.1 and HTTP/2 each want it.
    pub(crate) fn address(&self, request: &mut Ready, to: &Address) -> Result<(), Failure> {
        match self {
            Self::One(_) => {
                *request.uri_mut() = Uri::from(to.path.clone());
                request.headers_mut().insert(HOST, to.host.clone());
            }
            Self::Many(_) => {
                *request.uri_mut() = to.uri()?;
                if to.detour {
                    request.headers_mut().insert(HOST, to.host.clone());
                } else {
                    // The address says it already.
                    request.headers_mut().remove(HOST);
                }
            }
        }
        Ok(())
    }
}

impl pool::Line for Line {
    fn is_ready(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_ready(),
            Self::Many(sender) => sender.is_ready(),
        }
    }

    async fn ready(&mut self) -> bool {
        match self {
            Self::One(sender) => sender.ready().await.is_ok(),
            Self::Many(sender) => sender.ready().await.is_ok(),
        }
    }

    fn again(&self) -> Option<Self> {
        match self {
            Self::One(_) => None,
            Self::Many(sender) => Some(Self::Many(sender.clone())),
        }
    }
}
