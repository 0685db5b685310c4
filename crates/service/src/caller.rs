//! Who asks, and what they may do. Every function of the service that takes a caller asks `Caller::may` or
//! `Caller::reach` first; what they answer stands in the table of `carillon_model::role`.

use std::fmt;

use carillon_model::audit::Deed;
use carillon_model::id::{AccountId, ProjectId};
use carillon_model::role::{Grant, Right, Standing};
use carillon_model::urn::TopicUrn;
use carillon_store::Store;
use carillon_store::account::{Credential, Holder};
use carillon_store::audit::{Act, Actor};

use crate::Service;
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
    /// Whether it may make projects.
    pub operator: bool,
    /// What it may do in the project.
    pub standing: Standing,
    /// What let it in.
    pub credential: Credential,
}

/// How far a right reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To everything in the project.
    All,
    /// To the topics that go with the caller's role, or to what it published itself.
    Own,
}

impl From<Holder> for Caller {
    fn from(holder: Holder) -> Self {
        let Holder { project, project_name, account, account_name, operator, standing, credential } = holder;
        Self { project, project_name, account, account_name, operator, standing, credential }
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

    /// Lets the caller do something anywhere in its project.
    ///
    /// # Errors
    /// When its role does not allow it, or not everywhere.
    pub fn may(&self, right: Right) -> Result<(), Error> {
        match self.reach(right)? {
            Reach::All => Ok(()),
            Reach::Own => Err(self.forbidden(right)),
        }
    }

    /// Whether the caller may do something, if only with what is its own; what it is not shown a button for.
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.reach(right).is_ok()
    }

    /// How far the caller may do something.
    ///
    /// # Errors
    /// When its role does not allow it at all.
    pub(crate) fn reach(&self, right: Right) -> Result<Reach, Error> {
        match self.standing.grant(right) {
            Grant::Yes => Ok(Reach::All),
            Grant::Own => Ok(Reach::Own),
            Grant::No => Err(self.forbidden(right)),
        }
    }

    /// Says that the caller's role does not allow something.
    pub(crate) fn forbidden(&self, right: Right) -> Error {
        Error::RoleForbids { role: self.standing.role(), right }
    }

    /// Lets the installation's operator do something.
    ///
    /// # Errors
    /// When the caller is not the operator.
    pub(crate) fn may_operate(&self) -> Result<(), Error> {
        if self.operator { Ok(()) } else { Err(Error::NotOperator) }
    }

    /// Whether a topic's name can be one of the caller's: another project's looks as if it did not exist.
    #[must_use]
    pub(crate) fn owns(&self, urn: &TopicUrn, region: &str) -> bool {
        urn.project == self.project && urn.region == region
    }

    /// The caller as the audit log names it.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            project: self.project.clone(),
            account: self.account,
            account_name: self.account_name.clone(),
            credential: match &self.credential {
                Credential::Key(id) => format!("key {id}"),
                Credential::Token(id) => format!("token {id}"),
                Credential::Session => "console".to_owned(),
            },
        }
    }
}

impl Service {
    /// The store, whose next change is written down as the caller's deed.
    pub(crate) fn acting(&self, caller: &Caller, deed: Deed, what: &dyn fmt::Display) -> Store {
        self.acting_on(caller, deed, vec![what.to_string()], String::new())
    }

    /// The store, whose next message has the caller for its publisher. No line in the audit log: the message itself says
    /// who published it.
    pub(crate) fn publishing(&self, caller: &Caller) -> Store {
        let actor = caller.actor();
        self.store.acting(Act { actor, deed: None, what: Vec::new(), detail: String::new() })
    }

    /// The store as [`Service::acting`] gives it, for several things at once, or with more to say.
    pub(crate) fn acting_on(&self, caller: &Caller, deed: Deed, what: Vec<String>, detail: String) -> Store {
        self.store.acting(Act { actor: caller.actor(), deed: Some(deed), what, detail })
    }
}
