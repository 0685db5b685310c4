use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_model::id::{DeliveryId, ProjectId};
use carillon_model::message::Priority;
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::topic::Topic;
use carillon_store::delivery::{Ready, Settlement};
use carillon_store::pick::{DeliveryFilter, Moved, Portion};

use crate::harness::{Bed, Home, accepted, limited, robot, settlement, start};

const HOUR: Duration = Duration::from_secs(3600);

/// Ends a delivery in a state, after one more attempt where an attempt leads there.
pub(crate) async fn end<H: Home>(bed: &Bed<H>, ready: &Ready, state: DeliveryState, reason: Reason) {
    let (number, at) = (ready.attempts + 1, bed.tick());
    let tried = matches!(state, DeliveryState::Delivered | DeliveryState::Failed);
    let verdict =
        if state == DeliveryState::Delivered { accepted() } else { Verdict::plain(Outcome::Refused, reason) };
    let mut end = settlement(ready, number, at, verdict, state);
    end.attempt = end.attempt.filter(|_attempt| tried);
    let starts = if tried { vec![start(ready, number, at)] } else { Vec::new() };
    bed.store.delivery_settle(starts, vec![end]).await.unwrap();
}

async fn fail<H: Home>(bed: &Bed<H>, ready: &Ready) {
    end(bed, ready, DeliveryState::Failed, Reason::Signature).await;
}

/// A topic with one robot, and `count` messages that wait for it.
async fn lane<H: Home>(bed: &Bed<H>, count: usize) -> (Topic, Vec<Ready>) {
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    for index in 0..count {
        bed.publish(&topic, &format!("message {index}")).await;
    }
    (topic, bed.store.wake().take().ready)
}

async fn waiting<H: Home>(bed: &Bed<H>, ready: &Ready) -> Vec<Ready> {
    bed.store.lane_take(ready.endpoint, 1_000).await.unwrap().ready
}

async fn resend<H: Home>(bed: &Bed<H>, id: DeliveryId) -> Moved {
    bed.store.delivery_resend(&bed.project, id, HOUR).await.unwrap()
}

fn all_of(filter: DeliveryFilter) -> Portion {
    Portion { filter, cursor: None, limit: 1_000 }
}

async fn resent<H: Home>(bed: &Bed<H>, filter: DeliveryFilter) -> u64 {
    bed.store.delivery_resend_all(&bed.project, all_of(filter), HOUR).await.unwrap().moved
}

pub(crate) async fn a_failed_one_waits_again_at_the_end_of_its_lane<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, ready) = lane(&bed, 3).await;
    fail(&bed, &ready[0]).await;
    let now = bed.tick();
    assert_eq!(resend(&bed, ready[0].id).await, Moved::Done);
    let handed = bed.store.wake().take().ready;
    let lane = waiting(&bed, &ready[0]).await;
    assert_eq!(lane.iter().map(|one| one.id).collect::<Vec<_>>(), [1, 2, 0].map(|i: usize| ready[i].id));
    assert!(lane[2].seq > ready[2].seq);
    assert_eq!(
        (handed.len(), handed[0].seq, handed[0].id),
        (1, lane[2].seq, ready[0].id),
        "the engine has it"
    );
    assert_eq!(handed[0].stored, lane[2].stored);
    assert_eq!((lane[2].due_at, lane[2].subscription), (now, ready[0].subscription));
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Pending);

    let next = bed.publish(&topic, "afterwards").await;
    let lane = waiting(&bed, &ready[0]).await;
    assert_eq!(lane[3].id.message, next, "what comes later goes behind it");
    assert!(lane[3].seq > lane[2].seq);
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery"), 4);
}

pub(crate) async fn a_resent_one_keeps_its_attempts_and_what_arrived<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (_topic, ready) = lane(&bed, 1).await;
    for number in 1..=3 {
        let at = bed.tick();
        let state = if number == 3 { DeliveryState::Failed } else { DeliveryState::Pending };
        let tried = settlement(&ready[0], number, at, limited(), state);
        let settled = vec![Settlement { parts_done: 2, ..tried }];
        bed.store.delivery_settle(vec![start(&ready[0], number, at)], settled).await.unwrap();
    }
    assert_eq!(resend(&bed, ready[0].id).await, Moved::Done);
    let lane = waiting(&bed, &ready[0]).await;
    assert_eq!((lane[0].attempts, lane[0].attempts_before, lane[0].parts_done), (3, 3, 2));
    end(&bed, &lane[0], DeliveryState::Delivered, Reason::Ok).await;
    let shown = bed.store.delivery_find(&bed.project, ready[0].id).await.unwrap().unwrap();
    assert_eq!(shown.state, DeliveryState::Delivered);
    let numbers: Vec<_> = shown.attempts.iter().map(|one| (one.number, one.outcome.as_str())).collect();
    assert_eq!(numbers, [(1, "later"), (2, "later"), (3, "later"), (4, "accepted")]);
}

