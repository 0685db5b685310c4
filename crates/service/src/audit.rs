//! Who changed what: shown to those who may see it. The lines are written by the store, each in the transaction of its
//! change.

use std::collections::BTreeMap;

use carillon_model::id::AuditId;
use carillon_model::role::Right;
use carillon_store::audit::{AuditFilter, AuditLine};

use crate::error::Error;
use crate::{Caller, Service};

impl Service {
    /// The project's audit log, newest first, behind `before` if it is given.
    ///
    /// # Errors
    /// When the caller may not see it.
    pub async fn list_audit(
        &self,
        caller: &Caller,
        filter: AuditFilter,
        before: Option<AuditId>,
        limit: u64,
    ) -> Result<Vec<AuditLine>, Error> {
        caller.may(Right::Inspect)?;
        Ok(self.store.audit_list(&caller.project, filter, before, limit).await?)
    }

    /// What the things that lines are about are called now, by the ids in the lines; what is gone or nameless is left out.
    ///
    /// # Errors
    /// When the caller may not see the log.
    pub async fn name_audited(
        &self,
        caller: &Caller,
        lines: &[AuditLine],
    ) -> Result<BTreeMap<String, String>, Error> {
        caller.may(Right::Inspect)?;
        let ids = lines.iter().flat_map(|line| ids(&line.what)).map(str::to_owned);
        Ok(self.store.name_find(&caller.project, ids.collect()).await?)
    }
}

/// The ids in what a line is about: alone, in a row, or at the end of a URN.
pub fn ids(what: &str) -> impl Iterator<Item = &str> {
    what.split([' ', ':', '-']).filter(|part| part.len() >= ID_CHARS_MIN)
}

/// The fewest characters of an id: an access key's.
const ID_CHARS_MIN: usize = 20;
