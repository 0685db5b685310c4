//! Deliveries and their attempts as they are shown.

use carillon_model::Channel;
use carillon_model::clock::Timestamp;
use carillon_model::delivery::{DeliveryState, EndCause};
use carillon_model::id::{DeliveryId, MessageId, ProjectId, SubscriptionId};
use carillon_model::outcome::{Outcome, Reason};
use carillon_model::topic::TopicName;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// An attempt as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its number, from 1.
    pub number: u32,
    /// The outcome's name.
    pub outcome: String,
    /// Why it came back so.
    pub reason: Reason,
    /// The platform's code.
    pub platform_code: Option<String>,
    /// The platform's words.
    pub platform_text: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// How many deliveries went in the same post: more than one in a digest.
    pub merged: u32,
}

/// A delivery as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Its id.
    pub id: DeliveryId,
    /// The subscription it is for, which may be gone.
    pub subscription: SubscriptionId,
    /// The topic's name when the message was published.
    pub topic_name: TopicName,
    /// The channel it takes.
    pub channel: Channel,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it ended, where neither a person nor an attempt ended it.
    pub cause: Option<EndCause>,
    /// Not to be tried before, when it is pending.
    pub due_at: Timestamp,
    /// When it was taken back from the chat.
    pub recalled_at: Option<Timestamp>,
    /// Its attempts, first to last.
    pub attempts: Vec<AttemptRecord>,
}

struct Told {
    record: DeliveryRecord,
    first_success: Option<AttemptRecord>,
}

fn read_delivery(mut row: Row) -> Result<Told, Error> {
    let message = row.parsed(|text| MessageId::parse(text).ok())?;
    let id = DeliveryId::new(message, row.count()?);
    let subscription = row.parsed(|text| SubscriptionId::parse(text).ok())?;
    let state = row.int()?;
    let state = DeliveryState::from_number(state).ok_or_else(|| row.corrupt("there is no such state"))?;
    let due_at = row.time()?;
    let attempts = row.count()?;
    let started_at = row.maybe_time()?;
    let elapsed_ms = row.maybe_int()?;
    let platform_code = row.maybe_text()?;
    let platform_text = row.maybe_text()?;
    let merged = row.count()?;
    let topic_name = row.parsed(|text| TopicName::parse(text).ok())?;
    let channel = row.parsed(Channel::from_name)?;
    let cause = row.maybe_text()?.as_deref().and_then(EndCause::from_name);
    let recalled_at = row.maybe_time()?;
    let first_success = (state == DeliveryState::Delivered && attempts == 1).then(|| AttemptRecord {
        number: 1,
        outcome: Outcome::Accepted.name().to_owned(),
        reason: Reason::Ok,
        platform_code,
        platform_text,
        started_at: started_at.unwrap_or(due_at),
        elapsed_ms: u64::try_from(elapsed_ms.unwrap_or(0)).unwrap_or(0),
        merged,
    });
    let record = DeliveryRecord {
        id,
        subscription,
        topic_name,
        channel,
        state,
        cause,
        due_at,
        recalled_at,
        attempts: Vec::new(),
    };
    Ok(Told { record, first_success })
}

fn read_attempt(mut row: Row) -> Result<(u32, AttemptRecord), Error> {
    let delivery = row.count()?;
    let number = row.count()?;
    let outcome = row.text()?;
    let reason = row.parsed(Reason::from_name)?;
    let platform_code = row.maybe_text()?;
    let platform_text = row.maybe_text()?;
    let started_at = row.time()?;
    let elapsed_ms = u64::try_from(row.int()?).unwrap_or(0);
    let merged = row.count()?;
    let record = AttemptRecord {
        number,
        outcome,
        reason,
        platform_code,
        platform_text,
        started_at,
        elapsed_ms,
        merged,
    };
    Ok((delivery, record))
}

const SELECT_DELIVERIES: &str =
    "SELECT d.message_id, d.number, d.subscription_id, d.state, d.due_at, d.attempts,
     d.started_at, d.elapsed_ms, d.platform_code, d.platform_text, d.merged, m.topic_name, d.channel, d.cause,
     k.recalled_at FROM delivery d JOIN message m ON m.id = d.message_id
     LEFT JOIN office_recall k ON k.message_id = d.message_id AND k.number = d.number
     WHERE m.project_id = $1 AND d.message_id = $2 AND d.number > $3 ORDER BY d.number LIMIT $4";

const SELECT_ATTEMPTS: &str =
    "SELECT number, attempt, outcome, reason, platform_code, platform_text, started_at,
     elapsed_ms, merged FROM attempt WHERE message_id = $1 AND number > $2 AND number <= $3 ORDER BY number, attempt";

pub(crate) fn list(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    message: MessageId,
    after: u32,
    limit: u64,
) -> Result<Vec<DeliveryRecord>, Error> {
    let rows = tx.query(
        "delivery",
        SELECT_DELIVERIES,
        params![project.as_str(), message.to_string(), after, limit],
    )?;
    let mut told = rows.into_iter().map(read_delivery).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = told.last().map(|told| told.record.id.number) else { return Ok(Vec::new()) };
    let rows = tx.query("attempt", SELECT_ATTEMPTS, params![message.to_string(), after, last])?;
    for row in rows {
        let (number, attempt) = read_attempt(row)?;
        if let Some(told) = told.iter_mut().find(|told| told.record.id.number == number) {
            told.record.attempts.push(attempt);
        }
    }
    Ok(told
        .into_iter()
        .map(|Told { mut record, first_success }| {
            if record.attempts.is_empty() {
                record.attempts.extend(first_success);
            }
            record
        })
        .collect())
}

impl Store {
    /// Lists the deliveries of a project's message by their numbers, behind number `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_list(
        &self,
        project: &ProjectId,
        message: MessageId,
        after: u32,
        limit: u64,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        self.fan_out_now().await?;
        let project = project.clone();
        self.db.read(move |tx| list(tx, &project, message, after, limit)).await
    }

    /// Finds one delivery of a project.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_find(
        &self,
        project: &ProjectId,
        id: DeliveryId,
    ) -> Result<Option<DeliveryRecord>, Error> {
        let after = id.number.saturating_sub(1);
        let found = self.delivery_list(project, id.message, after, 1).await?;
        Ok(found.into_iter().find(|record| record.id == id))
    }
}
