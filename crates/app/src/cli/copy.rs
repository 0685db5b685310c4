//! `carillon copy`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use carillon_model::{SecretText, SystemClock};
use carillon_store::copy::{Installation, Step, copy};
use clap::Args;

use super::say;

#[derive(Debug, Args)]
pub(crate) struct CopyFlags {
    /// What is copied: `sqlite:` and a data directory, or the URL of a PostgreSQL database
    #[arg(long, env = "CARILLON_COPY_FROM", hide_env_values = true, value_name = "DATABASE")]
    from: End,
    /// Where to, in the same form; it must be empty, or hold the beginning of the same copy
    #[arg(long, env = "CARILLON_COPY_TO", hide_env_values = true, value_name = "DATABASE")]
    to: End,
}

/// One end.
#[derive(Debug, Clone)]
struct End(Installation);

impl FromStr for End {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let mut dir = PathBuf::from(path);
            if dir.file_name().is_some_and(|name| name == "carillon.db") {
                dir.pop();
            }
            if path.is_empty() {
                return Err("a data directory must follow `sqlite:`");
            }
            return Ok(Self(Installation::Directory(dir)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self(Installation::Url(SecretText::new(text))));
        }
        Err("it must be `sqlite:` and a data directory, or a URL that begins with `postgres://`")
    }
}

/// Copies, and says what went over.
pub(crate) fn run(flags: &CopyFlags) -> anyhow::Result<ExitCode> {
    let mut told = |step: Step<'_>| match step {
        Step::Resumed => say("an earlier copy was cut short; going on where it ended"),
        Step::Went { table, rows } => say(&format!("copied    {table:<18} {rows:>10} rows")),
    };
    let copied = copy(&flags.from.0, &flags.to.0, &SystemClock, &mut told)?;
    for table in &copied {
        let sum: String = table.checksum.chars().take(16).collect();
        say(&format!("the same  {:<18} {:>10} rows  {sum}", table.table, table.rows));
    }
    say("done: give the servers on the target the source's key file, and start none on the source any more");
    Ok(ExitCode::SUCCESS)
}
