//! What became of a message: its deliveries, their attempts, and what to change.

use carillon_model::delivery::DeliveryState;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::outcome::{Advice, Outcome};
use carillon_model::role::Right;
use carillon_model::topic::TopicName;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_store::attempt::{AttemptRecord, DeliveryRecord};
use carillon_store::message::MessageSummary;
pub use carillon_store::person::Whom;

use crate::caller::Reach;
use crate::error::Error;
use crate::{Caller, Service};

/// A message with the name of its topic.
#[derive(Debug, Clone)]
pub struct NamedMessage {
    /// The topic's URN.
    pub topic_urn: TopicUrn,
    /// The message.
    pub summary: MessageSummary,
}

/// A delivery with the name of its subscription.
#[derive(Debug, Clone)]
pub struct NamedDelivery {
    /// The subscription's URN.
    pub subscription_urn: SubscriptionUrn,
    /// The delivery; its attempts stand beside it.
    pub record: DeliveryRecord,
    /// Its attempts, first to last, each with what to change.
    pub attempts: Vec<(AttemptRecord, Advice)>,
}

impl NamedDelivery {
    /// Whether it may have arrived twice: it was accepted after an attempt that nobody knows the end of, at a channel
    /// that cannot tell the second from the first.
    #[must_use]
    pub fn may_be_double(&self) -> bool {
        self.record.state == DeliveryState::Delivered
            && !self.record.channel.knows_repeats()
            && self.attempts.iter().any(|(attempt, _)| attempt.outcome == Outcome::Unknown.name())
    }
}

impl Service {
    /// Lists the project's messages that the caller may see, newest first, older than `before` if it is given.
    ///
    /// # Errors
    /// When the topic's URN or name is malformed or another project's.
    pub async fn list_messages(
        &self,
        caller: &Caller,
        topic: Option<&str>,
        before: Option<MessageId>,
        limit: u64,
    ) -> Result<Vec<NamedMessage>, Error> {
        let publisher = match caller.reach(Right::Trace)? {
            Reach::All => None,
            Reach::Own => Some(caller.account),
        };
        let topic = match topic {
            Some(text) => Some(self.own_urn(caller, &self.topic_urn(caller, text)?)?.topic),
            None => None,
        };
        let name = topic.as_ref().map(|name: &TopicName| name.as_str().to_owned());
        let found = self.store.message_list(&caller.project, name, publisher, before, limit).await?;
        Ok(found.into_iter().map(|summary| self.named_message(caller, summary)).collect())
    }

    /// Looks at one message.
    ///
    /// # Errors
    /// When there is no such message in the caller's project.
    pub async fn message(&self, caller: &Caller, id: MessageId) -> Result<NamedMessage, Error> {
        let reach = caller.reach(Right::Trace)?;
        let found = self.store.message_find(&caller.project, id).await?.ok_or(Error::MessageNotFound)?;
        // What others published looks as if it did not exist.
        if reach == Reach::Own && found.publisher != Some(caller.account) {
            return Err(Error::MessageNotFound);
        }
        Ok(self.named_message(caller, found))
    }

    /// Lists a message's deliveries by their numbers, behind number `after`.
    ///
    /// # Errors
    /// When there is no such message in the caller's project.
    pub async fn list_deliveries(
        &self,
        caller: &Caller,
        message: MessageId,
        after: u32,
        limit: u64,
    ) -> Result<Vec<NamedDelivery>, Error> {
        caller.reach(Right::Trace)?;
        self.message(caller, message).await?;
        let found = self.store.delivery_list(&caller.project, message, after, limit).await?;
        Ok(found.into_iter().map(|record| self.named_delivery(caller, record)).collect())
    }

    /// Looks at one delivery.
    ///
    /// # Errors
    /// When there is no such delivery in the caller's project.
    pub async fn delivery(&self, caller: &Caller, id: DeliveryId) -> Result<NamedDelivery, Error> {
        caller.reach(Right::Trace)?;
        match self.message(caller, id.message).await {
            Err(Error::MessageNotFound) => return Err(Error::DeliveryNotFound),
            found => found.map(drop)?,
        }
        let found = self.store.delivery_find(&caller.project, id).await?.ok_or(Error::DeliveryNotFound)?;
        Ok(self.named_delivery(caller, found))
    }

    fn named_message(&self, caller: &Caller, summary: MessageSummary) -> NamedMessage {
        NamedMessage { topic_urn: self.urn(caller, &summary.message.topic_name), summary }
    }

    pub(crate) fn named_delivery(&self, caller: &Caller, mut record: DeliveryRecord) -> NamedDelivery {
        let topic = self.urn(caller, &record.topic_name);
        let channel = record.channel;
        let advise = |attempt: AttemptRecord| {
            let advice = carillon_provider::advice(channel, attempt.reason);
            (attempt, advice)
        };
        let attempts = std::mem::take(&mut record.attempts).into_iter().map(advise).collect();
        NamedDelivery {
            subscription_urn: SubscriptionUrn { topic, id: record.subscription },
            record,
            attempts,
        }
    }
}
