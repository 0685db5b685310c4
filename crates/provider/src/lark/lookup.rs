//! Finding members by mail address or phone number ("obtain user ids by e-mail or mobile number").

use std::collections::HashMap;

use carillon_model::office::App;
use carillon_model::office::contact::{Contact, ContactKind};
use serde::Serialize;

use super::office::fault;
use crate::Context;
use crate::office::Fault;
use crate::office::call::{Ask, call, id, items, text};
use crate::office::lookup::{Looked, ended};
use crate::parts::json;

/// The most addresses, and the most numbers, of one call.
const BATCH: usize = 50;

#[derive(Default, Serialize)]
struct Wanted<'a> {
    emails: Vec<&'a str>,
    mobiles: Vec<&'a str>,
}

/// Asks for fifty at a time.
pub(crate) async fn find(
    context: &Context<'_>,
    app: &App,
    contacts: &[Contact],
) -> Result<Vec<Looked>, Fault> {
    let mut looked = Vec::with_capacity(contacts.len());
    for batch in contacts.chunks(BATCH) {
        let mut wanted = Wanted::default();
        for contact in batch {
            match contact.kind {
                ContactKind::Email => wanted.emails.push(contact.value.reveal()),
                ContactKind::Phone => wanted.mobiles.push(contact.value.reveal()),
            }
        }
        let path = "/open-apis/contact/v3/users/batch_get_id?user_id_type=open_id";
        let ask = Ask::post("batch_get_id", app.lark_host(), path, json(&wanted));
        let answer = match call(context, app, &ask).await {
            Ok((answer, _verdict)) => answer,
            Err(verdict) => return ended(looked, contacts.len(), fault(verdict)),
        };
        // An address or a number that it does not know comes back without an id.
        let found: HashMap<String, String> = items(&answer, "/data/user_list")
            .iter()
            .filter_map(|item| {
                let contact = text(item, "/email").or_else(|| text(item, "/mobile"))?;
                Some((contact.to_lowercase(), id(item.get("user_id"))?))
            })
            .collect();
        let known = |contact: &Contact| found.get(contact.value.reveal()).cloned();
        looked.extend(batch.iter().map(|contact| known(contact).map_or(Looked::Unknown, Looked::Known)));
    }
    Ok(looked)
}
