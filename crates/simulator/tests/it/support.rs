//! A hand-made HTTP client and a simulator whose clock stands still.

use std::net::SocketAddr;
use std::sync::Arc;

use carillon_simulator::{ManualClock, Running, Simulator};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The time of the signature vectors, in milliseconds.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) async fn start(simulator: Simulator) -> World {
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = simulator.with_clock(clock.clone()).start(listen).await.unwrap();
    World { running, clock }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// `errcode` or `code`, as text.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let code = json.get("errcode").or_else(|| json.get("code")).cloned().unwrap_or_default();
        code.as_str().map_or_else(|| code.to_string(), str::to_owned)
    }

    /// `errmsg`, `msg` or `message`.
    pub(crate) fn words(&self) -> String {
        let json = self.json();
        let words = ["errmsg", "msg", "message"].into_iter().find_map(|field| json[field].as_str());
        words.unwrap_or_default().to_owned()
    }
}

/// Sends a request and reads until the connection ends; `None` when no whole head came back.
pub(crate) async fn exchange(addr: SocketAddr, head: &str, body: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(addr).await.ok()?;
    let has_host = head.to_ascii_lowercase().contains("\r\nhost:");
    let host = if has_host { "" } else { "\r\nHost: localhost" };
    let request = format!("{head}{host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(request.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    let mut answer = Vec::new();
    // A broken connection counts as the end: what came before it is the answer.
    let ended = stream.read_to_end(&mut answer).await;
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    drop(ended);
    Some(Reply { status, head, body: answer[split + 4..].to_vec() })
}

impl World {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        exchange(self.running.addr(), &format!("GET {path} HTTP/1.1"), b"").await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(path, "", body.to_string().as_bytes()).await
    }

    /// `more` is header lines, each ended by CRLF.
    pub(crate) async fn post_with(&self, path: &str, more: &str, body: &[u8]) -> Reply {
        let head = json_head(path, more);
        exchange(self.running.addr(), &head, body).await.unwrap()
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Option<Reply> {
        exchange(self.running.addr(), &json_head(path, ""), body.to_string().as_bytes()).await
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.running.received().into_iter().map(|received| received.text).collect()
    }
}

fn json_head(path: &str, more: &str) -> String {
    let kind = if more.to_ascii_lowercase().contains("content-type:") {
        ""
    } else {
        "\r\nContent-Type: application/json; charset=utf-8"
    };
    let more = if more.is_empty() { String::new() } else { format!("\r\n{}", more.trim_end()) };
    format!("POST {path} HTTP/1.1{kind}{more}")
}
