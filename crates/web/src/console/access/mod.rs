//! Who has access: accounts with their roles, access keys, tokens, one's own password.
//!
//! | what | room |
//! | --- | --- |
//! | the accounts of the project, and a new one | `accounts` |
//! | one account: role, password, removal | `account` |
//! | access keys, and tokens | `keys`, `tokens` |
//! | what was made, shown this once | `fresh` |
//! | one's own password | `password` |

pub(super) mod account;
pub(super) mod accounts;
mod fresh;
pub(super) mod keys;
pub(super) mod password;
pub(super) mod tokens;

use carillon_model::id::AccountId;
use carillon_model::role::{Granted, Role, TopicPatterns};
use carillon_model::{Field, Invalid};
use carillon_service::{Error, ListedCredential, Member};

use super::form::Form;
use super::text::Lang;
use super::visit::Visit;
use crate::App;

/// How many accounts a form offers to choose from.
const CHOICES: u64 = 200;

/// A role in words.
pub(super) fn role_text(role: Role, lang: Lang) -> &'static str {
    let t = &lang.texts().access;
    match role {
        Role::Administrator => t.administrator,
        Role::Publisher => t.publisher,
        Role::Reader => t.reader,
    }
}

/// The role that a form says, with the topics of a publisher; nothing when none was chosen.
fn granted(form: &Form) -> Result<Option<Granted>, Invalid> {
    let Some(name) = form.maybe("role") else { return Ok(None) };
    let wrong = || Invalid::new(Field::Role, "must be administrator, publisher or reader");
    let role = Role::from_name(name).ok_or_else(wrong)?;
    // The field of topics is there for every role; it counts for a publisher only.
    let topics = match role {
        Role::Publisher => {
            let text = form.get("topics");
            let parts = text.split(|sign: char| sign == ',' || sign.is_whitespace());
            TopicPatterns::new(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())?
        }
        Role::Administrator | Role::Reader => TopicPatterns::default(),
    };
    Granted::new(role, topics).map(Some)
}

/// A role that must be chosen.
fn chosen(form: &Form) -> Result<Granted, Invalid> {
    let rule = "must be administrator, publisher or reader";
    granted(form)?.ok_or_else(|| Invalid::new(Field::Role, rule))
}

/// The account that a text names; one that cannot be is not there.
fn account_id(text: &str) -> Result<AccountId, Error> {
    AccountId::parse(text).map_err(|_malformed| Error::AccountNotFound)
}

/// Whom a new key or token can be for: the one that is chosen, and all that the form offers.
async fn owners(app: &App, visit: &Visit) -> Result<(String, Vec<Member>), Error> {
    let asked = visit.form.maybe("account").or_else(|| visit.query("account"));
    let chosen = asked.map_or(Ok(visit.caller.account), account_id)?;
    let mut members = app.service.list_accounts(&visit.caller, None, CHOICES).await?;
    if !members.iter().any(|member| member.account == chosen) {
        members.push(app.service.account(&visit.caller, chosen).await?);
    }
    Ok((chosen.to_string(), members))
}

/// What a list is filtered by: the account that the address names.
fn wanted(visit: &Visit) -> Result<Option<AccountId>, Error> {
    visit.query("account").map(account_id).transpose()
}

/// A page of keys or tokens, and where the next one begins.
fn portion(
    path: &str,
    account: Option<AccountId>,
    mut found: Vec<ListedCredential>,
) -> (Vec<ListedCredential>, Option<String>) {
    let rows = usize::try_from(super::topics::ROWS).unwrap_or(usize::MAX);
    let more = found.len() > rows;
    found.truncate(rows);
    let of = account.map(|account| format!("account={account}&")).unwrap_or_default();
    let next = found.last().filter(|_last| more).map(|last| format!("{path}?{of}after={}", last.id));
    (found, next)
}

#[cfg(test)]
mod tests {
    use carillon_model::Field;

    use super::{chosen, granted};
    use crate::console::form::Form;

    #[test]
    fn a_role_is_read_with_the_topics_of_a_publisher() {
        let of = |body: &str| granted(&Form::parse(body));
        let publisher = of("role=publisher&topics=orders,%20web-*%0D%0Aalerts").unwrap().unwrap();
        assert_eq!(publisher.topics.text(), "orders,web-*,alerts");
        let reader = of("role=reader&topics=orders").unwrap().unwrap();
        assert!(reader.topics.as_slice().is_empty(), "topics are a publisher's");
        assert_eq!(of("topics=orders"), Ok(None));
        assert_eq!(of("role=publisher").unwrap_err().field, Field::Topics);
        assert_eq!(of("role=king").unwrap_err().field, Field::Role);
        assert_eq!(chosen(&Form::parse("")).unwrap_err().field, Field::Role);
    }
}
