use std::sync::Arc;

use carillon_model::message::Priority;
use carillon_store::lane::Room;

use crate::harness::{Bed, Home, robot};

pub(crate) async fn large_messages_are_read_as_far_as_there_is_room<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for number in 0..5 {
        let mut stored = bed.new_message(&topic, &"磁".repeat(400));
        if number == 4 {
            stored.message.priority = Priority::Urgent;
        }
        let recipients = bed.store.recipient_list(topic.id).await.unwrap();
        bed.store.message_publish(stored, recipients).await.unwrap();
    }
    let all = bed.store.wake().take().ready;
    let next: Vec<i64> = [4, 0, 1, 2, 3].iter().map(|at: &usize| all[*at].seq).collect();
    // Each has some 1,200 bytes.
    for (most, least, bytes, read, found) in [
        (10, 1, 1_500, 2, 5),
        (10, 1, 0, 1, 5),
        (10, 4, 1_500, 4, 5),
        (3, 1, 1_500, 2, 3),
        (3, 9, 1_500, 3, 3),
        (10, 1, 1_000_000, 5, 5),
    ] {
        let taken = bed.store.lane_take(all[0].endpoint, Room { most, least, bytes }).await.unwrap();
        let places: Vec<i64> = taken.ready.iter().map(|one| one.seq).collect();
        assert_eq!((places.as_slice(), taken.found), (&next[..read], found), "{most} {least} {bytes}");
    }
}

pub(crate) async fn lanes_that_read_the_same_message_share_it<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.subscribe(&topic, robot("fedcba9876543210")).await;
    bed.publish(&topic, "one").await;
    bed.publish(&topic, "two").await;
    let handed = bed.store.wake().take().ready;
    let mut read = Vec::new();
    for lane in [handed[0].endpoint, handed[1].endpoint] {
        read.push(bed.store.lane_take(lane, 10).await.unwrap().ready);
    }
    assert!(read[0][0].id.message == read[1][0].id.message && read[0][1].id.message == read[1][1].id.message);
    assert!(Arc::ptr_eq(&read[0][0].stored, &read[1][0].stored));
    assert!(Arc::ptr_eq(&read[0][1].stored, &read[1][1].stored));
    assert!(!Arc::ptr_eq(&read[0][0].stored, &read[0][1].stored));
}
