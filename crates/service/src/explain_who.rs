//! Why somebody did or did not get a message, whatever somebody is known by: a subscription, an address, or a person.
//!
//! An address is compared by its keyed hash and never repeated; where it is no whole address, it is compared with what is
//! shown of the topic's addresses, and with their remarks.

use std::collections::HashSet;

use carillon_model::audit::Deed;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{MessageId, SubscriptionId};
use carillon_model::office::Platform;
use carillon_model::office::contact::{Contact, ContactKind};
use carillon_model::outcome::Advice;
use carillon_model::role::Right;
use carillon_model::subscription::Subscription;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Channel, Field, Invalid, SecretText, Timestamp, limits};
use carillon_store::Page;
use carillon_store::audit::AuditFilter;
use carillon_store::person::{Person, Whom};
use carillon_store::subscription::SubscriptionFilter;

use crate::delivery::NamedMessage;
use crate::error::Error;
use crate::explain::{Cause, Explanation, absent};
use crate::explain_words::{named_person, named_subscription, then};
use crate::{Caller, Service};

/// How many answers are given at most.
const ANSWERS_MAX: usize = 20;
/// How many of a topic's addresses are looked through for a part of one.
const LOOKED_MAX: u64 = 10_000;
/// How many of them at once.
const PORTION: u64 = 500;
/// The fewest characters that a part of an address, a name or a remark is looked for by.
const PART_CHARS_MIN: usize = 2;

/// Whom the question is about.
#[derive(Debug, Clone)]
pub enum Sought {
    /// A subscription, by its URN.
    Subscription(String),
    /// An address, whole or as it is shown, or a remark.
    Endpoint(SecretText),
    /// A person: a name, an id, a mail address or a phone number.
    Person(SecretText),
    /// Any of these.
    Anyone(SecretText),
}

/// An answer, with whom it is about.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whom, in both languages.
    pub whom: Advice,
    /// What the subscription was when the message was accepted, as far as is known.
    pub then: Option<Advice>,
    /// The answer.
    pub explanation: Explanation,
}

/// Every answer.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The message.
    pub message: NamedMessage,
    /// Each with whom it is about; none when nobody was found.
    pub answers: Vec<Answer>,
    /// Whether there were more.
    pub more: bool,
}

/// Whom a question turned out to be about.
#[derive(Default)]
struct Candidates {
    subscriptions: Vec<Subscription>,
    people: Vec<Person>,
}

impl Service {
    /// Tells why somebody did or did not get a message. Nobody found is an empty answer, no error.
    ///
    /// # Errors
    /// When there is no such message in the caller's project, the caller may not see who subscribes, or nothing was asked.
    pub async fn explain_who(
        &self,
        caller: &Caller,
        id: MessageId,
        sought: Sought,
    ) -> Result<Answers, Error> {
        caller.may(Right::Look)?;
        let message = self.message(caller, id).await?;
        let (text, endpoints, people) = match sought {
            Sought::Subscription(urn) => return self.by_urn(caller, message, &urn).await,
            Sought::Anyone(text) if is_urn(text.reveal()) => {
                return self.by_urn(caller, message, text.reveal().trim()).await;
            }
            Sought::Endpoint(text) => (text, true, false),
            Sought::Person(text) => (text, false, true),
            Sought::Anyone(text) => (text, true, true),
        };
        let text = text.reveal().trim();
        let length = text.chars().count();
        if length < PART_CHARS_MIN || text.len() > limits::ENDPOINT_BYTES_MAX {
            return Err(Invalid::new(Field::To, "must be at least 2 characters, at most 2048 bytes").into());
        }
        let mut found = Candidates::default();
        if people {
            self.by_person(caller, text, &mut found).await?;
        }
        if endpoints {
            self.by_address(caller, &message, text, &mut found).await?;
        }
        self.answers(caller, message, found).await
    }

    /// Who the deliveries of a message behind number `after` go to, as it may be shown; nobody to a caller who may not see
    /// who subscribes.
    ///
    /// # Errors
    /// When there is no such message in the caller's project.
    pub async fn delivery_recipients(
        &self,
        caller: &Caller,
        message: MessageId,
        after: u32,
        limit: u64,
    ) -> Result<Vec<Whom>, Error> {
        caller.reach(Right::Trace)?;
        self.message(caller, message).await?;
        if !caller.has(Right::Look) {
            return Ok(Vec::new());
        }
        Ok(self.store.delivery_whom(message, after, limit).await?)
    }

