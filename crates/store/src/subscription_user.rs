//! Subscription users and their sealed contacts.

use carillon_model::clock::Timestamp;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ProjectId, SubscriptionUserId};
use carillon_model::limits;
use carillon_model::subscription::SubscriptionState;
use carillon_model::subscription_user::{Contact, SubscriptionUser};
use zeroize::Zeroizing;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::Hashes;
use crate::vault::{Place, Vault};
use crate::{key_check, sealed};

/// What changes of a user; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Another name.
    pub name: Option<String>,
    /// Another group.
    pub group: Option<String>,
    /// By protocol: another contact, or none any more.
    pub contacts: Vec<(String, Option<Contact>)>,
}

pub(crate) fn place(id: &str) -> Place<'_> {
    Place { table: "subscription_user", row: id, column: "sealed" }
}

fn open(vault: &Vault, id: &str, sealed: &[u8]) -> Result<Vec<Contact>, Error> {
    let plain = vault.open_sealed(place(id), sealed)?;
    serde_json::from_slice(&plain).map_err(|_json| Error::Sealed("its content has another form"))
}

fn seal(
    vault: &Vault,
    chance: &dyn carillon_model::Chance,
    id: &str,
    contacts: &[Contact],
) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(contacts).map_err(|_json| Error::Sealed("it has no JSON form"))?;
    vault.seal(place(id), &Zeroizing::new(plain), chance)
}

fn read(vault: &Vault, mut row: Row) -> Result<SubscriptionUser, Error> {
    let text = row.text()?;
    let id = SubscriptionUserId::parse(&text).map_err(|_id| row.corrupt("it is no id"))?;
    let (name, group) = (row.text()?, row.text()?);
    let contacts = open(vault, &text, &row.bytes()?)?;
    let (created_at, updated_at) = (row.time()?, row.time()?);
    Ok(SubscriptionUser { id, name, group, contacts, created_at, updated_at })
}

macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.name, u.grouping_name, x.bytes, u.created_at, u.updated_at
             FROM subscription_user u JOIN sealed x ON x.seq = u.sealed_seq ",
            $rest
        )
    };
}

/// Puts changed contacts in the place of those of the same protocols.
fn merge(contacts: &mut Vec<Contact>, changes: Vec<(String, Option<Contact>)>) {
    for (protocol, contact) in changes {
        contacts.retain(|there| there.protocol != protocol);
        contacts.extend(contact);
    }
}

fn change(
    tx: &mut Tx<'_>,
    vault: &Vault,
    chance: &dyn carillon_model::Chance,
    (project, id): (&str, &str),
    change: UserChange,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "SELECT u.sealed_seq, x.bytes FROM subscription_user u JOIN sealed x ON x.seq = u.sealed_seq
         WHERE u.id = $1 AND u.project_id = $2";
    let Some(mut row) = tx.query_one("subscription_user", sql, params![id, project])? else {
        return Ok(false);
    };
    let mut seq = row.int()?;
    if !change.contacts.is_empty() {
        key_check::follow(tx, vault)?;
        let mut contacts = open(vault, id, &row.bytes()?)?;
        merge(&mut contacts, change.contacts);
        sealed::erase(tx, seq)?;
        seq = sealed::append(tx, seal(vault, chance, id, &contacts)?)?;
    }
    tx.execute(
        "UPDATE subscription_user SET name = coalesce($2, name), grouping_name = coalesce($3, grouping_name),
         sealed_seq = $4, updated_at = $5 WHERE id = $1",
        params![id, change.name, change.group, seq, now],
    )?;
    Ok(true)
}

