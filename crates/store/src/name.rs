//! What things are called, by their ids: for pages that would show ids alone.

use std::collections::BTreeMap;

use carillon_model::id::{ProjectId, SubscriptionId};

use crate::db::{Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::open_target;

/// Everything of a project that has a name of its own, by id.
const SELECT_NAMES: &str = "SELECT id, name FROM topic WHERE project_id = $1 AND id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT id, name FROM template WHERE project_id = $1 AND id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT id, name FROM connection WHERE project_id = $1 AND id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT id, name FROM subscription_user
         WHERE project_id = $1 AND id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT id, note FROM access_key WHERE project_id = $1 AND id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT id, note FROM token WHERE project_id = $1 AND id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT a.id, a.name FROM account a JOIN membership m ON m.account_id = a.id
         WHERE m.project_id = $1 AND a.id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT g.id, g.name FROM office_group g JOIN connection c ON c.id = g.connection_id
         WHERE c.project_id = $1 AND g.id IN (SELECT value FROM json_each($2))
     UNION ALL SELECT r.id, r.name FROM office_recipient r JOIN connection c ON c.id = r.connection_id
         WHERE c.project_id = $1 AND r.id IN (SELECT value FROM json_each($2))";

/// Subscriptions, and the endpoints that they lead to.
const SELECT_SUBSCRIPTIONS: &str = "SELECT s.id, s.endpoint_id, s.remark, x.bytes FROM subscription s
     JOIN topic t ON t.id = s.topic_id JOIN sealed x ON x.seq = s.sealed_seq
     WHERE t.project_id = $1 AND (s.id IN (SELECT value FROM json_each($2))
         OR s.endpoint_id IN (SELECT value FROM json_each($2))) ORDER BY s.created_at, s.id LIMIT $3";

/// How many subscriptions are looked at: several may share an endpoint.
const SUBSCRIPTIONS_MAX: u64 = 1_000;

impl Store {
    /// What a project's things are called now, by their ids; what is gone or nameless is left out. A subscription goes by
    /// its remark, or else by its address as it may be shown, and so does an endpoint.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn name_find(
        &self,
        project: &ProjectId,
        ids: Vec<String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let project = project.clone();
        let find = move |tx: &mut Tx<'_>| {
            let named = tx.query("names", SELECT_NAMES, params![project.as_str(), ids.clone()])?;
            let subscribed = params![project.as_str(), ids, SUBSCRIPTIONS_MAX];
            Ok((named, tx.query("subscription", SELECT_SUBSCRIPTIONS, subscribed)?))
        };
        let (named, subscribed) = self.db.read(find).await?;
        let mut names = BTreeMap::new();
        for mut row in named {
            let (id, name) = (row.text()?, row.text()?);
            if !name.is_empty() {
                names.insert(id, name);
            }
        }
        for mut row in subscribed {
            let id = row.parsed(|text| SubscriptionId::parse(text).ok())?;
            let (endpoint, remark, sealed) = (row.text()?, row.text()?, row.bytes()?);
            let name = match remark.is_empty() {
                true => open_target(&self.vault, &id, &sealed)?.endpoint.masked(),
                false => remark,
            };
            names.entry(endpoint).or_insert_with(|| name.clone());
            names.insert(id.to_string(), name);
        }
        Ok(names)
    }
}
