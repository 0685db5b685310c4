//! Create, look at, change and remove topics.

use carillon_model::access_policy::Action;
use carillon_model::audit::Deed;
use carillon_model::id::TopicId;
use carillon_model::limits;
use carillon_model::role::Right;
use carillon_model::topic::{Topic, TopicName, check_display_name};
use carillon_model::urn::TopicUrn;
use carillon_store::Page;
use carillon_store::topic::{Made, TopicFilter};

use crate::caller::Reach;
use crate::error::Error;
use crate::{Caller, Service};

/// How many topics are offered to somebody who wants to publish.
const OFFERED_MAX: usize = 200;

/// A topic with its URN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTopic {
    /// Its URN.
    pub urn: TopicUrn,
    /// The topic.
    pub topic: Topic,
}

/// What a caller says of a topic to be made.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The name that people see.
    pub display_name: String,
    /// SMN's enterprise project.
    pub enterprise_project_id: Option<String>,
}

impl Service {
    /// Makes a topic, or finds the one of that name, which stays as it is. Tells whether it is new.
    ///
    /// # Errors
    /// When a name breaks its rule or the project is full.
    pub async fn create_topic(&self, caller: &Caller, new: NewTopic) -> Result<(NamedTopic, bool), Error> {
        caller.may(Right::Change)?;
        let name = TopicName::parse(&new.name)?;
        check_display_name(&new.display_name)?;
        let now = self.clock.now();
        let topic = Topic {
            id: TopicId::new(now, self.chance.as_ref()),
            project: caller.project.clone(),
            name,
            display_name: new.display_name,
            enterprise_project_id: new.enterprise_project_id.unwrap_or_else(|| "0".to_owned()),
            created_at: now,
            updated_at: now,
        };
        let store = self.acting(caller, Deed::TopicCreate, &self.urn(caller, &topic.name));
        match store.topic_create(topic).await? {
            Made::New(topic) => Ok((self.named(caller, topic), true)),
            Made::There(topic) => Ok((self.named(caller, topic), false)),
            Made::Full => Err(Error::TopicsFull),
        }
    }

    /// Lists the project's topics, newest first, with the count of all that fit the filter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_topics(
        &self,
        caller: &Caller,
        filter: TopicFilter,
        page: Page,
    ) -> Result<(u64, Vec<NamedTopic>), Error> {
        caller.may(Right::Look)?;
        let (count, topics) = self.store.topic_list(&caller.project, filter, page).await?;
        Ok((count, topics.into_iter().map(|topic| self.named(caller, topic)).collect()))
    }

    /// Lists topics of the project that the caller may publish to, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_topics_to_publish(&self, caller: &Caller) -> Result<Vec<NamedTopic>, Error> {
        let reach = caller.reach(Right::Publish)?;
        let (mut found, mut offset) = (Vec::new(), 0);
        loop {
            let page = Page { offset, limit: limits::PAGE_MAX };
            let (count, topics) =
                self.store.topic_list(&caller.project, TopicFilter::default(), page).await?;
            let fits = |topic: &Topic| reach == Reach::All || caller.standing.allows_publish_to(&topic.name);
            found.extend(topics.into_iter().filter(fits).map(|topic| self.named(caller, topic)));
            offset += limits::PAGE_MAX;
            if offset >= count || found.len() >= OFFERED_MAX {
                found.truncate(OFFERED_MAX);
                return Ok(found);
            }
        }
    }

    /// Looks at a topic that the caller may publish to, by its URN or name.
    ///
    /// # Errors
    /// When there is no such topic, or the caller may not publish to it.
    pub async fn topic_to_publish(&self, caller: &Caller, urn_or_name: &str) -> Result<NamedTopic, Error> {
        caller.reach(Right::Publish)?;
        self.usable_topic(caller, &self.topic_urn(caller, urn_or_name)?, Action::Publish, None).await
    }

    /// Looks at one topic.
    ///
    /// # Errors
    /// When the URN is malformed or there is no such topic in the caller's project.
    pub async fn topic(&self, caller: &Caller, urn: &str) -> Result<NamedTopic, Error> {
        caller.may(Right::Look)?;
        let urn = self.own_urn(caller, urn)?;
        let topic = self.store.topic_find(&caller.project, &urn.topic).await?.ok_or(Error::TopicNotFound)?;
        Ok(NamedTopic { urn, topic })
    }

    /// Changes a topic's display name.
    ///
    /// # Errors
    /// When the name breaks its rule or there is no such topic.
    pub async fn rename_topic(&self, caller: &Caller, urn: &str, display_name: String) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let urn = self.usable_topic(caller, urn, Action::UpdateTopic, None).await?.urn;
        check_display_name(&display_name)?;
        let store = self.acting(caller, Deed::TopicUpdate, &urn);
        let there = store.topic_rename(&urn.project, &urn.topic, display_name).await?;
        if there { Ok(()) } else { Err(Error::TopicNotFound) }
    }

    /// Removes a topic with its subscriptions; what waits for them is cancelled.
    ///
    /// # Errors
    /// When there is no such topic.
    pub async fn delete_topic(&self, caller: &Caller, urn: &str) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let urn = self.usable_topic(caller, urn, Action::DeleteTopic, None).await?.urn;
        let store = self.acting(caller, Deed::TopicDelete, &urn);
        let there = store.topic_delete(&urn.project, &urn.topic).await?;
        if there { Ok(()) } else { Err(Error::TopicNotFound) }
    }

    /// The URN of a topic that a caller gave by URN or, within its own project, by name.
    ///
    /// # Errors
    /// When it is neither.
    pub fn topic_urn(&self, caller: &Caller, urn_or_name: &str) -> Result<String, Error> {
        if urn_or_name.contains(':') {
            return Ok(urn_or_name.to_owned());
        }
        Ok(self.urn(caller, &TopicName::parse(urn_or_name)?).to_string())
    }

    /// Reads a topic's URN; another project's or region's looks as if it did not exist.
    pub(crate) fn own_urn(&self, caller: &Caller, urn: &str) -> Result<TopicUrn, Error> {
        let urn = TopicUrn::parse(urn)?;
        if caller.owns(&urn, &self.region) { Ok(urn) } else { Err(Error::TopicNotFound) }
    }

    fn named(&self, caller: &Caller, topic: Topic) -> NamedTopic {
        NamedTopic { urn: self.urn(caller, &topic.name), topic }
    }
}
