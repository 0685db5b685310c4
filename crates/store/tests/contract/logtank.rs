//! Log tanks, and what the delivery log says.

use carillon_model::delivery::DeliveryState;
use carillon_model::limits;

use crate::harness::{Bed, Home, robot};

pub(crate) async fn tanks_belong_to_their_topic<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let now = bed.tick();
    let id = bed.store.logtank_add(ops.id, "g".to_owned(), "s".to_owned()).await.unwrap().unwrap();
    let listed = bed.store.logtank_list(ops.id).await.unwrap();
    assert_eq!((listed.len(), listed[0].id, listed[0].created_at), (1, id, now));
    assert!(bed.store.logtank_list(db.id).await.unwrap().is_empty());
    let later = bed.tick();
    let changed =
        bed.store.logtank_change(ops.id, id, "h".to_owned(), "t".to_owned()).await.unwrap().unwrap();
    assert_eq!((changed.group.as_str(), changed.stream.as_str(), changed.updated_at), ("h", "t", later));
    assert!(bed.store.logtank_change(db.id, id, "x".to_owned(), "x".to_owned()).await.unwrap().is_none());
    assert!(!bed.store.logtank_delete(db.id, id).await.unwrap());
    for _more in 1..limits::LOGTANKS_MAX {
        bed.tick();
        assert!(bed.store.logtank_add(ops.id, "g".to_owned(), "s".to_owned()).await.unwrap().is_some());
    }
    assert!(bed.store.logtank_add(ops.id, "g".to_owned(), "s".to_owned()).await.unwrap().is_none());
    assert!(bed.store.logtank_delete(ops.id, id).await.unwrap());
    assert!(!bed.store.logtank_delete(ops.id, id).await.unwrap());
    assert!(bed.store.topic_delete(&bed.project, &ops.name).await.unwrap());
    assert!(bed.store.logtank_list(ops.id).await.unwrap().is_empty());
    assert!(bed.store.logtank_add(ops.id, "g".to_owned(), "s".to_owned()).await.unwrap().is_none());
}

pub(crate) async fn only_deliveries_of_topics_with_tanks_are_logged<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, quiet) = (bed.topic("ops").await, bed.topic("quiet").await);
    for group in ["one", "two"] {
        bed.tick();
        bed.store.logtank_add(ops.id, group.to_owned(), "s".to_owned()).await.unwrap().unwrap();
    }
    let id = bed.subscribe(&ops, robot("0123456789abcdef0123456789abcdef")).await;
    bed.subscribe(&quiet, robot("ffffffffffffffffffffffffffffffff")).await;
    let mut seqs = Vec::new();
    for topic in [&ops, &quiet] {
        bed.publish(topic, "hello").await;
        let ready = bed.store.wake().take().ready;
        assert_eq!(ready.len(), 1);
        seqs.extend(ready.iter().map(|one| one.seq));
        assert_eq!(bed.state(ready[0].id).await, DeliveryState::Pending);
    }
    let logged = bed.store.logged_deliveries(seqs.clone()).await.unwrap();
    let groups: Vec<&str> = logged.iter().map(|one| one.group.as_str()).collect();
    assert_eq!(groups, ["one", "two"]);
    let one = &logged[0];
    assert_eq!((one.seq, one.subscription, one.topic_name.as_str()), (seqs[0], id, "ops"));
    assert!(one.endpoint_masked.starts_with("https://") && !one.endpoint_masked.contains("0123456789"));
    // What is left of a subscription that is gone.
    bed.store.subscription_delete(vec![(ops.id, id)]).await.unwrap();
    let logged = bed.store.logged_deliveries(seqs).await.unwrap();
    assert_eq!(
        (logged.len(), logged[0].endpoint_masked.as_str(), logged[0].protocol.as_str()),
        (2, "", "lark")
    );
}
