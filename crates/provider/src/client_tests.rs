use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Method;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::http::uri::Scheme;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Address, Client};
use crate::Authorities;
use crate::guard::Resolver;
use crate::http::Failure;
use crate::line::{Line, Ready};

/// A connection on which requests are taken but not yet written, until it is dropped; and the sender.
#[expect(clippy::disallowed_methods, reason = "both ends are the test's")]
async fn about_to_end() -> (impl Future, Line) {
    let (near, far) = tokio::io::duplex(1024);
    let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(near)).await.unwrap();
    let mut connection = Box::pin(async move {
        let _open = far;
        connection.await
    });
    tokio::select! {
        _ended = &mut connection => panic!("nobody closes it"),
        ready = sender.ready() => ready.unwrap(),
    }
    (connection, Line::One(sender))
}

fn to(authority: &str) -> Address {
    Address {
        place: (Scheme::HTTP, authority.parse().unwrap()),
        path: "/hook?a=b".parse().unwrap(),
        host: HeaderValue::from_str(authority).unwrap(),
        detour: false,
    }
}

fn request() -> Option<Ready> {
    let mut ready = Ready::new(Full::from("body"));
    *ready.method_mut() = Method::POST;
    Some(ready)
}

fn client() -> Client {
    Client::new(Resolver::new(None), Duration::from_secs(5), &Authorities::default()).unwrap()
}

#[tokio::test]
async fn what_a_kept_connection_did_not_take_along_goes_over_another() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = to(&listener.local_addr().unwrap().to_string());
    let client = client();
    let (connection, line) = about_to_end().await;
    client.pool.lines(&to.place).wait(async { Ok(line) }).await.unwrap().give_back();
    let mut request = request();
    let mut sending = pin!(client.send(&to, &mut request));
    assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(connection);
    let mut far_end = JoinSet::new();
    far_end.spawn(async move {
        let (mut stream, _from) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"body") {
            assert!(stream.read_buf(&mut seen).await.unwrap() > 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8(seen).unwrap()
    });
    let sent = sending.await;
    assert_eq!(sent.map(|sent| sent.response.status().as_u16()), Ok(200));
    let seen = far_end.join_next().await.unwrap().unwrap();
    assert!(seen.starts_with("POST /hook?a=b HTTP/1.1\r\nhost: 127.0.0.1:"), "{seen}");
    assert_eq!(seen.matches("POST").count(), 1);
}

#[tokio::test]
async fn what_found_no_connection_is_there_still() {
    // Nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let to = to(&address.to_string());
    let client = client();
    let mut request = request();
    let failed = client.send(&to, &mut request).await.err();
    assert_eq!((failed, request.is_some()), (Some(Failure::Connect), true), "it is there still");
}
