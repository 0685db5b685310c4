//! Look at how endpoints fare, let a paused one be tried again, and choose who is told of a pause.

use carillon_model::audit::Deed;
use carillon_model::health::Standing;
use carillon_model::id::EndpointId;
use carillon_model::outcome::Advice;
use carillon_model::role::Right;
use carillon_model::subscription::{Fallback, Overflow};
use carillon_model::urn::SubscriptionUrn;
use carillon_model::{Field, Invalid};
use carillon_store::health::{EndpointRecord, Wellness};

use crate::delivery::NamedDelivery;
use crate::error::Error;
use crate::{Caller, Service};

/// An endpoint with the names of its subscriptions, and what to change where it is not well.
#[derive(Debug, Clone)]
pub struct NamedEndpoint {
    /// The endpoint.
    pub record: EndpointRecord,
    /// The project's subscriptions to it, oldest first.
    pub subscriptions: Vec<SubscriptionUrn>,
    /// What to change.
    pub advice: Option<Advice>,
}

fn wellness(state: &str) -> Result<Wellness, Invalid> {
    match state {
        "working" => Ok(Wellness::Working),
        "unwell" => Ok(Wellness::Unwell),
        "waiting" => Ok(Wellness::Waiting),
        other => Standing::from_name(other).map(Wellness::Standing).ok_or_else(|| {
            Invalid::new(Field::State, "must be working, unwell, waiting, failing, limited, open or paused")
        }),
    }
}

impl Service {
    /// Lists the endpoints that the project subscribed, by their ids, behind `after`; those in one state when it is
    /// named.
    ///
    /// # Errors
    /// When there is no such state.
    pub async fn list_endpoints(
        &self,
        caller: &Caller,
        state: Option<&str>,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<NamedEndpoint>, Error> {
        caller.may(Right::Look)?;
        let wellness = state.map(wellness).transpose()?;
        let found = self.store.endpoint_list(&caller.project, wellness, after, limit).await?;
        Ok(found.into_iter().map(|record| self.named_endpoint(caller, record)).collect())
    }

    /// Counts the project's endpoints that are not well, by how they stand, up to 10000 in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn endpoint_standings(&self, caller: &Caller) -> Result<Vec<(Standing, u64)>, Error> {
        caller.may(Right::Look)?;
        Ok(self.store.endpoint_standings(&caller.project).await?)
    }

    /// The endpoint of a delivery's subscription, while that is there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_endpoint(
        &self,
        caller: &Caller,
        delivery: &NamedDelivery,
    ) -> Result<Option<NamedEndpoint>, Error> {
        caller.reach(Right::Trace)?;
        let urn = &delivery.subscription_urn;
        let Some(topic) = self.store.topic_find(&caller.project, &urn.topic.topic).await? else {
            return Ok(None);
        };
        let Some(subscription) = self.store.subscription_find(topic.id, urn.id).await? else {
            return Ok(None);
        };
        let found = self.store.endpoint_find(&caller.project, subscription.endpoint_id).await?;
        Ok(found.map(|record| self.named_endpoint(caller, record)))
    }

    /// Looks at one endpoint.
    ///
    /// # Errors
    /// When the project has not subscribed it.
    pub async fn endpoint(&self, caller: &Caller, id: EndpointId) -> Result<NamedEndpoint, Error> {
        caller.may(Right::Look)?;
        let found = self.store.endpoint_find(&caller.project, id).await?;
        found.map(|record| self.named_endpoint(caller, record)).ok_or(Error::EndpointNotFound)
    }

    /// Lets an endpoint be tried again at once, whatever was known of it, and shows it.
    ///
    /// # Errors
    /// When the project has not subscribed it.
    pub async fn resume_endpoint(&self, caller: &Caller, id: EndpointId) -> Result<NamedEndpoint, Error> {
        caller.may(Right::Change)?;
        self.endpoint(caller, id).await?;
        self.acting(caller, Deed::EndpointResume, &id).endpoint_resume(id).await?;
        self.endpoint(caller, id).await
    }

    /// Chooses who is told when a subscription's endpoint is paused: another subscription of the project by its URN,
    /// everybody who subscribed a topic by its URN or name, or nobody.
    ///
    /// # Errors
    /// When there is no such subscription or topic, or the subscription would have to tell itself.
    pub async fn set_fallback(
        &self,
        caller: &Caller,
        subscription_urn: &str,
        fallback: Option<&str>,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let urn = self.own_subscription(caller, None, subscription_urn)?;
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let fallback = match fallback {
            Some(text) => Some(self.fallback(caller, Some(&urn), text).await?),
            None => None,
        };
        let store = self.acting(caller, Deed::SubscriptionFallback, &urn);
        let there = store.subscription_fallback_set(topic.id, urn.id, fallback).await?;
        if there { Ok(()) } else { Err(Error::SubscriptionNotFound) }
    }

    /// Chooses what becomes of a subscription's messages when more wait than the platform's limit lets through soon.
    ///
    /// # Errors
    /// When there is no such subscription or no such choice.
    pub async fn set_overflow(
        &self,
        caller: &Caller,
        subscription_urn: &str,
        overflow: &str,
    ) -> Result<Overflow, Error> {
        caller.may(Right::Change)?;
        let overflow = Overflow::parse(overflow)?;
        let urn = self.own_subscription(caller, None, subscription_urn)?;
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let store = self.acting(caller, Deed::SubscriptionOverflow, &urn);
        let there = store.subscription_overflow_set(topic.id, urn.id, overflow).await?;
        if there { Ok(overflow) } else { Err(Error::SubscriptionNotFound) }
    }

    /// Reads whom to tell; `of` is the subscription that it is for.
    pub(crate) async fn fallback(
        &self,
        caller: &Caller,
        of: Option<&SubscriptionUrn>,
        text: &str,
    ) -> Result<Fallback, Error> {
        if SubscriptionUrn::parse(text).is_err() {
            let urn = self.topic_urn(caller, text)?;
            return Ok(Fallback::Topic(self.topic(caller, &urn).await?.topic.id));
        }
        let urn = self.own_subscription(caller, None, text)?;
        if of.is_some_and(|of| of.id == urn.id) {
            return Err(Invalid::new(Field::Fallback, "must be another subscription, or a topic").into());
        }
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let found = self.store.subscription_find(topic.id, urn.id).await?;
        Ok(Fallback::Subscription(found.ok_or(Error::SubscriptionNotFound)?.id))
    }

    /// The URN of whom to tell, if it is still there.
    pub(crate) async fn fallback_urn(
        &self,
        caller: &Caller,
        fallback: &Fallback,
    ) -> Result<Option<String>, Error> {
        let found = self.store.fallback_find(&caller.project, *fallback).await?;
        Ok(found.map(|(topic, subscription)| {
            let topic = self.urn(caller, &topic);
            match subscription {
                Some(id) => SubscriptionUrn { topic, id }.to_string(),
                None => topic.to_string(),
            }
        }))
    }

    fn named_endpoint(&self, caller: &Caller, record: EndpointRecord) -> NamedEndpoint {
        let named = |(topic, id): &(carillon_model::topic::TopicName, _)| SubscriptionUrn {
            topic: self.urn(caller, topic),
            id: *id,
        };
        NamedEndpoint {
            subscriptions: record.subscriptions.iter().map(named).collect(),
            advice: record.health.map(|health| carillon_provider::advice(record.channel, health.reason)),
            record,
        }
    }
}
