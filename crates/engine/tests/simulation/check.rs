//! What must hold after every run, whatever went wrong in it.

use std::collections::{HashMap, HashSet};

use carillon_model::delivery::DeliveryState as S;
use carillon_model::message::Priority;

use crate::history::{Answer, History, Penalty, Record, Told};
use crate::plan::Lane;
use crate::world::Mark;

/// The most attempts of a delivery, and of one to a web endpoint.
pub(crate) const ATTEMPTS_MAX: usize = 8;
const WEB_ATTEMPTS_MAX: usize = 6;
/// The longest wait before another attempt: DingTalk's ten minutes and a tenth.
const WAIT_MAX: i64 = 660_000;

/// What does not hold, in words; nothing when all is well.
pub(crate) fn problems(history: &History) -> Vec<String> {
    let mut found = Vec::new();
    if history.ended.is_none() {
        found.push("stuck: something still waits long after all was calm".to_owned());
    }
    let counts = counts(history);
    for (number, told) in history.messages.iter().enumerate() {
        if told.answer == Answer::Accepted && told.records.len() != told.lanes.len() {
            found.push(format!("lost: message {number} was accepted and has {} records", told.records.len()));
        }
        let never = told.records.is_empty();
        for lane in told.lanes {
            let marks = (0..told.marks).map(|piece| (number, piece));
            if never && marks.into_iter().any(|mark| counts.contains_key(&(*lane, mark))) {
                found.push(format!("made up: message {number} arrived and was not accepted"));
            }
        }
        for record in &told.records {
            let place = format!("message {number} in {:?}", record.lane);
            found.extend(unexplained(history, told, record).map(|why| format!("{place}: {why}")));
            found.extend(wrong_count(history, &counts, number, record).map(|why| format!("{place}: {why}")));
        }
        found.extend(after_cancel(history, number));
    }
    for lane in Lane::ALL {
        found.extend(out_of_order(history, lane));
        found.extend(pressed(history, lane));
    }
    found
}

fn counts(history: &History) -> HashMap<(Lane, Mark), usize> {
    let mut counts = HashMap::new();
    for arrival in &history.arrivals {
        // What stands twice in one post is not sent twice.
        let marks: HashSet<&Mark> = arrival.marks.iter().collect();
        for mark in marks {
            *counts.entry((arrival.lane, *mark)).or_default() += 1;
        }
    }
    counts
}

/// Why a delivery's state is not what its attempts say.
fn unexplained(history: &History, told: &Told, record: &Record) -> Option<String> {
    let outcomes: Vec<&str> = record.attempts.iter().map(|(_, outcome, _)| outcome.as_str()).collect();
    let last = outcomes.last().copied();
    if record.attempts.iter().zip(1..).any(|((number, _, _), place)| *number != place) {
        return Some(format!("unexplained: its attempts are not numbered in a row: {:?}", record.attempts));
    }
    let most = if record.lane == Lane::Web { WEB_ATTEMPTS_MAX } else { ATTEMPTS_MAX };
    // An attempt that a cut interrupted is made up for, whatever the number; one whose target the store did not give is no
    // web endpoint's fault and counts against the longer bound.
    let unopened = record.attempts.iter().filter(|(_, _, reason)| *reason == "unopened").count();
    if outcomes.len() > most + history.cuts.len() + unopened {
        return Some(format!("unexplained: {} attempts", outcomes.len()));
    }
    let early = outcomes.iter().rev().skip(1);
    if early.into_iter().any(|outcome| ["accepted", "refused", "misconfigured"].contains(outcome)) {
        return Some(format!("unexplained: it was tried again after its end: {outcomes:?}"));
    }
    let reason = record.attempts.last().map(|(_, _, reason)| reason.as_str());
    let explained = match record.state {
        S::Delivered => last == Some("accepted"),
        S::Failed => match last {
            Some("refused" | "misconfigured") => true,
            Some("unknown") if record.lane == Lane::Web && reason == Some("timeout") => true,
            Some("later" | "unknown") => outcomes.len() >= most,
            Some(_) | None => false,
        },
        S::Expired => {
            let next = if matches!(last, Some("later" | "unknown")) { WAIT_MAX } else { 0 };
            last != Some("accepted") && record.due_at + next >= told.expires_at
        }
        S::Cancelled => told.cancel_asked && last != Some("accepted"),
        S::Pending | S::Sending => history.ended.is_none(),
    };
    (!explained).then(|| format!("unexplained: {} after {:?}", record.state.name(), record.attempts))
}