impl Store {
    /// Makes a user, and gives its id unless the project has as many as it may.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_user_add(
        &self,
        project: &ProjectId,
        name: String,
        group: String,
        contacts: Vec<Contact>,
    ) -> Result<Option<SubscriptionUserId>, Error> {
        let (project, now) = (project.clone(), self.clock.now());
        let id = SubscriptionUserId::new(now, self.chance.as_ref());
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let add = move |tx: &mut Tx<'_>| {
            let sql = "SELECT count(*) FROM subscription_user WHERE project_id = $1";
            let count = tx.query_one("subscription_user", sql, params![project.as_str()])?;
            let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
            if u64::try_from(count).unwrap_or(0) >= limits::USERS_MAX {
                return Ok(None);
            }
            key_check::follow(tx, &vault)?;
            let text = id.to_string();
            let seq = sealed::append(tx, seal(&vault, chance.as_ref(), &text, &contacts)?)?;
            tx.execute(
                "INSERT INTO subscription_user
                 (id, project_id, name, grouping_name, sealed_seq, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)",
                params![text, project.as_str(), name.as_str(), group.as_str(), seq, now],
            )?;
            Ok(Some(id))
        };
        self.db.write(add).await
    }

    /// Changes a user and tells whether it is there.
    ///
    /// # Errors
    /// When nothing can be written, or the bytes of a contact that is gone could not be taken out.
    pub async fn subscription_user_change(
        &self,
        project: &ProjectId,
        id: SubscriptionUserId,
        wanted: UserChange,
    ) -> Result<bool, Error> {
        let (project, id, now) = (project.clone(), id.to_string(), self.clock.now());
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let work =
            move |tx: &mut Tx<'_>| change(tx, &vault, chance.as_ref(), (project.as_str(), &id), wanted, now);
        self.db.write(work).await
    }

    /// All users of a project, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn subscription_user_list(&self, project: &ProjectId) -> Result<Vec<SubscriptionUser>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = select_user!("WHERE u.project_id = $1 ORDER BY u.created_at, u.id");
            tx.query("subscription_user", sql, params![project.as_str()])
        };
        self.db.read(list).await?.into_iter().map(|row| read(&self.vault, row)).collect()
    }

    /// Finds a user of a project.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn subscription_user_find(
        &self,
        project: &ProjectId,
        id: SubscriptionUserId,
    ) -> Result<Option<SubscriptionUser>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let sql = select_user!("WHERE u.id = $1 AND u.project_id = $2");
            tx.query_one("subscription_user", sql, params![id.to_string(), project.as_str()])
        };
        self.db.read(find).await?.map(|row| read(&self.vault, row)).transpose()
    }

    /// Removes a user for good; subscriptions made from it stay. When the call has answered, no byte of its addresses is
    /// left in the database's files but those of subscriptions. Tells whether it was there.
    ///
    /// # Errors
    /// When nothing can be written, or the bytes could not be taken out.
    pub async fn subscription_user_delete(
        &self,
        project: &ProjectId,
        id: SubscriptionUserId,
    ) -> Result<bool, Error> {
        let project = project.clone();
        let delete = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM subscription_user WHERE id = $1 AND project_id = $2 RETURNING sealed_seq";
            let row = tx.query_one("subscription_user", sql, params![id.to_string(), project.as_str()])?;
            let Some(mut row) = row else { return Ok(false) };
            sealed::erase(tx, row.int()?)?;
            Ok(true)
        };
        self.db.write(delete).await
    }

    /// How the project's subscriptions to each of these addresses stand.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn address_states(
        &self,
        project: &ProjectId,
        addresses: &[Endpoint],
    ) -> Result<Vec<Vec<SubscriptionState>>, Error> {
        let project = project.clone();
        let hashes: Vec<Hashes> = addresses.iter().map(|it| Hashes::new(&self.vault, it, None)).collect();
        let find = move |tx: &mut Tx<'_>| {
            let mut all = Vec::with_capacity(hashes.len());
            for hashes in &hashes {
                let endpoints = hashes.find_address(tx)?;
                let sql = "SELECT DISTINCT s.state FROM subscription s JOIN topic t ON t.id = s.topic_id
                     WHERE t.project_id = $1 AND s.endpoint_id IN (SELECT value FROM json_each($2))
                     ORDER BY s.state";
                let mut states = Vec::new();
                for mut row in tx.query("subscription", sql, params![project.as_str(), endpoints])? {
                    let state = SubscriptionState::from_number(row.int()?);
                    states.push(state.ok_or_else(|| row.corrupt("there is no such state"))?);
                }
                all.push(states);
            }
            Ok(all)
        };
        self.db.read(find).await
    }
}
