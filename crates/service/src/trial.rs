//! Before something is done: check an address as it is typed, send it a test message, show what a message would become.

use carillon_model::access_policy::Action;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, DeliveryId, MessageId};
use carillon_model::message::{Body, Content, Kind, Locale, Priority};
use carillon_model::office::{Recipient, RecipientKind};
use carillon_model::outcome::{Advice, Outcome, Reason, Verdict};
use carillon_model::role::Right;
use carillon_model::subscription::{Extension, OfficeApp, Target, check_remark};
use carillon_model::topic::TopicName;
use carillon_model::urn::TopicUrn;
use carillon_model::{Channel, Field, Invalid};
use carillon_provider::{Post, PostKey, Probe};
use carillon_store::recipient::Recipient as To;

use crate::error::Error;
use crate::publish::Publish;
use crate::right::Wanted;
use crate::subscription::Subscribe;
use crate::{Caller, Service};

pub use carillon_provider::Shown;

/// The channels whose form is always shown, whoever is subscribed.
const CHATS: [Channel; 3] = [Channel::Dingtalk, Channel::Lark, Channel::Wecom];

/// What came of a test message.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Whether the far end took it.
    pub arrived: bool,
    /// The far end's code.
    pub code: Option<String>,
    /// The far end's words, without secrets.
    pub text: Option<String>,
    /// What to change; what it means, when it arrived.
    pub advice: Advice,
}

/// What a message would become on one channel.
#[derive(Debug, Clone)]
pub struct Form {
    /// The channel.
    pub channel: Channel,
    /// How many subscriptions would get it there.
    pub recipients: usize,
    /// The parts in which it would be sent, or what to change so that it can be.
    pub parts: Result<Vec<Shown>, Advice>,
}

/// What a publish would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// How many subscriptions would get it.
    pub recipients: usize,
    /// How many subscriptions of the topic are in force.
    pub subscribed: usize,
    /// What it would become, channel by channel.
    pub forms: Vec<Form>,
}

/// What a test message says. A mailbox may be anybody's, so that it is told who asked and that nothing follows by itself.
fn test_content(caller: &Caller, topic: &TopicUrn, channel: Channel, locale: Locale) -> Content {
    let (name, account) = (&topic.topic, &caller.account_name);
    let mail = channel == Channel::Email;
    let (subject, text) = match locale {
        Locale::English if mail => (
            "Test message",
            format!(
                "{account} tries whether messages of the topic {name} would arrive here. Nothing else is sent to this \
                 mailbox unless the subscription is saved, and then confirmed by the link in the next mail."
            ),
        ),
        Locale::Chinese if mail => (
            "测试消息",
            format!(
                "{account} 正在测试主题 {name} 的消息能否送达此邮箱。仅在订阅保存、并通过下一封邮件中的链接确认之后，才会发送其他邮件。"
            ),
        ),
        Locale::English => ("Test message", format!("Messages of the topic {name} will arrive here.")),
        Locale::Chinese => ("测试消息", format!("主题 {name} 的消息将发送到这里。")),
    };
    Content { subject: Some(subject.to_owned()), default: Body::text(text), ..Content::default() }
}

fn connection_test(name: &str, locale: Locale) -> Content {
    let (subject, text) = match locale {
        Locale::English => ("Test message", format!("The office app {name} reaches you through Carillon.")),
        Locale::Chinese => ("测试消息", format!("Carillon 可以通过办公应用 {name} 向您发送消息。")),
    };
    Content { subject: Some(subject.to_owned()), default: Body::text(text), ..Content::default() }
}

/// What came of a test message, from the far end's verdict.
fn came(channel: Channel, verdict: Verdict) -> Trial {
    Trial {
        arrived: verdict.outcome == Outcome::Accepted,
        advice: carillon_provider::advice(channel, verdict.reason),
        code: verdict.platform_code,
        text: verdict.platform_text,
    }
}

/// What comes of a test message to nobody.
fn nobody() -> Trial {
    came(Channel::Office, Verdict::plain(Outcome::Refused, Reason::Recipient))
}

/// The topic of a preview that is for none.
fn sample() -> TopicName {
    TopicName::parse("preview").expect("it is a name")
}

