//! The first start's credentials, written to a file that only the operator can read, and nowhere else.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use carillon_service::Service;
use carillon_service::install::{ADMINISTRATOR, Credentials, Preset};
use serde::{Deserialize, Serialize};

/// What stands in `bootstrap.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bootstrap {
    pub(crate) project_id: String,
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) token: String,
    pub(crate) admin: Administrator,
}

/// The first administrator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Administrator {
    pub(crate) name: String,
    pub(crate) password: String,
}

/// Where the credentials stand.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("bootstrap.json")
}

/// Reads the credentials, if this user may.
pub(crate) fn read(data_dir: &Path) -> Option<Bootstrap> {
    serde_json::from_str(&std::fs::read_to_string(path(data_dir)).ok()?).ok()
}

/// Makes the first project, administrator and keys when there are none yet.
///
/// # Errors
/// When the file or the store cannot be written.
pub(crate) async fn install(service: &Service, preset: Preset, data_dir: &Path) -> anyhow::Result<()> {
    let path = path(data_dir);
    let region = service.region().to_owned();
    let made = service.install(preset, |credentials| write(&path, &region, credentials)).await??;
    if made.is_some() {
        tracing::info!(file = %path.display(), "first start: the project, the administrator and the keys are in this file");
    }
    Ok(())
}

fn write(path: &Path, region: &str, credentials: &Credentials) -> anyhow::Result<()> {
    let bootstrap = Bootstrap {
        project_id: credentials.project.to_string(),
        region: region.to_owned(),
        access_key: credentials.access_key.clone(),
        secret_key: credentials.secret_key.reveal().to_owned(),
        token: credentials.token.reveal().to_owned(),
        admin: Administrator {
            name: ADMINISTRATOR.to_owned(),
            password: credentials.password.reveal().to_owned(),
        },
    };
    let text = serde_json::to_string_pretty(&bootstrap)? + "\n";
    let shown = path.display();
    // A file from a first start that was cut short holds credentials that were never stored.
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("{shown} cannot be made"))?;
    file.write_all(text.as_bytes()).with_context(|| format!("{shown} cannot be written"))?;
    file.sync_all().with_context(|| format!("{shown} cannot be written"))
}
