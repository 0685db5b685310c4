//! What happens often stays cheap, however much waits and however much is old.

use std::time::Duration;

use carillon_model::audit::Deed;
use carillon_model::delivery::DeliveryState;
use carillon_model::{Clock, Timestamp};
use carillon_store::audit::AuditFilter;
use carillon_store::glance::Steps;

use crate::harness::{Bed, Home, accepted, limited, robot, settlement, start};
use carillon_store::delivery::Ready;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many deliveries wait, and how many are old.
const MANY: i64 = 20_000;

/// Puts many old deliveries into the store that are done, each with an attempt, and many of another lane that wait.
fn fill<H: Home>(bed: &Bed<H>) {
    fill_old(bed);
    fill_waiting(bed);
    bed.home.alter("ANALYZE");
}

fn fill_old<H: Home>(bed: &Bed<H>) {
    let old = bed.clock.now().0;
    // A message of ten deliveries each; ids begin with their time, as ours do.
    bed.home.alter(&format!(
        "INSERT INTO message (id, project_id, topic_id, topic_name, content, priority, locale, deliveries, created_at, expires_at)
         WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY} / 10 - 1)
         SELECT substr(m.id, 1, 12) || substr('00000000000000000000' || n, length('' || n) + 1), m.project_id, m.topic_id,
             m.topic_name, m.content, 1, m.locale, 10, {old}, {old} FROM message m CROSS JOIN n;
         INSERT INTO delivery (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts,
             parts_done, started_at)
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10)
         SELECT m.id, n, 'gone', 'gone', 'lark', 1, 2, {old}, 2, 0, {old} FROM message m CROSS JOIN n WHERE m.deliveries = 10;
         INSERT INTO attempt (message_id, number, attempt, outcome, reason, started_at, elapsed_ms, merged)
         SELECT message_id, number, 1, 'later', 'busy', {old}, 1, 1 FROM delivery WHERE endpoint_id = 'gone'"
    ));
}

/// Puts many that wait in another lane into the store.
fn fill_waiting<H: Home>(bed: &Bed<H>) {
    let old = bed.clock.now().0;
    bed.home.alter(&format!(
        "INSERT INTO delivery (message_id, number, subscription_id, endpoint_id, channel, priority, state, due_at, attempts,
             parts_done)
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})
         SELECT 'waits', n, 'other', 'ffffffffffffffffffffffffffffffff', 'lark', 1, 0, {old}, 0, 0 FROM n"
    ));
}

pub(crate) async fn nothing_that_happens_often_reads_a_whole_table<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "first").await;
    fill(&bed);
    bed.clock.advance(DAY * 40);
    let before = bed.home.rows_scanned();
    // Often enough that a database goes over to a plan for any parameters.
    for round in 0..12 {
        let message = bed.publish(&topic, &format!("round {round}")).await;
        let ready = bed.store.wake().take().ready.pop().unwrap();
        let taken = bed.store.lane_take(ready.endpoint, 128).await.unwrap().ready;
        let ready = taken.into_iter().find(|one| one.seq == ready.seq).unwrap();
        deliver(&bed, &ready).await;
        bed.store.delivery_list(&bed.project, message, 0, 10).await.unwrap();
        bed.store.message_list(&bed.project, None, None, None, 10).await.unwrap();
        bed.store.lane_sent(ready.endpoint, bed.clock.now()).await.unwrap();
        bed.store.lane_list_since(ready.seq).await.unwrap();
        bed.store.delivery_last_start().await.unwrap();
        let forgotten =
            bed.store.message_forget(Timestamp(bed.clock.now().0 - 86_400_000), 100).await.unwrap();
        assert!(forgotten.deliveries > 0);
    }
    assert_eq!(bed.home.rows_scanned(), before);
}

/// What is read and written of a delivery that arrives with its second attempt.
async fn deliver<H: Home>(bed: &Bed<H>, ready: &Ready) {
    bed.store.delivery_open(ready).await.unwrap();
    bed.store.delivery_waiting(vec![ready.seq]).await.unwrap();
    let at = bed.tick();
    let again = settlement(ready, 1, at, limited(), DeliveryState::Pending);
    bed.store.delivery_settle(vec![start(ready, 1, at)], vec![again]).await.unwrap();
    let done = settlement(ready, 2, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(ready, 2, at)], vec![done]).await.unwrap();
}

/// How many deliveries were read so far, and entries of their indexes; 0 where the database does not count.
fn entries_read<H: Home>(bed: &Bed<H>) -> i64 {
    // A connection tells of its work when it ends, as it does by this.
    let _scanned = bed.home.rows_scanned();
    if !bed.store.is_shared() {
        return 0;
    }
    bed.home.number(
        "SELECT sum(i.idx_tup_read)::bigint + max(t.seq_tup_read) FROM pg_stat_user_tables t
         JOIN pg_stat_user_indexes i ON i.relid = t.relid WHERE t.relname = 'delivery'",
    )
}

