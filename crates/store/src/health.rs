//! How endpoints fare: what the engine notes down, and what people see and change of it.

use carillon_model::Channel;
use carillon_model::clock::Timestamp;
use carillon_model::health::{Health, Standing};
use carillon_model::id::{DeliveryId, EndpointId, ProjectId, SubscriptionId};
use carillon_model::outcome::Reason;
use carillon_model::topic::TopicName;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::open_target;

/// How an endpoint fares from now on; nothing when it is well again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthChange {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// How it fares.
    pub health: Option<Health>,
}

/// What a platform wants left alone beyond one endpoint: a host, or an organisation's app. A keyed hash of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeKey([u8; 32]);

impl ScopeKey {
    /// Its bytes.
    pub(crate) fn bytes(self) -> [u8; 32] {
        self.0
    }
}

/// That nothing is sent before a time to what lies in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// What it reaches.
    pub scope: ScopeKey,
    /// Why.
    pub reason: Reason,
    /// When it ends.
    pub until: Timestamp,
}

/// Which endpoints a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wellness {
    /// Those that are well.
    Working,
    /// Those that are not.
    Unwell,
    /// Those that something waits for, well or not; of very many such only some.
    Waiting,
    /// Those that stand so.
    Standing(Standing),
}

/// An endpoint as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRecord {
    /// Its id.
    pub id: EndpointId,
    /// Its channel.
    pub channel: Channel,
    /// Its address, masked.
    pub masked: String,
    /// The project's subscriptions to it, oldest first, at most [`SUBSCRIPTIONS_SHOWN`].
    pub subscriptions: Vec<(TopicName, SubscriptionId)>,
    /// How it fares; nothing when it is well.
    pub health: Option<Health>,
    /// How many deliveries wait for it, up to [`WAITING_MAX`].
    pub waiting: u64,
}

/// How many deliveries that wait are counted; there may be more.
pub const WAITING_MAX: u64 = 10_000;
/// How many subscriptions of an endpoint are shown.
pub const SUBSCRIPTIONS_SHOWN: u64 = 20;

/// Reads the columns `standing, reason, since, broken_since, until_at, failures, probes`, all absent when it is well.
fn read_health(row: &mut Row) -> Result<Option<Health>, Error> {
    let Some(standing) = row.maybe_text()? else { return Ok(None) };
    let standing = Standing::from_name(&standing).ok_or_else(|| row.corrupt("there is no such standing"))?;
    Ok(Some(Health {
        standing,
        reason: row.parsed(Reason::from_name)?,
        since: row.time()?,
        broken_since: row.maybe_time()?,
        until: row.maybe_time()?,
        failures: row.count()?,
        probes: row.count()?,
    }))
}

/// Forgets how an endpoint fared.
pub(crate) fn forget(tx: &mut Tx<'_>, endpoint: &str) -> Result<bool, Error> {
    let gone = tx.execute("DELETE FROM endpoint_health WHERE endpoint_id = $1", params![endpoint])?;
    Ok(gone > 0)
}

/// The endpoint must still be there: what is noted of one that was removed meanwhile would stay for ever.
const NOTE: &str = "INSERT INTO endpoint_health
     (endpoint_id, standing, reason, since, broken_since, until_at, failures, probes)
     SELECT e.id, $2, $3, $4, $5, $6, $7, $8 FROM endpoint e WHERE e.id = $1
     ON CONFLICT (endpoint_id) DO UPDATE SET standing = excluded.standing, reason = excluded.reason,
     since = excluded.since, broken_since = excluded.broken_since, until_at = excluded.until_at,
     failures = excluded.failures, probes = excluded.probes,
     told = CASE WHEN endpoint_health.standing = excluded.standing THEN endpoint_health.told ELSE 0 END";

const LIST: &str =
    "SELECT e.id, h.standing, h.reason, h.since, h.broken_since, h.until_at, h.failures, h.probes
     FROM endpoint e LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
     WHERE e.id > $3 AND ($2 IS NULL OR coalesce(h.standing, 'working') = $2)
     AND EXISTS (SELECT 1 FROM subscription s JOIN topic t ON t.id = s.topic_id
     WHERE s.endpoint_id = e.id AND t.project_id = $1) ORDER BY e.id LIMIT $4";

/// Begins with the few that are not well, however many endpoints there are.
const LIST_UNWELL: &str =
    "SELECT h.endpoint_id, h.standing, h.reason, h.since, h.broken_since, h.until_at, h.failures, h.probes
     FROM endpoint_health h WHERE h.endpoint_id > $3 AND ($2 IS NULL OR h.standing = $2)
     AND EXISTS (SELECT 1 FROM subscription s JOIN topic t ON t.id = s.topic_id
     WHERE s.endpoint_id = h.endpoint_id AND t.project_id = $1) ORDER BY h.endpoint_id LIMIT $4";

