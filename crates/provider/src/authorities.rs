//! Certificate authorities that are trusted beside those of the machine: a company's own, behind which its web hooks and
//! its mail relay stand.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Certificates of authorities; none by default.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Arc<[CertificateDer<'static>]>);

impl Authorities {
    /// Reads PEM text with one certificate or more.
    ///
    /// # Errors
    /// When there is none in it, or one cannot be read; the sentence says what would be right.
    pub fn parse(pem: &[u8]) -> Result<Self, String> {
        const FORM: &str = "must hold certificates in PEM form, -----BEGIN CERTIFICATE----- and so on";
        let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_broken| FORM.to_owned())?;
        if found.is_empty() {
            return Err(FORM.to_owned());
        }
        let mut store = RootCertStore::empty();
        for (at, certificate) in found.iter().enumerate() {
            let added = store.add(certificate.clone());
            added.map_err(|_broken| format!("holds something as certificate {} that is none", at + 1))?;
        }
        Ok(Self(found.into()))
    }

    /// Each certificate in DER form.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::Authorities;

    #[test]
    fn only_certificates_are_taken() {
        let none: [&[u8]; 4] = [
            b"",
            b"certificate",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ];
        for pem in none {
            let said = Authorities::parse(pem).unwrap_err();
            assert!(said.contains("certificate"), "{said}");
        }
        let broken = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(Authorities::parse(broken).is_err());
        assert_eq!(Authorities::default().iter().count(), 0);
    }
}
