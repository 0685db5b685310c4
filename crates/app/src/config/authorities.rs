//! The file of certificate authorities.

use std::path::Path;

use anyhow::Context;
use carillon_provider::Authorities;

/// Reads the file, if one is set.
///
/// # Errors
/// When it cannot be read or holds no certificates.
pub(crate) fn authorities(file: Option<&Path>) -> anyhow::Result<Authorities> {
    let Some(file) = file else { return Ok(Authorities::default()) };
    let pem = std::fs::read(file).with_context(|| format!("ca-file: {} cannot be read", file.display()))?;
    Authorities::parse(&pem).map_err(|rule| anyhow::anyhow!("ca-file: {} {rule}", file.display()))
}
