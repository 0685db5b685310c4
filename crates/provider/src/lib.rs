//! The room that speaks to the platforms: renders a message for a target, signs each attempt, posts it through one
//! guarded client, and reads the verdict from the answer's body. Mail goes to the operator's relay instead.
//!
//! | word | room |
//! | --- | --- |
//! | the one client, its deadline and its caps | `http` |
//! | connections, kept for the next request | `client`, `line`, `pool` |
//! | which addresses may be dialled | `guard` |
//! | `--connect-to` | `connect_to` |
//! | what platforms tell by themselves | `callback` |
//! | access tokens | `token` |
//! | calls that platforms count by the month | `meter` |
//! | the bytes of images and files | `depot` |
//! | codes and what they mean | `listed`, and `code` in each platform's folder |
//! | words of a platform, cleaned of secrets | `clean` |
//! | what to change | `advice` |
//! | text for each platform's dialect | `render`; kept for the next that gets the same: `rendered` |
//! | what a chat would show | `preview` |
//! | what signs the bodies for web endpoints | `signing`, `certificate` |
//! | the companies' own office apps | `office` |
//! | the platforms | `dingtalk`, `lark`, `wecom`; `webhook` for web endpoints, `email` for mailboxes |

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::attachment::Attachment;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::MessageId;
use carillon_model::message::{Body, Kind, Locale, Priority};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;
use carillon_model::{Channel, Clock, SecretText, Timestamp};
use tokio::sync::Semaphore;

use crate::key::PartKey;
use crate::rendered::Rendered;
use crate::shared_text::SharedText;

mod advice;
mod authorities;
mod callback;
mod carry;
mod certificate;
mod clean;
mod client;
mod connect_to;
mod depot;
mod dingtalk;
mod email;
mod gathered;
mod guard;
mod http;
mod key;
mod lark;
mod line;
mod listed;
mod meter;
mod office;
mod parts;
mod pool;
mod preview;
mod reach;
mod render;
mod rendered;
mod shared_text;
mod shelf;
mod sign;
mod signing;
mod token;
mod webhook;
mod wecom;
mod wire;

pub use advice::{advice, reason_named, reason_words};
pub use authorities::Authorities;
pub use callback::{Heard, Told, Unproved, hear};
pub use carry::{Carried, Outgoing, Reply, Wire};
pub use connect_to::ConnectTo;
pub use depot::{Depot, Held};
pub use email::{MailSettings, Relay, Security, Sender};
pub use guard::PrivateEndpoint;
pub use http::Failure;
pub use key::PostKey;
pub use listed::{ListedCode, Ruling, Wait, listed_codes, listed_office_codes};
pub use meter::Meter;
pub use office::{Fault, Finding, Found, Looked, Walk, Wanted, Wrong, sent_words};
pub use preview::Shown;
pub use reach::Reached;
pub use shelf::{Promise, Shelf, Shelved};
pub use signing::{BadKey, MadeKey, Signer};

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Detours: hosts whose requests go to another address.
    pub connect_to: Vec<ConnectTo>,
    /// Networks that web endpoints may lie in although they are not public.
    pub private_allowed: Vec<ipnet::IpNet>,
    /// How long a whole exchange with a platform may take.
    pub timeout: Duration,
    /// How long a whole exchange with a web endpoint may take (SMN: 5 seconds).
    pub web_timeout: Duration,
    /// How mail leaves; without it there are no mailboxes.
    pub mail: Option<MailSettings>,
    /// Whose certificates are good beside those of the machine, for every connection that leaves.
    pub authorities: Authorities,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            connect_to: Vec::new(),
            private_allowed: Vec::new(),
            timeout: Duration::from_secs(10),
            web_timeout: Duration::from_secs(5),
            mail: None,
            authorities: Authorities::default(),
        }
    }
}

