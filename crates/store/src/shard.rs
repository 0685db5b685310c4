//! Which lanes this server serves. Lanes are divided into 256 shards; on a file the one server has all, on PostgreSQL the
//! servers divide them among themselves (`db/postgres/keeper.rs`).

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::message::Priority;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::db::{Row, Tx, params};
use crate::delivery::recover;
use crate::error::Error;
use crate::lane::select_lanes;
use crate::message::read_priority;
use crate::seat;
use crate::setup::Store;

/// How many shards there are.
pub const SHARDS: usize = 256;

/// A two hundred and fifty-sixth of all lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u8);

impl Shard {
    /// The shard of a lane: the last byte of its id, which is random.
    #[must_use]
    pub fn of(lane: EndpointId) -> Self {
        Self(lane.last_byte())
    }

    /// The shard of the work of an office app: its directory is read by the server that has it.
    #[must_use]
    pub fn of_connection(connection: ConnectionId) -> Self {
        Self(connection.last_byte())
    }

    /// How the ids of its lanes end.
    pub(crate) fn ending(self) -> String {
        format!("{:02x}", self.0)
    }
}

/// A server that shares the database, as it wrote itself down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name; each time it joins it has another. What stands before the first hyphen is its seat (ADR 46).
    pub id: String,
    /// When it last said that it is there, by the database's clock.
    pub seen_at: Timestamp,
    /// Whether it serves; one that is about to stop does not.
    pub serves: bool,
    /// The version of the store that its program knows.
    pub version: u32,
    /// How many of the shards it serves.
    pub shares: u32,
    /// Whether it is this one.
    pub is_here: bool,
}

/// What this server holds.
#[derive(Debug, Default)]
pub struct Shards {
    held: Mutex<Held>,
    /// Wakes the keeper.
    pub(crate) released: Notify,
    /// How many servers serve, this one too; 0 before it is known.
    servers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Held {
    /// The name under which this server takes part; none while it is alone with its database.
    node: Option<String>,
    mine: BTreeSet<Shard>,
    /// Given up, but something of it may still be under way.
    leaving: BTreeSet<Shard>,
    /// Given up, and nothing of it is under way.
    gone: BTreeSet<Shard>,
    /// Nothing is taken any more.
    closing: bool,
    /// Nobody else can have taken anything before this moment.
    valid_until: Option<Instant>,
}

impl Shards {
    fn locked(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().expect("no code panics while it holds the shards")
    }

    /// Whether this server may begin an attempt in a lane now.
    #[must_use]
    pub fn may_send(&self, lane: EndpointId) -> bool {
        self.may_serve(Shard::of(lane))
    }

    /// Whether this server may begin something in a shard now.
    #[must_use]
    pub fn may_serve(&self, shard: Shard) -> bool {
        let held = self.locked();
        held.node.is_none()
            || (held.mine.contains(&shard) && held.valid_until.is_some_and(|until| Instant::now() < until))
    }

    /// Whether a lane is this server's, be it in doubt for the moment.
    #[must_use]
    pub fn is_mine(&self, lane: EndpointId) -> bool {
        let held = self.locked();
        held.node.is_none() || held.mine.contains(&Shard::of(lane))
    }

    /// How many servers divide the lanes, as far as it is known.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.servers.load(Ordering::Relaxed).max(1)
    }

    pub(crate) fn count_servers(&self, servers: usize) {
        self.servers.store(servers, Ordering::Relaxed);
    }

    /// Whether other servers may serve other lanes.
    #[must_use]
    pub fn are_shared(&self) -> bool {
        self.locked().node.is_some()
    }

    /// What this server serves; nothing said when it serves all.
    #[must_use]
    pub fn mine(&self) -> Option<Vec<Shard>> {
        let held = self.locked();
        held.node.as_ref().map(|_node| held.mine.iter().copied().collect())
    }

    /// Says that nothing is under way any more in shards that were given up.
    pub fn release(&self, shards: &[Shard]) {
        let mut held = self.locked();
        for shard in shards {
            if held.leaving.remove(shard) {
                held.gone.insert(*shard);
            }
        }
        drop(held);
        self.released.notify_one();
    }

    /// Gives up everything at once: nothing is under way any more.
    pub fn release_all(&self) {
        let mut held = self.locked();
        let all = std::mem::take(&mut held.mine);
        held.gone.extend(all);
        let leaving = std::mem::take(&mut held.leaving);
        held.gone.extend(leaving);
        drop(held);
        self.released.notify_one();
    }

    /// Begins to hand over everything, and takes nothing any more. What is under way keeps its shard until it is released.
    pub fn close(&self) {
        self.locked().closing = true;
        drop(self.leave_all());
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.locked().closing
    }

