//! Who asks, and what they may do.

use carillon_model::id::{AccountId, ProjectId};
use carillon_model::urn::TopicUrn;
use carillon_store::account::Holder;

use crate::error::Error;

/// Somebody who has shown a token or a signature: always within one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The project whose things the caller may see and change.
    pub project: ProjectId,
    /// Its name.
    pub project_name: String,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
}

impl From<Holder> for Caller {
    fn from(holder: Holder) -> Self {
        let Holder { project, project_name, account, account_name } = holder;
        Self { project, project_name, account, account_name }
    }
}

impl Caller {
    /// Lets the caller act in the project that a request names.
    ///
    /// # Errors
    /// When it is another project than the caller's.
    pub fn may_act_in(&self, project: &str) -> Result<(), Error> {
        if self.project.as_str() == project { Ok(()) } else { Err(Error::NoPermission) }
    }

    /// Whether a topic's name can be one of the caller's: another project's looks as if it did not exist.
    #[must_use]
    pub(crate) fn owns(&self, urn: &TopicUrn, region: &str) -> bool {
        urn.project == self.project && urn.region == region
    }
}
