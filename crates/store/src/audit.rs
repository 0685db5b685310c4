//! Who changed what. A line is written in the transaction of the change itself, so that there is never one without
//! the other: [`Store::acting`] gives a store whose next piece of work that changes a row writes the line too.

use std::sync::Arc;

use carillon_model::audit::Deed;
use carillon_model::clock::Timestamp;
use carillon_model::id::{AccountId, AuditId, ProjectId};
use carillon_model::limits;
use carillon_model::text::shorten;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;

/// Somebody who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// In which project.
    pub project: ProjectId,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// The key or token by which it was let in.
    pub credential: String,
}

/// What is being done, for the log.
#[derive(Debug, Clone)]
pub struct Act {
    /// Who does it.
    pub actor: Actor,
    /// What, if it is to be written down.
    pub deed: Option<Deed>,
    /// On what: one line for each.
    pub what: Vec<String>,
    /// What else is worth knowing; never a secret.
    pub detail: String,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its id, in order of time.
    pub id: AuditId,
    /// Who.
    pub account: AccountId,
    /// The account's name at that time.
    pub account_name: String,
    /// The key or token by which it was let in.
    pub credential: String,
    /// What.
    pub deed: Deed,
    /// On what.
    pub what: String,
    /// What else is worth knowing.
    pub detail: String,
    /// When.
    pub created_at: Timestamp,
}

/// Which lines a list shows.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Those of this account, by name.
    pub account_name: Option<String>,
    /// Those of this deed.
    pub deed: Option<Deed>,
    /// Those that are about this.
    pub what: Option<String>,
}

/// Lines that are ready to be written.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) act: Act,
    ids: Vec<AuditId>,
    at: Timestamp,
}

impl Lines {
    pub(crate) fn write(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Some(deed) = self.act.deed else { return Ok(()) };
        let Actor { project, account, account_name, credential } = &self.act.actor;
        for (id, what) in self.ids.iter().zip(&self.act.what) {
            tx.execute(
                "INSERT INTO audit (id, project_id, account_id, account_name, credential, deed, what, detail, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
                params![
                    id.to_string(),
                    project.as_str(),
                    account.to_string(),
                    account_name.as_str(),
                    credential.as_str(),
                    deed.name(),
                    shorten(what, limits::AUDIT_WHAT_BYTES_MAX),
                    shorten(&self.act.detail, limits::AUDIT_WHAT_BYTES_MAX),
                    self.at
                ],
            )?;
        }
        Ok(())
    }
}

fn read_line(mut row: Row) -> Result<AuditLine, Error> {
    Ok(AuditLine {
        id: row.parsed(|text| AuditId::parse(text).ok())?,
        account: row.parsed(|text| AccountId::parse(text).ok())?,
        account_name: row.text()?,
        credential: row.text()?,
        deed: row.parsed(Deed::from_name)?,
        what: row.text()?,
        detail: row.text()?,
        created_at: row.time()?,
    })
}

macro_rules! select_line {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, account_name, credential, deed, what, detail, created_at FROM audit ",
            $rest
        )
    };
}

impl Store {
    /// The same store, whose changes are written down as this act: in the transaction of each piece of work that
    /// changes a row, so that a change without its line, or a line without its change, cannot be. Several
    /// pieces of work are one act.
    #[must_use]
    pub fn acting(&self, act: Act) -> Self {
        let at = self.clock.now();
        let ids = act.what.iter().map(|_what| AuditId::new(at, self.chance.as_ref())).collect();
        let mut acting = self.clone();
        acting.db = self.db.acting(Arc::new(Lines { act, ids, at }));
        acting
    }

    /// A project's log, newest first, behind `before` if it is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit_list(
        &self,
        project: &ProjectId,
        filter: AuditFilter,
        before: Option<AuditId>,
        limit: u64,
    ) -> Result<Vec<AuditLine>, Error> {
        let project = project.clone();
        let list = move |tx: &mut Tx<'_>| {
            let AuditFilter { account_name, deed, what } = filter;
            let deed = deed.map(Deed::name);
            let before = before.map_or_else(crate::pick::behind_every_id, |id| id.to_string());
            // A text each: it is planned for its own index. One thing's lines are few.
            match (what, account_name, deed) {
                (None, None, None) => {
                    let sql = select_line!("WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
                    tx.query("audit", sql, params![project.as_str(), before, limit])
                }
                (None, None, Some(deed)) => {
                    let sql = select_line!(
                        "WHERE project_id = $1 AND deed = $4 AND id < $2 ORDER BY id DESC LIMIT $3"
                    );
                    tx.query("audit", sql, params![project.as_str(), before, limit, deed])
                }
                (None, Some(account), None) => {
                    let sql = select_line!(
                        "WHERE project_id = $1 AND account_name = $4 AND id < $2 ORDER BY id DESC LIMIT $3"
                    );
                    tx.query("audit", sql, params![project.as_str(), before, limit, account])
                }
                (None, Some(account), Some(deed)) => {
                    let sql = select_line!(
                        "WHERE project_id = $1 AND account_name = $4 AND deed = $5 AND id < $2
                         ORDER BY id DESC LIMIT $3"
                    );
                    tx.query("audit", sql, params![project.as_str(), before, limit, account, deed])
                }
                (Some(what), account_name, deed) => {
                    let sql = select_line!(
                        "WHERE project_id = $1 AND what = $6 AND ($2 IS NULL OR account_name = $2)
                         AND ($3 IS NULL OR deed = $3) AND id < $4 ORDER BY id DESC LIMIT $5"
                    );
                    tx.query("audit", sql, params![project.as_str(), account_name, deed, before, limit, what])
                }
            }
        };
        self.db.read(list).await?.into_iter().map(read_line).collect()
    }

    /// Takes out at most `rows_max` lines that are older than they are kept, and tells how many.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn audit_forget(&self, rows_max: u64) -> Result<u64, Error> {
        let life = i64::try_from(limits::AUDIT_LIFE.as_millis()).unwrap_or(i64::MAX);
        let before = crate::pick::id_from(Timestamp(self.clock.now().0.saturating_sub(life)));
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM audit WHERE id IN
                 (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)";
            tx.execute(sql, params![before, rows_max])
        };
        // Lines are nothing that is kept in memory.
        self.db.write_flow(forget, |_forgotten| ()).await
    }
}
