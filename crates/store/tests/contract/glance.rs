//! Topics at a glance: who is subscribed, how much was published lately.

use std::time::Duration;

use carillon_model::{Clock, Timestamp};
use carillon_store::glance::{Glance, RECENT_MAX, Steps};

use crate::harness::{Bed, Home, robot};

const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn topics_are_told_in_the_order_asked_for<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (busy, quiet) = (bed.topic("busy").await, bed.topic("quiet").await);
    bed.subscribe(&busy, robot("0123456789abcdef")).await;
    bed.subscribe(&busy, robot("fedcba9876543210")).await;
    let since = Timestamp(bed.clock.now().0.div_euclid(HOUR_MS) * HOUR_MS);
    let steps = Steps { since, step_ms: HOUR_MS, count: 3 };
    bed.publish(&busy, "first").await;
    bed.clock.advance(Duration::from_millis(2 * HOUR_MS.unsigned_abs()));
    bed.publish(&busy, "second").await;
    bed.publish(&busy, "third").await;
    let last = Some(bed.clock.now());
    let asked = vec![(quiet.id, quiet.name.clone()), (busy.id, busy.name.clone())];
    let told = bed.store.topic_glance(&bed.project, asked.clone(), steps).await.unwrap();
    let nothing = Glance { topic: quiet.id, subscriptions: vec![], recent: vec![0, 0, 0], last: None };
    let subscriptions = vec![(told[1].subscriptions[0].0.clone(), 2)];
    let much = Glance { topic: busy.id, subscriptions, recent: vec![1, 0, 2], last };
    assert_eq!(told, [nothing, much]);
    // Another project's messages of that name are not told, and an older message is the latest all the same.
    let elsewhere = bed.store.topic_glance(&bed.foreign(), asked.clone(), steps).await.unwrap();
    assert_eq!((elsewhere[1].last, elsewhere[1].recent.iter().sum()), (None, 0_u64));
    let later = Steps { since: Timestamp(since.0 + 3 * HOUR_MS), ..steps };
    let told = bed.store.topic_glance(&bed.project, asked, later).await.unwrap();
    assert_eq!((told[1].last, told[1].recent.iter().sum()), (last, 0_u64));
}

pub(crate) async fn no_more_messages_are_counted_than_needed<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("busy").await;
    bed.publish(&topic, "first").await;
    bed.home.alter(&format!(
        "INSERT INTO message (id, project_id, topic_id, topic_name, content, priority, locale, deliveries, created_at, expires_at)
         WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {})
         SELECT substr(m.id, 1, 12) || substr('00000000000000000000' || n, length('' || n) + 1), m.project_id, m.topic_id,
             m.topic_name, m.content, 1, m.locale, 0, m.created_at, m.expires_at FROM message m CROSS JOIN n",
        RECENT_MAX * 2
    ));
    if !bed.store.is_shared() {
        // Their ids are before the mark.
        let sql = "INSERT INTO topic_message SELECT project_id, topic_name, id FROM message WHERE true ON CONFLICT DO NOTHING";
        bed.home.alter(sql);
    }
    let steps = Steps { since: Timestamp(bed.clock.now().0 - HOUR_MS), step_ms: 2 * HOUR_MS, count: 1 };
    let told = bed.store.topic_glance(&bed.project, vec![(topic.id, topic.name)], steps).await.unwrap();
    assert_eq!(told[0].recent, [RECENT_MAX]);
}
