//! Deliveries: taken, opened, started, settled, recovered. Other statements that move one: the one that makes them
//! (`message`), the one that cancels those of a removed subscription (`subscription`), and what people ask for
//! (`resend`, `cancel`).

use std::sync::Arc;

use carillon_model::clock::Timestamp;
use carillon_model::delivery::DeliveryState;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, DeliveryId, EndpointId, MessageId, SubscriptionId};
use carillon_model::message::{Kind, Message};
use carillon_model::office::RecipientKind;
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::{Extension, OfficeApp, Overflow, SubscriptionState, Target};
use carillon_model::topic::TopicName;

use crate::confirmation::is_meant;
use crate::connection::open_app;
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::message::read_message;
use crate::settle_lists;
use crate::setup::Store;
use crate::subscription::open_target;
use crate::{begun, lane_index};

/// A message with the name of its topic at the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message.
    pub message: Message,
    /// The topic's name.
    pub topic_name: TopicName,
}

/// A delivery that waits to be sent.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Its place in the order of acceptance, which is the order within its lane.
    pub seq: i64,
    /// Its id.
    pub id: DeliveryId,
    /// The subscription it is for.
    pub subscription: SubscriptionId,
    /// The lane it takes.
    pub endpoint: EndpointId,
    /// How many attempts it has behind it.
    pub attempts: u32,
    /// How many of them were made before it was resent last; they no longer count against the most it may have.
    pub attempts_before: u32,
    /// How many parts of a split message have arrived already.
    pub parts_done: u32,
    /// What becomes of it when too much waits, by its subscription when it was handed over or read.
    pub overflow: Overflow,
    /// Not to be tried before.
    pub due_at: Timestamp,
    /// The store's version when it was seen waiting; while that holds, nobody has cancelled it.
    pub known: Option<u64>,
    /// What is to be sent. After a resend `expires_at` is this delivery's own, later than its siblings'.
    pub stored: Arc<StoredMessage>,
}

/// What stands behind a delivery whose turn has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It still waits, and this is where it goes.
    Target(Arc<Target>),
    /// It still waits, but its subscription is gone.
    NoTarget,
    /// It no longer waits in this place: it was cancelled, or cancelled and resent.
    Ended,
    /// It still waits, but the directory says that the person or chat is gone: no call is made.
    Gone,
}

/// That an attempt has begun, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Whether its delivery's own row says so, which is seen from outside; else a row for many does, which is read after a
    /// crash only, and says nothing of parts.
    pub shown: bool,
    /// The delivery's place.
    pub seq: i64,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// How many parts have arrived, those of earlier attempts included.
    pub parts_done: u32,
}

/// How an attempt ended and what follows. An expiry or a cancellation has no attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery's place.
    pub seq: i64,
    /// The delivery.
    pub id: DeliveryId,
    /// The attempt, if there was one.
    pub attempt: Option<Tried>,
    /// Where the delivery stands now.
    pub state: DeliveryState,
    /// Not to be tried before, when it is pending.
    pub due_at: Timestamp,
    /// How many parts have arrived.
    pub parts_done: u32,
}

/// One attempt: a fact, never edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// What it came back as.
    pub verdict: Verdict,
    /// How many deliveries went in the same post: more than one in a digest.
    pub merged: u32,
}

fn insert_attempt(tx: &mut Tx<'_>, id: DeliveryId, tried: &Tried) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO attempt (message_id, number, attempt, outcome, reason, platform_code, platform_text, started_at,
         elapsed_ms, merged) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (message_id, number, attempt) DO NOTHING",
        params![
            id.message.to_string(),
            id.number,
            tried.number,
            tried.verdict.outcome.name(),
            tried.verdict.reason.name(),
            tried.verdict.platform_code.clone(),
            tried.verdict.platform_text.clone(),
            tried.started_at,
            tried.elapsed_ms,
            tried.merged
        ],
    )?;
    Ok(())
}