/// Goes from lane to lane of what waits, and never over the deliveries of one.
const LIST_WAITING: &str = "WITH RECURSIVE lane(id, place) AS (
     SELECT (SELECT w.endpoint_id FROM lane_waiting w WHERE w.endpoint_id > $3 ORDER BY w.endpoint_id LIMIT 1), 1
     UNION ALL
     SELECT (SELECT w.endpoint_id FROM lane_waiting w WHERE w.endpoint_id > lane.id ORDER BY w.endpoint_id LIMIT 1),
     lane.place + 1 FROM lane WHERE lane.id IS NOT NULL AND lane.place < 1000)
     SELECT e.id, h.standing, h.reason, h.since, h.broken_since, h.until_at, h.failures, h.probes
     FROM lane JOIN endpoint e ON e.id = lane.id LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
     WHERE $2 IS NULL AND EXISTS (SELECT 1 FROM subscription s JOIN topic t ON t.id = s.topic_id
     WHERE s.endpoint_id = e.id AND t.project_id = $1) ORDER BY e.id LIMIT $4";

/// How many endpoints that are not well are counted; there may be more.
const UNWELL_MAX: u64 = 10_000;

pub(crate) fn waiting(tx: &mut Tx<'_>, endpoint: &str) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM
         (SELECT 1 FROM lane_waiting WHERE endpoint_id = $1 LIMIT $2) AS waiting";
    let row = tx.query_one("delivery", sql, params![endpoint, WAITING_MAX])?;
    let count = row.map(|mut row| row.int()).transpose()?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// What one page of a list needs of an endpoint: all but its address in the open.
struct Listed {
    id: EndpointId,
    channel: Channel,
    sealed: (SubscriptionId, Vec<u8>),
    subscriptions: Vec<(TopicName, SubscriptionId)>,
    health: Option<Health>,
    waiting: u64,
}

fn read_listed(tx: &mut Tx<'_>, project: &ProjectId, mut row: Row) -> Result<Option<Listed>, Error> {
    let id = row.parsed(|text| EndpointId::parse(text).ok())?;
    let health = read_health(&mut row)?;
    let endpoint = id.to_string();
    let sql = "SELECT t.name, s.id, s.channel, x.bytes FROM subscription s JOIN topic t ON t.id = s.topic_id
         JOIN sealed x ON x.seq = s.sealed_seq WHERE s.endpoint_id = $1 AND t.project_id = $2
         ORDER BY s.created_at, s.id LIMIT $3";
    let rows =
        tx.query("subscription", sql, params![endpoint.as_str(), project.as_str(), SUBSCRIPTIONS_SHOWN])?;
    let mut subscriptions = Vec::new();
    let mut first = None;
    for mut row in rows {
        let topic = row.parsed(|text| TopicName::parse(text).ok())?;
        let subscription = row.parsed(|text| SubscriptionId::parse(text).ok())?;
        let (channel, bytes) = (row.parsed(Channel::from_name)?, row.bytes()?);
        first.get_or_insert((channel, (subscription, bytes)));
        subscriptions.push((topic, subscription));
    }
    let waiting = waiting(tx, &endpoint)?;
    Ok(first.map(|(channel, sealed)| Listed { id, channel, sealed, subscriptions, health, waiting }))
}

impl Store {
    /// How the endpoints fare that are not simply well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn health_list(&self) -> Result<Vec<(EndpointId, Health)>, Error> {
        let list = |tx: &mut Tx<'_>| {
            let sql = "SELECT endpoint_id, standing, reason, since, broken_since, until_at, failures, probes
                 FROM endpoint_health";
            tx.query("endpoint_health", sql, &[])
        };
        let mut found = Vec::new();
        for mut row in self.db.read(list).await? {
            let id = row.parsed(|text| EndpointId::parse(text).ok())?;
            if let Some(health) = read_health(&mut row)? {
                found.push((id, health));
            }
        }
        Ok(found)
    }

    /// Writes down how endpoints fare, and which scopes are to be left alone. Holds that have ended are forgotten.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn health_note(&self, changes: Vec<HealthChange>, holds: Vec<Hold>) -> Result<(), Error> {
        let now = self.clock.now();
        let write = move |tx: &mut Tx<'_>| {
            for change in &changes {
                let endpoint = change.endpoint.to_string();
                let Some(health) = change.health else {
                    forget(tx, &endpoint)?;
                    continue;
                };
                tx.execute(
                    NOTE,
                    params![
                        endpoint,
                        health.standing.name(),
                        health.reason.name(),
                        health.since,
                        health.broken_since,
                        health.until,
                        health.failures,
                        health.probes
                    ],
                )?;
            }
            if !holds.is_empty() {
                tx.execute("DELETE FROM hold WHERE until_at <= $1", params![now])?;
            }
            for hold in &holds {
                let sql = "INSERT INTO hold (scope, reason, until_at) VALUES ($1, $2, $3)
                     ON CONFLICT (scope) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at";
                tx.execute(sql, params![hold.scope.0, hold.reason.name(), hold.until])?;
            }
            Ok(())
        };
        self.db.write_flow(write, |()| ()).await
    }

    /// The key of a scope.
    #[must_use]
    pub fn scope_key(&self, name: &str) -> ScopeKey {
        ScopeKey(self.vault.hash("hold scope", name.as_bytes()))
    }

    /// The scopes that are to be left alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn hold_list(&self) -> Result<Vec<Hold>, Error> {
        let now = self.clock.now();
        let list = move |tx: &mut Tx<'_>| {
            tx.query("hold", "SELECT scope, reason, until_at FROM hold WHERE until_at > $1", params![now])
        };
        let mut found = Vec::new();
        for mut row in self.db.read(list).await? {
            let scope = row.bytes()?.try_into().map_err(|_length| row.corrupt("it is no hash"))?;
            let reason = row.parsed(Reason::from_name)?;
            found.push(Hold { scope: ScopeKey(scope), reason, until: row.time()? });
        }
        Ok(found)
    }

    /// Lists the endpoints that a project subscribed, by their ids, behind `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn endpoint_list(
        &self,
        project: &ProjectId,
        wellness: Option<Wellness>,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<EndpointRecord>, Error> {
        self.lanes_shown().await;
        let project = project.clone();
        let (sql, standing) = match wellness {
            None => (LIST, None),
            Some(Wellness::Working) => (LIST, Some("working")),
            Some(Wellness::Unwell) => (LIST_UNWELL, None),
            Some(Wellness::Waiting) => (LIST_WAITING, None),
            Some(Wellness::Standing(standing)) => (LIST_UNWELL, Some(standing.name())),
        };
        let list = move |tx: &mut Tx<'_>| {
            let after = after.map(|id| id.to_string()).unwrap_or_default();
            let rows = tx.query("endpoint", sql, params![project.as_str(), standing, after, limit])?;
            rows.into_iter().map(|row| read_listed(tx, &project, row)).collect::<Result<Vec<_>, _>>()
        };
        self.opened(self.db.read(list).await?)
    }

    /// Counts a project's endpoints that are not well, by how they stand, up to 10000 in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn endpoint_standings(&self, project: &ProjectId) -> Result<Vec<(Standing, u64)>, Error> {
        let project = project.clone();
        let count = move |tx: &mut Tx<'_>| {
            let sql = "SELECT u.standing, count(*) FROM (SELECT h.standing FROM endpoint_health h
                 WHERE EXISTS (SELECT 1 FROM subscription s JOIN topic t ON t.id = s.topic_id
                 WHERE s.endpoint_id = h.endpoint_id AND t.project_id = $1) LIMIT $2) AS u
                 GROUP BY u.standing ORDER BY u.standing";
            tx.query("endpoint_health", sql, params![project.as_str(), UNWELL_MAX])
        };
        let read = |mut row: Row| {
            let standing = row.parsed(Standing::from_name)?;
            Ok((standing, u64::try_from(row.int()?).unwrap_or(0)))
        };
        self.db.read(count).await?.into_iter().map(read).collect()
    }

    /// Finds an endpoint that a project subscribed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn endpoint_find(
        &self,
        project: &ProjectId,
        id: EndpointId,
    ) -> Result<Option<EndpointRecord>, Error> {
        self.lanes_shown().await;
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql =
                "SELECT e.id, h.standing, h.reason, h.since, h.broken_since, h.until_at, h.failures, h.probes
                 FROM endpoint e LEFT JOIN endpoint_health h ON h.endpoint_id = e.id WHERE e.id = $1";
            let row = tx.query_one("endpoint", sql, params![id.to_string()])?;
            row.map_or(Ok(None), |row| read_listed(tx, &project, row))
        };
        Ok(self.opened(vec![self.db.read(find).await?])?.into_iter().next())
    }

    /// How the endpoint of a delivery fares; nothing when it is well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn health_of(&self, id: DeliveryId) -> Result<Option<Health>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT h.standing, h.reason, h.since, h.broken_since, h.until_at, h.failures, h.probes
                 FROM delivery d JOIN endpoint_health h ON h.endpoint_id = d.endpoint_id
                 WHERE d.message_id = $1 AND d.number = $2";
            tx.query_one("endpoint_health", sql, params![id.message.to_string(), id.number])
        };
        self.db.read(find).await?.map_or(Ok(None), |mut row| read_health(&mut row))
    }

    fn opened(&self, listed: Vec<Option<Listed>>) -> Result<Vec<EndpointRecord>, Error> {
        let open = |listed: Listed| {
            let (subscription, sealed) = &listed.sealed;
            let masked = open_target(&self.vault, subscription, sealed)?.endpoint.masked();
            let Listed { id, channel, subscriptions, health, waiting, .. } = listed;
            Ok(EndpointRecord { id, channel, masked, subscriptions, health, waiting })
        };
        listed.into_iter().flatten().map(open).collect()
    }

    /// Forgets what is known of an endpoint, so that it is tried as if it were well, and tells whether there was
    /// anything to forget.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn endpoint_resume(&self, id: EndpointId) -> Result<bool, Error> {
        let wake = self.wake();
        let work = move |tx: &mut Tx<'_>| forget(tx, &id.to_string());
        self.db.write_then(work, move |_was| wake.release(id)).await
    }
}
