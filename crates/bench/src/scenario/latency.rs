//! Open loop: messages at even distances, whatever the answers do.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::TaskTracker;

use crate::http::Connection;
use crate::report;
use crate::world::{self, PATIENCE, Setup, World};

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// Messages a second.
    #[arg(long, default_value_t = 50)]
    rate: usize,
    /// How long, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { rate: 50, seconds: 20 }
    }
}

/// Publishes `count` messages at `rate` a second, each on a connection of its own turn.
pub(crate) async fn steady(world: &World, first: usize, count: usize, rate: usize) -> anyhow::Result<()> {
    let gap = Duration::from_secs(1) / u32::try_from(rate.max(1))?;
    let tasks: Vec<_> = (0..8)
        .map(|lane| {
            let (topics, receiver) = (Arc::clone(&world.topics), Arc::clone(&world.receiver));
            let (address, begin) = (world.server.address, Instant::now() + gap * lane);
            TaskTracker::new().spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut ticks = tokio::time::interval_at(begin, gap * 8);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                for number in (first + lane as usize..first + count).step_by(8) {
                    ticks.tick().await;
                    let Some(topic) = topics.get(number % topics.len()) else { break };
                    let request = world::publish(address, topic, number, receiver.ledger.now_us());
                    connection.ask(&request).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    const TOPICS: usize = 100;
    let count = wanted.rate * wanted.seconds;
    report::title(format_args!("{} messages a second for {} s, fan-out 1", wanted.rate, wanted.seconds));
    let world = World::start(setup, TOPICS, 1, count + TOPICS, |_| 'e').await?;
    // The first of each connection is not what is measured.
    steady(&world, 0, TOPICS, wanted.rate).await?;
    steady(&world, TOPICS, count, wanted.rate).await?;
    let came = world.receiver.ledger.wait_for((count + TOPICS) as u64, PATIENCE).await;
    let times = world.receiver.ledger.times(|number| number >= TOPICS);
    report::figure("received", came, "all", came == (count + TOPICS) as u64);
    let (p50, p99) = (report::quantile(&times, 0.5), report::quantile(&times, 0.99));
    report::figure("publish to receiver, p50", report::ms(p50), "at most 1.5 ms", p50 <= 1500);
    report::figure("publish to receiver, p99", report::ms(p99), "at most 5 ms", p99 <= 5000);
    report::plain("publish to receiver, longest", report::ms(times.last().copied().unwrap_or_default()));
    world.server.kill().await
}
