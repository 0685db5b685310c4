//! Another master key, for the installation's operator.

use carillon_model::audit::Deed;
use carillon_store::rotation::{KeyUse, Resealed, Retired, RotationBegun};

use crate::error::Error;
use crate::{Caller, Service};

/// What is wrong with the key file is for the operator to read; everything else is as it is elsewhere.
fn told(error: carillon_store::Error) -> Error {
    match error {
        carillon_store::Error::Setup(text) => Error::KeyFile(text),
        error @ (carillon_store::Error::Unavailable(_)
        | carillon_store::Error::Unpurged
        | carillon_store::Error::Corrupt { .. }
        | carillon_store::Error::Sealed(_)
        | carillon_store::Error::Conflict) => error.into(),
    }
}

impl Service {
    /// The master keys, oldest first, with how many values each has sealed.
    ///
    /// # Errors
    /// When the caller is not the operator, or the key file cannot be read.
    pub async fn master_keys(&self, caller: &Caller) -> Result<Vec<KeyUse>, Error> {
        caller.may_operate()?;
        self.store.key_list().await.map_err(told)
    }

    /// Makes a new master key the one that seals, or finds that an earlier rotation must be finished first. Tells whether
    /// a new one seals.
    ///
    /// # Errors
    /// When the caller is not the operator, the key file cannot be written, or other servers need the new key first.
    pub async fn begin_rotation(&self, caller: &Caller) -> Result<bool, Error> {
        caller.may_operate()?;
        let store = self.acting(caller, Deed::MasterKeyRotate, &"master key");
        match store.rotation_begin().await.map_err(told)? {
            RotationBegun::New => Ok(true),
            RotationBegun::Continues => Ok(false),
            RotationBegun::NoNewKey => Err(Error::NoNewKey),
        }
    }

    /// Seals a portion anew.
    ///
    /// # Errors
    /// When the caller is not the operator, or the store fails.
    pub async fn step_rotation(&self, caller: &Caller, after: Option<&str>) -> Result<Resealed, Error> {
        caller.may_operate()?;
        self.store.rotation_step(after).await.map_err(told)
    }

    /// Takes what old keys have sealed out of the files, and tells how many values they have sealed still.
    ///
    /// # Errors
    /// When the caller is not the operator, or the store fails.
    pub async fn end_rotation(&self, caller: &Caller) -> Result<u64, Error> {
        caller.may_operate()?;
        self.store.rotation_end().await.map_err(told)
    }

    /// Takes the old keys out of the key file, and tells which went.
    ///
    /// # Errors
    /// When the caller is not the operator, something is sealed by them still, or the key file cannot be written.
    pub async fn retire_master_keys(&self, caller: &Caller) -> Result<Vec<String>, Error> {
        caller.may_operate()?;
        let store = self.acting(caller, Deed::MasterKeyRetire, &"master key");
        match store.key_retire().await.map_err(told)? {
            Retired::Done(gone) => Ok(gone),
            Retired::InUse(left) => Err(Error::KeysInUse(left)),
        }
    }
}
