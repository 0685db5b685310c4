//! What requests leave by: kept connections, names resolved by our [`Resolver`], TLS as the machine trusts it.
//!
//! It is hyper's connections with a pool of our own around them: what a larger client does for each request (parsing addresses
//! anew, layers for redirects and retries that are switched off, a race that a kept connection always wins) was a part of a
//! delivery's cost (docs/adr/0034, docs/adr/0041).

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::uri::{Parts, PathAndQuery};
use hyper::{Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connection as _, HttpConnector};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use tokio::time::{Instant, timeout};
use tower::Service as _;

use crate::Authorities;
use crate::guard::{Denied, Resolver, Unresolved};
use crate::http::Failure;
use crate::line::{Line, Ready};
use crate::pool::{Lease, Place, Pool};

/// How often a connection on which nothing comes is asked whether it is alive, and how often in vain.
pub(crate) const ALIVE_EVERY: Duration = Duration::from_secs(10);
const ALIVE_TRIES: u32 = 3;
/// How long what was sent may stay unacknowledged by the other machine.
const UNANSWERED_MAX: Duration = Duration::from_secs(30);

/// Where a request goes.
pub(crate) struct Address {
    /// Whom to dial.
    pub(crate) place: Place,
    /// What is asked for there.
    pub(crate) path: PathAndQuery,
    /// The host that the far end is to read.
    pub(crate) host: HeaderValue,
    /// Whether that is another than the one that is dialled.
    pub(crate) detour: bool,
}

impl Address {
    /// All of it as one.
    pub(crate) fn uri(&self) -> Result<Uri, Failure> {
        uri(&self.place, self.path.clone())
    }
}

fn uri((scheme, authority): &Place, path: PathAndQuery) -> Result<Uri, Failure> {
    let mut parts = Parts::default();
    (parts.scheme, parts.authority) = (Some(scheme.clone()), Some(authority.clone()));
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_parts| Failure::Request)
}

/// Carries requests. It follows no redirect, uses no proxy, keeps no cookies.
pub(crate) struct Client {
    dialler: Dialler,
    pool: Pool<Line>,
}

/// The head of an answer, and the connection that its body comes over.
pub(crate) struct Sent {
    pub(crate) response: Response<Incoming>,
    pub(crate) lease: Lease<Line>,
}

impl Client {
    /// A client that gives up connecting after `patience`, a TLS handshake included.
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
        let connector = Arc::new(https.enable_all_versions().wrap_connector(plain));
        Some(Self { dialler: Dialler { connector, patience }, pool: Pool::default() })
    }

    /// Sends a request and reads the head of its answer. The request is taken where it lies: it is large, and each call that
    /// it were handed through would have room for it in every attempt under way. It is there still when nothing of it has left.
    pub(crate) async fn send(&self, to: &Address, request: &mut Option<Ready>) -> Result<Sent, Failure> {
        let lines = self.pool.lines(&to.place);
        loop {
            let mut lease = match lines.take(Instant::now()) {
                Some(lease) => lease,
                // Boxed: nearly every request finds one.
                None => Box::pin(lines.wait(self.dialler.clone().dial(to.place.clone()))).await?,
            };
            lease.line.address(request.as_mut().ok_or(Failure::Request)?, to)?;
            match lease.line.send(request.take().ok_or(Failure::Request)?).await {
                Ok(response) => return Ok(Sent { response, lease }),
                Err(mut error) => *request = error.take_message(),
            }
            if request.is_none() {
                return Err(Failure::Broken);
            }
            // Nothing of it has left. A connection that was kept had ended meanwhile.
            if !lease.kept {
                return Err(Failure::Connect);
            }
        }
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

/// Makes connections, each within its time.
#[derive(Clone)]
struct Dialler {
    connector: Arc<HttpsConnector<HttpConnector<Resolver>>>,
    patience: Duration,
}

impl Dialler {
    async fn dial(self, place: Place) -> Result<Line, Failure> {
        let to = uri(&place, PathAndQuery::from_static("/"))?;
        let connecting = async {
            let mut connector = HttpsConnector::clone(&self.connector);
            std::future::poll_fn(|context| connector.poll_ready(context)).await?;
            let io = connector.call(to).await?;
            let many = io.connected().is_negotiated_h2();
            Ok::<_, Box<dyn Error + Send + Sync>>(Line::over(io, many).await?)
        };
        let made = timeout(self.patience, connecting).await.map_err(|_elapsed| Failure::Connect)?;
        made.map_err(|error| judge(error.as_ref()))
    }
}

/// Why there is no connection.
fn judge(error: &(dyn Error + 'static)) -> Failure {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if inner.is::<Denied>() {
            return Failure::Forbidden;
        }
        if inner.is::<Unresolved>() {
            return Failure::Resolve;
        }
        cause = inner.source();
    }
    Failure::Connect
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
