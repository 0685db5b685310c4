//! Whether a web endpoint answers, asked before anybody subscribes it.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ProjectId, RequestId};
use carillon_model::role::Right;
use carillon_model::subscription::{Extension, Target};
use carillon_model::{Channel, Field, Invalid, SecretText, limits};
use carillon_provider::Probe;
use tokio::sync::Semaphore;

use crate::error::Error;
use crate::{Caller, Service};

/// What a detection found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detected {
    /// The endpoint answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The beginning of its words.
        text: String,
    },
    /// It could not be reached within 5 seconds.
    Silent,
    /// It lies in a network that must not be reached.
    Forbidden,
    /// Too many detections were under way.
    Crowded,
}

/// The detections of late, in memory only: they are worth nothing after a restart.
#[derive(Debug)]
pub(crate) struct Detections {
    found: Mutex<Found>,
    room: Semaphore,
}

#[derive(Debug, Default)]
struct Found {
    by_task: HashMap<RequestId, (ProjectId, Detected)>,
    order: VecDeque<RequestId>,
}

impl Default for Detections {
    fn default() -> Self {
        Self { found: Mutex::default(), room: Semaphore::new(limits::DETECTIONS_AT_ONCE) }
    }
}

impl Detections {
    fn keep(&self, task: RequestId, project: ProjectId, detected: Detected) {
        let mut found = self.found.lock().expect("no code panics while it holds the detections");
        if found.order.len() >= limits::DETECTIONS_MAX
            && let Some(oldest) = found.order.pop_front()
        {
            found.by_task.remove(&oldest);
        }
        found.order.push_back(task);
        found.by_task.insert(task, (project, detected));
    }

    fn find(&self, task: RequestId, project: &ProjectId) -> Option<Detected> {
        let found = self.found.lock().expect("no code panics while it holds the detections");
        let (owner, detected) = found.by_task.get(&task)?;
        (owner == project).then(|| detected.clone())
    }
}

impl Service {
    /// Asks a web endpoint whether it answers, and remembers what it said under the id that is given back.
    ///
    /// # Errors
    /// When there is no such topic, or the endpoint or its headers break a rule or lie in a private network.
    pub async fn detect(
        &self,
        caller: &Caller,
        topic_urn: &str,
        channel: Channel,
        endpoint: &SecretText,
        extension: Extension,
    ) -> Result<RequestId, Error> {
        caller.may(Right::Change)?;
        self.topic(caller, topic_urn).await?;
        if !matches!(channel, Channel::Http | Channel::Https) {
            return Err(Invalid::new(Field::Protocol, "must be http or https for a detection").into());
        }
        let endpoint = Endpoint::parse(channel, endpoint.reveal())?;
        extension.check(&endpoint)?;
        self.providers.check_endpoint(&endpoint).map_err(|_private| Error::PrivateEndpoint)?;
        let target = Target { endpoint, extension };
        let detected = match self.detections.room.try_acquire() {
            Err(_full) => Detected::Crowded,
            Ok(_room) => match self.providers.probe(&target).await {
                Some(Probe::Answered { status, text }) => Detected::Answered { status, text },
                Some(Probe::Forbidden) => Detected::Forbidden,
                Some(Probe::Silent) | None => Detected::Silent,
            },
        };
        let task = self.request_id();
        self.detections.keep(task, caller.project.clone(), detected);
        Ok(task)
    }

    /// What a detection found.
    ///
    /// # Errors
    /// When there is no such topic or detection.
    pub async fn detected(&self, caller: &Caller, topic_urn: &str, task: &str) -> Result<Detected, Error> {
        caller.may(Right::Look)?;
        self.topic(caller, topic_urn).await?;
        let task = RequestId::parse(task).map_err(|_rule| Error::DetectionNotFound)?;
        self.detections.find(task, &caller.project).ok_or(Error::DetectionNotFound)
    }
}