impl Service {
    /// Checks what a subscription would be made of, and gives where it would lead.
    ///
    /// # Errors
    /// When the address, what goes with it or the remark breaks a rule.
    pub fn check_subscription(&self, subscribe: &Subscribe) -> Result<Target, Error> {
        if !self.offers(subscribe.channel) {
            let rule = "email needs a mail relay, and this server has none: its operator must set --smtp-url and \
                        --mail-from (CARILLON_SMTP_URL, CARILLON_MAIL_FROM)";
            return Err(Invalid::new(Field::Protocol, rule).into());
        }
        let endpoint = Endpoint::parse(subscribe.channel, subscribe.endpoint.reveal())?;
        subscribe.extension.check(&endpoint)?;
        if let Some(remark) = &subscribe.remark {
            check_remark(remark)?;
        }
        self.providers.check_endpoint(&endpoint).map_err(|_private| Error::PrivateEndpoint)?;
        Ok(Target { endpoint, extension: subscribe.extension.clone() })
    }

    /// Sends a test message to where a subscription would lead. Nothing is stored, nothing is tried again; a web
    /// endpoint is only asked whether it answers. Through an office app it goes to one person or chat, for callers who may
    /// send to people.
    ///
    /// # Errors
    /// When the topic may not be subscribed to, the subscription could not be made, or mailboxes had too many tests.
    pub async fn try_subscription(
        &self,
        caller: &Caller,
        topic_urn: &str,
        subscribe: &Subscribe,
        locale: Locale,
    ) -> Result<Trial, Error> {
        caller.may(Right::Change)?;
        let wanted = Wanted { protocol: &subscribe.protocol, endpoint: subscribe.endpoint.reveal() };
        let topic = self.usable_topic(caller, topic_urn, Action::Subscribe, Some(wanted)).await?;
        let target = self.check_subscription(subscribe)?;
        let content = test_content(caller, &topic.urn, subscribe.channel, locale);
        let target = match &target.endpoint {
            Endpoint::Office { connection, kind, id } => {
                let to = Recipient { kind: *kind, id: id.reveal().to_owned() };
                self.own_connection(&topic.topic.project, *connection).await?;
                match self.office_target(caller, *connection, to).await? {
                    Some(target) => target,
                    None => return Ok(nobody()),
                }
            }
            Endpoint::Mailbox { address } => {
                self.mail_tests.take(address.reveal(), &caller.project.to_string(), self.clock.now())?;
                target
            }
            Endpoint::DingtalkRobot { .. }
            | Endpoint::DingtalkConversation { .. }
            | Endpoint::DingtalkPerson { .. }
            | Endpoint::LarkRobot { .. }
            | Endpoint::WecomRobot { .. }
            | Endpoint::Web { .. } => target,
        };
        let verdict = match self.providers.probe(&target).await {
            Some(probe) => probed(probe),
            None => self.send_test(&target, &content, &topic.urn.to_string(), locale).await,
        };
        Ok(came(subscribe.channel, verdict))
    }

    /// Sends a test message through an office app to one person or chat, now. Nothing is stored, nothing is tried again.
    ///
    /// # Errors
    /// When there is no such connection, or the recipient is no single person or chat.
    pub async fn try_connection(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        to: Recipient,
        locale: Locale,
    ) -> Result<Trial, Error> {
        caller.may(Right::Change)?;
        let name = self.connection(caller, connection).await?.name;
        let Some(target) = self.office_target(caller, connection, to).await? else { return Ok(nobody()) };
        let content = connection_test(&name, locale);
        Ok(came(Channel::Office, self.send_test(&target, &content, "", locale).await))
    }

    /// The one person or chat that a test message goes to, by the app that the caller may send with; nothing when nobody
    /// is there by that id.
    async fn office_target(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        to: Recipient,
    ) -> Result<Option<Target>, Error> {
        // People are no topic: it is the right that a push needs.
        caller.may(Right::Publish)?;
        let connection = self.connection(caller, connection).await?;
        if !matches!(to.kind, RecipientKind::Member | RecipientKind::Chat) {
            return Err(Invalid::new(Field::To, "a test message goes to one member or chat").into());
        }
        let app = self.store.connection_open(connection.id).await?.ok_or(Error::ConnectionNotFound)?;
        let found = self.store.recipients_expand(connection.id, vec![to]).await?;
        let there = found.and_then(|found| found.to.into_iter().find(|one| !one.gone));
        Ok(there.map(|one| {
            let endpoint =
                Endpoint::Office { connection: connection.id, kind: one.kind, id: one.platform_id.into() };
            let office = Some(Box::new(OfficeApp { app, connection: connection.id }));
            Target { endpoint, extension: Extension { office, ..Extension::default() } }
        }))
    }

