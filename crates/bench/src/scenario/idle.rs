//! Nothing to do.

use std::time::Duration;

use clap::Args;

use crate::report;
use crate::world::{Setup, World};

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How long to look, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { seconds: 20 }
    }
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    report::title("idle, with 1,000 subscriptions");
    let world = World::start(&setup.to_hooks(), 1, 1000, 1, |_| 'e').await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = world.server.used();
    tokio::time::sleep(Duration::from_secs(wanted.seconds)).await;
    let after = world.server.used();
    // A thread that ended meanwhile takes its fine count with it.
    let share = report::each(after.cpu_us.saturating_sub(before.cpu_us), wanted.seconds * 1_000_000) * 100.0;
    report::figure("of one processor", format!("{share:.3} %"), "under 0.5 %", share < 0.5);
    report::plain("memory in use", report::mib(after.resident));
    world.server.kill().await
}
