//! Who and what a reading found gone although subscriptions or groups name it: found in the transaction that makes the
//! reading the directory, kept with it, and told once to whoever looks after those.

use std::collections::BTreeMap;
use std::sync::Arc;

use carillon_model::audit::Deed;
use carillon_model::clock::Timestamp;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{AuditId, ConnectionId, ProjectId, RunId, SubscriptionId, TopicId};
use carillon_model::office::{Department, RecipientKind};
use carillon_model::topic::TopicName;
use serde::{Deserialize, Serialize};

use crate::db::{Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::office_merge::{groups, named_by};
use crate::office_notice::{Notified, notified};
use crate::pause::{parse_fallback, reach};
use crate::recipient::Recipient;
use crate::setup::Store;
use crate::subscription::Hashes;
use crate::vault::Vault;

/// The most that are kept of one reading; that there were more, the count of those gone tells.
const MISSED_MAX: usize = 200;

/// Somebody or something that is gone and still named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// What it is.
    pub kind: RecipientKind,
    /// The platform's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The subscriptions that name it, alone or by a group of our own.
    pub subscriptions: Vec<(SubscriptionId, TopicName)>,
    /// The groups of our own that name it.
    pub groups: Vec<String>,
}

/// Who is told of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedToTell {
    /// The project.
    pub project: ProjectId,
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub connection_name: String,
    /// What is missed.
    pub missed: Vec<Missed>,
    /// Who is told of which of them, by their places: whoever the subscriptions' fallbacks or the connection name.
    pub to: Vec<MissedTo>,
}

/// Some who are told of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedTo {
    /// The topic through which they are told, and its name.
    pub through: (TopicId, TopicName),
    /// Who gets the notice.
    pub recipients: Vec<Recipient>,
    /// The places of what they are told of.
    pub places: Vec<usize>,
}

/// What is gone, before it is known who names it.
struct Gone {
    kind: RecipientKind,
    name: String,
    /// All that it may be named by, the platform's own id first.
    ids: Vec<String>,
}

/// What stands in the directory and not in what was read; asked before that takes its place.
pub(crate) fn departments_before(
    tx: &mut Tx<'_>,
    connection: &str,
    read: &BTreeMap<String, Department>,
) -> Result<Vec<(String, Option<String>, String)>, Error> {
    let sql = "SELECT platform_id, other_id, name FROM office_department WHERE connection_id = $1";
    let mut gone = Vec::new();
    for mut row in tx.query("office_department", sql, params![connection])? {
        let department = (row.text()?, row.maybe_text()?, row.text()?);
        if !read.contains_key(&department.0) {
            gone.push(department);
        }
    }
    Ok(gone)
}

fn all_gone(
    tx: &mut Tx<'_>,
    connection: &str,
    departments: Vec<(String, Option<String>, String)>,
    now: Timestamp,
) -> Result<Vec<Gone>, Error> {
    let sql = "SELECT kind, name, platform_id, id, open_id, union_id FROM office_recipient
         WHERE connection_id = $1 AND state = 1 AND gone_at = $2 ORDER BY kind, key";
    let mut gone = Vec::new();
    for mut row in tx.query("office_recipient", sql, params![connection, now])? {
        let (kind, name) = (row.parsed(RecipientKind::from_name)?, row.text()?);
        let mut ids = vec![row.text()?, row.text()?];
        ids.extend(row.maybe_text()?);
        ids.extend(row.maybe_text()?);
        gone.push(Gone { kind, name, ids });
    }
    gone.extend(departments.into_iter().map(|(id, other, name)| {
        let ids = std::iter::once(id).chain(other).collect();
        Gone { kind: RecipientKind::Department, name, ids }
    }));
    Ok(gone)
}

/// Finds what is gone and still named, and keeps it with the reading until it is told.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (run, connection): (&str, &str),
    departments: Vec<(String, Option<String>, String)>,
    now: Timestamp,
) -> Result<(), Error> {
    let id = ConnectionId::parse(connection).map_err(|_id| Error::Conflict)?;
    let named = |tx: &mut Tx<'_>, kind, name: &str| {
        let endpoint = Endpoint::Office { connection: id, kind, id: name.into() };
        let mut found = Vec::new();
        for lane in Hashes::new(vault, &endpoint, None).find_address(tx)? {
            found.extend(named_by(tx, &lane)?);
        }
        Ok::<_, Error>(found)
    };
    let mut missed = Vec::new();
    for gone in all_gone(tx, connection, departments, now)? {
        // Whoever reads on holds up every publish.
        if missed.len() == MISSED_MAX {
            break;
        }
        let mut subscriptions = Vec::new();
        for one in &gone.ids {
            subscriptions.extend(named(tx, gone.kind, one)?);
        }
        let in_groups = groups(tx, connection, gone.kind, &gone.ids)?;
        for group in &in_groups {
            subscriptions.extend(named(tx, RecipientKind::Group, group)?);
            let sql = "SELECT id FROM office_group WHERE connection_id = $1 AND name = $2";
            if let Some(mut row) = tx.query_one("office_group", sql, params![connection, group.as_str()])? {
                let id = row.text()?;
                subscriptions.extend(named(tx, RecipientKind::Group, &id)?);
            }
        }
        subscriptions.sort();
        subscriptions.dedup();
        if !(subscriptions.is_empty() && in_groups.is_empty()) {
            let id = gone.ids.into_iter().next().unwrap_or_default();
            missed.push(Missed { kind: gone.kind, id, name: gone.name, subscriptions, groups: in_groups });
        }
    }
    if missed.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string(&missed).map_err(|_json| Error::Conflict)?;
    tx.execute("UPDATE office_run SET missed = $2, untold = 1 WHERE id = $1", params![run, text])?;
    Ok(())
}

