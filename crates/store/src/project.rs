//! Projects: made, listed, removed.

use carillon_model::clock::Timestamp;
use carillon_model::id::{AccountId, ProjectId};
use carillon_model::limits;
use carillon_model::role::Granted;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What came of making a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectMade {
    /// It is new.
    New,
    /// There is one of that id or name.
    There,
    /// There are as many as there may be.
    Full,
}

/// What came of removing a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectGone {
    /// It is gone.
    Done,
    /// There is none.
    NotThere,
    /// Something still belongs to it.
    InUse,
}

fn read_project(mut row: Row) -> Result<Project, Error> {
    Ok(Project {
        id: row.parsed(|text| ProjectId::parse(text).ok())?,
        name: row.text()?,
        created_at: row.time()?,
    })
}

pub(crate) fn count(tx: &mut Tx<'_>, table: &'static str, sql: &'static str, of: &str) -> Result<u64, Error> {
    let row = tx.query_one(table, sql, params![of])?;
    let count = row.map(|mut row| row.int()).transpose()?.unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Store {
    /// Makes a project with its first administrator, an account that is there.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn project_add(
        &self,
        id: ProjectId,
        name: String,
        administrator: AccountId,
    ) -> Result<ProjectMade, Error> {
        let now = self.clock.now();
        let add = move |tx: &mut Tx<'_>| {
            let sql = "SELECT 1 FROM project WHERE id = $1 OR name = $2 LIMIT 1";
            if tx.query_one("project", sql, params![id.as_str(), name.as_str()])?.is_some() {
                return Ok(ProjectMade::There);
            }
            if count(tx, "project", "SELECT count(*) FROM project WHERE id <> $1", "")?
                >= limits::PROJECTS_MAX
            {
                return Ok(ProjectMade::Full);
            }
            tx.execute(
                "INSERT INTO project (id, name, created_at) VALUES ($1, $2, $3)",
                params![id.as_str(), name.as_str(), now],
            )?;
            crate::member::insert(tx, &id, administrator, &Granted::administrator(), now)?;
            Ok(ProjectMade::New)
        };
        self.db.write(add).await
    }

    /// Projects by id, behind `after`: those that an account belongs to, or all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn project_page(
        &self,
        account: Option<AccountId>,
        after: Option<ProjectId>,
        limit: u64,
    ) -> Result<Vec<Project>, Error> {
        let list = move |tx: &mut Tx<'_>| {
            let sql = "SELECT id, name, created_at FROM project WHERE id > $2 AND ($1 IS NULL OR id IN
                 (SELECT project_id FROM membership WHERE account_id = $1)) ORDER BY id LIMIT $3";
            let after = after.map(String::from).unwrap_or_default();
            tx.query("project", sql, params![account.map(|id| id.to_string()), after, limit])
        };
        self.db.read(list).await?.into_iter().map(read_project).collect()
    }

    /// Removes a project that nothing belongs to any more but accounts, keys, tokens, and messages, which go on being
    /// forgotten on time.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn project_remove(&self, id: &ProjectId) -> Result<ProjectGone, Error> {
        let id = id.clone();
        let remove = move |tx: &mut Tx<'_>| {
            let project = id.as_str();
            let sql = "SELECT count(*) FROM topic WHERE project_id = $1";
            if count(tx, "topic", sql, project)? > 0 {
                return Ok(ProjectGone::InUse);
            }
            let sql = "SELECT count(*) FROM template WHERE project_id = $1";
            if count(tx, "template", sql, project)? > 0 {
                return Ok(ProjectGone::InUse);
            }
            let rows = tx.query(
                "membership",
                "SELECT account_id FROM membership WHERE project_id = $1",
                params![project],
            )?;
            for mut row in rows {
                let account = row.parsed(|text| AccountId::parse(text).ok())?;
                crate::member::remove(tx, &id, account)?;
            }
            let gone = tx.execute("DELETE FROM project WHERE id = $1", params![project])?;
            Ok(if gone > 0 { ProjectGone::Done } else { ProjectGone::NotThere })
        };
        match self.db.write(remove).await {
            // Something of another kind still names it.
            Err(Error::Conflict) => Ok(ProjectGone::InUse),
            done => done,
        }
    }
}
