//! Topics by name and in pages.

use carillon_model::id::{ProjectId, TopicId};
use carillon_model::topic::{Topic, TopicName};

use crate::Page;
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// Which topics a list shows.
#[derive(Debug, Clone, Default)]
pub struct TopicFilter {
    /// Exactly this name.
    pub name: Option<String>,
    /// Names that hold this text.
    pub name_part: Option<String>,
    /// Exactly this id.
    pub id: Option<String>,
    /// Display names that hold this text.
    pub display_name_part: Option<String>,
    /// Topics of this enterprise project.
    pub enterprise_project_id: Option<String>,
}

/// What came of making a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    New(Topic),
    /// One of that name was there and stays as it is.
    There(Topic),
    /// The project has as many as it may.
    Full,
}

macro_rules! select_topic {
    ($rest:literal) => {
        concat!(
            "SELECT id, project_id, name, display_name, enterprise_project_id, created_at, updated_at FROM topic ",
            $rest
        )
    };
}

fn read_topic(mut row: Row) -> Result<Topic, Error> {
    Ok(Topic {
        id: row.parsed(|text| TopicId::parse(text).ok())?,
        project: row.parsed(|text| ProjectId::parse(text).ok())?,
        name: row.parsed(|text| TopicName::parse(text).ok())?,
        display_name: row.text()?,
        enterprise_project_id: row.text()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

const FIND: &str = select_topic!("WHERE project_id = $1 AND name = $2");

pub(crate) fn find(tx: &mut Tx<'_>, project: &ProjectId, name: &TopicName) -> Result<Option<Topic>, Error> {
    tx.query_one("topic", FIND, params![project.as_str(), name.as_str()])?.map(read_topic).transpose()
}

/// A page of a project's topics, newest first, and the count of all that fit the filter.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    filter: &TopicFilter,
    page: Page,
) -> Result<(u64, Vec<Topic>), Error> {
    let shown = params![
        project.as_str(),
        filter.name.clone(),
        part(filter.name_part.as_ref()),
        filter.id.clone(),
        part(filter.display_name_part.as_ref()),
        filter.enterprise_project_id.clone(),
        page.limit,
        page.offset,
    ];
    let sql = "SELECT count(*) FROM topic WHERE project_id = $1 AND ($2 IS NULL OR name = $2)
     AND ($3 IS NULL OR name LIKE $3 ESCAPE '\\') AND ($4 IS NULL OR id = $4)
     AND ($5 IS NULL OR display_name LIKE $5 ESCAPE '\\')
     AND ($6 IS NULL OR enterprise_project_id = $6)";
    let count = tx.query_one("topic", sql, shown.get(..6).unwrap_or_default())?;
    let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
    let sql = select_topic!(
        "WHERE project_id = $1 AND ($2 IS NULL OR name = $2)
     AND ($3 IS NULL OR name LIKE $3 ESCAPE '\\') AND ($4 IS NULL OR id = $4)
     AND ($5 IS NULL OR display_name LIKE $5 ESCAPE '\\')
     AND ($6 IS NULL OR enterprise_project_id = $6)
     ORDER BY created_at DESC, id DESC LIMIT $7 OFFSET $8"
    );
    let rows = tx.query("topic", sql, shown)?;
    let topics = rows.into_iter().map(read_topic).collect::<Result<Vec<_>, _>>()?;
    Ok((u64::try_from(count).unwrap_or(0), topics))
}

/// A text to look for with `LIKE`, its own signs taken literally.
pub(crate) fn part(text: Option<&String>) -> Option<String> {
    text.map(|text| format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
}

impl Store {
    /// Makes a topic unless one of that name is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn topic_create(&self, topic: Topic) -> Result<Made, Error> {
        let most = self.quotas.topics;
        let create = move |tx: &mut Tx<'_>| {
            if let Some(there) = find(tx, &topic.project, &topic.name)? {
                return Ok(Made::There(there));
            }
            let sql = "SELECT count(*) FROM topic WHERE project_id = $1";
            let count = tx.query_one("topic", sql, params![topic.project.as_str()])?;
            let count = count.map(|mut row| row.int()).transpose()?.unwrap_or(0);
            if u64::try_from(count).unwrap_or(0) >= most {
                return Ok(Made::Full);
            }
            tx.execute(
                "INSERT INTO topic (id, project_id, name, display_name, enterprise_project_id, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                params![
                    topic.id.to_string(),
                    topic.project.as_str(),
                    topic.name.as_str(),
                    topic.display_name.as_str(),
                    topic.enterprise_project_id.as_str(),
                    topic.created_at,
                    topic.updated_at
                ],
            )?;
            Ok(Made::New(topic))
        };
        self.db.write(create).await
    }

    /// Finds a topic by its name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn topic_find(&self, project: &ProjectId, name: &TopicName) -> Result<Option<Topic>, Error> {
        let (version, question) = (self.db.version(), (project.clone(), name.clone()));
        if let Some(topic) = self.topics.get(version, &question) {
            return Ok(Some(topic));
        }
        let rows = self.db.ask("topic", FIND, params![project.as_str(), name.as_str()], &[]).await?;
        let found = rows.into_iter().next().map(read_topic).transpose()?;
        if let Some(topic) = &found {
            self.topics.put(version, question, topic.clone());
        }
        Ok(found)
    }

    /// Lists a project's topics, newest first, and counts all that fit the filter.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn topic_list(
        &self,
        project: &ProjectId,
        filter: TopicFilter,
        page: Page,
    ) -> Result<(u64, Vec<Topic>), Error> {
        let project = project.clone();
        self.db.read(move |tx| list(tx, &project, &filter, page)).await
    }

    /// Changes a topic's display name and tells whether the topic is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn topic_rename(
        &self,
        project: &ProjectId,
        name: &TopicName,
        display_name: String,
    ) -> Result<bool, Error> {
        let (project, name, now) = (project.clone(), name.clone(), self.clock.now());
        let rename = move |tx: &mut Tx<'_>| {
            let sql =
                "UPDATE topic SET display_name = $3, updated_at = $4 WHERE project_id = $1 AND name = $2";
            tx.execute(sql, params![project.as_str(), name.as_str(), display_name.as_str(), now])
        };
        Ok(self.db.write(rename).await? > 0)
    }

    /// Removes a topic with its subscriptions, as [`Store::subscription_delete`] removes one, and tells whether it
    /// was there.
    ///
    /// # Errors
    /// When nothing can be written, or the deleted bytes could not be taken out of the files.
    pub async fn topic_delete(&self, project: &ProjectId, name: &TopicName) -> Result<bool, Error> {
        let (project, name) = (project.clone(), name.clone());
        let delete = move |tx: &mut Tx<'_>| {
            let Some(topic) = find(tx, &project, &name)? else { return Ok(false) };
            crate::subscription::remove_all_of(tx, &topic.id)?;
            crate::fan_out::forget_topic(tx, &topic.id.to_string())?;
            tx.execute("DELETE FROM topic WHERE id = $1", params![topic.id.to_string()])?;
            Ok(true)
        };
        self.db.write(delete).await
    }
}
