//! As little HTTP/1.1 as a load generator needs, so that it costs little beside what it measures: one request at a time
//! on a connection that is kept.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most bytes of a head or an answer; what is larger is an error of the harness.
const BUFFER_MAX: usize = 1 << 22;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// Where a message's head ends and how long its body is.
pub(crate) struct Frame {
    pub(crate) head: usize,
    pub(crate) body: usize,
}

/// The frame of the message that begins `bytes`, once its head is there.
pub(crate) fn frame(bytes: &[u8]) -> Option<Frame> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let text = bytes.get(..head)?;
    let mut body = 0;
    for line in text.split(|byte| *byte == b'\n') {
        if line.len() > 15 && line.get(..15).is_some_and(|name| name.eq_ignore_ascii_case(b"content-length:"))
        {
            let digits = line.get(15..).unwrap_or_default();
            body =
                digits.iter().filter(|b| b.is_ascii_digit()).fold(0, |n, b| n * 10 + usize::from(b - b'0'));
        }
    }
    Some(Frame { head, body })
}

/// Where `needle` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// The bytes of a POST.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// The bytes of a GET.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: 0\r\n\r\n").into_bytes()
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if let Some(frame) = frame(&self.buffer)
                && self.buffer.len() >= frame.head + frame.body
            {
                let status = self.buffer.get(9..12).and_then(|text| std::str::from_utf8(text).ok());
                let status =
                    status.and_then(|text| text.parse().ok()).context("an answer without a status")?;
                let body = self.buffer.get(frame.head..frame.head + frame.body).unwrap_or_default().to_vec();
                return Ok(Answer { status, body });
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the connection ended before the answer");
            }
            if self.buffer.len() > BUFFER_MAX {
                bail!("an answer of more than {BUFFER_MAX} bytes");
            }
        }
    }
}
