//! What a person asks for while the engine runs: send again, cancel.

use std::time::Duration;

use carillon_model::delivery::DeliveryState as S;
use carillon_simulator::Act;
use carillon_store::pick::{DeliveryFilter, Moved, Portion};

use crate::harness::{Bed, KEY, PATIENCE, tries};

const HOUR: Duration = Duration::from_secs(3600);

fn refuse() -> Act {
    Act::Code { code: "40008".to_owned(), text: "invalid message type".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_delivery_goes_behind_what_waits() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(3)).await;
    bed.far.script(KEY, refuse(), Some(1));
    let first = bed.publish("first").await;
    bed.stands(first, S::Failed).await;
    bed.far.script(KEY, Act::Slow { ms: 2_000 }, Some(1));
    let second = bed.publish("second").await;
    bed.stands(second, S::Sending).await;
    bed.publish("third").await;
    assert_eq!(bed.store.delivery_resend(&bed.project, first, HOUR).await.unwrap(), Moved::Done);
    bed.publish("fourth").await;
    assert_eq!(bed.shown(4).await, ["second", "third", "first", "fourth"]);
    let record = bed.stands(first, S::Delivered).await;
    let told: Vec<_> = record.attempts.iter().map(|one| (one.number, one.outcome.as_str())).collect();
    assert_eq!(told, [(1, "refused"), (2, "accepted")]);
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_resent_at_once_go_in_their_order_and_once_each() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(3)).await;
    bed.far.script(KEY, refuse(), Some(4));
    let texts = ["a", "b", "c", "d"];
    for text in texts {
        let id = bed.publish(text).await;
        bed.stands(id, S::Failed).await;
    }
    let portion = Portion { filter: DeliveryFilter::default(), cursor: None, limit: 100 };
    let done = bed.store.delivery_resend_all(&bed.project, portion.clone(), HOUR).await.unwrap();
    assert_eq!((done.moved, done.next), (4, None));
    let again = bed.store.delivery_resend_all(&bed.project, portion, HOUR).await.unwrap();
    assert_eq!(again.moved, 0, "what waits again is not resent again");
    assert_eq!(bed.shown(4).await, texts);
    assert!(engine.drain(PATIENCE).await);
    assert_eq!(bed.far.received().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_delivery_is_tried_as_often_as_a_new_one() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(2)).await;
    bed.far.script(KEY, Act::Gone, Some(3));
    let id = bed.publish("stubborn").await;
    bed.until(id, |record| record.attempts.len() == 1).await;
    bed.clock.advance(Duration::from_secs(60));
    let failed = bed.stands(id, S::Failed).await;
    assert_eq!(failed.attempts.len(), 2);
    bed.store.delivery_resend(&bed.project, id, HOUR).await.unwrap();
    bed.until(id, |record| record.attempts.len() == 3).await;
    bed.clock.advance(Duration::from_secs(60));
    let arrived = bed.stands(id, S::Delivered).await;
    let numbers: Vec<_> = arrived.attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_past_its_time_to_live_lives_again_when_resent() {
    let bed = Bed::fresh().await;
    let id = bed.publish("late").await;
    bed.clock.advance(HOUR * 2);
    let engine = bed.start(tries(2)).await;
    bed.stands(id, S::Expired).await;
    assert!(bed.far.received().is_empty());
    bed.store.delivery_resend(&bed.project, id, HOUR).await.unwrap();
    assert_eq!(bed.shown(1).await, ["late"]);
    bed.stands(id, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_resent_is_sent_after_a_restart() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(2)).await;
    bed.far.script(KEY, refuse(), Some(1));
    let id = bed.publish("again").await;
    bed.stands(id, S::Failed).await;
    assert!(engine.drain(PATIENCE).await);
    bed.store.delivery_resend(&bed.project, id, HOUR).await.unwrap();
    let engine = bed.start(tries(2)).await;
    bed.stands(id, S::Delivered).await;
    assert!(engine.drain(PATIENCE).await);
    assert_eq!(bed.far.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_in_the_queue_is_never_sent() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(3)).await;
    bed.far.script(KEY, Act::Slow { ms: 2_000 }, Some(1));
    let first = bed.publish("first").await;
    let second = bed.publish("second").await;
    bed.publish("third").await;
    bed.stands(first, S::Sending).await;
    let refused = bed.store.delivery_cancel(&bed.project, first).await.unwrap();
    assert_eq!(refused, Moved::Refused(S::Sending));
    assert_eq!(bed.store.delivery_cancel(&bed.project, second).await.unwrap(), Moved::Done);
    assert_eq!(bed.shown(2).await, ["first", "third"]);
    assert!(engine.drain(PATIENCE).await);
    assert_eq!(bed.far.received().len(), 2);
    let record = bed.find(second).await;
    assert_eq!((record.state, record.attempts.len()), (S::Cancelled, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_delivery_that_waits_for_its_next_try_holds_nobody_up() {
    let bed = Bed::fresh().await;
    let engine = bed.start(tries(3)).await;
    bed.far.script(KEY, Act::Gone, Some(1));
    let first = bed.publish("first").await;
    bed.until(first, |record| record.attempts.len() == 1 && record.state == S::Pending).await;
    bed.publish("second").await;
    assert_eq!(bed.store.delivery_cancel(&bed.project, first).await.unwrap(), Moved::Done);
    // The clock stands, so that the first one's next try never comes.
    assert_eq!(bed.shown(1).await, ["second"]);
    assert!(engine.drain(PATIENCE).await);
    assert_eq!(bed.find(first).await.state, S::Cancelled);
}
