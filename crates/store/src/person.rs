//! Whom a message was meant for, by whatever somebody knows them by: people of the directories, and the deliveries that
//! go to a person, an address or a subscription.

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, EndpointId, MessageId, ProjectId, SubscriptionId};
use carillon_model::office::contact::Contact;
use carillon_model::office::{Platform, RecipientKind};

use crate::attempt::{DeliveryRecord, list};
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::open_target;

/// How many times somebody may have become another one.
const MERGES_MAX: usize = 16;

/// Somebody, or a chat, that an office app of a project reaches or reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Our id, and the lane.
    pub id: EndpointId,
    /// Member or chat.
    pub kind: RecipientKind,
    /// The name; empty when it was never read.
    pub name: String,
    /// The platform's id.
    pub platform_id: String,
    /// The app's connection.
    pub connection: ConnectionId,
    /// The connection's name.
    pub connection_name: String,
    /// Its platform.
    pub platform: Platform,
    /// When it was read first.
    pub first_seen: Timestamp,
    /// Since when it is gone.
    pub gone_at: Option<Timestamp>,
    /// Who one who is gone is now, as somebody said: every step, the last one last.
    pub merged: Vec<(EndpointId, String)>,
}

impl Person {
    /// Every lane by which a message reaches the person.
    #[must_use]
    pub fn lanes(&self) -> Vec<EndpointId> {
        std::iter::once(self.id).chain(self.merged.iter().map(|(id, _name)| *id)).collect()
    }
}

/// Who a delivery goes to, as it may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whom {
    /// The delivery's number.
    pub number: u32,
    /// The subscription's remark.
    pub remark: String,
    /// The address, masked; nothing when the subscription is gone, or there never was one.
    pub endpoint_masked: Option<String>,
    /// The member or chat that an office app sends to: its name, or the platform's id where it has none.
    pub person: Option<String>,
}

fn read_person(row: &mut Row) -> Result<(Person, Option<String>), Error> {
    let person = Person {
        id: row.parsed(|text| EndpointId::parse(text).ok())?,
        kind: row.parsed(RecipientKind::from_name)?,
        name: row.text()?,
        platform_id: row.text()?,
        connection: row.parsed(|text| ConnectionId::parse(text).ok())?,
        connection_name: row.text()?,
        platform: row.parsed(Platform::from_name)?,
        first_seen: row.time()?,
        gone_at: row.maybe_time()?,
        merged: Vec::new(),
    };
    Ok((person, row.maybe_text()?))
}

/// Follows who somebody became.
fn follow(tx: &mut Tx<'_>, mut next: Option<String>) -> Result<Vec<(EndpointId, String)>, Error> {
    let mut found: Vec<(EndpointId, String)> = Vec::new();
    while let Some(id) = next.take()
        && found.len() < MERGES_MAX
    {
        let sql = "SELECT id, name, merged_into FROM office_recipient WHERE id = $1";
        let Some(mut row) = tx.query_one("office_recipient", sql, params![id])? else { break };
        found.push((row.parsed(|text| EndpointId::parse(text).ok())?, row.text()?));
        next = row.maybe_text()?;
    }
    Ok(found)
}

