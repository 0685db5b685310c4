//! Projects: the tenants of an installation, made by its operator.

use carillon_model::account::check_project_name;
use carillon_model::audit::Deed;
use carillon_model::id::{ProjectId, TokenId};
use carillon_model::limits;
use carillon_model::role::Right;
use carillon_store::credential::{CredentialMade, NewCredential};
use carillon_store::project::{Project, ProjectGone, ProjectMade};

use crate::credential::{FreshKey, FreshToken};
use crate::error::Error;
use crate::{Caller, Service};

/// A fresh project, with what its first administrator comes in with: the operator that made it.
#[derive(Debug, Clone)]
pub struct FreshProject {
    /// Its id.
    pub id: ProjectId,
    /// A key pair for it.
    pub key: FreshKey,
    /// A token for it.
    pub token: FreshToken,
}

impl Service {
    /// Projects by id, behind `after`: all for the operator, else those that the caller's account belongs to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_projects(
        &self,
        caller: &Caller,
        after: Option<ProjectId>,
        limit: u64,
    ) -> Result<Vec<Project>, Error> {
        caller.may(Right::Own)?;
        let of = (!caller.operator).then_some(caller.account);
        Ok(self.store.project_page(of, after, limit).await?)
    }

    /// The projects that the caller's account belongs to, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own_projects(&self, caller: &Caller) -> Result<Vec<Project>, Error> {
        caller.may(Right::Own)?;
        Ok(self.store.project_page(Some(caller.account), None, limits::PROJECTS_MAX).await?)
    }

    /// Makes a project, whose first administrator is the operator that makes it, with a key pair and a token.
    ///
    /// # Errors
    /// When the caller is not the operator, the name breaks its rule, or there is one of that id or name.
    pub async fn create_project(
        &self,
        caller: &Caller,
        name: String,
        id: Option<ProjectId>,
    ) -> Result<FreshProject, Error> {
        caller.may_operate()?;
        check_project_name(&name)?;
        let now = self.clock.now();
        let id = id.unwrap_or_else(|| ProjectId::new(now, self.chance.as_ref()));
        let store = self.acting_on(caller, Deed::ProjectCreate, vec![id.to_string()], name.clone());
        match store.project_add(id.clone(), name, caller.account).await? {
            ProjectMade::New => {}
            ProjectMade::There => return Err(Error::ProjectExists),
            ProjectMade::Full => return Err(Error::ProjectsFull),
        }
        let of = NewCredential {
            project: id.clone(),
            account: caller.account,
            note: String::new(),
            granted: None,
        };
        let key = FreshKey { access_key: self.access_key(), secret: self.secret() };
        let token_id = TokenId::new(now, self.chance.as_ref());
        let token = FreshToken { id: token_id, token: self.secret(), expires_at: None };
        let made = [
            self.store.access_key_add(of.clone(), &key.access_key, &key.secret).await?,
            self.store.token_add(of, token_id, &token.token, None, false).await?,
        ];
        if made != [CredentialMade::New; 2] {
            return Err(Error::ProjectNotFound);
        }
        Ok(FreshProject { id, key, token })
    }

    /// Removes a project that holds nothing any more, with the access to it.
    ///
    /// # Errors
    /// When the caller is not the operator, there is no such project, something belongs to it, or it is the one that the
    /// caller acts in.
    pub async fn delete_project(&self, caller: &Caller, id: &ProjectId) -> Result<(), Error> {
        caller.may_operate()?;
        if *id == caller.project {
            return Err(Error::ProjectInUse);
        }
        let store = self.acting(caller, Deed::ProjectDelete, &id);
        match store.project_remove(id).await? {
            ProjectGone::Done => Ok(()),
            ProjectGone::NotThere => Err(Error::ProjectNotFound),
            ProjectGone::InUse => Err(Error::ProjectInUse),
        }
    }
}
