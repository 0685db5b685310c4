//! Nobody waits for a neighbour: the same load with and without endpoints that hang, refuse and limit.

use clap::Args;

use crate::report;
use crate::scenario::latency::steady;
use crate::world::{PATIENCE, Setup, World};

const ENDPOINTS: usize = 100;
/// Which endpoints are ill.
const ILL: [(usize, char); 3] = [(10, 'h'), (20, 'r'), (30, 'l')];

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// Messages a second, each to one of 100 endpoints in turn.
    #[arg(long, default_value_t = 200)]
    rate: usize,
    /// How long, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    /// How often each of the two runs, in turn; their medians are compared.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { rate: 200, seconds: 20, rounds: 5 }
    }
}

fn ill(number: usize) -> Option<char> {
    ILL.iter().find(|(place, _)| *place == number % ENDPOINTS).map(|(_, kind)| *kind)
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    report::title("100 endpoints, one hangs, one refuses, one is limited: the other 97");
    let count = wanted.rate * wanted.seconds;
    let mut p99 = [Vec::new(), Vec::new()];
    for _round in 0..wanted.rounds.max(1) {
        for (with, p99) in [false, true].into_iter().zip(&mut p99) {
            p99.push(round(setup, wanted.rate, count, with).await?);
        }
    }
    let [without, with] = p99.map(|mut times| {
        times.sort_unstable();
        report::quantile(&times, 0.5)
    });
    report::figure("p99 with the three, median", report::ms(with), "at most 10 ms", with <= 10_000);
    let ratio = report::each(with, without);
    report::figure("p99 with to p99 without", format!("{ratio:.2}"), "at most 1.05", ratio <= 1.05);
    Ok(())
}

/// The 99th percentile of the other endpoints' times.
async fn round(setup: &Setup, rate: usize, count: usize, with: bool) -> anyhow::Result<u64> {
    let kind = |number: usize| ill(number).filter(|_| with).unwrap_or('e');
    let world = World::start(&setup.to_hooks(), ENDPOINTS, 1, count, kind).await?;
    steady(&world, 0, count, rate).await?;
    let well = |number: usize| ill(number).is_none();
    let others = (0..count).filter(|number| well(*number)).count();
    let times = world.receiver.ledger.wait_for_those(well, others, PATIENCE).await;
    let all = times.len() == others;
    let name = if with { "with the three" } else { "without" };
    report::figure(&format!("{name}: received"), times.len(), "all", all);
    let [p50, p99] = [0.5, 0.99].map(|share| report::quantile(&times, share));
    report::plain(&format!("{name}: p50 / p99"), format!("{} / {}", report::ms(p50), report::ms(p99)));
    world.server.kill().await?;
    Ok(p99)
}
