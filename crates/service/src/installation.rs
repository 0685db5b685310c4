//! About the installation: what it remembers in, whether it can, and which servers there are.

use std::num::NonZeroU64;

use carillon_model::limits;
use carillon_model::role::Right;
use carillon_store::shard::Server;

use crate::error::Error;
use crate::{Caller, Page, Service, TemplateFilter, TopicFilter};

/// What a project may have, and how much of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Of what: `topics`, `templates`, `subscription_users`, `subscriptions_per_topic`, `publishes_per_minute`.
    pub name: &'static str,
    /// How many there are, where they are the project's as a whole.
    pub used: Option<u64>,
    /// How many there may be; nothing where there is no limit.
    pub limit: Option<u64>,
}

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
    /// What the caller's project may have, and how much of it there is.
    ///
    /// # Errors
    /// When the caller may not see what is set up, or the store cannot be read.
    pub async fn list_quotas(&self, caller: &Caller) -> Result<Vec<Quota>, Error> {
        caller.may(Right::Look)?;
        let one = Page { offset: 0, limit: 1 };
        let (topics, _first) = self.list_topics(caller, TopicFilter::default(), one).await?;
        let (templates, _first) = self.list_templates(caller, TemplateFilter::default(), one).await?;
        let users = self.store.subscription_user_list(&caller.project).await?.len();
        let set = self.store.quotas();
        let quota = |name, used, limit| Quota { name, used, limit };
        Ok(vec![
            quota("topics", Some(topics), Some(set.topics)),
            quota("templates", Some(templates), Some(set.templates)),
            quota("subscription_users", u64::try_from(users).ok(), Some(limits::USERS_MAX)),
            quota("subscriptions_per_topic", None, Some(set.subscriptions)),
            quota("publishes_per_minute", None, set.publishes_per_minute.map(NonZeroU64::get)),
        ])
    }

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
