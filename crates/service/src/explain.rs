//! Why a subscription did or did not get a message.

use carillon_model::Timestamp;
use carillon_model::delivery::{DeliveryState, EndCause};
use carillon_model::health::{Health, Standing};
use carillon_model::id::MessageId;
use carillon_model::outcome::Advice;
use carillon_model::role::Right;
use carillon_model::subscription::SubscriptionState;
use carillon_model::urn::SubscriptionUrn;
use carillon_store::app_calls::HeldBack;

use crate::delivery::{NamedDelivery, NamedMessage};
use crate::error::Error;
use crate::explain_words::sentence;
use crate::{Caller, Service};

/// The answer, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The platform accepted it.
    Delivered,
    /// It waits for its turn or its next try.
    Waiting,
    /// An attempt is under way.
    Sending,
    /// It was given up.
    Failed,
    /// Its time to live ended first.
    Expired,
    /// It was cancelled.
    Cancelled,
    /// The message was never addressed to the subscription.
    NeverAddressed,
}

impl Verdict {
    /// The word in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::NeverAddressed => "never_addressed",
        }
    }
}

impl From<DeliveryState> for Verdict {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Waiting,
            DeliveryState::Sending => Self::Sending,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Failed => Self::Failed,
            DeliveryState::Expired => Self::Expired,
            DeliveryState::Cancelled => Self::Cancelled,
        }
    }
}

/// What lies behind a verdict that no attempt tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The subscription was made after the message was accepted.
    SubscribedLater(Timestamp),
    /// It was not confirmed when the message was accepted.
    Unconfirmed,
    /// Its owner had ended it.
    Unsubscribed,
    /// The message was for other channels only.
    Excluded,
    /// Its filter policies did not match the message's attributes.
    Filtered,
    /// It belongs to another topic.
    OtherTopic,
    /// There is no such subscription.
    NoSubscription,
    /// The subscription was deleted while the delivery waited.
    SubscriptionDeleted,
    /// More waited for the address than may be sent soon, and the subscription drops the oldest then.
    Dropped,
    /// It says the same as this one, which its topic was sent shortly before.
    Suppressed(MessageId),
    /// Nothing that the message was sent to names the person, nor a department or group that the person is in.
    NotNamed,
    /// The person was read into the directory only after the message was accepted.
    SeenLater(Timestamp),
    /// Its address is paused, or its breaker open, or the platform asked to wait, or it failed of late.
    Unwell(Health),
    /// The calls of its app for this month are used up, but for what is kept for urgent messages: the app's limit says
    /// so, or the platform did.
    HeldBack(HeldBack),
}

impl Cause {
    /// The word in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SubscribedLater(_) => "subscribed_later",
            Self::Unconfirmed => "unconfirmed",
            Self::Unsubscribed => "unsubscribed",
            Self::Excluded => "excluded",
            Self::Filtered => "filtered",
            Self::OtherTopic => "other_topic",
            Self::NoSubscription => "no_subscription",
            Self::SubscriptionDeleted => "subscription_deleted",
            Self::Dropped => "dropped",
            Self::Suppressed(_) => "suppressed",
            Self::HeldBack(HeldBack::Limit { .. }) => "month_used_up",
            Self::HeldBack(HeldBack::Platform(..)) => "organisation_held",
            Self::NotNamed => "not_named",
            Self::SeenLater(_) => "seen_later",
            Self::Unwell(health) => match health.standing {
                Standing::Failing => "endpoint_failing",
                Standing::Limited => "endpoint_limited",
                Standing::Open => "endpoint_open",
                Standing::Paused => "endpoint_paused",
            },
        }
    }
}

/// Why one subscription did or did not get a message.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The subscription; none for a person whom the message never named.
    pub subscription_urn: Option<SubscriptionUrn>,
    /// The answer, as one word.
    pub verdict: Verdict,
    /// What lies behind it, where no attempt tells.
    pub cause: Option<Cause>,
    /// The answer, as a sentence in both languages.
    pub sentence: Advice,
    /// What to change, where something went wrong.
    pub advice: Option<Advice>,
    /// The delivery, if there is one.
    pub delivery: Option<NamedDelivery>,
    /// How many deliveries are before it in its lane, while it waits.
    pub before: Option<u64>,
}

/// What became of a message.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The message.
    pub message: NamedMessage,
    /// How many of its deliveries stand in each state that occurs.
    pub counts: Vec<(DeliveryState, u64)>,
    /// The answers, by the deliveries' numbers.
    pub explanations: Vec<Explanation>,
    /// How many messages went to nobody because they say the same as this one.
    pub suppressed: u64,
}

impl Service {
    /// Explains a message's deliveries by their numbers, behind number `after`; with a subscription's URN, why that
    /// one did or did not get the message.
    ///
    /// # Errors
    /// When there is no such message in the caller's project, or the URN is malformed or another project's.
    pub async fn explain(
        &self,
        caller: &Caller,
        id: MessageId,
        subscription: Option<&str>,
        after: u32,
        limit: u64,
    ) -> Result<Explained, Error> {
        caller.reach(Right::Trace)?;
        let message = self.message(caller, id).await?;
        let counts = self.store.delivery_count(&caller.project, id).await?;
        let mut explanations = Vec::new();
        match subscription {
            Some(urn) => {
                let urn = self.own_subscription(caller, None, urn)?;
                let found = self.store.delivery_find_for(&caller.project, id, urn.id).await?;
                explanations.push(match found {
                    Some(record) => {
                        self.explain_delivery(&message, self.named_delivery(caller, record)).await?
                    }
                    None => self.explain_absence(&message, urn).await?,
                });
            }
            None => {
                for delivery in self.list_deliveries(caller, id, after, limit).await? {
                    explanations.push(self.explain_delivery(&message, delivery).await?);
                }
            }
        }
        let suppressed = self.store.suppressed_count(id).await?;
        Ok(Explained { message, counts, explanations, suppressed })
    }

