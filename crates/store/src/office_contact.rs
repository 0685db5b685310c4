//! Which member a mail address or a phone number belongs to, as a platform said. Of the contact only a keyed hash is kept.

use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::office::Platform;
use carillon_model::office::contact::Contact;
use carillon_model::office::recipient::folded;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// What became of binding one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// It belongs to this member.
    To(Member),
    /// The member that the platform named is gone from the directory.
    Gone,
    /// The platform named somebody who is not in the directory: outside of what the app may see, or not read yet.
    Outside,
}

/// A member whom a contact belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Our id.
    pub id: EndpointId,
    /// The platform's id.
    pub platform_id: String,
    /// The name.
    pub name: String,
}

fn bind(
    tx: &mut Tx<'_>,
    connection: &str,
    platform: Platform,
    (hash, named, now): ([u8; 32], &str, Timestamp),
) -> Result<Bound, Error> {
    let key = folded(platform, named);
    let sql = "SELECT id, platform_id, name, state FROM office_recipient
         WHERE connection_id = $1 AND kind = 'member' AND (key = $2 OR open_id = $3 OR union_id = $3)
         ORDER BY state LIMIT 1";
    let Some(mut row) = tx.query_one("office_recipient", sql, params![connection, key, named])? else {
        return Ok(Bound::Outside);
    };
    let id = row.parsed(|text| EndpointId::parse(text).ok())?;
    let member = Member { id, platform_id: row.text()?, name: row.text()? };
    match row.int()? {
        0 => {}
        1 => return Ok(Bound::Gone),
        _ => return Ok(Bound::Outside),
    }
    // Whom it belonged to before is kept: somebody who came back under another id is known by that.
    let sql = "INSERT INTO office_contact (connection_id, hash, recipient_id, bound_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (connection_id, hash) DO UPDATE SET bound_at = excluded.bound_at,
         previous_id = CASE WHEN office_contact.recipient_id = excluded.recipient_id THEN office_contact.previous_id
                       ELSE office_contact.recipient_id END,
         recipient_id = excluded.recipient_id";
    tx.execute(sql, params![connection, hash, id.to_string(), now])?;
    Ok(Bound::To(member))
}

impl Store {
    pub(crate) fn contact_hash(&self, contact: &Contact) -> [u8; 32] {
        let text = format!("{}\n{}", contact.kind.name(), contact.value.reveal());
        self.vault.hash("office contact", text.as_bytes())
    }

    /// Binds contacts to the members that the platform named, and tells what became of each, in their order. Nothing when
    /// there is no such connection.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn contact_bind(
        &self,
        connection: ConnectionId,
        contacts: Vec<(Contact, String)>,
    ) -> Result<Option<Vec<Bound>>, Error> {
        let now = self.clock.now();
        let named: Vec<([u8; 32], String)> =
            contacts.into_iter().map(|(contact, named)| (self.contact_hash(&contact), named)).collect();
        let work = move |tx: &mut Tx<'_>| {
            let id = connection.to_string();
            let sql = "SELECT platform FROM connection WHERE id = $1";
            let Some(mut row) = tx.query_one("connection", sql, params![id.as_str()])? else {
                return Ok(None);
            };
            let platform = row.parsed(Platform::from_name)?;
            let bound = named.iter().map(|(hash, named)| bind(tx, &id, platform, (*hash, named, now)));
            bound.collect::<Result<Vec<Bound>, Error>>().map(Some)
        };
        self.db.write(work).await
    }

    /// The members that contacts were bound to, in their order; none for one that was never bound.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn contact_find(
        &self,
        connection: ConnectionId,
        contacts: &[Contact],
    ) -> Result<Vec<Option<EndpointId>>, Error> {
        let hashes: Vec<[u8; 32]> = contacts.iter().map(|contact| self.contact_hash(contact)).collect();
        let find = move |tx: &mut Tx<'_>| {
            let id = connection.to_string();
            let mut found = Vec::with_capacity(hashes.len());
            for hash in &hashes {
                let sql = "SELECT recipient_id FROM office_contact WHERE connection_id = $1 AND hash = $2";
                let row = tx.query_one("office_contact", sql, params![id.as_str(), *hash])?;
                found.push(row.map(|mut row| row.parsed(|text| EndpointId::parse(text).ok())).transpose()?);
            }
            Ok(found)
        };
        self.db.read(find).await
    }
}
