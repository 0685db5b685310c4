//! Deliveries sent again. Each takes a new place at the end of its lane, as if it had just been accepted, so that the
//! order within a lane stays the order of places; its number, its attempts and what has arrived of it stay.

use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::delivery::Move;
use carillon_model::id::{DeliveryId, EndpointId, ProjectId};
use carillon_model::message::Priority;

use crate::db::{Tx, params};
use crate::delivery::{Ready, read_ready, select_ready};
use crate::error::Error;
use crate::message::read_priority;
use crate::pick::{self, Moved, Portion, Portioned, Wanted, pick};
use crate::setup::Store;
use crate::wake::Wake;

/// The same delivery again in a new place, under a negative number while the old row still has the positive one. A
/// place is given by the insert, in either database, and never given twice.
const INSERT_AGAIN: &str = "INSERT INTO delivery
     (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts, parts_done, started_at,
     elapsed_ms, platform_code, platform_text, merged, attempts_before, expires_at)
     SELECT d.message_id, -d.number, d.subscription_id, d.endpoint_id, d.channel, d.priority, 0, $2, d.attempts, d.parts_done,
     d.started_at, d.elapsed_ms, d.platform_code, d.platform_text, d.merged, d.attempts,
     CASE WHEN coalesce(d.expires_at, m.expires_at) > $3 THEN coalesce(d.expires_at, m.expires_at) ELSE $3 END
     FROM delivery d JOIN message m ON m.id = d.message_id
     WHERE d.seq IN (SELECT value FROM json_each($1)) AND d.state + 0 IN (3, 4, 5)
     AND (d.subscription_id = d.endpoint_id
             OR EXISTS (SELECT 1 FROM subscription s WHERE s.id = d.subscription_id AND s.state IN (1, 2)))
     ORDER BY d.seq RETURNING seq, endpoint_id, priority";

const DELETE_OLD: &str = "DELETE FROM delivery WHERE seq IN (SELECT value FROM json_each($1))
     AND EXISTS (SELECT 1 FROM delivery again WHERE again.message_id = delivery.message_id
     AND again.number = -delivery.number)";

const NUMBER_AGAIN: &str =
    "UPDATE delivery SET number = -number WHERE seq IN (SELECT value FROM json_each($1))";

/// How many resent deliveries are handed to the engine themselves; of more, only the lanes are named.
const HAND_MAX: usize = 64;

/// What waits again.
struct Again {
    count: u64,
    /// The last new place.
    last: Option<i64>,
    /// The deliveries by their places, when they are few.
    ready: Vec<Ready>,
    /// Their lanes, when they are many, with their priorities.
    lanes: Vec<(EndpointId, Priority)>,
}

impl Again {
    fn tell(&self, wake: &Wake) {
        if self.lanes.is_empty() {
            wake.hand(self.ready.clone());
        } else {
            self.last.into_iter().for_each(|last| wake.mark.saw(last));
            wake.look_into(self.lanes.iter().copied());
        }
    }
}

/// Moves what may be moved to the end of its lane.
fn resend(tx: &mut Tx<'_>, seqs: &[i64], now: Timestamp, life: Duration) -> Result<Again, Error> {
    let (mut new, mut lanes) = (Vec::new(), Vec::new());
    for mut row in tx.query("delivery", INSERT_AGAIN, params![seqs, now, now.plus(life)])? {
        new.push(row.int()?);
        lanes.push((row.parsed(|text| EndpointId::parse(text).ok())?, read_priority(&mut row)?));
    }
    tx.execute(DELETE_OLD, params![seqs])?;
    let count = tx.execute(NUMBER_AGAIN, params![new.as_slice()])?;
    let last = new.iter().copied().max();
    if new.len() > HAND_MAX {
        return Ok(Again { count, last, ready: Vec::new(), lanes });
    }
    let sql = select_ready!("WHERE d.seq IN (SELECT value FROM json_each($1)) ORDER BY d.seq");
    let rows = tx.query("delivery", sql, params![new])?;
    let ready = rows.into_iter().map(read_ready).collect::<Result<_, _>>()?;
    Ok(Again { count, last, ready, lanes: Vec::new() })
}

impl Store {
    /// Sends a project's delivery again: it waits at the end of its lane, due now, for at least `life`. The engine is
    /// told when that is durable.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn delivery_resend(
        &self,
        project: &ProjectId,
        id: DeliveryId,
        life: Duration,
    ) -> Result<Moved, Error> {
        self.fan_out_now().await?;
        let (project, now, wake) = (project.clone(), self.clock.now(), self.wake());
        let work = move |tx: &mut Tx<'_>| {
            let Some((seq, state)) = pick::place(tx, &project, id)? else {
                return Ok((Moved::NotThere, None));
            };
            if state.after(Move::Resend).is_none() {
                return Ok((Moved::Refused(state), None));
            }
            let again = resend(tx, &[seq], now, life)?;
            Ok((if again.count > 0 { Moved::Done } else { Moved::NoTarget }, Some(again)))
        };
        let tell = move |(_moved, again): &(Moved, Option<Again>)| {
            if let Some(again) = again {
                again.tell(&wake);
            }
        };
        Ok(self.db.write_then(work, tell).await?.0)
    }

    /// Sends a portion of a project's deliveries again, as [`Store::delivery_resend`] does one; those whose
    /// subscription is gone are passed over.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn delivery_resend_all(
        &self,
        project: &ProjectId,
        portion: Portion,
        life: Duration,
    ) -> Result<Portioned, Error> {
        self.fan_out_now().await?;
        let (project, now, wake) = (project.clone(), self.clock.now(), self.wake());
        let picked = self.db.read(move |tx| pick(tx, &project, &portion, Wanted::Resend)).await?;
        if picked.seqs.is_empty() {
            return Ok(Portioned { moved: 0, next: None });
        }
        let work = move |tx: &mut Tx<'_>| resend(tx, &picked.seqs, now, life);
        let again = self.db.write_then(work, move |again: &Again| again.tell(&wake)).await?;
        Ok(Portioned { moved: again.count, next: picked.next })
    }
}
