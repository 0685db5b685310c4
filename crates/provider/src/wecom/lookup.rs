//! Finding members by phone number or mail address ("get a userid by mobile number", "by mail address").

use carillon_model::endpoint::WECOM_HOST;
use carillon_model::office::App;
use carillon_model::office::contact::{Contact, ContactKind};
use serde_json::json;

use super::office::fault;
use crate::Context;
use crate::office::Fault;
use crate::office::call::{Ask, call, id};
use crate::office::lookup::{Looked, ended};

/// Asks for one after the other, until too many were unknown.
pub(crate) async fn find(
    context: &Context<'_>,
    app: &App,
    contacts: &[Contact],
    misses_max: usize,
) -> Result<Vec<Looked>, Fault> {
    let (mut looked, mut misses) = (Vec::with_capacity(contacts.len()), 0);
    for contact in contacts {
        if misses >= misses_max {
            looked.push(Looked::NotAsked);
            continue;
        }
        match one(context, app, contact).await {
            Ok(found) => {
                misses += usize::from(!matches!(found, Looked::Known(_)));
                looked.push(found);
            }
            Err(fault) => return ended(looked, contacts.len(), fault),
        }
    }
    Ok(looked)
}

async fn one(context: &Context<'_>, app: &App, contact: &Contact) -> Result<Looked, Fault> {
    let value = contact.value.reveal();
    let (path, body) = match contact.kind {
        ContactKind::Phone => ("/cgi-bin/user/getuserid", json!({ "mobile": value })),
        // The company's own addresses; personal ones are another kind.
        ContactKind::Email => {
            ("/cgi-bin/user/get_userid_by_email", json!({ "email": value, "email_type": 1 }))
        }
    };
    match call(context, app, &Ask::post(path, WECOM_HOST, path, body.to_string())).await {
        Ok((answer, _verdict)) => Ok(id(answer.get("userid")).map_or(Looked::Unknown, Looked::Known)),
        Err(verdict) => match verdict.platform_code.as_deref() {
            Some("46004" | "60111") => Ok(Looked::Unknown),
            Some("40003" | "40058") => Ok(Looked::Malformed),
            _ => Err(fault(verdict)),
        },
    }
}
