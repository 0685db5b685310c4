//! `carillon migrate`.

use std::process::ExitCode;
use std::sync::Arc;

use carillon_model::{SystemChance, SystemClock};
use carillon_store::{Standing, Store};
use clap::Args;

use super::say;
use crate::config::StoreFlags;

#[derive(Debug, Args)]
pub(crate) struct MigrateFlags {
    #[command(flatten)]
    store: StoreFlags,
    /// Only say what would be done; the exit code is 1 when there is something to do
    #[arg(long)]
    check: bool,
}

/// Brings the database to this program's version, or says what that would do.
pub(crate) fn run(flags: MigrateFlags) -> anyhow::Result<ExitCode> {
    let settings = flags.store.load()?;
    if flags.check {
        let standing = Store::look(&settings)?;
        say(&would(&standing));
        return Ok(ExitCode::from(u8::from(!standing.migrations.is_empty())));
    }
    let standing = Store::migrate(&settings, Arc::new(SystemClock), Arc::new(SystemChance))?;
    standing.migrations.iter().for_each(|name| say(&format!("applied {name}")));
    say(&is(&standing));
    Ok(ExitCode::SUCCESS)
}

fn would(standing: &Standing) -> String {
    match standing.migrations.as_slice() {
        [] => is(standing),
        names => format!(
            "the database is at version {}, this program's is {}; to be applied: {}",
            standing.version,
            standing.known,
            names.join(", ")
        ),
    }
}

fn is(standing: &Standing) -> String {
    if standing.version > standing.known {
        return format!(
            "the database is at version {}; this program, of version {}, can serve it",
            standing.version, standing.known
        );
    }
    format!("the database is at version {}, as this program", standing.version)
}
