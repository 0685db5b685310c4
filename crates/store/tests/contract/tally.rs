//! What happened, in numbers for charts.

use carillon_model::{Channel, Clock};
use carillon_store::tally::{Count, SLOT_MS, What};

use crate::harness::{Bed, Home};

pub(crate) async fn numbers_add_up_by_slot_channel_and_outcome<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (store, here) = (&bed.store, bed.project.clone());
    let slot = bed.clock.now().0.div_euclid(SLOT_MS);
    let lark = What::Attempts(Channel::Lark, "accepted");
    store.tally_add(&here, lark, 2);
    store.tally_add(&here, What::Attempts(Channel::Lark, "later"), 1);
    store.tally_write().await.unwrap();
    store.tally_add(&here, lark, 3);
    store.tally_add(&bed.foreign(), lark, 9);
    store.tally_write().await.unwrap();
    store.tally_write().await.unwrap();
    let listed = store.tally_list(&here, slot).await.unwrap();
    let later = Count { slot, what: What::Attempts(Channel::Lark, "later"), count: 1 };
    assert_eq!(listed, [Count { slot, what: lark, count: 5 }, later]);
    assert!(store.tally_list(&here, slot + 1).await.unwrap().is_empty());
}

pub(crate) async fn a_message_is_counted_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.publish(&topic, "hello").await;
    bed.store.tally_write().await.unwrap();
    let listed = bed.store.tally_list(&bed.project, 0).await.unwrap();
    assert_eq!(listed.iter().map(|it| (it.what, it.count)).collect::<Vec<_>>(), [(What::Messages, 1)]);
}

pub(crate) async fn old_numbers_are_forgotten<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for _slot in 0..3 {
        bed.store.tally_add(&bed.project, What::Messages, 1);
        bed.store.tally_write().await.unwrap();
        bed.clock.advance(std::time::Duration::from_secs(300));
    }
    assert_eq!(bed.store.tally_forget(100).await.unwrap(), 0);
    bed.clock.advance(std::time::Duration::from_secs(8 * 24 * 3600 - 300));
    assert_eq!(bed.store.tally_forget(1).await.unwrap(), 1);
    assert_eq!(bed.store.tally_forget(100).await.unwrap(), 1);
    assert_eq!(bed.store.tally_forget(100).await.unwrap(), 0);
    assert_eq!(bed.home.number("SELECT count(*) FROM tally"), 1);
}