impl Store {
    /// Finds the people and chats of a project's office apps who go by a text (an id of ours or the platform's, or a part
    /// of the name) or by a contact that was bound to them; those who are there first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn person_find(
        &self,
        project: &ProjectId,
        text: &str,
        contacts: &[Contact],
        limit: u64,
    ) -> Result<Vec<Person>, Error> {
        let (project, text) = (project.clone(), text.to_owned());
        let hashes: Vec<[u8; 32]> = contacts.iter().map(|contact| self.contact_hash(contact)).collect();
        let find = move |tx: &mut Tx<'_>| {
            let mut bound: Vec<String> = Vec::new();
            for hash in &hashes {
                let sql =
                    "SELECT o.recipient_id FROM office_contact o JOIN connection c ON c.id = o.connection_id
                     WHERE c.project_id = $1 AND o.hash = $2";
                for mut row in tx.query("office_contact", sql, params![project.as_str(), *hash])? {
                    bound.push(row.text()?);
                }
            }
            let sql = "SELECT r.id, r.kind, r.name, r.platform_id, c.id, c.name, c.platform, r.first_seen, r.gone_at,
                 r.merged_into FROM office_recipient r JOIN connection c ON c.id = r.connection_id
                 WHERE c.project_id = $1 AND (r.id IN (SELECT value FROM json_each($2)) OR r.id = $3 OR r.key = $3
                 OR r.platform_id = $3 OR r.open_id = $3 OR r.union_id = $3 OR r.name LIKE $4 ESCAPE '\\')
                 ORDER BY r.state, r.name, r.id LIMIT $5";
            let part = crate::topic::part(Some(&text));
            let rows =
                tx.query("office_recipient", sql, params![project.as_str(), bound, text, part, limit])?;
            let mut found = Vec::with_capacity(rows.len());
            for mut row in rows {
                let (mut person, merged_into) = read_person(&mut row)?;
                person.merged = follow(tx, merged_into)?;
                found.push(person);
            }
            Ok(found)
        };
        self.db.read(find).await
    }

    /// The deliveries of a project's message that are for one of these subscriptions or take one of these lanes, by their
    /// numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_find_among(
        &self,
        project: &ProjectId,
        message: MessageId,
        subscriptions: &[SubscriptionId],
        lanes: &[EndpointId],
        limit: u64,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        self.fan_out_now().await?;
        let project = project.clone();
        let subscriptions: Vec<String> = subscriptions.iter().map(ToString::to_string).collect();
        let lanes: Vec<String> = lanes.iter().map(ToString::to_string).collect();
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT number FROM delivery WHERE message_id = $1
                 AND (subscription_id IN (SELECT value FROM json_each($2))
                      OR endpoint_id IN (SELECT value FROM json_each($3))) ORDER BY number LIMIT $4";
            let mut found = Vec::new();
            for mut row in
                tx.query("delivery", sql, params![message.to_string(), subscriptions, lanes, limit])?
            {
                let before = row.count()?.saturating_sub(1);
                found.extend(list(tx, &project, message, before, 1)?);
            }
            Ok(found)
        };
        self.db.read(find).await
    }

    /// Who the deliveries of a message behind number `after` go to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_whom(
        &self,
        message: MessageId,
        after: u32,
        limit: u64,
    ) -> Result<Vec<Whom>, Error> {
        self.fan_out_now().await?;
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT d.number, s.id, x.bytes, s.remark, r.name, r.platform_id FROM delivery d
                 LEFT JOIN subscription s ON s.id = d.subscription_id LEFT JOIN sealed x ON x.seq = s.sealed_seq
                 LEFT JOIN office_recipient r ON r.id = d.endpoint_id
                 WHERE d.message_id = $1 AND d.number > $2 ORDER BY d.number LIMIT $3";
            tx.query("delivery", sql, params![message.to_string(), after, limit])
        };
        let mut found = Vec::new();
        for mut row in self.db.read(find).await? {
            let number = row.count()?;
            let subscription = row.maybe_parsed(|text| SubscriptionId::parse(text).ok())?;
            let sealed = row.maybe_bytes()?;
            let endpoint_masked = match (subscription, sealed) {
                (Some(id), Some(sealed)) => Some(open_target(&self.vault, &id, &sealed)?.endpoint.masked()),
                _ => None,
            };
            let remark = row.maybe_text()?.unwrap_or_default();
            let (name, platform_id) = (row.maybe_text()?, row.maybe_text()?);
            let person = name.filter(|name| !name.is_empty()).or(platform_id);
            found.push(Whom { number, remark, endpoint_masked, person });
        }
        Ok(found)
    }
}
