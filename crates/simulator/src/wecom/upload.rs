//! The one file of an upload.

use super::Refusal;
use crate::multipart;
use crate::verdict::Asked;

/// The largest file, in bytes.
const MOST_FILE: usize = 20 * 1024 * 1024;
/// The largest voice recording, in bytes.
const MOST_VOICE: usize = 2 * 1024 * 1024;
/// The smallest file, in bytes ("more than 5").
const LEAST: usize = 6;

/// Returns kind and name of the uploaded file, or refuses it.
pub(crate) fn read(asked: &Asked<'_>) -> Result<(String, String), Refusal> {
    let kind = asked.query("type").filter(|kind| ["file", "voice"].contains(kind));
    let kind = kind.ok_or_else(|| Refusal::new(40_004, "invalid media type"))?;
    let pieces = multipart::read(asked);
    let (name, content) =
        multipart::file(&pieces, "media").ok_or_else(|| Refusal::new(41_005, "media data missing"))?;
    let most = if kind == "voice" { MOST_VOICE } else { MOST_FILE };
    if content.len() > most || content.len() < LEAST {
        return Err(Refusal::new(40_006, "invalid file size"));
    }
    if kind == "voice" && !content.starts_with(b"#!AMR") {
        return Err(Refusal::new(40_005, "invalid file type"));
    }
    Ok((kind.to_owned(), name.to_owned()))
}
