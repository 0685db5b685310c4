//! What waits when the engine stops.

use carillon_engine::Settings;
use carillon_model::delivery::DeliveryState as S;
use carillon_model::id::DeliveryId;
use carillon_simulator::Act;

use crate::harness::{Bed, KEY, OTHER_KEY, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_place_at_the_stop_begins_no_attempt() {
    let bed = Bed::fresh().await;
    bed.subscribe_another().await;
    for robot in [KEY, OTHER_KEY] {
        bed.far.script(robot, Act::Slow { ms: 300 }, None);
    }
    let first = bed.publish("to both").await;
    let both = [first, DeliveryId::new(first.message, 2)];
    let engine = bed.start(Settings { attempts_at_once: 1, ..Settings::default() }).await;
    bed.numbers_show("carillon_deliveries_sending 1").await;
    assert!(engine.drain(PATIENCE).await);
    let mut ends = Vec::new();
    for id in both {
        let record = bed.find(id).await;
        ends.push((record.state, record.attempts.len()));
    }
    ends.sort_by_key(|(_state, attempts)| *attempts);
    assert_eq!(
        ends,
        [(S::Pending, 0), (S::Delivered, 1)],
        "the one under way ended, the other did not begin"
    );
    assert_eq!(bed.far.received().len(), 1);
}
