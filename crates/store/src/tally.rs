//! What happened within each five minutes, for charts. Counted in memory and written every few seconds, so that no
//! publish and no attempt waits for it: a server that is killed forgets the last of them. Every server adds its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use carillon_model::Channel;
use carillon_model::clock::Timestamp;
use carillon_model::id::ProjectId;
use carillon_model::outcome::Outcome;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// How long a slot is, in milliseconds.
pub const SLOT_MS: i64 = 5 * 60 * 1000;
/// How many slots are kept: eight days.
const SLOTS_KEPT: i64 = 8 * 24 * 12;
/// How many numbers wait in memory at most; what is more is not counted.
const WAITING_MAX: usize = 65_536;

/// The word of a message, beside the names of outcomes.
const MESSAGE: &str = "message";

/// What a number of a project counts: slot, channel, what. A message has no channel.
type Key = (i64, &'static str, &'static str);

/// What has been counted and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    by_project: BTreeMap<ProjectId, BTreeMap<Key, u64>>,
    /// How many there are.
    len: usize,
}

impl Numbers {
    /// Adds to a number, unless it is one more than may wait. An attempt passes here, so nothing is copied to look.
    fn add(&mut self, project: &ProjectId, key: Key, count: u64) {
        if let Some(sum) = self.by_project.get_mut(project).and_then(|numbers| numbers.get_mut(&key)) {
            *sum += count;
        } else if self.len < WAITING_MAX {
            self.len += 1;
            self.by_project.entry(project.clone()).or_default().insert(key, count);
        }
    }

    /// All of them, in the order of their keys.
    fn iter(&self) -> impl Iterator<Item = (&ProjectId, Key, u64)> {
        let projects = self.by_project.iter();
        projects
            .flat_map(|(project, numbers)| numbers.iter().map(move |(key, count)| (project, *key, *count)))
    }
}

/// What a number of the tally counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Messages that were accepted.
    Messages,
    /// Deliveries whose attempt came back so: the name of an outcome.
    Attempts(Channel, &'static str),
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The slot: its beginning divided by [`SLOT_MS`].
    pub slot: i64,
    /// What it counts.
    pub what: What,
    /// How many.
    pub count: u64,
}

fn read(mut row: Row) -> Result<Option<Count>, Error> {
    let (slot, channel, what) = (row.int()?, row.text()?, row.text()?);
    let count = u64::try_from(row.int()?).unwrap_or(0);
    // What a later version counts is left out.
    let outcome = Outcome::NAMES.into_iter().find(|name| *name == what);
    let what = match (Channel::from_name(&channel), outcome) {
        (Some(channel), Some(outcome)) => What::Attempts(channel, outcome),
        _other if what == MESSAGE => What::Messages,
        _other => return Ok(None),
    };
    Ok(Some(Count { slot, what, count }))
}

impl Store {
    /// Counts something that has just happened. Waits for nothing.
    pub fn tally_add(&self, project: &ProjectId, what: What, count: u64) {
        let (channel, word) = match what {
            What::Messages => ("", MESSAGE),
            What::Attempts(channel, outcome) => (channel.name(), outcome),
        };
        let slot = self.clock.now().0.div_euclid(SLOT_MS);
        let mut counted = self.counted.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.add(project, (slot, channel, word), count);
    }

    /// Writes what has been counted since; what cannot be written is kept for the next time.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn tally_write(&self) -> Result<(), Error> {
        let taken = std::mem::take(&mut *self.counted.0.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.len == 0 {
            return Ok(());
        }
        let row = |(project, (slot, channel, what), count): (&ProjectId, Key, u64)| {
            (project.to_string(), slot, channel, what, count)
        };
        let rows: Vec<_> = taken.iter().map(row).collect();
        let rows = serde_json::to_string(&rows).map_err(|_json| Error::Conflict)?;
        let write = move |tx: &mut Tx<'_>| {
            // The rows come in the order of their keys, so that servers never wait for each other in a circle.
            tx.execute(
                "INSERT INTO tally (project_id, slot, channel, what, count)
                 SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT),
                 json_extract(value, '$[2]'), json_extract(value, '$[3]'),
                 CAST(json_extract(value, '$[4]') AS BIGINT) FROM json_each($1) WHERE true
                 ON CONFLICT (project_id, slot, channel, what) DO UPDATE SET count = tally.count + excluded.count",
                params![rows],
            )
        };
        let written = self.db.write_beside(write, |_changed| ()).await;
        if written.is_err() {
            let mut counted = self.counted.0.lock().unwrap_or_else(PoisonError::into_inner);
            taken.iter().for_each(|(project, key, count)| counted.add(project, key, count));
        }
        written.map(drop)
    }

    /// What happened in a project from a slot on, in the order of the slots. What other servers counted in the last few
    /// seconds is not in it yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tally_list(&self, project: &ProjectId, from: i64) -> Result<Vec<Count>, Error> {
        let of = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT slot, channel, what, count FROM tally WHERE project_id = $1 AND slot >= $2
                 ORDER BY slot, channel, what";
            tx.query("tally", sql, params![of.as_str(), from])
        };
        let rows = self.db.read(list).await?;
        rows.into_iter().filter_map(|row| read(row).transpose()).collect()
    }

    /// Forgets slots that are older than eight days, some at a time, and tells how many numbers went.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn tally_forget(&self, limit: u64) -> Result<u64, Error> {
        let oldest = self.clock.now().since(Timestamp(0)).as_millis();
        let before = i64::try_from(oldest).unwrap_or(i64::MAX).div_euclid(SLOT_MS) - SLOTS_KEPT;
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM tally WHERE slot IN (SELECT slot FROM tally WHERE slot < $1 ORDER BY slot LIMIT $2)";
            tx.execute(sql, params![before, limit])
        };
        self.db.write_beside(forget, |_gone| ()).await
    }
}