pub(crate) async fn only_what_ended_undelivered_is_resent<H: Home>() {
    use DeliveryState as S;
    for state in DeliveryState::ALL {
        let bed = Bed::<H>::fresh().await;
        let (_topic, ready) = lane(&bed, 1).await;
        match state {
            S::Pending => {}
            S::Sending => {
                let began = vec![start(&ready[0], 1, bed.tick())];
                bed.store.delivery_settle(began, Vec::new()).await.unwrap();
            }
            S::Delivered | S::Failed | S::Expired | S::Cancelled => {
                end(&bed, &ready[0], state, Reason::Content).await;
            }
        }
        let fits = matches!(state, S::Failed | S::Expired | S::Cancelled);
        let wanted = if fits { Moved::Done } else { Moved::Refused(state) };
        assert_eq!(resend(&bed, ready[0].id).await, wanted);
        assert_eq!(bed.state(ready[0].id).await, if fits { S::Pending } else { state });
        let elsewhere = ProjectId::parse("elsewhere").unwrap();
        let foreign = bed.store.delivery_resend(&elsewhere, ready[0].id, HOUR).await.unwrap();
        assert_eq!(foreign, Moved::NotThere);
    }
}

pub(crate) async fn a_resend_gives_a_fresh_life_and_never_a_shorter_one<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (_topic, ready) = lane(&bed, 2).await;
    let expires_at = ready[0].stored.message.expires_at;
    fail(&bed, &ready[0]).await;
    let short = Duration::from_secs(1);
    bed.store.delivery_resend(&bed.project, ready[0].id, short).await.unwrap();
    let lane = waiting(&bed, &ready[0]).await;
    assert_eq!(lane[1].stored.message.expires_at, expires_at);

    bed.clock.advance(HOUR * 2);
    end(&bed, &lane[1], DeliveryState::Expired, Reason::Ok).await;
    let now = bed.tick();
    bed.store.delivery_resend(&bed.project, ready[0].id, HOUR).await.unwrap();
    let lane = waiting(&bed, &ready[0]).await;
    assert_eq!(lane[1].id, ready[0].id);
    assert_eq!(lane[1].stored.message.expires_at, now.plus(HOUR));
    assert_eq!(lane[0].stored.message.expires_at, ready[1].stored.message.expires_at, "its sibling's stays");
    let shown = bed.store.message_find(&bed.project, ready[0].id.message).await.unwrap().unwrap();
    assert_eq!(shown.message.message.expires_at, expires_at, "a message never changes");
}

pub(crate) async fn one_whose_subscription_is_gone_is_not_resent<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, ready) = lane(&bed, 2).await;
    fail(&bed, &ready[0]).await;
    bed.store.subscription_delete(vec![(topic.id, ready[0].subscription)]).await.unwrap();
    assert_eq!(bed.state(ready[1].id).await, DeliveryState::Cancelled);
    assert_eq!(resend(&bed, ready[0].id).await, Moved::NoTarget);
    assert_eq!(resent(&bed, DeliveryFilter::default()).await, 0);
    assert_eq!(bed.state(ready[0].id).await, DeliveryState::Failed);
}

