//! SQLite beside PostgreSQL with one server and with several, in the same run: throughput, answers, and what each
//! delivery costs the database.

use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use crate::postgres::Done;
use crate::report;
use crate::scenario::pending;
use crate::world::{self, Backing, PATIENCE, Setup, World};

/// How many endpoints there are in all.
const ENDPOINTS: usize = 1000;
/// How long counters of the database may lag behind: an idle connection tells of its work after ten seconds.
const COUNTED: Duration = Duration::from_millis(10_500);

#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// How many deliveries each run makes.
    #[arg(long, default_value_t = 20_000)]
    deliveries: usize,
    /// How many deliveries are pending while the runs are made again, and how many are then accepted while nothing
    /// leaves; 0 for neither.
    #[arg(long, default_value_t = 1_000_000)]
    pending: usize,
    /// How many servers the third run has.
    #[arg(long, default_value_t = 3)]
    several: usize,
    /// Whether the receiver takes 50 milliseconds for each post, as a platform far away does.
    #[arg(long)]
    slow: bool,
}

pub(crate) async fn run(setup: &Setup, wanted: Wanted) -> anyhow::Result<()> {
    let one = setup.on_postgres(1)?;
    let several = one.on_postgres(wanted.several)?;
    let backings = [setup.on_file(), one, several];
    for pending in [0, wanted.pending] {
        for fan_out in [1, 100] {
            let messages = (wanted.deliveries / fan_out).max(1);
            report::title(format_args!(
                "closed loop, fan-out {fan_out}, {messages} messages, {pending} deliveries pending for a host that is down"
            ));
            head();
            for setup in &backings {
                fan(setup, fan_out, messages, pending, if wanted.slow { 's' } else { 'e' }).await?;
            }
        }
        if wanted.pending == 0 {
            return Ok(());
        }
    }
    for setup in backings.iter().take(2) {
        let messages = pending::messages(wanted.pending);
        report::title(format_args!(
            "{} deliveries pending on {}, receiver down",
            messages * pending::ENDPOINTS,
            setup.backing.name()
        ));
        pending::accepted(setup, messages).await?.kill().await?;
    }
    Ok(())
}

fn head() {
    report::line(format_args!(
        "   {:<10} {:>5} {:>12} {:>9} {:>9} {:>9} {:>10} {:>7} {:>8} {:>7} {:>8}",
        "database",
        "nodes",
        "deliveries/s",
        "p50",
        "p99",
        "CPU us",
        "statements",
        "rows",
        "message",
        "syncs",
        "bytes"
    ));
}

async fn fan(
    setup: &Setup,
    fan_out: usize,
    messages: usize,
    pending: usize,
    kind: char,
) -> anyhow::Result<()> {
    let world = World::start(setup, (ENDPOINTS / fan_out).max(1), fan_out, messages, |_| kind).await?;
    if pending > 0 {
        world.let_wait(pending).await?;
    }
    if world.database.is_some() {
        // Else what was written before is counted with what is measured.
        sleep(COUNTED).await;
    }
    let count = (messages * fan_out) as u64;
    let before = world.cost().await?;
    let start = world.receiver.ledger.now_us();
    let done = world.publish_all(0, messages, setup.connections).await?;
    let came = world.receiver.ledger.wait_for(count, PATIENCE).await;
    let elapsed = Duration::from_micros(world.receiver.ledger.last_us().saturating_sub(start));
    sleep(COUNTED).await;
    let after = world.cost().await?;
    let each = |part: fn(&Cost) -> u64| report::each(part(&after).saturating_sub(part(&before)), came);
    let counted = world.database.is_some();
    let text = |value: f64| if counted { format!("{value:.2}") } else { "-".to_owned() };
    report::line(format_args!(
        "   {:<10} {:>5} {:>12.0} {:>9} {:>9} {:>9.0} {:>10} {:>7} {:>8} {:>7.3} {:>8.0}",
        setup.backing.name(),
        setup.nodes,
        world::rate(came, elapsed),
        report::ms(report::quantile(&done.answers, 0.5)),
        report::ms(report::quantile(&done.answers, 0.99)),
        each(|cost| cost.cpu_us),
        text(each(|cost| cost.done.statements)),
        text(each(|cost| cost.done.rows)),
        text(each(|cost| cost.done.message_rows)),
        each(|cost| cost.done.syncs),
        each(|cost| cost.done.bytes),
    ));
    if came != count || world.receiver.ledger.doubled() > 0 {
        let doubled = world.receiver.ledger.doubled();
        report::figure("deliveries received", came, &format!("all of {count}, {doubled} doubled"), false);
    }
    world.kill().await
}

/// What servers and database have used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) cpu_us: u64,
    pub(crate) done: Done,
}

impl Backing {
    fn name(&self) -> &'static str {
        match self {
            Self::File => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}
