//! Topics that send nothing that says the same again for a while: what an alarm repeats reaches people once.

use carillon_model::audit::Deed;
use carillon_model::id::MessageId;
use carillon_model::limits::SUPPRESSION_SECONDS_MAX;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};

use crate::error::Error;
use crate::{Caller, Service};

impl Service {
    /// For how many seconds a topic sends nothing that says the same again; none when it sends everything.
    ///
    /// # Errors
    /// When there is no such topic in the caller's project.
    pub async fn topic_suppression(&self, caller: &Caller, topic_urn: &str) -> Result<u64, Error> {
        caller.may(Right::Look)?;
        let topic = self.topic(caller, topic_urn).await?.topic;
        let found = self.store.suppression(topic.id).await?;
        found.map(|window| window.as_secs()).ok_or(Error::TopicNotFound)
    }

    /// Sets for how many seconds a topic sends nothing that says the same again; none for not at all.
    ///
    /// # Errors
    /// When it is too long, or there is no such topic in the caller's project.
    pub async fn set_topic_suppression(
        &self,
        caller: &Caller,
        topic_urn: &str,
        seconds: u64,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds <= SUPPRESSION_SECONDS_MAX);
        let Some(seconds) = seconds else {
            let rule = "must be 0 for not at all, or up to 86400 seconds, a day";
            return Err(Invalid::new(Field::Suppression, rule).into());
        };
        let urn = self.own_urn(caller, topic_urn)?;
        let detail = format!("{seconds} s");
        let store = self.acting_on(caller, Deed::TopicSuppression, vec![urn.to_string()], detail);
        let there = store.suppression_set(&caller.project, &urn.topic, seconds).await?;
        if there { Ok(()) } else { Err(Error::TopicNotFound) }
    }

    /// How many messages went to nobody because they say the same as this one.
    ///
    /// # Errors
    /// When there is no such message in the caller's project.
    pub async fn suppressed_count(&self, caller: &Caller, id: MessageId) -> Result<u64, Error> {
        caller.reach(Right::Trace)?;
        self.message(caller, id).await?;
        Ok(self.store.suppressed_count(id).await?)
    }
}