pub(crate) async fn a_resend_filter_takes_what_fits_all_of_it<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, ready) = lane(&bed, 4).await;
    let other = bed.topic("db").await;
    let there = bed.subscribe(&other, robot("0123456789abcdee")).await;
    let late = bed.publish(&other, "late").await;
    let last = bed.store.wake().take().ready.remove(0);
    let reset = async || {
        for one in waiting(&bed, &ready[0]).await.iter().chain(&waiting(&bed, &last).await) {
            let (state, reason) = match ready.iter().position(|known| known.id == one.id) {
                Some(0) => (DeliveryState::Delivered, Reason::Ok),
                Some(1) => (DeliveryState::Expired, Reason::Ok),
                Some(2) => (DeliveryState::Failed, Reason::Keyword),
                _ => (DeliveryState::Failed, Reason::Signature),
            };
            end(&bed, one, state, reason).await;
        }
    };
    let at = |one: &Ready| Some(one.stored.message.created_at);
    let any = DeliveryFilter::default;
    let cases = [
        (any(), 4),
        (DeliveryFilter { message: Some(late), ..any() }, 1),
        (DeliveryFilter { topic_name: Some(topic.name.as_str().to_owned()), ..any() }, 3),
        (DeliveryFilter { subscription: Some(there), ..any() }, 1),
        (DeliveryFilter { state: Some(DeliveryState::Failed), ..any() }, 3),
        (DeliveryFilter { state: Some(DeliveryState::Cancelled), ..any() }, 0),
        (DeliveryFilter { reason: Some(Reason::Keyword), ..any() }, 1),
        (DeliveryFilter { since: at(&ready[2]), ..any() }, 3),
        (DeliveryFilter { until: at(&ready[2]), ..any() }, 1),
        (DeliveryFilter { since: at(&ready[2]), until: at(&ready[3]), ..any() }, 1),
        (DeliveryFilter { message: Some(late), reason: Some(Reason::Keyword), ..any() }, 0),
    ];
    for (filter, count) in cases {
        reset().await;
        assert_eq!(resent(&bed, filter.clone()).await, count, "{filter:?}");
        assert_eq!(resent(&bed, filter.clone()).await, 0, "{filter:?}");
    }
    reset().await;
    let elsewhere = ProjectId::parse("elsewhere").unwrap();
    let foreign = bed.store.delivery_resend_all(&elsewhere, all_of(any()), HOUR).await.unwrap();
    assert_eq!((foreign.moved, foreign.next), (0, None));
}

pub(crate) async fn portions_come_to_an_end_whatever_happens_between<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (_topic, ready) = lane(&bed, 5).await;
    for one in &ready {
        fail(&bed, one).await;
    }
    let mut portion = Portion { filter: DeliveryFilter::default(), cursor: None, limit: 2 };
    let mut moved = Vec::new();
    loop {
        let done = bed.store.delivery_resend_all(&bed.project, portion.clone(), HOUR).await.unwrap();
        moved.push(done.moved);
        for again in waiting(&bed, &ready[0]).await {
            fail(&bed, &again).await;
        }
        portion.cursor = done.next;
        if done.next.is_none() {
            break;
        }
    }
    assert_eq!(moved, [2, 2, 1], "what failed again is not met again");
    let orders: Vec<_> = ready.iter().map(|one| one.id).collect();
    assert_eq!(resent(&bed, DeliveryFilter::default()).await, 5);
    let lane: Vec<_> = waiting(&bed, &ready[0]).await.iter().map(|one| one.id).collect();
    assert_eq!(lane, orders, "they go in the order of their places");
}

pub(crate) async fn of_many_resent_the_lanes_are_named<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (_topic, ready) = lane(&bed, 65).await;
    for one in &ready {
        fail(&bed, one).await;
    }
    assert_eq!(resent(&bed, DeliveryFilter::default()).await, 65);
    let arrived = bed.store.wake().take();
    assert_eq!((arrived.ready.len(), arrived.lanes), (0, vec![(ready[0].endpoint, Priority::Normal)]));
    assert!(!arrived.overflowed, "other lanes are left alone");
}

pub(crate) async fn a_resent_one_is_recovered_after_a_crash<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, ready) = lane(&bed, 2).await;
    fail(&bed, &ready[0]).await;
    assert_eq!(resend(&bed, ready[0].id).await, Moved::Done);
    let again = waiting(&bed, &ready[0]).await.remove(1);
    bed.store.delivery_settle(vec![start(&again, 2, bed.tick())], Vec::new()).await.unwrap();
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 1);
    let lane = waiting(&bed, &ready[0]).await;
    assert_eq!(lane.iter().map(|one| one.id).collect::<Vec<_>>(), [ready[1].id, ready[0].id]);
    assert_eq!((lane[1].seq, lane[1].attempts, lane[1].attempts_before), (again.seq, 2, 1));
    bed.publish(&topic, "afterwards").await;
    assert!(waiting(&bed, &ready[0]).await[2].seq > again.seq, "no place is given twice");
}
