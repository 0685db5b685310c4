//! The key that signs what web endpoints get, sealed, and the certificates by which they check it.

use carillon_model::SecretText;
use carillon_model::id::CertificateId;
use zeroize::Zeroizing;

use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::vault::{Place, Vault};

/// A signing key with its certificate.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The certificate's id, which stands in its name.
    pub id: CertificateId,
    /// The private key: PKCS#8 in base64.
    pub private_key: SecretText,
    /// The certificate, PEM.
    pub certificate: String,
}

const NEWEST: &str =
    "SELECT id, sealed_key, certificate FROM signing_key ORDER BY created_at DESC, id DESC LIMIT 1";

pub(crate) fn place(id: &str) -> Place<'_> {
    Place { table: "signing_key", row: id, column: "sealed_key" }
}

fn read(vault: &Vault, mut row: Row) -> Result<SigningKey, Error> {
    let id = row.parsed(|text| CertificateId::parse(text).ok())?;
    let plain = vault.open_sealed(place(&id.to_string()), &row.bytes()?)?;
    let text = std::str::from_utf8(&plain).map_err(|_utf8| row.corrupt("the key is no text"))?;
    Ok(SigningKey { id, private_key: text.into(), certificate: row.text()? })
}

impl Store {
    /// The newest signing key.
    ///
    /// # Errors
    /// When the store cannot be read or the key not be opened.
    pub async fn signing_key_find(&self) -> Result<Option<SigningKey>, Error> {
        let row = self.db.read(|tx: &mut Tx<'_>| tx.query_one("signing_key", NEWEST, &[])).await?;
        row.map(|row| read(&self.vault, row)).transpose()
    }

    /// Keeps a signing key where there is none yet, and gives the one that is there afterwards: of several that are
    /// made at once, one stays.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn signing_key_add(&self, key: SigningKey) -> Result<SigningKey, Error> {
        let now = self.clock.now();
        let id = key.id.to_string();
        let plain = Zeroizing::new(key.private_key.reveal().as_bytes().to_vec());
        let (vault, chance) = (self.vault.clone(), self.chance.clone());
        let add = move |tx: &mut Tx<'_>| {
            crate::key_check::follow(tx, &vault)?;
            let sealed = vault.seal(place(&id), &plain, chance.as_ref())?;
            tx.execute(
                "INSERT INTO signing_key (id, sealed_key, certificate, created_at)
                 SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM signing_key)",
                params![id, sealed, key.certificate, now],
            )?;
            tx.query_one("signing_key", NEWEST, &[])
        };
        let row = self.db.write(add).await?.ok_or(Error::Conflict)?;
        read(&self.vault, row)
    }

    /// The certificate of an id, PEM.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn certificate_find(&self, id: CertificateId) -> Result<Option<String>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT certificate FROM signing_key WHERE id = $1";
            tx.query_one("signing_key", sql, params![id.to_string()])
        };
        self.db.read(find).await?.map(|mut row| row.text()).transpose()
    }
}
