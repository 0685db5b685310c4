//! Subscriptions and their sealed targets.

use carillon_model::clock::Timestamp;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{EndpointId, ProjectId, SubscriptionId, TopicId};
use carillon_model::subscription::{Subscription, SubscriptionState, Target};
use carillon_model::topic::TopicName;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::vault::{Place, Vault};
use crate::{Page, fan_out, lane_index, sealed};

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// The topic.
    pub topic: TopicId,
    /// The protocol as the subscriber's dialect names it.
    pub protocol: String,
    /// Where messages go, and what goes with it.
    pub target: Target,
    /// The owner's note; an existing subscription keeps its own when this is not set.
    pub remark: Option<String>,
    /// Its first state.
    pub state: SubscriptionState,
}

/// What came of subscribing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// It is new.
    New(SubscriptionId),
    /// The same topic, protocol and address were there; what goes with the address was replaced.
    There(SubscriptionId),
    /// The topic has as many as it may.
    Full,
    /// The topic is gone.
    NoTopic,
}

/// Which subscriptions a list shows.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionFilter {
    /// Those of this topic.
    pub topic: Option<TopicId>,
    /// Those of this protocol.
    pub protocol: Option<String>,
    /// Those in this state, by number.
    pub state: Option<i64>,
    /// Those whose remark holds this text.
    pub remark_part: Option<String>,
    /// Those to one of these addresses.
    pub endpoints: Option<Vec<Endpoint>>,
}

pub(crate) fn place(id: &str) -> Place<'_> {
    Place { table: "subscription", row: id, column: "sealed" }
}

/// The keyed hashes of an address: alone, to find it by, and with the app it is reached through, which makes two
/// subscriptions share a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hashes {
    address: [u8; HASH],
    lane: [u8; HASH],
}

const HASH: usize = 32;

impl Hashes {
    pub(crate) fn new(vault: &Vault, endpoint: &Endpoint, app_key: Option<&str>) -> Self {
        let address = format!("{}\n{}", endpoint.channel(), endpoint.canonical().reveal());
        let lane = format!("{address}\n{}", app_key.unwrap_or_default());
        Self {
            address: vault.hash("endpoint address", address.as_bytes()),
            lane: vault.hash("endpoint lane", lane.as_bytes()),
        }
    }

    /// Sixteen bits to find the row by, too few to tell an address by.
    fn hint(&self) -> i64 {
        i64::from(u16::from_be_bytes([self.address[0], self.address[1]]))
    }

    fn bytes(&self) -> Vec<u8> {
        [self.address, self.lane].concat()
    }

    /// The endpoints of the address.
    pub(crate) fn find_address(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
        self.find(tx, |hashes, bytes| bytes.get(..HASH) == Some(hashes.address.as_slice()))
    }

    /// The endpoints whose hashes `fit`, by their ids and the places of their hashes.
    fn find(&self, tx: &mut Tx<'_>, fit: impl Fn(&Self, &[u8]) -> bool) -> Result<Vec<String>, Error> {
        let sql =
            "SELECT e.id, h.bytes FROM endpoint e JOIN sealed h ON h.seq = e.sealed_seq WHERE e.hint = $1";
        let mut found = Vec::new();
        for mut row in tx.query("endpoint", sql, params![self.hint()])? {
            let id = row.text()?;
            if fit(self, &row.bytes()?) {
                found.push(id);
            }
        }
        Ok(found)
    }
}

pub(crate) fn open_target(vault: &Vault, id: &SubscriptionId, sealed: &[u8]) -> Result<Target, Error> {
    let plain = vault.open_sealed(place(&id.to_string()), sealed)?;
    serde_json::from_slice(&plain).map_err(|_json| Error::Sealed("its content has another form"))
}

/// Takes a lane out that no subscription uses any more, with its hashes.
fn remove_unused_endpoint(tx: &mut Tx<'_>, endpoint: &str) -> Result<(), Error> {
    let sql = "DELETE FROM endpoint WHERE id = $1
         AND NOT EXISTS (SELECT 1 FROM subscription WHERE endpoint_id = $1) RETURNING sealed_seq";
    match tx.query_one("endpoint", sql, params![endpoint])? {
        Some(mut row) => {
            crate::health::forget(tx, endpoint)?;
            sealed::erase(tx, row.int()?)
        }
        None => Ok(()),
    }
}

