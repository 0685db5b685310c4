//! What subscriptions want: their filter policies, kept beside them and read along with them.

use std::collections::BTreeMap;

use carillon_model::filter::FilterPolicies;
use carillon_model::id::{ProjectId, SubscriptionId};
use carillon_model::topic::TopicName;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// How a subscription's policies change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterChange {
    /// These come to those that are there.
    Add(FilterPolicies),
    /// These take the place of those that are there; none of them lets everything through.
    Replace(FilterPolicies),
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterChanged {
    /// It is made.
    Done,
    /// There is no such subscription.
    NoSubscription,
    /// What would come out breaks a rule; nothing of this one was changed.
    Refused(carillon_model::Invalid),
}

/// Reads the column `policies` of a left join with `filter_policy`.
pub(crate) fn read_policies(row: &mut Row) -> Result<FilterPolicies, Error> {
    let Some(text) = row.maybe_text()? else { return Ok(FilterPolicies::default()) };
    serde_json::from_str(&text).map_err(|_json| row.corrupt("it is no list of filter policies"))
}

/// The policies of those of the subscriptions that are there.
fn there(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    wanted: &[(SubscriptionId, TopicName, FilterChange)],
) -> Result<BTreeMap<SubscriptionId, FilterPolicies>, Error> {
    let pairs: Vec<_> = wanted.iter().map(|(id, topic, _)| (id, topic.as_str())).collect();
    let pairs = serde_json::to_string(&pairs).map_err(|_json| Error::Conflict)?;
    let sql = "SELECT DISTINCT s.id, f.policies FROM json_each($2) j
         JOIN subscription s ON s.id = json_extract(j.value, '$[0]')
         JOIN topic t ON t.id = s.topic_id AND t.project_id = $1 AND t.name = json_extract(j.value, '$[1]')
         LEFT JOIN filter_policy f ON f.subscription_id = s.id";
    let mut found = BTreeMap::new();
    for mut row in tx.query("filter_policy", sql, params![project.as_str(), pairs])? {
        let id = row.parsed(|text| SubscriptionId::parse(text).ok())?;
        found.insert(id, read_policies(&mut row)?);
    }
    Ok(found)
}

fn change(
    tx: &mut Tx<'_>,
    project: &ProjectId,
    changes: &[(SubscriptionId, TopicName, FilterChange)],
) -> Result<Vec<FilterChanged>, Error> {
    let mut policies = there(tx, project, changes)?;
    let mut answers = Vec::with_capacity(changes.len());
    for (id, _topic, change) in changes {
        let Some(own) = policies.get_mut(id) else {
            answers.push(FilterChanged::NoSubscription);
            continue;
        };
        let after = match change {
            FilterChange::Add(more) => own.with(more),
            FilterChange::Replace(all) => Ok(all.clone()),
        };
        answers.push(match after {
            Ok(after) => {
                *own = after;
                FilterChanged::Done
            }
            Err(rule) => FilterChanged::Refused(rule),
        });
    }
    let (none, some): (Vec<_>, Vec<_>) = policies.into_iter().partition(|(_, own)| own.is_empty());
    let none: Vec<String> = none.into_iter().map(|(id, _)| id.to_string()).collect();
    let json = |value: Result<String, serde_json::Error>| value.map_err(|_json| Error::Conflict);
    let some: Vec<(SubscriptionId, String)> = some
        .into_iter()
        .map(|(id, own)| Ok((id, json(serde_json::to_string(&own))?)))
        .collect::<Result<_, Error>>()?;
    tx.execute(
        "INSERT INTO filter_policy (subscription_id, policies)
         SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($1) WHERE true
         ON CONFLICT (subscription_id) DO UPDATE SET policies = excluded.policies",
        params![json(serde_json::to_string(&some))?],
    )?;
    tx.execute(
        "DELETE FROM filter_policy WHERE subscription_id IN (SELECT value FROM json_each($1))",
        params![none],
    )?;
    Ok(answers)
}

impl Store {
    /// Changes the filter policies of subscriptions of a project, each with its own answer; one named twice is changed
    /// twice, in turn.
    ///
    /// # Errors
    /// When nothing can be written; then nothing was changed.
    pub async fn filter_change(
        &self,
        project: &ProjectId,
        changes: Vec<(SubscriptionId, TopicName, FilterChange)>,
    ) -> Result<Vec<FilterChanged>, Error> {
        let project = project.clone();
        self.db.write(move |tx| change(tx, &project, &changes)).await
    }
}
