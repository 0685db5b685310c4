//! Attributes of topics: texts under a name from a closed list.

use carillon_model::id::{ProjectId, TopicId};
use carillon_model::topic::{Attribute, Attributes, TopicName};

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::topic::find;

/// What came of taking an attribute away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeGone {
    /// It is gone.
    Done,
    /// The topic had none of that name.
    NotSet,
    /// There is no such topic.
    NoTopic,
}

/// Reads the columns `name, value` of `topic_attribute` into what is known already.
pub(crate) fn read_into(attributes: &mut Attributes, row: &mut Row) -> Result<(), Error> {
    let name = row.parsed(Attribute::from_name)?;
    *attributes.get_mut(name) = row.text()?;
    Ok(())
}

fn touch(tx: &mut Tx<'_>, topic: &TopicId, now: carillon_model::Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE topic SET updated_at = $2 WHERE id = $1", params![topic.to_string(), now]).map(drop)
}

impl Store {
    /// The attributes of a topic; empty texts where none are set.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn attribute_list(&self, topic: TopicId) -> Result<Attributes, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT name, value FROM topic_attribute WHERE topic_id = $1";
            let mut attributes = Attributes::default();
            for mut row in tx.query("topic_attribute", sql, params![topic.to_string()])? {
                read_into(&mut attributes, &mut row)?;
            }
            Ok(attributes)
        };
        self.db.read(list).await
    }

    /// Sets an attribute and tells whether the topic is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn attribute_set(
        &self,
        project: &ProjectId,
        topic: &TopicName,
        attribute: Attribute,
        value: String,
    ) -> Result<bool, Error> {
        let (project, topic, now) = (project.clone(), topic.clone(), self.clock.now());
        let set = move |tx: &mut Tx<'_>| {
            let Some(topic) = find(tx, &project, &topic)? else { return Ok(false) };
            tx.execute(
                "INSERT INTO topic_attribute (topic_id, name, value) VALUES ($1, $2, $3)
                 ON CONFLICT (topic_id, name) DO UPDATE SET value = excluded.value",
                params![topic.id.to_string(), attribute.name(), value],
            )?;
            touch(tx, &topic.id, now)?;
            Ok(true)
        };
        self.db.write(set).await
    }

    /// Takes one attribute away, or all.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn attribute_delete(
        &self,
        project: &ProjectId,
        topic: &TopicName,
        attribute: Option<Attribute>,
    ) -> Result<AttributeGone, Error> {
        let (project, topic, now) = (project.clone(), topic.clone(), self.clock.now());
        let delete = move |tx: &mut Tx<'_>| {
            let Some(topic) = find(tx, &project, &topic)? else { return Ok(AttributeGone::NoTopic) };
            let sql = "DELETE FROM topic_attribute WHERE topic_id = $1 AND ($2 IS NULL OR name = $2)";
            let gone = tx.execute(sql, params![topic.id.to_string(), attribute.map(Attribute::name)])?;
            if gone == 0 {
                return Ok(AttributeGone::NotSet);
            }
            touch(tx, &topic.id, now)?;
            Ok(AttributeGone::Done)
        };
        self.db.write(delete).await
    }
}
