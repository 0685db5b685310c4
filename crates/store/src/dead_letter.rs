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
             WHERE m.id = d.message_id AND d.state IN (3, 4, 5) AND d.state > 2 AND ",
            $seq,
            " < $1 AND ",
            $seq,
            " >= $12 AND m.project_id = $2 AND ($3 IS NULL OR m.account_id = $3) AND ($4 IS NULL OR m.topic_name = $4) AND ",
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

/// Where a look at so many of them ends, counted from the newest one behind a place.
const FLOOR: &str = "SELECT seq FROM delivery WHERE state IN (3, 4, 5) AND state > 2 AND seq < $1 ORDER BY seq DESC LIMIT 1 OFFSET $2";
/// How many that ended so are looked at for a page, whether they fit or not: a filter that few fit must not go through all.
const LOOKED_AT: u64 = 5_000;

/// A page of dead letters.
#[derive(Debug, Clone, Default)]
pub struct DeadLetters {
    /// Those that fit.
    pub found: Vec<DeadLetter>,
    /// Behind which place to go on; nothing when all were looked at. There may be more even where none was found.
    pub next: Option<i64>,
}

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

/// The place up to which a page looks; nothing when that is all there is.
fn floor(tx: &mut Tx<'_>, after: i64) -> Result<Option<i64>, Error> {
    tx.query("delivery", FLOOR, params![after, LOOKED_AT - 1])?.first_mut().map(Row::int).transpose()
}

impl Store {
    /// Lists a project's dead letters that fit a filter, newest first, behind place `after` if it is given: what failed or
    /// expired, or what stands in the filter's state. With `publisher`, only those of messages that this account
    /// published. A page looks at a bounded number of deliveries that ended so, and may end before it is full.
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
    ) -> Result<DeadLetters, Error> {
        let states = match filter.state {
            Some(state) => vec![state.number()],
            None => vec![DeliveryState::Failed.number(), DeliveryState::Expired.number()],
        };
        let after = after.unwrap_or(i64::MAX);
        let mut params = params![
            after,
            project.as_str(),
            publisher.map(|account| account.to_string()),
            filter.topic_name.clone(),
            filter.message.map(|id| id.to_string()),
            filter.subscription.map(|id| id.to_string()),
            states,
            filter.since.map(id_from),
            filter.until.map(id_from),
            filter.reason.map(Reason::name),
            limit + 1
        ]
        .to_vec();
        let of_message = filter.message.is_some();
        let sql = if of_message { SELECT_OF_MESSAGE } else { SELECT };
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            // One message's are not many, and found by the message.
            let floor = if of_message { None } else { floor(tx, after)? };
            params.extend_from_slice(params![floor.unwrap_or(0)]);
            let mut found = Vec::new();
            for mut row in tx.query("delivery", sql, &params)? {
                let (place, id) = read(&mut row)?;
                let records = attempt::list(tx, &project, id.message, id.number.saturating_sub(1), 1)?;
                found.extend(records.into_iter().map(|record| DeadLetter { place, record }));
            }
            let next = if found.len() > shown {
                found.truncate(shown);
                found.last().map(|last: &DeadLetter| last.place)
            } else {
                floor
            };
            Ok(DeadLetters { found, next })
        };
        self.db.read(list).await
    }
}
