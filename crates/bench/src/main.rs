//! Measures Carillon on this machine: a publisher, the server as its own process, a receiver. Every delivery is
//! checked by its number, and throughput is told beside what the same harness reaches when it posts straight to the
//! receiver in the same run, because machines differ and are noisy.
//!
//! ```text
//! scripts/bench                       every scenario, some minutes
//! scripts/bench fan --fan-out 100     one of them
//! ```

mod http;
mod ledger;
mod postgres;
mod receiver;
mod report;
mod scenario;
mod server;
mod straight;
mod world;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::scenario::{
    crash, fan, idle, lanes, latency, neighbours, overload, pending, retention, scale, subscribers,
};

/// Measures Carillon on this machine.
#[derive(Debug, Parser)]
#[command(name = "carillon-bench", version)]
struct Arguments {
    /// The server's program; the one beside this program when not given.
    #[arg(long, value_name = "FILE", global = true)]
    server: Option<PathBuf>,
    /// More flags for the server, separated by spaces.
    #[arg(long, value_name = "FLAGS", global = true, allow_hyphen_values = true, default_value = "")]
    flags: String,
    /// What kind of address the deliveries go to.
    #[arg(long, value_enum, global = true, default_value_t = world::Kind::Robot)]
    to: world::Kind,
    /// How many requests the harness has under way at once.
    #[arg(long, value_name = "COUNT", global = true, default_value_t = 64)]
    connections: usize,
    /// Where the server keeps everything: `sqlite`, `postgres` (a server of this run's own) or a server's URL.
    #[arg(long, value_name = "DATABASE", global = true, default_value = "sqlite")]
    database: String,
    /// How many servers share the PostgreSQL database.
    #[arg(long, value_name = "COUNT", global = true, default_value_t = 1)]
    nodes: usize,
    /// What to measure; everything when not given.
    #[command(subcommand)]
    scenario: Option<Scenario>,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Closed loop: how many deliveries a second at a fan-out.
    Fan(fan::Wanted),
    /// Open loop at 50 messages a second: from publishing to the receiver.
    Latency(latency::Wanted),
    /// 100 endpoints of which one hangs, one refuses, one is limited.
    Neighbours(neighbours::Wanted),
    /// kill -9 under load, restart: what is lost, what is doubled, how long it takes.
    Crash(crash::Wanted),
    /// More than can be delivered: how long an accepting answer takes.
    Overload(overload::Wanted),
    /// Many deliveries pending: memory, accept rate, start.
    Pending(pending::Wanted),
    /// Messages too old to be kept: how others fare while they are forgotten, in a file.
    Retention(retention::Wanted),
    /// SQLite beside PostgreSQL with one server and with several.
    Scale(scale::Wanted),
    /// 10,000 subscriptions in a topic beside one: adding, listing, and the accepting answer.
    TenThousand(subscribers::Wanted),
    /// Many addresses: memory for each while something waits for it, and while nothing does.
    Lanes(lanes::Wanted),
    /// Nothing to do: how much of a processor that takes.
    Idle(idle::Wanted),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let beside = || Some(std::env::current_exe().ok()?.with_file_name("carillon"));
    let program = arguments.server.or_else(beside).context("the server's program is not known: --server")?;
    let setup = world::Setup {
        program,
        flags: arguments.flags.split_whitespace().map(str::to_owned).collect(),
        connections: arguments.connections,
        to: arguments.to,
        backing: world::Backing::named(&arguments.database)?,
        nodes: if arguments.database == "sqlite" { 1 } else { arguments.nodes.max(1) },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(setup, arguments.scenario))
}

async fn run(setup: world::Setup, scenario: Option<Scenario>) -> anyhow::Result<()> {
    report::machine();
    match scenario {
        Some(Scenario::Fan(wanted)) => fan::run(&setup, wanted).await,
        Some(Scenario::Latency(wanted)) => latency::run(&setup, wanted).await,
        Some(Scenario::Neighbours(wanted)) => neighbours::run(&setup, wanted).await,
        Some(Scenario::Crash(wanted)) => crash::run(&setup, wanted).await,
        Some(Scenario::Overload(wanted)) => overload::run(&setup, wanted).await,
        Some(Scenario::Pending(wanted)) => pending::run(&setup, wanted).await,
        Some(Scenario::Retention(wanted)) => retention::run(&setup, wanted).await,
        Some(Scenario::Scale(wanted)) => scale::run(&setup, wanted).await,
        Some(Scenario::TenThousand(wanted)) => subscribers::run(&setup, wanted).await,
        Some(Scenario::Lanes(wanted)) => lanes::run(&setup, wanted).await,
        Some(Scenario::Idle(wanted)) => idle::run(&setup, wanted).await,
        None => {
            for fan_out in [1, 100, 1000] {
                fan::run(&setup, fan::Wanted::of(fan_out)).await?;
            }
            subscribers::run(&setup, subscribers::Wanted::default()).await?;
            latency::run(&setup, latency::Wanted::default()).await?;
            neighbours::run(&setup, neighbours::Wanted::default()).await?;
            crash::run(&setup, crash::Wanted::default()).await?;
            overload::run(&setup, overload::Wanted::default()).await?;
            pending::run(&setup, pending::Wanted::default()).await?;
            idle::run(&setup, idle::Wanted::default()).await
        }
    }
}
