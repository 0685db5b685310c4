//! What the server is compared with: the same harness posts straight to a receiver what the server would have posted, over as
//! many connections as there are publishers.
//!
//! There are two of it. The publishers' own way of posting is as little as a load generator can do: bytes that are written and
//! searched, on a socket. A program that would post by itself, in place of a service, has an HTTP client; the one here is
//! the server's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::http::{self, Connection};
use crate::receiver::Receiver;
use crate::world::{PATIENCE, rate};

/// How the posts are made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// As the publishers of this harness do.
    Socket,
    /// With an HTTP client.
    Client,
}

/// A way to post, of one publisher.
enum Way {
    Socket(Connection),
    Client(Box<Client<HttpConnector, Full<Bytes>>>, Uri),
}

impl Way {
    async fn open(by: By, address: SocketAddr) -> anyhow::Result<Self> {
        if let By::Socket = by {
            return Ok(Self::Socket(Connection::open(address).await?));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        #[expect(clippy::disallowed_methods, reason = "it posts to this harness's own receiver only")]
        let client = Box::new(Client::builder(TokioExecutor::new()).build(connector));
        Ok(Self::Client(client, format!("http://{address}/e/0").parse()?))
    }

    async fn post(&mut self, address: SocketAddr, body: String) -> anyhow::Result<()> {
        let (client, uri) = match self {
            Self::Socket(connection) => {
                connection.ask(&http::post(address, "/e/0", "", &body)).await?;
                return Ok(());
            }
            Self::Client(client, uri) => (client, uri.clone()),
        };
        let request = Request::builder().method(Method::POST).uri(uri);
        let request = request.header("content-type", "application/json").body(Full::from(body))?;
        client.request(request).await?.into_body().collect().await?;
        Ok(())
    }
}

/// Makes so many posts over so many connections, and tells how many a second.
pub(crate) async fn posts(by: By, posts: usize, connections: usize) -> anyhow::Result<f64> {
    let receiver = Receiver::start(1, posts, &TaskTracker::new()).await?;
    let (next, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (next, receiver) = (Arc::clone(&next), Arc::clone(&receiver));
            TaskTracker::new().spawn(async move {
                let mut way = Way::open(by, receiver.address).await?;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= posts {
                        return anyhow::Ok(());
                    }
                    let body = format!(r#"{{"message":"~{number}~{}~"}}"#, receiver.ledger.now_us());
                    way.post(receiver.address, body).await?;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let came = receiver.ledger.wait_for(posts as u64, PATIENCE).await;
    ensure!(came == posts as u64, "the straight posts did not all arrive");
    Ok(rate(posts as u64, start.elapsed()))
}
