//! What an operator decides for the first start. Only from the environment: flags can be read by every user of a
//! machine.

use anyhow::bail;
use carillon_model::SecretText;
use carillon_model::id::ProjectId;
use carillon_service::install::Preset;

/// Reads `CARILLON_BOOTSTRAP_PROJECT_ID`, `_AK`, `_SK`, `_TOKEN` and `_ADMIN_PASSWORD`.
///
/// # Errors
/// When one of them breaks its rule.
pub(crate) fn preset() -> anyhow::Result<Preset> {
    let project = match read("CARILLON_BOOTSTRAP_PROJECT_ID") {
        Some(id) => Some(ProjectId::parse(&id)?),
        None => None,
    };
    let access_key = read("CARILLON_BOOTSTRAP_AK");
    if let Some(key) = &access_key {
        let fits = (8..=128).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !fits {
            bail!("CARILLON_BOOTSTRAP_AK must be 8 to 128 letters, digits, hyphens or underscores");
        }
    }
    Ok(Preset {
        project,
        access_key,
        secret_key: secret("CARILLON_BOOTSTRAP_SK")?,
        token: secret("CARILLON_BOOTSTRAP_TOKEN")?,
        password: secret("CARILLON_BOOTSTRAP_ADMIN_PASSWORD")?,
    })
}

fn secret(name: &str) -> anyhow::Result<Option<SecretText>> {
    match read(name) {
        Some(text) if text.len() < 8 => bail!("{name} must be at least 8 characters long"),
        text => Ok(text.map(SecretText::from)),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
