use std::time::Duration;

use carillon_model::Clock;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::ProjectId;
use carillon_model::outcome::Reason;
use carillon_store::delivery::Opened;
use carillon_store::pick::{DeliveryFilter, Moved, Portion};
use carillon_store::wake::Dropped;

use crate::harness::{Bed, Home, limited, robot, settlement, start};
use crate::resend::end;

fn everything(limit: u64) -> Portion {
    Portion { filter: DeliveryFilter::default(), cursor: None, limit }
}

pub(crate) async fn what_waits_is_cancelled_and_not_opened<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let open = async || bed.store.delivery_open(&ready).await.unwrap();
    assert_eq!(open().await, Opened::Target(robot("0123456789abcdef").into()));
    let elsewhere = ProjectId::parse("elsewhere").unwrap();
    assert_eq!(bed.store.delivery_cancel(&elsewhere, ready.id).await.unwrap(), Moved::NotThere);
    assert_eq!(bed.store.delivery_cancel(&bed.project, ready.id).await.unwrap(), Moved::Done);
    assert_eq!(open().await, Opened::Ended);
    assert_eq!(bed.state(ready.id).await, DeliveryState::Cancelled);
    assert!(bed.store.lane_take(ready.endpoint, 10).await.unwrap().ready.is_empty());
    let dropped = Dropped { endpoint: ready.endpoint, seq: ready.seq };
    assert_eq!(bed.store.wake().take().cancelled, [dropped], "the engine is told");
    let again = bed.store.delivery_cancel(&bed.project, ready.id).await.unwrap();
    assert_eq!(again, Moved::Refused(DeliveryState::Cancelled));
}

pub(crate) async fn one_resent_after_its_cancel_is_opened_in_its_new_place_only<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    bed.store.delivery_cancel(&bed.project, ready.id).await.unwrap();
    let life = Duration::from_secs(60);
    assert_eq!(bed.store.delivery_resend(&bed.project, ready.id, life).await.unwrap(), Moved::Done);
    let again = bed.store.lane_take(ready.endpoint, 10).await.unwrap().ready.remove(0);
    assert_eq!(bed.store.delivery_open(&ready).await.unwrap(), Opened::Ended);
    assert_eq!(
        bed.store.delivery_open(&again).await.unwrap(),
        Opened::Target(robot("0123456789abcdef").into())
    );
}

pub(crate) async fn one_without_its_subscription_has_no_target<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    bed.store.delivery_settle(vec![start(&ready, 1, bed.tick())], Vec::new()).await.unwrap();
    bed.store.topic_delete(&bed.project, &ready.stored.topic_name).await.unwrap();
    let opened = bed.store.delivery_open(&ready).await.unwrap();
    assert_eq!(opened, Opened::NoTarget);
}

pub(crate) async fn many_are_looked_at_together<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.subscribe(&db, robot("0123456789abcdee")).await;
    for text in ["a", "b", "c"] {
        bed.publish(&ops, text).await;
    }
    bed.publish(&db, "d").await;
    let ready = bed.store.wake().take().ready;
    bed.store.delivery_cancel(&bed.project, ready[1].id).await.unwrap();
    end(&bed, &ready[2], DeliveryState::Failed, Reason::Content).await;
    bed.store.delivery_settle(vec![start(&ready[3], 1, bed.tick())], Vec::new()).await.unwrap();
    bed.store.topic_delete(&bed.project, &db.name).await.unwrap();
    let seqs = ready.iter().map(|one| one.seq).collect();
    assert_eq!(bed.store.delivery_waiting(seqs).await.unwrap(), [ready[0].seq]);
    assert!(bed.store.delivery_waiting(Vec::new()).await.unwrap().is_empty());
}

pub(crate) async fn only_what_waits_is_cancelled<H: Home>() {
    use DeliveryState as S;
    for state in [S::Sending, S::Delivered, S::Failed, S::Expired] {
        let bed = Bed::<H>::fresh().await;
        let ready = bed.one_ready().await;
        if state == S::Sending {
            bed.store.delivery_settle(vec![start(&ready, 1, bed.tick())], Vec::new()).await.unwrap();
        } else {
            end(&bed, &ready, state, Reason::Content).await;
        }
        let refused = bed.store.delivery_cancel(&bed.project, ready.id).await.unwrap();
        assert_eq!(refused, Moved::Refused(state));
        let done = bed.store.delivery_cancel_all(&bed.project, everything(10)).await.unwrap();
        assert_eq!((done.moved, done.next), (0, None));
        assert_eq!(bed.state(ready.id).await, state);
    }
}

pub(crate) async fn a_cancel_filter_goes_in_portions<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.subscribe(&db, robot("0123456789abcdee")).await;
    let mut of_ops = Vec::new();
    for index in 0..5 {
        of_ops.push(bed.publish(&ops, &format!("message {index}")).await);
        bed.publish(&db, "kept").await;
    }
    let name = Some(ops.name.as_str().to_owned());
    let mut portion =
        Portion { filter: DeliveryFilter { topic_name: name, ..DeliveryFilter::default() }, ..everything(2) };
    let mut moved = Vec::new();
    loop {
        let done = bed.store.delivery_cancel_all(&bed.project, portion.clone()).await.unwrap();
        moved.push(done.moved);
        portion.cursor = done.next;
        if done.next.is_none() {
            break;
        }
    }
    assert_eq!(moved, [2, 2, 1]);
    assert_eq!(bed.store.wake().take().cancelled.len(), 5);
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery WHERE state = 0"), 5);
    let filter = DeliveryFilter { message: Some(of_ops[0]), ..DeliveryFilter::default() };
    let one = bed.store.delivery_cancel_all(&bed.project, Portion { filter, ..everything(2) }).await.unwrap();
    assert_eq!((one.moved, one.next), (0, None));
}

pub(crate) async fn an_attempt_that_had_begun_is_counted<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    bed.store.delivery_cancel(&bed.project, ready.id).await.unwrap();
    let late = settlement(&ready, 1, bed.clock.now(), limited(), DeliveryState::Pending);
    bed.store.delivery_settle(Vec::new(), vec![late]).await.unwrap();
    assert_eq!(bed.state(ready.id).await, DeliveryState::Cancelled);
    bed.store.delivery_resend(&bed.project, ready.id, Duration::from_secs(60)).await.unwrap();
    let again = bed.store.lane_take(ready.endpoint, 10).await.unwrap().ready.remove(0);
    assert_eq!((again.attempts, again.attempts_before), (1, 1), "the next attempt is the second");
}
