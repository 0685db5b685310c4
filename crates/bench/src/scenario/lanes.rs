//! Many addresses: what each costs in memory while something waits for it, and while nothing does.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use tokio::time::Instant;

use crate::report;
use crate::world::{Setup, World};

/// The most subscriptions that SMN allows in a topic.
const TOPIC_MAX: usize = 10_000;
/// How long it may take until every lane is active, or idle again.
const PATIENCE: Duration = Duration::from_secs(900);
/// The most memory for a lane in which one delivery waits, in bytes.
const ACTIVE_MAX: f64 = 4096.0;
/// The most for an idle one: a rest of what the allocator keeps.
const IDLE_MAX: f64 = 256.0;

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many subscriptions there are, each to an address of its own.
    #[arg(long, default_value_t = 100_000)]
    subscriptions: usize,
    /// How many of them something waits for at once; all when not given.
    #[arg(long)]
    active: Option<usize>,
}

/// Waits until so many lanes are in the server's memory.
async fn until_lanes(world: &World, fits: impl Fn(usize) -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let lanes = usize::try_from(world.metric("carillon_lanes").await?)?;
        if fits(lanes) {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "{lanes} lanes are in memory");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let topics = wanted.subscriptions.div_ceil(TOPIC_MAX).max(1);
    let fan_out = wanted.subscriptions / topics;
    let all = topics * fan_out;
    let messages = wanted.active.map_or(topics, |active| active.div_ceil(fan_out).clamp(1, topics));
    let active = messages * fan_out;
    report::title(format_args!("{all} subscriptions to as many addresses, {active} of them active"));
    let world = World::start(setup, 1, 1, 1, |_| 'e').await?.restart().await?;
    until_lanes(&world, |lanes| lanes == 0).await?;
    let empty = world.server.used().resident;
    world.kill().await?;
    let began = Instant::now();
    let world = World::start(setup, topics, fan_out, messages, |_| 'e').await?;
    report::plain("added and confirmed", report::seconds(began.elapsed()));
    // What was needed to add them is given back by a new start.
    let world = world.restart().await?;
    until_lanes(&world, |lanes| lanes == 0).await?;
    let before = world.server.used().resident;
    report::plain("memory with one subscription", report::mib(empty));
    report::plain("memory with all of them idle", report::mib(before));
    let each = report::each(before.saturating_sub(empty), all as u64);
    report::figure("for each idle one, in bytes", format!("{each:.0}"), "under 256", each < IDLE_MAX);

    world.receiver.set_down(true);
    world.publish_all(0, messages, 4).await?;
    until_lanes(&world, |lanes| lanes >= active).await?;
    let during = world.server.used().resident;
    report::plain("memory with something waiting in each active one", report::mib(during));
    let each = report::each(during.saturating_sub(before), active as u64);
    report::figure("for each active one, in bytes", format!("{each:.0}"), "under 4,096", each < ACTIVE_MAX);

    world.receiver.set_down(false);
    let came = world.receiver.ledger.wait_for(active as u64, PATIENCE).await;
    report::figure(
        "received once the receiver was up",
        came,
        &format!("all of {active}"),
        came == active as u64,
    );
    until_lanes(&world, |lanes| lanes == 0).await?;
    let after = world.server.used().resident;
    report::plain("memory when all are idle again", report::mib(after));
    world.kill().await
}
