//! Confirmations: the messages that ask a subscriber, the links in them, and what following one does.
//!
//! A confirmation is a message like any other, with one delivery, so that it survives what a published one survives.
//! Its link's token is derived from the message's id under the vault's key: nothing that confirms is written down.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{EndpointId, MessageId, SubscriptionId};
use carillon_model::message::Kind;
use carillon_model::subscription::{Overflow, Subscription, SubscriptionState, Target};
use carillon_model::{Channel, SecretText, limits};
use data_encoding::BASE64URL_NOPAD;

use crate::db::{Row, Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::recipient::Recipient;
use crate::setup::Store;
use crate::subscription::{open_target, read_subscription, select_subscription};
use crate::vault::Vault;

/// How long it is remembered that a confirmation went to an address: the longest time in which they are counted.
const SENT_KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// How many confirmations may go to one address within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// The time, two days at most.
    pub window: Duration,
    /// How many within it.
    pub most: u64,
}

/// What came of asking a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The confirmation is on its way.
    Sent,
    /// The subscription is in force already.
    Unneeded,
    /// Too many went to this address of late.
    Throttled,
    /// There is no such subscription.
    Gone,
}

/// What came of ending a subscription by its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It has ended, and its owner is told.
    Now,
    /// It had ended before.
    Before,
    /// Subscriptions of this channel have no such link.
    NoLink,
    /// There is no such subscription.
    Gone,
}

struct Found {
    endpoint: EndpointId,
    channel: Channel,
    state: i64,
    target: Target,
}

impl Found {
    /// The subscription as the one a message of ours goes to, whatever it wants of others.
    fn recipient(&self, id: SubscriptionId) -> Recipient {
        Recipient {
            subscription: id,
            endpoint: self.endpoint,
            channel: self.channel,
            overflow: Overflow::default(),
            filter_policies: FilterPolicies::default(),
        }
    }
}

fn find(tx: &mut Tx<'_>, vault: &Vault, id: SubscriptionId) -> Result<Option<Found>, Error> {
    let sql = "SELECT s.endpoint_id, s.channel, s.state, x.bytes FROM subscription s
         JOIN sealed x ON x.seq = s.sealed_seq WHERE s.id = $1";
    let Some(mut row) = tx.query_one("subscription", sql, params![id.to_string()])? else { return Ok(None) };
    let endpoint = row.parsed(|text| EndpointId::parse(text).ok())?;
    let channel = row.parsed(Channel::from_name)?;
    let state = row.int()?;
    let target = open_target(vault, &id, &row.bytes()?)?;
    Ok(Some(Found { endpoint, channel, state, target }))
}

/// By what confirmations to an address are counted: 24 bits of a keyed hash, too few to tell the address by.
fn sent_hint(vault: &Vault, target: &Target) -> i64 {
    let text = format!("{}\n{}", target.endpoint.channel(), target.endpoint.canonical().reveal());
    let hash = vault.hash("confirmation sent", text.as_bytes());
    i64::from(u32::from_be_bytes([0, hash[0], hash[1], hash[2]]))
}

