//! A topic as large as SMN allows: how its subscriptions are added and listed, and whether a publisher feels them.

use std::collections::BTreeSet;

use anyhow::ensure;
use clap::Args;
use tokio::time::Instant;

use crate::report;
use crate::world::{PATIENCE, Setup, World};

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many subscriptions the large topic has.
    #[arg(long, default_value_t = 10_000)]
    subscriptions: usize,
    /// How many messages are published to each of the two topics, one after another.
    #[arg(long, default_value_t = 40)]
    messages: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { subscriptions: 10_000, messages: 40 }
    }
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let Wanted { subscriptions, messages } = wanted;
    report::title(format_args!("one publisher, 1 and {subscriptions} subscriptions: the accepting answer"));
    let mut times = Vec::new();
    for fan_out in [1, subscriptions] {
        let began = Instant::now();
        let world = World::start(setup, 1, fan_out, messages, |_| 'e').await?;
        report::plain(&format!("{fan_out}: added in batches, confirmed"), report::seconds(began.elapsed()));
        let began = Instant::now();
        let listed = world.listed().await?;
        let distinct: BTreeSet<&String> = listed.iter().collect();
        ensure!(
            distinct.len() == fan_out && listed.len() == fan_out,
            "{} of {fan_out} are listed",
            listed.len()
        );
        report::plain(&format!("{fan_out}: listed in pages of 100"), report::seconds(began.elapsed()));
        let mut answers = Vec::new();
        let mut came = 0;
        for number in 0..messages {
            answers.extend(world.publish_all(number, 1, 1).await?.answers);
            // One after another, so that nothing but the number of subscriptions differs.
            came = world.receiver.ledger.wait_for(((number + 1) * fan_out) as u64, PATIENCE).await;
            world.at_rest(((number + 1) * fan_out) as u64).await?;
        }
        let (all, doubled) = ((messages * fan_out) as u64, world.receiver.ledger.doubled());
        report::figure(&format!("{fan_out}: received"), came, &format!("all of {all}"), came == all);
        report::figure(&format!("{fan_out}: doubled"), doubled, "none", doubled == 0);
        answers.sort_unstable();
        let quantiles = [0.5, 0.99].map(|share| report::quantile(&answers, share));
        for (name, us) in ["p50", "p99"].into_iter().zip(quantiles) {
            report::plain(&format!("{fan_out}: publish answered, {name}"), report::ms(us));
        }
        let slowest: Vec<_> = answers.iter().rev().take(5).map(|us| report::ms(*us)).collect();
        report::plain(&format!("{fan_out}: the five slowest answers"), slowest.join(", "));
        times.push(quantiles);
        world.server.kill().await?;
    }
    let [one, many] = times.as_slice() else { return Ok(()) };
    for (name, (one, many)) in ["p50", "p99"].into_iter().zip(one.iter().zip(many)) {
        let ratio = report::each(*many, *one);
        let label = format!("{name} of {subscriptions} to {name} of 1");
        report::figure(&label, format!("{ratio:.2}"), "at most 2", ratio <= 2.0);
    }
    Ok(())
}
