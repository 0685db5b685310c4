//! Finding members by phone number ("get a user by mobile number"). There is no interface for mail addresses.

use carillon_model::office::App;
use carillon_model::office::contact::{Contact, ContactKind};
use serde_json::json;

use super::contact::post;
use super::doctor::BY_MOBILE;
use crate::Context;
use crate::office::Fault;
use crate::office::call::id;
use crate::office::lookup::{Looked, ended};

/// Asks for one after the other.
pub(crate) async fn find(
    context: &Context<'_>,
    app: &App,
    contacts: &[Contact],
) -> Result<Vec<Looked>, Fault> {
    let mut looked = Vec::with_capacity(contacts.len());
    for contact in contacts {
        if contact.kind == ContactKind::Email {
            looked.push(Looked::Unsupported);
            continue;
        }
        let body = json!({ "mobile": contact.value.reveal() });
        let asked = post(context, app, "/topapi/v2/user/getbymobile", &body, BY_MOBILE).await;
        looked.push(match asked {
            Ok(answer) => id(answer.pointer("/result/userid")).map_or(Looked::Unknown, Looked::Known),
            Err(fault) => match fault.verdict.platform_code.as_deref() {
                Some("60121") => Looked::Unknown,
                Some("40104") => Looked::Malformed,
                _ => return ended(looked, contacts.len(), fault),
            },
        });
    }
    Ok(looked)
}