/// What is to be rendered: one message's form for one delivery.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// The form for the target's channel.
    pub body: &'a Body,
    /// Names what is sent, the same at every try.
    pub key: PostKey,
    /// What the message is for.
    pub kind: Kind,
    /// The message.
    pub message: MessageId,
    /// What the message is about.
    pub subject: Option<&'a str>,
    /// The topic's name, for web endpoints and mailboxes; a chat's post may do without it.
    pub topic_urn: &'a str,
    /// The subscription's name, for web endpoints; a chat's post may do without it.
    pub subscription_urn: &'a str,
    /// How soon somebody must see it.
    pub priority: Priority,
    /// When the message was accepted.
    pub created_at: Timestamp,
    /// The language of what is added.
    pub locale: Locale,
    /// What a server adds for web endpoints and mailboxes; a message that no server sends has none.
    pub origin: Option<Origin<'a>>,
}

/// What a server adds for web endpoints and mailboxes: its signature, and links that lead back to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// Signs the body; a web endpoint's only.
    pub seal: Option<Seal<'a>>,
    /// Whom a mail is from, as its reader sees it: the topic's display name.
    pub sender: Option<&'a str>,
    /// The link that confirms the subscription, or takes it up again.
    pub subscribe_url: Option<&'a SecretText>,
    /// The link that ends it.
    pub unsubscribe_url: Option<&'a SecretText>,
}

/// What signs for web endpoints.
#[derive(Debug, Clone, Copy)]
pub struct Seal<'a> {
    /// Signs the body.
    pub signer: &'a Signer,
    /// Where the certificate is.
    pub signing_cert_url: &'a str,
}

/// What a web endpoint said when it was asked whether it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The answer's beginning, cleaned of secrets.
        text: String,
    },
    /// It could not be reached, or not in time.
    Silent,
    /// It lies in a network that must not be reached.
    Forbidden,
}

/// One request, ready but for its signature, which is made at each attempt.
#[derive(Clone)]
pub struct Part {
    /// A JSON object, or a whole mail.
    body: SharedText,
    /// Headers that belong to the message.
    headers: Vec<(&'static str, String)>,
    /// Names this part of this delivery, the same at each attempt.
    key: PartKey,
    /// What of the body must not be repeated in a verdict: its links.
    secrets: Vec<SecretText>,
    /// The same in plainer forms, one after the other, for when the platform refuses the form of the body.
    fallbacks: Vec<String>,
    /// What is to be uploaded and shown; then there is no body.
    attachment: Option<Attachment>,
    /// Whether it is a work notification (DingTalk).
    notice: bool,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("key", &format_args!("{}", self.key))
            .field("bytes", &self.body.len())
            .finish()
    }
}

impl Part {
    /// How many bytes of text it holds.
    fn bytes(&self) -> usize {
        self.body.len() + self.fallbacks.iter().map(String::len).sum::<usize>()
    }
}

/// What a provider is handed to send with.
struct Context<'a> {
    http: &'a http::Http,
    tokens: &'a token::Tokens,
    clock: &'a dyn Clock,
    pace: &'a office::pace::AppPace,
    meter: Option<&'a dyn Meter>,
    media: &'a token::Tokens,
    depot: Option<&'a dyn Depot>,
    uploads: &'a Semaphore,
}

/// All the providers, behind one door. It is cheap to make and is shared by all who send.
pub struct Providers {
    http: http::Http,
    tokens: token::Tokens,
    mailer: Option<email::Mailer>,
    clock: Arc<dyn Clock>,
    pace: office::pace::AppPace,
    meter: Option<Arc<dyn Meter>>,
    /// What was uploaded, by app and content: what the platform called it is kept as tokens are.
    media: token::Tokens,
    depot: Option<Arc<dyn Depot>>,
    uploads: Semaphore,
    rendered: Rendered,
}

impl Providers {
    /// Tells a meter of every call that a platform counts by the month.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<dyn Meter>) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Shares the apps' tokens with other servers by way of a shelf.
    #[must_use]
    pub fn with_shelf(mut self, shelf: Arc<dyn Shelf>) -> Self {
        self.tokens = token::Tokens::on(Some(shelf));
        self
    }

    /// Takes images and files from a depot, and keeps on a shelf what the platforms call them.
    #[must_use]
    pub fn with_depot(mut self, depot: Arc<dyn Depot>, shelf: Arc<dyn Shelf>) -> Self {
        self.depot = Some(depot);
        self.media = token::Tokens::on(Some(shelf));
        self
    }

