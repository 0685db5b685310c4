//! Ask subscribers whether they want it, and what following a link does. Links are followed by whoever got them, so
//! nobody is signed in here: a token or a signature in the link is the right.

use std::time::Duration;

use carillon_model::audit::Deed;
use carillon_model::id::MessageId;
use carillon_model::link;
use carillon_model::message::{Body, Content, Kind, Locale, Message, Priority};
use carillon_model::role::Right;
use carillon_model::subscription::Subscription;
use carillon_model::topic::Topic;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Channel, SecretText, limits};
use carillon_store::Store;
use carillon_store::confirmation::{Asked, Ended, Throttle};
use carillon_store::delivery::StoredMessage;

use crate::error::Error;
use crate::{Caller, Service};

const WEB: &[Throttle] =
    &[Throttle { window: limits::WEB_CONFIRMATIONS_WINDOW, most: limits::WEB_CONFIRMATIONS_MAX }];
const MAIL: &[Throttle] = &[
    Throttle { window: limits::MAIL_CONFIRMATIONS_WINDOW, most: limits::MAIL_CONFIRMATIONS_MAX },
    Throttle { window: limits::MAIL_CONFIRMATIONS_LONG_WINDOW, most: limits::MAIL_CONFIRMATIONS_LONG_MAX },
];
/// How long it is tried to say farewell.
const FAREWELL_LIFE: Duration = limits::CONFIRMATION_LIFE;

fn throttles(channel: Channel) -> &'static [Throttle] {
    match channel {
        Channel::Http | Channel::Https => WEB,
        Channel::Email => MAIL,
        Channel::Dingtalk | Channel::DingtalkPerson | Channel::Lark | Channel::Wecom | Channel::Office => &[],
    }
}

/// What the link is called where the subscriber meets it: a field for programs, a line for people.
fn link_words(channel: Channel) -> (&'static str, &'static str) {
    match channel {
        Channel::Email => ("the link below", "下方链接"),
        Channel::Http | Channel::Https => ("the subscribe_url", " subscribe_url "),
        // They are not asked.
        Channel::Dingtalk | Channel::DingtalkPerson | Channel::Lark | Channel::Wecom | Channel::Office => {
            ("the link", "链接")
        }
    }
}

impl Service {
    /// What the owner says of a topic, for people who are asked whether they want it.
    async fn introduction(&self, topic: &Topic, channel: Channel) -> Result<String, Error> {
        if channel != Channel::Email {
            return Ok(String::new());
        }
        let introduction = self.store.attribute_list(topic.id).await?.introduction;
        let introduction = introduction.trim();
        Ok(if introduction.is_empty() { String::new() } else { format!("\n\n{introduction}") })
    }

    /// Asks a subscriber. When the call has answered, the question survives anything that the disk survives.
    pub(crate) async fn ask(
        &self,
        topic: &Topic,
        urn: &SubscriptionUrn,
        channel: Channel,
    ) -> Result<(), Error> {
        let (en, zh) = link_words(channel);
        let introduction = self.introduction(topic, channel).await?;
        let text = format!(
            "You are invited to subscribe to the topic {}. To confirm, follow {en} within 48 hours; to decline, do \
             nothing.\n\n邀请您订阅主题 {}。请在 48 小时内访问{zh}确认订阅；如不订阅，请忽略此消息。{introduction}",
            urn.topic, urn.topic
        );
        let stored = self.own_message(Kind::SubscriptionConfirmation, text, topic);
        match self.store.confirmation_send(urn.id, stored, throttles(channel)).await? {
            Asked::Sent | Asked::Unneeded => Ok(()),
            Asked::Throttled => Err(Error::Throttled),
            Asked::Gone => Err(Error::SubscriptionNotFound),
        }
    }

    /// The subscription that a link to confirm is for, and its channel. Nothing is changed.
    ///
    /// # Errors
    /// When the token is unknown or has ended, or is another topic's.
    pub async fn confirmation_of(
        &self,
        token: &SecretText,
        topic_urn: Option<&str>,
    ) -> Result<(SubscriptionUrn, Channel), Error> {
        let found = self.store.confirmation_find(token).await?.ok_or(Error::WrongToken)?;
        let urn = self.urn_of(&found);
        if topic_urn.is_some_and(|topic| topic != urn.topic.to_string()) {
            return Err(Error::WrongToken);
        }
        Ok((urn, found.channel))
    }

