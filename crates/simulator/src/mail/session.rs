//! The commands and the order they must come in.

use data_encoding::BASE64;

use super::Envelope;

/// The largest mail, in bytes.
pub(crate) const MAIL_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The most recipients of one mail (RFC 5321, section 4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;

/// What follows a command.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A reply.
    Say(String),
    /// A recipient is to be judged.
    Recipient(String),
    /// The mail itself comes.
    Data(Envelope),
    /// The talk is over.
    Quit,
}

/// How far a login has come.
#[derive(Debug, PartialEq, Eq)]
enum Login {
    None,
    Plain,
    User,
    Password(String),
}

/// One talk.
pub(crate) struct Session {
    /// User and password, when a login is demanded.
    login: Option<(String, String)>,
    greeted: bool,
    logged_in: bool,
    state: Login,
    envelope: Option<Envelope>,
}

impl Session {
    pub(crate) fn new(login: Option<(String, String)>) -> Self {
        let logged_in = login.is_none();
        Self { login, greeted: false, logged_in, state: Login::None, envelope: None }
    }

    pub(crate) fn add_recipient(&mut self, to: String) {
        if let Some(envelope) = &mut self.envelope {
            envelope.to.push(to);
        }
    }

    /// Judges a command by what came before.
    pub(crate) fn answer(&mut self, line: &str) -> Answer {
        if self.state != Login::None {
            return say(self.go_on(line));
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => say(self.hello(rest, true)),
            "HELO" => say(self.hello(rest, false)),
            "NOOP" => say("250 2.0.0 ok"),
            "VRFY" => say("252 2.1.5 send some mail and see"),
            "QUIT" => Answer::Quit,
            "RSET" => {
                self.envelope = None;
                say("250 2.0.0 ok")
            }
            "AUTH" => say(self.auth(rest)),
            "MAIL" => say(self.mail(rest)),
            "RCPT" => self.rcpt(rest),
            "DATA" => self.data(rest),
            _ => say("500 5.5.1 no such command"),
        }
    }

