//! Push: a message straight to people and chats of an office app, without a topic.

use std::hash::{DefaultHasher, Hash, Hasher};

use carillon_model::attachment::AttachmentKind;
use carillon_model::filter::{Attributes, FilterPolicies};
use carillon_model::id::{ConnectionId, MessageId, SubscriptionId, TopicId};
use carillon_model::message::{
    Body, Content, Locale, Message, Priority, check_idempotency_key, time_to_live,
};
use carillon_model::office::connection::DingtalkApp;
use carillon_model::office::{App, Platform, Recipient, RecipientKind};
use carillon_model::role::Right;
use carillon_model::subscription::Overflow;
use carillon_model::topic::TopicName;
use carillon_model::{Channel, Field, Invalid, limits};
use carillon_store::delivery::StoredMessage;
use carillon_store::directory::{Expanded, Unreached};
use carillon_store::idempotency::Accepted;
use carillon_store::recipient::Recipient as To;

use crate::attachment::NamedAttachment;
use crate::error::Error;
use crate::{Caller, Service};

/// The name that stands where a topic's would: a push has none.
const NO_TOPIC: &str = "office-push";

/// What a caller pushes.
#[derive(Debug, Clone)]
pub struct Push {
    /// The connection.
    pub connection: ConnectionId,
    /// To whom.
    pub to: Vec<Recipient>,
    /// What it says.
    pub content: Content,
    /// Images and files that follow it.
    pub attachments: Vec<NamedAttachment>,
    /// Whether DingTalk is to notify people, instead of having its robot write to them.
    pub notice: bool,
    /// How long it may wait, in seconds; an hour when not set.
    pub time_to_live: Option<u64>,
    /// How urgent it is.
    pub priority: Priority,
    /// The language of what the service adds.
    pub locale: Locale,
    /// The publisher's own key: the same key again within 24 hours is the same push.
    pub idempotency_key: Option<String>,
}

/// A push that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its id.
    pub message: MessageId,
    /// How many people and chats it goes to.
    pub heads: usize,
    /// Who cannot be reached, and why.
    pub unreached: Vec<(Recipient, Unreached)>,
    /// Whether it was accepted before, under the same key, and nothing was pushed now.
    pub replayed: bool,
}

/// Whom a push names, as a part of what its key stands for: the same key with other recipients is another push.
fn named(to: &[Recipient]) -> Result<Attributes, Invalid> {
    let mut hasher = DefaultHasher::new();
    to.hash(&mut hasher);
    let mut attributes = Attributes::default();
    attributes.add("office_to", &[format!("{:016x}", hasher.finish())])?;
    Ok(attributes)
}

impl Service {
    /// Pushes a message to people and chats. When the call has answered, the message and a delivery for everyone survive
    /// anything that the disk survives. Somebody who is gone has a delivery too, which says so.
    ///
    /// # Errors
    /// When there is no such connection, the message or a recipient breaks a rule, nobody at all can be reached, the key
    /// was used for another message, or nothing can be stored; then nothing was accepted.
    pub async fn push(&self, caller: &Caller, mut push: Push) -> Result<Pushed, Error> {
        // People are no topic: a publisher of named topics cannot push.
        caller.may(Right::Publish)?;
        let connection = self.connection(caller, push.connection).await?;
        let attachments = self.attachments(caller, connection.platform, push.attachments).await?;
        push.content.default.attachments = attachments;
        push.content.default.notice = push.notice;
        self.check_content(&push.content)?;
        if let Some(key) = &push.idempotency_key {
            check_idempotency_key(key)?;
        }
        let life = time_to_live(push.time_to_live)?;
        let named = named(&push.to)?;
        let expanded = self.expand(connection.id, push.to).await?;
        if expanded.to.is_empty() {
            return Err(Error::NobodyReached(expanded.unreached.first().map(|(_, why)| *why)));
        }
        if push.notice {
            self.check_notice(connection.id, &expanded, &push.content.default).await?;
        }
        let now = self.clock.now();
        let message = Message {
            id: MessageId::new(now, self.chance.as_ref()),
            project: caller.project.clone(),
            topic: TopicId::parse(&connection.id.to_string())?,
            content: push.content,
            priority: push.priority,
            locale: push.locale,
            created_at: now,
            expires_at: now.plus(life),
        };
        let (id, heads) = (message.id, expanded.to.iter().filter(|one| !one.gone).count());
        let stored = StoredMessage { message, topic_name: TopicName::parse(NO_TOPIC)? };
        let to = expanded.to.iter().map(|one| {
            // What has no subscription stands under its recipient's own id.
            let subscription = SubscriptionId::parse(&one.id.to_string())?;
            let filter_policies = FilterPolicies::default();
            Ok(To {
                subscription,
                endpoint: one.id,
                channel: Channel::Office,
                overflow: Overflow::default(),
                filter_policies,
            })
        });
        let to = to.collect::<Result<Vec<_>, Invalid>>()?;
        let pushed = |message, replayed| Pushed { message, heads, unreached: expanded.unreached, replayed };
        let Some(key) = push.idempotency_key else {
            self.publishing(caller).message_publish(stored, to).await?;
            return Ok(pushed(id, false));
        };
        match self.publishing(caller).message_publish_once(stored, to, &key, &named).await? {
            // No topic says that equal pushes are left out.
            Accepted::New | Accepted::Equal { .. } => Ok(pushed(id, false)),
            Accepted::Again { message, .. } => Ok(pushed(message, true)),
            Accepted::Differs => Err(Error::IdempotencyConflict),
        }
    }

