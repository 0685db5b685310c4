//! What becomes of deliveries when more wait in a lane than its rates let through soon.

use carillon_model::delivery::EndCause;
use carillon_model::id::{EndpointId, SubscriptionId, TopicId};
use carillon_model::message::Priority;
use carillon_model::subscription::Overflow;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::lane_index;
use crate::setup::Store;

pub(crate) fn read_overflow(row: &mut Row) -> Result<Overflow, Error> {
    let number = row.int()?;
    Overflow::from_number(number).ok_or_else(|| row.corrupt("there is no such overflow"))
}

/// The place from which on the newest `$2` stay; what is before it goes. Only what a subscription in force that drops
/// its oldest waits for is meant, and nothing of which a part has arrived.
const DROP_OLDEST: &str = "UPDATE delivery SET state = 5, due_at = $3, cause = $4
     WHERE seq IN (SELECT w.seq FROM lane_waiting w
         WHERE w.endpoint_id = $1 AND w.state = 0 AND w.priority = $5 AND w.parts_done = 0
         AND w.subscription_id IN (SELECT s.id FROM subscription s
             WHERE s.endpoint_id = $1 AND s.overflow = $6 AND s.state IN (1, 2)))
     AND seq < (SELECT min(kept.seq) FROM (SELECT d.seq FROM lane_waiting d
         JOIN subscription o ON o.id = d.subscription_id
         WHERE d.endpoint_id = $1 AND d.priority = $5 AND d.parts_done = 0
         AND o.overflow = $6 AND o.state IN (1, 2) ORDER BY d.seq DESC LIMIT $2) AS kept)
     RETURNING seq";

impl Store {
    /// Cancels what waits in a lane for subscriptions that drop their oldest, but for the newest `keep`, and tells which
    /// places that were, lowest first. Urgent ones stay.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn lane_drop_oldest(&self, endpoint: EndpointId, keep: u64) -> Result<Vec<i64>, Error> {
        let now = self.clock.now();
        let work = move |tx: &mut Tx<'_>| {
            lane_index::list_all(tx)?;
            let shown = params![
                endpoint.to_string(),
                keep,
                now,
                EndCause::Dropped.name(),
                Priority::Normal.number(),
                Overflow::DropOldest.number()
            ];
            let rows = tx.query("delivery", DROP_OLDEST, shown)?;
            rows.into_iter().map(|mut row| row.int()).collect::<Result<Vec<_>, _>>()
        };
        let mut dropped = self.db.write(work).await?;
        dropped.sort_unstable();
        Ok(dropped)
    }

    /// Sets what becomes of a subscription's messages when too many wait, and tells whether it is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_overflow_set(
        &self,
        topic: TopicId,
        id: SubscriptionId,
        overflow: Overflow,
    ) -> Result<bool, Error> {
        let change = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE subscription SET overflow = $3 WHERE id = $1 AND topic_id = $2";
            tx.execute(sql, params![id.to_string(), topic.to_string(), overflow.number()])
        };
        Ok(self.db.write(change).await? > 0)
    }
}