fn settle(tx: &mut Tx<'_>, settlement: &Settlement) -> Result<(), Error> {
    let Some(tried) = &settlement.attempt else {
        let sql = "UPDATE delivery SET state = $2, due_at = $3, parts_done = $4 WHERE seq = $1 AND state + 0 IN (0, 1)";
        let state = settlement.state.number();
        tx.execute(sql, params![settlement.seq, state, settlement.due_at, settlement.parts_done])?;
        return Ok(());
    };
    let moved = settle_attempt(tx, settlement, tried)?;
    if moved == 0 {
        // What was cancelled while the attempt was under way stays so, and keeps count of it.
        let sql = "UPDATE delivery SET attempts = $2, parts_done = $3 WHERE seq = $1 AND state + 0 = 5 AND attempts < $2";
        tx.execute(sql, params![settlement.seq, tried.number, settlement.parts_done])?;
    }
    if is_told_apart(tried) {
        insert_attempt(tx, settlement.id, tried)?;
    }
    Ok(())
}

/// Whether an attempt has a row of its own: a first success is told by the delivery's.
pub(crate) fn is_told_apart(tried: &Tried) -> bool {
    tried.number > 1 || tried.verdict.outcome != Outcome::Accepted
}

/// Moves a delivery after an attempt and tells how many rows that changed. One that was cancelled meanwhile moves only
/// when the message did arrive.
fn settle_attempt(tx: &mut Tx<'_>, settlement: &Settlement, tried: &Tried) -> Result<u64, Error> {
    let sql = "UPDATE delivery SET state = $2, due_at = $3, attempts = $4, parts_done = $5, started_at = $6,
         elapsed_ms = $7, platform_code = $8, platform_text = $9, merged = $10
         WHERE seq = $1 AND attempts <= $4 AND (state + 0 IN (0, 1) OR (state + 0 = 5 AND $2 = 2))";
    tx.execute(
        sql,
        params![
            settlement.seq,
            settlement.state.number(),
            settlement.due_at,
            tried.number,
            settlement.parts_done,
            tried.started_at,
            tried.elapsed_ms,
            tried.verdict.platform_code.clone(),
            tried.verdict.platform_text.clone(),
            tried.merged
        ],
    )
}

macro_rules! select_ready {
    ($rest:literal) => {
        concat!(
            "SELECT d.seq, d.number, d.subscription_id, d.endpoint_id, d.attempts, d.attempts_before, d.parts_done,
             d.due_at, (SELECT s.overflow FROM subscription s WHERE s.id = d.subscription_id), m.id, m.project_id,
             m.topic_id, m.topic_name, m.content, m.priority, m.locale, m.created_at,
             coalesce(d.expires_at, m.expires_at) FROM delivery d JOIN message m ON m.id = d.message_id ",
            $rest
        )
    };
}
pub(crate) use select_ready;

/// Reads a row of `select_ready`.
pub(crate) fn read_ready(mut row: Row) -> Result<Ready, Error> {
    let seq = row.int()?;
    let number = row.count()?;
    let subscription = row.parsed(|text| SubscriptionId::parse(text).ok())?;
    let endpoint = row.parsed(|text| EndpointId::parse(text).ok())?;
    let attempts = row.count()?;
    let attempts_before = row.count()?;
    let parts_done = row.count()?;
    let due_at = row.time()?;
    let overflow = row.maybe_int()?.and_then(Overflow::from_number).unwrap_or_default();
    let stored = Arc::new(read_message(&mut row)?);
    let id = DeliveryId::new(stored.message.id, number);
    let known = None;
    Ok(Ready {
        seq,
        id,
        subscription,
        endpoint,
        attempts,
        attempts_before,
        parts_done,
        overflow,
        due_at,
        known,
        stored,
    })
}

