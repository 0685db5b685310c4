//! One connection: lines in, replies out, and what a script makes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::decode::Decoded;
use super::session::{Answer, MAIL_BYTES_MAX, Session};
use super::{Envelope, note, shown};
use crate::registry::masked;
use crate::script::Act;
use crate::world::{World, lock};

/// The longest line of a command, its end included (RFC 5321, section 4.5.3.1.4; more for a login).
const LINE_BYTES_MAX: usize = 2_048;
/// The longest line of a mail, without its end (RFC 5321, section 4.5.3.1.6).
const MAIL_LINE_BYTES_MAX: usize = 998;

/// Says that the connection ends.
struct Ended;

/// Talks until one side has enough.
pub(crate) async fn talk(stream: TcpStream, world: Arc<World>, stop: CancellationToken) {
    let mut line = Line { stream: BufReader::new(stream), world, stop, at_data: None };
    // Either way there is nobody left to tell.
    drop(line.run().await);
}

struct Line {
    stream: BufReader<TcpStream>,
    world: Arc<World>,
    stop: CancellationToken,
    /// What to do instead of behaving once the mail itself comes.
    at_data: Option<Act>,
}

impl Line {
    async fn run(&mut self) -> Result<(), Ended> {
        self.say("220 mail.simulator.example ESMTP ready").await?;
        let mut session = Session::new(lock(&self.world.registry).mail_login().cloned());
        loop {
            let Some(command) = self.command().await? else {
                self.say("500 5.5.2 a line ends with CR and LF and has at most 2048 bytes").await?;
                continue;
            };
            match session.answer(&command) {
                Answer::Say(reply) => self.say(&reply).await?,
                Answer::Recipient(to) => {
                    let reply = self.recipient(&to).await?;
                    if reply.starts_with('2') {
                        session.add_recipient(to);
                    }
                    self.say(&reply).await?;
                }
                Answer::Data(envelope) => self.mail(&envelope).await?,
                Answer::Quit => {
                    self.say("221 2.0.0 bye").await?;
                    return Ok(());
                }
            }
        }
    }

