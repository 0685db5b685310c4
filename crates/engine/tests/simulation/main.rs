//! The engine, the store and the platforms' rooms under a simulated world: everything that can go wrong goes wrong by
//! seed, and afterwards nothing may be lost. How to replay a seed: `docs/testing.md`.
#![expect(clippy::unwrap_used, reason = "a test may fail in any of its helpers")]

mod check;
mod check_tests;
mod history;
mod plan;
mod platform;
mod run;
mod template;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::template::Template;

/// How many seeds the test command runs.
const SEEDS: u64 = 10_000;
/// Seeds that once failed, with what they had found.
const KEPT: &str = include_str!("seeds.txt");

#[expect(clippy::disallowed_methods, reason = "a person who replays a seed names it in the environment")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Runs seeds on all cores and gives what did not hold.
fn run_all(seeds: &[u64]) -> Vec<String> {
    let template = Template::make();
    let (next, found) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _core in 0..cores {
            scope.spawn(|| {
                while let Some(seed) =
                    seeds.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap())
                {
                    let (history, trace) = run::run(*seed, &template, seeds.len() == 1);
                    let problems = check::problems(&history);
                    if !problems.is_empty() {
                        let told = format!("seed {seed}: {}", problems.join("\n    "));
                        found.lock().unwrap().extend([told, trace.log.join("\n")]);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn assert_holds(seeds: &[u64]) {
    let found = run_all(seeds);
    let shown: Vec<&str> = found.iter().take(20).map(String::as_str).collect();
    assert!(found.is_empty(), "{} of {} failed:\n{}", found.len() / 2, seeds.len(), shown.join("\n"));
}

#[test]
fn nothing_is_lost_whatever_goes_wrong() {
    let seeds: Vec<u64> = match asked("CARILLON_SEED") {
        Some(seed) => vec![seed],
        None => (0..asked("CARILLON_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    assert_holds(&seeds);
}

#[test]
fn seeds_that_once_failed_hold() {
    let seeds: Vec<u64> = KEPT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .map(|seed| seed.parse().expect("a line begins with a seed"))
        .collect();
    assert_holds(&seeds);
}

#[test]
fn a_seed_replays_its_run() {
    let template = Template::make();
    for seed in 0..40 {
        let (first, second) = (run::run(seed, &template, false), run::run(seed, &template, false));
        assert_eq!(first.1.hash, second.1.hash, "seed {seed}");
    }
}
