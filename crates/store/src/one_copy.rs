//! Messages that lanes have read, each in memory once: a message to a thousand addresses that wait would stand there a
//! thousand times otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use carillon_model::Timestamp;
use carillon_model::id::MessageId;

use crate::delivery::{Ready, StoredMessage};

/// How many entries are kept before those of messages that nobody has any more are taken out.
const TIDY_FROM: usize = 1_024;

/// A delivery that was sent again has a time to live of its own, and so its own copy of the message.
type Key = (MessageId, Timestamp);

/// Which messages are in memory now. It keeps none of them there.
#[derive(Debug, Default)]
pub(crate) struct OneCopy(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    messages: HashMap<Key, Weak<StoredMessage>>,
    /// How many there were, when those that are gone were last taken out.
    alive: usize,
}

impl OneCopy {
    /// The delivery with the copy of its message that others have, too.
    pub(crate) fn of(&self, ready: Ready) -> Ready {
        let key = (ready.stored.message.id, ready.stored.message.expires_at);
        let mut known = self.0.lock().expect("no code panics while it holds the messages");
        if let Some(stored) = known.messages.get(&key).and_then(Weak::upgrade) {
            return Ready { stored, ..ready };
        }
        if known.messages.len() >= TIDY_FROM.max(2 * known.alive) {
            known.messages.retain(|_key, message| message.strong_count() > 0);
            known.alive = known.messages.len();
        }
        known.messages.insert(key, Arc::downgrade(&ready.stored));
        ready
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap().messages.len()
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;
    use carillon_model::chance::SeededChance;
    use carillon_model::id::{DeliveryId, EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
    use carillon_model::message::{Body, Content, Locale, Message, Priority};
    use carillon_model::subscription::Overflow;
    use carillon_model::topic::TopicName;

    use super::*;

    fn ready(message: u64, expires_at: i64) -> Ready {
        let chance = SeededChance::new(message);
        let id = MessageId::new(Timestamp(1), &chance);
        let message = Message {
            id,
            project: ProjectId::parse("p").unwrap(),
            topic: TopicId::new(Timestamp(1), &chance),
            content: Content { default: Body::text("x"), ..Content::default() },
            priority: Priority::Normal,
            locale: Locale::English,
            created_at: Timestamp(1),
            expires_at: Timestamp(expires_at),
        };
        Ready {
            seq: 1,
            id: DeliveryId::new(id, 1),
            subscription: SubscriptionId::new(Timestamp(1), &chance),
            endpoint: EndpointId::new(Timestamp(1), &chance),
            attempts: 0,
            attempts_before: 0,
            parts_done: 0,
            overflow: Overflow::default(),
            due_at: Timestamp(1),
            known: None,
            stored: Arc::new(StoredMessage { message, topic_name: TopicName::parse("t").unwrap() }),
        }
    }

    #[test]
    fn lanes_share_a_message_but_not_one_with_another_time_to_live() {
        let copies = OneCopy::default();
        let [one, two, other] = [ready(7, 100), ready(7, 100), ready(7, 200)].map(|ready| copies.of(ready));
        assert!(Arc::ptr_eq(&one.stored, &two.stored));
        assert!(!Arc::ptr_eq(&one.stored, &other.stored));
        assert_eq!(other.stored.message.expires_at, Timestamp(200));
    }

    #[test]
    fn what_nobody_has_any_more_is_taken_out() {
        let copies = OneCopy::default();
        let kept: Vec<Ready> = (0..10).map(|message| copies.of(ready(message, 100))).collect();
        for message in 10..5_000 {
            drop(copies.of(ready(message, 100)));
        }
        assert!(copies.len() <= TIDY_FROM + 1, "{} are known", copies.len());
        let again = copies.of(ready(3, 100));
        assert!(
            kept.iter().any(|ready| Arc::ptr_eq(&ready.stored, &again.stored)),
            "what is kept is still known"
        );
    }
}
