//! Telling owners that an endpoint is paused: who is to be told through which fallback, and that it was done.

use std::sync::Arc;

use carillon_model::Channel;
use carillon_model::id::{EndpointId, ProjectId, SubscriptionId, TopicId};
use carillon_model::subscription::{Fallback, SubscriptionState};
use carillon_model::topic::TopicName;

use crate::db::{Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::filter::read_policies;
use crate::recipient::Recipient;
use crate::setup::Store;
use crate::subscription::open_target;

/// A subscription whose endpoint is paused, and the way to tell its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToTell {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Its project.
    pub project: ProjectId,
    /// Its topic's name.
    pub topic_name: TopicName,
    /// Its channel.
    pub channel: Channel,
    /// Its address, masked.
    pub masked: String,
    /// How many deliveries of it wait, up to [`crate::health::WAITING_MAX`].
    pub waiting: u64,
    /// The topic through which the owner is told, and its name.
    pub through: (TopicId, TopicName),
    /// Who gets the notice.
    pub recipients: Vec<Recipient>,
}

/// Who gets a notice, and the topic through which.
pub(crate) type Reach = ((TopicId, TopicName), Vec<Recipient>);

/// How a fallback stands at rest.
pub(crate) fn fallback_text(fallback: &Fallback) -> String {
    match fallback {
        Fallback::Subscription(id) => format!("s:{id}"),
        Fallback::Topic(id) => format!("t:{id}"),
    }
}

pub(crate) fn parse_fallback(text: &str) -> Option<Fallback> {
    match text.split_once(':')? {
        ("s", id) => SubscriptionId::parse(id).ok().map(Fallback::Subscription),
        ("t", id) => TopicId::parse(id).ok().map(Fallback::Topic),
        _ => None,
    }
}

/// The receiving subscriptions that a fallback names, of one project, with their topic; none on a paused
/// endpoint.
pub(crate) fn reach(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    fallback: &Fallback,
    paused: Option<EndpointId>,
) -> Result<Option<Reach>, Error> {
    let (subscription, topic) = match fallback {
        Fallback::Subscription(id) => (Some(id.to_string()), None),
        Fallback::Topic(id) => (None, Some(id.to_string())),
    };
    let sql = "SELECT t.id, t.name, s.id, s.endpoint_id, s.channel, s.overflow, f.policies
         FROM subscription s JOIN topic t ON t.id = s.topic_id
         LEFT JOIN filter_policy f ON f.subscription_id = s.id
         WHERE t.project_id = $1 AND (s.id = $2 OR t.id = $3) AND s.state IN ($4, $5) AND s.endpoint_id <> $6
         ORDER BY s.created_at, s.id";
    let paused = paused.map(|id| id.to_string()).unwrap_or_default();
    let (confirmed, unneeded) = (SubscriptionState::Confirmed.number(), SubscriptionState::Unneeded.number());
    let shown = params![project.as_str(), subscription, topic, confirmed, unneeded, paused];
    let (mut through, mut recipients) = (None, Vec::new());
    for mut row in tx.query("subscription", sql, shown)? {
        let topic = row.parsed(|text| TopicId::parse(text).ok())?;
        let name = row.parsed(|text| TopicName::parse(text).ok())?;
        through.get_or_insert((topic, name));
        recipients.push(Recipient {
            subscription: row.parsed(|text| SubscriptionId::parse(text).ok())?,
            endpoint: row.parsed(|text| EndpointId::parse(text).ok())?,
            channel: row.parsed(Channel::from_name)?,
            overflow: crate::overflow::read_overflow(&mut row)?,
            filter_policies: read_policies(&mut row)?,
        });
    }
    Ok(through.map(|through| (through, recipients)))
}

fn waiting_for(tx: &mut Tx<'_>, endpoint: EndpointId, subscription: &str) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM lane_waiting WHERE endpoint_id = $1
         AND subscription_id = $2 LIMIT $3) AS waiting";
    let shown = params![endpoint.to_string(), subscription, crate::health::WAITING_MAX];
    let row = tx.query_one("delivery", sql, shown)?;
    Ok(u64::try_from(row.map(|mut row| row.int()).transpose()?.unwrap_or(0)).unwrap_or(0))
}

