//! A message of the service itself to somebody who looks after something.

use std::time::Duration;

use carillon_model::Chance;
use carillon_model::clock::Timestamp;
use carillon_model::id::{MessageId, ProjectId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::topic::TopicName;
use carillon_store::delivery::StoredMessage;

/// How long a notice may wait: as long as any message may.
const NOTICE_LIFE: Duration = Duration::from_secs(carillon_model::limits::TIME_TO_LIVE_SECONDS_MAX);

/// A notice that goes through a topic.
pub(crate) fn compose(
    project: &ProjectId,
    through: (TopicId, TopicName),
    subject: &str,
    words: String,
    now: Timestamp,
    chance: &dyn Chance,
) -> StoredMessage {
    let (topic, topic_name) = through;
    let content =
        Content { subject: Some(subject.to_owned()), default: Body::text(words), ..Content::default() };
    let message = Message {
        id: MessageId::new(now, chance),
        project: project.clone(),
        topic,
        content,
        priority: Priority::Normal,
        locale: Locale::English,
        created_at: now,
        expires_at: now.plus(NOTICE_LIFE),
    };
    StoredMessage { message, topic_name }
}