    /// Follows the link that confirms a subscription, or takes it up again. Following it twice is no fault.
    ///
    /// # Errors
    /// When the token is unknown or has ended, or is another topic's.
    pub async fn confirm(
        &self,
        token: &SecretText,
        topic_urn: Option<&str>,
    ) -> Result<SubscriptionUrn, Error> {
        let (urn, _channel) = self.confirmation_of(token, topic_urn).await?;
        if self.store.subscription_confirm(token).await? { Ok(urn) } else { Err(Error::WrongToken) }
    }

    /// The subscription that a link to end one is for, and its channel. Nothing is changed.
    ///
    /// # Errors
    /// When the signature is not that of this subscription's link, or the subscription is gone.
    pub async fn ending_of(
        &self,
        urn: &str,
        signature: &SecretText,
    ) -> Result<(SubscriptionUrn, Channel), Error> {
        if !self.store.unsubscribe_signature_fits(urn, signature) {
            return Err(Error::WrongLink);
        }
        let urn = SubscriptionUrn::parse(urn)?;
        let topic = self.store.topic_find(&urn.topic.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let found = self.store.subscription_find(topic.id, urn.id).await?;
        let channel = found.ok_or(Error::SubscriptionNotFound)?.channel;
        Ok((urn, channel))
    }

    /// Follows the link that ends a subscription. Ending it twice is no fault.
    ///
    /// # Errors
    /// When the signature is not that of this subscription's link, or the subscription is gone.
    pub async fn end(&self, urn: &str, signature: &SecretText) -> Result<(), Error> {
        if !self.store.unsubscribe_signature_fits(urn, signature) {
            return Err(Error::WrongLink);
        }
        self.end_known(&self.store, &SubscriptionUrn::parse(urn)?).await
    }

    /// Ends a subscription as its link would, for a caller whose project it belongs to.
    ///
    /// # Errors
    /// When it is another project's, is gone, or has no such link.
    pub async fn end_own(&self, caller: &Caller, urn: &str) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let urn = SubscriptionUrn::parse(urn)?;
        if !caller.owns(&urn.topic, &self.region) {
            return Err(Error::SubscriptionNotFound);
        }
        self.end_known(&self.acting(caller, Deed::SubscriptionDelete, &urn), &urn).await
    }

    async fn end_known(&self, store: &Store, urn: &SubscriptionUrn) -> Result<(), Error> {
        let topic = self.store.topic_find(&urn.topic.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let found = self.store.subscription_find(topic.id, urn.id).await?;
        let found = found.ok_or(Error::SubscriptionNotFound)?;
        let (en, zh) = link_words(found.channel);
        let text = format!(
            "The subscription to the topic {} has ended. If this was a mistake, follow {en} within 48 hours to take \
             it up again.\n\n您已取消订阅主题 {}。如为误操作，请在 48 小时内访问{zh}重新订阅。",
            urn.topic, urn.topic
        );
        let stored = self.own_message(Kind::UnsubscribeConfirmation, text, &topic);
        match store.subscription_end(urn.id, stored).await? {
            Ended::Now | Ended::Before => Ok(()),
            Ended::NoLink => Err(Error::WrongLink),
            Ended::Gone => Err(Error::SubscriptionNotFound),
        }
    }

    /// The certificate of a name, PEM.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn certificate(&self, name: &str) -> Result<String, Error> {
        let id = link::certificate_id(name).ok_or(Error::CertificateNotFound)?;
        if link::certificate_name(&self.region, id) != name {
            return Err(Error::CertificateNotFound);
        }
        self.store.certificate_find(id).await?.ok_or(Error::CertificateNotFound)
    }

    fn urn_of(&self, subscription: &Subscription) -> SubscriptionUrn {
        let topic = TopicUrn {
            region: self.region.to_string(),
            project: subscription.project.clone(),
            topic: subscription.topic_name.clone(),
        };
        SubscriptionUrn { topic, id: subscription.id }
    }

    /// A message that the service itself writes.
    fn own_message(&self, kind: Kind, text: String, topic: &Topic) -> StoredMessage {
        let now = self.clock.now();
        let message = Message {
            id: MessageId::new(now, self.chance.as_ref()),
            project: topic.project.clone(),
            topic: topic.id,
            content: Content { kind, default: Body::text(text), ..Content::default() },
            priority: Priority::Normal,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(FAREWELL_LIFE),
        };
        StoredMessage { message, topic_name: topic.name.clone() }
    }
}
