//! The mail relay, spoken to by hand.

use std::net::SocketAddr;

use carillon_simulator::{Act, Robot, Simulator};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::{World, start};

const MAIL: &str = "From: a@example.com\r\nTo: ops@example.com\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
                    Message-ID: <1@example.com>\r\nSubject: =?utf-8?b?56OB55uY?=\r\n\
                    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                    56OB55uY5bey5ruh\r\n";

/// A line to the relay.
struct Line(BufReader<TcpStream>);

impl Line {
    async fn to(world: &World) -> Self {
        let url = world.running.mail_url().unwrap();
        let addr: SocketAddr = url.strip_prefix("smtp://").unwrap().parse().unwrap();
        let mut line = Self(BufReader::new(TcpStream::connect(addr).await.unwrap()));
        assert!(line.reply().await.starts_with("220 "));
        line
    }

    /// The last line of a reply; empty when the relay hung up.
    async fn reply(&mut self) -> String {
        loop {
            let mut text = String::new();
            self.0.read_line(&mut text).await.unwrap();
            if text.as_bytes().get(3) != Some(&b'-') {
                return text.trim_end().to_owned();
            }
        }
    }

    async fn raw(&mut self, bytes: &str) -> String {
        self.0.get_mut().write_all(bytes.as_bytes()).await.unwrap();
        self.reply().await
    }

    async fn say(&mut self, command: &str) -> String {
        self.raw(&format!("{command}\r\n")).await
    }

    /// Says everything up to the mail itself.
    async fn open(&mut self, to: &str) -> String {
        assert!(self.say("EHLO client.example").await.starts_with("250 "));
        assert_eq!(self.say("MAIL FROM:<a@example.com>").await, "250 2.1.0 ok");
        self.say(&format!("RCPT TO:<{to}>")).await
    }

    async fn mail(&mut self, source: &str) -> String {
        assert!(self.say("DATA").await.starts_with("354 "));
        self.raw(&format!("{source}.\r\n")).await
    }
}

async fn world() -> World {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    start(Simulator::new().mail(listen).robot(Robot::mailbox("ops@example.com", "Ops mailbox"))).await
}

#[tokio::test]
async fn a_mail_is_taken_and_shown_decoded() {
    let world = world().await;
    let mut line = Line::to(&world).await;
    assert_eq!(line.open("ops@example.com").await, "250 2.1.5 ok");
    let reply = line
        .mail(
            &format!("{MAIL}..dot\r\n").replace("base64\r\n", "7bit\r\n").replace("56OB55uY5bey5ruh", "full"),
        )
        .await;
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let shown = world.running.received().remove(0);
    assert_eq!(
        (shown.chat.as_str(), shown.title.as_deref(), shown.text.as_str()),
        ("Ops mailbox", Some("磁盘"), "full\n.dot\n")
    );
    assert_eq!(shown.raw["envelope"]["from"], "a@example.com");
    assert_eq!(shown.raw["headers"]["message-id"], "<1@example.com>");
    assert_eq!(line.say("QUIT").await, "221 2.0.0 bye");
}

#[tokio::test]
async fn base64_is_decoded_and_strangers_have_a_mailbox_of_their_own() {
    let world = world().await;
    let mut line = Line::to(&world).await;
    assert_eq!(line.open("new@example.com").await, "250 2.1.5 ok");
    assert!(line.mail(MAIL).await.starts_with("250 "));
    let shown = world.running.received().remove(0);
    assert_eq!((shown.chat.as_str(), shown.text.as_str()), ("new@example.com", "磁盘已满"));
}

