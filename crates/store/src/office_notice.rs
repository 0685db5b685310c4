//! Telling those who look after a connection what concerns it: who they are, and that they were told.

use std::sync::Arc;

use carillon_model::id::{ConnectionId, ProjectId, SubscriptionId, TopicId};
use carillon_model::office::{App, Platform};
use carillon_model::subscription::Fallback;
use carillon_model::topic::TopicName;

use crate::connection::open_app;
use crate::db::{Tx, params};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::pause::{fallback_text, parse_fallback, reach};
use crate::recipient::Recipient;
use crate::setup::Store;

/// A connection whose month is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its id.
    pub id: ConnectionId,
    /// Its project.
    pub project: ProjectId,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: Platform,
    /// Its app.
    pub app: App,
}

/// Where notices of a connection go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// The project.
    pub project: ProjectId,
    /// The topic through which they go, and its name.
    pub through: (TopicId, TopicName),
    /// Who gets them.
    pub recipients: Vec<Recipient>,
}

/// Who is told what concerns a connection, if anybody is.
pub(crate) fn notified(tx: &mut Tx<'_>, connection: &str) -> Result<Option<Notified>, Error> {
    let sql = "SELECT project_id, notices FROM connection WHERE id = $1 AND notices IS NOT NULL";
    let Some(mut row) = tx.query_one("connection", sql, params![connection])? else { return Ok(None) };
    let project = row.parsed(|text| ProjectId::parse(text).ok())?;
    let fallback = row.parsed(parse_fallback)?;
    let reached = reach(tx, &project, &fallback, None)?;
    Ok(reached.map(|(through, recipients)| Notified { project, through, recipients }))
}

impl Store {
    /// Every connection, with its app.
    ///
    /// # Errors
    /// When the store cannot be read or an app not be opened.
    pub async fn connection_watch(&self) -> Result<Vec<Watched>, Error> {
        let list = |tx: &mut Tx<'_>| {
            let sql = "SELECT c.id, c.project_id, c.name, c.platform, x.bytes FROM connection c
                 JOIN sealed x ON x.seq = c.sealed_seq ORDER BY c.created_at, c.id";
            tx.query("connection", sql, &[])
        };
        let mut found = Vec::new();
        for mut row in self.db.read(list).await? {
            let text = row.text()?;
            let id = ConnectionId::parse(&text).map_err(|_id| row.corrupt("it is no id"))?;
            let project = row.parsed(|text| ProjectId::parse(text).ok())?;
            let (name, platform) = (row.text()?, row.parsed(Platform::from_name)?);
            let app = open_app(&self.vault, &text, &row.bytes()?)?;
            found.push(Watched { id, project, name, platform, app });
        }
        Ok(found)
    }

    /// Chooses who is told what concerns a connection, or nobody; tells whether the connection is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn connection_notices_set(
        &self,
        project: &ProjectId,
        id: ConnectionId,
        notices: Option<Fallback>,
    ) -> Result<bool, Error> {
        let project = project.clone();
        let set = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE connection SET notices = $3 WHERE id = $1 AND project_id = $2";
            tx.execute(sql, params![id.to_string(), project.as_str(), notices.as_ref().map(fallback_text)])
        };
        Ok(self.db.write(set).await? > 0)
    }

    /// The topic's name of whom to tell, and the subscription if it is one, when they are there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn fallback_find(
        &self,
        project: &ProjectId,
        fallback: Fallback,
    ) -> Result<Option<(TopicName, Option<SubscriptionId>)>, Error> {
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| match fallback {
            Fallback::Topic(id) => {
                let sql = "SELECT name, NULLIF(id, id) FROM topic WHERE id = $1 AND project_id = $2";
                tx.query_one("topic", sql, params![id.to_string(), project.as_str()])
            }
            Fallback::Subscription(id) => {
                let sql = "SELECT t.name, s.id FROM subscription s JOIN topic t ON t.id = s.topic_id
                     WHERE s.id = $1 AND t.project_id = $2";
                tx.query_one("subscription", sql, params![id.to_string(), project.as_str()])
            }
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let topic = row.parsed(|text| TopicName::parse(text).ok())?;
        Ok(Some((topic, row.maybe_text()?.as_deref().and_then(|id| SubscriptionId::parse(id).ok()))))
    }

    /// Who is told what concerns a connection, if anybody is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn connection_notified(&self, id: ConnectionId) -> Result<Option<Notified>, Error> {
        self.db.read(move |tx: &mut Tx<'_>| notified(tx, &id.to_string())).await
    }

    /// Makes a notice durable with its deliveries, unless one as late as `told` was made before; tells whether it was.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn connection_tell(
        &self,
        id: ConnectionId,
        told: i64,
        notice: StoredMessage,
        recipients: Vec<Recipient>,
    ) -> Result<bool, Error> {
        let recipients = self.recipients_reached(recipients).await?;
        let wake = self.wake();
        let notice = Arc::new(notice);
        let handed = (Arc::clone(&notice), recipients.clone());
        let work = move |tx: &mut Tx<'_>| {
            // One that lies far ahead was made while the clock stood wrong.
            let sql = "UPDATE connection SET told = $2 WHERE id = $1 AND (told < $2 OR told > $2 + 8)";
            if tx.execute(sql, params![id.to_string(), told])? == 0 {
                return Ok(None);
            }
            crate::message::insert(tx, &notice, &recipients, None).map(Some)
        };
        let hand = move |places: &Option<Vec<i64>>| {
            let (notice, recipients) = &handed;
            if let Some(places) = places {
                wake.hand(crate::message::ready(notice, recipients, places, None));
            }
        };
        Ok(self.db.write_then(work, hand).await?.is_some())
    }
}
