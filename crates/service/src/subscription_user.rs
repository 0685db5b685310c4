//! Keep users with several ways to be reached, and subscribe them to topics.

use carillon_model::audit::Deed;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::SubscriptionUserId;
use carillon_model::role::Right;
use carillon_model::subscription::SubscriptionState;
use carillon_model::subscription_user::{Contact, SubscriptionUser, check_user_name};
use carillon_model::urn::SubscriptionUrn;
use carillon_model::{Field, Invalid};
use carillon_store::Page;
use carillon_store::subscription_user::UserChange;

use crate::error::Error;
use crate::subscription::Subscribe;
use crate::{Caller, Service};

/// What a caller says of a user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// The group.
    pub group: String,
    /// The ways to reach it, one for each protocol.
    pub contacts: Vec<Subscribe>,
}

/// What a caller says that is to change of a user; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct ChangedUser {
    /// Another name.
    pub name: Option<String>,
    /// Another group.
    pub group: Option<String>,
    /// By protocol: another contact, or none any more.
    pub contacts: Vec<(String, Option<Subscribe>)>,
}

/// Which users a list shows.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Exactly this name.
    pub name: Option<String>,
    /// Exactly this group.
    pub group: Option<String>,
    /// Those with a contact of this protocol.
    pub protocol: Option<String>,
    /// Those with a contact that stands so; of the protocol, if one is given.
    pub status: Option<SubscriptionState>,
    /// Those whose name or group holds this, in capitals or small letters.
    pub text: Option<String>,
}

/// A user as it may be shown.
#[derive(Debug, Clone)]
pub struct ShownUser {
    /// The user.
    pub user: SubscriptionUser,
    /// Its contacts: protocol, masked address, and how it stands.
    pub contacts: Vec<(String, String, SubscriptionState)>,
}

/// A user's contact that was subscribed, or why it was not.
pub type UserSubscribed = Result<(SubscriptionUrn, bool), Error>;

fn user_id(text: &str) -> Result<SubscriptionUserId, Error> {
    // The text is not ours to judge: whatever it is, nobody has that id.
    SubscriptionUserId::parse(text).map_err(|_form| Error::SubscriptionUserNotFound)
}