impl Store {
    /// Looks whether a delivery still waits in its place, and opens the target of its subscription, if one in its state
    /// is meant by the message, to send to it. What was cancelled before this call began is never answered with a
    /// target.
    ///
    /// # Errors
    /// When the store cannot be read or the target not be opened.
    pub async fn delivery_open(&self, ready: &Ready) -> Result<Opened, Error> {
        let version = self.db.version();
        let still = ready.known.is_some() && ready.known == version;
        let kept = still.then(|| self.targets.get(version, &ready.subscription)).flatten();
        if let Some(target) = kept.filter(|_target| ready.stored.message.content.kind.is_published()) {
            return Ok(Opened::Target(target));
        }
        let sql = "SELECT s.state, x.bytes, r.connection_id, r.kind, r.platform_id, r.state, y.bytes FROM delivery d
             LEFT JOIN subscription s ON s.id = d.subscription_id
             LEFT JOIN sealed x ON x.seq = s.sealed_seq
             LEFT JOIN office_recipient r ON r.id = d.endpoint_id
             LEFT JOIN connection c ON c.id = r.connection_id
             LEFT JOIN sealed y ON y.seq = c.sealed_seq WHERE d.seq = $1 AND d.state + 0 IN (0, 1)";
        let rows = self.db.ask("delivery", sql, params![ready.seq], &[]).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(Opened::Ended) };
        let state = row.maybe_int()?.and_then(SubscriptionState::from_number);
        let kind = ready.stored.message.content.kind;
        let state = state.filter(|state| is_meant(kind, *state));
        let sealed = row.maybe_bytes()?;
        if let Some(connection) = row.maybe_text()? {
            // What somebody pushed has no subscription: it stands under its recipient's own id.
            let pushed = ready.subscription.to_string() == ready.endpoint.to_string();
            return if state.is_some() || pushed {
                self.open_office(&connection, row)
            } else {
                Ok(Opened::NoTarget)
            };
        }
        match (state, sealed) {
            (Some(state), Some(sealed)) => {
                let target = Arc::new(open_target(&self.vault, &ready.subscription, &sealed)?);
                // What it names came down to nobody when the message was sent.
                if matches!(target.endpoint, Endpoint::Office { .. }) {
                    return Ok(Opened::Gone);
                }
                if is_meant(Kind::Published, state) {
                    self.targets.put(version, ready.subscription, Arc::clone(&target));
                }
                Ok(Opened::Target(target))
            }
            _ => Ok(Opened::NoTarget),
        }
    }

    /// Opens an office app for one of its recipients; the row goes on with the recipient's kind.
    fn open_office(&self, connection: &str, mut row: Row) -> Result<Opened, Error> {
        let id = ConnectionId::parse(connection).map_err(|_id| row.corrupt("it is no id"))?;
        let kind = row.parsed(RecipientKind::from_name)?;
        let platform_id = row.text()?;
        if row.int()? == 1 {
            return Ok(Opened::Gone);
        }
        let Some(sealed) = row.maybe_bytes()? else { return Ok(Opened::NoTarget) };
        let app = open_app(&self.vault, connection, &sealed)?;
        let office = Some(Box::new(OfficeApp { app, connection: id }));
        let endpoint = Endpoint::Office { connection: id, kind, id: platform_id.into() };
        let extension = Extension { office, ..Extension::default() };
        Ok(Opened::Target(Arc::new(Target { endpoint, extension })))
    }

    /// Tells which of these places still wait for a subscription in force. What was cancelled before this call began is
    /// never among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_waiting(&self, seqs: Vec<i64>) -> Result<Vec<i64>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT d.seq FROM delivery d LEFT JOIN subscription s ON s.id = d.subscription_id
                 WHERE d.seq IN (SELECT value FROM json_each($1)) AND d.state + 0 IN (0, 1)
                 AND (s.state IN (1, 2) OR d.subscription_id = d.endpoint_id)";
            tx.query("delivery", sql, params![seqs])
        };
        self.db.read_alone(find).await?.into_iter().map(|mut row| row.int()).collect()
    }

    /// When the latest attempt began, of the last thousand deliveries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_last_start(&self) -> Result<Option<Timestamp>, Error> {
        let find = |tx: &mut Tx<'_>| {
            let sql = "SELECT max(started_at) FROM
                 (SELECT started_at FROM delivery ORDER BY seq DESC LIMIT 1000) AS latest";
            tx.query_one("delivery", sql, &[])
        };
        self.db.read(find).await?.map_or(Ok(None), |mut row| row.maybe_time())
    }

    /// Writes down, in one transaction, which attempts have begun and which have ended.
    ///
    /// # Errors
    /// When nothing can be written; then nothing of it was.
    pub async fn delivery_settle(
        &self,
        starts: Vec<Start>,
        settlements: impl Into<Arc<[Settlement]>>,
    ) -> Result<(), Error> {
        let settlements = settlements.into();
        if starts.is_empty() && settlements.is_empty() {
            return Ok(());
        }
        let (starts, listed): (Vec<_>, Vec<_>) = starts.into_iter().partition(|start| start.shown);
        let node = self.shards.node();
        let plan = self.begun.plan(&listed, &starts, &settlements);
        let rows = plan.rows();
        let write = move |tx: &mut Tx<'_>| {
            // Whom the others have taken out may not write down what became of lanes that are theirs now.
            if let Some(node) = &node
                && tx
                    .query_one(
                        "node",
                        "SELECT id FROM node WHERE id = $1 FOR KEY SHARE",
                        params![node.as_str()],
                    )?
                    .is_none()
            {
                tracing::warn!(
                    settlements = settlements.len(),
                    "outcomes are not written down: the lanes moved"
                );
                return Ok(());
            }
            begun::write(tx, node.as_deref().unwrap_or_default(), &rows)?;
            if tx.is_shared() && settle_lists::is_simple(&starts, &settlements) {
                return settle_lists::settle(tx, &starts, &settlements);
            }
            for start in &starts {
                let sql = "UPDATE delivery SET state = 1, attempts = $2, started_at = $3, parts_done = $4
                     WHERE seq = $1 AND attempts <= $2 AND state + 0 IN (0, 1)";
                tx.execute(sql, params![start.seq, start.attempt, start.at, start.parts_done])?;
            }
            for settlement in settlements.iter() {
                settle(tx, settlement)?;
            }
            Ok(())
        };
        let written = self.db.write_beside(write, |()| ()).await;
        self.begun.done(plan, written.is_ok());
        written
    }

    /// After a start: what was being sent when the server stopped waits again, and its interrupted attempt is
    /// written down as unknown, since it may have arrived. Tells how many there were.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn delivery_recover(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let wake = self.wake();
        let work = move |tx: &mut Tx<'_>| Ok((lane_index::list_all(tx)?, recover(tx, now, None)?));
        Ok(self.db.write_then(work, move |(upto, _count)| wake.mark.moved(*upto)).await?.1)
    }
}

