//! Members who are gone: what still names them, who they may be now, and saying that somebody has come back under a new id.
//!
//! A merge changes no subscription and no group: it leaves a sign at the old member, which everything that names the old one
//! follows when a message is sent. So it can be taken back, and holds for old ids in scripts, too.

use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, EndpointId, SubscriptionId};
use carillon_model::office::RecipientKind;
use carillon_model::topic::TopicName;

use crate::db::{Row, Tx, params};
use crate::directory::{Kept, read_kept};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::Hashes;

/// The most that are offered for one who is gone.
const OFFERED_MAX: u64 = 20;

/// Why somebody may be the one who is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    /// The same mail address or phone number was bound to both, one after the other.
    Contact,
    /// The platform's id for all apps of one developer is the same.
    UnionId,
    /// The name is the same.
    Name,
}

impl Alike {
    /// The reason's name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::UnionId => "union_id",
            Self::Name => "name",
        }
    }
}

/// A member who is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The member.
    pub member: Kept,
    /// The groups that name the member.
    pub groups: Vec<String>,
    /// The subscriptions that name the member, with their topics.
    pub subscriptions: Vec<(SubscriptionId, TopicName)>,
    /// Who the member is now, if somebody said so.
    pub merged_into: Option<EndpointId>,
    /// Who the member may be now: they came when the other was gone, the likeliest first.
    pub candidates: Vec<(Kept, Vec<Alike>)>,
}

/// What came of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// It is done.
    Done,
    /// The first is no member of the connection who is gone.
    NotGone,
    /// The second is no member of the connection who is there.
    NotThere,
}

fn candidates(tx: &mut Tx<'_>, connection: &str, gone: &str) -> Result<Vec<(Kept, Vec<Alike>)>, Error> {
    let sql = "SELECT r.id, r.platform_id, r.open_id, r.union_id, r.name, r.about, r.state, r.first_seen, r.last_seen,
         r.gone_at, CASE WHEN r.name = g.name THEN 1 ELSE 0 END, CASE WHEN r.union_id = g.union_id THEN 1 ELSE 0 END,
         (SELECT count(*) FROM office_contact c WHERE c.recipient_id = r.id AND c.previous_id = g.id)
         FROM office_recipient g JOIN office_recipient r ON r.connection_id = g.connection_id AND r.kind = g.kind
         AND r.state = 0 AND r.first_seen >= g.gone_at
         AND ((r.name = g.name AND g.name <> '') OR r.union_id = g.union_id
              OR r.id IN (SELECT c.recipient_id FROM office_contact c WHERE c.previous_id = g.id))
         WHERE g.connection_id = $1 AND g.id = $2 ORDER BY r.id LIMIT $3";
    let mut found = Vec::new();
    for mut row in tx.query("office_recipient", sql, params![connection, gone, OFFERED_MAX])? {
        let kept = read_kept(&mut row)?;
        let (name, union_id, contact) = (row.int()? > 0, row.int()? > 0, row.int()? > 0);
        let whys = [(Alike::Contact, contact), (Alike::UnionId, union_id), (Alike::Name, name)];
        let whys: Vec<Alike> = whys.into_iter().filter(|(_, holds)| *holds).map(|(why, _)| why).collect();
        found.push((kept, whys));
    }
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(found)
}

