//! Log tanks of topics: that what becomes of their messages is written to the delivery log.

use carillon_model::audit::Deed;
use carillon_model::id::LogtankId;
use carillon_model::logtank::{Logtank, check_log_id};
use carillon_model::role::Right;

use crate::error::Error;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

/// The names that a caller gives a log tank.
#[derive(Debug, Clone, Default)]
pub struct LogNames {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
}

impl LogNames {
    fn check(&self) -> Result<(), Error> {
        check_log_id("log_group_id", &self.group)?;
        Ok(check_log_id("log_stream_id", &self.stream)?)
    }
}

impl Service {
    /// Whether the operator has set up a delivery log.
    #[must_use]
    pub fn has_delivery_log(&self) -> bool {
        self.logs_deliveries
    }

    /// Makes a log tank.
    ///
    /// # Errors
    /// When the operator has set up no delivery log, there is no such topic, a name breaks its rule, or the topic has as
    /// many as it may.
    pub async fn create_logtank(
        &self,
        caller: &Caller,
        topic_urn: &str,
        names: LogNames,
    ) -> Result<LogtankId, Error> {
        caller.may(Right::Change)?;
        let NamedTopic { urn, topic } = self.logged_topic(caller, topic_urn).await?;
        names.check()?;
        let store = self.acting(caller, Deed::LogtankCreate, &urn);
        let made = store.logtank_add(topic.id, names.group, names.stream).await?;
        made.ok_or(Error::LogtanksFull)
    }

    /// A topic's log tanks, oldest first.
    ///
    /// # Errors
    /// When there is no such topic.
    pub async fn list_logtanks(&self, caller: &Caller, topic_urn: &str) -> Result<Vec<Logtank>, Error> {
        caller.may(Right::Look)?;
        let topic = self.topic(caller, topic_urn).await?.topic;
        Ok(self.store.logtank_list(topic.id).await?)
    }

    /// Gives a log tank other names.
    ///
    /// # Errors
    /// As [`Service::create_logtank`], and when there is no such log tank.
    pub async fn change_logtank(
        &self,
        caller: &Caller,
        topic_urn: &str,
        id: &str,
        names: LogNames,
    ) -> Result<Logtank, Error> {
        caller.may(Right::Change)?;
        let NamedTopic { urn, topic } = self.logged_topic(caller, topic_urn).await?;
        names.check()?;
        let id = logtank_id(id)?;
        let store = self.acting(caller, Deed::LogtankUpdate, &urn);
        let changed = store.logtank_change(topic.id, id, names.group, names.stream).await?;
        changed.ok_or(Error::LogtankNotFound)
    }

    /// Removes a log tank.
    ///
    /// # Errors
    /// When there is no such topic or log tank.
    pub async fn delete_logtank(&self, caller: &Caller, topic_urn: &str, id: &str) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let NamedTopic { urn, topic } = self.topic(caller, topic_urn).await?;
        let store = self.acting(caller, Deed::LogtankDelete, &urn);
        let there = store.logtank_delete(topic.id, logtank_id(id)?).await?;
        if there { Ok(()) } else { Err(Error::LogtankNotFound) }
    }

    /// A topic whose deliveries can be logged.
    async fn logged_topic(&self, caller: &Caller, topic_urn: &str) -> Result<NamedTopic, Error> {
        let topic = self.topic(caller, topic_urn).await?;
        if self.logs_deliveries { Ok(topic) } else { Err(Error::NoDeliveryLog) }
    }
}

fn logtank_id(text: &str) -> Result<LogtankId, Error> {
    LogtankId::parse(text).map_err(|_form| Error::LogtankNotFound)
}
