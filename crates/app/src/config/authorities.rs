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

#[cfg(test)]
mod tests {
    use super::authorities;

    #[test]
    fn a_file_that_is_not_there_or_holds_none_is_named() {
        assert!(authorities(None).is_ok());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("company-ca.pem");
        let said = || format!("{:#}", authorities(Some(&file)).unwrap_err());
        assert!(said().contains("ca-file") && said().contains("company-ca.pem"), "{}", said());
        std::fs::write(&file, "not a certificate").unwrap();
        assert!(said().contains("BEGIN CERTIFICATE") && said().contains("company-ca.pem"), "{}", said());
    }
}
