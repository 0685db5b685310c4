//! Dead letters: deliveries that ended without having arrived, of all messages of a project, newest first.

use carillon_model::delivery::DeliveryState;
use carillon_model::id::{AccountId, DeliveryId, MessageId, ProjectId};
use carillon_model::outcome::Reason;

use crate::attempt::{self, DeliveryRecord};
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::pick::{DeliveryFilter, id_from};
use crate::setup::Store;

macro_rules! select {
    ($seq:literal, $message:literal) => {
        concat!(
            "SELECT d.seq, d.message_id, d.number FROM delivery d CROSS JOIN message m
             WHERE m.id = d.message_id AND d.state IN (3, 4, 5) AND ",
            $seq,
            " < $1 AND m.project_id = $2 AND ($3 IS NULL OR m.account_id = $3) AND ($4 IS NULL OR m.topic_name = $4) AND ",
            $message,
            " AND ($6 IS NULL OR d.subscription_id = $6) AND d.state IN (SELECT value FROM json_each($7))
             AND ($8 IS NULL OR d.message_id >= $8) AND ($9 IS NULL OR d.message_id < $9)
             AND ($10 IS NULL OR EXISTS (SELECT 1 FROM attempt a WHERE a.message_id = d.message_id
             AND a.number = d.number AND a.attempt = d.attempts AND a.reason = $10))
             ORDER BY d.seq DESC LIMIT $11"
        )
    };
}

/// Goes down the index of what ended so. Where no state is asked for, what somebody cancelled is not meant.
const SELECT: &str = select!("d.seq", "($5 IS NULL OR d.message_id = $5)");
/// The same for one message, however many others ended so; the plus keeps SQLite from that index.
const SELECT_OF_MESSAGE: &str = select!("+d.seq", "d.message_id = $5");

/// A dead letter, and its place: what is before it in the list has a higher one.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Its place.
    pub place: i64,
    /// The delivery with its attempts.
    pub record: DeliveryRecord,
}

fn read(row: &mut Row) -> Result<(i64, DeliveryId), Error> {
    let place = row.int()?;
    let message = row.parsed(|text| MessageId::parse(text).ok())?;
    Ok((place, DeliveryId::new(message, row.count()?)))
}

impl Store {
    /// Lists a project's dead letters that fit a filter, newest first, behind place `after` if it is given: what failed or
    /// expired, or what stands in the filter's state. With `publisher`, only those of messages that this account
    /// published.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead_letter_list(
        &self,
        project: &ProjectId,
        filter: &DeliveryFilter,
        publisher: Option<AccountId>,
        after: Option<i64>,
        limit: u64,
    ) -> Result<Vec<DeadLetter>, Error> {
        let states = match filter.state {
            Some(state) => vec![state.number()],
            None => vec![DeliveryState::Failed.number(), DeliveryState::Expired.number()],
        };
        let params = params![
            after.unwrap_or(i64::MAX),
            project.as_str(),
            publisher.map(|account| account.to_string()),
            filter.topic_name.clone(),
            filter.message.map(|id| id.to_string()),
            filter.subscription.map(|id| id.to_string()),
            states,
            filter.since.map(id_from),
            filter.until.map(id_from),
            filter.reason.map(Reason::name),
            limit
        ]
        .to_vec();
        let sql = if filter.message.is_some() { SELECT_OF_MESSAGE } else { SELECT };
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let mut found = Vec::new();
            for mut row in tx.query("delivery", sql, &params)? {
                let (place, id) = read(&mut row)?;
                let records = attempt::list(tx, &project, id.message, id.number.saturating_sub(1), 1)?;
                found.extend(records.into_iter().map(|record| DeadLetter { place, record }));
            }
            Ok(found)
        };
        self.db.read(list).await
    }
}
