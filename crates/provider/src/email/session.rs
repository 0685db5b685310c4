//! The talk with the relay: connections that are used again, and one mail's way over one of them.

use std::future::Future;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use carillon_model::SecretText;
use carillon_model::outcome::Verdict;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::code::{self, Phase, Trouble};
use super::{MailSettings, Security};
use crate::{Authorities, Part};

/// The most connections to the relay at once: many relays take no more from one client.
const CONNECTIONS_MAX: usize = 10;
/// How long an idle connection is kept: shorter than relays keep it, so that a mail rarely meets its end.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How many times the time for the rest a relay may take over the mail itself, which it may search before it replies
/// (RFC 5321, section 4.5.3.2.6, asks for ten minutes' patience).
const CONTENT_PATIENCE: u32 = 6;

type Failed = (Phase, Trouble);

/// A connection that nobody uses at present.
struct Idle {
    line: AsyncSmtpConnection,
    since: Instant,
}

/// Hands mail to the relay.
pub(crate) struct Mailer {
    pub(crate) settings: MailSettings,
    timeout: Duration,
    authorities: Authorities,
    tls: OnceLock<Option<TlsParameters>>,
    idle: Mutex<Vec<Idle>>,
    places: Semaphore,
}

impl Mailer {
    /// Takes the settings in; nothing is connected before there is mail.
    pub(crate) fn new(settings: MailSettings, timeout: Duration, authorities: Authorities) -> Self {
        Self {
            settings,
            timeout,
            authorities,
            tls: OnceLock::new(),
            idle: Mutex::default(),
            places: Semaphore::new(CONNECTIONS_MAX),
        }
    }

    /// Hands one mail over. Waiting for a place does not count as the relay's time.
    pub(crate) async fn send(&self, to: &SecretText, part: &Part) -> Verdict {
        let Ok(_place) = self.places.acquire().await else {
            return code::verdict(Phase::Hello, &Trouble::Connect);
        };
        let deadline = Instant::now() + self.timeout;
        if let Some(mut line) = self.take_idle() {
            match self.hand_over(&mut line, to, part, deadline).await {
                // The relay closed it while it was idle: nothing was said yet, and a fresh one may do.
                Err((Phase::Sender, Trouble::Lost)) => {}
                Err((Phase::Sender, Trouble::Reply(code, _text))) if code == "421" => {}
                done => return self.settle(line, done).await,
            }
        }
        match self.connect(deadline).await {
            Ok(mut line) => {
                let done = self.hand_over(&mut line, to, part, deadline).await;
                self.settle(line, done).await
            }
            Err((phase, trouble)) => code::verdict(phase, &trouble),
        }
    }

    /// Keeps a connection that is still good, and reads the verdict.
    async fn settle(&self, mut line: AsyncSmtpConnection, done: Result<Response, Failed>) -> Verdict {
        let (good, verdict) = match done {
            Ok(response) => {
                let words = response.message().collect::<Vec<_>>().join(" ");
                (true, code::replied(Phase::Content, &response.code().to_string(), &words))
            }
            Err((phase, trouble)) => {
                let open = matches!(&trouble, Trouble::Reply(code, _text) if code != "421");
                let until = Instant::now() + self.timeout;
                let good = open && step(phase, until, line.command(Rset)).await.is_ok();
                (good, code::verdict(phase, &trouble))
            }
        };
        if good {
            self.idle().push(Idle { line, since: Instant::now() });
        }
        verdict
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, and so lives longest; those that are too old are closed.
    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle();
        idle.retain(|idle| idle.since.elapsed() < IDLE_MAX);
        idle.pop().map(|idle| idle.line)
    }

