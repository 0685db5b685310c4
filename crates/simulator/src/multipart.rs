//! Reading the parts of a form with files.

use crate::verdict::Asked;

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Its field.
    pub(crate) field: String,
    /// The name of the file, if it is one.
    pub(crate) file: Option<String>,
    /// What it holds.
    pub(crate) content: &'a [u8],
}

/// The parts of a request's body; none when it is no such form.
pub(crate) fn read<'a>(asked: &Asked<'a>) -> Vec<Piece<'a>> {
    let boundary = asked.header("content-type").and_then(boundary);
    boundary.and_then(|boundary| pieces(asked.body, &boundary)).unwrap_or_default()
}

/// The file in a field.
pub(crate) fn file<'p, 'a>(pieces: &'p [Piece<'a>], field: &str) -> Option<(&'p str, &'a [u8])> {
    let piece = pieces.iter().find(|piece| piece.field == field && piece.file.is_some())?;
    Some((piece.file.as_deref()?, piece.content))
}

/// What a field holds, whether it says that it is a file or not: some clients leave the name out.
pub(crate) fn content<'p, 'a>(pieces: &'p [Piece<'a>], field: &str) -> Option<(Option<&'p str>, &'a [u8])> {
    let piece = pieces.iter().find(|piece| piece.field == field)?;
    Some((piece.file.as_deref(), piece.content))
}

/// The text in a field.
pub(crate) fn text<'a>(pieces: &[Piece<'a>], field: &str) -> Option<&'a str> {
    let piece = pieces.iter().find(|piece| piece.field == field)?;
    std::str::from_utf8(piece.content).ok().filter(|text| !text.is_empty())
}

fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next().filter(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))?;
    let value = parts.find_map(|part| part.strip_prefix("boundary="))?.trim_matches('"');
    (!value.is_empty()).then(|| format!("--{value}"))
}

fn pieces<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Piece<'a>>> {
    let mut rest = after(body, boundary.as_bytes())?;
    let end = format!("\r\n{boundary}");
    let mut pieces = Vec::new();
    while let Some(start) = rest.strip_prefix(b"\r\n") {
        let head_ends = find(start, b"\r\n\r\n")?;
        let (head, content) = (start.get(..head_ends)?, start.get(head_ends + 4..)?);
        let content_ends = find(content, end.as_bytes())?;
        let head = String::from_utf8_lossy(head);
        let value = |name: &str| {
            let (_, tail) = head.split_once(&format!("{name}=\""))?;
            tail.split_once('"').map(|(value, _)| value.to_owned())
        };
        // The one name stands within the other.
        let field = value("; name").or_else(|| value(" name")).unwrap_or_default();
        let content = content.get(..content_ends)?;
        pieces.push(Piece { field, file: value("filename"), content });
        rest = start.get(head_ends + 4 + content_ends + end.len()..)?;
    }
    Some(pieces)
}

fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    bytes.get(find(bytes, mark)? + mark.len()..)
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let first = *mark.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(mark) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_found() {
        let body =
            b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\nContent-Disposition: \
form-data; name=\"media\"; filename=\"a.txt\"\r\n\r\nhello!\r\n--b--\r\n";
        let mark = boundary("multipart/form-data; boundary=\"b\"").unwrap();
        let pieces = pieces(body, &mark).unwrap();
        assert_eq!(file(&pieces, "media"), Some(("a.txt", &b"hello!"[..])));
        assert_eq!((text(&pieces, "x"), file(&pieces, "x")), (Some("1"), None));
        assert_eq!(super::pieces(b"--b--", &mark), Some(Vec::new()));
        assert_eq!(boundary("application/json"), None);
    }
}
