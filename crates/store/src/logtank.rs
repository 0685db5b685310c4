//! Log tanks, and what the delivery log says of deliveries.

use carillon_model::Channel;
use carillon_model::clock::Timestamp;
use carillon_model::id::{LogtankId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::limits;
use carillon_model::logtank::Logtank;
use carillon_model::topic::TopicName;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::open_target;

/// What the delivery log says of a delivery, for one log tank of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedDelivery {
    /// Its place.
    pub seq: i64,
    /// The message.
    pub message: MessageId,
    /// The project.
    pub project: ProjectId,
    /// The topic's name.
    pub topic_name: TopicName,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The protocol as the subscriber wrote it; the channel's name when the subscription is gone.
    pub protocol: String,
    /// The channel.
    pub channel: Channel,
    /// The address, masked; nothing when the subscription is gone.
    pub endpoint_masked: String,
    /// When the message was accepted.
    pub created_at: Timestamp,
    /// The tank's log group.
    pub group: String,
    /// The tank's log stream.
    pub stream: String,
}

/// Reads the columns `id, group_id, stream_id, created_at, updated_at`.
pub(crate) fn read(row: &mut Row) -> Result<Logtank, Error> {
    Ok(Logtank {
        id: row.parsed(|text| LogtankId::parse(text).ok())?,
        group: row.text()?,
        stream: row.text()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

impl Store {
    /// Makes a log tank unless the topic has as many as it may, or is gone.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn logtank_add(
        &self,
        topic: TopicId,
        group: String,
        stream: String,
    ) -> Result<Option<LogtankId>, Error> {
        let now = self.clock.now();
        let id = LogtankId::new(now, self.chance.as_ref());
        let add = move |tx: &mut Tx<'_>| {
            let sql = "INSERT INTO logtank (id, topic_id, group_id, stream_id, created_at, updated_at)
                 SELECT $1, t.id, $3, $4, $5, $5 FROM topic t WHERE t.id = $2
                 AND (SELECT count(*) FROM logtank l WHERE l.topic_id = t.id) < $6";
            tx.execute(
                sql,
                params![id.to_string(), topic.to_string(), group, stream, now, limits::LOGTANKS_MAX],
            )
        };
        Ok((self.db.write(add).await? > 0).then_some(id))
    }

    /// A topic's log tanks, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn logtank_list(&self, topic: TopicId) -> Result<Vec<Logtank>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql =
                "SELECT id, group_id, stream_id, created_at, updated_at FROM logtank WHERE topic_id = $1
                 ORDER BY created_at, id";
            let rows = tx.query("logtank", sql, params![topic.to_string()])?;
            rows.into_iter().map(|mut row| read(&mut row)).collect()
        };
        self.db.read(list).await
    }

    /// Gives a log tank other names, and the tank as it is then, if the topic has it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn logtank_change(
        &self,
        topic: TopicId,
        id: LogtankId,
        group: String,
        stream: String,
    ) -> Result<Option<Logtank>, Error> {
        let now = self.clock.now();
        let change = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE logtank SET group_id = $3, stream_id = $4, updated_at = $5
                 WHERE id = $1 AND topic_id = $2
                 RETURNING id, group_id, stream_id, created_at, updated_at";
            let row =
                tx.query_one("logtank", sql, params![id.to_string(), topic.to_string(), group, stream, now])?;
            row.map(|mut row| read(&mut row)).transpose()
        };
        self.db.write(change).await
    }

    /// Removes a log tank and tells whether the topic had it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn logtank_delete(&self, topic: TopicId, id: LogtankId) -> Result<bool, Error> {
        let delete = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM logtank WHERE id = $1 AND topic_id = $2";
            tx.execute(sql, params![id.to_string(), topic.to_string()])
        };
        Ok(self.db.write(delete).await? > 0)
    }

    /// What the delivery log says of deliveries, by their places: a line for each log tank of their topics.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn logged_deliveries(&self, seqs: Vec<i64>) -> Result<Vec<LoggedDelivery>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT d.seq, m.id, m.project_id, m.topic_name, d.subscription_id, s.protocol, d.channel,
                 x.bytes, m.created_at, l.group_id, l.stream_id
                 FROM delivery d JOIN message m ON m.id = d.message_id JOIN logtank l ON l.topic_id = m.topic_id
                 LEFT JOIN subscription s ON s.id = d.subscription_id LEFT JOIN sealed x ON x.seq = s.sealed_seq
                 WHERE d.seq IN (SELECT value FROM json_each($1)) ORDER BY d.seq, l.created_at, l.id";
            tx.query("delivery", sql, params![seqs])
        };
        self.db.read(list).await?.into_iter().map(|row| self.logged(row)).collect()
    }

    fn logged(&self, mut row: Row) -> Result<LoggedDelivery, Error> {
        let seq = row.int()?;
        let message = row.parsed(|text| MessageId::parse(text).ok())?;
        let project = row.parsed(|text| ProjectId::parse(text).ok())?;
        let topic_name = row.parsed(|text| TopicName::parse(text).ok())?;
        let subscription = row.parsed(|text| SubscriptionId::parse(text).ok())?;
        let protocol = row.maybe_text()?;
        let channel = row.parsed(Channel::from_name)?;
        let sealed = row.maybe_bytes()?;
        let target = sealed.map(|sealed| open_target(&self.vault, &subscription, &sealed)).transpose()?;
        Ok(LoggedDelivery {
            seq,
            message,
            project,
            topic_name,
            subscription,
            protocol: protocol.unwrap_or_else(|| channel.name().to_owned()),
            channel,
            endpoint_masked: target.map(|target| target.endpoint.masked()).unwrap_or_default(),
            created_at: row.time()?,
            group: row.text()?,
            stream: row.text()?,
        })
    }
}
