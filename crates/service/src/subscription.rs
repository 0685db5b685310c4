//! Subscribe, look, remove.

use carillon_model::access_policy::Action;
use carillon_model::audit::Deed;
use carillon_model::endpoint::Endpoint;
use carillon_model::role::Right;
use carillon_model::subscription::{Extension, Subscription, SubscriptionState, check_remark};
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Channel, SecretText};
use carillon_store::Page;
use carillon_store::subscription::{NewSubscription, Subscribed, SubscriptionFilter};

use crate::error::Error;
use crate::right::Wanted;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

/// What a caller says of a subscription to be made.
#[derive(Debug, Clone)]
pub struct Subscribe {
    /// The channel.
    pub channel: Channel,
    /// The channel's name in the caller's dialect.
    pub protocol: String,
    /// The address.
    pub endpoint: SecretText,
    /// What goes with it.
    pub extension: Extension,
    /// The owner's note.
    pub remark: Option<String>,
}

/// A subscription with its URN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSubscription {
    /// Its URN.
    pub urn: SubscriptionUrn,
    /// The subscription.
    pub subscription: Subscription,
}

impl Service {
    /// Whether the operator has set up what subscriptions on `channel` need.
    #[must_use]
    pub fn offers(&self, channel: Channel) -> bool {
        self.providers.offers(channel)
    }

    /// Subscribes an address to a topic. Where the same address is subscribed under the same protocol already, what
    /// goes with it (keyword, secret, …) is replaced. Where the channel wants it, the endpoint is asked, again if it
    /// was asked before and has not confirmed. Tells whether the subscription is new.
    ///
    /// # Errors
    /// When the topic is unknown or full, the address, what goes with it or the remark breaks a rule, or the endpoint
    /// was asked too often.
    pub async fn subscribe(
        &self,
        caller: &Caller,
        topic_urn: &str,
        subscribe: Subscribe,
    ) -> Result<(SubscriptionUrn, bool), Error> {
        caller.may(Right::Change)?;
        let wanted = Wanted { protocol: &subscribe.protocol, endpoint: subscribe.endpoint.reveal() };
        let topic = self.usable_topic(caller, topic_urn, Action::Subscribe, Some(wanted)).await?;
        let target = self.check_subscription(&subscribe)?;
        if let Endpoint::Office { connection, .. } = &target.endpoint {
            self.own_connection(&topic.topic.project, *connection).await?;
        }
        let channel = subscribe.channel;
        let asks = channel.needs_confirmation();
        let new = NewSubscription {
            topic: topic.topic.id,
            protocol: subscribe.protocol,
            target,
            remark: subscribe.remark,
            state: if asks { SubscriptionState::Unconfirmed } else { SubscriptionState::Confirmed },
        };
        let detail = new.target.endpoint.masked();
        let detail = format!("{} {detail}", new.protocol);
        let store = self.acting_on(caller, Deed::SubscriptionCreate, vec![topic.urn.to_string()], detail);
        let (id, fresh) = match store.subscription_add(new).await? {
            Subscribed::New(id) => (id, true),
            Subscribed::There(id) => (id, false),
            Subscribed::Full => return Err(Error::SubscriptionsFull),
            Subscribed::NoTopic => return Err(Error::TopicNotFound),
        };
        let urn = SubscriptionUrn { topic: topic.urn, id };
        if asks {
            self.ask(&topic.topic, &urn, channel).await?;
        }
        Ok((urn, fresh))
    }

    /// Lists the project's subscriptions, oldest first, with the count of all that fit the filter; those of one
    /// topic when its URN is given.
    ///
    /// # Errors
    /// When there is no such topic.
    pub async fn list_subscriptions(
        &self,
        caller: &Caller,
        topic_urn: Option<&str>,
        mut filter: SubscriptionFilter,
        page: Page,
    ) -> Result<(u64, Vec<NamedSubscription>), Error> {
        caller.may(Right::Look)?;
        let mut project = caller.project.clone();
        if let Some(urn) = topic_urn {
            let named = self.usable_topic(caller, urn, Action::ListSubscriptionsByTopic, None).await?;
            filter.topic = Some(named.topic.id);
            project = named.topic.project;
        }
        let (count, found) = self.store.subscription_list(&project, filter, page).await?;
        let named = found.into_iter().map(|subscription| NamedSubscription {
            urn: SubscriptionUrn {
                topic: TopicUrn {
                    region: self.region.to_string(),
                    project: subscription.project.clone(),
                    topic: subscription.topic_name.clone(),
                },
                id: subscription.id,
            },
            subscription,
        });
        Ok((count, named.collect()))
    }