pub(crate) async fn a_backlog_that_was_not_counted_yet_is_not_read<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "first").await;
    let first = bed.store.wake().take().ready.pop().unwrap();
    let done = settlement(&first, 1, bed.tick(), accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(Vec::new(), vec![done]).await.unwrap();
    fill_old(&bed);
    // What the database believes: nothing waits.
    bed.home.alter("ANALYZE");
    fill_waiting(&bed);
    let before = entries_read(&bed);
    for round in 0..12 {
        bed.publish(&topic, &format!("round {round}")).await;
        let ready = bed.store.wake().take().ready.pop().unwrap();
        deliver(&bed, &ready).await;
        bed.store.lane_list_since(ready.seq - 1).await.unwrap();
    }
    let read = entries_read(&bed) - before;
    assert!(read < 1_000, "{read} entries of its indexes were read");
}

pub(crate) async fn a_list_reads_little_more_than_it_shows<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (busy, quiet) = (bed.topic("busy").await, bed.topic("quiet").await);
    let first = bed.publish(&busy, "first").await;
    fill(&bed);
    bed.home.alter(&format!(
        "INSERT INTO audit (id, project_id, account_id, account_name, credential, deed, what, detail, created_at)
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})
         SELECT substr('00000000000000000000000000000000' || n, length('' || n) + 1), '{}', 'a', 'a', 'a', 'topic.create',
             'other', '', 0 FROM n; ANALYZE",
        bed.project
    ));
    bed.clock.advance(DAY);
    let only = bed.publish(&quiet, "only").await;
    let account = bed.account().await;
    let of = |name: &str| AuditFilter { what: Some(name.to_owned()), ..AuditFilter::default() };
    let before = bed.home.rows_read();
    for _round in 0..12 {
        let listed =
            bed.store.message_list(&bed.project, Some("quiet".to_owned()), None, None, 10).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.message.message.id).collect::<Vec<_>>(), [only]);
        let none =
            bed.store.message_list(&bed.project, Some("none".to_owned()), None, None, 10).await.unwrap();
        assert!(none.is_empty());
        // A page from the far end of the list.
        let old = bed.store.message_list(&bed.project, None, None, Some(first), 10).await.unwrap();
        assert!(old.len() <= 10);
        assert!(bed.store.audit_list(&bed.project, of("none"), None, 10).await.unwrap().is_empty());
        let by = AuditFilter { account_name: Some("nobody".to_owned()), ..AuditFilter::default() };
        assert!(bed.store.audit_list(&bed.project, by, None, 10).await.unwrap().is_empty());
        let done = AuditFilter { deed: Some(Deed::KeyDelete), ..AuditFilter::default() };
        let both = AuditFilter { account_name: Some("a".to_owned()), ..done.clone() };
        assert!(bed.store.audit_list(&bed.project, both, None, 10).await.unwrap().is_empty());
        assert!(bed.store.audit_list(&bed.project, done, None, 10).await.unwrap().is_empty());
        let own = bed.store.message_list(&bed.project, None, Some(account), None, 10).await.unwrap();
        assert!(own.is_empty(), "it published nothing");
        let steps = Steps { since: Timestamp(bed.clock.now().0 - 7_200_000), step_ms: 1_800_000, count: 4 };
        let topics = vec![(busy.id, busy.name.clone()), (quiet.id, quiet.name.clone())];
        assert_eq!(bed.store.topic_glance(&bed.project, topics, steps).await.unwrap().len(), 2);
    }
    let read = bed.home.rows_read() - before;
    assert!(read < 500, "{read} rows were read");
}

pub(crate) async fn publishing_goes_on_while_much_is_forgotten<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.publish(&topic, "first").await;
    fill(&bed);
    bed.clock.advance(DAY * 40);
    let before = Timestamp(bed.clock.now().0 - 86_400_000);
    // Beside each batch goes a publish: a batch that kept it out beyond its own end would never let this end.
    let mut batches = 0;
    loop {
        let forget = bed.store.message_forget(before, 500);
        let (forgotten, _message) = tokio::join!(forget, bed.publish(&topic, "meanwhile"));
        let forgotten = forgotten.unwrap();
        assert!(forgotten.messages + forgotten.deliveries + forgotten.attempts <= 500, "{forgotten:?}");
        if forgotten.is_nothing() {
            break;
        }
        batches += 1;
    }
    // What is forgotten is what was old, and nothing of it took a batch that is larger than it says.
    let rows = MANY * 2 + MANY / 10;
    assert!(batches >= rows / 500, "{batches} batches");
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery WHERE endpoint_id = 'gone'"), 0);
    assert_eq!(bed.home.number("SELECT count(*) FROM message WHERE deliveries = 10"), 0);
    let published = format!("SELECT count(*) FROM message WHERE created_at > {}", before.0);
    let published = bed.home.number(&published);
    assert_eq!(published, batches + 1, "every publish beside a batch is there");
}
