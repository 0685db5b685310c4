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
    /// How many messages are published to each of the two topics in a round, one after another.
    #[arg(long, default_value_t = 40)]
    messages: usize,
    /// How often each of the two has its turn; the medians of the rounds are compared.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { subscriptions: 10_000, messages: 40, rounds: 3 }
    }
}

/// A topic on a server of its own.
struct Side {
    fan_out: usize,
    world: World,
    published: usize,
    /// The percentiles of each round's answers, in microseconds.
    quantiles: [Vec<u64>; 2],
}

const PERCENTILES: [(&str, f64); 2] = [("p50", 0.5), ("p99", 0.99)];

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let Wanted { subscriptions, messages, rounds } = wanted;
    report::title(format_args!("one publisher, 1 and {subscriptions} subscriptions: the accepting answer"));
    let mut sides =
        [side(setup, 1, messages * rounds).await?, side(setup, subscriptions, messages * rounds).await?];
    for _round in 0..rounds {
        for side in &mut sides {
            round(side, messages).await?;
        }
    }
    let times = sides.each_mut().map(|side| std::mem::take(&mut side.quantiles));
    for Side { fan_out, world, published, .. } in sides {
        let (all, came) = ((published * fan_out) as u64, world.receiver.ledger.distinct());
        let doubled = world.receiver.ledger.doubled();
        report::figure(&format!("{fan_out}: received"), came, &format!("all of {all}"), came == all);
        report::figure(&format!("{fan_out}: doubled"), doubled, "none", doubled == 0);
        world.server.kill().await?;
    }
    let medians = times.map(|quantiles| {
        quantiles.map(|mut rounds| {
            rounds.sort_unstable();
            report::quantile(&rounds, 0.5)
        })
    });
    let [one, many] = medians;
    for ((name, _share), (one, many)) in PERCENTILES.into_iter().zip(one.into_iter().zip(many)) {
        let ratio = report::each(many, one);
        let label = format!("{name} of {subscriptions} to {name} of 1, medians");
        report::figure(&label, format!("{ratio:.2}"), "at most 2", ratio <= 2.0);
    }
    Ok(())
}

async fn side(setup: &Setup, fan_out: usize, messages: usize) -> anyhow::Result<Side> {
    let began = Instant::now();
    let world = World::start(setup, 1, fan_out, messages, |_| 'e').await?;
    report::plain(&format!("{fan_out}: added in batches, confirmed"), report::seconds(began.elapsed()));
    let began = Instant::now();
    let listed = world.listed().await?;
    let distinct: BTreeSet<&String> = listed.iter().collect();
    ensure!(distinct.len() == fan_out && listed.len() == fan_out, "{} of {fan_out} are listed", listed.len());
    report::plain(&format!("{fan_out}: listed in pages of 100"), report::seconds(began.elapsed()));
    Ok(Side { fan_out, world, published: 0, quantiles: [Vec::new(), Vec::new()] })
}

async fn round(side: &mut Side, messages: usize) -> anyhow::Result<()> {
    let Side { fan_out, world, published, quantiles } = side;
    let mut answers = Vec::new();
    for _message in 0..messages {
        answers.extend(world.publish_all(*published, 1, 1).await?.answers);
        *published += 1;
        // One after another, so that nothing but the number of subscriptions differs.
        let all = (*published * *fan_out) as u64;
        world.receiver.ledger.wait_for(all, PATIENCE).await;
        world.at_rest(all).await?;
    }
    answers.sort_unstable();
    for (times, (name, share)) in quantiles.iter_mut().zip(PERCENTILES) {
        let us = report::quantile(&answers, share);
        report::plain(&format!("{fan_out}: publish answered, {name}"), report::ms(us));
        times.push(us);
    }
    let slowest: Vec<_> = answers.iter().rev().take(5).map(|us| report::ms(*us)).collect();
    report::plain(&format!("{fan_out}: the five slowest answers"), slowest.join(", "));
    Ok(())
}
