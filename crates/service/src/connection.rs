//! Office apps: connect, prove, change, remove, check.

use carillon_model::audit::Deed;
use carillon_model::id::{ConnectionId, ProjectId};
use carillon_model::office::connection::{TypedApp, check_name};
use carillon_model::office::{App, Connection, Platform};
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};
use carillon_provider::{Fault, Finding, Wrong};
use carillon_store::connection::Connected;

use crate::error::Error;
use crate::{Caller, Service};

/// What a caller says of a connection to be made.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The platform.
    pub platform: Platform,
    /// Its name.
    pub name: String,
    /// The app's credentials.
    pub app: TypedApp,
}

impl Service {
    /// Connects a company's own app. The credentials are proved at the platform first: nothing that it refuses is kept.
    ///
    /// # Errors
    /// When the name or a part of the credentials breaks a rule, the platform refuses one of them (the error says which),
    /// or cannot be reached.
    pub async fn connect(&self, caller: &Caller, connect: Connect) -> Result<ConnectionId, Error> {
        caller.may(Right::Change)?;
        check_name(&connect.name)?;
        let app = App::parse(connect.platform, connect.app)?;
        self.prove(&app).await?;
        let store = self.acting(caller, Deed::ConnectionCreate, &connect.name);
        connected(store.connection_add(&caller.project, connect.name, app).await?)
    }

    /// Changes a connection's name, its credentials, or both; new credentials are proved first.
    ///
    /// # Errors
    /// As [`Service::connect`], and when there is no such connection.
    pub async fn change_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        name: Option<String>,
        app: Option<TypedApp>,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let connection = self.connection(caller, id).await?;
        if let Some(name) = &name {
            check_name(name)?;
        }
        let app = app.map(|typed| App::parse(connection.platform, typed)).transpose()?;
        if let Some(app) = &app {
            self.prove(app).await?;
        }
        let store = self.acting(caller, Deed::ConnectionUpdate, &id);
        connected(store.connection_change(&caller.project, id, name, app).await?).map(drop)
    }

    async fn prove(&self, app: &App) -> Result<(), Error> {
        let proved = self.providers.office_prove(app).await;
        proved.map_err(|fault| refused(&fault))
    }

    /// Lists the project's connections, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_connections(&self, caller: &Caller) -> Result<Vec<Connection>, Error> {
        caller.may(Right::Look)?;
        Ok(self.store.connection_list(&caller.project).await?)
    }

    /// Looks at one connection.
    ///
    /// # Errors
    /// When there is no such connection in the caller's project.
    pub async fn connection(&self, caller: &Caller, id: ConnectionId) -> Result<Connection, Error> {
        caller.may(Right::Look)?;
        self.own_connection(&caller.project, id).await
    }

    pub(crate) async fn own_connection(
        &self,
        project: &ProjectId,
        id: ConnectionId,
    ) -> Result<Connection, Error> {
        self.store.connection_find(project, id).await?.ok_or(Error::ConnectionNotFound)
    }

    /// Removes a connection for good, with its directory; what waits for its recipients is cancelled.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn disconnect(&self, caller: &Caller, id: ConnectionId) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let store = self.acting(caller, Deed::ConnectionDelete, &id);
        let there = store.connection_delete(&caller.project, id).await?;
        if there { Ok(()) } else { Err(Error::ConnectionNotFound) }
    }

    /// Tries everything that the app needs at its platform, and says of each thing whether it is there and where it is
    /// granted.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn check_connection(&self, caller: &Caller, id: ConnectionId) -> Result<Vec<Finding>, Error> {
        caller.may(Right::Change)?;
        self.connection(caller, id).await?;
        let app = self.store.connection_open(id).await?.ok_or(Error::ConnectionNotFound)?;
        let mut found = self.providers.office_check(&app).await;
        found.extend(self.check_callbacks(caller, id).await?);
        Ok(found)
    }
}

/// What the platform refuses, and which field that is about.
pub(crate) fn refused(fault: &Fault) -> Error {
    Error::PlatformRefuses {
        field: field(fault),
        sentence: fault.sentence(),
        zh: fault.advice().zh.into_owned(),
    }
}

fn connected(connected: Connected) -> Result<ConnectionId, Error> {
    match connected {
        Connected::Done(id) => Ok(id),
        Connected::NameTaken => Err(Error::ConnectionExists),
        Connected::Full => Err(Error::ConnectionsFull),
        Connected::NotThere => Err(Error::ConnectionNotFound),
    }
}

/// The field that a platform's refusal is about.
fn field(fault: &Fault) -> Option<Field> {
    match fault.wrong {
        Wrong::AppId | Wrong::AppIdOrSecret => Some(Field::AppId),
        Wrong::AppSecret => Some(Field::AppSecret),
        Wrong::Domain => Some(Field::Platform),
        Wrong::CorpId => Some(Field::CorpId),
        Wrong::AgentId => Some(Field::AgentId),
        Wrong::RobotCode => Some(Field::RobotCode),
        Wrong::Address | Wrong::Scopes(_) | Wrong::Stopped | Wrong::Range | Wrong::Later | Wrong::Other => {
            None
        }
    }
}

/// The platform of a name.
///
/// # Errors
/// When there is none.
pub fn platform(name: &str) -> Result<Platform, Invalid> {
    let rule = "platform must be lark, feishu, dingtalk or wecom";
    Platform::from_name(name).ok_or_else(|| Invalid::new(Field::Platform, rule))
}
