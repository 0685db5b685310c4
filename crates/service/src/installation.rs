//! About the installation: what it remembers in, whether it can, and which servers there are.

use carillon_model::role::Right;
use carillon_store::shard::Server;

use crate::error::Error;
use crate::{Caller, Service};

/// How the installation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Whether its database is one that servers can share.
    pub is_shared: bool,
    /// The version of the database.
    pub store_version: usize,
    /// Whether a write can be made durable now.
    pub is_writable: bool,
    /// The servers that share the database; none where one is alone with its own.
    pub servers: Vec<Server>,
}

impl Service {
    /// How the installation stands.
    ///
    /// # Errors
    /// When the caller may not see what is set up, or the store cannot be read.
    pub async fn installation(&self, caller: &Caller) -> Result<Installation, Error> {
        caller.may(Right::Look)?;
        Ok(Installation {
            is_shared: self.store.is_shared(),
            store_version: self.store.version(),
            is_writable: self.store.check().await.is_ok(),
            servers: self.store.server_list().await?,
        })
    }
}