    async fn send_test(&self, target: &Target, content: &Content, urn: &str, locale: Locale) -> Verdict {
        let now = self.clock.now();
        let message = MessageId::new(now, self.chance.as_ref());
        let post = Post {
            body: &content.default,
            key: PostKey::Delivery(DeliveryId::new(message, 1)),
            kind: Kind::Published,
            message,
            subject: content.subject.as_deref(),
            topic_urn: urn,
            subscription_urn: "",
            created_at: now,
            locale,
            priority: Priority::Normal,
            origin: None,
        };
        let parts = match self.providers.render(target, &post) {
            Ok(parts) => parts,
            Err(verdict) => return verdict,
        };
        let mut last = Verdict::plain(Outcome::Refused, Reason::Render);
        for part in &parts {
            last = self.providers.send(target, part).await;
            if last.outcome != Outcome::Accepted {
                break;
            }
        }
        last
    }

    /// Tells what a publish would do: who would get it, and what each channel would show. Nothing is stored or sent.
    ///
    /// # Errors
    /// As [`Service::publish`] does.
    pub async fn preview(
        &self,
        caller: &Caller,
        topic_urn: &str,
        publish: &Publish,
    ) -> Result<Preview, Error> {
        caller.reach(Right::Publish)?;
        let topic = self.usable_topic(caller, topic_urn, Action::Publish, None).await?;
        let mut content = publish.content.clone();
        if let Some(by) = &publish.template {
            let made = self.render(caller, by).await?;
            content = Content { default: made.default, channels: made.channels, ..content };
        }
        self.check_content(&content)?;
        carillon_model::message::time_to_live(publish.time_to_live)?;
        let subscribed = self.store.recipient_list(topic.topic.id).await?;
        let gets =
            |one: &&To| content.reaches(one.channel) && one.filter_policies.match_all(&publish.attributes);
        let recipients: Vec<&To> = subscribed.iter().filter(gets).collect();
        let count = |channel| recipients.iter().filter(|recipient| recipient.channel == channel).count();
        let channels = Channel::ALL.into_iter().filter(|it| CHATS.contains(it) || count(*it) > 0);
        let forms = channels.map(|channel| Form {
            channel,
            recipients: count(channel),
            parts: self.form(channel, &content, &topic.urn, publish.locale),
        });
        Ok(Preview { recipients: recipients.len(), subscribed: subscribed.len(), forms: forms.collect() })
    }

    /// What a content would become on a channel, or on each chat, whoever it is for.
    pub(crate) fn forms(
        &self,
        caller: &Caller,
        content: &Content,
        channel: Option<Channel>,
        locale: Locale,
    ) -> Vec<Form> {
        let topic =
            TopicUrn { region: self.region().to_owned(), project: caller.project.clone(), topic: sample() };
        let channels = channel.map_or_else(|| CHATS.to_vec(), |channel| vec![channel]);
        let form =
            |channel| Form { channel, recipients: 0, parts: self.form(channel, content, &topic, locale) };
        channels.into_iter().map(form).collect()
    }

    fn form(
        &self,
        channel: Channel,
        content: &Content,
        topic: &TopicUrn,
        locale: Locale,
    ) -> Result<Vec<Shown>, Advice> {
        let now = self.clock.now();
        let (body, urn) = (content.for_channel(channel), topic.to_string());
        let post = Post {
            body: &body,
            key: PostKey::Named("preview"),
            kind: Kind::Published,
            message: MessageId::new(now, self.chance.as_ref()),
            subject: content.subject.as_deref(),
            topic_urn: &urn,
            subscription_urn: "",
            created_at: now,
            locale,
            priority: Priority::Normal,
            origin: None,
        };
        let shown = self.providers.preview(channel, &post);
        shown.map_err(|verdict| carillon_provider::advice(channel, verdict.reason))
    }
}

/// An answer to the question whether a web endpoint answers, as a verdict.
fn probed(probe: Probe) -> Verdict {
    match probe {
        Probe::Answered { status, text } => {
            let good = (200..300).contains(&status);
            let (outcome, reason) =
                if good { (Outcome::Accepted, Reason::Ok) } else { (Outcome::Refused, Reason::Status) };
            Verdict {
                platform_code: Some(status.to_string()),
                platform_text: Some(text).filter(|text| !text.is_empty()),
                ..Verdict::plain(outcome, reason)
            }
        }
        Probe::Silent => Verdict::plain(Outcome::Unknown, Reason::Timeout),
        Probe::Forbidden => Verdict::plain(Outcome::Refused, Reason::Forbidden),
    }
}
