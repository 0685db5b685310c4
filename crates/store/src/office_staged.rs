//! What a reading has read so far, compared with the directory, and made the directory in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carillon_model::clock::Timestamp;
use carillon_model::id::{EndpointId, RunId};
use carillon_model::office::directory::{Change, Counts, Kept, compare, count};
use carillon_model::office::recipient::folded;
use carillon_model::office::{Chat, Department, Member, Platform, Range};

use crate::connection::read_range;
use crate::db::{Tx, params};
use crate::error::Error;
use crate::office_missed::{departments_before, note};
use crate::office_run::{Progress, is_served_here};
use crate::setup::Store;
use crate::vault::Vault;

/// What is to be kept of a page that was read.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    /// Departments.
    pub departments: Vec<Department>,
    /// Members, each with the departments it was found in.
    pub members: Vec<Member>,
    /// Chats.
    pub chats: Vec<Chat>,
}

fn put(
    tx: &mut Tx<'_>,
    run: &str,
    kind: &str,
    key: &str,
    value: &impl serde::Serialize,
) -> Result<(), Error> {
    let value = serde_json::to_string(value).map_err(|_json| Error::Conflict)?;
    let sql = "INSERT INTO office_staged (run_id, kind, key, value) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run_id, kind, key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![run, kind, key, value])?;
    Ok(())
}

fn take<T: serde::de::DeserializeOwned>(
    tx: &mut Tx<'_>,
    run: &str,
    kind: &str,
) -> Result<BTreeMap<String, T>, Error> {
    let sql = "SELECT key, value FROM office_staged WHERE run_id = $1 AND kind = $2";
    let mut found = BTreeMap::new();
    for mut row in tx.query("office_staged", sql, params![run, kind])? {
        let key = row.text()?;
        found.insert(key, row.parsed(|text| serde_json::from_str(text).ok())?);
    }
    Ok(found)
}

fn stage(tx: &mut Tx<'_>, run: &str, platform: Platform, staged: Staged) -> Result<(), Error> {
    for department in &staged.departments {
        put(tx, run, "department", &department.id, department)?;
    }
    for chat in &staged.chats {
        put(tx, run, "chat", &chat.id, chat)?;
    }
    for mut member in staged.members {
        let key = folded(platform, &member.user_id);
        let sql = "SELECT value FROM office_staged WHERE run_id = $1 AND kind = 'member' AND key = $2";
        if let Some(mut row) = tx.query_one("office_staged", sql, params![run, key.as_str()])? {
            let before = row.parsed(|text| serde_json::from_str::<Member>(text).ok())?;
            let all: BTreeSet<String> = before.departments.into_iter().chain(member.departments).collect();
            member.departments = all.into_iter().collect();
        }
        put(tx, run, "member", &key, &member)?;
    }
    Ok(())
}

/// What a reading would change.
pub(crate) struct Difference {
    pub(crate) connection: String,
    platform: Platform,
    ids: BTreeMap<String, String>,
    pub(crate) kept: BTreeMap<String, Kept>,
    pub(crate) read: BTreeMap<String, Member>,
    pub(crate) departments: BTreeMap<String, Department>,
    pub(crate) changes: BTreeMap<String, Change>,
    counts: Counts,
    before: u64,
    lost: bool,
}

pub(crate) fn difference(tx: &mut Tx<'_>, run: &str) -> Result<Option<Difference>, Error> {
    let sql = "SELECT c.id, c.platform, c.range, r.range FROM office_run r JOIN connection c ON c.id = r.connection_id
         WHERE r.id = $1 AND r.state IN ('running', 'asks')";
    let Some(mut row) = tx.query_one("office_run", sql, params![run])? else { return Ok(None) };
    let connection = row.text()?;
    let platform = row.parsed(Platform::from_name)?;
    let (range_before, range) = (read_range(row.maybe_text()?), read_range(row.maybe_text()?));
    let (kept, ids) = kept(tx, &connection)?;
    let departments = take::<Department>(tx, run, "department")?;
    let read = rekeyed(take::<Member>(tx, run, "member")?, &kept);
    let changes = compare(&kept, &read);
    let counts = count(departments.len(), &read, &changes);
    let before = kept.values().filter(|kept| !kept.absent).count();
    let lost = matches!((&range_before, &range), (Some(before), Some(now)) if now.lost(before));
    let before = u64::try_from(before).unwrap_or(u64::MAX);
    Ok(Some(Difference { connection, platform, ids, kept, read, departments, changes, counts, before, lost }))
}

