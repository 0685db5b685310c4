//! Messages as handed in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::delivery::DeliveryState;
use carillon_model::filter::Attributes;
use carillon_model::id::{AccountId, DeliveryId, MessageId, ProjectId, TopicId};
use carillon_model::message::{Content, Locale, Message, Priority};
use carillon_model::topic::TopicName;

use crate::db::{InsertEach, InsertPlaces, Row, Tx, Value, insert_places, params};
use crate::delivery::{Ready, StoredMessage};
use crate::equal::{self, Equal};
use crate::error::Error;
use crate::idempotency::{Accepted, Claim};
use crate::recipient::{Recipient, Recipients};
use crate::setup::Store;
use crate::tally::What;
use crate::topic_messages::enter_one;

/// A message as lists show it.
#[derive(Debug, Clone)]
pub struct MessageSummary {
    /// The message.
    pub message: Arc<StoredMessage>,
    /// How many deliveries it was made into.
    pub deliveries: u32,
    /// Who published it, if an account did.
    pub publisher: Option<AccountId>,
    /// What it says the same as, which is why it went to nobody.
    pub equal_to: Option<MessageId>,
}

pub(crate) fn locale_text(locale: Locale) -> &'static str {
    match locale {
        Locale::English => "en-us",
        Locale::Chinese => "zh-cn",
    }
}

pub(crate) fn read_priority(row: &mut Row) -> Result<Priority, Error> {
    Ok(if row.int()? == Priority::Urgent.number() { Priority::Urgent } else { Priority::Normal })
}

/// Reads the columns `id, project_id, topic_id, topic_name, content, priority, locale, created_at, expires_at`.
pub(crate) fn read_message(row: &mut Row) -> Result<StoredMessage, Error> {
    let id = row.parsed(|text| MessageId::parse(text).ok())?;
    let project = row.parsed(|text| ProjectId::parse(text).ok())?;
    let topic = row.parsed(|text| TopicId::parse(text).ok())?;
    let topic_name = row.parsed(|text| TopicName::parse(text).ok())?;
    let content = row.parsed(|text| serde_json::from_str::<Content>(text).ok())?;
    let priority = read_priority(row)?;
    let locale = if row.text()? == "zh-cn" { Locale::Chinese } else { Locale::English };
    let created_at: Timestamp = row.time()?;
    let expires_at = row.time()?;
    let message = Message { id, project, topic, content, priority, locale, created_at, expires_at };
    Ok(StoredMessage { message, topic_name })
}

/// Deliveries of a message, however many.
const INSERT_DELIVERIES: InsertEach = InsertEach {
    row: "INSERT INTO delivery
         (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts, parts_done)
         VALUES ($1, $4, $5, $6, $7, $3, 0, $2, 0, 0)",
    list: "INSERT INTO delivery
         (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts, parts_done)
         SELECT $1, CAST(json_extract(value, '$[0]') AS BIGINT), json_extract(value, '$[1]'),
         json_extract(value, '$[2]'), json_extract(value, '$[3]'), $3, 0, $2, 0, 0
         FROM json_each($4) ORDER BY key RETURNING seq",
};

/// The same for the only delivery of a message.
const INSERT_DELIVERY: InsertPlaces = insert_places!(
    "INSERT INTO delivery
     (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts, parts_done)
     VALUES ($1, 1, $2, $3, $4, $6, 0, $5, 0, 0)"
);

/// The same for recipients behind the first `$5`, some time after the message was accepted: what is for a subscription
/// that was removed meanwhile is cancelled, as it would have been.
const INSERT_LATER: &str = "INSERT INTO delivery
     (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts, parts_done)
     SELECT $1, key + 1 + $5, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), $4,
     CASE WHEN json_extract(value, '$[0]') = json_extract(value, '$[1]')
     OR EXISTS (SELECT 1 FROM subscription s WHERE s.id = json_extract(value, '$[0]')) THEN 0 ELSE 5 END, $3, 0, 0
     FROM json_each($2) ORDER BY key RETURNING seq, state";

/// Writes a message and its deliveries, and gives their places. Only for what the service says itself: what somebody
/// publishes must not pass by what waits to be fanned out.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    stored: &StoredMessage,
    recipients: &[Recipient],
    publisher: Option<AccountId>,
) -> Result<Vec<i64>, Error> {
    insert_message(tx, stored, recipients.len(), publisher)?;
    enter_one(tx, stored)?;
    insert_deliveries(tx, stored, recipients)
}