    /// What was given up, but not released yet.
    #[must_use]
    pub fn leaving(&self) -> Vec<Shard> {
        self.locked().leaving.iter().copied().collect()
    }

    pub(crate) fn node(&self) -> Option<String> {
        self.locked().node.clone()
    }

    /// Takes part under a name, with nothing held yet.
    pub(crate) fn join(&self, node: String) {
        *self.locked() = Held { node: Some(node), ..Held::default() };
    }

    /// The lease holds until then.
    pub(crate) fn extend(&self, until: Instant) {
        self.locked().valid_until = Some(until);
    }

    /// Takes shards in; tells which are new.
    pub(crate) fn gain(&self, shards: impl IntoIterator<Item = Shard>) -> Vec<Shard> {
        let mut held = self.locked();
        if held.closing {
            return Vec::new();
        }
        let busy = |held: &Held, shard| held.leaving.contains(&shard) || held.gone.contains(&shard);
        let new: Vec<Shard> =
            shards.into_iter().filter(|shard| !busy(&held, *shard) && !held.mine.contains(shard)).collect();
        held.mine.extend(&new);
        new
    }

    /// Gives shards up; tells which were held.
    pub(crate) fn leave(&self, shards: impl IntoIterator<Item = Shard>) -> Vec<Shard> {
        let mut held = self.locked();
        let left: Vec<Shard> = shards.into_iter().filter(|shard| held.mine.remove(shard)).collect();
        held.leaving.extend(&left);
        left
    }

    /// Gives everything up.
    pub(crate) fn leave_all(&self) -> Vec<Shard> {
        let all: Vec<Shard> = self.locked().mine.iter().copied().collect();
        self.leave(all)
    }

    /// What is given up and quiet.
    pub(crate) fn gone(&self) -> Vec<Shard> {
        self.locked().gone.iter().copied().collect()
    }

    /// Others know that these were given up.
    pub(crate) fn forget(&self, shards: &[Shard]) {
        let mut held = self.locked();
        for shard in shards {
            held.gone.remove(shard);
        }
    }

    /// Whether nothing at all is held or under way.
    pub(crate) fn is_quiet(&self) -> bool {
        let held = self.locked();
        held.mine.is_empty() && held.leaving.is_empty()
    }
}

/// What one server is to do so that all have the same share.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) take: Vec<Shard>,
    pub(crate) give: Vec<Shard>,
}

/// Divides: `nodes` are those that live, in order; `owners` tells whose each shard is. Whoever has too many gives some
/// back, whoever has too few takes what is nobody's.
pub(crate) fn divide(me: &str, nodes: &[String], owners: &[Option<String>]) -> Change {
    let Some(place) = nodes.iter().position(|node| node == me) else { return Change::default() };
    let quota = owners.len() / nodes.len() + usize::from(place < owners.len() % nodes.len());
    let (mut mine, mut free) = (Vec::new(), Vec::new());
    for (owner, number) in owners.iter().zip(0_u8..=u8::MAX) {
        match owner {
            Some(owner) if owner == me => mine.push(Shard(number)),
            Some(owner) if nodes.contains(owner) => {}
            Some(_) | None => free.push(Shard(number)),
        }
    }
    let give = mine.split_off(quota.min(mine.len()));
    free.truncate(quota - mine.len());
    Change { take: free, give }
}

impl Store {
    /// What this server holds.
    #[must_use]
    pub fn shards(&self) -> std::sync::Arc<Shards> {
        std::sync::Arc::clone(&self.shards)
    }