impl Service {
    /// Checks a contact by every rule of a subscription to it.
    fn contact(&self, given: &Subscribe) -> Result<Contact, Error> {
        self.check_subscription(given)?;
        Ok(Contact {
            channel: given.channel,
            protocol: given.protocol.clone(),
            endpoint: given.endpoint.clone(),
            extension: given.extension.clone(),
        })
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When the name, the group or a contact breaks its rule, there is no contact, or the project has as many as it may.
    pub async fn create_subscription_user(
        &self,
        caller: &Caller,
        new: NewUser,
    ) -> Result<SubscriptionUserId, Error> {
        caller.may(Right::Change)?;
        check_user_name(&new.name)?;
        if !new.group.is_empty() {
            check_user_name(&new.group)?;
        }
        if new.contacts.is_empty() {
            return Err(
                Invalid::new(Field::Extension, "at least one way to reach the user must be given").into()
            );
        }
        let contacts = new.contacts.iter().map(|it| self.contact(it)).collect::<Result<Vec<_>, _>>()?;
        let detail = named(contacts.iter().map(|contact| contact.protocol.as_str()));
        let store = self.acting_on(caller, Deed::UserCreate, vec![new.name.clone()], detail);
        let made = store.subscription_user_add(&caller.project, new.name, new.group, contacts).await?;
        made.ok_or(Error::SubscriptionUsersFull)
    }

    /// Lists the project's users, oldest first, with the count of all that fit the filter. A contact that is asked
    /// stands as the project's subscriptions to its address do: confirmed when one of them is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_subscription_users(
        &self,
        caller: &Caller,
        filter: UserFilter,
        page: Page,
    ) -> Result<(u64, Vec<ShownUser>), Error> {
        caller.may(Right::Look)?;
        let mut found = self.store.subscription_user_list(&caller.project).await?;
        let fits = |there: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|it| it == there);
        found.retain(|user| fits(&user.name, &filter.name) && fits(&user.group, &filter.group));
        if let Some(text) = filter.text.as_ref().map(|text| text.to_lowercase()) {
            found.retain(|it| [&it.name, &it.group].iter().any(|has| has.to_lowercase().contains(&text)));
        }
        let has =
            |user: &SubscriptionUser| user.contacts.iter().any(|it| fits(&it.protocol, &filter.protocol));
        found.retain(has);
        let paged = |count: usize| {
            let from = usize::try_from(page.offset).unwrap_or(usize::MAX).min(count);
            let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
            (from, limit)
        };
        let count = |users: &[ShownUser]| u64::try_from(users.len()).unwrap_or(u64::MAX);
        let Some(status) = filter.status else {
            let all = u64::try_from(found.len()).unwrap_or(u64::MAX);
            let (from, limit) = paged(found.len());
            let wanted: Vec<_> = found.into_iter().skip(from).take(limit).collect();
            return Ok((all, self.shown_users(caller, wanted).await?));
        };
        let mut shown = self.shown_users(caller, found).await?;
        shown.retain(|user| {
            let fits = |(protocol, _, state): &(String, String, SubscriptionState)| {
                *state == status && filter.protocol.as_ref().is_none_or(|it| it == protocol)
            };
            user.contacts.iter().any(fits)
        });
        let (all, (from, limit)) = (count(&shown), paged(shown.len()));
        Ok((all, shown.into_iter().skip(from).take(limit).collect()))
    }

    /// Looks at one user.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn subscription_user(&self, caller: &Caller, id: &str) -> Result<ShownUser, Error> {
        caller.may(Right::Look)?;
        let found = self.store.subscription_user_find(&caller.project, user_id(id)?).await?;
        let user = found.ok_or(Error::SubscriptionUserNotFound)?;
        let shown = self.shown_users(caller, vec![user]).await?;
        shown.into_iter().next().ok_or(Error::SubscriptionUserNotFound)
    }

    async fn shown_users(
        &self,
        caller: &Caller,
        users: Vec<SubscriptionUser>,
    ) -> Result<Vec<ShownUser>, Error> {
        let (mut shown, mut asked, mut places) = (Vec::with_capacity(users.len()), Vec::new(), Vec::new());
        for (index, user) in users.into_iter().enumerate() {
            let mut contacts = Vec::with_capacity(user.contacts.len());
            for contact in &user.contacts {
                let endpoint = Endpoint::parse(contact.channel, contact.endpoint.reveal())?;
                let masked = endpoint.masked();
                if contact.channel.needs_confirmation() {
                    places.push((index, contacts.len()));
                    asked.push(endpoint);
                }
                contacts.push((contact.protocol.clone(), masked, SubscriptionState::Confirmed));
            }
            shown.push(ShownUser { user, contacts });
        }
        let states = self.store.address_states(&caller.project, &asked).await?;
        for ((user, contact), states) in places.into_iter().zip(states) {
            let place = shown.get_mut(user).and_then(|user| user.contacts.get_mut(contact));
            if let Some((_, _, state)) = place {
                *state = standing(&states);
            }
        }
        Ok(shown)
    }

    /// Changes a user. Subscriptions made from it stay as they are.
    ///
    /// # Errors
    /// When there is no such user, or what is given breaks its rule.
    pub async fn change_subscription_user(
        &self,
        caller: &Caller,
        id: &str,
        wanted: ChangedUser,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let id = user_id(id)?;
        for name in wanted.name.iter().chain(&wanted.group) {
            check_user_name(name)?;
        }
        let contacts = wanted
            .contacts
            .into_iter()
            .map(|(protocol, given)| Ok((protocol, given.map(|given| self.contact(&given)).transpose()?)));
        let contacts = contacts.collect::<Result<Vec<_>, Error>>()?;
        let detail = named(contacts.iter().map(|(protocol, _)| protocol.as_str()));
        let store = self.acting_on(caller, Deed::UserUpdate, vec![id.to_string()], detail);
        let change = UserChange { name: wanted.name, group: wanted.group, contacts };
        let there = store.subscription_user_change(&caller.project, id, change).await?;
        if there { Ok(()) } else { Err(Error::SubscriptionUserNotFound) }
    }

    /// Removes a user for good. Subscriptions made from it stay.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn delete_subscription_user(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let id = user_id(id)?;
        let store = self.acting(caller, Deed::UserDelete, &id);
        let there = store.subscription_user_delete(&caller.project, id).await?;
        if there { Ok(()) } else { Err(Error::SubscriptionUserNotFound) }
    }

    /// Subscribes every contact of users to a topic, each with its own answer, in the order of the users. A contact that
    /// is asked elsewhere is asked here too: who reads of one topic did not agree to another.
    ///
    /// # Errors
    /// When there is no such topic, or the caller may not subscribe to it.
    pub async fn subscribe_users(
        &self,
        caller: &Caller,
        topic_urn: &str,
        ids: &[String],
    ) -> Result<Vec<UserSubscribed>, Error> {
        caller.may(Right::Change)?;
        self.known_topic(caller, topic_urn).await?;
        let mut answers = Vec::new();
        for id in ids {
            let user = match user_id(id) {
                Ok(id) => self.store.subscription_user_find(&caller.project, id).await?,
                Err(_form) => None,
            };
            let Some(user) = user else {
                answers.push(Err(Error::SubscriptionUserNotFound));
                continue;
            };
            for contact in user.contacts {
                let subscribe = Subscribe {
                    channel: contact.channel,
                    protocol: contact.protocol,
                    endpoint: contact.endpoint,
                    extension: contact.extension,
                    remark: Some(user.name.clone()),
                };
                answers.push(self.subscribe(caller, topic_urn, subscribe).await);
            }
        }
        Ok(answers)
    }
}

/// How an address stands that is subscribed so.
fn standing(states: &[SubscriptionState]) -> SubscriptionState {
    if states.iter().any(|state| state.receives()) {
        SubscriptionState::Confirmed
    } else if states.contains(&SubscriptionState::Cancelled) {
        SubscriptionState::Cancelled
    } else {
        SubscriptionState::Unconfirmed
    }
}

fn named<'a>(protocols: impl Iterator<Item = &'a str>) -> String {
    protocols.collect::<Vec<_>>().join(" ")
}