type KeptMembers = (BTreeMap<String, Kept>, BTreeMap<String, String>);

/// The members as they are kept, and their ids, by their compared ids.
fn kept(tx: &mut Tx<'_>, connection: &str) -> Result<KeptMembers, Error> {
    let mut in_departments: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let sql = "SELECT recipient_id, department FROM office_membership WHERE connection_id = $1";
    for mut row in tx.query("office_membership", sql, params![connection])? {
        in_departments.entry(row.text()?).or_default().push(row.text()?);
    }
    let sql = "SELECT id, key, platform_id, open_id, union_id, name, state FROM office_recipient
         WHERE connection_id = $1 AND kind = 'member'";
    let (mut kept, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for mut row in tx.query("office_recipient", sql, params![connection])? {
        let (id, key) = (row.text()?, row.text()?);
        let member = Member {
            user_id: row.text()?,
            open_id: row.maybe_text()?,
            union_id: row.maybe_text()?,
            name: row.text()?,
            left: false,
            departments: in_departments.remove(&id).unwrap_or_default(),
        };
        let absent = row.int()? != 0;
        kept.insert(key.clone(), Kept { member, absent });
        ids.insert(key, id);
    }
    Ok((kept, ids))
}

/// Somebody whose id beside the app's own was not readable before, or no longer is, is still the same.
fn rekeyed(read: BTreeMap<String, Member>, kept: &BTreeMap<String, Kept>) -> BTreeMap<String, Member> {
    let by_open_id: BTreeMap<&str, &String> = kept
        .iter()
        .filter_map(|(key, kept)| kept.member.open_id.as_deref().map(|open_id| (open_id, key)))
        .collect();
    let find = |key: String, member: &Member| {
        let same = member.open_id.as_deref().and_then(|open_id| by_open_id.get(open_id));
        match same {
            Some(&same) if !kept.contains_key(&key) => same.clone(),
            Some(_) | None => key,
        }
    };
    read.into_iter().map(|(key, member)| (find(key, &member), member)).collect()
}

fn set_members(
    tx: &mut Tx<'_>,
    found: &Difference,
    now: Timestamp,
    fresh: &dyn Fn() -> EndpointId,
) -> Result<(), Error> {
    let connection = found.connection.as_str();
    for (key, change) in &found.changes {
        let Some(member) = found.read.get(key).filter(|_| *change != Change::Gone) else {
            let Some(id) = found.ids.get(key) else { continue };
            let sql = "UPDATE office_recipient SET state = 1, gone_at = $2 WHERE id = $1";
            tx.execute(sql, params![id.as_str(), now])?;
            tx.execute("DELETE FROM office_membership WHERE recipient_id = $1", params![id.as_str()])?;
            continue;
        };
        let id = found.ids.get(key).cloned().unwrap_or_else(|| fresh().to_string());
        let own = folded(found.platform, &member.user_id);
        let sql = "INSERT INTO office_recipient (id, connection_id, kind, key, platform_id, open_id, union_id, name, about,
             state, first_seen, last_seen) VALUES ($1, $2, 'member', $3, $4, $5, $6, $7, '', 0, $8, $8)
             ON CONFLICT (id) DO UPDATE SET key = excluded.key, platform_id = excluded.platform_id,
             open_id = excluded.open_id, union_id = excluded.union_id, name = excluded.name, state = 0, gone_at = NULL,
             merged_into = NULL";
        let row = params![
            id.as_str(),
            connection,
            own,
            member.user_id.as_str(),
            member.open_id.clone(),
            member.union_id.clone(),
            member.name.as_str(),
            now
        ];
        tx.execute(sql, row)?;
        tx.execute("DELETE FROM office_membership WHERE recipient_id = $1", params![id.as_str()])?;
        for department in member.departments.iter().collect::<BTreeSet<_>>() {
            let sql =
                "INSERT INTO office_membership (connection_id, department, recipient_id) VALUES ($1, $2, $3)";
            tx.execute(sql, params![connection, department.as_str(), id.as_str()])?;
        }
    }
    let sql = "UPDATE office_recipient SET last_seen = $2 WHERE connection_id = $1 AND kind = 'member' AND state = 0";
    tx.execute(sql, params![connection, now])?;
    Ok(())
}