    /// Begins to take part in the division of the lanes, if this database is one that servers share. What is gained and
    /// lost is told through the wake. Whoever ran in this directory before is taken out at once.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn shard_join(&self) -> Result<(), Error> {
        let chance = self.chance.number();
        let node = match seat::of(&self.lock) {
            Some(seat) => format!("{seat}-{:08x}", chance >> 32),
            None => format!("{chance:016x}"),
        };
        self.wake.share(&self.shards);
        self.db.join(&self.shards, &self.wake, node)
    }

    /// The servers that share this database, by name; none where a server is alone with its own.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn server_list(&self) -> Result<Vec<Server>, Error> {
        let list = |tx: &mut Tx<'_>| {
            let sql = "SELECT n.id, n.seen_at, n.serves, n.version,
                 (SELECT count(*) FROM shard s WHERE s.node_id = n.id) FROM node n ORDER BY n.id";
            tx.query("node", sql, &[])
        };
        let me = self.shards.node();
        let read = |mut row: Row| {
            let id = row.text()?;
            Ok(Server {
                is_here: me.as_deref() == Some(id.as_str()),
                id,
                seen_at: row.time()?,
                serves: row.int()? != 0,
                version: row.count()?,
                shares: row.count()?,
            })
        };
        self.db.read(list).await?.into_iter().map(read).collect()
    }

    /// Begins to serve shards: what was being sent in them when their last server went away waits again, and its
    /// attempt is written down as unknown. Tells how many those were, and in which lanes something waits.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn shard_take(&self, shards: &[Shard]) -> Result<(u64, Vec<EndpointId>), Error> {
        self.lanes_listed().await?;
        let endings: Vec<String> = shards.iter().map(|shard| shard.ending()).collect();
        let (now, lanes) = (self.clock.now(), endings.clone());
        let recovered = self.db.write(move |tx| recover(tx, now, Some(endings))).await?;
        let list = move |tx: &mut Tx<'_>| {
            let sql = select_lanes!("AND substr(id, 31) IN (SELECT value FROM json_each($1))");
            tx.query("delivery", sql, params![lanes])
        };
        let rows = self.db.read(list).await?;
        let lanes = rows.into_iter().map(|mut row| row.parsed(|text| EndpointId::parse(text).ok()));
        Ok((recovered, lanes.collect::<Result<_, _>>()?))
    }

    /// The lanes of which something was written down behind place `after` and still waits, with the highest priority of
    /// it, and the last place there is:
    /// the safety net under the word that servers send each other.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lane_list_since(&self, after: i64) -> Result<(i64, Vec<(EndpointId, Priority)>), Error> {
        let list = move |tx: &mut Tx<'_>| {
            let last = tx.query_one("delivery", "SELECT coalesce(max(seq), 0) FROM delivery", &[])?;
            let last = last.map_or(Ok(0), |mut row| row.int())?;
            let sql = "SELECT endpoint_id, max(priority) FROM delivery WHERE seq > $1 AND state + 0 IN (0, 1)
                 GROUP BY endpoint_id";
            Ok((last, tx.query("delivery", sql, params![after])?))
        };
        let (last, rows) = self.db.read(list).await?;
        let lane =
            |mut row: Row| Ok((row.parsed(|text| EndpointId::parse(text).ok())?, read_priority(&mut row)?));
        Ok((last, rows.into_iter().map(lane).collect::<Result<_, Error>>()?))
    }

    /// When posts left in a lane since a time, whichever server sent them, oldest first; a message in several parts
    /// counts once for each.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lane_sent(&self, lane: EndpointId, since: Timestamp) -> Result<Vec<Timestamp>, Error> {
        const MOST: u64 = 200;
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT at, max(parts) FROM (
                 SELECT started_at AS at, parts_done AS parts FROM delivery
                     WHERE endpoint_id = $1 AND started_at >= $2
                 UNION ALL SELECT a.started_at, 1 FROM delivery d
                     JOIN attempt a ON a.message_id = d.message_id AND a.number = d.number
                     WHERE d.endpoint_id = $1 AND d.started_at >= $2 AND a.started_at >= $2) AS sent
                 GROUP BY at ORDER BY at DESC LIMIT $3";
            tx.query("delivery", sql, params![lane.to_string(), since, MOST])
        };
        let mut sent = Vec::new();
        for mut row in self.db.read(find).await? {
            let (at, parts) = (row.time()?, row.count()?);
            sent.extend(std::iter::repeat_n(at, usize::try_from(parts.clamp(1, 100)).unwrap_or(1)));
        }
        sent.reverse();
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SHARDS, divide};

    proptest! {
        /// Whoever comes and goes, after a few rounds all have the same share and nothing is nobody's; nothing is taken
        /// from somebody who lives.
        #[test]
        fn all_have_the_same_share(lives in proptest::collection::vec(1_usize..7, 1..6), seed in 0_usize..97) {
            let mut owners: Vec<Option<String>> = vec![None; SHARDS];
            for (turn, count) in lives.into_iter().enumerate() {
                // Some of the names are new each time.
                let mut nodes: Vec<String> =
                    (0..count).map(|n| format!("node-{}", (n + turn * seed) % 9)).collect();
                nodes.sort();
                nodes.dedup();
                for _round in 0..3 {
                    for me in &nodes {
                        let change = divide(me, &nodes, &owners);
                        for shard in change.give {
                            prop_assert_eq!(owners[usize::from(shard.0)].as_ref(), Some(me));
                            owners[usize::from(shard.0)] = None;
                        }
                        for shard in change.take {
                            let owner = &mut owners[usize::from(shard.0)];
                            prop_assert!(owner.as_ref().is_none_or(|owner| !nodes.contains(owner)));
                            *owner = Some(me.clone());
                        }
                    }
                }
                for me in &nodes {
                    let share = owners.iter().filter(|owner| owner.as_ref() == Some(me)).count();
                    prop_assert!(share == SHARDS / nodes.len() || share == SHARDS / nodes.len() + 1, "{share}");
                }
            }
        }
    }
}
