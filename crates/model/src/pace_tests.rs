use std::time::Duration;

use proptest::prelude::*;

use super::Pace;
use crate::clock::Timestamp;
use crate::rate::{
    Rate,
    tests::{dingtalk, lark},
};

const LONG_AGO: Timestamp = Timestamp(-10_000_000);

fn most_in_a_window(sent: &[Timestamp], rate: Rate) -> usize {
    let within =
        |first: Timestamp| sent.iter().filter(|at| **at >= first && **at < first.plus(rate.per)).count();
    sent.iter().map(|first| within(*first)).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nobody is kept waiting whose endpoint was sent to less than half as often as it may be, and whoever waits leaves in
    /// time: under a long pressure nearly all of the rate is used, and the reserve is always free.
    #[test]
    fn what_can_wait_is_spread_and_nothing_is_wasted(robot: bool, phase: u16) {
        let rates = if robot { dingtalk() } else { lark() };
        let mut pace = Pace::default();
        pace.learn(&rates, LONG_AGO);
        pace.learn_phase(phase);
        let slowest = *rates.last().unwrap();
        let (mut at, mut sent) = (Timestamp(0), Vec::new());
        while at < Timestamp(1_200_000) {
            at = pace.calm_at(at, 2);
            prop_assert!(sent.len() >= 3 || at < Timestamp(1_000), "the first few do not wait");
            pace.sent(at);
            sent.push(at);
            prop_assert!(pace.next_at(at, 0) <= at.plus(Duration::from_millis(1_050)), "the reserve is free");
        }
        let most = usize::try_from(slowest.count).unwrap() - 2;
        prop_assert!(most_in_a_window(&sent, slowest) <= most);
        let full = 1_200_000 * most / usize::try_from(slowest.per.as_millis()).unwrap();
        prop_assert!(sent.len() * 100 >= full * 90, "{} of {full}", sent.len());
    }
}

proptest! {
    /// However somebody presses, no window of any rate ever holds more than its count.
    #[test]
    fn no_window_is_overfull(pauses in proptest::collection::vec(0_i64..20_000, 1..300), robot: bool) {
        let rates = if robot { dingtalk() } else { lark() };
        let mut pace = Pace::default();
        pace.learn(&rates, LONG_AGO);
        let (mut now, mut sent) = (Timestamp(0), Vec::new());
        for pause in pauses {
            now = Timestamp(now.0 + pause / 40).max(pace.next_at(now, 0));
            pace.sent(now);
            sent.push(now);
        }
        for rate in rates.iter() {
            prop_assert!(most_in_a_window(&sent, *rate) <= usize::try_from(rate.count).unwrap());
        }
    }

    /// An hour of any pressure on any rates: each post leaves at the first millisecond at which a plain count over all
    /// that ever left allows it, no later and no earlier.
    #[test]
    fn an_hour_by_a_plain_count(
        rates in proptest::collection::vec((1_u32..120, 1_u64..900), 1..4),
        pauses in proptest::collection::vec(0_i64..30_000, 1..400),
    ) {
        let rates: std::sync::Arc<[Rate]> =
            rates.into_iter().map(|(count, s)| Rate { count, per: Duration::from_secs(s) }).collect();
        let mut pace = Pace::default();
        pace.learn(&rates, LONG_AGO);
        let (mut now, mut sent): (i64, Vec<i64>) = (0, Vec::new());
        let allowed = |sent: &[i64], at: i64| {
            rates.iter().all(|rate| {
                let span = i64::try_from(rate.per.as_millis()).unwrap();
                let used = sent.iter().filter(|left| **left > at - span).count();
                used < usize::try_from(rate.count).unwrap()
            })
        };
        for pause in pauses {
            // Long silences and bursts alike.
            now += if pause % 3 == 0 { pause } else { pause / 1_000 };
            let at = pace.next_at(Timestamp(now), 0).0;
            prop_assert!(at >= now && allowed(&sent, at), "too early at {at}");
            prop_assert!(at == now || !allowed(&sent, at - 1), "later than it must at {at}");
            pace.sent(Timestamp(at));
            sent.push(at);
            now = at;
            if now > 3_600_000 {
                break;
            }
        }
    }

    /// At any moment of a storm, three urgent ones in a row find a place soon.
    #[test]
    fn a_third_urgent_one_finds_a_place(before in 0_usize..200, phase: u16) {
        let mut pace = Pace::default();
        pace.learn(&dingtalk(), LONG_AGO);
        pace.learn_phase(phase);
        let mut at = Timestamp(0);
        for _post in 0..before {
            at = pace.calm_at(at, 2);
            pace.sent(at);
        }
        let mut urgent = at;
        for _urgent in 0..3 {
            urgent = pace.next_at(urgent, 0);
            pace.sent(urgent);
        }
        prop_assert!(urgent.since(at) <= Duration::from_secs(8), "{:?}", urgent.since(at));
    }

    /// Room and next moment agree.
    #[test]
    fn room_means_now(gaps in proptest::collection::vec(0_i64..4_000, 0..60), later in 0_i64..70_000) {
        let mut pace = Pace::default();
        pace.learn(&dingtalk(), LONG_AGO);
        let mut at = Timestamp(0);
        for gap in gaps {
            at = pace.next_at(at.plus(Duration::from_millis(gap.unsigned_abs())), 0);
            pace.sent(at);
        }
        let now = Timestamp(at.0 + later);
        prop_assert_eq!(pace.room(now) > 0, pace.next_at(now, 0) == now);
    }
}