    /// The reply to a recipient, by a script or by who is known.
    async fn recipient(&mut self, to: &str) -> Result<String, Ended> {
        let act = lock(&self.world.scripts).next(to);
        let what = format!("RCPT {}", masked(to));
        let reply = match act {
            None => self.behave(to),
            Some(Act::Slow { ms }) => {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(ms)) => {}
                    () = self.stop.cancelled() => return Err(Ended),
                }
                self.behave(to)
            }
            Some(Act::Hang) => {
                note(&self.world, &what, "0 hang", 0, Vec::new());
                self.stop.cancelled().await;
                return Err(Ended);
            }
            Some(Act::Gone) => {
                note(&self.world, &what, "0 gone", 0, Vec::new());
                return Err(Ended);
            }
            Some(Act::Code { code, text }) => format!("{code} {text}"),
            Some(Act::Garbage) => "<html>502 Bad Gateway</html>".to_owned(),
            Some(Act::Huge { megabytes }) => {
                for _line in 0..u64::from(megabytes) * 10_000 {
                    self.say(&format!("250-{}", "x".repeat(96))).await?;
                }
                "250 2.1.5 ok".to_owned()
            }
            Some(act @ (Act::Answer { .. } | Act::Drop | Act::LoseAnswer)) => {
                self.at_data = Some(act);
                return Ok(self.behave(to));
            }
        };
        if !reply.starts_with('2') {
            note(&self.world, &what, &reply, 0, Vec::new());
        }
        Ok(reply)
    }

    fn behave(&self, to: &str) -> String {
        if lock(&self.world.registry).is_stopped(to) {
            return "550 5.1.1 the mailbox does not exist".to_owned();
        }
        "250 2.1.5 ok".to_owned()
    }

    async fn mail(&mut self, envelope: &Envelope) -> Result<(), Ended> {
        self.say("354 end with CR LF . CR LF").await?;
        let act = self.at_data.take();
        if act == Some(Act::Drop) {
            note(&self.world, "DATA", "0 drop", 0, Vec::new());
            return Err(Ended);
        }
        let source = self.content().await?;
        let what = format!("DATA {}", envelope.to.iter().map(|to| masked(to)).collect::<Vec<_>>().join(" "));
        if let Some(Act::Answer { status, body, .. }) = act {
            let reply = format!("{status} {body}");
            note(&self.world, &what, &reply, source.len(), Vec::new());
            return self.say(&reply).await;
        }
        let reply = match judged(&source, envelope.eight_bit) {
            Ok((text, mail)) => {
                let posts =
                    envelope.to.iter().map(|to| shown(&self.world, envelope, to, &mail, text)).collect();
                let reply = format!("250 2.0.0 ok: queued as {:08X}", self.world.next_request());
                note(&self.world, &what, &reply, source.len(), posts);
                reply
            }
            Err(reply) => {
                note(&self.world, &what, reply, source.len(), Vec::new());
                reply.to_owned()
            }
        };
        if act == Some(Act::LoseAnswer) { Err(Ended) } else { self.say(&reply).await }
    }

    /// Reads a mail up to its lone dot and takes the doubled dots back; no more than the limit is kept.
    async fn content(&mut self) -> Result<Vec<u8>, Ended> {
        let mut source = Vec::new();
        loop {
            let line = self.line(MAIL_BYTES_MAX).await?;
            if line == b".\r\n" {
                return Ok(source);
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            if source.len() <= MAIL_BYTES_MAX {
                source.extend_from_slice(line);
            }
        }
    }

    /// Reads a command without its end; nothing where it is malformed.
    async fn command(&mut self) -> Result<Option<String>, Ended> {
        let line = self.line(LINE_BYTES_MAX).await?;
        let line = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
        Ok(line.filter(|line| line.bytes().all(|b| (b' '..=b'~').contains(&b))).map(str::to_owned))
    }

    /// Reads a line with its end, or as much of it as is allowed.
    async fn line(&mut self, bytes_max: usize) -> Result<Vec<u8>, Ended> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.stream).take(u64::try_from(bytes_max).unwrap_or(u64::MAX));
        let read = tokio::select! {
            read = bounded.read_until(b'\n', &mut line) => read.unwrap_or(0),
            () = self.stop.cancelled() => 0,
            () = self.world.mail_hang_up.notified() => 0,
        };
        if read == 0 { Err(Ended) } else { Ok(line) }
    }

    async fn say(&mut self, reply: &str) -> Result<(), Ended> {
        let line = format!("{reply}\r\n");
        self.stream.get_mut().write_all(line.as_bytes()).await.map_err(|_gone| Ended)
    }
}

/// Refuses what a strict receiver refuses; else the mail as text and taken apart.
fn judged(source: &[u8], eight_bit: bool) -> Result<(&str, Decoded), &'static str> {
    if source.len() > MAIL_BYTES_MAX {
        return Err("552 5.3.4 the mail is larger than 10485760 bytes");
    }
    if !eight_bit && !source.is_ascii() {
        return Err("554 5.6.1 bytes above 127 without BODY=8BITMIME");
    }
    let text = std::str::from_utf8(source).map_err(|_not_text| "554 5.6.0 the mail is not UTF-8")?;
    let whole = text.replace("\r\n", "");
    if whole.contains(['\r', '\n', '\0']) {
        return Err("550 5.6.0 a bare CR, a bare LF or a NUL in the mail");
    }
    if text.split("\r\n").any(|line| line.len() > MAIL_LINE_BYTES_MAX) {
        return Err("550 5.6.0 a line of the mail is longer than 998 bytes");
    }
    let mail = Decoded::read(text).ok_or("554 5.6.0 the mail's form is broken")?;
    for name in ["from", "to", "date", "message-id", "subject"] {
        if mail.count(name) != 1 {
            return Err("550 5.7.1 a mail has From, To, Date, Message-ID and Subject, each once");
        }
    }
    Ok((text, mail))
}
