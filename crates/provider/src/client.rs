//! What requests leave by: a pool of connections, names resolved by our [`Resolver`], TLS as the machine trusts it.
//!
//! It is hyper's client with nothing around it: what a larger client does for each request (parsing addresses anew, layers for
//! redirects and retries that are switched off) was a part of a delivery's cost (docs/adr/0034).

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tower::Service;

use crate::Authorities;
use crate::gathered::Gathered;
use crate::guard::Resolver;

/// How long an idle connection is kept: shorter than the platforms keep it, so that a request rarely meets its end.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How many idle connections are kept for each host: as many as posts to one host are under way in a burst.
const IDLE_PER_HOST_MAX: usize = 1024;
/// How often a connection on which nothing comes is asked whether it is alive, and how often in vain.
const ALIVE_EVERY: Duration = Duration::from_secs(10);
const ALIVE_TRIES: u32 = 3;
/// How long the answer to that may take over HTTP/2.
const ALIVE_WAIT: Duration = Duration::from_secs(10);
/// How long what was sent may stay unacknowledged by the other machine.
const UNANSWERED_MAX: Duration = Duration::from_secs(30);

type Cause = Box<dyn Error + Send + Sync>;

/// Carries requests. It follows no redirect, uses no proxy, keeps no cookies.
pub(crate) struct Client(legacy::Client<Connector, Full<Bytes>>);

impl Client {
    /// A client that gives up connecting after `patience`, a TLS handshake included.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
    pub(crate) fn new(resolver: Resolver, patience: Duration, authorities: &Authorities) -> Option<Self> {
        let tls = trusting(authorities)?;
        let mut plain = HttpConnector::new_with_resolver(resolver);
        plain.enforce_http(false);
        plain.set_nodelay(true);
        // Shared out among a host's addresses, so that one that does not answer leaves time for the next.
        plain.set_connect_timeout(Some(patience));
        // What died without a word is found out, also where requests go on over it, as HTTP/2 lets them.
        plain.set_keepalive(Some(ALIVE_EVERY));
        plain.set_keepalive_interval(Some(ALIVE_EVERY));
        plain.set_keepalive_retries(Some(ALIVE_TRIES));
        #[cfg(target_os = "linux")]
        plain.set_tcp_user_timeout(Some(UNANSWERED_MAX));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let inner = https.enable_all_versions().wrap_connector(plain);
        let connector = Connector(Arc::new(Within { inner, patience }));
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_keep_alive_interval(ALIVE_EVERY)
            .http2_keep_alive_timeout(ALIVE_WAIT)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .build(connector);
        Some(Self(client))
    }

    /// Sends a request and reads the head of its answer.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, legacy::Error> {
        self.0.request(request).await
    }
}

/// TLS with the machine's authorities and these. Without any on the machine, https endpoints cannot be reached, others can.
fn trusting(authorities: &Authorities) -> Option<ClientConfig> {
    let provider = rustls::crypto::CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_safe_default_protocol_versions().ok()?;
    let more = authorities.iter().map(|der| CertificateDer::from(der.to_vec()));
    match Verifier::new_with_extra_roots(more, provider) {
        Ok(verifier) => {
            let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
            Some(config.with_no_client_auth())
        }
        Err(_no_roots) => {
            tracing::error!("no certificate authorities on this machine: https endpoints cannot be reached");
            Some(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
        }
    }
}

/// Makes connections, each within its time. The client copies it for each request, so a copy is one count.
#[derive(Clone)]
struct Connector(Arc<Within>);

struct Within {
    inner: HttpsConnector<HttpConnector<Resolver>>,
    patience: Duration,
}

/// A connection was not made in time.
#[derive(Debug, thiserror::Error)]
#[error("no connection in time")]
struct Slow;

impl Service<Uri> for Connector {
    type Response = Gathered<MaybeHttpsStream<TokioIo<TcpStream>>>;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Cause>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (mut inner, patience) = (self.0.inner.clone(), self.0.patience);
        Box::pin(async move {
            std::future::poll_fn(|context| inner.poll_ready(context)).await?;
            let made = tokio::time::timeout(patience, inner.call(to)).await.map_err(|_elapsed| Slow)?;
            made.map(Gathered::new)
        })
    }
}