    async fn connect(&self, deadline: Instant) -> Result<AsyncSmtpConnection, Failed> {
        let relay = &self.settings.relay;
        let fail = |trouble| (Phase::Hello, trouble);
        let found = timeout_at(deadline, tokio::net::lookup_host((relay.host.as_str(), relay.port))).await;
        let addresses: Vec<_> = found
            .map_err(|_slow| fail(Trouble::Resolve))?
            .map_err(|_unknown| fail(Trouble::Resolve))?
            .collect();
        let name = ClientId::Domain(self.settings.from.domain().to_owned());
        let tls = match relay.security {
            Security::Wrapped => Some(self.tls().ok_or_else(|| fail(Trouble::Connect))?),
            Security::Offered | Security::Required => None,
        };
        let begun = AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(self.timeout), &name, tls, None);
        let mut line = step(Phase::Hello, deadline, begun).await?;
        match relay.security {
            Security::Required if !line.can_starttls() => return Err(fail(Trouble::Connect)),
            Security::Required | Security::Offered if line.can_starttls() => {
                let tls = self.tls().ok_or_else(|| fail(Trouble::Connect))?;
                step(Phase::Hello, deadline, line.starttls(tls, &name)).await?;
            }
            Security::Required | Security::Offered | Security::Wrapped => {}
        }
        if let Some((user, password)) = &relay.login {
            // A password does not go over a line that others can listen to.
            if !line.is_encrypted() && !relay.is_local() {
                return Err((Phase::Login, Trouble::NoLogin));
            }
            let credentials = Credentials::new(user.reveal().to_owned(), password.reveal().to_owned());
            let ways = [Mechanism::Plain, Mechanism::Login];
            step(Phase::Login, deadline, line.auth(&ways, &credentials)).await?;
        }
        Ok(line)
    }

    fn tls(&self) -> Option<TlsParameters> {
        let make = || {
            let more = self.authorities.iter().filter_map(|der| Certificate::from_der(der.to_vec()).ok());
            let builder = TlsParameters::builder(self.settings.relay.host.clone());
            match more.fold(builder, TlsParametersBuilder::add_root_certificate).build_rustls() {
                Ok(tls) => Some(tls),
                Err(_no_roots) => {
                    tracing::error!(
                        "no certificate authorities on this machine: a secure relay cannot be reached"
                    );
                    None
                }
            }
        };
        self.tls.get_or_init(make).clone()
    }

    /// One mail over one connection.
    async fn hand_over(
        &self,
        line: &mut AsyncSmtpConnection,
        to: &SecretText,
        part: &Part,
        deadline: Instant,
    ) -> Result<Response, Failed> {
        let address =
            |text: &str| text.parse::<Address>().map_err(|_wrong| (Phase::Sender, Trouble::Unsendable));
        let (from, to) = (address(&self.settings.from.address)?, address(to.reveal())?);
        step(Phase::Sender, deadline, line.command(Mail::new(Some(from), Vec::new()))).await?;
        step(Phase::Recipient, deadline, line.command(Rcpt::new(to, Vec::new()))).await?;
        step(Phase::Recipient, deadline, line.command(Data)).await?;
        let deadline = Instant::now() + self.timeout * CONTENT_PATIENCE;
        step(Phase::Content, deadline, line.message(part.body.as_bytes())).await
    }
}

/// One step of the talk, within its time.
async fn step<T>(
    phase: Phase,
    deadline: Instant,
    doing: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Failed> {
    match timeout_at(deadline, doing).await {
        Err(_elapsed) => Err((phase, Trouble::Slow)),
        Ok(Err(error)) => Err((phase, judge(phase, &error))),
        Ok(Ok(done)) => Ok(done),
    }
}

fn judge(phase: Phase, error: &lettre::transport::smtp::Error) -> Trouble {
    if let Some(code) = error.status() {
        let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        return Trouble::Reply(code.to_string(), words);
    }
    match phase {
        // The relay offers no way to log in that we know.
        Phase::Login if error.is_client() => Trouble::NoLogin,
        Phase::Hello => Trouble::Connect,
        Phase::Login | Phase::Sender | Phase::Recipient | Phase::Content => Trouble::Lost,
    }
}
