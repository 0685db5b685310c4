//! Who gets a message: the recipients of a topic, and how they are written down while a message is spread.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carillon_model::Channel;
use carillon_model::endpoint::Endpoint;
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{EndpointId, SubscriptionId, TopicId};
use carillon_model::office::Recipient as Named;
use carillon_model::subscription::Overflow;

use crate::db::params;
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::setup::Store;

/// A subscription that a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Its lane.
    pub endpoint: EndpointId,
    /// Its channel.
    pub channel: Channel,
    /// What becomes of its messages when too many wait.
    pub overflow: Overflow,
    /// Which messages it wants.
    pub filter_policies: FilterPolicies,
}

/// All recipients of a topic, as they were when the store was asked. However many there are, they are shared, not
/// copied, by the messages to them.
#[derive(Debug)]
pub struct TopicRecipients {
    all: Vec<Recipient>,
    hash: OnceLock<Vec<u8>>,
    suppress: Option<Duration>,
}

impl TopicRecipients {
    fn new(all: Vec<Recipient>, suppress: Option<Duration>) -> Self {
        Self { all, hash: OnceLock::new(), suppress }
    }

    /// For how long the topic sends nothing that says the same again, if it is set.
    #[must_use]
    pub fn suppress(&self) -> Option<Duration> {
        self.suppress
    }

    /// What tells this list from others.
    pub(crate) fn hash(&self) -> &[u8] {
        self.hash.get_or_init(|| digest(&SHA256, &pack(&self.all)).as_ref().to_vec())
    }
}

impl Deref for TopicRecipients {
    type Target = [Recipient];

    fn deref(&self) -> &[Recipient] {
        &self.all
    }
}

/// Who gets a message.
#[derive(Debug, Clone)]
pub enum Recipients {
    /// Everybody in the topic.
    Topic(Arc<TopicRecipients>),
    /// These.
    These(Vec<Recipient>),
}

impl Deref for Recipients {
    type Target = [Recipient];

    fn deref(&self) -> &[Recipient] {
        match self {
            Self::Topic(all) => all,
            Self::These(some) => some,
        }
    }
}

impl From<Arc<TopicRecipients>> for Recipients {
    fn from(all: Arc<TopicRecipients>) -> Self {
        Self::Topic(all)
    }
}

impl From<Vec<Recipient>> for Recipients {
    fn from(some: Vec<Recipient>) -> Self {
        Self::These(some)
    }
}

/// How many bytes a recipient is packed into: the ids of its subscription and its lane, its channel, its overflow.
const PACKED: usize = 16 + 16 + 1 + 1;

/// Recipients as the store keeps them while a message is spread. What they want is settled by then.
pub(crate) fn pack(recipients: &[Recipient]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(recipients.len() * PACKED);
    for to in recipients {
        packed.extend(to.subscription.bytes());
        packed.extend(to.endpoint.bytes());
        packed.push(channel_number(to.channel));
        packed.push(u8::try_from(to.overflow.number()).unwrap_or(u8::MAX));
    }
    packed
}