    fn hello(&mut self, name: &str, extended: bool) -> String {
        let fits = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':'));
        if !fits {
            return "501 5.5.4 name yourself by a domain or an address in brackets".to_owned();
        }
        (self.greeted, self.envelope) = (true, None);
        if !extended {
            return "250 mail.simulator.example".to_owned();
        }
        let auth = if self.login.is_some() { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
        format!(
            "250-mail.simulator.example\r\n250-SIZE {MAIL_BYTES_MAX}\r\n250-8BITMIME\r\n{auth}250 ENHANCEDSTATUSCODES"
        )
    }

    fn auth(&mut self, rest: &str) -> String {
        if self.login.is_none() || !self.greeted || self.logged_in || self.envelope.is_some() {
            return "503 5.5.1 no login now".to_owned();
        }
        let (way, first) = rest.split_once(' ').unwrap_or((rest, ""));
        match (way.to_ascii_uppercase().as_str(), first) {
            ("PLAIN", "") => {
                self.state = Login::Plain;
                "334 ".to_owned()
            }
            ("PLAIN", first) => self.plain(first),
            ("LOGIN", "") => {
                self.state = Login::User;
                "334 VXNlcm5hbWU6".to_owned()
            }
            _ => "504 5.5.4 PLAIN or LOGIN".to_owned(),
        }
    }

    fn go_on(&mut self, line: &str) -> String {
        match std::mem::replace(&mut self.state, Login::None) {
            Login::None => "500 5.5.1 no such command".to_owned(),
            _ if line == "*" => "501 5.7.0 given up".to_owned(),
            Login::Plain => self.plain(line),
            Login::User => match decoded(line) {
                Some(user) => {
                    self.state = Login::Password(user);
                    "334 UGFzc3dvcmQ6".to_owned()
                }
                None => "501 5.5.2 no base64".to_owned(),
            },
            Login::Password(user) => match decoded(line) {
                Some(password) => self.check(&user, &password),
                None => "501 5.5.2 no base64".to_owned(),
            },
        }
    }

    fn plain(&mut self, text: &str) -> String {
        let Some(text) = decoded(text) else { return "501 5.5.2 no base64".to_owned() };
        match text.split('\0').collect::<Vec<_>>().as_slice() {
            [_identity, user, password] => self.check(user, password),
            _ => "501 5.5.2 no PLAIN".to_owned(),
        }
    }

    fn check(&mut self, user: &str, password: &str) -> String {
        self.logged_in = self.login.as_ref().is_some_and(|(name, word)| name == user && word == password);
        if self.logged_in {
            "235 2.7.0 welcome".to_owned()
        } else {
            "535 5.7.8 user or password is wrong".to_owned()
        }
    }

    fn mail(&mut self, rest: &str) -> String {
        if !self.greeted || self.envelope.is_some() {
            return "503 5.5.1 EHLO first, and one mail at a time".to_owned();
        }
        if !self.logged_in {
            return "530 5.7.0 log in first".to_owned();
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return "501 5.5.4 MAIL FROM:<address>".to_owned();
        };
        if !from.is_empty() && !address_fits(from) {
            return "553 5.1.7 the sender is no address".to_owned();
        }
        let mut envelope = Envelope { from: from.to_owned(), ..Envelope::default() };
        for parameter in parameters.split_whitespace() {
            match parameter.to_ascii_uppercase().split_once('=') {
                Some(("SIZE", bytes))
                    if bytes.parse::<usize>().is_ok_and(|bytes| bytes <= MAIL_BYTES_MAX) => {}
                Some(("SIZE", _large)) => {
                    return "552 5.3.4 the mail is larger than 10485760 bytes".to_owned();
                }
                Some(("BODY", "8BITMIME")) => envelope.eight_bit = true,
                Some(("BODY", "7BIT")) => {}
                _ => return "555 5.5.4 no such parameter".to_owned(),
            }
        }
        self.envelope = Some(envelope);
        "250 2.1.0 ok".to_owned()
    }

    fn rcpt(&mut self, rest: &str) -> Answer {
        let Some(envelope) = &self.envelope else { return say("503 5.5.1 MAIL first") };
        match path(rest, "TO:") {
            Some((to, "")) if address_fits(to) => {
                if envelope.to.len() >= RECIPIENTS_MAX {
                    return say("452 4.5.3 too many recipients");
                }
                Answer::Recipient(to.to_owned())
            }
            Some((_, "")) => say("553 5.1.3 the recipient is no address"),
            Some(_) => say("555 5.5.4 no such parameter"),
            None => say("501 5.5.4 RCPT TO:<address>"),
        }
    }

    fn data(&mut self, rest: &str) -> Answer {
        if !rest.is_empty() {
            return say("501 5.5.4 DATA stands alone");
        }
        match self.envelope.take() {
            Some(envelope) if !envelope.to.is_empty() => Answer::Data(envelope),
            kept => {
                self.envelope = kept;
                say("503 5.5.1 MAIL and RCPT first")
            }
        }
    }
}

fn say(reply: impl Into<String>) -> Answer {
    Answer::Say(reply.into())
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok()
}

/// The address in angle brackets behind `keyword`, and what follows it.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let head = rest.get(..keyword.len())?;
    let (address, after) = rest.get(keyword.len()..)?.strip_prefix('<')?.split_once('>')?;
    let spaced = after.is_empty() || after.starts_with(' ');
    (head.eq_ignore_ascii_case(keyword) && spaced).then(|| (address, after.trim_start()))
}

fn address_fits(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (1..=64).contains(&local.len())
        && !local.contains([' ', '@', '<', '>', '"', ',', ';', ':', '\\'])
        && address.len() <= 254
        && domain.split('.').all(label)
}
