use std::time::Duration;

use carillon_model::Clock;
use carillon_model::delivery::DeliveryState;
use carillon_model::message::Priority;
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_store::delivery::{Ready, Settlement, Start};

use crate::harness::{Bed, Home, accepted, limited, robot, settlement, start};

const ATTEMPTS: &str = "SELECT count(*) FROM attempt";

/// A delivery whose first attempt is under way.
async fn sending<H: Home>(bed: &Bed<H>) -> Ready {
    let ready = bed.one_ready().await;
    let at = bed.tick();
    bed.store.delivery_settle(vec![start(&ready, 1, at)], Vec::new()).await.unwrap();
    assert_eq!(bed.state(ready.id).await, DeliveryState::Sending);
    ready
}

async fn settle<H: Home>(bed: &Bed<H>, settlement: &Settlement) {
    bed.store.delivery_settle(Vec::new(), vec![settlement.clone()]).await.unwrap();
}

/// Cancels the delivery as the removal of its topic does.
async fn cancel<H: Home>(bed: &Bed<H>, ready: &Ready) {
    assert!(bed.store.topic_delete(&bed.project, &ready.stored.topic_name).await.unwrap());
}

/// What waits in the delivery's lane.
async fn waiting<H: Home>(bed: &Bed<H>, ready: &Ready) -> Vec<Ready> {
    bed.store.lane_take(ready.endpoint, 100).await.unwrap().ready
}

pub(crate) async fn a_lane_is_taken_in_order_and_in_portions<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.subscribe(&db, robot("0123456789abcdee")).await;
    bed.subscribe(&db, robot("0123456789abcdef")).await;
    for index in 0..10 {
        let topic = if index % 2 == 0 { &ops } else { &db };
        bed.publish(topic, &format!("message {index}")).await;
    }
    let handed = bed.store.wake().take().ready;
    let lane = handed[0].endpoint;
    let wanted: Vec<_> = handed.iter().filter(|one| one.endpoint == lane).map(|one| one.seq).collect();
    assert_eq!(wanted.len(), 10);
    let mut taken: Vec<Ready> = Vec::new();
    for size in [3, 3, 3, 1, 0] {
        let portion = bed.store.lane_take(lane, 3).await.unwrap().ready;
        assert_eq!(portion.len(), size);
        let at = bed.tick();
        let done = portion
            .iter()
            .map(|one| settlement(one, 1, at, accepted(), DeliveryState::Delivered))
            .collect::<Vec<_>>();
        bed.store.delivery_settle(Vec::new(), done).await.unwrap();
        taken.extend(portion);
    }
    assert_eq!(taken.iter().map(|one| one.seq).collect::<Vec<_>>(), wanted);
    assert!(bed.store.lane_take(lane, 0).await.unwrap().ready.is_empty());
    let mut lanes = bed.store.lane_list().await.unwrap();
    lanes.sort();
    let mut endpoints: Vec<_> = handed.iter().map(|one| one.endpoint).collect();
    endpoints.sort();
    endpoints.dedup();
    endpoints.retain(|endpoint| *endpoint != lane);
    assert_eq!(lanes, endpoints);
}

pub(crate) async fn the_latest_start_is_remembered<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    assert_eq!(bed.store.delivery_last_start().await.unwrap(), None);
    let ready = bed.one_ready().await;
    let at = bed.tick();
    bed.store.delivery_settle(vec![start(&ready, 1, at)], Vec::new()).await.unwrap();
    assert_eq!(bed.store.delivery_last_start().await.unwrap(), Some(at));
}

pub(crate) async fn urgent_ones_are_taken_first<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for index in 0..6 {
        let mut stored = bed.new_message(&topic, &format!("message {index}"));
        if index % 3 == 2 {
            stored.message.priority = Priority::Urgent;
        }
        let recipients = bed.store.recipient_list(topic.id).await.unwrap();
        bed.store.message_publish(stored, recipients).await.unwrap();
    }
    let handed = bed.store.wake().take().ready;
    let taken = bed.store.lane_take(handed[0].endpoint, 4).await.unwrap().ready;
    let wanted: Vec<i64> = [2, 5, 0, 1].iter().map(|index| handed[*index].seq).collect();
    assert_eq!(taken.iter().map(|one| one.seq).collect::<Vec<_>>(), wanted);
}

