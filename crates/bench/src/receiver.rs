//! The far end: reads a post, notes its number, answers. It confirms subscriptions by following their links.
//!
//! A message's text is `~number~microseconds~`, and the path names the endpoint: `/e/7` takes everything, `/h/7` never
//! answers, `/r/7` refuses, `/l/7` asks for a second's patience at every other post, `/s/7` takes 50 milliseconds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::http::{self, Connection};
use crate::ledger::Ledger;

const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{\"code\":0}";
const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
const LATER: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
const GONE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
/// How long a slow endpoint takes.
const SLOW: Duration = Duration::from_millis(50);

/// What a receiver does and has seen.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The book of the scenario under way.
    pub(crate) ledger: Arc<Ledger>,
    /// How many endpoints share a topic.
    fan_out: usize,
    connections: AtomicU64,
    posts: AtomicU64,
    limited: AtomicU64,
    down: AtomicBool,
    confirm: mpsc::UnboundedSender<String>,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) async fn start(
        fan_out: usize,
        deliveries: usize,
        tasks: &TaskTracker,
    ) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the receiver")?;
        let (confirm, links) = mpsc::unbounded_channel();
        let receiver = Arc::new(Self {
            address: listener.local_addr()?,
            ledger: Arc::new(Ledger::new(deliveries)),
            fan_out,
            connections: AtomicU64::new(0),
            posts: AtomicU64::new(0),
            limited: AtomicU64::new(0),
            down: AtomicBool::new(false),
            confirm,
        });
        tasks.spawn(follow(links));
        let (shared, inner) = (Arc::clone(&receiver), tasks.clone());
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                inner.spawn(Arc::clone(&shared).serve(stream));
            }
        });
        Ok(receiver)
    }

    /// Answers nothing but 503 from now on, or ends that.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// How many connections there were, and how many posts.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.connections.load(Ordering::Relaxed), self.posts.load(Ordering::Relaxed))
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let mut buffer = Vec::with_capacity(8192);
        loop {
            let whole = http::frame(&buffer).filter(|frame| buffer.len() >= frame.head + frame.body);
            let Some(frame) = whole else {
                match stream.read_buf(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => continue,
                }
            };
            let length = frame.head + frame.body;
            let answer = self.answer(buffer.get(..length).unwrap_or_default(), frame.head).await;
            buffer.drain(..length);
            let Some(answer) = answer else {
                // Never answered; whoever asked hangs up.
                drop(stream.read_buf(&mut buffer).await);
                return;
            };
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, request: &[u8], head: usize) -> Option<&'static [u8]> {
        self.posts.fetch_add(1, Ordering::Relaxed);
        let body = request.get(head..).unwrap_or_default();
        if let Some(link) = text_of(body, b"\"subscribe_url\":\"") {
            // An error means that the harness stops.
            drop(self.confirm.send(link));
            return Some(OK);
        }
        if self.down.load(Ordering::Relaxed) {
            return Some(GONE);
        }
        let (kind, endpoint) = endpoint_of(request);
        match kind {
            b'h' => return None,
            b'r' => return Some(REFUSED),
            b'l' if self.limited.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => return Some(LATER),
            b's' => tokio::time::sleep(SLOW).await,
            _ => {}
        }
        if let Some((message, sent_us)) = mark(body) {
            self.ledger.received(message * self.fan_out + endpoint % self.fan_out, sent_us);
        }
        Some(OK)
    }
}

/// Follows links, one after another.
async fn follow(mut links: mpsc::UnboundedReceiver<String>) {
    let mut kept: Option<(SocketAddr, Connection)> = None;
    while let Some(link) = links.recv().await {
        let Some((host, path)) = link.strip_prefix("http://").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let Ok(address) = host.parse::<SocketAddr>() else { continue };
        let connection = match kept.take() {
            Some((same, connection)) if same == address => Ok(connection),
            Some(_) | None => Connection::open(address).await,
        };
        let Ok(mut connection) = connection else { continue };
        if connection.ask(&http::get(address, &format!("/{path}"), "")).await.is_ok() {
            kept = Some((address, connection));
        }
    }
}

/// The JSON string behind `name`; links have nothing that is escaped.
fn text_of(body: &[u8], name: &[u8]) -> Option<String> {
    let rest = body.get(http::find(body, name)? + name.len()..)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    String::from_utf8(rest.get(..end)?.to_vec()).ok()
}

fn number(bytes: &[u8]) -> Option<usize> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    let (count, value) =
        digits.fold((0, 0), |(count, value), b| (count + 1, value * 10 + usize::from(b - b'0')));
    (count > 0).then_some(value)
}

/// An endpoint's kind and number, of a web hook or of a bot.
fn endpoint_of(request: &[u8]) -> (u8, usize) {
    // POST /e/7 HTTP/1.1
    let mut rest = request.get(6..).unwrap_or_default();
    if let Some(bot) = rest.strip_prefix(b"open-apis/bot/v2/hook/0be0c000-0000-4000-8000-") {
        rest = bot;
    }
    let digits = rest.get(1..).unwrap_or_default();
    let digits = digits.strip_prefix(b"/").unwrap_or(digits);
    (rest.first().copied().unwrap_or_default(), number(digits).unwrap_or_default())
}

/// The message's number and when it was published.
fn mark(body: &[u8]) -> Option<(usize, u64)> {
    let rest = body.get(body.iter().position(|byte| *byte == b'~')? + 1..)?;
    let message = number(rest)?;
    let rest = rest.get(rest.iter().position(|byte| *byte == b'~')? + 1..)?;
    Some((message, u64::try_from(number(rest)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::{endpoint_of, mark, text_of};
    use crate::http::frame;

    #[test]
    fn a_post_is_framed_by_its_length() {
        let post = b"POST /e/7 HTTP/1.1\r\nHost: a\r\nCONTENT-LENGTH: 3\r\n\r\nabcd";
        let found = frame(post).unwrap();
        assert_eq!((found.head, found.body), (post.len() - 4, 3));
        assert!(frame(b"POST /e/7 HTTP/1.1\r\nHost: a\r\n").is_none(), "the head is not whole");
        assert_eq!(frame(b"GET / HTTP/1.1\r\n\r\n").unwrap().body, 0);
    }

    #[test]
    fn a_path_names_its_endpoint() {
        assert_eq!(endpoint_of(b"POST /e/7 HTTP/1.1"), (b'e', 7));
        let bot = b"POST /open-apis/bot/v2/hook/0be0c000-0000-4000-8000-e00000000042 HTTP/1.1";
        assert_eq!(endpoint_of(bot), (b'e', 42));
    }

    #[test]
    fn a_message_tells_its_number_and_its_time() {
        assert_eq!(mark(br#"{"message":"~12~345~","timestamp":"x"}"#), Some((12, 345)));
        for wrong in ["{}", "~", "~x~1~", "~12", "~12~x"] {
            assert_eq!(mark(wrong.as_bytes()), None, "{wrong}");
        }
        let link = text_of(br#"{"subscribe_url":"http://a/b?c"}"#, b"\"subscribe_url\":\"");
        assert_eq!(link.as_deref(), Some("http://a/b?c"));
    }
}
