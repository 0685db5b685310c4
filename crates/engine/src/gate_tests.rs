use std::sync::Arc;

use proptest::prelude::*;
use tokio::sync::oneshot;

use super::{Entry, Gate, Kind, Permit};

fn now(entry: Entry) -> Permit {
    match entry {
        Entry::Now(permit) => permit,
        Entry::Later(_) => panic!("there was room"),
    }
}

fn later(entry: Entry) -> oneshot::Receiver<Permit> {
    match entry {
        Entry::Now(_) => panic!("there was no room"),
        Entry::Later(comes) => comes,
    }
}

#[test]
fn one_host_leaves_room_for_others() {
    let gate = Gate::new(3, 2);
    let (a, b) = (now(gate.enter(1, Kind::First)), now(gate.enter(1, Kind::First)));
    let mut third = later(gate.enter(1, Kind::First));
    let other = now(gate.enter(2, Kind::First));
    let mut fourth = later(gate.enter(3, Kind::First));
    drop(other);
    assert!(third.try_recv().is_err(), "its host is full");
    assert!(fourth.try_recv().is_ok());
    drop(a);
    assert!(third.try_recv().is_ok());
    drop(b);
}

#[test]
fn a_shut_gate_lets_nobody_in_and_nobody_wait() {
    let gate = Gate::new(2, 1);
    let inside = now(gate.enter(1, Kind::First));
    let mut waiting = later(gate.enter(1, Kind::Urgent));
    gate.shut();
    assert_eq!(waiting.try_recv().unwrap_err(), oneshot::error::TryRecvError::Closed);
    drop(inside);
    let mut late = later(gate.enter(2, Kind::First));
    assert_eq!(late.try_recv().unwrap_err(), oneshot::error::TryRecvError::Closed);
}

#[test]
fn urgent_ones_go_first_and_further_tries_have_their_turn() {
    let gate = Gate::new(2, 2);
    let hold = now(gate.enter(1, Kind::First));
    let mut inside = vec![now(gate.enter(1, Kind::First))];
    let mut waiting: Vec<(&str, oneshot::Receiver<Permit>)> = Vec::new();
    for name in ["a1", "a2"] {
        waiting.push((name, later(gate.enter(1, Kind::Again))));
    }
    for name in ["f1", "f2", "f3", "f4"] {
        waiting.push((name, later(gate.enter(2, Kind::First))));
    }
    waiting.push(("u", later(gate.enter(3, Kind::Urgent))));
    let mut order = Vec::new();
    while !waiting.is_empty() {
        inside.clear();
        waiting.retain_mut(|(name, comes)| match comes.try_recv() {
            Ok(permit) => {
                order.push(*name);
                inside.push(permit);
                false
            }
            Err(_) => true,
        });
        assert_eq!(inside.len(), 1);
    }
    assert_eq!(order, ["u", "f1", "f2", "f3", "a1", "f4", "a2"]);
    drop(hold);
}

#[test]
fn further_tries_take_half_at_most() {
    let gate = Gate::new(4, 4);
    let tries = [now(gate.enter(1, Kind::Again)), now(gate.enter(1, Kind::Again))];
    let mut more = later(gate.enter(1, Kind::Again));
    let first = now(gate.enter(1, Kind::First));
    drop(first);
    assert!(more.try_recv().is_err());
    drop(tries);
    assert!(more.try_recv().is_ok());
}

proptest! {
    /// Whoever enters, waits, goes away or leaves: no bound is passed, and in the end the gate is empty and serves.
    #[test]
    fn bounds_hold(steps in proptest::collection::vec((0_u8..4, 0_u64..3, 0_usize..8), 1..200)) {
        let gate = Gate::new(4, 2);
        let (mut inside, mut waiting): (Vec<Permit>, Vec<oneshot::Receiver<Permit>>) = (Vec::new(), Vec::new());
        for (step, host, which) in steps {
            match step {
                0 | 1 => {
                    let kind = [Kind::Urgent, Kind::First, Kind::Again][which % 3];
                    match gate.enter(host, kind) {
                        Entry::Now(permit) => inside.push(permit),
                        Entry::Later(comes) => waiting.push(comes),
                    }
                }
                2 if !inside.is_empty() => drop(inside.swap_remove(which % inside.len())),
                _ if !waiting.is_empty() => drop(waiting.swap_remove(which % waiting.len())),
                _ => {}
            }
            waiting.retain_mut(|comes| match comes.try_recv() {
                Ok(permit) => {
                    inside.push(permit);
                    false
                }
                Err(oneshot::error::TryRecvError::Empty) => true,
                Err(oneshot::error::TryRecvError::Closed) => false,
            });
            prop_assert!(inside.len() <= 4);
            for host in 0..3 {
                prop_assert!(inside.iter().filter(|permit| permit.host == host).count() <= 2);
            }
            prop_assert!(inside.iter().filter(|permit| permit.kind == Kind::Again).count() <= 2);
        }
        while !(inside.is_empty() && waiting.is_empty()) {
            inside.clear();
            for mut comes in std::mem::take(&mut waiting) {
                match comes.try_recv() {
                    Ok(permit) => inside.push(permit),
                    Err(_) => waiting.push(comes),
                }
            }
            prop_assert!(waiting.is_empty() || !inside.is_empty(), "nobody is forgotten");
        }
        prop_assert!(matches!(gate.enter(9, Kind::Again), Entry::Now(_)));
        prop_assert_eq!(Arc::strong_count(&gate), 1);
    }
}
