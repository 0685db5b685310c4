//! Hang tags on topics, take them off, and find topics by them.

use std::collections::BTreeMap;

use carillon_model::audit::Deed;
use carillon_model::role::Right;
use carillon_model::tag::{Tag, TagFilter, check_batch, check_key};
use carillon_model::topic::TopicName;
use carillon_store::Page;
use carillon_store::tag::{FullTopic, Tagged};
use carillon_store::topic::TopicFilter;

use crate::error::Error;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

/// A topic, by its id or its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicKey<'a> {
    /// By id.
    Id(&'a str),
    /// By name.
    Name(&'a str),
}

/// Every topic that a project can have, at once: what the operator may set has 32 bits.
const EVERY: Page = Page { offset: 0, limit: 0xffff_ffff };

impl Service {
    async fn keyed_topic(&self, caller: &Caller, key: TopicKey<'_>) -> Result<NamedTopic, Error> {
        let filter = match key {
            TopicKey::Id(id) => TopicFilter { id: Some(id.to_owned()), ..TopicFilter::default() },
            TopicKey::Name(name) => TopicFilter { name: Some(name.to_owned()), ..TopicFilter::default() },
        };
        let (_count, found) = self.list_topics(caller, filter, Page { offset: 0, limit: 1 }).await?;
        found.into_iter().next().ok_or(Error::TopicNotFound)
    }

    /// Hangs tags on a topic; a key that is there gets the new value.
    ///
    /// # Errors
    /// When there is no such topic, a key stands twice, or the topic would have more tags than it may.
    pub async fn tag_topic(&self, caller: &Caller, topic: TopicKey<'_>, tags: Vec<Tag>) -> Result<(), Error> {
        caller.may(Right::Change)?;
        check_batch(tags.iter().map(|tag| tag.key.as_str()))?;
        let name = self.keyed_topic(caller, topic).await?.topic.name;
        let store = self.acting(caller, Deed::TopicTag, &self.urn(caller, &name));
        match store.tag_put(&caller.project, &name, tags).await? {
            Tagged::Done => Ok(()),
            Tagged::Full => Err(Error::TagsFull),
            Tagged::NoTopic => Err(Error::TopicNotFound),
        }
    }

    /// Takes tags off a topic, by key and, where one is given, by value; those that are not there are passed over.
    ///
    /// # Errors
    /// When there is no such topic or a key stands twice.
    pub async fn untag_topic(
        &self,
        caller: &Caller,
        topic: TopicKey<'_>,
        tags: Vec<(String, Option<String>)>,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        check_batch(tags.iter().map(|(key, _)| key.as_str()))?;
        let name = self.keyed_topic(caller, topic).await?.topic.name;
        self.untagged(caller, &name, tags).await.map(drop)
    }

    /// Takes one tag off a topic.
    ///
    /// # Errors
    /// When there is no such topic or it has no tag of that key.
    pub async fn delete_tag(&self, caller: &Caller, topic: TopicKey<'_>, key: &str) -> Result<(), Error> {
        caller.may(Right::Change)?;
        check_key(key)?;
        let name = self.keyed_topic(caller, topic).await?.topic.name;
        let gone = self.untagged(caller, &name, vec![(key.to_owned(), None)]).await?;
        if gone > 0 { Ok(()) } else { Err(Error::TagNotFound) }
    }

    async fn untagged(
        &self,
        caller: &Caller,
        name: &TopicName,
        tags: Vec<(String, Option<String>)>,
    ) -> Result<u64, Error> {
        let store = self.acting(caller, Deed::TopicTag, &self.urn(caller, name));
        store.tag_delete(&caller.project, name, tags).await?.ok_or(Error::TopicNotFound)
    }

    /// The tags of a topic, by key.
    ///
    /// # Errors
    /// When there is no such topic.
    pub async fn list_tags(&self, caller: &Caller, topic: TopicKey<'_>) -> Result<Vec<Tag>, Error> {
        caller.may(Right::Look)?;
        let id = self.keyed_topic(caller, topic).await?.topic.id;
        Ok(self.store.tag_list(id).await?)
    }

    /// Every key that a topic of the project has, with its different values.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_all_tags(&self, caller: &Caller) -> Result<BTreeMap<String, Vec<String>>, Error> {
        caller.may(Right::Look)?;
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for tag in self.store.tag_list_all(&caller.project).await? {
            keys.entry(tag.key).or_default().push(tag.value);
        }
        Ok(keys)
    }

    /// The topics that a filter of tags means, newest first, with the count of all of them.
    ///
    /// # Errors
    /// When the filter breaks a rule.
    pub async fn list_tagged_topics(
        &self,
        caller: &Caller,
        filter: &TagFilter,
        page: Page,
    ) -> Result<(u64, Vec<(NamedTopic, FullTopic)>), Error> {
        caller.may(Right::Look)?;
        filter.check()?;
        let (_count, mut all) = self.list_full_topics(caller, TopicFilter::default(), EVERY).await?;
        all.retain(|(named, full)| filter.matches(named.topic.name.as_str(), &full.tags));
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let (offset, limit) = (usize::try_from(page.offset), usize::try_from(page.limit));
        let shown = all.into_iter().skip(offset.unwrap_or(usize::MAX)).take(limit.unwrap_or(usize::MAX));
        Ok((count, shown.collect()))
    }

    /// Lists the project's topics as [`Service::list_topics`] does, each with its tags and attributes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_full_topics(
        &self,
        caller: &Caller,
        filter: TopicFilter,
        page: Page,
    ) -> Result<(u64, Vec<(NamedTopic, FullTopic)>), Error> {
        caller.may(Right::Look)?;
        let (count, found) = self.store.topic_list_full(&caller.project, filter, page).await?;
        let named = |full: FullTopic| {
            let topic = full.topic.clone();
            (NamedTopic { urn: self.urn(caller, &topic.name), topic }, full)
        };
        Ok((count, found.into_iter().map(named).collect()))
    }
}