pub(crate) async fn a_lane_holds_only_what_is_not_final<H: Home>() {
    use DeliveryState as S;
    for state in DeliveryState::ALL {
        let bed = Bed::<H>::fresh().await;
        let tried = matches!(state, S::Sending | S::Delivered | S::Failed);
        let ready = if tried { sending(&bed).await } else { bed.one_ready().await };
        let verdict = if state == S::Delivered { accepted() } else { limited() };
        let mut end = settlement(&ready, 1, bed.clock.now(), verdict, state);
        end.attempt = end.attempt.filter(|_attempt| tried);
        if state.is_final() {
            settle(&bed, &end).await;
        }
        assert_eq!(bed.state(ready.id).await, state);
        assert_eq!(waiting(&bed, &ready).await.len(), usize::from(!state.is_final()), "{state:?}");
        assert_eq!(bed.store.lane_list().await.unwrap().len(), usize::from(!state.is_final()));
    }
}

pub(crate) async fn a_first_success_costs_no_row_and_is_shown<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let at = bed.tick();
    let done = settlement(&ready, 1, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&ready, 1, at)], vec![done]).await.unwrap();
    assert_eq!(bed.home.number(ATTEMPTS), 0);
    let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert_eq!(shown.state, DeliveryState::Delivered);
    let [attempt] = shown.attempts.as_slice() else { panic!("{shown:?}") };
    assert_eq!((attempt.number, attempt.outcome.as_str(), attempt.reason), (1, "accepted", Reason::Ok));
    assert_eq!((attempt.started_at, attempt.elapsed_ms), (at, 42));
    assert_eq!(attempt.platform_code.as_deref(), Some("0"));
    assert_eq!(attempt.platform_text.as_deref(), Some("success"));
}

pub(crate) async fn a_postponed_one_waits_with_all_it_knows<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    let due_at = bed.clock.now().plus(Duration::from_secs(60));
    let later = settlement(&ready, 1, bed.clock.now(), limited(), DeliveryState::Pending);
    settle(&bed, &Settlement { due_at, parts_done: 2, ..later }).await;
    let waits = waiting(&bed, &ready).await;
    let [waits] = waits.as_slice() else { panic!("{waits:?}") };
    assert_eq!((waits.seq, waits.id, waits.subscription), (ready.seq, ready.id, ready.subscription));
    assert_eq!((waits.attempts, waits.parts_done, waits.due_at), (1, 2, due_at));
    assert_eq!(waits.stored, ready.stored);
    assert_eq!(bed.home.number(ATTEMPTS), 1);
    let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.due_at), (DeliveryState::Pending, due_at));
    assert_eq!(
        (shown.attempts[0].outcome.as_str(), shown.attempts[0].reason),
        ("later", Reason::RateLimited)
    );
    assert_eq!(shown.attempts[0].platform_text.as_deref(), Some("太频繁"));
    assert!(bed.store.wake().take().ready.is_empty(), "only new ones are handed over");
}

pub(crate) async fn a_second_success_has_both_attempts<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    let unknown = Verdict::plain(Outcome::Unknown, Reason::Timeout);
    let first = bed.clock.now();
    settle(&bed, &settlement(&ready, 1, first, unknown, DeliveryState::Pending)).await;
    let second = bed.tick();
    let done = settlement(&ready, 2, second, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&ready, 2, second)], vec![done]).await.unwrap();
    let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert_eq!(shown.state, DeliveryState::Delivered);
    let told: Vec<_> =
        shown.attempts.iter().map(|one| (one.number, one.outcome.as_str(), one.started_at)).collect();
    assert_eq!(told, [(1, "unknown", first), (2, "accepted", second)]);
}

pub(crate) async fn an_end_without_an_attempt_leaves_none<H: Home>() {
    for state in [DeliveryState::Expired, DeliveryState::Cancelled] {
        let bed = Bed::<H>::fresh().await;
        let ready = bed.one_ready().await;
        let ended = settlement(&ready, 1, bed.clock.now(), accepted(), state);
        settle(&bed, &Settlement { attempt: None, ..ended }).await;
        let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
        assert_eq!(shown.state, state);
        assert!(shown.attempts.is_empty());
        assert!(waiting(&bed, &ready).await.is_empty());
    }
}