pub(crate) fn read_missed(text: Option<String>) -> Vec<Missed> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Who is told of what is missed: one entry for all whom the same people are told through.
fn to_tell(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    connection: &str,
    missed: &[Missed],
) -> Result<Vec<(Notified, Vec<usize>)>, Error> {
    let mut by_reach: BTreeMap<Vec<SubscriptionId>, (Notified, Vec<usize>)> = BTreeMap::new();
    let mut add = |to: Notified, place: usize| {
        let key = to.recipients.iter().map(|one| one.subscription).collect();
        let (_to, places) = by_reach.entry(key).or_insert_with(|| (to, Vec::new()));
        if places.last() != Some(&place) {
            places.push(place);
        }
    };
    let whole = notified(tx, connection)?;
    for (place, one) in missed.iter().enumerate() {
        if let Some(whole) = &whole {
            add(whole.clone(), place);
        }
        for (subscription, _topic) in &one.subscriptions {
            let sql = "SELECT fallback FROM subscription WHERE id = $1 AND fallback IS NOT NULL";
            let row = tx.query_one("subscription", sql, params![subscription.to_string()])?;
            let Some(mut row) = row else { continue };
            let fallback = row.parsed(parse_fallback)?;
            if let Some((through, recipients)) = reach(tx, project, &fallback, None)? {
                add(Notified { project: project.clone(), through, recipients }, place);
            }
        }
    }
    Ok(by_reach.into_values().collect())
}

impl Store {
    /// The readings that found something missed of which nobody was told yet, with their connections.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_list_untold(&self) -> Result<Vec<(RunId, ConnectionId)>, Error> {
        let list = |tx: &mut Tx<'_>| {
            let sql = "SELECT id, connection_id FROM office_run WHERE untold = 1 ORDER BY started_at, id";
            tx.query("office_run", sql, &[])
        };
        let read = |mut row: crate::db::Row| {
            let run = row.parsed(|text| RunId::parse(text).ok())?;
            Ok((run, row.parsed(|text| ConnectionId::parse(text).ok())?))
        };
        self.db.read(list).await?.into_iter().map(read).collect()
    }

    /// What a reading found missed, and who is to be told; nothing when they were told, or there was nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_to_tell(&self, run: RunId) -> Result<Option<MissedToTell>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT c.project_id, c.id, c.name, r.missed FROM office_run r
                 JOIN connection c ON c.id = r.connection_id WHERE r.id = $1 AND r.untold = 1";
            let row = tx.query_one("office_run", sql, params![run.to_string()])?;
            let Some(mut row) = row else { return Ok(None) };
            let project = row.parsed(|text| ProjectId::parse(text).ok())?;
            let connection = row.parsed(|text| ConnectionId::parse(text).ok())?;
            let (connection_name, missed) = (row.text()?, read_missed(row.maybe_text()?));
            let to = to_tell(tx, &project, &connection.to_string(), &missed)?;
            let to = to
                .into_iter()
                .map(|(to, places)| MissedTo { through: to.through, recipients: to.recipients, places })
                .collect();
            Ok(Some(MissedToTell { project, connection, connection_name, missed, to }))
        };
        self.db.read(find).await
    }

    /// Makes the notices of a reading durable with their deliveries and a line in the audit log, once; tells whether it was
    /// done now.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn run_tell(
        &self,
        run: RunId,
        told: &MissedToTell,
        notices: Vec<(StoredMessage, Vec<Recipient>)>,
    ) -> Result<bool, Error> {
        let wake = self.wake();
        let notices = Arc::new(self.all_reached(notices).await?);
        let written = Arc::clone(&notices);
        let (project, connection, now) = (told.project.clone(), told.connection, self.clock.now());
        let detail = format!("{} gone that are still named, {} notices", told.missed.len(), notices.len());
        let line = AuditId::new(now, self.chance.as_ref());
        let work = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE office_run SET untold = 0 WHERE id = $1 AND untold = 1";
            if tx.execute(sql, params![run.to_string()])? == 0 {
                return Ok(None);
            }
            // Nobody did this: the directory did.
            let nobody = "0".repeat(32);
            let sql =
                "INSERT INTO audit (id, project_id, account_id, account_name, credential, deed, what, detail,
                 created_at) VALUES ($1, $2, $3, 'system', '', $4, $5, $6, $7)";
            let deed = Deed::DirectoryMissed.name();
            let row = params![
                line.to_string(),
                project.as_str(),
                nobody,
                deed,
                connection.to_string(),
                detail.as_str(),
                now
            ];
            tx.execute(sql, row)?;
            let insert = |(stored, to): &(Arc<StoredMessage>, Vec<Recipient>)| {
                crate::message::insert(tx, stored, to, None)
            };
            written.iter().map(insert).collect::<Result<Vec<_>, _>>().map(Some)
        };
        let hand = move |places: &Option<Vec<Vec<i64>>>| {
            for ((stored, to), places) in notices.iter().zip(places.iter().flatten()) {
                wake.hand(crate::message::ready(stored, to, places, None));
            }
        };
        Ok(self.db.write_then(work, hand).await?.is_some())
    }
}