    /// Tells whom a push would reach, and who cannot be reached and why. Sends nothing.
    ///
    /// # Errors
    /// When there is no such connection or a recipient breaks a rule.
    pub async fn preview_push(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        to: Vec<Recipient>,
    ) -> Result<Expanded, Error> {
        caller.may(Right::Look)?;
        let connection = self.connection(caller, connection).await?;
        self.expand(connection.id, to).await
    }

    /// What stands for members who are pinged in a chat: the platform's ids, or their names where it cannot ping.
    ///
    /// # Errors
    /// When there is no such connection, or one of them is no member who is there.
    pub async fn mention_words(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        members: Vec<Recipient>,
    ) -> Result<Vec<String>, Error> {
        caller.may(Right::Look)?;
        let connection = self.connection(caller, connection).await?;
        let rule = "who is mentioned must be a member who is there, or a contact that was bound";
        let wrong = || Invalid::new(Field::Message, rule);
        if members.len() > limits::MENTIONS_MAX || members.iter().any(|one| one.kind != RecipientKind::Member)
        {
            return Err(wrong().into());
        }
        let found = self.store.recipients_expand(connection.id, members).await?;
        let found = found.ok_or(Error::ConnectionNotFound)?;
        // Somebody without a name was never read: what is typed there may be anything.
        if found.to.iter().any(|one| one.gone || one.name.is_empty()) {
            return Err(wrong().into());
        }
        let names = connection.platform == Platform::Dingtalk;
        Ok(found.to.into_iter().map(|one| if names { one.name } else { one.platform_id }).collect())
    }

    /// Whether people can be notified as a push wants.
    async fn check_notice(&self, id: ConnectionId, to: &Expanded, body: &Body) -> Result<(), Error> {
        const FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;
        let app = self.store.connection_open(id).await?;
        if !matches!(app, Some(App::Dingtalk(DingtalkApp { agent_id: Some(_), .. }))) {
            let rule = "via work_notification needs a DingTalk connection with its agent_id";
            return Err(Invalid::new(Field::Message, rule).into());
        }
        if to.to.iter().any(|one| one.kind != RecipientKind::Member) {
            return Err(Invalid::new(Field::To, "a work notification goes to people, not to chats").into());
        }
        if body
            .attachments
            .iter()
            .any(|file| file.kind == AttachmentKind::File && file.bytes > FILE_BYTES_MAX)
        {
            let rule = "a file of a work notification must be at most 10 MiB";
            return Err(Invalid::new(Field::Files, rule).into());
        }
        Ok(())
    }

    async fn expand(&self, connection: ConnectionId, to: Vec<Recipient>) -> Result<Expanded, Error> {
        if to.is_empty() || to.len() > limits::PUSH_RECIPIENTS_MAX {
            return Err(Invalid::new(Field::To, "to must hold 1 to 1000 recipients").into());
        }
        let expanded =
            self.store.recipients_expand(connection, to).await?.ok_or(Error::ConnectionNotFound)?;
        if expanded.to.len() > limits::PUSH_EXPANDED_MAX {
            return Err(Invalid::new(Field::To, "to comes down to more than 50000 people and chats").into());
        }
        Ok(expanded)
    }
}
