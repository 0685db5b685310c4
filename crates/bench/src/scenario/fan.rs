//! Closed loop: each publisher publishes again as soon as it was answered, and the answer means durable.

use std::time::Duration;

use clap::Args;

use crate::report;
use crate::straight::{self, By};
use crate::world::{self, PATIENCE, Setup, World};

/// How many deliveries a run makes when the user does not say.
const DELIVERIES: usize = 100_000;
/// How many endpoints there are in all, if the fan-out is smaller.
const ENDPOINTS: usize = 1000;
/// How many straight posts there are to compare with.
const STRAIGHT: usize = 200_000;

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many endpoints each message goes to.
    #[arg(long, default_value_t = 1)]
    fan_out: usize,
    /// How many messages; enough for 100,000 deliveries when not given.
    #[arg(long)]
    messages: Option<usize>,
    /// How many topics; enough for 1,000 endpoints when not given.
    #[arg(long)]
    topics: Option<usize>,
}

impl Wanted {
    pub(crate) fn of(fan_out: usize) -> Self {
        Self { fan_out, messages: None, topics: None }
    }
}

/// What the issue asks of a fan-out: deliveries a second, of the straight post, microseconds of CPU.
fn goals(fan_out: usize) -> (f64, f64, f64) {
    match fan_out {
        0..=9 => (8_000.0, 0.11, 100.0),
        10..=499 => (20_000.0, 0.30, 40.0),
        _ => (25_000.0, 0.30, 40.0),
    }
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let fan_out = wanted.fan_out.max(1);
    let topics = wanted.topics.unwrap_or_else(|| (ENDPOINTS / fan_out).max(1));
    let messages = wanted.messages.unwrap_or(DELIVERIES / fan_out);
    report::title(format_args!("closed loop, fan-out {fan_out}: {messages} messages, {topics} topics"));
    let world = World::start(setup, topics, fan_out, messages, |_| 'e').await?;
    let socket = straight::posts(By::Socket, STRAIGHT, setup.connections).await?;
    let client = straight::posts(By::Client, STRAIGHT, setup.connections).await?;
    let count = (messages * fan_out) as u64;
    let (before, counted) = (world.server.used(), world.receiver.counts());
    let start = world.receiver.ledger.now_us();
    let done = world.publish_all(0, messages, setup.connections).await?;
    let came = world.receiver.ledger.wait_for(count, PATIENCE).await;
    let elapsed = Duration::from_micros(world.receiver.ledger.last_us().saturating_sub(start));
    let (after, (connections, posts)) = (world.server.used(), world.receiver.counts());
    let rate = world::rate(came, elapsed);
    let (rate_goal, share_goal, cpu_goal) = goals(fan_out);
    report::figure("deliveries received", came, &format!("all of {count}"), came == count);
    report::figure("doubled", world.receiver.ledger.doubled(), "none", world.receiver.ledger.doubled() == 0);
    report::figure(
        "deliveries a second",
        format!("{rate:.0}"),
        &format!("{rate_goal:.0}"),
        rate >= rate_goal,
    );
    for (name, straight) in [("sockets", socket), ("an HTTP client", client)] {
        report::plain(&format!("straight posts a second, {name}"), format!("{straight:.0}"));
        let share = rate / straight;
        report::figure(
            &format!("of the straight post, {name}"),
            format!("{share:.3}"),
            &format!("{share_goal}"),
            share >= share_goal,
        );
    }
    report::cost(before, after, came, Some(cpu_goal));
    report::plain("publish answered, p50", report::ms(report::quantile(&done.answers, 0.5)));
    report::plain("publish answered, p99", report::ms(report::quantile(&done.answers, 0.99)));
    let fresh = report::each(connections - counted.0, posts - counted.1);
    report::figure(
        "posts on a kept connection",
        format!("{:.2} %", 100.0 - fresh * 100.0),
        "99 %",
        fresh <= 0.01,
    );
    world.server.kill().await
}
