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

/// A delivery is many small pieces of memory; this allocator takes a tenth less processor time for them than the C library's
/// (docs/performance.md). SQLite and other code in C has it, too (its feature `override`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
