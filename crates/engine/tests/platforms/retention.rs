//! What is old is forgotten in small batches, and what is published meanwhile passes between them.

use std::time::Duration;

use carillon_model::message::Priority;
use carillon_model::{Channel, Clock};
use carillon_simulator::Simulator;
use tokio::time::sleep;

use crate::bed::{Bed, MINUTE};

const DAY: i64 = 24 * 60 * MINUTE;
const OLD: usize = 5_000;
/// The longest from publishing to the far end, in milliseconds: there, and a commit or two.
const LATE: i64 = 100;

#[tokio::test(start_paused = true)]
async fn what_is_published_while_old_messages_are_forgotten_goes_at_once() {
    let mut bed = Bed::new(Simulator::new()).await;
    bed.subscribe(Channel::Https, "https://hooks.example.com/hook/good").await;
    let last = bed.publish_to_nobody((0..OLD).map(|number| format!("old {number};"))).await;
    bed.settings.keep = Some(Duration::from_secs(30 * 24 * 3_600));
    bed.wall.set_by(31 * DAY);
    bed.restart().await;
    let project = bed.topic.project.clone();
    let mut number = 0;
    // The newest of the old is the last to go.
    while bed.store.message_find(&project, last).await.unwrap().is_some() {
        let young = bed.publish("Young", format!("young {number};"), Priority::Normal).await;
        let published = bed.wall.now();
        while bed.state(young).await != "delivered" {
            sleep(Duration::from_millis(1)).await;
        }
        let took = bed.wall.now().since(published).as_millis();
        assert!(i64::try_from(took).unwrap() <= LATE, "young {number} took {took} ms");
        number += 1;
        assert!(number < 10_000, "the old ones are not forgotten");
    }
    assert!(number > 5, "only {number} were published while the old ones were forgotten");
    assert_eq!(bed.far.received().len(), number, "every message came once");
    bed.end().await;
}
