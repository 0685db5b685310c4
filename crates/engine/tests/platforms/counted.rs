//! What operators read as settled is written down.

use std::time::Duration;

use carillon_model::Channel;
use carillon_model::message::Priority;
use carillon_simulator::Simulator;
use tokio::time::sleep;

use crate::bed::Bed;

#[tokio::test(start_paused = true)]
async fn what_arrived_is_counted_as_settled_when_that_is_written_down() {
    let bed = Bed::new(Simulator::new()).await;
    bed.subscribe(Channel::Https, "https://hooks.example.com/hook/good").await;
    // The first one has the engine read what it needs to send.
    bed.publish("One", "one;".to_owned(), Priority::Normal).await;
    bed.until("the first", async || (bed.counted("delivered") == 1).then_some(())).await;
    bed.publish("Two", "two;".to_owned(), Priority::Normal).await;
    while bed.far.received().len() < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    // Its answer is on the way.
    bed.disk_is_full(true);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bed.counted("delivered"), 1, "it arrived, and nothing says so on the disk");
    bed.disk_is_full(false);
    bed.until("its record", async || (bed.counted("delivered") == 2).then_some(())).await;
    assert_eq!(bed.far.received().len(), 2, "nothing was sent again");
    bed.end().await;
}
