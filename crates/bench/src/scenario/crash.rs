//! kill -9 under load and a new start.

use std::time::Duration;

use clap::Args;

use crate::report;
use crate::world::{Loop, PATIENCE, Setup, World};

const TOPICS: usize = 200;

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many messages are offered.
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// When the server is killed, in milliseconds after the first publish.
    #[arg(long, default_value_t = 700)]
    kill_after: u64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { messages: 20_000, kill_after: 700 }
    }
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    report::title("kill -9 under load, restart");
    let world = World::start(setup, TOPICS, 1, wanted.messages, |_| 'e').await?;
    let done = publish_and_strike(&world, setup, &wanted).await?;
    let killed_with = world.receiver.ledger.distinct();
    let world = world.restart().await?;
    let ready = world.receiver.ledger.now_us();
    let lost =
        |world: &World| done.accepted.iter().filter(|number| !world.receiver.ledger.has(**number)).count();
    // Messages whose answer the kill swallowed may come as well: wait for the accepted ones only.
    let mut waited = Duration::ZERO;
    while lost(&world) > 0 && waited < PATIENCE {
        tokio::time::sleep(Duration::from_millis(10)).await;
        waited += Duration::from_millis(10);
    }
    let last = Duration::from_micros(world.receiver.ledger.last_us().saturating_sub(ready));
    report::plain("accepted before the kill", done.accepted.len());
    report::plain("received before the restart", killed_with);
    report::plain("ready again after", format!("{:.0} ms", world.server.ready_after.as_secs_f64() * 1000.0));
    report::figure("lost", lost(&world), "none", lost(&world) == 0);
    let doubled = world.receiver.ledger.doubled();
    let flight = TOPICS as u64;
    report::figure("doubled", doubled, &format!("at most {flight}, one a lane"), doubled <= flight);
    let fine = last <= Duration::from_secs(2);
    report::figure(
        "last delivery after ready",
        format!("{:.0} ms", last.as_secs_f64() * 1000.0),
        "2,000 ms",
        fine,
    );
    world.server.kill().await
}

/// Publishes until the server is killed.
async fn publish_and_strike(world: &World, setup: &Setup, wanted: &Wanted) -> anyhow::Result<Loop> {
    let publishing = world.publish_all(0, wanted.messages, setup.connections);
    tokio::pin!(publishing);
    tokio::select! {
        done = &mut publishing => {
            report::line("   the load was over before the kill: offer more messages");
            world.server.strike().await?;
            done
        }
        () = tokio::time::sleep(Duration::from_millis(wanted.kill_after)) => {
            world.server.strike().await?;
            publishing.await
        }
    }
}
