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
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut super::Cli::command(), "carillon", &mut script);
    super::say(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
