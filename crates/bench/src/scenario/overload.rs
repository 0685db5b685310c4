//! More is offered than slow endpoints take: the accepting answer must stay quick, or be a refusal.

use clap::Args;

use crate::report;
use crate::world::{Setup, World};

const ENDPOINTS: usize = 100;

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many messages are offered, as fast as answers come; each endpoint takes 20 a second.
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { messages: 100_000 }
    }
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    report::title(format_args!(
        "overload: {} messages to endpoints that take 20 a second each",
        wanted.messages
    ));
    let world = World::start(&setup.to_hooks(), ENDPOINTS, 1, wanted.messages, |_| 's').await?;
    let part = wanted.messages / 10;
    let (mut first, mut last) = (0, 0);
    for tenth in 0..10 {
        let done = world.publish_all(tenth * part, part, setup.connections).await?;
        let p99 = report::quantile(&done.answers, 0.99);
        if tenth == 0 {
            first = p99;
        }
        last = p99;
        if done.refused > 0 {
            report::plain(&format!("tenth {}: refused", tenth + 1), done.refused);
        }
    }
    report::plain("accepting answer, p99, first tenth", report::ms(first));
    report::figure("accepting answer, p99, last tenth", report::ms(last), "at most 200 ms", last <= 200_000);
    report::plain("received meanwhile", world.receiver.ledger.distinct());
    report::plain("memory in use", report::mib(world.server.used().resident));
    world.server.kill().await
}
