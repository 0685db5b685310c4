//! `carillon completion`.

use std::process::ExitCode;

use clap::{Args, CommandFactory};

#[derive(Debug, Args)]
pub(crate) struct CompletionFlags {
    /// Which shell
    shell: clap_complete::Shell,
}

/// Prints the script.
pub(crate) fn run(flags: &CompletionFlags) -> ExitCode {
    clap_complete::generate(flags.shell, &mut super::Cli::command(), "carillon", &mut std::io::stdout());
    ExitCode::SUCCESS
}