    async fn by_urn(&self, caller: &Caller, message: NamedMessage, urn: &str) -> Result<Answers, Error> {
        let urn = self.own_subscription(caller, None, urn)?;
        let topic = self.store.topic_find(&caller.project, &urn.topic.topic).await?;
        let subscription = match topic {
            Some(topic) => self.store.subscription_find(topic.id, urn.id).await?,
            None => None,
        };
        if let Some(subscription) = subscription {
            let found = Candidates { subscriptions: vec![subscription], people: Vec::new() };
            return self.answers(caller, message, found).await;
        }
        // What is gone may still have a delivery.
        let whom = named_subscription(None);
        let deliveries = self
            .store
            .delivery_find_among(&caller.project, message.summary.message.message.id, &[urn.id], &[], 1)
            .await?;
        let explanation = match deliveries.into_iter().next() {
            Some(record) => self.explain_delivery(&message, self.named_delivery(caller, record)).await?,
            None => self.explain_absence(&message, urn).await?,
        };
        let answers = vec![Answer { whom, then: None, explanation }];
        Ok(Answers { message, answers, more: false })
    }

    /// People of the directories, and what subscription users of that name subscribed.
    async fn by_person(&self, caller: &Caller, text: &str, found: &mut Candidates) -> Result<(), Error> {
        let contact = |kind| Contact::parse(kind, text).ok();
        let contacts: Vec<Contact> =
            [ContactKind::Email, ContactKind::Phone].into_iter().filter_map(contact).collect();
        let limit = u64::try_from(ANSWERS_MAX + 1).unwrap_or(u64::MAX);
        found.people = self.store.person_find(&caller.project, text, &contacts, limit).await?;
        let mut endpoints = Vec::new();
        // A mail address is somebody's own subscription, too.
        endpoints.extend(Endpoint::parse(Channel::Email, text).ok());
        // DingTalk's internal robot knows people by the same ids.
        endpoints.extend(Endpoint::parse(Channel::DingtalkPerson, text).ok());
        for person in found.people.iter().filter(|person| person.platform == Platform::Dingtalk) {
            endpoints.extend(Endpoint::parse(Channel::DingtalkPerson, &person.platform_id).ok());
        }
        let wanted = text.to_lowercase();
        for user in self.store.subscription_user_list(&caller.project).await? {
            if user.name.to_lowercase().contains(&wanted) {
                let parsed =
                    user.contacts.iter().map(|it| Endpoint::parse(it.channel, it.endpoint.reveal()).ok());
                endpoints.extend(parsed.flatten());
            }
        }
        self.subscribed(caller, endpoints, found).await
    }

    async fn by_address(
        &self,
        caller: &Caller,
        message: &NamedMessage,
        text: &str,
        found: &mut Candidates,
    ) -> Result<(), Error> {
        let endpoints = Channel::ALL.into_iter().filter_map(|channel| Endpoint::parse(channel, text).ok());
        let before = found.subscriptions.len();
        self.subscribed(caller, endpoints.collect(), found).await?;
        if let Ok(id) = SubscriptionId::parse(text) {
            let topic = message.summary.message.message.topic;
            found.subscriptions.extend(self.store.subscription_find(topic, id).await?);
        }
        if found.subscriptions.len() == before {
            self.by_part(message, text, found).await?;
        }
        Ok(())
    }

    /// The project's subscriptions to these addresses.
    async fn subscribed(
        &self,
        caller: &Caller,
        endpoints: Vec<Endpoint>,
        found: &mut Candidates,
    ) -> Result<(), Error> {
        if endpoints.is_empty() {
            return Ok(());
        }
        let filter = SubscriptionFilter { endpoints: Some(endpoints), ..SubscriptionFilter::default() };
        let page = Page { offset: 0, limit: PORTION };
        let (_count, subscriptions) = self.store.subscription_list(&caller.project, filter, page).await?;
        found.subscriptions.extend(subscriptions);
        Ok(())
    }

    /// The topic's subscriptions whose shown address or remark holds a text.
    async fn by_part(&self, message: &NamedMessage, text: &str, found: &mut Candidates) -> Result<(), Error> {
        let message = &message.summary.message.message;
        let wanted = text.to_lowercase();
        let mut offset = 0;
        while offset < LOOKED_MAX && found.subscriptions.len() <= ANSWERS_MAX {
            let filter = SubscriptionFilter { topic: Some(message.topic), ..SubscriptionFilter::default() };
            let page = Page { offset, limit: PORTION };
            let (count, portion) = self.store.subscription_list(&message.project, filter, page).await?;
            let fits = |one: &Subscription| {
                one.endpoint_masked.to_lowercase().contains(&wanted)
                    || one.remark.to_lowercase().contains(&wanted)
            };
            found.subscriptions.extend(portion.into_iter().filter(fits));
            offset += PORTION;
            if offset >= count {
                break;
            }
        }
        Ok(())
    }

