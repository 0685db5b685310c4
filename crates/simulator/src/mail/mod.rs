//! A mail relay (RFC 5321): as strict as one that guards a large provider, and every mailbox is a chat.
//!
//! No TLS: what protects the line is not what it is for.

mod decode;
mod session;
mod talk;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::record::{Look, Shown};
use crate::registry::Platform;
use crate::verdict::Verdict;
use crate::world::{World, lock};
use decode::Decoded;

/// How long connections may finish after the stop, before they are cut.
const GRACE: Duration = Duration::from_millis(500);
/// How long to wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whom a mail is from and for, as the relay was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Envelope {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) eight_bit: bool,
}

/// Serves until the stop. Dropping this future ends every connection with it.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) => {
                    world.mail_connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(talk::talk(stream, world.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        connections.shutdown().await;
    }
}

/// Writes a reply to a recipient or a mail down, where somebody looks for what came of it.
fn note(world: &World, what: &str, reply: &str, bytes: usize, shown: Vec<Shown>) {
    let (code, text) = reply.split_once(' ').unwrap_or((reply, ""));
    let status = code.parse().unwrap_or(0);
    let accepted = Verdict::accepted(code, json!({}));
    let mut verdict = Verdict { status, text: text.to_owned(), shown, ..accepted };
    world.settle(Platform::Mail, world.clock.now_ms(), what.to_owned(), bytes, &mut verdict);
}

/// What a mailbox shows of a mail.
fn shown(world: &World, envelope: &Envelope, to: &str, mail: &Decoded, source: &str) -> Shown {
    let registry = lock(&world.registry);
    let chat = registry.robot(Platform::Mail, to).map_or_else(|| to.to_owned(), |robot| robot.chat.clone());
    let raw: Value = json!({
        "envelope": { "from": envelope.from, "to": to },
        "headers": mail.headers_json(),
        "text": mail.text,
        "html": mail.html,
        "source": source,
    });
    Shown {
        chat,
        token_masked: to.to_owned(),
        kind: "mail".to_owned(),
        title: mail.header("subject").map(str::to_owned),
        text: mail.text.clone(),
        mentions: Vec::new(),
        look: Look { markup: mail.text.clone(), ..Look::default() },
        raw,
    }
}