/// Cancels what waits for a subscription.
pub(crate) fn cancel_waiting(tx: &mut Tx<'_>, id: &str, endpoint: &str) -> Result<(), Error> {
    lane_index::list_all(tx)?;
    let sql = "UPDATE delivery SET state = 5 WHERE seq IN
         (SELECT seq FROM lane_waiting WHERE endpoint_id = $1 AND state = 0 AND subscription_id = $2)";
    tx.execute(sql, params![endpoint, id]).map(drop)
}

fn remove(tx: &mut Tx<'_>, id: &str, endpoint: &str) -> Result<(), Error> {
    cancel_waiting(tx, id, endpoint)?;
    tx.execute("DELETE FROM confirmation WHERE subscription_id = $1", params![id])?;
    let sql = "DELETE FROM subscription WHERE id = $1 RETURNING sealed_seq, topic_id";
    if let Some(mut row) = tx.query_one("subscription", sql, params![id])? {
        sealed::erase(tx, row.int()?)?;
        fan_out::forget_topic(tx, &row.text()?)?;
    }
    remove_unused_endpoint(tx, endpoint)
}

pub(crate) fn remove_all_of(tx: &mut Tx<'_>, topic: &TopicId) -> Result<(), Error> {
    let sql = "SELECT id, endpoint_id FROM subscription WHERE topic_id = $1";
    for mut row in tx.query("subscription", sql, params![topic.to_string()])? {
        let (id, endpoint) = (row.text()?, row.text()?);
        remove(tx, &id, &endpoint)?;
    }
    Ok(())
}

fn endpoint_row(tx: &mut Tx<'_>, hashes: &Hashes, fresh: EndpointId) -> Result<String, Error> {
    let found = hashes.find(tx, |hashes, bytes| bytes.get(HASH..) == Some(hashes.lane.as_slice()))?;
    if let Some(id) = found.into_iter().next() {
        return Ok(id);
    }
    let seq = sealed::append(tx, hashes.bytes())?;
    tx.execute(
        "INSERT INTO endpoint (id, hint, sealed_seq) VALUES ($1, $2, $3)",
        params![fresh.to_string(), hashes.hint(), seq],
    )?;
    Ok(fresh.to_string())
}

struct Sealed {
    new: NewSubscription,
    hashes: Hashes,
    endpoint: EndpointId,
    id: SubscriptionId,
    now: Timestamp,
    /// How many subscriptions the topic may have.
    most: u64,
}

fn add(
    tx: &mut Tx<'_>,
    vault: &Vault,
    chance: &dyn carillon_model::Chance,
    add: &Sealed,
) -> Result<(Subscribed, Option<EndpointId>), Error> {
    crate::key_check::follow(tx, vault)?;
    let new = &add.new;
    let topic = new.topic.to_string();
    if tx.query_one("topic", "SELECT id FROM topic WHERE id = $1", params![topic.as_str()])?.is_none() {
        return Ok((Subscribed::NoTopic, None));
    }
    let plain = zeroize::Zeroizing::new(
        serde_json::to_vec(&new.target).map_err(|_json| Error::Sealed("it has no JSON form"))?,
    );
    let endpoint = endpoint_row(tx, &add.hashes, add.endpoint)?;
    // Whoever subscribes an address wants it tried, the more so with another secret.
    let resumed =
        if crate::health::forget(tx, &endpoint)? { EndpointId::parse(&endpoint).ok() } else { None };
    let sql =
        "SELECT id, sealed_seq FROM subscription WHERE topic_id = $1 AND protocol = $2 AND endpoint_id = $3";
    let there =
        tx.query_one("subscription", sql, params![topic.as_str(), new.protocol.as_str(), endpoint.as_str()])?;
    if let Some(mut row) = there {
        let id = row.parsed(|text| SubscriptionId::parse(text).ok())?;
        sealed::erase(tx, row.int()?)?;
        let seq = sealed::append(tx, vault.seal(place(&id.to_string()), &plain, chance)?)?;
        tx.execute(
            "UPDATE subscription SET sealed_seq = $2, remark = coalesce($3, remark) WHERE id = $1",
            params![id.to_string(), seq, new.remark.clone()],
        )?;
        return Ok((Subscribed::There(id), resumed));
    }
    let sql = "SELECT count(*) FROM subscription WHERE topic_id = $1";
    let count = tx.query_one("subscription", sql, params![topic.as_str()])?;
    let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
    if u64::try_from(count).unwrap_or(0) >= add.most {
        remove_unused_endpoint(tx, &endpoint)?;
        return Ok((Subscribed::Full, resumed));
    }
    let id = add.id.to_string();
    let seq = sealed::append(tx, vault.seal(place(&id), &plain, chance)?)?;
    tx.execute(
        "INSERT INTO subscription
         (id, topic_id, endpoint_id, channel, protocol, sealed_seq, remark, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            id.as_str(),
            topic,
            endpoint,
            new.target.endpoint.channel().name(),
            new.protocol.as_str(),
            seq,
            new.remark.clone().unwrap_or_default(),
            new.state.number(),
            add.now
        ],
    )?;
    Ok((Subscribed::New(add.id), resumed))
}

