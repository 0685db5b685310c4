//! The checks are checked: a good history has no problem, and each way of spoiling it is found.

use carillon_model::delivery::DeliveryState;
use carillon_model::message::Priority;

use crate::check::problems;
use crate::history::{Answer, Arrival, History, Penalty, Record, Told};
use crate::plan::Lane;

const LANES: &[Lane] = &[Lane::Lark];

fn told(place: usize) -> Told {
    let record = Record {
        lane: Lane::Lark,
        state: DeliveryState::Delivered,
        due_at: 0,
        attempts: vec![(1, "accepted".to_owned(), "ok".to_owned())],
    };
    Told {
        id: None,
        place,
        answer: Answer::Accepted,
        lanes: LANES,
        priority: Priority::Normal,
        marks: 1,
        expires_at: 3_600_000,
        cancel_asked: false,
        cancelled_at: None,
        records: vec![record],
    }
}

/// Three messages to one robot, each delivered at once.
fn good() -> History {
    let times = [1_000, 2_000, 3_000];
    let arrival = |(number, at): (usize, &i64)| Arrival {
        lane: Lane::Lark,
        at: *at,
        left: at - 50,
        marks: vec![(number, 0)],
    };
    History {
        seed: 0,
        commit_max: 1,
        write_max: 10,
        messages: (0..3).map(told).collect(),
        arrivals: times.iter().enumerate().map(arrival).collect(),
        posts: times.iter().map(|at| (Lane::Lark, *at)).collect(),
        penalties: Vec::new(),
        forward: Vec::new(),
        cuts: Vec::new(),
        stops: vec![60_000],
        under_way: Vec::new(),
        ended: Some(60_000),
    }
}

fn outcome(number: u32, outcome: &str) -> (u32, String, String) {
    (number, outcome.to_owned(), "busy".to_owned())
}

/// What is found in a good history that was spoilt.
fn found(spoil: impl FnOnce(&mut History)) -> String {
    let mut history = good();
    spoil(&mut history);
    problems(&history).join("; ")
}

#[test]
fn a_good_history_has_no_problem() {
    assert_eq!(found(|_| {}), "");
}

#[test]
fn what_is_lost_is_found() {
    assert!(found(|it| drop(it.arrivals.remove(1))).starts_with("message 1 in Lark: lost"));
    assert!(found(|it| it.messages[1].records.clear()).starts_with("lost: message 1"));
    assert!(found(|it| it.ended = None).starts_with("stuck"));
    let pending = |it: &mut History| it.messages[2].records[0].state = DeliveryState::Pending;
    assert!(found(pending).starts_with("message 2 in Lark: unexplained: pending"));
}

#[test]
fn what_came_twice_is_found_unless_it_is_explained() {
    let twice = |it: &mut History| it.arrivals.push(it.arrivals[2].clone());
    assert!(found(twice).starts_with("message 2 in Lark: twice"));
    let unknown = |it: &mut History| {
        twice(it);
        it.messages[2].records[0].attempts = vec![outcome(1, "unknown"), outcome(2, "accepted")];
    };
    assert_eq!(found(unknown), "");
    let under_way = |it: &mut History| {
        twice(it);
        it.under_way.push((Lane::Lark, (2, 0)));
    };
    assert_eq!(found(under_way), "");
    let too_often = |it: &mut History| {
        unknown(it);
        twice(it);
    };
    assert!(found(too_often).contains("twice"));
}

#[test]
fn a_wrong_order_is_found_within_a_priority() {
    let swapped = |it: &mut History| it.arrivals.swap(0, 1);
    assert!(found(swapped).starts_with("order: Lark got (0, 0) after (1, 0)"));
    let urgent = |it: &mut History| {
        swapped(it);
        it.messages[1].priority = Priority::Urgent;
    };
    assert_eq!(found(urgent), "");
    let parts = |it: &mut History| {
        it.messages[0].marks = 2;
        it.arrivals.insert(0, Arrival { marks: vec![(0, 1)], ..it.arrivals[0].clone() });
    };
    assert!(found(parts).starts_with("order"));
}

#[test]
fn a_limit_that_was_not_held_is_found() {
    let burst = |it: &mut History| it.posts = (0..6).map(|at| (Lane::Lark, at * 150)).collect();
    assert!(found(burst).starts_with("limit: Lark got more than 5"));
    let penalty = |it: &mut History| {
        it.penalties.push(Penalty { lane: Lane::Lark, marks: vec![(0, 0)], told: 1_500, until: 2_500 });
    };
    assert!(found(penalty).contains("in its penalty until 2500"));
    let unwritten = |it: &mut History| {
        penalty(it);
        it.cuts.push(1_505);
    };
    assert_eq!(found(unwritten), "", "a life that was cut at once could not write it down");
    let (set, cut) = (|it: &mut History| it.forward.push(1_600), |it: &mut History| it.cuts.push(1_700));
    assert!(
        found(|it| (penalty(it), set(it)).1).contains("in its penalty"),
        "who lives on knows of the clock"
    );
    assert!(found(|it| (penalty(it), cut(it)).1).contains("in its penalty"));
    assert_eq!(
        found(|it| (penalty(it), set(it), cut(it)).2),
        "",
        "the store holds the time of the old clock"
    );
}

#[test]
fn a_state_that_nothing_explains_is_found() {
    for state in [DeliveryState::Failed, DeliveryState::Expired, DeliveryState::Cancelled] {
        assert!(found(|it| it.messages[0].records[0].state = state).contains("unexplained"));
    }
    let skipped = |it: &mut History| it.messages[0].records[0].attempts = vec![outcome(2, "accepted")];
    assert!(found(skipped).contains("not numbered in a row"));
    let after_its_end = |it: &mut History| {
        it.messages[0].records[0].attempts = vec![outcome(1, "refused"), outcome(2, "accepted")];
    };
    assert!(found(after_its_end).contains("tried again after its end"));
    let given_up = |it: &mut History| {
        it.messages[0].records[0].state = DeliveryState::Failed;
        it.messages[0].records[0].attempts = vec![outcome(1, "later")];
    };
    assert!(found(given_up).contains("unexplained: failed"));
}

#[test]
fn what_nobody_wanted_is_found() {
    let refused = |it: &mut History| {
        it.messages[0].answer = Answer::Refused;
        it.messages[0].records.clear();
    };
    assert!(found(refused).starts_with("made up: message 0"));
    let cancelled = |it: &mut History| {
        it.messages[2].cancel_asked = true;
        it.messages[2].cancelled_at = Some(2_500);
    };
    assert!(found(cancelled).starts_with("after its cancel: message 2"));
}