pub(crate) async fn a_cancelled_one_stays_so_unless_it_arrived<H: Home>() {
    let postponed = (limited(), DeliveryState::Pending, DeliveryState::Cancelled);
    let refused = Verdict::plain(Outcome::Refused, Reason::Content);
    let refused = (refused, DeliveryState::Failed, DeliveryState::Cancelled);
    let arrived = (accepted(), DeliveryState::Delivered, DeliveryState::Delivered);
    for (verdict, state, wanted) in [postponed, refused, arrived] {
        let bed = Bed::<H>::fresh().await;
        let ready = bed.one_ready().await;
        cancel(&bed, &ready).await;
        assert_eq!(bed.state(ready.id).await, DeliveryState::Cancelled);
        let at = bed.tick();
        let late = settlement(&ready, 1, at, verdict, state);
        bed.store.delivery_settle(vec![start(&ready, 1, at)], vec![late]).await.unwrap();
        let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
        assert_eq!(shown.state, wanted);
        assert_eq!(shown.attempts.len(), 1, "what was tried is told");
        assert!(waiting(&bed, &ready).await.is_empty());
    }
}

pub(crate) async fn one_under_way_ends_when_its_subscription_is_gone<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    cancel(&bed, &ready).await;
    assert_eq!(bed.state(ready.id).await, DeliveryState::Sending);
    assert_eq!(bed.store.target_open(ready.subscription).await.unwrap(), None);
    settle(&bed, &settlement(&ready, 1, bed.clock.now(), accepted(), DeliveryState::Delivered)).await;
    assert_eq!(bed.state(ready.id).await, DeliveryState::Delivered);
}

pub(crate) async fn settling_twice_is_harmless<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    let at = bed.clock.now();
    let refused = Verdict::plain(Outcome::Refused, Reason::Content);
    let failed = settlement(&ready, 1, at, refused, DeliveryState::Failed);
    bed.store.delivery_settle(Vec::new(), vec![failed.clone(), failed.clone()]).await.unwrap();
    settle(&bed, &failed).await;
    let before = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert_eq!((before.state, before.attempts.len()), (DeliveryState::Failed, 1));

    let contrary = settlement(&ready, 1, at, accepted(), DeliveryState::Delivered);
    settle(&bed, &contrary).await;
    bed.store.delivery_settle(vec![start(&ready, 2, bed.tick())], Vec::new()).await.unwrap();
    assert_eq!(bed.store.delivery_find(&bed.project, ready.id).await.unwrap(), Some(before));
}

pub(crate) async fn settling_an_earlier_attempt_again_is_harmless<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    let later = settlement(&ready, 1, bed.clock.now(), limited(), DeliveryState::Pending);
    settle(&bed, &later).await;
    bed.store.delivery_settle(vec![start(&ready, 2, bed.tick())], Vec::new()).await.unwrap();
    settle(&bed, &later).await;
    assert_eq!(bed.state(ready.id).await, DeliveryState::Sending, "the second attempt is under way");
    assert_eq!(waiting(&bed, &ready).await[0].attempts, 2);
}

pub(crate) async fn a_place_that_is_not_there_changes_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let nowhere = Ready { seq: ready.seq + 1, ..ready.clone() };
    let at = bed.tick();
    let done = settlement(&nowhere, 1, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&nowhere, 1, at)], vec![done]).await.unwrap();
    bed.store.delivery_settle(Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(bed.state(ready.id).await, DeliveryState::Pending);
}

