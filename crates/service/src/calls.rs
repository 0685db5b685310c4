//! Calls per month: how many apps made, what they come to, and what somebody allows.

use carillon_model::audit::Deed;
use carillon_model::id::ConnectionId;
use carillon_model::office::Platform;
use carillon_model::office::calls::{self, LIMIT_MAX, Limit, Month, Usage};
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};

use crate::error::Error;
use crate::{Caller, Service};

/// The name that a project's `DingTalk` robots have here.
pub const ROBOTS: &str = "dingtalk_robots";

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// A connection's app.
    Connection {
        /// The connection.
        id: ConnectionId,
        /// Its name.
        name: String,
        /// Its platform.
        platform: Platform,
    },
    /// The project's `DingTalk` robots.
    Robots,
}

/// A month of calls, and those before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthOfCalls {
    /// Whose.
    pub of: Counted,
    /// This month.
    pub usage: Usage,
    /// The months before that are known, latest first.
    pub before: Vec<(Month, u64)>,
}

impl Service {
    /// Lists what the project's connections called this month, oldest connection first, and its `DingTalk` robots at the
    /// end.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_calls(&self, caller: &Caller) -> Result<Vec<MonthOfCalls>, Error> {
        caller.may(Right::Look)?;
        let connections = self.store.connection_list(&caller.project).await?;
        let (mut counted, mut names) = (Vec::new(), Vec::new());
        for one in connections {
            let Some(app) = self.store.connection_open(one.id).await? else { continue };
            names.push(calls::of_app(&app));
            counted.push(Counted::Connection { id: one.id, name: one.name, platform: one.platform });
        }
        names.push(calls::of_robots(&caller.project));
        counted.push(Counted::Robots);
        let (known, month) = (self.store.calls_of(&names).await?, Month::of(self.now()));
        let months = counted.into_iter().zip(known).map(|(of, known)| {
            let default = match &of {
                Counted::Connection { platform, .. } => calls::default_limit(*platform),
                Counted::Robots => Some(calls::DINGTALK_ROBOTS),
            };
            let refused_until = known.refused_until;
            let usage = Usage { month, used: known.used, limit: known.limit, default, refused_until };
            MonthOfCalls { of, usage, before: known.before }
        });
        Ok(months.collect())
    }

    /// Looks at one of them: a connection's, by its id, or [`ROBOTS`].
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn calls(&self, caller: &Caller, of: &str) -> Result<MonthOfCalls, Error> {
        caller.may(Right::Look)?;
        let found = self.list_calls(caller).await?.into_iter().find(|month| match &month.of {
            Counted::Connection { id, .. } => id.to_string() == of,
            Counted::Robots => of == ROBOTS,
        });
        found.ok_or(Error::ConnectionNotFound)
    }

    /// Sets how many calls a month may be made. Whoever else uses the same app is held to it, too.
    ///
    /// # Errors
    /// When there is no such connection, or the limit is none.
    pub async fn set_calls_limit(
        &self,
        caller: &Caller,
        of: &str,
        limit: Limit,
    ) -> Result<MonthOfCalls, Error> {
        caller.may(Right::Change)?;
        if let Limit::Calls(calls) = limit
            && !(1..=LIMIT_MAX).contains(&calls)
        {
            return Err(Invalid::new(Field::CallsLimit, "limit must be 1 to 1000000000 calls").into());
        }
        let name = match self.calls(caller, of).await?.of {
            Counted::Robots => calls::of_robots(&caller.project),
            Counted::Connection { id, .. } => {
                let app = self.store.connection_open(id).await?.ok_or(Error::ConnectionNotFound)?;
                calls::of_app(&app)
            }
        };
        self.acting(caller, Deed::CallsLimit, &of).calls_limit_set(&name, limit).await?;
        self.calls(caller, of).await
    }

    /// Chooses who is told what concerns a connection: a subscription of the project by its URN, everybody who subscribed a
    /// topic by its URN or name, or nobody.
    ///
    /// # Errors
    /// When there is no such connection, subscription or topic.
    pub async fn set_connection_notices(
        &self,
        caller: &Caller,
        id: ConnectionId,
        notices: Option<&str>,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let notices = match notices {
            Some(text) => Some(self.fallback(caller, None, text).await?),
            None => None,
        };
        let store = self.acting(caller, Deed::ConnectionUpdate, &id);
        let there = store.connection_notices_set(&caller.project, id, notices).await?;
        if there { Ok(()) } else { Err(Error::ConnectionNotFound) }
    }

    /// The URN of whom a connection's notices go to, if they go to anybody who is there.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn connection_notices(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<Option<String>, Error> {
        caller.may(Right::Look)?;
        let connection = self.connection(caller, id).await?;
        let Some(notices) = connection.notices else { return Ok(None) };
        self.fallback_urn(caller, &notices).await
    }
}
