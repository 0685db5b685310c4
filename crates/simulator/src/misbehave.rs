//! Carrying out a script instead of behaving.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::Frame;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::registry::Platform;
use crate::script::Act;
use crate::serve::{Closed, Visit, json, typed};
use crate::verdict::Verdict;

const MEGABYTE: u64 = 1_000_000;
const GARBAGE: &str = "<html><head><title>502 Bad Gateway</title></head>\
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>";

/// Answers, or does not, as the script says. A stop ends every wait.
pub(crate) async fn answer(
    visit: &Visit<'_>,
    act: Act,
    stop: &CancellationToken,
) -> Result<Response<Body>, Closed> {
    match act {
        Act::Slow { ms } => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(ms)) => Ok(visit.behave()),
                () = stop.cancelled() => Err(Closed),
            }
        }
        Act::Hang => {
            note(visit, 0, "hang");
            stop.cancelled().await;
            Err(Closed)
        }
        Act::Code { code, text } => {
            let mut verdict = in_shape(visit.platform(), &code, text);
            visit.settle(visit.platform(), &mut verdict);
            Ok(json(verdict.status, &verdict.answer))
        }
        Act::Answer { status, headers, body } => {
            note(visit, status, "answer");
            Ok(as_given(status, &headers, body))
        }
        Act::Huge { megabytes } => {
            note(visit, 200, "huge");
            let body = Body::new(Flood { left: u64::from(megabytes) * MEGABYTE, then: Then::End });
            Ok(typed(StatusCode::OK, "application/json", body))
        }
        Act::Drop => {
            note(visit, 200, "drop");
            let body = Body::new(Flood { left: 64, then: Then::Flush });
            Ok(typed(StatusCode::OK, "application/json", body))
        }
        Act::LoseAnswer => {
            visit.behave();
            Err(Closed)
        }
        Act::Garbage => {
            note(visit, 200, "garbage");
            Ok(typed(StatusCode::OK, "text/html", GARBAGE))
        }
        Act::Gone => {
            note(visit, 0, "gone");
            Err(Closed)
        }
    }
}

fn note(visit: &Visit<'_>, status: u16, what: &str) {
    let mut verdict = Verdict::accepted("scripted", json!({}));
    verdict.status = status;
    verdict.text = what.to_owned();
    visit.settle(visit.platform(), &mut verdict);
}

fn in_shape(platform: Platform, code: &str, text: String) -> Verdict {
    let number = code.parse::<i64>().unwrap_or(-1);
    match platform {
        Platform::Dingtalk | Platform::Wecom => Verdict::errcode(number, text),
        Platform::Lark | Platform::Feishu => Verdict::lark(200, number, text),
        Platform::DingtalkApp => {
            let status = if code.starts_with("Forbidden") { 403 } else { 400 };
            Verdict::dingtalk_api(status, code, &text, "scripted")
        }
        Platform::Webhook | Platform::Mail => {
            Verdict { text, ..Verdict::accepted(code, json!({"code": code})) }
        }
    }
}

fn as_given(status: u16, headers: &[(String, String)], body: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        match (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            (Ok(name), Ok(value)) => {
                answer.headers_mut().append(name, value);
            }
            _ => tracing::warn!(header = name, "a scripted header is not a legal one; left out"),
        }
    }
    answer
}

/// What follows the last byte of a [`Flood`].
#[derive(Debug, Clone, Copy)]
enum Then {
    /// The orderly end.
    End,
    /// Waiting once, so that what there is goes out, and then breaking.
    Flush,
    /// Breaking the connection.
    Break,
}

/// A body of blanks, made as it is sent: as JSON it never ends.
struct Flood {
    left: u64,
    then: Then,
}

impl hyper::body::Body for Flood {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        const BLANKS: &[u8] = &[b' '; 16_384];
        if self.left > 0 {
            let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(BLANKS.len());
            self.left -= length as u64;
            let chunk = BLANKS.get(..length).unwrap_or_default();
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(chunk)))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::Flush => {
                self.then = Then::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Then::Break => Poll::Ready(Some(Err(Closed))),
        }
    }
}
