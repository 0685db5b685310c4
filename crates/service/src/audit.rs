//! Who changed what: shown to those who may see it. The lines are written by the store, each in the transaction of its
//! change.

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
}