/// The groups of our own that name a member or a department by one of these ids.
pub(crate) fn groups(
    tx: &mut Tx<'_>,
    connection: &str,
    kind: RecipientKind,
    ids: &[String],
) -> Result<Vec<String>, Error> {
    let sql = "SELECT DISTINCT g.name FROM office_group g JOIN office_group_part p ON p.group_id = g.id
         WHERE g.connection_id = $1 AND p.kind IN (SELECT value FROM json_each($3))
         AND p.platform_id IN (SELECT value FROM json_each($2)) ORDER BY g.name";
    let kinds: &[&str] = match kind {
        RecipientKind::Member => &["member"],
        RecipientKind::Department => &["department", "department_only"],
        RecipientKind::Group | RecipientKind::Chat => &[],
    };
    let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
    let rows = tx.query("office_group", sql, params![connection, ids.to_vec(), kinds])?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

impl Store {
    /// Lists a connection's members who are gone, by our ids, behind `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn gone_page(
        &self,
        connection: ConnectionId,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<Gone>, Error> {
        let vault = self.vault.clone();
        let list = move |tx: &mut Tx<'_>| {
            let text = connection.to_string();
            let sql = "SELECT r.id, r.platform_id, r.open_id, r.union_id, r.name, r.about, r.state, r.first_seen,
                 r.last_seen, r.gone_at, r.merged_into FROM office_recipient r
                 WHERE r.connection_id = $1 AND r.kind = 'member' AND r.state = 1 AND ($2 IS NULL OR r.id > $2)
                 ORDER BY r.id LIMIT $3";
            let after = after.map(|id| id.to_string());
            let mut found = Vec::new();
            for mut row in tx.query("office_recipient", sql, params![text.as_str(), after, limit])? {
                let member = read_kept(&mut row)?;
                let merged_into = row.maybe_parsed(|text| EndpointId::parse(text).ok())?;
                let id = member.id.to_string();
                let others = member.open_id.iter().chain(&member.union_id).cloned();
                let ids: Vec<String> =
                    [id.clone(), member.platform_id.clone()].into_iter().chain(others).collect();
                let groups = groups(tx, &text, RecipientKind::Member, &ids)?;
                let mut subscriptions = Vec::new();
                for id in ids {
                    let endpoint =
                        Endpoint::Office { connection, kind: RecipientKind::Member, id: id.into() };
                    for lane in Hashes::new(&vault, &endpoint, None).find_address(tx)? {
                        subscriptions.extend(named_by(tx, &lane)?);
                    }
                }
                let candidates = candidates(tx, &text, &id)?;
                found.push(Gone { member, groups, subscriptions, merged_into, candidates });
            }
            Ok(found)
        };
        self.db.read(list).await
    }

    /// Says that a member who is gone is another one now: whatever names the first reaches the second.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn member_merge(
        &self,
        connection: ConnectionId,
        from: EndpointId,
        into: EndpointId,
    ) -> Result<Merged, Error> {
        let merge = move |tx: &mut Tx<'_>| {
            let connection = connection.to_string();
            let (from, into) = (from.to_string(), into.to_string());
            let sql = "SELECT id FROM office_recipient WHERE id = $1 AND connection_id = $2 AND kind = 'member' AND state = 0";
            if tx.query_one("office_recipient", sql, params![into.as_str(), connection.as_str()])?.is_none() {
                return Ok(Merged::NotThere);
            }
            let sql = "UPDATE office_recipient SET merged_into = $3
                 WHERE id = $1 AND connection_id = $2 AND kind = 'member' AND state = 1";
            let changed = tx.execute(sql, params![from, connection, into])?;
            Ok(if changed > 0 { Merged::Done } else { Merged::NotGone })
        };
        self.db.write(merge).await
    }

    /// Takes a merge back and tells whether there was one.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn member_unmerge(&self, connection: ConnectionId, from: EndpointId) -> Result<bool, Error> {
        let part = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE office_recipient SET merged_into = NULL
                 WHERE id = $1 AND connection_id = $2 AND merged_into IS NOT NULL";
            Ok(tx.execute(sql, params![from.to_string(), connection.to_string()])? > 0)
        };
        self.db.write(part).await
    }
}

pub(crate) fn named_by(tx: &mut Tx<'_>, lane: &str) -> Result<Vec<(SubscriptionId, TopicName)>, Error> {
    let sql = "SELECT s.id, t.name FROM subscription s JOIN topic t ON t.id = s.topic_id
         WHERE s.endpoint_id = $1 ORDER BY s.id";
    let read = |mut row: Row| {
        let id = row.parsed(|text| SubscriptionId::parse(text).ok())?;
        Ok((id, row.parsed(|text| TopicName::parse(text).ok())?))
    };
    tx.query("subscription", sql, params![lane])?.into_iter().map(read).collect()
}
