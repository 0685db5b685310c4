//! Keeps every interface of an app within the platform's limits, whoever calls it: sending to many people and reading
//! a directory share them.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carillon_model::office::Platform;
use tokio::time::{Instant, sleep_until};

/// At most `count` calls in any span of `per`.
#[derive(Debug, Clone, Copy)]
struct Rate {
    count: usize,
    per: Duration,
}

/// Lark, "rate policy": 50 a second and 1000 a minute for each interface. A little less, since calls arrive with less
/// distance than they leave.
const LARK: &[Rate] = &[
    Rate { count: 45, per: Duration::from_millis(1_050) },
    Rate { count: 950, per: Duration::from_secs(61) },
];
/// DingTalk, "call limits": 20 a second for each interface of an app.
const DINGTALK: &[Rate] = &[Rate { count: 18, per: Duration::from_millis(1_050) }];
/// WeCom, "access limits": 10,000 a minute for each interface of a company.
const WECOM: &[Rate] = &[Rate { count: 9_000, per: Duration::from_secs(61) }];
/// The most interfaces of apps that are remembered; the ones longest unused go first.
const KEYS_MAX: usize = 4_096;

/// An app and one of its interfaces.
type Key = ([u8; 32], &'static str);

/// When calls leave, by app and interface.
#[derive(Debug, Default)]
pub(crate) struct AppPace {
    left: Mutex<HashMap<Key, VecDeque<Instant>>>,
    /// How many servers share the limits, less this one.
    others: AtomicUsize,
}

impl AppPace {
    /// Waits until a call of `interface` may leave. Whoever asks first leaves first.
    pub(crate) async fn turn(&self, platform: Platform, app: [u8; 32], interface: &'static str) {
        let rates = match platform {
            Platform::Lark | Platform::Feishu => LARK,
            Platform::Dingtalk => DINGTALK,
            Platform::Wecom => WECOM,
        };
        let servers = self.others.load(Ordering::Relaxed) + 1;
        let part = |rate: &Rate| Rate { count: (rate.count / servers).max(1), ..*rate };
        let rates: Vec<Rate> = rates.iter().map(part).collect();
        let at = self.reserve(&rates, (app, interface), Instant::now());
        sleep_until(at).await;
    }

    /// Takes one of so many equal parts of every limit.
    pub(crate) fn share(&self, servers: usize) {
        self.others.store(servers.saturating_sub(1), Ordering::Relaxed);
    }

    fn reserve(&self, rates: &[Rate], key: Key, now: Instant) -> Instant {
        let mut left = self.left.lock().expect("no code panics while it holds the times");
        if left.len() >= KEYS_MAX {
            let longest = rates.iter().map(|rate| rate.per).max().unwrap_or_default();
            left.retain(|_key, times| times.back().is_some_and(|last| *last + longest > now));
        }
        let times = left.entry(key).or_default();
        let mut at = now;
        for rate in rates {
            let before = times.len().checked_sub(rate.count).and_then(|index| times.get(index));
            at = before.map_or(at, |before| at.max(*before + rate.per));
        }
        times.push_back(at);
        let most = rates.iter().map(|rate| rate.count).max().unwrap_or(1);
        while times.len() > most {
            times.pop_front();
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{AppPace, LARK};

    #[test]
    fn no_second_and_no_minute_is_overfull() {
        let (pace, now) = (AppPace::default(), Instant::now());
        let times: Vec<Instant> =
            (0..2_000).map(|_call| pace.reserve(LARK, ([0; 32], "send"), now)).collect();
        for rate in LARK {
            for pair in times.windows(rate.count + 1) {
                assert!(pair.last().unwrap().duration_since(pair[0]) >= rate.per);
            }
        }
        assert_eq!(pace.reserve(LARK, ([0; 32], "read"), now), now);
    }
}