fn set_departments(tx: &mut Tx<'_>, found: &Difference) -> Result<(), Error> {
    tx.execute("DELETE FROM office_department WHERE connection_id = $1", params![found.connection.as_str()])?;
    for department in found.departments.values() {
        let sql = "INSERT INTO office_department (connection_id, platform_id, other_id, parent, name)
             VALUES ($1, $2, $3, $4, $5)";
        let row = params![
            found.connection.as_str(),
            department.id.as_str(),
            department.other_id.clone(),
            department.parent.clone(),
            department.name.as_str()
        ];
        tx.execute(sql, row)?;
    }
    Ok(())
}

/// Chats that are no longer listed are gone; where none could be listed, all stay as they were.
fn set_chats(
    tx: &mut Tx<'_>,
    connection: &str,
    chats: &BTreeMap<String, Chat>,
    now: Timestamp,
    fresh: &dyn Fn() -> EndpointId,
) -> Result<(), Error> {
    if chats.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE office_recipient SET state = 1, gone_at = $2
         WHERE connection_id = $1 AND kind = 'chat' AND state = 0";
    tx.execute(sql, params![connection, now])?;
    for chat in chats.values() {
        let sql = "INSERT INTO office_recipient (id, connection_id, kind, key, platform_id, name, about, state, first_seen,
             last_seen) VALUES ($1, $2, 'chat', $3, $3, $4, $5, 0, $6, $6)
             ON CONFLICT (connection_id, kind, key) DO UPDATE SET name = excluded.name, about = excluded.about, state = 0,
             gone_at = NULL, last_seen = excluded.last_seen";
        let (id, name) = (fresh().to_string(), chat.name.as_str());
        tx.execute(sql, params![id, connection, chat.id.as_str(), name, chat.description.as_str(), now])?;
    }
    Ok(())
}

fn commit(
    tx: &mut Tx<'_>,
    vault: &Vault,
    run: &str,
    now: Timestamp,
    fresh: &dyn Fn() -> EndpointId,
) -> Result<bool, Error> {
    let Some(found) = difference(tx, run)? else { return Ok(false) };
    let chats = take::<Chat>(tx, run, "chat")?;
    set_members(tx, &found, now, fresh)?;
    let departments = departments_before(tx, &found.connection, &found.departments)?;
    set_departments(tx, &found)?;
    set_chats(tx, &found.connection, &chats, now, fresh)?;
    let sql =
        "UPDATE connection SET updated_at = $2, range = (SELECT r.range FROM office_run r WHERE r.id = $3)
         WHERE id = $1";
    tx.execute(sql, params![found.connection.as_str(), now, run])?;
    set_counts(tx, run, "done", &found.counts)?;
    tx.execute("UPDATE office_run SET ended_at = $2 WHERE id = $1", params![run, now])?;
    tx.execute("DELETE FROM office_staged WHERE run_id = $1", params![run])?;
    note(tx, vault, (run, &found.connection), departments, now)?;
    Ok(true)
}

fn set_counts(tx: &mut Tx<'_>, run: &str, state: &str, counts: &Counts) -> Result<(), Error> {
    let sql = "UPDATE office_run SET state = $2, departments = $3, members = $4, added = $5, changed = $6, moved = $7,
         gone = $8 WHERE id = $1";
    let Counts { departments, members, added, changed, moved, gone } = *counts;
    tx.execute(sql, params![run, state, departments, members, added, changed, moved, gone])?;
    Ok(())
}

