//! Whether a caller may use a topic. The owner always may; anybody else only as the topic's access policy allows. A
//! topic without a policy looks to others as if it did not exist.

use carillon_model::access_policy::{AccessPolicy, Action, Asker, Question};
use carillon_model::role::Right;
use carillon_model::topic::Topic;
use carillon_model::urn::TopicUrn;

use crate::caller::Reach;
use crate::error::Error;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

/// The subscription that somebody wants to make, as a policy's conditions see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The protocol in the caller's dialect.
    pub(crate) protocol: &'a str,
    /// The address as it was given.
    pub(crate) endpoint: &'a str,
}

impl Caller {
    /// Who the caller is to an access policy: its project is the account.
    fn asker(&self) -> Asker {
        Asker { account: Some(format!("urn:csp:iam::{}:root", self.project)), ..Asker::default() }
    }
}

/// What a caller's own role must allow, whoever's the topic is.
fn right(action: Action) -> Right {
    match action {
        Action::Publish => Right::Publish,
        Action::QueryTopicDetail | Action::ListTopicAttributes | Action::ListSubscriptionsByTopic => {
            Right::Look
        }
        Action::UpdateTopic
        | Action::DeleteTopic
        | Action::UpdateTopicAttribute
        | Action::DeleteTopicAttributes
        | Action::DeleteTopicAttributeByName
        | Action::Subscribe
        | Action::Unsubscribe => Right::Change,
    }
}

impl Service {
    /// Looks at one topic: the caller's own, or another project's whose policy lets the caller.
    ///
    /// # Errors
    /// When the URN is malformed, there is no such topic, or its policy does not let the caller.
    pub async fn topic_detail(&self, caller: &Caller, urn: &str) -> Result<NamedTopic, Error> {
        caller.may(Right::Look)?;
        self.usable_topic(caller, urn, Action::QueryTopicDetail, None).await
    }

    /// Whether the caller knows of a topic: it is its own, or has a policy. What the policy allows is asked for each thing
    /// that is done with it.
    ///
    /// # Errors
    /// When the URN is malformed, or there is no such topic for the caller.
    pub async fn known_topic(&self, caller: &Caller, urn: &str) -> Result<NamedTopic, Error> {
        caller.may(Right::Look)?;
        let urn = TopicUrn::parse(urn)?;
        if urn.region != self.region() {
            return Err(Error::TopicNotFound);
        }
        let topic = self.store.topic_find(&urn.project, &urn.topic).await?.ok_or(Error::TopicNotFound)?;
        let known = topic.project == caller.project
            || !self.store.attribute_list(topic.id).await?.access_policy.is_empty();
        if known { Ok(NamedTopic { urn, topic }) } else { Err(Error::TopicNotFound) }
    }

    /// The topic of a URN, if the caller may do this with it.
    ///
    /// # Errors
    /// When there is no such topic, or it is another project's and its policy does not let the caller in.
    pub(crate) async fn usable_topic(
        &self,
        caller: &Caller,
        urn: &str,
        action: Action,
        wanted: Option<Wanted<'_>>,
    ) -> Result<NamedTopic, Error> {
        let right = right(action);
        let reach = caller.reach(right)?;
        let urn = TopicUrn::parse(urn)?;
        if reach == Reach::Own
            && caller.owns(&urn, self.region())
            && !caller.standing.allows_publish_to(&urn.topic)
        {
            return Err(caller.forbidden(right));
        }
        if urn.region != self.region() {
            return Err(Error::TopicNotFound);
        }
        let topic = self.store.topic_find(&urn.project, &urn.topic).await?.ok_or(Error::TopicNotFound)?;
        if topic.project != caller.project {
            // The topics that go with a role are those of its own project.
            if reach == Reach::Own {
                return Err(Error::TopicNotFound);
            }
            self.check_foreign(caller, &urn, &topic, action, wanted).await?;
        }
        Ok(NamedTopic { urn, topic })
    }

    /// Asks a topic's policy about a caller of another project.
    async fn check_foreign(
        &self,
        caller: &Caller,
        urn: &TopicUrn,
        topic: &Topic,
        action: Action,
        wanted: Option<Wanted<'_>>,
    ) -> Result<(), Error> {
        let text = self.store.attribute_list(topic.id).await?.access_policy;
        if text.is_empty() {
            return Err(Error::TopicNotFound);
        }
        let question = Question {
            asker: caller.asker(),
            action,
            resource: urn.to_string(),
            now: self.clock.now(),
            protocol: wanted.map(|wanted| wanted.protocol.to_owned()),
            endpoint: wanted.map(|wanted| wanted.endpoint.to_owned()),
        };
        if AccessPolicy::parse(&text)?.allows(&question) { Ok(()) } else { Err(Error::PolicyRefuses(action)) }
    }
}