macro_rules! insert_message {
    () => {
        "INSERT INTO message
         (id, project_id, topic_id, topic_name, content, priority, locale, deliveries, created_at, expires_at,
          account_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    };
}

/// Writes a message, and tells whether others wait to be fanned out.
pub(crate) fn insert_message(
    tx: &mut Tx<'_>,
    stored: &StoredMessage,
    recipients: usize,
    publisher: Option<AccountId>,
) -> Result<bool, Error> {
    let message = &stored.message;
    let content = serde_json::to_string(&message.content).map_err(|_json| Error::Conflict)?;
    let params = params![
        message.id.to_string(),
        message.project.as_str(),
        message.topic.to_string(),
        stored.topic_name.as_str(),
        content,
        message.priority.number(),
        locale_text(message.locale),
        u64::try_from(recipients).unwrap_or(u64::MAX),
        message.created_at,
        message.expires_at,
        publisher.map(|account| account.to_string())
    ];
    // On a server one statement, because each is a way there and back; in a file two, for the reason that
    // `InsertPlaces` has.
    if !tx.is_shared() {
        tx.execute(insert_message!(), params)?;
        return Ok(tx.query_one("fan_out", "SELECT 1 FROM fan_out LIMIT 1", &[])?.is_some());
    }
    let sql = concat!(
        insert_message!(),
        " RETURNING (SELECT count(*) FROM (SELECT 1 FROM fan_out LIMIT 1) AS waiting)"
    );
    Ok(tx.query_one("message", sql, params)?.map_or(Ok(0), |mut row| row.int())? > 0)
}

/// Recipients as one JSON text.
fn list(recipients: &[Recipient]) -> Result<String, Error> {
    let list: Vec<_> = recipients.iter().map(|to| (to.subscription, to.endpoint, to.channel)).collect();
    serde_json::to_string(&list).map_err(|_json| Error::Conflict)
}

fn insert_deliveries(
    tx: &mut Tx<'_>,
    stored: &StoredMessage,
    recipients: &[Recipient],
) -> Result<Vec<i64>, Error> {
    let message = &stored.message;
    let (id, priority) = (message.id.to_string(), message.priority.number());
    match recipients {
        [] => Ok(Vec::new()),
        [to] => {
            let (subscription, endpoint) = (to.subscription.to_string(), to.endpoint.to_string());
            let channel = to.channel.name();
            let params = params![id, subscription, endpoint, channel, message.created_at, priority];
            tx.insert_places("delivery", INSERT_DELIVERY, params)
        }
        many => insert_known(tx, stored, many, 0),
    }
}

/// Writes down deliveries of a message behind its first `before`, for recipients of whom none has gone, and gives their places.
pub(crate) fn insert_known(
    tx: &mut Tx<'_>,
    stored: &StoredMessage,
    recipients: &[Recipient],
    before: u32,
) -> Result<Vec<i64>, Error> {
    let message = &stored.message;
    let same = params![message.id.to_string(), message.created_at, message.priority.number()];
    let numbered = recipients.iter().zip(before.saturating_add(1)..);
    let row = |(to, number): (&Recipient, u32)| {
        let (subscription, endpoint) = (to.subscription.to_string(), to.endpoint.to_string());
        [
            Value::from(number),
            Value::from(subscription),
            Value::from(endpoint),
            Value::from(to.channel.name()),
        ]
    };
    tx.insert_each("delivery", INSERT_DELIVERIES, same, numbered.map(row))
}

/// Writes down deliveries of a message that was accepted before, behind its first `before`, and gives the places of those
/// that wait now.
pub(crate) fn insert_later(
    tx: &mut Tx<'_>,
    stored: &StoredMessage,
    recipients: &[Recipient],
    before: u32,
) -> Result<Vec<Option<i64>>, Error> {
    let message = &stored.message;
    let (id, priority) = (message.id.to_string(), message.priority.number());
    let params = params![id, list(recipients)?, message.created_at, priority, before];
    let rows = tx.query("delivery", INSERT_LATER, params)?;
    let place = |mut row: Row| {
        let seq = row.int()?;
        Ok(Some(seq).filter(|_seq| row.int().is_ok_and(|state| state == DeliveryState::Pending.number())))
    };
    rows.into_iter().map(place).collect()
}

/// New deliveries as they are handed to the engine.
pub(crate) fn ready(
    stored: &Arc<StoredMessage>,
    recipients: &[Recipient],
    places: &[i64],
    known: Option<u64>,
) -> Vec<Ready> {
    let numbered = places.iter().zip(recipients).zip(1_u32..);
    numbered.map(|((seq, to), number)| one_ready(stored, to, number, *seq, known)).collect()
}

/// The same for those behind the first `before`, as far as they have a place.
pub(crate) fn ready_later(
    stored: &Arc<StoredMessage>,
    recipients: &[Recipient],
    places: &[Option<i64>],
    before: u32,
) -> Vec<Ready> {
    let numbered = places.iter().zip(recipients).zip(before.saturating_add(1)..);
    numbered.filter_map(|((seq, to), number)| Some(one_ready(stored, to, number, (*seq)?, None))).collect()
}

fn one_ready(
    stored: &Arc<StoredMessage>,
    to: &Recipient,
    number: u32,
    seq: i64,
    known: Option<u64>,
) -> Ready {
    Ready {
        seq,
        id: DeliveryId::new(stored.message.id, number),
        subscription: to.subscription,
        endpoint: to.endpoint,
        attempts: 0,
        attempts_before: 0,
        parts_done: 0,
        overflow: to.overflow,
        due_at: stored.message.created_at,
        known,
        stored: Arc::clone(stored),
    }
}

/// What became of a message that was published.
struct Inserted {
    accepted: Accepted,
    /// The places of its deliveries; nothing when they are written down afterwards.
    places: Option<Vec<i64>>,
}

macro_rules! select_summary {
    ($rest:literal) => {
        concat!(
            "SELECT deliveries, account_id, equal_to, id, project_id, topic_id, topic_name, content, priority, locale, created_at,
             expires_at FROM message ",
            $rest
        )
    };
}

impl Store {
    /// Makes a message durable with what says who gets it, in a transaction shared with whatever else waits, and hands its
    /// deliveries to the engine: at once, or after what was accepted before it was fanned out (`fan_out`).
    ///
    /// # Errors
    /// When nothing can be written; then nothing was accepted.
    pub async fn message_publish(
        &self,
        stored: StoredMessage,
        recipients: impl Into<Recipients>,
    ) -> Result<(), Error> {
        self.publish(stored, recipients.into(), None, None).await.map(drop)
    }

    /// Publishes as [`Store::message_publish`] does, and under `key` as [`Store::message_publish_once`] does, unless the topic
    /// was sent the same within `window`: then the message is recorded, and goes to nobody. `attributes` count as a part
    /// of what it says.
    ///
    /// # Errors
    /// When nothing can be written; then nothing was accepted.
    pub async fn message_publish_unequal(
        &self,
        stored: StoredMessage,
        recipients: impl Into<Recipients>,
        key: Option<&str>,
        attributes: &Attributes,
        window: Duration,
    ) -> Result<Accepted, Error> {
        let claim = key.map(|key| Claim::new(&self.vault, key, &stored, attributes)).transpose()?;
        let equal = Equal::new(&self.vault, window, &stored, attributes)?;
        self.publish(stored, recipients.into(), claim, Some(equal)).await
    }

    /// Publishes as [`Store::message_publish`] does, unless the project published under the same `key` within
    /// [`carillon_model::limits::IDEMPOTENCY_KEY_LIFE`]. `attributes` count as a part of the content. The key is as durable as the message: they share the
    /// transaction.
    ///
    /// # Errors
    /// When nothing can be written; then nothing was accepted.
    pub async fn message_publish_once(
        &self,
        stored: StoredMessage,
        recipients: impl Into<Recipients>,
        key: &str,
        attributes: &Attributes,
    ) -> Result<Accepted, Error> {
        let claim = Claim::new(&self.vault, key, &stored, attributes)?;
        self.publish(stored, recipients.into(), Some(claim), None).await
    }

    async fn publish(
        &self,
        stored: StoredMessage,
        recipients: Recipients,
        claim: Option<Claim>,
        equal: Option<Equal>,
    ) -> Result<Accepted, Error> {
        let is_many = self.fan_out.is_many(recipients.len());
        if is_many {
            self.fan_out.room().await?;
        }
        let project = stored.message.project.clone();
        let stored = Arc::new(stored);
        let inserted = Arc::clone(&stored);
        let to = recipients.clone();
        let (wake, fan_out, now) = (Arc::clone(&self.wake), Arc::clone(&self.fan_out), self.clock.now());
        let (later, written) = (Arc::clone(&fan_out), Arc::clone(&wake));
        let publisher = self.db.actor().map(|actor| actor.account);
        let is_looked_for = claim.is_some() || equal.is_some();
        let is_ordinary = !is_looked_for && !is_many && self.db.is_shared() && !self.db.leaves_lines();
        if is_ordinary && self.publish_together(Arc::clone(&stored), recipients.clone()).await? {
            self.tally_add(&project, What::Messages, 1);
            return Ok(Accepted::New);
        }
        let work = move |tx: &mut Tx<'_>| {
            let accepted = match &claim {
                Some(claim) => claim.take(tx, &inserted, to.len(), now)?,
                None => Accepted::New,
            };
            if accepted != Accepted::New {
                return Ok(Inserted { accepted, places: Some(Vec::new()) });
            }
            let first = equal.filter(|_equal| !to.is_empty()).map(|equal| equal.take(tx, &inserted, now));
            if let Some(to) = first.transpose()?.flatten() {
                insert_message(tx, &inserted, 0, publisher)?;
                written.topics.saw(tx, &inserted)?;
                equal::mark(tx, inserted.message.id, to)?;
                claim.map_or(Ok(()), |claim| claim.goes_to_nobody(tx, &inserted))?;
                return Ok(Inserted { accepted: Accepted::Equal { to }, places: Some(Vec::new()) });
            }
            let others_wait = insert_message(tx, &inserted, to.len(), publisher)?;
            written.topics.saw(tx, &inserted)?;
            if is_many || (others_wait && !to.is_empty()) {
                later.put(tx, &inserted, &to)?;
                return Ok(Inserted { accepted, places: None });
            }
            Ok(Inserted { accepted, places: Some(insert_deliveries(tx, &inserted, &to)?) })
        };
        let version = self.db.version_then();
        let hand = move |inserted: &Inserted| match &inserted.places {
            Some(places) => wake.hand(ready(&stored, &recipients, places, version())),
            None => fan_out.added(recipients.len()),
        };
        // A key must be looked for before it is taken, and a list before it is made; else nothing is looked at.
        let inserted = if is_looked_for || is_many {
            self.db.write_flow(work, hand).await?
        } else {
            self.db.write_beside(work, hand).await?
        };
        match inserted.accepted {
            Accepted::New => self.tally_add(&project, What::Messages, 1),
            Accepted::Equal { .. } => {
                self.tally_add(&project, What::Messages, 1);
                self.suppressed.fetch_add(1, Ordering::Relaxed);
            }
            Accepted::Again { .. } | Accepted::Differs => {}
        }
        Ok(inserted.accepted)
    }

    /// Finds a project's message.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn message_find(
        &self,
        project: &ProjectId,
        id: MessageId,
    ) -> Result<Option<MessageSummary>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_summary!("WHERE id = $1 AND project_id = $2");
            tx.query_one("message", sql, params![id.to_string(), project.as_str()])
        };
        self.db.read(find).await?.map(read_summary).transpose()
    }

    /// Lists a project's messages, newest first, older than `before` and published by `publisher` if they are given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn message_list(
        &self,
        project: &ProjectId,
        topic_name: Option<String>,
        publisher: Option<AccountId>,
        before: Option<MessageId>,
        limit: u64,
    ) -> Result<Vec<MessageSummary>, Error> {
        if topic_name.is_some() {
            self.topics_shown().await;
        }
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            // Always a bound, and a text each: it is planned for its own index, and begins where the page does.
            let before = before.map_or_else(crate::pick::behind_every_id, |id| id.to_string());
            let publisher = publisher.map(|id| id.to_string());
            match (topic_name, publisher) {
                (None, None) => {
                    let sql = select_summary!("WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
                    tx.query("message", sql, params![project.as_str(), before, limit])
                }
                (None, Some(publisher)) => {
                    let sql = select_summary!(
                        "WHERE project_id = $1 AND account_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"
                    );
                    tx.query("message", sql, params![project.as_str(), publisher, before, limit])
                }
                (Some(topic), publisher) => {
                    let sql = select_summary!(
                        "WHERE id IN (SELECT t.id FROM topic_message t
                         WHERE t.project_id = $1 AND t.topic_name = $5 AND t.id < $3 AND ($2 IS NULL OR
                         EXISTS (SELECT 1 FROM message m WHERE m.id = t.id AND m.account_id = $2))
                         ORDER BY t.id DESC LIMIT $4) ORDER BY id DESC"
                    );
                    tx.query("message", sql, params![project.as_str(), publisher, before, limit, topic])
                }
            }
        };
        self.db.read(list).await?.into_iter().map(read_summary).collect()
    }
}

fn read_summary(mut row: Row) -> Result<MessageSummary, Error> {
    let deliveries = row.count()?;
    let publisher = row.maybe_parsed(|text| AccountId::parse(text).ok())?;
    let equal_to = row.maybe_parsed(|text| MessageId::parse(text).ok())?;
    Ok(MessageSummary { message: Arc::new(read_message(&mut row)?), deliveries, publisher, equal_to })
}