pub(crate) async fn starts_and_settlements_go_together<H: Home>() {
    let bed = Bed::<H>::fresh().await.fan_out(usize::MAX, 1);
    let topic = bed.topic("ops").await;
    let stored = bed.new_message(&topic, "many");
    bed.store.message_publish(stored.clone(), bed.recipients(300)).await.unwrap();
    let ready = bed.store.wake().take().ready;
    let at = bed.tick();
    let first = ready[..200].iter().map(|one| start(one, 1, at)).collect();
    bed.store.delivery_settle(first, Vec::new()).await.unwrap();
    let starts = ready[200..].iter().map(|one| start(one, 1, at)).collect();
    let ends = ready[..200].iter().enumerate().map(|(index, one)| {
        if index % 2 == 0 {
            settlement(one, 1, at, accepted(), DeliveryState::Delivered)
        } else {
            settlement(one, 1, at, limited(), DeliveryState::Pending)
        }
    });
    bed.store.delivery_settle(starts, ends.collect::<Vec<_>>()).await.unwrap();
    let shown = bed.store.delivery_list(&bed.project, stored.message.id, 0, 1_000).await.unwrap();
    let counted = |state| shown.iter().filter(|one| one.state == state).count();
    assert_eq!(counted(DeliveryState::Delivered), 100);
    assert_eq!(counted(DeliveryState::Pending), 100);
    assert_eq!(counted(DeliveryState::Sending), 100);
    assert_eq!(bed.home.number(ATTEMPTS), 100);
}

pub(crate) async fn an_interrupted_attempt_goes_on_where_it_was<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    let at = bed.tick();
    let reached = Start { parts_done: 2, ..start(&ready, 1, at) };
    bed.store.delivery_settle(vec![reached], Vec::new()).await.unwrap();
    let bed = bed.reopen();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 1);
    let waits = waiting(&bed, &ready).await;
    assert_eq!((waits[0].attempts, waits[0].parts_done), (1, 2));
    // Late news of an earlier attempt changes nothing.
    let late = Start { parts_done: 1, ..start(&ready, 0, at) };
    bed.store.delivery_settle(vec![late], Vec::new()).await.unwrap();
    assert_eq!(waiting(&bed, &ready).await[0].parts_done, 2);
}

pub(crate) async fn what_was_under_way_waits_again_after_a_start<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = sending(&bed).await;
    let began = bed.clock.now();
    let waits = bed.publish(&bed.new_topic(&bed.project, "other"), "never started").await;
    assert!(bed.store.message_find(&bed.project, waits).await.unwrap().is_some());
    let bed = bed.reopen();
    assert_eq!(bed.state(ready.id).await, DeliveryState::Sending);
    bed.clock.advance(Duration::from_secs(5));
    let now = bed.clock.now();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 1);
    let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.due_at), (DeliveryState::Pending, now));
    let [attempt] = shown.attempts.as_slice() else { panic!("{shown:?}") };
    assert_eq!((attempt.number, attempt.outcome.as_str()), (1, "unknown"));
    assert_eq!((attempt.reason, attempt.started_at), (Reason::Interrupted, began));
    assert_eq!(u128::from(attempt.elapsed_ms), now.since(began).as_millis());

    assert_eq!(bed.store.delivery_recover().await.unwrap(), 0);
    let bed = bed.reopen();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 0);
    assert_eq!(bed.home.number(ATTEMPTS), 1);
    assert_eq!(waiting(&bed, &ready).await[0].attempts, 1);

    let at = bed.tick();
    let done = settlement(&ready, 2, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&ready, 2, at)], vec![done]).await.unwrap();
    let shown = bed.store.delivery_find(&bed.project, ready.id).await.unwrap().unwrap();
    assert_eq!(shown.attempts.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
}

pub(crate) async fn recovery_keeps_the_order_and_leaves_the_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for index in 0..6 {
        bed.publish(&topic, &format!("message {index}")).await;
    }
    let ready = bed.store.wake().take().ready;
    let at = bed.tick();
    let starts = ready[..4].iter().map(|one| start(one, 1, at)).collect();
    let done = settlement(&ready[0], 1, at, accepted(), DeliveryState::Delivered);
    let failed = settlement(&ready[1], 1, at, limited(), DeliveryState::Failed);
    bed.store.delivery_settle(starts, vec![done, failed]).await.unwrap();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 2);
    let lane: Vec<_> = waiting(&bed, &ready[0]).await.iter().map(|one| (one.id, one.attempts)).collect();
    let wanted: Vec<_> =
        [(2, 1), (3, 1), (4, 0), (5, 0)].map(|(i, tried): (usize, u32)| (ready[i].id, tried)).into();
    assert_eq!(lane, wanted);
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Delivered);
    assert_eq!(bed.state(ready[1].id).await, DeliveryState::Failed);
}
