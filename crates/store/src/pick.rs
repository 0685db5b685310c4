//! Which deliveries a person means: by a filter, in portions.

use carillon_model::clock::Timestamp;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::{MessageId, ProjectId, SubscriptionId};
use carillon_model::outcome::Reason;

use crate::db::{Tx, Value, params};
use crate::error::Error;

/// Which deliveries are meant: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Those of this message.
    pub message: Option<MessageId>,
    /// Those of messages to the topic of this name.
    pub topic_name: Option<String>,
    /// Those for this subscription.
    pub subscription: Option<SubscriptionId>,
    /// Those in this state.
    pub state: Option<DeliveryState>,
    /// Those whose latest attempt came back for this reason.
    pub reason: Option<Reason>,
    /// Those of messages accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Those of messages accepted before this time.
    pub until: Option<Timestamp>,
}

/// Where the next portion begins. What was resent meanwhile has a place behind the end, so that going on from portion
/// to portion meets nothing twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The last place that was looked at.
    pub after: i64,
    /// The last place there was when the first portion was asked for.
    pub end: i64,
}

/// A portion to be moved.
#[derive(Debug, Clone)]
pub struct Portion {
    /// Which deliveries are meant.
    pub filter: DeliveryFilter,
    /// Where to go on; nothing at the beginning.
    pub cursor: Option<Cursor>,
    /// How many deliveries to move at most.
    pub limit: u64,
}

/// What came of moving a portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portioned {
    /// How many deliveries were moved.
    pub moved: u64,
    /// Where to go on; nothing when that was all.
    pub next: Option<Cursor>,
}

/// What came of moving one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It was moved.
    Done,
    /// It stands where this move is not allowed.
    Refused(DeliveryState),
    /// Its subscription is gone, so that it can go nowhere.
    NoTarget,
    /// There is no such delivery.
    NotThere,
}

/// The deliveries picked, and where to go on.
pub(crate) struct Picked {
    /// Their places, in order.
    pub(crate) seqs: Vec<i64>,
    pub(crate) next: Option<Cursor>,
}

/// Which way a picked delivery is to move.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    Resend,
    Cancel,
}

/// `$seq` is the column, or it with a plus, which keeps SQLite from walking all places instead of the few that wait.
macro_rules! select_picked {
    ($from:literal, $seq:literal, $states:literal, $rest:literal) => {
        concat!(
            "SELECT d.seq FROM ",
            $from,
            " d CROSS JOIN message m WHERE m.id = d.message_id AND d.state IN ",
            $states,
            " AND ",
            $seq,
            " > $1 AND ",
            $seq,
            " <= $2 AND m.project_id = $3 AND ($4 IS NULL OR m.topic_name = $4)
             AND ($5 IS NULL OR d.subscription_id = $5) AND ($6 IS NULL OR d.state = $6)
             AND ($7 IS NULL OR d.message_id >= $7) AND ($8 IS NULL OR d.message_id < $8)
             AND ($9 IS NULL OR EXISTS (SELECT 1 FROM attempt a WHERE a.message_id = d.message_id
             AND a.number = d.number AND a.attempt = d.attempts AND a.reason = $9))",
            $rest,
            " ORDER BY ",
            $seq,
            " LIMIT $10"
        )
    };
}

/// The text that ids of messages accepted at `at` or later are not below.
pub(crate) fn id_from(at: Timestamp) -> String {
    format!("{:012x}", at.0.clamp(0, (1 << 48) - 1))
}

/// A text that every id is below, for a page that begins at the newest.
pub(crate) fn behind_every_id() -> String {
    "~".to_owned()
}

fn end(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let row = tx.query_one("delivery", "SELECT coalesce(max(seq), 0) FROM delivery", &[])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// Picks a portion. Only reads, so that a long search does not hold the writer up; whoever moves what was picked must
/// look at its state again.
pub(crate) fn pick(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    portion: &Portion,
    wanted: Wanted,
) -> Result<Picked, Error> {
    let filter = &portion.filter;
    let cursor = match portion.cursor {
        Some(cursor) => cursor,
        None => Cursor { after: 0, end: end(tx)? },
    };
    let mut params: Vec<Value> = params![
        cursor.after,
        cursor.end,
        project.as_str(),
        filter.topic_name.clone(),
        filter.subscription.map(|id| id.to_string()),
        filter.state.map(DeliveryState::number),
        filter.since.map(id_from),
        filter.until.map(id_from),
        filter.reason.map(Reason::name),
        portion.limit,
    ]
    .to_vec();
    if let Some(message) = filter.message {
        params.push(message.to_string().into());
    }
    let sql = match (wanted, filter.message.is_some()) {
        (Wanted::Resend, false) => select_picked!(
            "delivery",
            "d.seq",
            "(3, 4, 5) AND d.state > 2",
            " AND (d.subscription_id = d.endpoint_id
             OR EXISTS (SELECT 1 FROM subscription s WHERE s.id = d.subscription_id AND s.state IN (1, 2)))"
        ),
        (Wanted::Resend, true) => select_picked!(
            "delivery",
            "d.seq",
            "(3, 4, 5) AND d.state > 2",
            " AND d.message_id = $11
             AND (d.subscription_id = d.endpoint_id
             OR EXISTS (SELECT 1 FROM subscription s WHERE s.id = d.subscription_id AND s.state IN (1, 2)))"
        ),
        (Wanted::Cancel, false) => select_picked!("lane_waiting", "+d.seq", "(0, 1)", " AND d.state = 0"),
        (Wanted::Cancel, true) => {
            select_picked!("delivery", "+d.seq", "(0, 1)", " AND d.state = 0 AND d.message_id = $11")
        }
    };
    let rows = tx.query("delivery", sql, &params)?;
    let seqs = rows.into_iter().map(|mut row| row.int()).collect::<Result<Vec<_>, _>>()?;
    let full = u64::try_from(seqs.len()).is_ok_and(|count| count >= portion.limit);
    let next = seqs.last().filter(|_last| full).map(|last| Cursor { after: *last, end: cursor.end });
    Ok(Picked { seqs, next })
}

/// The place and state of a project's delivery.
pub(crate) fn place(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    id: carillon_model::id::DeliveryId,
) -> Result<Option<(i64, DeliveryState)>, Error> {
    let sql = "SELECT d.seq, d.state FROM delivery d JOIN message m ON m.id = d.message_id
         WHERE d.message_id = $1 AND d.number = $2 AND m.project_id = $3";
    let row = tx.query_one("delivery", sql, params![id.message.to_string(), id.number, project.as_str()])?;
    let Some(mut row) = row else { return Ok(None) };
    let (seq, state) = (row.int()?, row.int()?);
    let state = DeliveryState::from_number(state).ok_or_else(|| row.corrupt("there is no such state"))?;
    Ok(Some((seq, state)))
}
