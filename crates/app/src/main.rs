//! The carillon program: picks the command.

mod cli;
mod config;
mod delivery_log;
mod install;
mod log;
mod meter;
mod run;
mod shelf;
mod wire;

use std::process::ExitCode;

/// A delivery is some forty small pieces of memory. This allocator hands out first what was given back last, which is still in
/// the processor's caches (docs/adr/0042). SQLite and other code in C has it, too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // A second provider of cryptography could be compiled in by a dependency; this one is meant.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return cli::fail("the cryptography is set up already");
    }
    let command = cli::Cli::read();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&format!("no threads can be started: {error}")),
    };
    runtime.block_on(cli::run(command))
}
