//! Reading the one file of an upload out of its multipart body.

use super::Refusal;
use crate::verdict::Asked;

/// The largest file, in bytes; the simulator's own bound on bodies is smaller and binds first.
const MOST_FILE: usize = 20 * 1024 * 1024;
/// The largest voice recording, in bytes.
const MOST_VOICE: usize = 2 * 1024 * 1024;
/// The smallest file, in bytes ("more than 5").
const LEAST: usize = 6;

/// Returns kind and name of the uploaded file, or refuses it.
pub(crate) fn read(asked: &Asked<'_>) -> Result<(String, String), Refusal> {
    let kind = asked.query("type").filter(|kind| ["file", "voice"].contains(kind));
    let kind = kind.ok_or_else(|| Refusal::new(40_004, "invalid media type"))?;
    let missing = || Refusal::new(41_005, "media data missing");
    let boundary = asked.header("content-type").and_then(boundary).ok_or_else(missing)?;
    let (name, content) = media(asked.body, &boundary).ok_or_else(missing)?;
    let most = if kind == "voice" { MOST_VOICE } else { MOST_FILE };
    if content.len() > most || content.len() < LEAST {
        return Err(Refusal::new(40_006, "invalid file size"));
    }
    if kind == "voice" && !content.starts_with(b"#!AMR") {
        return Err(Refusal::new(40_005, "invalid file type"));
    }
    Ok((kind.to_owned(), name))
}

fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next().filter(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))?;
    let value = parts.find_map(|part| part.strip_prefix("boundary="))?.trim_matches('"');
    (!value.is_empty()).then(|| format!("--{value}"))
}

/// Finds the part named `media` that has a file name.
fn media<'a>(body: &'a [u8], boundary: &str) -> Option<(String, &'a [u8])> {
    let mut rest = after(body, boundary.as_bytes())?;
    let end = format!("\r\n{boundary}");
    while let Some(start) = rest.strip_prefix(b"\r\n") {
        let head_ends = find(start, b"\r\n\r\n")?;
        let (head, content) = (start.get(..head_ends)?, start.get(head_ends + 4..)?);
        let content_ends = find(content, end.as_bytes())?;
        let head = String::from_utf8_lossy(head);
        if head.contains("name=\"media\"")
            && let Some(name) = head.split_once("filename=\"").and_then(|(_, tail)| tail.split_once('"'))
        {
            return Some((name.0.to_owned(), content.get(..content_ends)?));
        }
        rest = content.get(content_ends + end.len()..)?;
    }
    None
}

fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    bytes.get(find(bytes, mark)? + mark.len()..)
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_part_is_found() {
        let body =
            b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\nContent-Disposition: \
form-data; name=\"media\"; filename=\"a.txt\"\r\n\r\nhello!\r\n--b--\r\n";
        let mark = boundary("multipart/form-data; boundary=\"b\"").unwrap();
        assert_eq!(media(body, &mark), Some(("a.txt".to_owned(), &b"hello!"[..])));
        assert_eq!(media(b"--b--", &mark), None);
        assert_eq!(boundary("application/json"), None);
    }
}