    /// Says how many servers send for the same apps: each takes its part of an app's limits.
    pub fn share(&self, servers: usize) {
        self.pace.share(servers);
    }

    /// Takes settings and clock in; clients are made when they are first needed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "whoever starts the server has no further use for them"
    )]
    pub fn new(settings: ProviderSettings, clock: Arc<dyn Clock>) -> Self {
        let make = |mail| email::Mailer::new(mail, settings.timeout, settings.authorities.clone());
        let mailer = settings.mail.clone().map(make);
        Self {
            http: http::Http::new(&settings),
            tokens: token::Tokens::on(None),
            mailer,
            clock,
            pace: office::pace::AppPace::default(),
            media: token::Tokens::on(None),
            depot: None,
            meter: None,
            uploads: Semaphore::new(office::media::UPLOADS_AT_ONCE),
            rendered: Rendered::default(),
        }
    }

    /// Providers that reach no network: every request goes over `wire`, which a simulation answers.
    pub fn over(wire: Arc<dyn Wire>, settings: ProviderSettings, clock: Arc<dyn Clock>) -> Self {
        Self { http: http::Http::over(wire, &settings), ..Self::new(settings, clock) }
    }

    /// Renders a body for a target, in one or more parts that are sent in order. They are kept for
    /// [`Providers::rendered`].
    ///
    /// # Errors
    /// A verdict with [`Reason::Render`] when the body cannot be brought into the channel's form and limits.
    pub fn render(&self, target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
        let parts = self.render_anew(target, post)?;
        if post.kind.is_published() {
            self.rendered.keep(target, post.key, &parts);
        }
        Ok(parts)
    }

    /// The parts of a post as [`Providers::render`] made them for another delivery of the same message, where a target like
    /// this gets the same. Whoever sends one message to many asks here first.
    #[must_use]
    pub fn rendered(&self, target: &Target, key: PostKey) -> Option<Vec<Part>> {
        self.rendered.find(target, key)
    }

    fn render_anew(&self, target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
        match &target.endpoint {
            Endpoint::DingtalkRobot { .. } => dingtalk::robot::render(target, post),
            Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. } => {
                dingtalk::app::render(target, post)
            }
            Endpoint::LarkRobot { .. } => lark::robot::render(target, post),
            Endpoint::WecomRobot { .. } => wecom::robot::render(target, post),
            Endpoint::Web { .. } => Ok(webhook::render(post)),
            Endpoint::Office { .. } => office::send::render(target, post),
            Endpoint::Mailbox { .. } => match &self.mailer {
                Some(mailer) => email::render(&mailer.settings.from, target, post),
                None => Err(no_relay()),
            },
        }
    }

    /// Sends one part of a delivery to its target. It never errors: whatever happens is a verdict.
    pub async fn send(&self, target: &Target, part: &Part) -> Verdict {
        let context = self.context();
        // The largest ways are boxed, so that every other attempt need not carry room for them about.
        let verdict = match &target.endpoint {
            Endpoint::DingtalkRobot { token } => dingtalk::robot::send(&context, token, target, part).await,
            Endpoint::DingtalkConversation { conversation } => {
                let whom = dingtalk::app::Whom::Conversation(conversation.reveal());
                Box::pin(dingtalk::app::send(&context, whom, target, part)).await
            }
            Endpoint::DingtalkPerson { user } => {
                let whom = dingtalk::app::Whom::Person(user.reveal());
                Box::pin(dingtalk::app::send(&context, whom, target, part)).await
            }
            Endpoint::LarkRobot { feishu, token } => {
                lark::robot::send(&context, (*feishu, token), target, part).await
            }
            Endpoint::WecomRobot { key } => wecom::robot::send(&context, key, part).await,
            Endpoint::Web { url } => webhook::send(&context, url, target, part).await,
            Endpoint::Office { kind, id, .. } => {
                Box::pin(office::send::send(&context, (*kind, id.reveal()), target, part)).await
            }
            Endpoint::Mailbox { address } => match &self.mailer {
                Some(mailer) => Box::pin(mailer.send(address, part)).await,
                None => no_relay(),
            },
        };
        let verdict = if clean::is_plain(&verdict) {
            verdict
        } else {
            let mut secrets = secrets(target);
            secrets.extend(self.mailer.iter().flat_map(|mailer| mailer.settings.secrets()));
            let secrets: Vec<&str> = secrets.iter().chain(&part.secrets).map(SecretText::reveal).collect();
            clean::verdict(verdict, &secrets)
        };
        tracing::debug!(
            channel = target.endpoint.channel().name(),
            part = %part.key,
            outcome = verdict.outcome.name(),
            reason = verdict.reason.name(),
            platform_code = verdict.platform_code.as_deref(),
            "attempted part {}",
            part.key
        );
        verdict
    }

    /// Asks a web endpoint whether it answers; nothing for other endpoints.
    pub async fn probe(&self, target: &Target) -> Option<Probe> {
        let Endpoint::Web { url } = &target.endpoint else { return None };
        let context = self.context();
        let probe = webhook::probe(&context, url, target).await;
        let secrets = secrets(target);
        let secrets: Vec<&str> = secrets.iter().map(SecretText::reveal).collect();
        Some(match probe {
            Probe::Answered { status, text } => {
                Probe::Answered { status, text: clean::text(&text, &secrets).unwrap_or_default() }
            }
            Probe::Silent | Probe::Forbidden => probe,
        })
    }

    /// Judges a web endpoint when it is typed; names are judged again, by address, at each sending.
    ///
    /// # Errors
    /// When its host is a literal private or special address, or a name that always means one.
    pub fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), PrivateEndpoint> {
        match endpoint {
            Endpoint::Web { url } => self.http.check_url(url.reveal()),
            Endpoint::DingtalkRobot { .. }
            | Endpoint::DingtalkConversation { .. }
            | Endpoint::DingtalkPerson { .. }
            | Endpoint::LarkRobot { .. }
            | Endpoint::WecomRobot { .. }
            | Endpoint::Mailbox { .. }
            | Endpoint::Office { .. } => Ok(()),
        }
    }

    /// Whether the operator has set up what `channel` needs.
    #[must_use]
    pub fn offers(&self, channel: Channel) -> bool {
        channel != Channel::Email || self.mailer.is_some()
    }
}

