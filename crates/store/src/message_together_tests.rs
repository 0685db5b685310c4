//! Which portion writes what.

use std::sync::Arc;

use carillon_model::chance::SeededChance;
use carillon_model::clock::Timestamp;
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::subscription::Overflow;
use carillon_model::topic::TopicName;
use carillon_model::{Chance, Channel};
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::{Entry, PORTION, Waiting};
use crate::delivery::StoredMessage;
use crate::recipient::Recipient;

fn entry(chance: &dyn Chance, recipients: usize) -> Entry {
    let now = Timestamp(1_750_000_000_000);
    let message = Message {
        id: MessageId::new(now, chance),
        project: ProjectId::parse("0970dd7a1300f5672ff2c003c60ae115").unwrap(),
        topic: TopicId::new(now, chance),
        content: Content { default: Body::text("x"), ..Content::default() },
        priority: Priority::Normal,
        locale: Locale::English,
        created_at: now,
        expires_at: now,
    };
    let stored = Arc::new(StoredMessage { message, topic_name: TopicName::parse("ops").unwrap() });
    let to = (0..recipients).map(|_one| Recipient {
        subscription: SubscriptionId::new(now, chance),
        endpoint: EndpointId::new(now, chance),
        channel: Channel::Lark,
        overflow: Overflow::default(),
        filter_policies: FilterPolicies::default(),
    });
    let (reply, _answer) = oneshot::channel();
    Entry { stored, to: to.collect::<Vec<_>>().into(), publisher: None, reply }
}

proptest! {
    /// Whatever comes and whenever portions begin, nothing is left when all that were handed in have begun, and each
    /// takes what came first.
    #[test]
    fn the_portions_are_enough(steps in proptest::collection::vec(proptest::option::of(0_usize..257), 1..80)) {
        let chance = SeededChance::new(1);
        let (mut waiting, mut handed_in) = (Waiting::default(), 0);
        let (mut put, mut taken) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Some(recipients) => {
                    let entry = entry(&chance, recipients);
                    put.push(entry.stored.message.id);
                    handed_in += usize::from(waiting.put(entry));
                }
                None if handed_in > 0 => {
                    handed_in -= 1;
                    let some = waiting.take();
                    let rows: usize = some.iter().map(Entry::rows).sum();
                    prop_assert!(rows < PORTION + 257, "{rows} rows are too many for one statement");
                    taken.extend(some.iter().map(|entry| entry.stored.message.id));
                }
                None => {}
            }
        }
        for _one in 0..handed_in {
            taken.extend(waiting.take().iter().map(|entry| entry.stored.message.id));
        }
        prop_assert_eq!(put, taken);
        prop_assert_eq!((waiting.rows, waiting.portions), (0, 0));
    }
}
