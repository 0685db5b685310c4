//! Where the lines of the delivery log go: a file that only its owner reads, or standard output.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use carillon_engine::DeliveryLog;

/// What stands for standard output.
const STDOUT: &str = "-";

/// The log that the operator wants.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn open(place: Option<&PathBuf>) -> anyhow::Result<DeliveryLog> {
    let Some(path) = place.cloned() else { return Ok(DeliveryLog::default()) };
    if path.as_os_str() == STDOUT {
        return Ok(DeliveryLog::new(Arc::new(|lines| {
            let mut out = std::io::stdout().lock();
            out.write_all(lines.as_bytes())?;
            out.flush()
        })));
    }
    // Opened for each batch, so that a file that was moved away is made anew.
    let write = move |lines: &str| {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.write_all(lines.as_bytes())
    };
    write("").context("the delivery log cannot be written")?;
    Ok(DeliveryLog::new(Arc::new(write)))
}

#[cfg(test)]
mod tests {
    use super::open;

    #[test]
    fn a_place_that_cannot_be_written_stops_the_start() {
        let dir = tempfile::tempdir().unwrap();
        assert!(open(Some(&dir.path().join("none").join("log"))).is_err());
        assert!(open(Some(&dir.path().join("log"))).is_ok() && dir.path().join("log").exists());
        assert!(open(None).is_ok());
    }
}