#[test]
fn a_reserve_is_kept() {
    let mut pace = Pace::default();
    pace.learn(&dingtalk(), LONG_AGO);
    for _post in 0..18 {
        pace.sent(Timestamp(0));
    }
    assert_eq!(pace.next_at(Timestamp(1), 2), Timestamp(63_000));
    assert_eq!(pace.next_at(Timestamp(1), 0), Timestamp(1));
    assert_eq!(pace.room(Timestamp(1)), 2);
}

#[test]
fn half_a_rate_leaves_at_once_and_the_rest_is_spread() {
    let leaves = |phase: u16| {
        let mut pace = Pace::default();
        pace.learn(&dingtalk(), LONG_AGO);
        pace.learn_phase(phase);
        let (mut at, mut seconds) = (Timestamp(0), Vec::new());
        for _post in 0..24 {
            at = pace.calm_at(at, 2);
            pace.sent(at);
            seconds.push(at.0 / 1_000);
        }
        seconds
    };
    let (first, middle) = (leaves(0), leaves(1 << 15));
    assert_eq!(first[..12], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 10]);
    assert_eq!(middle[..18], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 14, 21, 28, 35, 42, 49, 56]);
    assert!(middle[19..].windows(2).all(|two| two[1] - two[0] >= 3), "and stays so: {middle:?}");
}

#[test]
fn a_lone_post_never_waits() {
    let mut pace = Pace::default();
    // A fresh process takes half as used, and keeps nobody waiting for that.
    pace.learn(&dingtalk(), Timestamp(-1));
    pace.learn_phase(u16::MAX);
    for minute in 0..60 {
        let now = Timestamp(minute * 60_000);
        assert_eq!(pace.calm_at(now, 2), now, "minute {minute}");
        pace.sent(now);
    }
}

/// A thousand robots whose limit is used up at the same moment do not begin again in the same second.
#[test]
fn many_that_were_limited_together_begin_apart() {
    for used in [10, 18] {
        let mut starts = std::collections::BTreeMap::<i64, usize>::new();
        for robot in 0..1_000_u32 {
            let mut pace = Pace::default();
            pace.learn(&dingtalk(), LONG_AGO);
            pace.learn_phase(u16::try_from(robot * 65_536 / 1_000).unwrap());
            (0..used).for_each(|_post| pace.sent(Timestamp(0)));
            *starts.entry(pace.calm_at(Timestamp(1), 2).seconds()).or_default() += 1;
        }
        let most = starts.values().max().copied().unwrap();
        assert!(most <= 200 && starts.len() >= 6, "{used} used: {starts:?}");
    }
}

#[test]
fn capacity_is_what_the_windows_let_through_in_time() {
    let mut pace = Pace::default();
    assert_eq!(pace.capacity(Timestamp(0), Duration::from_secs(60), 2, 7), 7, "no rate, no limit");
    pace.learn(&dingtalk(), LONG_AGO);
    let within = |pace: &Pace, seconds| pace.capacity(Timestamp(0), Duration::from_secs(seconds), 2, 1_000);
    assert_eq!((within(&pace, 60), within(&pace, 63), within(&pace, 130)), (18, 20, 38));
    for _post in 0..15 {
        pace.sent(Timestamp(0));
    }
    assert_eq!((within(&pace, 60), within(&pace, 63)), (3, 10));
    let mut robot = Pace::default();
    robot.learn(&lark(), LONG_AGO);
    assert_eq!((within(&robot, 2), within(&robot, 60)), (6, 95));
}

#[test]
fn a_fresh_process_uses_half_at_first() {
    let mut pace = Pace::default();
    pace.learn(&dingtalk(), Timestamp(0));
    assert_eq!(pace.room(Timestamp(1)), 10);
    assert_eq!(pace.room(Timestamp(63_001)), 20);
}