    /// Explains one delivery.
    ///
    /// # Errors
    /// When its message is not in the caller's project any more.
    pub async fn explain_one(&self, caller: &Caller, delivery: NamedDelivery) -> Result<Explanation, Error> {
        caller.reach(Right::Trace)?;
        let message = self.message(caller, delivery.record.id.message).await?;
        self.explain_delivery(&message, delivery).await
    }

    pub(crate) async fn explain_delivery(
        &self,
        message: &NamedMessage,
        delivery: NamedDelivery,
    ) -> Result<Explanation, Error> {
        let state = delivery.record.state;
        let mut explanation = Explanation {
            subscription_urn: Some(delivery.subscription_urn.clone()),
            verdict: state.into(),
            cause: None,
            sentence: nothing(),
            advice: None,
            before: None,
            delivery: None,
        };
        match state {
            DeliveryState::Pending => {
                explanation.before = Some(self.store.lane_before(delivery.record.id).await?);
                let health = self.store.health_of(delivery.record.id).await?;
                // A limit that is over is not taken out of the store before the next attempt.
                let holds = |health: &Health| {
                    health.standing != Standing::Limited
                        || health.until.is_some_and(|until| until > self.now())
                };
                explanation.cause = health.filter(holds).map(Cause::Unwell);
                // What keeps all of an app back stands before what its address met.
                if let Some(held) = self.store.delivery_held_back(delivery.record.id).await? {
                    explanation.cause = Some(Cause::HeldBack(held));
                }
                if let Some(Cause::Unwell(health)) = &explanation.cause {
                    explanation.advice =
                        Some(carillon_provider::advice(delivery.record.channel, health.reason));
                }
            }
            DeliveryState::Cancelled if delivery.record.cause == Some(EndCause::Dropped) => {
                explanation.cause = Some(Cause::Dropped);
            }
            DeliveryState::Cancelled => {
                let topic = message.summary.message.message.topic;
                let there = self.store.subscription_find(topic, delivery.record.subscription).await?;
                explanation.cause = there.is_none().then_some(Cause::SubscriptionDeleted);
            }
            DeliveryState::Sending
            | DeliveryState::Delivered
            | DeliveryState::Failed
            | DeliveryState::Expired => {}
        }
        if state != DeliveryState::Delivered && explanation.advice.is_none() {
            explanation.advice = delivery.attempts.last().map(|(_, advice)| advice.clone());
        }
        explanation.delivery = Some(delivery);
        explanation.sentence = sentence(&explanation, &message.summary.message);
        Ok(explanation)
    }

    pub(crate) async fn explain_absence(
        &self,
        message: &NamedMessage,
        urn: SubscriptionUrn,
    ) -> Result<Explanation, Error> {
        let cause = self.cause(message, &urn).await?;
        Ok(absent(message, Some(urn), cause))
    }

    /// Why a message has no delivery for a subscription.
    async fn cause(&self, message: &NamedMessage, urn: &SubscriptionUrn) -> Result<Cause, Error> {
        let summary = &message.summary;
        let message = &summary.message.message;
        let topic = self.store.topic_find(&message.project, &urn.topic.topic).await?;
        let Some(topic) = topic else { return Ok(Cause::NoSubscription) };
        let found = self.store.subscription_find(topic.id, urn.id).await?;
        let Some(subscription) = found else { return Ok(Cause::NoSubscription) };
        if topic.id != message.topic {
            return Ok(Cause::OtherTopic);
        }
        if subscription.created_at >= message.created_at {
            return Ok(Cause::SubscribedLater(subscription.created_at));
        }
        match subscription.state {
            SubscriptionState::Unconfirmed => return Ok(Cause::Unconfirmed),
            SubscriptionState::Cancelled => return Ok(Cause::Unsubscribed),
            SubscriptionState::Confirmed | SubscriptionState::Unneeded => {}
        }
        if let Some(first) = summary.equal_to {
            return Ok(Cause::Suppressed(first));
        }
        let recipients = self.store.recipient_list(topic.id).await?;
        let recipient = recipients.iter().find(|recipient| recipient.subscription == urn.id);
        Ok(match recipient {
            Some(recipient) if !message.content.reaches(recipient.channel) => Cause::Excluded,
            // Attributes are not kept; what else would have kept it out was ruled out.
            Some(recipient) if !recipient.filter_policies.is_empty() => Cause::Filtered,
            // It is in force, older than the message and wants everything: so it was confirmed since.
            Some(_) | None => Cause::Unconfirmed,
        })
    }
}

/// The answer where there is no delivery.
pub(crate) fn absent(message: &NamedMessage, urn: Option<SubscriptionUrn>, cause: Cause) -> Explanation {
    let mut explanation = Explanation {
        subscription_urn: urn,
        verdict: Verdict::NeverAddressed,
        cause: Some(cause),
        sentence: nothing(),
        advice: None,
        delivery: None,
        before: None,
    };
    explanation.sentence = sentence(&explanation, &message.summary.message);
    explanation
}

fn nothing() -> Advice {
    Advice { en: "".into(), zh: "".into() }
}