#[tokio::test]
async fn commands_come_in_order_and_in_form() {
    let world = world().await;
    let mut line = Line::to(&world).await;
    for (command, reply) in [
        ("MAIL FROM:<a@example.com>", "503 5.5.1"),
        ("EHLO", "501 5.5.4"),
        ("EHLO a_b", "501 5.5.4"),
        ("JUMP", "500 5.5.1"),
        ("AUTH PLAIN", "503 5.5.1"),
        ("EHLO client.example", "250 "),
        ("RCPT TO:<ops@example.com>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL a@example.com", "501 5.5.4"),
        ("MAIL FROM:<a>", "553 5.1.7"),
        ("MAIL FROM:<a@example.com> SIZE=99999999", "552 5.3.4"),
        ("MAIL FROM:<a@example.com> X=1", "555 5.5.4"),
        ("MAIL FROM:<a@example.com> SIZE=9 BODY=8BITMIME", "250 2.1.0"),
        ("MAIL FROM:<a@example.com>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("RCPT TO:<ops>", "250 "),
        ("RCPT TO:<ops@example.com> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<a b@example.com>", "553 5.1.3"),
        ("RSET", "250 "),
        ("NOOP", "250 "),
    ] {
        // The one line whose address lacks a domain.
        let reply = if command == "RCPT TO:<ops>" { "553 5.1.3" } else { reply };
        let said = line.say(command).await;
        assert!(said.starts_with(reply), "{command}: {said}");
    }
    assert!(line.raw("NOOP\n").await.starts_with("500 5.5.2"));
}

#[tokio::test]
async fn malformed_mails_are_refused() {
    let world = world().await;
    let long = format!("{MAIL}{}\r\n", "x".repeat(999));
    for (source, reply) in [
        (MAIL.replace("Message-ID: <1@example.com>\r\n", ""), "550 5.7.1"),
        (MAIL.replace("Subject:", "To: b@example.com\r\nSubject:"), "550 5.7.1"),
        (MAIL.replace("56OB55uY5bey5ruh", "!"), "554 5.6.0"),
        (MAIL.replace("56OB55uY5bey5ruh", "56OB\n55uY"), "550 5.6.0"),
        (MAIL.replace("=?utf-8?b?56OB55uY?=", "磁盘"), "554 5.6.1"),
        (long, "550 5.6.0"),
        (format!("{MAIL}{}", format!("{}\r\n", "x".repeat(990)).repeat(11_000)), "552 5.3.4"),
    ] {
        let mut line = Line::to(&world).await;
        line.open("ops@example.com").await;
        let said = line.mail(&source).await;
        assert!(said.starts_with(reply), "{said}");
    }
    assert!(world.running.received().is_empty());
}

#[tokio::test]
async fn a_login_is_checked() {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let world = start(Simulator::new().mail(listen).mail_login("ops", "hush")).await;
    for (first, second, reply) in [
        ("AUTH PLAIN AG9wcwBodXNo", None, "235 "),
        ("AUTH PLAIN AG9wcwB4", None, "535 "),
        ("AUTH PLAIN !", None, "501 "),
        ("AUTH LOGIN", Some(["b3Bz", "aHVzaA=="]), "235 "),
        ("AUTH LOGIN", Some(["b3Bz", "eA=="]), "535 "),
        ("AUTH CRAM-MD5", None, "504 "),
    ] {
        let mut line = Line::to(&world).await;
        line.say("EHLO client.example").await;
        assert!(line.say("MAIL FROM:<a@example.com>").await.starts_with("530 5.7.0"));
        let mut said = line.say(first).await;
        for text in second.into_iter().flatten() {
            assert!(said.starts_with("334 "));
            said = line.say(text).await;
        }
        assert!(said.starts_with(reply), "{first}: {said}");
        let mail = line.say("MAIL FROM:<a@example.com>").await;
        assert_eq!(mail.starts_with("250"), reply == "235 ", "{mail}");
    }
}

#[tokio::test]
async fn scripts_misbehave_for_one_mailbox() {
    let world = world().await;
    let script = |act: Act| world.running.script("ops@example.com", act, Some(1));
    let mut line = Line::to(&world).await;
    script(Act::Code { code: "450".to_owned(), text: "4.7.1 Greylisted".to_owned() });
    assert_eq!(line.open("ops@example.com").await, "450 4.7.1 Greylisted");
    assert_eq!(line.say("RCPT TO:<ops@example.com>").await, "250 2.1.5 ok");
    line.say("RSET").await;

    script(Act::Answer { status: 552, headers: Vec::new(), body: "5.2.3 too big".to_owned() });
    line.open("ops@example.com").await;
    assert_eq!(line.mail(MAIL).await, "552 5.2.3 too big");
    assert!(world.running.received().is_empty());

    script(Act::LoseAnswer);
    line.open("ops@example.com").await;
    assert_eq!(line.mail(MAIL).await, "");
    assert_eq!(world.running.received().len(), 1);

    for act in [Act::Gone, Act::Garbage] {
        let mut line = Line::to(&world).await;
        script(act.clone());
        let said = line.open("ops@example.com").await;
        assert_eq!(said.is_empty(), act == Act::Gone, "{said}");
    }
    let mut line = Line::to(&world).await;
    world.running.stop_robot("ops@example.com");
    assert!(line.open("ops@example.com").await.starts_with("550 5.1.1"));
    assert_eq!(line.say("RCPT TO:<b@example.com>").await, "250 2.1.5 ok");
    let calls = world.running.calls();
    assert!(
        calls.iter().any(|call| call.code == "450") && calls.iter().all(|call| !call.path.contains("ops@"))
    );
}
