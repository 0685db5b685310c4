//! Whom a topic reaches at this moment: everybody counted once, and who is not reached and why.

use std::collections::{BTreeMap, HashMap, HashSet};

use carillon_model::Channel;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, EndpointId, SubscriptionId};
use carillon_model::office::{Recipient, RecipientKind};
use carillon_model::role::Right;
use carillon_model::subscription::SubscriptionState;
use carillon_model::topic::TopicName;
use carillon_model::urn::SubscriptionUrn;
use carillon_store::Page;
use carillon_store::directory::Addressed;
use carillon_store::subscription::SubscriptionFilter;

use crate::error::Error;
use crate::{Caller, Service};

/// The most of each list that are told of; the numbers count all.
pub const TOLD_MAX: usize = 200;

/// Somebody or something that a message would not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReached {
    /// The subscription that names it, where one does alone.
    pub subscription: Option<SubscriptionUrn>,
    /// `member`, `department`, `group`, `chat`, or `address`.
    pub kind: &'static str,
    /// The id that it is named by, or the masked address.
    pub id: String,
    /// Why: `gone`, `no_department`, `no_group`, `empty`, `no_connection`, `unconfirmed`, `paused`.
    pub reason: &'static str,
}

/// Whom a topic reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicReach {
    /// How many people, each counted once.
    pub people: u64,
    /// How many chats of office apps.
    pub chats: u64,
    /// How many other addresses: robots, mailboxes, web hooks.
    pub addresses: u64,
    /// How many subscriptions want only some messages, by their filter policies.
    pub filtered: u64,
    /// Some of the people and chats.
    pub to: Vec<Addressed>,
    /// How many are not reached.
    pub not_reached: u64,
    /// Some of them.
    pub unreachable: Vec<NotReached>,
}

impl TopicReach {
    fn miss(&mut self, missed: NotReached) {
        self.not_reached += 1;
        if self.unreachable.len() < TOLD_MAX {
            self.unreachable.push(missed);
        }
    }

    fn count(&mut self, one: Addressed) {
        match one.kind {
            RecipientKind::Chat => self.chats += 1,
            RecipientKind::Member | RecipientKind::Department | RecipientKind::Group => self.people += 1,
        }
        if self.to.len() < TOLD_MAX {
            self.to.push(one);
        }
    }
}

/// What the subscriptions of a topic name at one app, and which of them does.
type Named = HashMap<Recipient, SubscriptionId>;

impl Service {
    /// Counts whom a message to a topic would reach, and tells who would not get it and why. Sends nothing.
    ///
    /// # Errors
    /// When there is no such topic.
    pub async fn topic_reach(&self, caller: &Caller, topic_urn: &str) -> Result<TopicReach, Error> {
        caller.may(Right::Look)?;
        let topic = self.topic(caller, topic_urn).await?.topic;
        let health = self.store.health_list().await?;
        let paused: HashSet<EndpointId> =
            health.into_iter().filter(|(_, health)| health.is_paused()).map(|(lane, _)| lane).collect();
        let (mut found, mut seen) = (TopicReach::default(), HashSet::new());
        let mut named: BTreeMap<ConnectionId, Named> = BTreeMap::new();
        for to in self.store.recipient_list(topic.id).await?.iter() {
            found.filtered += u64::from(!to.filter_policies.is_empty());
            if to.channel == Channel::Office {
                let target = self.store.target_open(to.subscription).await?.map(|target| target.endpoint);
                if let Some(Endpoint::Office { connection, kind, id }) = target {
                    let recipient = Recipient { kind, id: id.reveal().to_owned() };
                    named.entry(connection).or_default().insert(recipient, to.subscription);
                }
            } else if seen.insert(to.endpoint) {
                if paused.contains(&to.endpoint) {
                    let masked = self.store.target_open(to.subscription).await?;
                    found.miss(NotReached {
                        subscription: Some(self.naming(caller, &topic.name, to.subscription)),
                        kind: "address",
                        id: masked.map(|target| target.endpoint.masked()).unwrap_or_default(),
                        reason: "paused",
                    });
                } else {
                    found.addresses += 1;
                }
            }
        }
        for (connection, named) in named {
            self.reach_by(caller, &topic.name, (connection, &named), &paused, &mut found).await?;
        }
        let filter = SubscriptionFilter {
            topic: Some(topic.id),
            state: Some(SubscriptionState::Unconfirmed.number()),
            ..SubscriptionFilter::default()
        };
        let page = Page { offset: 0, limit: u64::try_from(TOLD_MAX).unwrap_or(u64::MAX) };
        let urn = self.urn(caller, &topic.name).to_string();
        let (count, waiting) = self.list_subscriptions(caller, Some(&urn), filter, page).await?;
        let shown = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        for one in waiting {
            found.miss(NotReached {
                subscription: Some(one.urn),
                kind: "address",
                id: one.subscription.endpoint_masked,
                reason: "unconfirmed",
            });
        }
        found.not_reached += count.saturating_sub(shown);
        Ok(found)
    }

    fn naming(&self, caller: &Caller, topic: &TopicName, id: SubscriptionId) -> SubscriptionUrn {
        SubscriptionUrn { topic: self.urn(caller, topic), id }
    }

    /// Adds whom an app's recipients come down to.
    async fn reach_by(
        &self,
        caller: &Caller,
        topic: &TopicName,
        (connection, named): (ConnectionId, &Named),
        paused: &HashSet<EndpointId>,
        found: &mut TopicReach,
    ) -> Result<(), Error> {
        let by = |recipient: &Recipient| named.get(recipient).map(|id| self.naming(caller, topic, *id));
        let missed = |recipient: &Recipient, reason| NotReached {
            subscription: by(recipient),
            kind: recipient.kind.name(),
            id: recipient.id.clone(),
            reason,
        };
        let mut all: Vec<Recipient> = named.keys().cloned().collect();
        all.sort();
        let Some(expanded) = self.store.recipients_expand(connection, all.clone()).await? else {
            all.iter().for_each(|one| found.miss(missed(one, "no_connection")));
            return Ok(());
        };
        for (recipient, why) in &expanded.unreached {
            found.miss(missed(recipient, why.name()));
        }
        for one in expanded.to.into_iter().filter(|one| !one.gone) {
            if paused.contains(&one.id) {
                let recipient = Recipient { kind: one.kind, id: one.platform_id };
                found.miss(missed(&recipient, "paused"));
            } else {
                found.count(one);
            }
        }
        Ok(())
    }
}
