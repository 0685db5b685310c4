//! The directories of office apps: read them again, look at them, group people.

use carillon_model::audit::Deed;
use carillon_model::id::{ConnectionId, EndpointId, GroupId, RunId};
use carillon_model::office::connection::check_name;
use carillon_model::office::directory::{Change, RunState};
use carillon_model::office::{Department, RecipientKind};
use carillon_model::outcome::Advice;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid, limits};
use carillon_store::directory::{Kept, RecipientFilter};
use carillon_store::office_change::MemberChange;
use carillon_store::office_group::{Group, GroupPart};
use carillon_store::office_run::Run;

use crate::error::Error;
use crate::{Caller, Service};

impl Service {
    /// Asks for a reading of a connection's directory. It runs by itself; [`Service::directory_run`] tells how far it is.
    /// While one runs, that one is answered.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn update_directory(&self, caller: &Caller, connection: ConnectionId) -> Result<RunId, Error> {
        caller.may(Right::Change)?;
        self.connection(caller, connection).await?;
        let store = self.acting(caller, Deed::DirectoryUpdate, &connection);
        Ok(store.run_begin(connection, caller.account_name.clone()).await?)
    }

    /// Looks at a reading.
    ///
    /// # Errors
    /// When there is no such reading of that connection.
    pub async fn directory_run(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        run: RunId,
    ) -> Result<Run, Error> {
        caller.may(Right::Look)?;
        self.store.run_find(&caller.project, connection, run).await?.ok_or(Error::RunNotFound)
    }

    /// Lists a connection's latest readings, newest first.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn list_directory_runs(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        limit: u64,
    ) -> Result<Vec<Run>, Error> {
        caller.may(Right::Look)?;
        self.connection(caller, connection).await?;
        Ok(self.store.run_list(connection, limit).await?)
    }

    /// Lists what a reading that asks would change, member by member, behind `after`; with `of`, one kind of change. A
    /// reading that does not ask has nothing to list.
    ///
    /// # Errors
    /// When there is no such reading of that connection.
    pub async fn list_changes(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        run: RunId,
        of: Option<Change>,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<MemberChange>, Error> {
        caller.may(Right::Look)?;
        self.directory_run(caller, connection, run).await?;
        Ok(self.store.run_change_page(&caller.project, connection, run, of, after, limit).await?)
    }

    /// Says that what a reading would change is meant: it becomes the directory.
    ///
    /// # Errors
    /// When there is no such reading, or it does not ask.
    pub async fn confirm_directory(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        run: RunId,
    ) -> Result<Run, Error> {
        caller.may(Right::Change)?;
        let found = self.directory_run(caller, connection, run).await?;
        let store = self.acting(caller, Deed::DirectoryConfirm, &connection);
        if found.state != RunState::Asks || !store.run_confirm(run).await? {
            return Err(Error::RunStands(found.state));
        }
        self.directory_run(caller, connection, run).await
    }

    /// Ends a reading that runs or asks; the directory stays as it is.
    ///
    /// # Errors
    /// When there is no such reading, or it has ended.
    pub async fn cancel_directory(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        run: RunId,
    ) -> Result<Run, Error> {
        caller.may(Right::Change)?;
        let found = self.directory_run(caller, connection, run).await?;
        let by = &caller.account_name;
        let why =
            Advice { en: format!("Cancelled by {by}.").into(), zh: format!("已由 {by} 取消。").into() };
        let store = self.acting(caller, Deed::DirectoryCancel, &connection);
        if !store.run_end(run, why, Vec::new()).await? {
            return Err(Error::RunStands(found.state));
        }
        self.directory_run(caller, connection, run).await
    }

    /// Lists a connection's members or chats by our ids, behind `after`: those that a filter lets through.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn list_reachable(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        kind: RecipientKind,
        filter: RecipientFilter,
        after: Option<EndpointId>,
        limit: u64,
    ) -> Result<Vec<Kept>, Error> {
        caller.may(Right::Look)?;
        self.connection(caller, connection).await?;
        Ok(self.store.recipient_page(connection, kind, filter, after, limit).await?)
    }

    /// Lists a connection's departments by the platform's ids, behind `after`, each with how many are in it directly.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn list_departments(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<(Department, u64)>, Error> {
        caller.may(Right::Look)?;
        self.connection(caller, connection).await?;
        Ok(self.store.department_page(connection, after, limit).await?)
    }

    /// Makes a group of people, or replaces the parts of the one of that name.
    ///
    /// # Errors
    /// When there is no such connection, or the name or a part breaks a rule.
    pub async fn put_group(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        name: String,
        parts: Vec<GroupPart>,
    ) -> Result<GroupId, Error> {
        caller.may(Right::Change)?;
        self.connection(caller, connection).await?;
        check_name(&name)?;
        if parts.len() > limits::PUSH_RECIPIENTS_MAX {
            return Err(Invalid::new(Field::To, "a group has at most 1000 parts").into());
        }
        let store = self.acting(caller, Deed::GroupUpdate, &name);
        Ok(store.group_put(connection, name, parts).await?)
    }

    /// Lists a connection's groups by name.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn list_groups(&self, caller: &Caller, connection: ConnectionId) -> Result<Vec<Group>, Error> {
        caller.may(Right::Look)?;
        self.connection(caller, connection).await?;
        Ok(self.store.group_list(connection).await?)
    }

    /// Removes a group.
    ///
    /// # Errors
    /// When there is no such connection or group.
    pub async fn remove_group(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        group: GroupId,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        self.connection(caller, connection).await?;
        let store = self.acting(caller, Deed::GroupDelete, &group);
        if store.group_delete(connection, group).await? { Ok(()) } else { Err(Error::GroupNotFound) }
    }
}
