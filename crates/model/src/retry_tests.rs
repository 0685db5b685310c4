use std::time::Duration;

use proptest::prelude::*;

use super::{Next, RetryPolicy, next};
use crate::chance::{Chance, SeededChance};
use crate::channel::Channel;
use crate::clock::Timestamp;
use crate::health::{self, Health, HealthPolicy};
use crate::outcome::{Outcome, Reason, Scope};

const NOW: Timestamp = Timestamp(1_000_000);

fn later(wait: Option<Duration>) -> Outcome {
    Outcome::Later { wait, scope: Scope::Endpoint }
}

#[test]
fn final_outcomes_are_final() {
    let policy = RetryPolicy::default();
    assert_eq!(next(&policy, 1, Outcome::Accepted, NOW, 7), Next::Delivered);
    assert_eq!(next(&policy, 1, Outcome::Refused, NOW, 7), Next::Failed);
    assert_eq!(next(&policy, 1, Outcome::Misconfigured, NOW, 7), Next::Failed);
    let once = RetryPolicy { again_after_unknown: false, ..policy };
    assert_eq!(next(&once, 1, Outcome::Unknown, NOW, 7), Next::Failed);
    assert_eq!(next(&policy, policy.attempts_max, later(None), NOW, 7), Next::Failed);
}

#[test]
fn a_web_endpoint_is_tried_six_times_and_not_after_a_time_out() {
    let policy = RetryPolicy::default();
    let web = policy.on(Channel::Https, Reason::Busy);
    assert!(matches!(next(&web, 5, later(None), NOW, 7), Next::Again(_)));
    assert_eq!(next(&web, 6, later(None), NOW, 7), Next::Failed);
    let slow = policy.on(Channel::Http, Reason::Timeout);
    assert_eq!(next(&slow, 1, Outcome::Unknown, NOW, 7), Next::Failed);
    let broken = policy.on(Channel::Http, Reason::Broken);
    assert!(matches!(next(&broken, 1, Outcome::Unknown, NOW, 7), Next::Again(_)));
    assert_eq!(policy.on(Channel::Lark, Reason::Timeout), policy);
    let stricter = RetryPolicy { attempts_max: 2, ..policy };
    assert_eq!(stricter.on(Channel::Http, Reason::Busy).attempts_max, 2);
}

proptest! {
    #[test]
    fn waits_are_bounded(attempt in 1_u32..12, random: u64) {
        let policy = RetryPolicy::default();
        let Next::Again(due) = next(&policy, attempt, later(None), NOW, random) else { panic!("must wait") };
        let wait = due.since(NOW);
        let full = policy.wait_first.saturating_mul(1 << (attempt - 1)).min(policy.wait_max);
        prop_assert!(wait >= full / 4 && wait <= full);
    }

    #[test]
    fn a_platforms_wish_is_obeyed(attempt in 1_u32..12, asked in 0_u64..10_000_000, random: u64) {
        let wish = Duration::from_millis(asked);
        let Next::Again(due) = next(&RetryPolicy::default(), attempt, later(Some(wish)), NOW, random) else {
            panic!("must wait")
        };
        prop_assert!(due.since(NOW) >= wish && due.since(NOW) <= wish + wish / 10);
    }
}

/// Any policy that an operator or a test could set, and worse.
fn policies() -> impl Strategy<Value = RetryPolicy> {
    let some = || prop_oneof![0_u64..1_000, 0_u64..10_000_000, Just(u64::MAX)];
    let attempts_max = prop_oneof![0_u32..30, Just(u32::MAX)];
    (attempts_max, some(), some(), any::<bool>()).prop_map(
        |(attempts_max, first, max, again_after_unknown)| RetryPolicy {
            attempts_max,
            wait_first: Duration::from_millis(first),
            wait_max: Duration::from_millis(max),
            again_after_unknown,
        },
    )
}

fn wishes() -> impl Strategy<Value = Option<Duration>> {
    let extremes = [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(u64::MAX), Duration::MAX];
    prop_oneof![
        Just(None),
        (0_u64..10_000_000).prop_map(|millis| Some(Duration::from_millis(millis))),
        proptest::sample::select(extremes.to_vec()).prop_map(Some),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Refused),
        Just(Outcome::Misconfigured),
        Just(Outcome::Unknown),
        wishes().prop_map(later),
    ]
}

fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..40, Just(u32::MAX - 1), Just(u32::MAX)]
}

fn moments() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(NOW),
        Just(Timestamp(i64::MAX)),
        Just(Timestamp(i64::MIN)),
        any::<i64>().prop_map(Timestamp)
    ]
}

/// The longest wait that is our own choice before attempt number `attempt + 1`.
fn ceiling(policy: &RetryPolicy, attempt: u32) -> Duration {
    policy.wait_first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(policy.wait_max)
}

