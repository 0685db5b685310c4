//! A pile of messages that are too old to be kept: how publishers and receivers fare while the server forgets it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::time::Instant;

use super::latency::steady;
use crate::report;
use crate::world::{PATIENCE, Setup, World};

const TOPICS: usize = 100;
/// The beginning of ids of messages that were accepted early in 2024.
const OLD: &str = "018cc251f400";
const FORGOTTEN: &str = "carillon_forgotten_total{kind=\"message\"}";

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many old messages there are.
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// Messages a second that are published meanwhile.
    #[arg(long, default_value_t = 50)]
    rate: usize,
    /// How long, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
}

/// Makes everything old that a data directory holds, with SQLite's own program.
fn age(data: &Path) -> anyhow::Result<()> {
    let sql = format!(
        "BEGIN; UPDATE message SET id = '{OLD}' || substr(id, 13), created_at = 1704067200000;
         UPDATE delivery SET message_id = '{OLD}' || substr(message_id, 13), due_at = 1704067200000; COMMIT"
    );
    let done = Command::new("sqlite3").arg(data.join("carillon.db")).arg(sql).status();
    ensure!(done.context("sqlite3 is needed (Debian's package of that name)")?.success(), "sqlite3 failed");
    Ok(())
}

/// Publishes for a while, and says how that went.
async fn measure(world: &World, first: usize, wanted: &Wanted, when: &str) -> anyhow::Result<()> {
    let count = wanted.rate * wanted.seconds;
    // The first of each connection is not what is measured.
    steady(world, first, TOPICS, wanted.rate).await?;
    steady(world, first + TOPICS, count, wanted.rate).await?;
    let all = (first + TOPICS + count) as u64;
    let came = world.receiver.ledger.wait_for(all, PATIENCE).await;
    report::figure(&format!("received, {when}"), came, "all", came == all);
    let times = world.receiver.ledger.times(|number| number >= first + TOPICS);
    let (p50, p99) = (report::quantile(&times, 0.5), report::quantile(&times, 0.99));
    let longest = times.last().copied().unwrap_or_default();
    report::figure(
        &format!("publish to receiver, p50, {when}"),
        report::ms(p50),
        "at most 1.5 ms",
        p50 <= 1500,
    );
    report::figure(
        &format!("publish to receiver, p99, {when}"),
        report::ms(p99),
        "at most 5 ms",
        p99 <= 5000,
    );
    report::plain(&format!("publish to receiver, longest, {when}"), report::ms(longest));
    Ok(())
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let (old, part) = (wanted.messages, TOPICS + wanted.rate * wanted.seconds);
    report::title(format_args!("{} messages a second while {old} old ones are forgotten", wanted.rate));
    let world = World::start(&setup.on_file(), TOPICS, 1, old + 2 * part, |_| 'e').await?;
    ensure!(
        world.publish_all(0, old, setup.connections).await?.accepted.len() == old,
        "not all were accepted"
    );
    world.at_rest(old as u64).await?;
    let world = world.restart_after(age).await?;
    let (began, before) = (Instant::now(), world.metric(FORGOTTEN).await?);
    measure(&world, old, &wanted, "forgetting").await?;
    let (elapsed, forgotten) = (began.elapsed(), world.metric(FORGOTTEN).await?);
    ensure!(forgotten < old as u64, "all were forgotten before the measuring was over: more are needed");
    report::plain("messages forgotten meanwhile", forgotten - before);
    report::plain("in", report::seconds(elapsed));
    let begun = Instant::now();
    while world.metric(FORGOTTEN).await? < old as u64 {
        ensure!(begun.elapsed() < PATIENCE, "what is old is not forgotten");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    report::plain("all of them after", report::seconds(began.elapsed()));
    measure(&world, old + part, &wanted, "at rest").await?;
    world.kill().await
}
