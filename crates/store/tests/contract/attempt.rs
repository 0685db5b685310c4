use carillon_model::Channel;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::{DeliveryId, ProjectId};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};

use crate::harness::{Bed, Home, accepted, limited, robot, settlement, start};

pub(crate) async fn deliveries_are_listed_by_number_behind_a_cursor<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let stored = bed.new_message(&topic, "many");
    let id = stored.message.id;
    bed.store.message_publish(stored, bed.recipients(7)).await.unwrap();
    for (after, limit, wanted) in
        [(0, 3, 1..4), (3, 3, 4..7), (6, 3, 7..8), (7, 3, 8..8), (u32::MAX, 3, 8..8)]
    {
        let page = bed.store.delivery_list(&bed.project, id, after, limit).await.unwrap();
        let numbers: Vec<_> = page.iter().map(|one| one.id.number).collect();
        assert_eq!(numbers, wanted.collect::<Vec<u32>>(), "{after}");
        assert!(page.iter().all(|one| one.id.message == id && one.attempts.is_empty()));
    }
    assert!(bed.store.delivery_list(&bed.project, id, 0, 0).await.unwrap().is_empty());
}

pub(crate) async fn each_delivery_has_its_own_attempts<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let stored = bed.new_message(&topic, "many");
    let id = stored.message.id;
    bed.store.message_publish(stored, bed.recipients(4)).await.unwrap();
    let ready = bed.store.wake().take().ready;
    for attempt in 1..=12 {
        let at = bed.tick();
        let starts = ready[1..3].iter().map(|one| start(one, attempt, at)).collect();
        let ends =
            ready[1..3].iter().map(|one| settlement(one, attempt, at, limited(), DeliveryState::Pending));
        bed.store.delivery_settle(starts, ends.collect::<Vec<_>>()).await.unwrap();
    }
    let at = bed.tick();
    let done = settlement(&ready[0], 1, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&ready[0], 1, at)], vec![done]).await.unwrap();

    let shown = bed.store.delivery_list(&bed.project, id, 0, 10).await.unwrap();
    assert_eq!(shown.iter().map(|one| one.attempts.len()).collect::<Vec<_>>(), [1, 12, 12, 0]);
    let numbers: Vec<_> = shown[1].attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<u32>>(), "by number, not by letters");
    let page = bed.store.delivery_list(&bed.project, id, 1, 2).await.unwrap();
    assert_eq!(page, shown[1..3]);
    let one = bed.store.delivery_find(&bed.project, DeliveryId::new(id, 3)).await.unwrap();
    assert_eq!(one.as_ref(), Some(&shown[2]));
}

pub(crate) async fn every_outcome_and_reason_reads_back<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let later = Outcome::Later { wait: None, scope: Scope::Host };
    let outcomes = [Outcome::Accepted, Outcome::Refused, Outcome::Misconfigured, later, Outcome::Unknown];
    let mut wanted = Vec::new();
    let mut ends = Vec::new();
    for (number, reason) in (2..).zip(Reason::ALL) {
        let outcome = outcomes[wanted.len() % outcomes.len()];
        wanted.push((number, outcome.name().to_owned(), reason));
        let verdict = Verdict::plain(outcome, reason);
        ends.push(settlement(&ready, number, bed.tick(), verdict, DeliveryState::Pending));
    }
    bed.store.delivery_settle(Vec::new(), ends).await.unwrap();
    let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert!(shown.attempts.iter().all(|one| one.platform_code.is_none() && one.platform_text.is_none()));
    let told: Vec<_> = shown.attempts.into_iter().map(|one| (one.number, one.outcome, one.reason)).collect();
    assert_eq!(told, wanted);
}

pub(crate) async fn a_delivery_is_found_only_by_its_own_id<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let subscription = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let message = bed.publish(&topic, "one").await;
    let id = DeliveryId::new(message, 1);
    let found = bed.store.delivery_find(&bed.project, id).await.unwrap().unwrap();
    assert_eq!((found.id, found.subscription, found.topic_name), (id, subscription, topic.name));
    assert_eq!((found.channel, found.state), (Channel::Lark, DeliveryState::Pending));
    for number in [0, 2, u32::MAX] {
        let other = DeliveryId::new(message, number);
        assert_eq!(bed.store.delivery_find(&bed.project, other).await.unwrap(), None, "{number}");
    }
    let elsewhere = ProjectId::parse("elsewhere").unwrap();
    assert_eq!(bed.store.delivery_find(&elsewhere, id).await.unwrap(), None);
}

/// Whoever looks while an attempt is written down sees it with its delivery's state, or neither.
pub(crate) async fn a_delivery_and_its_attempts_are_read_as_one<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for _round in 0..150 {
        let stored = bed.new_message(&topic, "one");
        let id = stored.message.id;
        bed.store.message_publish(stored, bed.recipients(1)).await.unwrap();
        let ready = bed.store.wake().take().ready.remove(0);
        let end = settlement(&ready, 1, bed.tick(), limited(), DeliveryState::Failed);
        let settle = bed.store.delivery_settle(Vec::new(), vec![end]);
        let look = async {
            loop {
                let seen = bed.store.delivery_list(&bed.project, id, 0, 1).await.unwrap().remove(0);
                let failed = seen.state == DeliveryState::Failed;
                assert_eq!(failed, !seen.attempts.is_empty(), "{seen:?}");
                if failed {
                    return;
                }
            }
        };
        let (settled, ()) = tokio::join!(settle, look);
        settled.unwrap();
    }
}