/// An attempt that had begun when its server stopped: it may have arrived.
pub(crate) fn insert_interrupted(
    tx: &mut Tx<'_>,
    id: DeliveryId,
    number: u32,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let elapsed_ms = u64::try_from(now.since(started_at).as_millis()).unwrap_or(u64::MAX);
    let verdict = Verdict::plain(Outcome::Unknown, Reason::Interrupted);
    insert_attempt(tx, id, &Tried { number, started_at, elapsed_ms, verdict, merged: 1 })
}

/// What was being sent waits again, and its interrupted attempt is unknown: in all lanes, or in those whose ids end so.
pub(crate) fn recover(tx: &mut Tx<'_>, now: Timestamp, endings: Option<Vec<String>>) -> Result<u64, Error> {
    let listed = begun::recover(tx, now, endings.as_deref())?;
    let sql = "SELECT message_id, number, attempts, started_at FROM delivery WHERE state = 1
         AND ($1 IS NULL OR substr(endpoint_id, 31) IN (SELECT value FROM json_each($1)))";
    for mut row in tx.query("delivery", sql, params![endings.clone()])? {
        let message = row.parsed(|text| MessageId::parse(text).ok())?;
        let id = DeliveryId::new(message, row.count()?);
        let number = row.count()?;
        let started_at = row.maybe_time()?.unwrap_or(now);
        insert_interrupted(tx, id, number, started_at, now)?;
    }
    let sql = "UPDATE delivery SET state = 0, due_at = $2 WHERE state = 1
         AND ($1 IS NULL OR substr(endpoint_id, 31) IN (SELECT value FROM json_each($1)))";
    Ok(listed + tx.execute(sql, params![endings, now])?)
}
