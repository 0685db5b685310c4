//! Tags of topics, and topics with all that hangs on them.

use std::collections::BTreeMap;

use carillon_model::id::{ProjectId, TopicId};
use carillon_model::limits;
use carillon_model::logtank::Logtank;
use carillon_model::tag::Tag;
use carillon_model::topic::{Attributes, Topic, TopicName};

use crate::Page;
use crate::attribute::read_into;
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::topic::{TopicFilter, find, list};

/// What came of hanging tags on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    /// They hang there.
    Done,
    /// It would have more than it may; nothing was changed.
    Full,
    /// There is no such topic.
    NoTopic,
}

/// A topic with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTopic {
    /// The topic.
    pub topic: Topic,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its log tanks, oldest first.
    pub logtanks: Vec<Logtank>,
}

fn read_tag(row: &mut Row) -> Result<Tag, Error> {
    Ok(Tag { key: row.text()?, value: row.text()? })
}

fn put(tx: &mut Tx<'_>, topic: &TopicId, tags: &[Tag]) -> Result<Tagged, Error> {
    let pairs: Vec<(&str, &str)> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let pairs = serde_json::to_string(&pairs).map_err(|_json| Error::Conflict)?;
    let sql = "SELECT count(*) FROM topic_tag
         WHERE topic_id = $1 AND key NOT IN (SELECT json_extract(value, '$[0]') FROM json_each($2))";
    let others = tx.query_one("topic_tag", sql, params![topic.to_string(), pairs.as_str()])?;
    let others = others.map(|mut row| row.count()).transpose()?.unwrap_or(0);
    let others = usize::try_from(others).unwrap_or(usize::MAX);
    if others.saturating_add(tags.len()) > limits::TAGS_MAX {
        return Ok(Tagged::Full);
    }
    tx.execute(
        "INSERT INTO topic_tag (topic_id, key, value)
         SELECT $1, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($2) WHERE true
         ON CONFLICT (topic_id, key) DO UPDATE SET value = excluded.value",
        params![topic.to_string(), pairs],
    )?;
    Ok(Tagged::Done)
}

impl Store {
    /// Hangs tags on a topic; a key that is there gets the new value.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn tag_put(
        &self,
        project: &ProjectId,
        topic: &TopicName,
        tags: Vec<Tag>,
    ) -> Result<Tagged, Error> {
        let (project, topic) = (project.clone(), topic.clone());
        let write = move |tx: &mut Tx<'_>| match find(tx, &project, &topic)? {
            Some(topic) => put(tx, &topic.id, &tags),
            None => Ok(Tagged::NoTopic),
        };
        self.db.write(write).await
    }

    /// Takes tags off a topic, by key and, where one is given, by value too. Tells how many there were; nothing when
    /// there is no such topic.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn tag_delete(
        &self,
        project: &ProjectId,
        topic: &TopicName,
        tags: Vec<(String, Option<String>)>,
    ) -> Result<Option<u64>, Error> {
        let (project, topic) = (project.clone(), topic.clone());
        let delete = move |tx: &mut Tx<'_>| {
            let Some(topic) = find(tx, &project, &topic)? else { return Ok(None) };
            let pairs = serde_json::to_string(&tags).map_err(|_json| Error::Conflict)?;
            let sql = "DELETE FROM topic_tag WHERE topic_id = $1 AND EXISTS (SELECT 1 FROM json_each($2) j
                 WHERE json_extract(j.value, '$[0]') = topic_tag.key
                 AND coalesce(json_extract(j.value, '$[1]'), topic_tag.value) = topic_tag.value)";
            tx.execute(sql, params![topic.id.to_string(), pairs]).map(Some)
        };
        self.db.write(delete).await
    }

    /// The tags of a topic, by key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tag_list(&self, topic: TopicId) -> Result<Vec<Tag>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT key, value FROM topic_tag WHERE topic_id = $1 ORDER BY key";
            let rows = tx.query("topic_tag", sql, params![topic.to_string()])?;
            rows.into_iter().map(|mut row| read_tag(&mut row)).collect()
        };
        self.db.read(list).await
    }

    /// The different tags of a project's topics, by key and value.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tag_list_all(&self, project: &ProjectId) -> Result<Vec<Tag>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT DISTINCT g.key, g.value FROM topic_tag g JOIN topic t ON t.id = g.topic_id
                 WHERE t.project_id = $1 ORDER BY g.key, g.value";
            let rows = tx.query("topic_tag", sql, params![project.as_str()])?;
            rows.into_iter().map(|mut row| read_tag(&mut row)).collect()
        };
        self.db.read(list).await
    }

    /// Lists a project's topics as [`Store::topic_list`] does, each with all that hangs on it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn topic_list_full(
        &self,
        project: &ProjectId,
        filter: TopicFilter,
        page: Page,
    ) -> Result<(u64, Vec<FullTopic>), Error> {
        let project = project.clone();
        let read = move |tx: &mut Tx<'_>| {
            let (count, topics) = list(tx, &project, &filter, page)?;
            let ids: Vec<String> = topics.iter().map(|topic| topic.id.to_string()).collect();
            let sql = "SELECT topic_id, key, value FROM topic_tag
                 WHERE topic_id IN (SELECT value FROM json_each($1)) ORDER BY topic_id, key";
            let mut tags: BTreeMap<TopicId, Vec<Tag>> = BTreeMap::new();
            for mut row in tx.query("topic_tag", sql, params![ids.clone()])? {
                let topic = row.parsed(|text| TopicId::parse(text).ok())?;
                tags.entry(topic).or_default().push(read_tag(&mut row)?);
            }
            let sql = "SELECT topic_id, name, value FROM topic_attribute
                 WHERE topic_id IN (SELECT value FROM json_each($1))";
            let mut attributes: BTreeMap<TopicId, Attributes> = BTreeMap::new();
            for mut row in tx.query("topic_attribute", sql, params![ids.clone()])? {
                let topic = row.parsed(|text| TopicId::parse(text).ok())?;
                read_into(attributes.entry(topic).or_default(), &mut row)?;
            }
            let sql = "SELECT topic_id, id, group_id, stream_id, created_at, updated_at FROM logtank
                 WHERE topic_id IN (SELECT value FROM json_each($1)) ORDER BY created_at, id";
            let mut logtanks: BTreeMap<TopicId, Vec<Logtank>> = BTreeMap::new();
            for mut row in tx.query("logtank", sql, params![ids])? {
                let topic = row.parsed(|text| TopicId::parse(text).ok())?;
                logtanks.entry(topic).or_default().push(crate::logtank::read(&mut row)?);
            }
            let full = |topic: Topic| FullTopic {
                tags: tags.remove(&topic.id).unwrap_or_default(),
                attributes: attributes.remove(&topic.id).unwrap_or_default(),
                logtanks: logtanks.remove(&topic.id).unwrap_or_default(),
                topic,
            };
            Ok((count, topics.into_iter().map(full).collect()))
        };
        self.db.read(read).await
    }
}
