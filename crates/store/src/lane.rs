//! Lanes: in which of them something waits, and what waits next in one.

use carillon_model::id::EndpointId;

use crate::db::{Tx, params};
use crate::delivery::{Ready, read_ready, select_ready};
use crate::error::Error;
use crate::lane_places;
use crate::setup::Store;

/// Goes from lane to lane of those in which something waits, and never over the deliveries of one.
macro_rules! select_lanes {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE lane(id) AS (
             SELECT (SELECT w.endpoint_id FROM lane_waiting w ORDER BY w.endpoint_id LIMIT 1)
             UNION ALL SELECT (SELECT w.endpoint_id FROM lane_waiting w WHERE w.endpoint_id > lane.id
                 ORDER BY w.endpoint_id LIMIT 1) FROM lane WHERE lane.id IS NOT NULL)
             SELECT id FROM lane WHERE id IS NOT NULL ",
            $rest
        )
    };
}
pub(crate) use select_lanes;

/// How much of a lane to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Room {
    /// How many deliveries at most.
    pub most: u64,
    /// How many of them in any case, however large they are.
    pub least: u64,
    /// Behind those, no more begins than with this many bytes of content before it.
    pub bytes: u64,
}

impl From<u64> for Room {
    /// So many, however large they are.
    fn from(most: u64) -> Self {
        Self { most, least: most, bytes: 0 }
    }
}

/// What was read of a lane.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The next deliveries of it.
    pub ready: Vec<Ready>,
    /// How many wait, if that is not more than might be read.
    pub found: usize,
}

impl From<Vec<Ready>> for Taken {
    /// All that there is.
    fn from(ready: Vec<Ready>) -> Self {
        Self { found: ready.len(), ready }
    }
}

/// The next of a lane, with how many there are. What does not fit is not read: its content stays where it is stored.
const NEXT: &str = "SELECT found, seq, number, subscription_id, endpoint_id, attempts, attempts_before, parts_done, due_at,
     overflow, id, project_id, topic_id, topic_name, content, priority, locale, created_at, expires_at FROM (
         SELECT count(*) OVER () AS found, row_number() OVER next AS place,
             coalesce(sum(octet_length(m.content)) OVER (next ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes,
             d.seq, d.number, d.subscription_id, d.endpoint_id, d.attempts, d.attempts_before, d.parts_done, d.due_at,
             (SELECT s.overflow FROM subscription s WHERE s.id = d.subscription_id) AS overflow, m.id, m.project_id,
             m.topic_id, m.topic_name, m.content, m.priority, m.locale, m.created_at,
             coalesce(d.expires_at, m.expires_at) AS expires_at
         FROM (SELECT * FROM delivery WHERE endpoint_id = $1 AND state IN (0, 1) ORDER BY priority DESC, seq LIMIT $2) AS d
             JOIN message m ON m.id = d.message_id
         WINDOW next AS (ORDER BY d.priority DESC, d.seq)) AS waiting
     WHERE place <= $3 OR bytes < $4 ORDER BY place";

impl Store {
    /// The lanes in which something waits.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lane_list(&self) -> Result<Vec<EndpointId>, Error> {
        self.lanes_listed().await?;
        let list = |tx: &mut Tx<'_>| tx.query("delivery", select_lanes!(""), &[]);
        let rows = self.db.read(list).await?;
        rows.into_iter().map(|mut row| row.parsed(|text| EndpointId::parse(text).ok())).collect()
    }

    /// The next deliveries of a lane: urgent ones first, then in the order of their acceptance.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lane_take(&self, endpoint: EndpointId, room: impl Into<Room>) -> Result<Taken, Error> {
        self.lanes_listed().await?;
        let (known, room, lane) = (self.db.version(), room.into(), endpoint.to_string());
        let (rows, mut found) = if self.is_shared() {
            let common = params![room.most, room.least, room.bytes];
            (self.db.ask("delivery", NEXT, params![lane], common).await?, 0)
        } else {
            let wake = self.wake();
            let take = move |tx: &mut Tx<'_>| {
                let next = lane_places::take(tx, &lane, room)?;
                wake.mark.found_over(next.over);
                let sql = select_ready!(
                    "WHERE d.seq IN (SELECT value FROM json_each($1)) ORDER BY d.priority DESC, d.seq"
                );
                Ok((tx.query("delivery", sql, params![next.places])?, next.found))
            };
            self.db.read_alone(take).await?
        };
        let mut ready = Vec::with_capacity(rows.len());
        for mut row in rows {
            if self.is_shared() {
                found = usize::try_from(row.count()?).unwrap_or(usize::MAX);
            }
            ready.push(Ready { known, ..self.copies.of(read_ready(row)?) });
        }
        Ok(Taken { ready, found })
    }
}