    async fn answers(
        &self,
        caller: &Caller,
        message: NamedMessage,
        mut found: Candidates,
    ) -> Result<Answers, Error> {
        let topic = message.summary.message.message.topic;
        // Other topics' subscriptions are an answer only where the topic itself has none.
        if found.subscriptions.iter().any(|one| one.topic == topic) || !found.people.is_empty() {
            found.subscriptions.retain(|one| one.topic == topic);
        }
        let (mut answers, mut told) = (Vec::new(), HashSet::new());
        for person in found.people {
            let all = self.of_person(caller, &message, &person).await?;
            answers.extend(all.into_iter().filter(|one| fresh(&mut told, one)));
        }
        for subscription in found.subscriptions {
            if answers.len() > ANSWERS_MAX {
                break;
            }
            let all = self.of_subscription(caller, &message, subscription).await?;
            answers.extend(all.into_iter().filter(|one| fresh(&mut told, one)));
        }
        let more = answers.len() > ANSWERS_MAX;
        answers.truncate(ANSWERS_MAX);
        Ok(Answers { message, answers, more })
    }

    async fn of_person(
        &self,
        caller: &Caller,
        message: &NamedMessage,
        person: &Person,
    ) -> Result<Vec<Answer>, Error> {
        let (project, sent) = (&caller.project, &message.summary.message.message);
        let whom = named_person(person);
        let lanes = person.lanes();
        let limit = u64::try_from(ANSWERS_MAX).unwrap_or(u64::MAX);
        let deliveries = self.store.delivery_find_among(project, sent.id, &[], &lanes, limit).await?;
        if deliveries.is_empty() {
            let cause = if let Some(first) = message.summary.equal_to {
                Cause::Suppressed(first)
            } else if person.first_seen > sent.created_at {
                Cause::SeenLater(person.first_seen)
            } else {
                Cause::NotNamed
            };
            return Ok(vec![Answer { whom, then: None, explanation: absent(message, None, cause) }]);
        }
        let mut answers = Vec::with_capacity(deliveries.len());
        for record in deliveries {
            let explanation = self.explain_delivery(message, self.named_delivery(caller, record)).await?;
            answers.push(Answer { whom: whom.clone(), then: None, explanation });
        }
        Ok(answers)
    }

    async fn of_subscription(
        &self,
        caller: &Caller,
        message: &NamedMessage,
        subscription: Subscription,
    ) -> Result<Vec<Answer>, Error> {
        let sent = &message.summary.message.message;
        let topic = TopicUrn {
            region: self.region.to_string(),
            project: subscription.project.clone(),
            topic: subscription.topic_name.clone(),
        };
        let urn = SubscriptionUrn { topic, id: subscription.id };
        let changes = self.changes_since(caller, &urn, sent.created_at).await?;
        let whom = named_subscription(Some(&subscription));
        let limit = u64::try_from(ANSWERS_MAX).unwrap_or(u64::MAX);
        let deliveries =
            self.store.delivery_find_among(&caller.project, sent.id, &[subscription.id], &[], limit).await?;
        let was_there = !deliveries.is_empty() || subscription.created_at < sent.created_at;
        let then = Some(then(&subscription, was_there, &changes));
        if deliveries.is_empty() {
            let explanation = self.explain_absence(message, urn).await?;
            return Ok(vec![Answer { whom, then, explanation }]);
        }
        let mut answers = Vec::with_capacity(deliveries.len());
        for record in deliveries {
            let explanation = self.explain_delivery(message, self.named_delivery(caller, record)).await?;
            answers.push(Answer { whom: whom.clone(), then: then.clone(), explanation });
        }
        Ok(answers)
    }

    /// What was changed of a subscription since a time, the latest first.
    async fn changes_since(
        &self,
        caller: &Caller,
        urn: &SubscriptionUrn,
        since: Timestamp,
    ) -> Result<Vec<(Deed, Timestamp)>, Error> {
        let filter = AuditFilter { what: Some(urn.to_string()), ..AuditFilter::default() };
        let limit = u64::try_from(ANSWERS_MAX).unwrap_or(u64::MAX);
        let lines = self.store.audit_list(&caller.project, filter, None, limit).await?;
        let after = lines.into_iter().filter(|line| line.created_at >= since);
        Ok(after.map(|line| (line.deed, line.created_at)).collect())
    }
}

fn is_urn(text: &str) -> bool {
    text.trim_start().starts_with("urn:")
}

/// Whether an answer's delivery, or else its subscription, was not told of yet.
fn fresh(told: &mut HashSet<String>, answer: &Answer) -> bool {
    let explanation = &answer.explanation;
    match (&explanation.delivery, &explanation.subscription_urn) {
        (Some(delivery), _) => told.insert(delivery.record.id.to_string()),
        (None, Some(urn)) => told.insert(urn.to_string()),
        (None, None) => true,
    }
}
