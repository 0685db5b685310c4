//! The first start: makes a project, an administrator and a key pair, once.

use carillon_model::SecretText;
use carillon_model::id::ProjectId;
use carillon_store::account::Installation;
use data_encoding::BASE32_NOPAD;

use crate::error::Error;
use crate::{Service, password};

/// The first administrator's name.
pub const ADMINISTRATOR: &str = "admin";

/// What an operator may decide beforehand; the rest is made up at random.
#[derive(Debug, Clone, Default)]
pub struct Preset {
    /// The project's id.
    pub project: Option<ProjectId>,
    /// The access key.
    pub access_key: Option<String>,
    /// Its secret.
    pub secret_key: Option<SecretText>,
    /// A token without end.
    pub token: Option<SecretText>,
    /// The administrator's password.
    pub password: Option<SecretText>,
}

/// What was made, to be written to a file that only the operator can read.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The project.
    pub project: ProjectId,
    /// The access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: SecretText,
    /// The token without end.
    pub token: SecretText,
    /// The administrator's password.
    pub password: SecretText,
}

impl Service {
    /// Makes the first project, administrator and keys when there are none yet. `keep` is given them to write down
    /// before anything is stored, so that they are never lost in between.
    ///
    /// # Errors
    /// When nothing can be stored, or `keep` fails.
    pub async fn install<E>(
        &self,
        preset: Preset,
        keep: impl FnOnce(&Credentials) -> Result<(), E> + Send,
    ) -> Result<Result<Option<Credentials>, E>, Error> {
        if self.store.is_installed().await? {
            return Ok(Ok(None));
        }
        let now = self.clock.now();
        let credentials = Credentials {
            project: preset.project.unwrap_or_else(|| ProjectId::new(now, self.chance.as_ref())),
            access_key: preset.access_key.unwrap_or_else(|| self.access_key()),
            secret_key: preset.secret_key.unwrap_or_else(|| self.secret()),
            token: preset.token.unwrap_or_else(|| self.secret()),
            password: preset.password.unwrap_or_else(|| self.secret()),
        };
        if let Err(error) = keep(&credentials) {
            return Ok(Err(error));
        }
        let (password, chance) = (credentials.password.clone(), self.chance.clone());
        let hash = tokio::task::spawn_blocking(move || password::hash(&password, chance.as_ref()));
        let password_hash = hash.await.map_err(|_cancelled| {
            Error::Unavailable(carillon_store::Error::Unavailable("the server is stopping".to_owned()))
        })?;
        let installation = Installation {
            project: credentials.project.clone(),
            project_name: self.region.to_string(),
            account_name: ADMINISTRATOR.to_owned(),
            password_hash,
            access_key: credentials.access_key.clone(),
            secret_key: credentials.secret_key.clone(),
            token: Some(credentials.token.clone()),
        };
        let made = self.store.install(installation).await?;
        Ok(Ok(made.then_some(credentials)))
    }

    /// Twenty capital letters and digits, as access keys look.
    pub(crate) fn access_key(&self) -> String {
        let mut bytes = [0_u8; 12];
        self.chance.fill(&mut bytes);
        format!("C{}", BASE32_NOPAD.encode(&bytes).chars().take(19).collect::<String>())
    }
}