macro_rules! select_subscription {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.topic_id, t.name, t.project_id, s.protocol, s.endpoint_id, x.bytes, s.remark, s.state,
             s.created_at, (SELECT f.policies FROM filter_policy f WHERE f.subscription_id = s.id)
             FROM subscription s JOIN topic t ON t.id = s.topic_id JOIN sealed x ON x.seq = s.sealed_seq ",
            $rest
        )
    };
}
pub(crate) use select_subscription;

pub(crate) fn read_subscription(vault: &Vault, mut row: Row) -> Result<Subscription, Error> {
    let id = row.parsed(|text| SubscriptionId::parse(text).ok())?;
    let topic = row.parsed(|text| TopicId::parse(text).ok())?;
    let topic_name = row.parsed(|text| TopicName::parse(text).ok())?;
    let project = row.parsed(|text| ProjectId::parse(text).ok())?;
    let protocol = row.text()?;
    let endpoint_id = row.parsed(|text| EndpointId::parse(text).ok())?;
    let endpoint = open_target(vault, &id, &row.bytes()?)?.endpoint;
    let remark = row.text()?;
    let state = row.int()?;
    let state = SubscriptionState::from_number(state).ok_or_else(|| row.corrupt("there is no such state"))?;
    let created_at = row.time()?;
    let filter_policies = crate::filter::read_policies(&mut row)?;
    Ok(Subscription {
        id,
        topic,
        topic_name,
        project,
        channel: endpoint.channel(),
        protocol,
        endpoint_id,
        endpoint_masked: endpoint.masked(),
        remark,
        state,
        created_at,
        filter_policies,
    })
}