impl Store {
    /// Begins a reading anew: forgets what an interrupted one has read. Tells whether it is for this server to read.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn run_restart(&self, run: RunId) -> Result<bool, Error> {
        let node = self.shards.node();
        let work = move |tx: &mut Tx<'_>| {
            let run = run.to_string();
            if !is_served_here(tx, &run, node.as_deref())? {
                return Ok(false);
            }
            tx.execute("DELETE FROM office_staged WHERE run_id = $1", params![run])?;
            Ok(true)
        };
        self.db.write(work).await
    }

    /// Keeps what was read. Tells whether the reading is still wanted, and this server's.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn run_stage(
        &self,
        run: RunId,
        platform: Platform,
        staged: Staged,
        progress: Progress,
    ) -> Result<bool, Error> {
        let node = self.shards.node();
        let work = move |tx: &mut Tx<'_>| {
            let run = run.to_string();
            if !is_served_here(tx, &run, node.as_deref())? {
                return Ok(false);
            }
            let missing = serde_json::to_string(&progress.missing).map_err(|_json| Error::Conflict)?;
            let range: Option<String> = progress
                .range
                .as_ref()
                .map(serde_json::to_string::<Range>)
                .transpose()
                .map_err(|_json| Error::Conflict)?;
            let sql = "UPDATE office_run SET calls = $2, missing = $3, range = coalesce($4, range)
                 WHERE id = $1 AND state = 'running'";
            if tx.execute(sql, params![run.as_str(), progress.calls, missing, range])? == 0 {
                return Ok(false);
            }
            stage(tx, &run, platform, staged)?;
            let sql = "UPDATE office_run SET
                 departments = (SELECT count(*) FROM office_staged WHERE run_id = $1 AND kind = 'department'),
                 members = (SELECT count(*) FROM office_staged WHERE run_id = $1 AND kind = 'member') WHERE id = $1";
            tx.execute(sql, params![run])?;
            Ok(true)
        };
        self.db.write(work).await
    }

    /// Ends a reading: makes what it read the directory, or waits for somebody to say that this is meant, when too many
    /// would go. Tells whether it waits; nothing when it was cancelled meanwhile, or went to another server.
    ///
    /// # Errors
    /// When nothing can be written; then the directory is as it was.
    pub async fn run_finish(&self, run: RunId) -> Result<Option<bool>, Error> {
        let (now, chance, node) = (self.clock.now(), self.chance.clone(), self.shards.node());
        let vault = Arc::clone(&self.vault);
        let work = move |tx: &mut Tx<'_>| {
            let run = run.to_string();
            if !is_served_here(tx, &run, node.as_deref())? {
                return Ok(None);
            }
            let Some(found) = difference(tx, &run)? else { return Ok(None) };
            if found.counts.asks(found.before, found.lost) {
                set_counts(tx, &run, "asks", &found.counts)?;
                return Ok(Some(true));
            }
            commit(tx, &vault, &run, now, &|| EndpointId::new(now, chance.as_ref()))?;
            Ok(Some(false))
        };
        self.db.write(work).await
    }

    /// Makes what a reading read the directory, after somebody said that this is meant. Tells whether the reading waited
    /// for that.
    ///
    /// # Errors
    /// When nothing can be written; then the directory is as it was.
    pub async fn run_confirm(&self, run: RunId) -> Result<bool, Error> {
        let (now, chance) = (self.clock.now(), self.chance.clone());
        let (vault, wake) = (Arc::clone(&self.vault), self.wake());
        let work = move |tx: &mut Tx<'_>| {
            let run = run.to_string();
            let sql = "SELECT id FROM office_run WHERE id = $1 AND state = 'asks'";
            if tx.query_one("office_run", sql, params![run.as_str()])?.is_none() {
                return Ok(false);
            }
            commit(tx, &vault, &run, now, &|| EndpointId::new(now, chance.as_ref()))
        };
        // Whoever reads directories tells of those that are gone, too.
        self.db.write_then(work, move |_done| wake.ask_update()).await
    }
}