proptest! {
    /// Whatever policy, attempt, outcome, wish, time and chance: no panic, and the outcome alone says what kind of end it is.
    #[test]
    fn the_outcome_decides(
        policy in policies(), attempt in attempts(), outcome in outcomes(), now in moments(), random: u64,
    ) {
        let found = next(&policy, attempt, outcome, now, random);
        let again = attempt < policy.attempts_max;
        match outcome {
            Outcome::Accepted => prop_assert_eq!(found, Next::Delivered),
            Outcome::Refused | Outcome::Misconfigured => prop_assert_eq!(found, Next::Failed),
            Outcome::Unknown => {
                prop_assert_eq!(matches!(found, Next::Again(_)), again && policy.again_after_unknown);
            }
            Outcome::Later { .. } => prop_assert_eq!(matches!(found, Next::Again(_)), again),
        }
        if let Next::Again(due) = found {
            prop_assert!(due >= now, "never in the past");
        }
    }

    /// A wait of our own lies between a quarter of its ceiling and all of it, which never falls from one attempt to the next.
    #[test]
    fn waits_of_our_own_are_bounded(policy in policies(), attempt in attempts(), random: u64) {
        let policy = RetryPolicy { attempts_max: u32::MAX, ..policy };
        let full = ceiling(&policy, attempt);
        prop_assert!(full <= policy.wait_max);
        prop_assert!(attempt == u32::MAX || full <= ceiling(&policy, attempt + 1));
        for outcome in [later(None), Outcome::Unknown] {
            let policy = RetryPolicy { again_after_unknown: true, ..policy };
            let Next::Again(due) = next(&policy, attempt, outcome, NOW, random) else {
                prop_assert_eq!(attempt, u32::MAX);
                continue;
            };
            prop_assert!(due >= NOW.plus(full / 4) && due <= NOW.plus(full), "{due} of {full:?}");
        }
    }

    /// What a platform wishes is never cut short, not even by the policy's longest wait, and at most a tenth is added.
    #[test]
    fn a_wish_stands_above_the_policy(policy in policies(), wish in wishes(), attempt in 1_u32..40, random: u64) {
        let policy = RetryPolicy { attempts_max: 41, ..policy };
        let Some(wish) = wish else { return Ok(()) };
        let Next::Again(due) = next(&policy, attempt, later(Some(wish)), NOW, random) else {
            panic!("must wait")
        };
        prop_assert!(due >= NOW.plus(wish) && due <= NOW.plus(wish.saturating_add(wish / 10)));
    }

    /// However long it goes on, attempts are bounded by the policy, on every channel and whatever the reason.
    #[test]
    fn attempts_come_to_an_end(policy in policies(), random: u64) {
        let policy = RetryPolicy { attempts_max: policy.attempts_max.min(50), ..policy };
        for channel in Channel::ALL {
            for reason in Reason::ALL {
                let held = policy.on(channel, reason);
                prop_assert!(held.attempts_max <= policy.attempts_max);
                prop_assert!(policy.again_after_unknown || !held.again_after_unknown, "never laxer than what is set");
                let mut attempt = 1;
                while let Next::Again(_) = next(&held, attempt, later(None), NOW, random) {
                    attempt += 1;
                }
                prop_assert_eq!(attempt, held.attempts_max.max(1));
            }
        }
    }

    /// Chance spreads over all but the first quarter, so that many do not return together.
    #[test]
    fn many_return_apart(attempt in 3_u32..12, seed: u64) {
        let policy = RetryPolicy::default();
        let full = ceiling(&policy, attempt);
        let twelfths: std::collections::BTreeSet<u128> = (0..200_u64)
            .filter_map(|one| {
                let random = SeededChance::new(seed ^ one).number();
                match next(&policy, attempt, later(None), NOW, random) {
                    Next::Again(due) => Some(due.since(NOW).as_millis() * 12 / full.as_millis()),
                    Next::Delivered | Next::Failed => None,
                }
            })
            .collect();
        prop_assert!((3..12).all(|twelfth| twelfths.contains(&twelfth)), "{twelfths:?}");
    }
}

/// When each attempt of a lane is made whose endpoint is down for so long from `NOW` on, one delivery after the other.
fn attempts_while_down(channel: Channel, down: Duration, chance: &SeededChance) -> Vec<Duration> {
    let (policy, health_policy) =
        (RetryPolicy::default().on(channel, Reason::Connect), HealthPolicy::default());
    let (mut now, mut attempt, mut health): (_, _, Option<Health>) = (NOW, 1, None);
    let mut made = Vec::new();
    while now.since(NOW) < down {
        made.push(now.since(NOW));
        let outcome = (later(None), Reason::Connect);
        health = health::after(health.as_ref(), &health_policy, outcome, now, chance.number());
        let due = match next(&policy, attempt, outcome.0, now, chance.number()) {
            Next::Again(due) => {
                attempt += 1;
                due
            }
            Next::Delivered | Next::Failed => {
                attempt = 1;
                now
            }
        };
        now = due.max(health.and_then(|health| health.until).unwrap_or(due));
    }
    made
}

/// A thousand endpoints that went down at the same moment: whenever they are back, one of them is tried soon, though each
/// waits for minutes. A host that is up again is found, and its backlog does not begin in one surge.
#[test]
fn endpoints_that_went_down_together_are_not_left_alone_together() {
    for channel in [Channel::Lark, Channel::Https] {
        let chance = SeededChance::new(1);
        let down = Duration::from_secs(900);
        let mut made: Vec<Duration> =
            (0..1000).flat_map(|_lane| attempts_while_down(channel, down, &chance)).collect();
        made.sort_unstable();
        let silences = made.windows(2).map(|pair| pair[1] - pair[0]);
        let longest = silences.max().expect("many attempts are made");
        assert!(longest < Duration::from_secs(3), "{channel:?}: nobody was tried for {longest:?}");
    }
}

/// An unknown outcome follows its channel: a web endpoint that was too slow is not asked again, whatever is set.
#[test]
fn an_unknown_outcome_follows_its_channels_rule() {
    for channel in Channel::ALL {
        let web = matches!(channel, Channel::Http | Channel::Https);
        for again_after_unknown in [true, false] {
            let policy = RetryPolicy { again_after_unknown, ..RetryPolicy::default() };
            for reason in Reason::ALL {
                let expected = again_after_unknown && !(web && reason == Reason::Timeout);
                let found = next(&policy.on(channel, reason), 1, Outcome::Unknown, NOW, 7);
                assert_eq!(matches!(found, Next::Again(_)), expected, "{channel:?} {reason:?}");
            }
        }
    }
}
