use carillon_model::delivery::DeliveryState;
use carillon_model::outcome::Reason;
use carillon_store::delivery::Ready;
use carillon_store::pick::DeliveryFilter;

use crate::harness::{Bed, Home, robot};
use crate::resend::end;

/// Four messages to one robot: one failed, one expired, one cancelled, one delivered; and one that waits.
async fn ended<H: Home>(bed: &Bed<H>) -> Vec<Ready> {
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for index in 0..5 {
        bed.publish(&topic, &format!("message {index}")).await;
    }
    let ready = bed.store.wake().take().ready;
    let states =
        [DeliveryState::Failed, DeliveryState::Expired, DeliveryState::Cancelled, DeliveryState::Delivered];
    for (one, state) in ready.iter().zip(states) {
        end(bed, one, state, Reason::Signature).await;
    }
    ready
}

async fn listed<H: Home>(bed: &Bed<H>, filter: DeliveryFilter) -> Vec<String> {
    let found = bed.store.dead_letter_list(&bed.project, &filter, None, None, 10).await.unwrap();
    found.found.iter().map(|dead| dead.record.id.to_string()).collect()
}

pub(crate) async fn what_did_not_arrive_is_listed_newest_first<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ended(&bed).await;
    let ids: Vec<_> = ready.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(listed(&bed, DeliveryFilter::default()).await, [ids[1].clone(), ids[0].clone()]);
    let all =
        bed.store.dead_letter_list(&bed.project, &DeliveryFilter::default(), None, None, 1).await.unwrap();
    assert_eq!((all.found.len(), all.found[0].place, all.next), (1, ready[1].seq, Some(ready[1].seq)));
    let next = bed
        .store
        .dead_letter_list(&bed.project, &DeliveryFilter::default(), None, all.next, 1)
        .await
        .unwrap();
    assert_eq!((&next.found[0].record.id, next.next), (&ready[0].id, None));
    assert_eq!(next.found[0].record.attempts[0].reason, Reason::Signature, "its attempts come with it");
    let foreign = bed.foreign();
    let others =
        bed.store.dead_letter_list(&foreign, &DeliveryFilter::default(), None, None, 10).await.unwrap();
    assert!(others.found.is_empty() && others.next.is_none());
}

pub(crate) async fn a_filter_narrows_dead_letters<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ended(&bed).await;
    let id = |index: usize| ready[index].id.to_string();
    let of = |state| DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
    assert_eq!(listed(&bed, of(DeliveryState::Cancelled)).await, [id(2)]);
    assert_eq!(listed(&bed, of(DeliveryState::Expired)).await, [id(1)]);
    let by_reason = |reason| DeliveryFilter { reason: Some(reason), ..DeliveryFilter::default() };
    assert_eq!(listed(&bed, by_reason(Reason::Signature)).await, [id(0)]);
    assert!(listed(&bed, by_reason(Reason::Timeout)).await.is_empty());
    let message = DeliveryFilter { message: Some(ready[0].id.message), ..DeliveryFilter::default() };
    assert_eq!(listed(&bed, message).await, [id(0)]);
    let elsewhere = DeliveryFilter { topic_name: Some("other".to_owned()), ..DeliveryFilter::default() };
    assert!(listed(&bed, elsewhere).await.is_empty());
    let account = bed.account().await;
    let all = DeliveryFilter::default();
    let own = bed.store.dead_letter_list(&bed.project, &all, Some(account), None, 10).await.unwrap();
    assert!(own.found.is_empty(), "this account published none of them");
}

pub(crate) async fn a_page_looks_at_so_many_and_says_where_to_go_on<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = ended(&bed).await;
    // Younger ones of another subscription, more than one page looks at.
    bed.home.alter(&format!(
        "INSERT INTO delivery (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts,
             parts_done)
         WITH RECURSIVE n(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM n WHERE n < 7509)
         SELECT '{}', n, '00000000000000000000000000000000', 'ffffffffffffffffffffffffffffffff', 'lark', 1, 3, 0, 0, 0 FROM n",
        ready[0].id.message
    ));
    bed.home.alter("ANALYZE");
    let filter = DeliveryFilter { reason: Some(Reason::Signature), ..DeliveryFilter::default() };
    let before = bed.home.rows_read();
    let first = bed.store.dead_letter_list(&bed.project, &filter, None, None, 10).await.unwrap();
    assert!(first.found.is_empty(), "it is older than what was looked at");
    let next = bed.store.dead_letter_list(&bed.project, &filter, None, first.next, 10).await.unwrap();
    let ids: Vec<_> = next.found.iter().map(|dead| &dead.record.id).collect();
    assert_eq!((ids, next.next), (vec![&ready[0].id], None));
    let read = bed.home.rows_read() - before;
    assert!(read < 100_000, "{read} rows were read");
    let all = DeliveryFilter::default();
    let before = bed.home.rows_read();
    let page = bed.store.dead_letter_list(&bed.project, &all, None, None, 10).await.unwrap();
    assert_eq!(page.found.len(), 10);
    let read = bed.home.rows_read() - before;
    assert!(read < 30_000, "{read} rows were read for ten");
}
