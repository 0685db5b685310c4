//! Deliveries cancelled before their turn came.

use carillon_model::clock::Timestamp;
use carillon_model::delivery::Move;
use carillon_model::id::{DeliveryId, EndpointId, ProjectId};

use crate::db::{Tx, params};
use crate::error::Error;
use crate::pick::{self, Moved, Portion, Portioned, Wanted, pick};
use crate::setup::Store;
use crate::wake::Dropped;

/// Cancels what still waits and tells which that was.
fn cancel(tx: &mut Tx<'_>, seqs: &[i64], now: Timestamp) -> Result<Vec<Dropped>, Error> {
    let sql = "UPDATE delivery SET state = 5, due_at = $2 WHERE seq IN (SELECT value FROM json_each($1))
         AND state + 0 = 0 RETURNING endpoint_id, seq";
    let mut dropped = Vec::new();
    for mut row in tx.query("delivery", sql, params![seqs, now])? {
        let endpoint = row.parsed(|text| EndpointId::parse(text).ok())?;
        dropped.push(Dropped { endpoint, seq: row.int()? });
    }
    Ok(dropped)
}

impl Store {
    /// Cancels a project's delivery that waits. When the call has answered, no attempt of it begins.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn delivery_cancel(&self, project: &ProjectId, id: DeliveryId) -> Result<Moved, Error> {
        self.fan_out_now().await?;
        let (project, now, wake) = (project.clone(), self.clock.now(), self.wake());
        let work = move |tx: &mut Tx<'_>| {
            let Some((seq, state)) = pick::place(tx, &project, id)? else {
                return Ok((Moved::NotThere, Vec::new()));
            };
            if state.after(Move::Cancel).is_none() {
                return Ok((Moved::Refused(state), Vec::new()));
            }
            Ok((Moved::Done, cancel(tx, &[seq], now)?))
        };
        let tell = move |(_moved, dropped): &(Moved, Vec<Dropped>)| wake.drop_cancelled(dropped);
        Ok(self.db.write_then(work, tell).await?.0)
    }

    /// Cancels a portion of a project's deliveries that wait, as [`Store::delivery_cancel`] does one.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn delivery_cancel_all(
        &self,
        project: &ProjectId,
        portion: Portion,
    ) -> Result<Portioned, Error> {
        self.fan_out_now().await?;
        self.lanes_listed().await?;
        let (project, now, wake) = (project.clone(), self.clock.now(), self.wake());
        let picked = self.db.read(move |tx| pick(tx, &project, &portion, Wanted::Cancel)).await?;
        if picked.seqs.is_empty() {
            return Ok(Portioned { moved: 0, next: None });
        }
        let work = move |tx: &mut Tx<'_>| cancel(tx, &picked.seqs, now);
        let tell = move |dropped: &Vec<Dropped>| wake.drop_cancelled(dropped);
        let dropped = self.db.write_then(work, tell).await?;
        Ok(Portioned { moved: u64::try_from(dropped.len()).unwrap_or(u64::MAX), next: picked.next })
    }
}
