//! Finding members by a mail address or a phone number.
//!
//! | platform | how |
//! | --- | --- |
//! | Lark, Feishu | fifty of each in one call |
//! | DingTalk | one number a call; it has no interface for mail addresses |
//! | WeCom | one a call; who asks for too many that it does not know is shut out for a day, so a batch stops before that |

use carillon_model::office::App;
use carillon_model::office::contact::Contact;

use super::{Fault, cleaned};
use crate::{Providers, clean, dingtalk, lark, wecom};

/// What a platform says of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It is the contact of the member of this id.
    Known(String),
    /// It knows nobody of the contact, or nobody whom the app may see.
    Unknown,
    /// It takes the contact for none.
    Malformed,
    /// It has no interface for contacts of this kind.
    Unsupported,
    /// It was not asked: a call before this one failed, or it knew too few.
    NotAsked,
}

impl Providers {
    /// Finds members by their contacts, one answer for each. After `misses_max` that nobody knows, WeCom is asked no more.
    ///
    /// # Errors
    /// When the first call fails already: what is wrong, with the permission where one is missing.
    pub async fn office_lookup(
        &self,
        app: &App,
        contacts: &[Contact],
        misses_max: usize,
    ) -> Result<Vec<Looked>, Fault> {
        let context = self.context();
        let looked = match app {
            App::Lark(_) | App::Feishu(_) => lark::lookup::find(&context, app, contacts).await,
            App::Dingtalk(_) => dingtalk::lookup::find(&context, app, contacts).await,
            App::Wecom(_) => wecom::lookup::find(&context, app, contacts, misses_max).await,
        };
        looked.map_err(|fault| {
            let fault = cleaned(fault, app);
            let contacts: Vec<&str> = contacts.iter().map(|contact| contact.value.reveal()).collect();
            Fault { verdict: clean::verdict(fault.verdict, &contacts), ..fault }
        })
    }
}

/// Keeps what was found when a call fails that is not the first.
pub(crate) fn ended(mut looked: Vec<Looked>, count: usize, fault: Fault) -> Result<Vec<Looked>, Fault> {
    if looked.iter().all(|one| matches!(one, Looked::Unsupported | Looked::NotAsked)) {
        return Err(fault);
    }
    looked.resize(count, Looked::NotAsked);
    Ok(looked)
}