/// Whether every piece came as often as the attempts and the cuts allow.
fn wrong_count(
    history: &History,
    counts: &HashMap<(Lane, Mark), usize>,
    number: usize,
    record: &Record,
) -> Option<String> {
    let unknown =
        |(_, outcome, reason): &&(u32, String, String)| outcome == "unknown" && reason != "interrupted";
    let unknown = record.attempts.iter().filter(unknown).count();
    for piece in 0..history.messages.get(number)?.marks {
        let mark = (number, piece);
        let came = counts.get(&(record.lane, mark)).copied().unwrap_or(0);
        let cut = history.under_way.iter().filter(|it| **it == (record.lane, mark)).count();
        if record.state == S::Delivered && came == 0 {
            return Some(format!("lost: piece {piece} is called delivered and never came"));
        }
        if came > 1 + unknown + cut {
            return Some(format!("twice: piece {piece} came {came} times, {unknown} unknown, {cut} cut"));
        }
    }
    None
}

/// No attempt begins after a cancel was answered; one that had begun may still be looking into the store.
fn after_cancel(history: &History, number: usize) -> Option<String> {
    const PARTS_MAX: i64 = 60_000;
    let told = history.messages.get(number)?;
    let parts = if told.marks > 1 { PARTS_MAX } else { 0 };
    let at = told.cancelled_at? + 4 * history.commit_max + parts;
    let lane = told.records.first()?.lane;
    let mut after = history.arrivals.iter().filter(|arrival| arrival.lane == lane && arrival.left > at);
    let came = after.find(|arrival| arrival.marks.iter().any(|(message, _)| *message == number))?;
    Some(format!(
        "after its cancel: message {number} left for {lane:?} at {}, came at {}",
        came.left, came.at
    ))
}

/// Within a priority, first arrivals keep the order of acceptance, and pieces their order.
fn out_of_order(history: &History, lane: Lane) -> Vec<String> {
    let mut found = Vec::new();
    for priority in [Priority::Urgent, Priority::Normal] {
        let (mut seen, mut last) = (HashSet::new(), (0, (0, 0)));
        for arrival in history.arrivals.iter().filter(|arrival| arrival.lane == lane) {
            let marks = arrival.marks.iter().filter_map(|mark| Some((history.messages.get(mark.0)?, *mark)));
            let mut fresh: Vec<(usize, Mark)> = marks
                .filter(|(told, mark)| told.priority == priority && seen.insert(*mark))
                .map(|(told, mark)| (told.place, mark))
                .collect();
            // A digest is grouped by subject; what counts is which post it was.
            fresh.sort_unstable();
            for one in fresh {
                if one < last {
                    found.push(format!("order: {lane:?} got {:?} after {:?}", one.1, last.1));
                }
                last = last.max(one);
            }
        }
    }
    found
}

/// The far end's limits, by its own count.
fn pressed(history: &History, lane: Lane) -> Vec<String> {
    let posts: Vec<i64> = history.posts.iter().filter(|(to, _)| *to == lane).map(|(_, at)| *at).collect();
    let mut found = Vec::new();
    for (count, span) in lane.limits() {
        for (first, over) in posts.iter().zip(posts.iter().skip(*count)) {
            if over - first < *span {
                found.push(format!("limit: {lane:?} got more than {count} posts in {span} ms at {over}"));
                break;
            }
        }
    }
    let is_forgotten = |penalty: &&Penalty| is_forgotten(history, penalty);
    let penalties = history.penalties.iter().filter(|penalty| penalty.lane == lane);
    for penalty in penalties.filter(|penalty| !is_forgotten(penalty)) {
        if let Some(at) = posts.iter().find(|at| (penalty.told + 1..penalty.until).contains(*at)) {
            found.push(format!("limit: {lane:?} got a post at {at}, in its penalty until {}", penalty.until));
        }
    }
    found
}

/// Whether a life ended that knew of a penalty, and the next cannot: it was not written down yet, or what it was told to
/// would have waited longer than it may, so that nothing is left in the store that waits for its end, or the clock was set
/// forward meanwhile, and the store tells its end by the old clock.
fn is_forgotten(history: &History, penalty: &Penalty) -> bool {
    let unwritten = history.cuts.iter().any(|at| (0..history.write_max).contains(&(at - penalty.told)));
    let ended =
        history.cuts.iter().chain(&history.stops).any(|at| (penalty.told..penalty.until).contains(at));
    let set = history.forward.iter().any(|at| (penalty.told..penalty.until).contains(at));
    let records = penalty.marks.iter().filter_map(|mark| history.messages.get(mark.0));
    let mut records = records.flat_map(|told| &told.records).filter(|record| record.lane == penalty.lane);
    unwritten
        || (ended && set)
        || (ended && records.all(|record| matches!(record.state, S::Expired | S::Failed | S::Cancelled)))
}