impl Store {
    /// The paused endpoints of which nobody was told yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn pause_untold(&self) -> Result<Vec<EndpointId>, Error> {
        let list = |tx: &mut Tx<'_>| {
            let sql = "SELECT endpoint_id FROM endpoint_health WHERE standing = 'paused' AND told = 0";
            tx.query("endpoint_health", sql, &[])
        };
        let rows = self.db.read(list).await?;
        rows.into_iter().map(|mut row| row.parsed(|text| EndpointId::parse(text).ok())).collect()
    }

    /// The subscriptions to a paused endpoint that have a fallback which reaches somebody.
    ///
    /// # Errors
    /// When the store cannot be read or an address not be opened.
    pub async fn pause_to_tell(&self, endpoint: EndpointId) -> Result<Vec<ToTell>, Error> {
        self.lanes_listed().await?;
        let vault = Arc::clone(&self.vault);
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT s.id, t.project_id, t.name, s.channel, x.bytes, s.fallback FROM subscription s
                 JOIN topic t ON t.id = s.topic_id JOIN sealed x ON x.seq = s.sealed_seq
                 WHERE s.endpoint_id = $1 AND s.fallback IS NOT NULL ORDER BY s.created_at, s.id";
            let mut found = Vec::new();
            for mut row in tx.query("subscription", sql, params![endpoint.to_string()])? {
                let subscription = row.parsed(|text| SubscriptionId::parse(text).ok())?;
                let project = row.parsed(|text| ProjectId::parse(text).ok())?;
                let topic_name = row.parsed(|text| TopicName::parse(text).ok())?;
                let channel = row.parsed(Channel::from_name)?;
                let masked = open_target(&vault, &subscription, &row.bytes()?)?.endpoint.masked();
                let fallback = row.parsed(parse_fallback)?;
                let Some((through, recipients)) = reach(tx, &project, &fallback, Some(endpoint))? else {
                    continue;
                };
                let waiting = waiting_for(tx, endpoint, &subscription.to_string())?;
                found.push(ToTell {
                    subscription,
                    project,
                    topic_name,
                    channel,
                    masked,
                    waiting,
                    through,
                    recipients,
                });
            }
            Ok(found)
        };
        self.db.read(find).await
    }

    /// Makes the notices of a pause durable with their deliveries, and that the owners were told; they are told once.
    /// Nothing happens when they were told before or the endpoint is no longer paused.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn pause_tell(
        &self,
        endpoint: EndpointId,
        notices: Vec<(StoredMessage, Vec<Recipient>)>,
    ) -> Result<bool, Error> {
        let wake = self.wake();
        let notices = Arc::new(self.all_reached(notices).await?);
        let written = Arc::clone(&notices);
        let work = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE endpoint_health SET told = 1
                 WHERE endpoint_id = $1 AND standing = 'paused' AND told = 0";
            if tx.execute(sql, params![endpoint.to_string()])? == 0 {
                return Ok(Vec::new());
            }
            let insert = |(stored, to): &(Arc<StoredMessage>, Vec<Recipient>)| {
                crate::message::insert(tx, stored, to, None).map(Some)
            };
            written.iter().map(insert).chain([Ok(None)]).collect::<Result<Vec<_>, _>>()
        };
        let hand = move |places: &Vec<Option<Vec<i64>>>| {
            for ((stored, to), places) in notices.iter().zip(places.iter().flatten()) {
                wake.hand(crate::message::ready(stored, to, places, None));
            }
        };
        Ok(!self.db.write_then(work, hand).await?.is_empty())
    }

    /// Sets, or takes away, whom to tell when a subscription's endpoint is paused, and tells whether it is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_fallback_set(
        &self,
        topic: TopicId,
        id: SubscriptionId,
        fallback: Option<Fallback>,
    ) -> Result<bool, Error> {
        let change = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE subscription SET fallback = $3 WHERE id = $1 AND topic_id = $2";
            let fallback = fallback.as_ref().map(fallback_text);
            tx.execute(sql, params![id.to_string(), topic.to_string(), fallback])
        };
        Ok(self.db.write(change).await? > 0)
    }
}
