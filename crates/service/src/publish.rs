//! Publish: takes a message in and makes it durable with its deliveries.

use std::time::Duration;

use carillon_model::Channel;
use carillon_model::access_policy::Action;
use carillon_model::filter::Attributes;
use carillon_model::id::{MessageId, TopicId};
use carillon_model::message::{Content, Locale, Message, Priority, check_idempotency_key, time_to_live};
use carillon_model::role::Right;
use carillon_store::delivery::StoredMessage;
use carillon_store::idempotency::Accepted;
use carillon_store::recipient::{Recipient, Recipients};

use crate::error::Error;
use crate::template::ByTemplate;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

/// What a caller publishes.
#[derive(Debug, Clone, Default)]
pub struct Publish {
    /// What it says.
    pub content: Content,
    /// The template that it is made from; then only the content's subject and channels count.
    pub template: Option<ByTemplate>,
    /// What subscriptions filter by. They decide who gets it now, and are not kept.
    pub attributes: Attributes,
    /// How long it may wait, in seconds; an hour when not set.
    pub time_to_live: Option<u64>,
    /// How urgent it is.
    pub priority: Priority,
    /// The language of what the service adds.
    pub locale: Locale,
    /// The publisher's own key: the same key again within 24 hours is the same publish.
    pub idempotency_key: Option<String>,
}

/// A message that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub message: MessageId,
    /// How many deliveries it was made into.
    pub deliveries: usize,
    /// Whether it was accepted before, under the same key, and nothing was published now.
    pub replayed: bool,
    /// The message that it says the same as, which is why it went to nobody.
    pub equal_to: Option<MessageId>,
}

impl Service {
    /// Publishes a message. When the call has answered, the message and its deliveries survive anything that the
    /// disk survives.
    ///
    /// # Errors
    /// When there is no such topic or template, or its policy keeps the caller out, or the message breaks a rule, or its
    /// key was used for another message, or the topic had too many within the minute, or nothing can be stored; then
    /// nothing was accepted.
    pub async fn publish(
        &self,
        caller: &Caller,
        topic_urn: &str,
        publish: Publish,
    ) -> Result<Published, Error> {
        caller.reach(Right::Publish)?;
        let NamedTopic { urn, topic } = self.usable_topic(caller, topic_urn, Action::Publish, None).await?;
        let mut content = publish.content;
        if let Some(by) = &publish.template {
            let made = self.render(caller, by).await?;
            content = Content { default: made.default, channels: made.channels, ..content };
        }
        self.check_content(&content)?;
        let key = publish.idempotency_key;
        if let Some(key) = &key {
            check_idempotency_key(key)?;
        }
        let life = time_to_live(publish.time_to_live)?;
        let now = self.clock.now();
        self.flow.take(topic.id, now)?;
        let message = Message {
            id: MessageId::new(now, self.chance.as_ref()),
            project: topic.project,
            topic: topic.id,
            content,
            priority: publish.priority,
            locale: publish.locale,
            created_at: now,
            expires_at: now.plus(life),
        };
        let (recipients, suppress) = self.recipients(topic.id, &message.content, &publish.attributes).await?;
        let (message_id, deliveries) = (message.id, recipients.len());
        let published = Published { message: message_id, deliveries, replayed: false, equal_to: None };
        let stored = StoredMessage { message, topic_name: topic.name };
        let (store, attributes) = (self.publishing(caller), &publish.attributes);
        let accepted = match (&key, suppress) {
            (None, None) => {
                store.message_publish(stored, recipients).await?;
                return Ok(published);
            }
            (Some(key), None) => store.message_publish_once(stored, recipients, key, attributes).await?,
            (key, Some(window)) => {
                let key = key.as_deref();
                store.message_publish_unequal(stored, recipients, key, attributes, window).await?
            }
        };
        match accepted {
            Accepted::New => Ok(published),
            Accepted::Equal { to } => Ok(Published { deliveries: 0, equal_to: Some(to), ..published }),
            Accepted::Again { message, deliveries } => {
                // The first answer said so, too.
                let equal_to = if deliveries == 0 {
                    self.store.message_find(&urn.project, message).await?.and_then(|found| found.equal_to)
                } else {
                    None
                };
                let deliveries = usize::try_from(deliveries).unwrap_or(usize::MAX);
                Ok(Published { message, deliveries, replayed: true, equal_to })
            }
            Accepted::Differs => Err(Error::IdempotencyConflict),
        }
    }

    /// Who of a topic gets a message: everybody in it, or those whom content and filters leave, with the people and chats of
    /// office apps each in their own place; and for how long the topic sends nothing that says the same again.
    async fn recipients(
        &self,
        topic: TopicId,
        content: &Content,
        attributes: &Attributes,
    ) -> Result<(Recipients, Option<Duration>), Error> {
        let all = self.store.recipient_list(topic).await?;
        let suppress = all.suppress();
        let gets =
            |one: &Recipient| content.reaches(one.channel) && one.filter_policies.match_all(attributes);
        if all.iter().all(|one| gets(one) && one.channel != Channel::Office) {
            return Ok((all.into(), suppress));
        }
        let some = all.iter().filter(|one| gets(one)).cloned().collect();
        Ok((self.store.recipients_reached(some).await?.into(), suppress))
    }
}