impl Store {
    /// Subscribes an address, or replaces what goes with it where it is subscribed already.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_add(&self, new: NewSubscription) -> Result<Subscribed, Error> {
        let now = self.clock.now();
        let app_key = new.target.extension.app.as_ref().map(|app| app.app_key.clone());
        let sealed = Sealed {
            hashes: Hashes::new(&self.vault, &new.target.endpoint, app_key.as_ref().map(|key| key.reveal())),
            endpoint: EndpointId::new(now, self.chance.as_ref()),
            id: SubscriptionId::new(now, self.chance.as_ref()),
            new,
            now,
            most: self.quotas.subscriptions,
        };
        let (vault, chance, wake) = (self.vault.clone(), self.chance.clone(), self.wake());
        let work = move |tx: &mut Tx<'_>| add(tx, &vault, chance.as_ref(), &sealed);
        let tell = move |(_subscribed, resumed): &(Subscribed, Option<EndpointId>)| {
            resumed.iter().for_each(|endpoint| wake.release(*endpoint));
        };
        Ok(self.db.write_then(work, tell).await?.0)
    }

    /// Finds a subscription of a topic.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn subscription_find(
        &self,
        topic: TopicId,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_subscription!("WHERE s.id = $1 AND s.topic_id = $2");
            tx.query_one("subscription", sql, params![id.to_string(), topic.to_string()])
        };
        self.db.read(find).await?.map(|row| read_subscription(&self.vault, row)).transpose()
    }

    /// Lists a project's subscriptions, oldest first, and counts all that fit the filter.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn subscription_list(
        &self,
        project: &ProjectId,
        filter: SubscriptionFilter,
        page: Page,
    ) -> Result<(u64, Vec<Subscription>), Error> {
        let project = project.clone();
        let hash = |endpoint: &Endpoint| Hashes::new(&self.vault, endpoint, None);
        let hashes: Option<Vec<Hashes>> =
            filter.endpoints.as_ref().map(|endpoints| endpoints.iter().map(hash).collect());
        let list = move |tx: &mut Tx<'_>| {
            let endpoints = match &hashes {
                Some(all) => {
                    let mut found = Vec::new();
                    for hashes in all {
                        found.extend(hashes.find_address(tx)?);
                    }
                    Some(found)
                }
                None => None,
            };
            let shown = params![
                project.as_str(),
                filter.topic.map(|topic| topic.to_string()),
                filter.protocol.clone(),
                filter.state,
                crate::topic::part(filter.remark_part.as_ref()),
                endpoints,
                page.limit,
                page.offset,
            ];
            let sql = "SELECT count(*) FROM subscription s JOIN topic t ON t.id = s.topic_id
                 WHERE t.project_id = $1 AND ($2 IS NULL OR s.topic_id = $2) AND ($3 IS NULL OR s.protocol = $3)
                 AND ($4 IS NULL OR s.state = $4) AND ($5 IS NULL OR s.remark LIKE $5 ESCAPE '\\')
                 AND ($6 IS NULL OR s.endpoint_id IN (SELECT value FROM json_each($6)))";
            let count = tx.query_one("subscription", sql, shown.get(..6).unwrap_or_default())?;
            let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
            let sql = select_subscription!(
                "WHERE t.project_id = $1 AND ($2 IS NULL OR s.topic_id = $2) AND ($3 IS NULL OR s.protocol = $3)
                 AND ($4 IS NULL OR s.state = $4) AND ($5 IS NULL OR s.remark LIKE $5 ESCAPE '\\')
                 AND ($6 IS NULL OR s.endpoint_id IN (SELECT value FROM json_each($6)))
                 ORDER BY s.created_at, s.id LIMIT $7 OFFSET $8"
            );
            Ok((u64::try_from(count).unwrap_or(0), tx.query("subscription", sql, shown)?))
        };
        let (count, rows) = self.db.read(list).await?;
        let found =
            rows.into_iter().map(|row| read_subscription(&self.vault, row)).collect::<Result<_, _>>()?;
        Ok((count, found))
    }

    /// Changes a subscription's remark and tells whether it is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_remark(
        &self,
        topic: TopicId,
        id: SubscriptionId,
        remark: String,
    ) -> Result<bool, Error> {
        let change = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE subscription SET remark = $3 WHERE id = $1 AND topic_id = $2";
            tx.execute(sql, params![id.to_string(), topic.to_string(), remark])
        };
        Ok(self.db.write(change).await? > 0)
    }

    /// Removes subscriptions of a topic for good: the row with its sealed key, and the lane if nobody else uses it;
    /// what waits for them is cancelled. When the call has answered, no byte of them is left in the database's
    /// files. Tells of each whether it was there.
    ///
    /// # Errors
    /// When nothing can be written, or the bytes could not be taken out.
    pub async fn subscription_delete(
        &self,
        which: Vec<(TopicId, SubscriptionId)>,
    ) -> Result<Vec<bool>, Error> {
        let delete = move |tx: &mut Tx<'_>| {
            let mut there = Vec::with_capacity(which.len());
            for (topic, id) in which {
                let sql = "SELECT endpoint_id FROM subscription WHERE id = $1 AND topic_id = $2";
                let row = tx.query_one("subscription", sql, params![id.to_string(), topic.to_string()])?;
                there.push(row.is_some());
                if let Some(mut row) = row {
                    remove(tx, &id.to_string(), &row.text()?)?;
                }
            }
            Ok(there)
        };
        self.db.write(delete).await
    }

    /// Opens a subscription's target, to send to it.
    ///
    /// # Errors
    /// When the store cannot be read or the target not be opened.
    pub async fn target_open(&self, id: SubscriptionId) -> Result<Option<Target>, Error> {
        let sql = "SELECT x.bytes FROM subscription s JOIN sealed x ON x.seq = s.sealed_seq
             WHERE s.id = $1 AND s.state IN (1, 2)";
        let rows = self.db.ask("subscription", sql, params![id.to_string()], &[]).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        open_target(&self.vault, &id, &row.bytes()?).map(Some)
    }
}
