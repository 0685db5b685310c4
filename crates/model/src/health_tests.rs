use std::time::Duration;

use proptest::prelude::*;

use super::{Health, HealthPolicy, Standing, after};
use crate::clock::Timestamp;
use crate::outcome::{Outcome, Reason, Scope};

const POLICY: HealthPolicy = HealthPolicy {
    open_after: 3,
    probe_first: Duration::from_secs(10),
    probe_max: Duration::from_secs(60),
    pause_after: Duration::from_secs(3600),
    pause_probe: Duration::from_secs(600),
};
const DOWN: (Outcome, Reason) = (later(None), Reason::Connect);
const GONE: (Outcome, Reason) = (Outcome::Misconfigured, Reason::TokenUnknown);

const fn later(wait: Option<Duration>) -> Outcome {
    Outcome::Later { wait, scope: Scope::Endpoint }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000)
}

fn told(health: Option<&Health>) -> (&'static str, Option<i64>) {
    health.map_or(("well", None), |health| (health.standing.name(), health.until.map(Timestamp::seconds)))
}

#[test]
fn failures_in_a_row_open_the_breaker_and_probes_grow_apart() {
    let (mut health, mut now, mut waits) = (None, at(0), Vec::new());
    for attempt in 1..=7 {
        health = after(health.as_ref(), &POLICY, DOWN, now, 0);
        let known = health.unwrap();
        assert_eq!(known.standing, if attempt < 3 { Standing::Failing } else { Standing::Open });
        assert_eq!(known.broken_since, Some(at(0)));
        if let Some(until) = known.until {
            waits.push(until.since(now).as_secs());
            now = until;
        }
    }
    assert_eq!(waits, [2, 5, 10, 15, 15], "a quarter of 10, 20, 40 and then of the longest, 60");
    assert_eq!(after(health.as_ref(), &POLICY, (Outcome::Accepted, Reason::Ok), now, 0), None);
}

#[test]
fn only_what_nobody_answers_opens_it() {
    for sign in [
        (Outcome::Misconfigured, Reason::Signature),
        (Outcome::Refused, Reason::Status),
        (Outcome::Refused, Reason::TooLong),
    ] {
        let mut health = None;
        for _attempt in 0..10 {
            health = after(health.as_ref(), &POLICY, sign, at(1), 0);
        }
        assert!(health.is_none_or(|health| health.standing == Standing::Failing && health.until.is_none()));
    }
    for sign in [(Outcome::Unknown, Reason::Timeout), (later(None), Reason::Busy)] {
        let mut health = None;
        for _attempt in 0..3 {
            health = after(health.as_ref(), &POLICY, sign, at(1), 0);
        }
        assert_eq!(told(health.as_ref()), ("open", Some(3)), "{sign:?}");
    }
}

#[test]
fn what_is_gone_for_good_is_paused_at_once_and_stays_so() {
    let health = after(None, &POLICY, GONE, at(5), 0);
    assert_eq!(told(health.as_ref()), ("paused", Some(605)));
    let again = after(health.as_ref(), &POLICY, DOWN, at(605), 0);
    assert_eq!(told(again.as_ref()), ("paused", Some(1205)));
    assert_eq!(again.unwrap().since, at(5));
    let wrong = (Outcome::Misconfigured, Reason::Signature);
    assert_eq!(told(after(again.as_ref(), &POLICY, wrong, at(1205), 0).as_ref()).0, "paused");
    assert_eq!(after(again.as_ref(), &POLICY, (Outcome::Refused, Reason::TooLong), at(1205), 0), None);
}

#[test]
fn what_stays_broken_is_paused_in_the_end() {
    for sign in [DOWN, (Outcome::Misconfigured, Reason::Signature), (Outcome::Refused, Reason::Status)] {
        let (mut health, mut paused_at) = (None, None);
        for minute in 0..200 {
            let now = at(minute * 60);
            health = after(health.as_ref(), &POLICY, sign, now, 0);
            if health.is_some_and(|health| health.is_paused()) {
                paused_at = paused_at.or(Some(minute));
            }
        }
        assert_eq!(paused_at, Some(60), "{sign:?}");
    }
    // Two failures a day apart are no day of failures.
    let health = after(None, &POLICY, DOWN, at(0), 0);
    assert_eq!(told(after(health.as_ref(), &POLICY, DOWN, at(90_000), 0).as_ref()).0, "failing");
}

#[test]
fn a_limit_is_no_failure() {
    let mut health = None;
    for _attempt in 0..2 {
        health = after(health.as_ref(), &POLICY, DOWN, at(0), 0);
    }
    let wait = Some(Duration::from_secs(600));
    let limited = after(health.as_ref(), &POLICY, (later(wait), Reason::RateLimited), at(1), 9);
    assert_eq!(told(limited.as_ref()), ("limited", Some(601)));
    assert_eq!(limited.unwrap().failures, 0);
    assert_eq!(after(health.as_ref(), &POLICY, (later(None), Reason::RateLimited), at(1), 9), None);
}

#[test]
fn what_was_never_asked_says_nothing() {
    let health = after(None, &POLICY, GONE, at(5), 0);
    for reason in [Reason::Unopened, Reason::Interrupted, Reason::Render] {
        assert_eq!(after(health.as_ref(), &POLICY, (later(None), reason), at(9), 0), health);
    }
}

#[test]
fn names_read_back() {
    for standing in Standing::ALL {
        assert_eq!(Standing::from_name(standing.name()), Some(standing));
    }
}

fn sign() -> impl Strategy<Value = (Outcome, Reason)> {
    let outcome = prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Refused),
        Just(Outcome::Misconfigured),
        Just(Outcome::Unknown),
        proptest::option::of(0_u64..100_000).prop_map(|wait| later(wait.map(Duration::from_secs))),
    ];
    let reason = (0..Reason::ALL.len()).prop_map(|place| Reason::ALL[place]);
    (outcome, reason)
}

proptest! {
    /// Whatever happens: what is accepted makes well, nothing waits longer than policy or platform say, and whoever
    /// is sent probes only was failing before.
    #[test]
    fn waits_are_bounded(steps in proptest::collection::vec((sign(), 0_i64..4_000, any::<u64>()), 1..60)) {
        let (mut health, mut now): (Option<Health>, _) = (None, at(0));
        for (sign, pause, random) in steps {
            now = Timestamp(now.0 + pause * 1_000);
            let before = health;
            health = after(before.as_ref(), &POLICY, sign, now, random);
            let Some(known) = health else { continue };
            prop_assert!(sign.0 != Outcome::Accepted || before == health);
            prop_assert!(known.since <= now);
            let asked = match sign.0 {
                Outcome::Later { wait, .. } => wait.unwrap_or_default(),
                Outcome::Accepted | Outcome::Refused | Outcome::Misconfigured | Outcome::Unknown => Duration::ZERO,
            };
            let wait = known.until.map_or(Duration::ZERO, |until| until.since(now));
            match known.standing {
                _ if before == health => {}
                Standing::Failing => prop_assert_eq!(known.until, None),
                Standing::Limited => prop_assert_eq!(wait, asked),
                Standing::Open => prop_assert!(wait <= POLICY.probe_max.max(asked)
                    && wait >= POLICY.probe_first / 4),
                Standing::Paused => prop_assert!(wait >= POLICY.pause_probe && wait <= POLICY.pause_probe * 11 / 10),
            }
        }
    }
}
