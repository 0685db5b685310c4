//! What office apps sent, to be taken back, and what was.

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, DeliveryId, EndpointId, MessageId, ProjectId};
use carillon_model::office::RecipientKind;
use carillon_model::outcome::Outcome;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// Which of the delivered ones are meant: those that fit all that is set.
#[derive(Debug, Clone)]
pub struct SentFilter {
    /// Those of a message.
    pub message: Option<MessageId>,
    /// Those through an app.
    pub connection: Option<ConnectionId>,
    /// Those to a member or chat.
    pub recipient: Option<EndpointId>,
    /// Those of messages accepted then or later.
    pub since: Timestamp,
    /// Those of messages accepted before.
    pub until: Timestamp,
}

/// A delivery that a platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub delivery: DeliveryId,
    /// The app it went through.
    pub connection: ConnectionId,
    /// What it went to.
    pub kind: RecipientKind,
    /// The platform's id of that.
    pub platform_id: String,
    /// The name.
    pub name: String,
    /// What each of its attempts came back as, with the platform's words, which hold its ids.
    pub attempts: Vec<(Outcome, String)>,
    /// How many deliveries went in the same post.
    pub merged: u32,
    /// When it was taken back.
    pub recalled_at: Option<Timestamp>,
}

fn read_sent(mut row: Row) -> Result<Sent, Error> {
    let message = row.parsed(|text| MessageId::parse(text).ok())?;
    Ok(Sent {
        delivery: DeliveryId::new(message, row.count()?),
        connection: row.parsed(|text| ConnectionId::parse(text).ok())?,
        kind: row.parsed(RecipientKind::from_name)?,
        platform_id: row.text()?,
        name: row.text()?,
        attempts: row.maybe_text()?.map(|words| (Outcome::Accepted, words)).into_iter().collect(),
        merged: row.count()?,
        recalled_at: row.maybe_time()?,
    })
}

/// The words of all attempts of a delivery that was not delivered by its first.
fn attempts(tx: &mut Tx<'_>, id: DeliveryId) -> Result<Vec<(Outcome, String)>, Error> {
    let sql =
        "SELECT outcome, platform_text FROM attempt WHERE message_id = $1 AND number = $2 ORDER BY attempt";
    let rows = tx.query("attempt", sql, params![id.message.to_string(), id.number])?;
    let read = |mut row: Row| {
        // How long it was to wait does not matter here.
        let accepted = row.text()? == Outcome::Accepted.name();
        let outcome = if accepted { Outcome::Accepted } else { Outcome::Refused };
        Ok((outcome, row.maybe_text()?.unwrap_or_default()))
    };
    rows.into_iter().map(read).collect()
}

impl Store {
    /// Lists what office apps of a project sent and their platforms took, as a whole or in part, in the order of the
    /// messages, behind `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sent_page(
        &self,
        project: &ProjectId,
        filter: SentFilter,
        after: Option<DeliveryId>,
        limit: u64,
    ) -> Result<Vec<Sent>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT d.message_id, d.number, r.connection_id, r.kind, r.platform_id, r.name, d.platform_text,
                 d.merged, k.recalled_at FROM message m JOIN delivery d ON d.message_id = m.id
                 JOIN office_recipient r ON r.id = d.endpoint_id
                 LEFT JOIN office_recall k ON k.message_id = d.message_id AND k.number = d.number
                 WHERE m.project_id = $1 AND ($2 IS NULL OR m.id = $2) AND m.created_at >= $3 AND m.created_at < $4
                 AND ($5 IS NULL OR r.connection_id = $5) AND ($6 IS NULL OR r.id = $6)
                 AND (d.state = 2 OR (d.state IN (3, 4, 5) AND d.parts_done > 0))
                 AND (m.id > $7 OR (m.id = $7 AND d.number > $8)) ORDER BY m.id, d.number LIMIT $9";
            let (behind, number) =
                after.map_or((String::new(), 0), |after| (after.message.to_string(), after.number));
            let fits = params![
                project.as_str(),
                filter.message.map(|id| id.to_string()),
                filter.since,
                filter.until,
                filter.connection.map(|id| id.to_string()),
                filter.recipient.map(|id| id.to_string()),
                behind,
                number,
                limit
            ];
            let rows = tx.query("delivery", sql, fits)?;
            let mut found = Vec::with_capacity(rows.len());
            for row in rows {
                let mut sent = read_sent(row)?;
                // A first success has no row of its own.
                let all = attempts(tx, sent.delivery)?;
                if !all.is_empty() {
                    sent.attempts = all;
                }
                found.push(sent);
            }
            Ok(found)
        };
        self.db.read(list).await
    }

    /// Notes that deliveries were taken back. What was noted longer ago than `before` is forgotten: no platform takes
    /// anything back so late.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn recall_note(&self, deliveries: Vec<DeliveryId>, before: Timestamp) -> Result<(), Error> {
        let now = self.clock.now();
        let note = move |tx: &mut Tx<'_>| {
            tx.execute("DELETE FROM office_recall WHERE recalled_at < $1", params![before])?;
            for id in &deliveries {
                let sql = "INSERT INTO office_recall (message_id, number, recalled_at) VALUES ($1, $2, $3)
                     ON CONFLICT (message_id, number) DO NOTHING";
                tx.execute(sql, params![id.message.to_string(), id.number, now])?;
            }
            Ok(())
        };
        self.db.write(note).await
    }
}