/// The place of a channel in the list of all, which only grows.
fn channel_number(channel: Channel) -> u8 {
    let place = Channel::ALL.iter().position(|one| *one == channel);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack(packed: &[u8]) -> Option<Vec<Recipient>> {
    let (chunks, rest) = packed.as_chunks::<PACKED>();
    if !rest.is_empty() {
        return None;
    }
    let one = |chunk: &[u8; PACKED]| {
        let (subscription, rest) = chunk.split_first_chunk::<16>()?;
        let (endpoint, rest) = rest.split_first_chunk::<16>()?;
        let [channel, overflow] = rest else { return None };
        Some(Recipient {
            subscription: SubscriptionId::from_bytes(*subscription),
            endpoint: EndpointId::from_bytes(*endpoint),
            channel: *Channel::ALL.get(usize::from(*channel))?,
            overflow: Overflow::from_number(i64::from(*overflow))?,
            filter_policies: FilterPolicies::default(),
        })
    };
    chunks.iter().map(one).collect()
}

impl Store {
    /// Puts everyone whom `office` subscriptions name in their place, each once for the whole message.
    ///
    /// # Errors
    /// When the store cannot be read or written, or an address not be opened.
    pub async fn recipients_reached(&self, recipients: Vec<Recipient>) -> Result<Vec<Recipient>, Error> {
        if recipients.iter().all(|to| to.channel != Channel::Office) {
            return Ok(recipients);
        }
        let (mut all, mut seen) = (Vec::with_capacity(recipients.len()), HashSet::new());
        for to in recipients {
            if to.channel != Channel::Office {
                all.push(to);
                continue;
            }
            let target = self.target_open(to.subscription).await?;
            let Some(Endpoint::Office { connection, kind, id }) = target.map(|target| target.endpoint) else {
                continue;
            };
            let named = vec![Named { kind, id: id.reveal().to_owned() }];
            let expanded = self.recipients_expand(connection, named).await?.unwrap_or_default();
            // A department, group or connection that is gone, or has nobody in it, reaches nobody: the subscription's own
            // delivery says so, instead of silence.
            if expanded.to.is_empty() {
                all.push(to);
                continue;
            }
            for one in expanded.to.iter().filter(|one| seen.insert(one.id)) {
                all.push(Recipient { endpoint: one.id, ..to.clone() });
            }
        }
        Ok(all)
    }

    /// The same for several messages.
    pub(crate) async fn all_reached(
        &self,
        notices: Vec<(StoredMessage, Vec<Recipient>)>,
    ) -> Result<Vec<(Arc<StoredMessage>, Vec<Recipient>)>, Error> {
        let mut reached = Vec::with_capacity(notices.len());
        for (stored, to) in notices {
            reached.push((Arc::new(stored), self.recipients_reached(to).await?));
        }
        Ok(reached)
    }

    /// The subscriptions of a topic that receive messages, with what they want, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recipient_list(&self, topic: TopicId) -> Result<Arc<TopicRecipients>, Error> {
        let version = self.db.version();
        if let Some(kept) = self.recipients.get(version, &topic) {
            return Ok(kept);
        }
        let sql =
            "SELECT t.suppress_s, s.id, s.endpoint_id, s.channel, s.overflow, f.policies FROM subscription s
             JOIN topic t ON t.id = s.topic_id
             LEFT JOIN filter_policy f ON f.subscription_id = s.id
             WHERE s.topic_id = $1 AND s.state IN (1, 2) ORDER BY s.created_at, s.id";
        let (mut recipients, mut suppress) = (Vec::new(), 0);
        for mut row in self.db.ask("subscription", sql, params![topic.to_string()], &[]).await? {
            suppress = row.count()?;
            recipients.push(Recipient {
                subscription: row.parsed(|text| SubscriptionId::parse(text).ok())?,
                endpoint: row.parsed(|text| EndpointId::parse(text).ok())?,
                channel: row.parsed(Channel::from_name)?,
                overflow: crate::overflow::read_overflow(&mut row)?,
                filter_policies: crate::filter::read_policies(&mut row)?,
            });
        }
        let suppress = (suppress > 0).then(|| Duration::from_secs(suppress.into()));
        let recipients = Arc::new(TopicRecipients::new(recipients, suppress));
        self.recipients.put(version, topic, Arc::clone(&recipients));
        Ok(recipients)
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Channel;
    use carillon_model::filter::FilterPolicies;
    use carillon_model::id::{EndpointId, SubscriptionId};
    use carillon_model::subscription::Overflow;
    use proptest::prelude::*;

    use super::{Recipient, pack, unpack};

    fn recipient() -> impl Strategy<Value = Recipient> {
        let overflow =
            proptest::sample::select(vec![Overflow::Queue, Overflow::Digest, Overflow::DropOldest]);
        let channel = proptest::sample::select(Channel::ALL.to_vec());
        (any::<[u8; 16]>(), any::<[u8; 16]>(), channel, overflow).prop_map(
            |(subscription, endpoint, channel, overflow)| {
                let (subscription, endpoint) =
                    (SubscriptionId::from_bytes(subscription), EndpointId::from_bytes(endpoint));
                Recipient {
                    subscription,
                    endpoint,
                    channel,
                    overflow,
                    filter_policies: FilterPolicies::default(),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(recipients in proptest::collection::vec(recipient(), 0..40)) {
            prop_assert_eq!(unpack(&pack(&recipients)), Some(recipients));
        }

        #[test]
        fn what_is_no_list_is_said_to_be_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(read) = unpack(&bytes) {
                prop_assert_eq!(pack(&read), bytes);
            }
        }
    }
}
