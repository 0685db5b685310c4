//! What a reading that asks would change, person by person. It is compared anew at each look: nothing of it is kept.

use std::collections::{BTreeMap, BTreeSet};

use carillon_model::id::{ConnectionId, ProjectId, RunId};
use carillon_model::office::Department;
use carillon_model::office::directory::Change;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::office_staged::{Difference, difference};
use crate::setup::Store;

/// What would become of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberChange {
    /// What the changes are ordered by.
    pub key: String,
    /// What would become of the member.
    pub change: Change,
    /// The platform's id.
    pub platform_id: String,
    /// The name, the new one where there is one.
    pub name: String,
    /// The name before, where it is another.
    pub name_before: Option<String>,
    /// The departments by their names, the new ones where the member is still there.
    pub departments: Vec<String>,
    /// The departments before, where they are others.
    pub departments_before: Vec<String>,
}

/// The names of departments by their ids, as the directory has them.
fn names(tx: &mut Tx<'_>, connection: &str) -> Result<BTreeMap<String, String>, Error> {
    let sql = "SELECT platform_id, name FROM office_department WHERE connection_id = $1";
    let rows = tx.query("office_department", sql, params![connection])?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect()
}

fn told(
    found: &Difference,
    before: &BTreeMap<String, String>,
    key: &str,
    change: Change,
) -> Option<MemberChange> {
    let (was, is) = (found.kept.get(key).map(|kept| &kept.member), found.read.get(key));
    let shown = is.filter(|_member| change != Change::Gone).or(was)?;
    let old = |id: &String| before.get(id).filter(|name| !name.is_empty()).unwrap_or(id).clone();
    let new = |id: &String| {
        let name = found.departments.get(id).map(|department: &Department| &department.name);
        name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| old(id))
    };
    let were: BTreeSet<String> = was.into_iter().flat_map(|was| &was.departments).map(old).collect();
    let are: BTreeSet<String> = shown.departments.iter().map(new).collect();
    let moved = change == Change::Moved;
    Some(MemberChange {
        key: key.to_owned(),
        change,
        platform_id: shown.user_id.clone(),
        name: shown.name.clone(),
        name_before: was.map(|was| was.name.clone()).filter(|name| *name != shown.name),
        departments: are.into_iter().collect(),
        departments_before: if moved { were.into_iter().collect() } else { Vec::new() },
    })
}

impl Store {
    /// What a reading that asks would change, by the members' compared ids, behind `after`; with `of`, one kind of change.
    /// Nothing when the reading does not ask.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_change_page(
        &self,
        project: &ProjectId,
        connection: ConnectionId,
        run: RunId,
        of: Option<Change>,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<MemberChange>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT r.id FROM office_run r JOIN connection c ON c.id = r.connection_id
                 WHERE r.id = $1 AND r.connection_id = $2 AND c.project_id = $3 AND r.state = 'asks'";
            let (run, connection) = (run.to_string(), connection.to_string());
            let asks = params![run.as_str(), connection.as_str(), project.as_str()];
            if tx.query_one("office_run", sql, asks)?.is_none() {
                return Ok(Vec::new());
            }
            let Some(found) = difference(tx, &run)? else { return Ok(Vec::new()) };
            let before = names(tx, &found.connection)?;
            let wanted = found.changes.iter().filter(|(key, change)| {
                of.is_none_or(|of| of == **change) && after.as_ref().is_none_or(|after| *key > after)
            });
            let shown = wanted.filter_map(|(key, change)| told(&found, &before, key, *change));
            Ok(shown.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
        };
        self.db.read(list).await
    }
}
