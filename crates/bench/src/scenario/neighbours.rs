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
}

impl Default for Wanted {
    fn default() -> Self {
        Self { rate: 200, seconds: 20 }
    }
}

fn ill(number: usize) -> Option<char> {
    ILL.iter().find(|(place, _)| *place == number % ENDPOINTS).map(|(_, kind)| *kind)
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    report::title("100 endpoints, one hangs, one refuses, one is limited: the other 97");
    let count = wanted.rate * wanted.seconds;
    let mut p99 = Vec::new();
    for with in [false, true] {
        let kind = |number: usize| ill(number).filter(|_| with).unwrap_or('e');
        let world = World::start(&setup.to_hooks(), ENDPOINTS, 1, count, kind).await?;
        steady(&world, 0, count, wanted.rate).await?;
        let others = (0..count).filter(|number| ill(*number).is_none()).count() as u64;
        world.receiver.ledger.wait_for(others, PATIENCE).await;
        let times = world.receiver.ledger.times(|number| ill(number).is_none());
        let all = times.len() as u64 == others;
        let name = if with { "with the three" } else { "without" };
        report::figure(&format!("{name}: received"), times.len(), "all", all);
        report::plain(&format!("{name}: p50"), report::ms(report::quantile(&times, 0.5)));
        let p = report::quantile(&times, 0.99);
        report::figure(&format!("{name}: p99"), report::ms(p), "at most 10 ms", p <= 10_000);
        p99.push(p);
        world.server.kill().await?;
    }
    let ratio =
        report::each(p99.last().copied().unwrap_or_default(), p99.first().copied().unwrap_or_default());
    report::figure("p99 with to p99 without", format!("{ratio:.2}"), "at most 1.05", ratio <= 1.05);
    Ok(())
}
