//! What tells why a delivery stands where it stands.

use carillon_model::delivery::DeliveryState;
use carillon_model::id::{DeliveryId, MessageId, ProjectId, SubscriptionId};

use crate::attempt::{DeliveryRecord, list};
use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// How many deliveries before another are counted; there may be more.
pub const BEFORE_MAX: u64 = 10_000;

impl Store {
    /// Finds the delivery of a project's message that is for a subscription.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_find_for(
        &self,
        project: &ProjectId,
        message: MessageId,
        subscription: SubscriptionId,
    ) -> Result<Option<DeliveryRecord>, Error> {
        self.fan_out_now().await?;
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT number FROM delivery WHERE message_id = $1 AND subscription_id = $2";
            let row =
                tx.query_one("delivery", sql, params![message.to_string(), subscription.to_string()])?;
            let Some(mut row) = row else { return Ok(None) };
            let after = row.count()?.saturating_sub(1);
            Ok(list(tx, &project, message, after, 1)?.into_iter().next())
        };
        self.db.read(find).await
    }

    /// Counts the deliveries of a project's message in each state that occurs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_count(
        &self,
        project: &ProjectId,
        message: MessageId,
    ) -> Result<Vec<(DeliveryState, u64)>, Error> {
        self.fan_out_now().await?;
        let project = project.clone();
        let count = move |tx: &mut Tx<'_>| {
            let sql = "SELECT d.state, count(*) FROM message m JOIN delivery d ON d.message_id = m.id
                 WHERE m.id = $1 AND m.project_id = $2 GROUP BY d.state ORDER BY d.state";
            tx.query("delivery", sql, params![message.to_string(), project.as_str()])
        };
        let mut counts = Vec::new();
        for mut row in self.db.read(count).await? {
            let state = row.int()?;
            let state =
                DeliveryState::from_number(state).ok_or_else(|| row.corrupt("there is no such state"))?;
            counts.push((state, u64::try_from(row.int()?).unwrap_or(0)));
        }
        Ok(counts)
    }

    /// Counts what goes before a delivery in its lane, urgent ones first, up to [`BEFORE_MAX`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lane_before(&self, id: DeliveryId) -> Result<u64, Error> {
        self.lanes_shown().await;
        let count = move |tx: &mut Tx<'_>| {
            let sql = "SELECT count(*) FROM (SELECT 1 FROM delivery d
                 JOIN lane_waiting other ON other.endpoint_id = d.endpoint_id
                 WHERE d.message_id = $1 AND d.number = $2
                 AND (other.priority > d.priority OR (other.priority = d.priority AND other.seq < d.seq))
                 LIMIT $3) AS before";
            tx.query_one("delivery", sql, params![id.message.to_string(), id.number, BEFORE_MAX])
        };
        let row = self.db.read(count).await?;
        let count = row.map(|mut row| row.int()).transpose()?;
        Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
    }
}
