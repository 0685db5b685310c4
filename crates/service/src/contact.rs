//! Binding mail addresses and phone numbers to the members of an office app, and finding the members again.

use std::collections::HashSet;

use carillon_model::audit::Deed;
use carillon_model::id::ConnectionId;
use carillon_model::office::contact::{Contact, ContactKind};
use carillon_model::office::{Recipient, RecipientKind};
use carillon_model::role::Right;
use carillon_model::{Field, Invalid, SecretText, limits};
use carillon_provider::Looked;
use carillon_store::office_contact::{Bound, Member};

use crate::error::Error;
use crate::{Caller, Service};

/// A contact as somebody typed it.
pub type Typed = (ContactKind, SecretText);

/// Why a contact could not be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbound {
    /// It is no mail address, or no phone number.
    Malformed,
    /// It stands in the list before.
    Twice,
    /// The platform knows nobody of it whom the app may see; an enterprise mailbox is no contact to it.
    NoAccount,
    /// The platform cannot find members by contacts of this kind.
    Unsupported,
    /// The platform was not asked: a call before failed, or too many were unknown, for which WeCom shuts an app out.
    NotAsked,
    /// The member is gone from the directory.
    Gone,
    /// The platform knows the member, but the directory does not: outside of the app's range, or an update is due.
    Outside,
}

impl Unbound {
    /// The reason's name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Twice => "twice",
            Self::NoAccount => "no_account",
            Self::Unsupported => "unsupported",
            Self::NotAsked => "not_asked",
            Self::Gone => "gone",
            Self::Outside => "outside",
        }
    }
}

/// What became of one contact, in the order they were given.
pub type Binding = Result<Member, Unbound>;

/// The fewest that nobody knows before WeCom is asked no more, and the part of the company: it shuts an app out for a day
/// when a fifth of the company was asked for in vain.
const MISSES: (u64, u64) = (5, 20);

impl Service {
    /// Binds mail addresses and phone numbers to the members that the platform finds by them, and tells of each what became
    /// of it. From then on a push may name the member by the contact.
    ///
    /// # Errors
    /// When there is no such connection, there are too many contacts, or the platform refuses the very first call; then the
    /// error says what is wrong, with the permission where one is missing.
    pub async fn bind_contacts(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        typed: Vec<Typed>,
    ) -> Result<Vec<Binding>, Error> {
        caller.may(Right::Change)?;
        if typed.is_empty() || typed.len() > limits::CONTACTS_MAX {
            return Err(Invalid::new(Field::Contact, "give 1 to 200 mail addresses and phone numbers").into());
        }
        let connection = self.connection(caller, connection).await?;
        let app = self.store.connection_open(connection.id).await?.ok_or(Error::ConnectionNotFound)?;
        let mut seen = HashSet::new();
        let read = |(kind, text): Typed| {
            let contact = Contact::parse(kind, text.reveal()).map_err(|_invalid| Unbound::Malformed)?;
            if seen.insert(contact.clone()) { Ok(contact) } else { Err(Unbound::Twice) }
        };
        let read: Vec<Result<Contact, Unbound>> = typed.into_iter().map(read).collect();
        let wanted: Vec<Contact> = read.iter().filter_map(|one| one.as_ref().ok()).cloned().collect();
        let misses_max = usize::try_from((connection.members / MISSES.1).max(MISSES.0)).unwrap_or(usize::MAX);
        let looked = self.providers.office_lookup(&app, &wanted, misses_max).await;
        let looked = looked.map_err(|fault| Error::PlatformRefuses {
            field: None,
            sentence: fault.sentence(),
            zh: fault.advice().zh.into_owned(),
        })?;
        let known = wanted.into_iter().zip(&looked).filter_map(|(contact, looked)| match looked {
            Looked::Known(id) => Some((contact, id.clone())),
            Looked::Unknown | Looked::Malformed | Looked::Unsupported | Looked::NotAsked => None,
        });
        let store = self.acting(caller, Deed::ContactBind, &connection.id);
        let bound = store.contact_bind(connection.id, known.collect()).await?;
        let mut bound = bound.ok_or(Error::ConnectionNotFound)?.into_iter();
        let mut looked = looked.into_iter();
        let became = |read: Result<Contact, Unbound>| {
            read?;
            match looked.next().unwrap_or(Looked::NotAsked) {
                Looked::Known(_) => match bound.next() {
                    Some(Bound::To(member)) => Ok(member),
                    Some(Bound::Gone) => Err(Unbound::Gone),
                    Some(Bound::Outside) | None => Err(Unbound::Outside),
                },
                Looked::Unknown => Err(Unbound::NoAccount),
                Looked::Malformed => Err(Unbound::Malformed),
                Looked::Unsupported => Err(Unbound::Unsupported),
                Looked::NotAsked => Err(Unbound::NotAsked),
            }
        };
        Ok(read.into_iter().map(became).collect())
    }

    /// The members that contacts were bound to, as recipients, in their order; none for one that is not bound.
    ///
    /// # Errors
    /// When there is no such connection, or a contact is none.
    pub async fn find_contacts(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        typed: Vec<Typed>,
    ) -> Result<Vec<Option<Recipient>>, Error> {
        caller.may(Right::Look)?;
        self.connection(caller, connection).await?;
        let contacts: Result<Vec<Contact>, Invalid> =
            typed.into_iter().map(|(kind, text)| Contact::parse(kind, text.reveal())).collect();
        let found = self.store.contact_find(connection, &contacts?).await?;
        let recipient = |id: carillon_model::id::EndpointId| Recipient {
            kind: RecipientKind::Member,
            id: id.to_string(),
        };
        Ok(found.into_iter().map(|id| id.map(recipient)).collect())
    }
}