    /// Looks at one subscription.
    ///
    /// # Errors
    /// When the URN is malformed or there is no such subscription in the caller's project.
    pub async fn subscription(&self, caller: &Caller, urn: &str) -> Result<NamedSubscription, Error> {
        caller.may(Right::Look)?;
        let urn = self.own_subscription(caller, None, urn)?;
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let found = self.store.subscription_find(topic.id, urn.id).await?;
        Ok(NamedSubscription { urn, subscription: found.ok_or(Error::SubscriptionNotFound)? })
    }

    /// Changes a subscription's remark.
    ///
    /// # Errors
    /// When there is no such subscription or the remark breaks its rule.
    pub async fn remark_subscription(
        &self,
        caller: &Caller,
        topic_urn: Option<&str>,
        urn: &str,
        remark: String,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        check_remark(&remark)?;
        let urn = self.own_subscription(caller, topic_urn, urn)?;
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        let topic = topic.ok_or(Error::SubscriptionNotFound)?;
        let store = self.acting(caller, Deed::SubscriptionUpdate, &urn);
        let there = store.subscription_remark(topic.id, urn.id, remark).await?;
        if there { Ok(()) } else { Err(Error::SubscriptionNotFound) }
    }

    /// Removes subscriptions for good, each with its own answer. When the call has answered, no byte of their
    /// addresses is left. With a topic's URN, only subscriptions of that topic are removed.
    ///
    /// # Errors
    /// When the store fails; each subscription's own refusal stands in the list.
    pub async fn unsubscribe(
        &self,
        caller: &Caller,
        topic_urn: Option<&str>,
        urns: &[String],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        caller.may(Right::Change)?;
        let topic = match topic_urn {
            Some(urn) => Some(self.usable_topic(caller, urn, Action::Unsubscribe, None).await?),
            None => None,
        };
        let mut answers = Vec::with_capacity(urns.len());
        let (mut which, mut found) = (Vec::new(), Vec::new());
        for urn in urns {
            answers.push(match self.locate(caller, topic.as_ref(), urn).await? {
                Ok(place) => {
                    which.push((answers.len(), place));
                    found.push(urn.clone());
                    Ok(())
                }
                Err(error) => Err(error),
            });
        }
        let store = self.acting_on(caller, Deed::SubscriptionDelete, found, String::new());
        let there = store.subscription_delete(which.iter().map(|(_, place)| *place).collect()).await?;
        for ((index, _), there) in which.into_iter().zip(there) {
            if !there && let Some(answer) = answers.get_mut(index) {
                *answer = Err(Error::SubscriptionNotFound);
            }
        }
        Ok(answers)
    }

    /// Finds where a subscription stands; the outer error is the store's, the inner one the caller's.
    async fn locate(
        &self,
        caller: &Caller,
        topic: Option<&NamedTopic>,
        urn: &str,
    ) -> Result<Result<Place, Error>, Error> {
        if let Some(NamedTopic { urn: of, topic }) = topic {
            return Ok(match SubscriptionUrn::parse(urn) {
                Ok(urn) if urn.topic == *of => Ok((topic.id, urn.id)),
                Ok(_elsewhere) => Err(Error::SubscriptionNotFound),
                Err(invalid) => Err(invalid.into()),
            });
        }
        let urn = match self.own_subscription(caller, None, urn) {
            Ok(urn) => urn,
            Err(error) => return Ok(Err(error)),
        };
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        Ok(topic.map(|topic| (topic.id, urn.id)).ok_or(Error::SubscriptionNotFound))
    }

    pub(crate) fn own_subscription(
        &self,
        caller: &Caller,
        topic_urn: Option<&str>,
        urn: &str,
    ) -> Result<SubscriptionUrn, Error> {
        let urn = SubscriptionUrn::parse(urn)?;
        if let Some(topic_urn) = topic_urn {
            let topic = self.own_urn(caller, topic_urn)?;
            if urn.topic != topic {
                return Err(Error::SubscriptionNotFound);
            }
        }
        if caller.owns(&urn.topic, &self.region) { Ok(urn) } else { Err(Error::SubscriptionNotFound) }
    }
}

type Place = (carillon_model::id::TopicId, carillon_model::id::SubscriptionId);