/// The verdict on mail for subscribers of a time when there was a relay.
fn no_relay() -> Verdict {
    Verdict::plain(Outcome::Misconfigured, Reason::Connect)
}

/// Everything of a target that a platform's words must not repeat.
fn secrets(target: &Target) -> Vec<SecretText> {
    let extension = &target.extension;
    let mut secrets = vec![target.endpoint.canonical()];
    match &target.endpoint {
        Endpoint::DingtalkRobot { token: text }
        | Endpoint::LarkRobot { token: text, .. }
        | Endpoint::WecomRobot { key: text }
        | Endpoint::DingtalkConversation { conversation: text }
        | Endpoint::DingtalkPerson { user: text }
        | Endpoint::Office { id: text, .. } => secrets.push(text.clone()),
        // Relays write addresses as they please, and local parts without the domain.
        Endpoint::Mailbox { address } => {
            const SHORT: usize = 4;
            let local = address.reveal().split('@').next().unwrap_or_default();
            secrets.push(address.reveal().to_lowercase().into());
            // Shorter ones are in every other word.
            let locals = [local.to_lowercase(), local.to_owned()];
            secrets.extend(locals.into_iter().filter(|local| local.len() >= SHORT).map(SecretText::from));
        }
        Endpoint::Web { url } => {
            secrets.extend(webhook::secrets(url.reveal()).into_iter().map(SecretText::from));
        }
    }
    secrets.extend(extension.keyword.iter().chain(&extension.sign_secret).cloned());
    if let Some(app) = &extension.app {
        secrets.extend([&app.app_key, &app.app_secret, &app.robot_code].map(SecretText::clone));
    }
    secrets.extend(extension.headers.iter().map(|(_name, value)| value.clone()));
    secrets.extend(extension.office.iter().flat_map(|office| office.app.secrets()));
    secrets
}
