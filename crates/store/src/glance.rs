//! What a list of topics tells of each beside its name: who is subscribed, and how much was published lately. Bounded by
//! the topics of a page: of messages no more than [`RECENT_MAX`] of a step are counted, by the index of their ids.

use std::collections::BTreeMap;

use carillon_model::clock::Timestamp;
use carillon_model::id::{ProjectId, TopicId};
use carillon_model::topic::TopicName;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// How many messages of a step are counted at most: more are as many.
pub const RECENT_MAX: u64 = 100;

/// A span of time in steps of equal length.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// When the first begins.
    pub since: Timestamp,
    /// How long each is, in milliseconds.
    pub step_ms: i64,
    /// How many there are.
    pub count: usize,
}

/// A topic at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The topic.
    pub topic: TopicId,
    /// How many are subscribed by each protocol.
    pub subscriptions: Vec<(String, u64)>,
    /// How many messages were published in each step, [`RECENT_MAX`] at most.
    pub recent: Vec<u64>,
    /// When the latest message was published, however long ago.
    pub last: Option<Timestamp>,
}

/// The least id of a message of this moment: ids begin with their time.
fn least_id(at: i64) -> String {
    format!("{:012x}", at.max(0))
}

fn subscriptions(tx: &mut Tx<'_>, ids: &[String]) -> Result<BTreeMap<String, Vec<(String, u64)>>, Error> {
    let sql = "SELECT topic_id, protocol, count(*) FROM subscription
         WHERE topic_id IN (SELECT value FROM json_each($1)) GROUP BY topic_id, protocol ORDER BY topic_id, protocol";
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for mut row in tx.query("subscription", sql, params![ids.to_vec()])? {
        let (topic, protocol) = (row.text()?, row.text()?);
        found.entry(topic).or_default().push((protocol, u64::try_from(row.int()?).unwrap_or(0)));
    }
    Ok(found)
}

fn last(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    names: &[String],
) -> Result<BTreeMap<String, Timestamp>, Error> {
    let rows: Vec<_> = names.iter().map(|name| [name]).collect();
    let rows = serde_json::to_string(&rows).unwrap_or_default();
    let sql = "SELECT json_extract(value, '$[0]'), (SELECT m.created_at FROM topic_message t
         JOIN message m ON m.id = t.id WHERE t.project_id = $2 AND t.topic_name = json_extract(value, '$[0]')
         ORDER BY t.id DESC LIMIT 1) FROM json_each($1)";
    let mut found = BTreeMap::new();
    for mut row in tx.query("message", sql, params![rows, project.as_str()])? {
        let name = row.text()?;
        if let Some(at) = row.maybe_time()? {
            found.insert(name, at);
        }
    }
    Ok(found)
}

fn recent(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    names: &[String],
    steps: Steps,
) -> Result<BTreeMap<(String, String), u64>, Error> {
    let begins = (0..i64::try_from(steps.count).unwrap_or(0)).map(|at| steps.since.0 + at * steps.step_ms);
    let spans: Vec<_> = begins.map(|begin| (least_id(begin), least_id(begin + steps.step_ms))).collect();
    let rows = names.iter().flat_map(|name| spans.iter().map(move |(from, to)| [name, from, to]));
    let rows = serde_json::to_string(&rows.collect::<Vec<_>>()).unwrap_or_default();
    let sql = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
         (SELECT count(*) FROM (SELECT id FROM topic_message WHERE project_id = $2
          AND topic_name = json_extract(value, '$[0]') AND id >= json_extract(value, '$[1]')
          AND id < json_extract(value, '$[2]') LIMIT $3) counted) FROM json_each($1)";
    let mut found = BTreeMap::new();
    for mut row in tx.query("message", sql, params![rows, project.as_str(), RECENT_MAX])? {
        let step = (row.text()?, row.text()?);
        found.insert(step, u64::try_from(row.int()?).unwrap_or(0));
    }
    Ok(found)
}

impl Store {
    /// Looks at topics of a project, in the order in which they are named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn topic_glance(
        &self,
        project: &ProjectId,
        topics: Vec<(TopicId, TopicName)>,
        steps: Steps,
    ) -> Result<Vec<Glance>, Error> {
        self.topics_shown().await;
        let project = project.clone();
        let look = move |tx: &mut Tx<'_>| {
            let ids: Vec<_> = topics.iter().map(|(id, _name)| id.to_string()).collect();
            let names: Vec<_> = topics.iter().map(|(_id, name)| name.as_str().to_owned()).collect();
            let mut subscribed = subscriptions(tx, &ids)?;
            let last = last(tx, &project, &names)?;
            let recent = recent(tx, &project, &names, steps)?;
            let glance = |(topic, name): (TopicId, TopicName)| {
                let step = |at: usize| {
                    let begin = steps.since.0 + i64::try_from(at).unwrap_or(0) * steps.step_ms;
                    recent.get(&(name.as_str().to_owned(), least_id(begin))).copied().unwrap_or(0)
                };
                Glance {
                    topic,
                    subscriptions: subscribed.remove(&topic.to_string()).unwrap_or_default(),
                    recent: (0..steps.count).map(step).collect(),
                    last: last.get(name.as_str()).copied(),
                }
            };
            Ok(topics.into_iter().map(glance).collect())
        };
        self.db.read(look).await
    }
}
