//! A backlog: the receiver is down, and what is accepted waits on disk.

use clap::Args;
use tokio::time::Instant;

use crate::report;
use crate::world::{self, PATIENCE, Setup, World};

/// How many endpoints there are.
pub(crate) const ENDPOINTS: usize = 1000;
/// How many deliveries may be behind, in the two ways together.
const BEHIND: usize = 2 * 131_072;
const MEMORY_MAX: u64 = 256 << 20;

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many deliveries are to be pending.
    #[arg(long, default_value_t = 1_000_000)]
    deliveries: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { deliveries: 1_000_000 }
    }
}

/// How many messages make so many deliveries.
pub(crate) fn messages(deliveries: usize) -> usize {
    (deliveries / ENDPOINTS).max(20)
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let messages = messages(wanted.deliveries);
    report::title(format_args!("{} deliveries pending, receiver down", messages * ENDPOINTS));
    let world = accepted(setup, messages).await?;
    started_again(world, messages).await
}

/// Has messages accepted while nothing leaves, and tells at which pace they were.
pub(crate) async fn accepted(setup: &Setup, messages: usize) -> anyhow::Result<World> {
    let world = World::start(setup, 1, ENDPOINTS, messages, |_| 'e').await?;
    world.receiver.set_down(true);
    let part = messages / 20;
    let (mut rates, mut answers) = (Vec::new(), Vec::new());
    for twentieth in 0..20 {
        let start = Instant::now();
        let done = world.publish_all(twentieth * part, part, 8).await?;
        rates.push(world::rate((done.accepted.len() * ENDPOINTS) as u64, start.elapsed()));
        answers.push(done.answers);
    }
    // Until as many wait to be written down, and to be entered into the index by lane, as may (131,072 each), an answer costs
    // next to nothing. What is compared is the pace behind that, of a first and a second half, each long enough for the
    // seconds in which more is written down than accepted, and the other way about, to even out.
    let settled = (BEHIND / (part * ENDPOINTS) + 1).min(10);
    let half = (20 - settled) / 2;
    let pace = |some: std::ops::Range<usize>| {
        let some = rates.get(some).unwrap_or_default();
        some.len() as f64 / some.iter().map(|rate| 1.0 / rate).sum::<f64>()
    };
    let (first, last) = (pace(settled..settled + half), pace(20 - half..20));
    let thousands: Vec<_> = rates.iter().map(|rate| format!("{:.0}", rate / 1000.0)).collect();
    report::plain("thousands accepted a second, by twentieths", thousands.join(" "));
    report::plain(
        &format!("accepted a second, {half} twentieths behind the first {settled}"),
        format!("{first:.0}"),
    );
    report::figure(
        &format!("accepted a second, the last {half}"),
        format!("{last:.0}"),
        "under 10 % less",
        last >= first * 0.9,
    );
    for (name, some) in [("the first", settled..settled + half), ("the last", 20 - half..20)] {
        let mut took: Vec<u64> = answers.get(some).unwrap_or_default().concat();
        took.sort_unstable();
        let (p50, p99) = (report::quantile(&took, 0.5), report::quantile(&took, 0.99));
        report::plain(
            &format!("publish answered, p50 / p99, {name} {half}"),
            format!("{} / {}", report::ms(p50), report::ms(p99)),
        );
    }
    let used = world.server.used();
    report::figure(
        "most memory in use",
        report::mib(used.resident_max),
        "under 256 MiB",
        used.resident_max < MEMORY_MAX,
    );
    Ok(world)
}

/// Starts the server anew with all that is pending.
async fn started_again(world: World, messages: usize) -> anyhow::Result<()> {
    report::plain(
        "bytes on disk for each",
        format!("{:.0}", report::each(world.bytes_on_disk(), (messages * ENDPOINTS) as u64)),
    );
    world.receiver.set_down(false);
    let (began, before) = (Instant::now(), world.receiver.ledger.distinct());
    let world = world.restart().await?;
    world.receiver.ledger.wait_for(before + 1, PATIENCE).await;
    let first = began.elapsed();
    let fine = first.as_secs_f64() < 2.0;
    report::figure(
        "start to first delivery",
        format!("{:.0} ms", first.as_secs_f64() * 1000.0),
        "under 2,000 ms",
        fine,
    );
    let used = world.server.used();
    report::figure(
        "memory after the start",
        report::mib(used.resident_max),
        "under 256 MiB",
        used.resident_max < MEMORY_MAX,
    );
    world.server.kill().await
}