fn is_throttled(tx: &mut Tx<'_>, hint: i64, now: Timestamp, throttles: &[Throttle]) -> Result<bool, Error> {
    for throttle in throttles {
        let sql = "SELECT count(*) FROM confirmation_sent WHERE hint = $1 AND sent_at > $2";
        let count = tx.query_one("confirmation_sent", sql, params![hint, now.minus(throttle.window)])?;
        let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
        if u64::try_from(count).unwrap_or(0) >= throttle.most {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the link and the message that carries it.
fn write(
    tx: &mut Tx<'_>,
    vault: &Vault,
    id: SubscriptionId,
    stored: &StoredMessage,
    to: &Recipient,
) -> Result<Vec<i64>, Error> {
    let message = &stored.message;
    tx.execute("DELETE FROM confirmation WHERE expires_at <= $1", params![message.created_at])?;
    let token = token(vault, message.id);
    tx.execute(
        "INSERT INTO confirmation (hash, subscription_id, expires_at) VALUES ($1, $2, $3)",
        params![
            token_hash(vault, &token),
            id.to_string(),
            message.created_at.plus(limits::CONFIRMATION_LIFE)
        ],
    )?;
    crate::message::insert(tx, stored, std::slice::from_ref(to), None)
}

fn token(vault: &Vault, message: MessageId) -> SecretText {
    let hash = vault.hash("confirmation token", message.to_string().as_bytes());
    BASE64URL_NOPAD.encode(&hash).into()
}

fn token_hash(vault: &Vault, token: &SecretText) -> [u8; 32] {
    vault.hash("confirmation", token.reveal().as_bytes())
}

/// Whether a message of this kind goes to a subscription in this state.
pub(crate) fn is_meant(kind: Kind, state: SubscriptionState) -> bool {
    match kind {
        Kind::Published => state.receives(),
        Kind::SubscriptionConfirmation => state == SubscriptionState::Unconfirmed,
        Kind::UnsubscribeConfirmation => state == SubscriptionState::Cancelled,
    }
}

impl Store {
    /// Asks a subscriber: makes `stored` durable with one delivery to the subscription and a link that is good for
    /// 48 hours, and lets the subscription wait for it. Not when it is in force, nor past what `throttles` allow.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn confirmation_send(
        &self,
        id: SubscriptionId,
        stored: StoredMessage,
        throttles: &'static [Throttle],
    ) -> Result<Asked, Error> {
        let stored = Arc::new(stored);
        let (inserted, vault, wake) = (Arc::clone(&stored), Arc::clone(&self.vault), Arc::clone(&self.wake));
        let send = move |tx: &mut Tx<'_>| {
            let Some(found) = find(tx, &vault, id)? else { return Ok((Asked::Gone, None)) };
            if SubscriptionState::from_number(found.state).is_some_and(SubscriptionState::receives) {
                return Ok((Asked::Unneeded, None));
            }
            let (hint, now) = (sent_hint(&vault, &found.target), inserted.message.created_at);
            if is_throttled(tx, hint, now, throttles)? {
                return Ok((Asked::Throttled, None));
            }
            tx.execute("DELETE FROM confirmation_sent WHERE sent_at <= $1", params![now.minus(SENT_KEPT)])?;
            tx.execute("INSERT INTO confirmation_sent (hint, sent_at) VALUES ($1, $2)", params![hint, now])?;
            tx.execute("UPDATE subscription SET state = 0 WHERE id = $1", params![id.to_string()])?;
            let to = found.recipient(id);
            let places = write(tx, &vault, id, &inserted, &to)?;
            Ok((Asked::Sent, Some((to, places))))
        };
        let hand = move |done: &(Asked, Option<(Recipient, Vec<i64>)>)| {
            if let Some((to, places)) = &done.1 {
                wake.hand(crate::message::ready(&stored, std::slice::from_ref(to), places, None));
            }
        };
        Ok(self.db.write_then(send, hand).await?.0)
    }

    /// The token of the link that a confirmation carries: the same whenever it is asked for.
    #[must_use]
    pub fn confirmation_token(&self, message: MessageId) -> SecretText {
        token(&self.vault, message)
    }

    /// The subscription that a link's token is for, while it is good.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn confirmation_find(&self, token: &SecretText) -> Result<Option<Subscription>, Error> {
        let (hash, now) = (token_hash(&self.vault, token), self.clock.now());
        let find = move |tx: &mut Tx<'_>| -> Result<Option<Row>, Error> {
            let sql = select_subscription!(
                "JOIN confirmation c ON c.subscription_id = s.id WHERE c.hash = $1 AND c.expires_at > $2"
            );
            tx.query_one("subscription", sql, params![hash, now])
        };
        self.db.read(find).await?.map(|row| read_subscription(&self.vault, row)).transpose()
    }

    /// Puts the subscription into force that a link's token is for, and tells whether the token was good. Following
    /// a link again changes nothing. What went to the address before counts no more.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_confirm(&self, token: &SecretText) -> Result<bool, Error> {
        let (hash, now, vault) = (token_hash(&self.vault, token), self.clock.now(), Arc::clone(&self.vault));
        let confirm = move |tx: &mut Tx<'_>| {
            let sql = "SELECT subscription_id FROM confirmation WHERE hash = $1 AND expires_at > $2";
            let Some(mut row) = tx.query_one("confirmation", sql, params![hash, now])? else {
                return Ok(false);
            };
            let id = row.parsed(|text| SubscriptionId::parse(text).ok())?;
            let Some(found) = find(tx, &vault, id)? else { return Ok(false) };
            let sql = "UPDATE subscription SET state = 1 WHERE id = $1 AND state IN (0, 3)";
            if tx.execute(sql, params![id.to_string()])? > 0 {
                let sent = sent_hint(&vault, &found.target);
                tx.execute("DELETE FROM confirmation_sent WHERE hint = $1", params![sent])?;
            }
            Ok(true)
        };
        self.db.write(confirm).await
    }

    /// Ends a subscription as its owner wishes: what waits for it is cancelled, older links are dead, and `stored`
    /// tells the owner, with a link that takes it up again within 48 hours.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn subscription_end(&self, id: SubscriptionId, stored: StoredMessage) -> Result<Ended, Error> {
        let stored = Arc::new(stored);
        let (inserted, vault, wake) = (Arc::clone(&stored), Arc::clone(&self.vault), Arc::clone(&self.wake));
        let end = move |tx: &mut Tx<'_>| {
            let Some(found) = find(tx, &vault, id)? else { return Ok((Ended::Gone, None)) };
            if !found.channel.needs_confirmation() {
                return Ok((Ended::NoLink, None));
            }
            if found.state == SubscriptionState::Cancelled.number() {
                return Ok((Ended::Before, None));
            }
            let subscription = id.to_string();
            tx.execute("UPDATE subscription SET state = 3 WHERE id = $1", params![subscription.as_str()])?;
            crate::subscription::cancel_waiting(tx, &subscription, &found.endpoint.to_string())?;
            tx.execute("DELETE FROM confirmation WHERE subscription_id = $1", params![subscription])?;
            let to = found.recipient(id);
            let places = write(tx, &vault, id, &inserted, &to)?;
            Ok((Ended::Now, Some((to, places))))
        };
        let hand = move |done: &(Ended, Option<(Recipient, Vec<i64>)>)| {
            if let Some((to, places)) = &done.1 {
                wake.hand(crate::message::ready(&stored, std::slice::from_ref(to), places, None));
            }
        };
        Ok(self.db.write_then(end, hand).await?.0)
    }

    /// The signature of the link that ends a subscription; it has no end, as the link stands in every message.
    #[must_use]
    pub fn unsubscribe_signature(&self, subscription_urn: &str) -> SecretText {
        BASE64URL_NOPAD.encode(&self.vault.hash("unsubscribe link", subscription_urn.as_bytes())).into()
    }

    /// Whether a signature is that of a subscription's link.
    #[must_use]
    pub fn unsubscribe_signature_fits(&self, subscription_urn: &str, signature: &SecretText) -> bool {
        let ours = self.unsubscribe_signature(subscription_urn);
        let (ours, theirs) = (ours.reveal().as_bytes(), signature.reveal().as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(ours, theirs).is_ok()
    }

    /// Opens a subscription's target for a message of a kind: what is published goes to those in force, what asks to
    /// those that wait, what says farewell to those that ended.
    ///
    /// # Errors
    /// When the store cannot be read or the target not be opened.
    pub async fn target_open_for(&self, id: SubscriptionId, kind: Kind) -> Result<Option<Target>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT x.bytes, s.state FROM subscription s JOIN sealed x ON x.seq = s.sealed_seq
                 WHERE s.id = $1";
            tx.query_one("subscription", sql, params![id.to_string()])
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let sealed = row.bytes()?;
        let state = SubscriptionState::from_number(row.int()?);
        if !state.is_some_and(|state| is_meant(kind, state)) {
            return Ok(None);
        }
        open_target(&self.vault, &id, &sealed).map(Some)
    }
}
