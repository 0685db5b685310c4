//! A mail taken apart: headers unfolded and decoded (RFC 5322, RFC 2047), bodies by their encoding (RFC 2045, 2046).

use data_encoding::BASE64;
use serde_json::{Map, Value};

/// How deep parts may hold parts.
const DEPTH_MAX: usize = 4;

/// A mail as its reader sees it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    /// The plain text.
    pub(crate) text: String,
    /// The HTML.
    pub(crate) html: String,
}

impl Decoded {
    /// Takes a mail apart; nothing when its form is broken.
    pub(crate) fn read(source: &str) -> Option<Self> {
        let (headers, body) = split(source)?;
        let mut mail = Self { headers, ..Self::default() };
        let headers = mail.headers.clone();
        mail.read_part(&headers, body, 0)?;
        for (_name, value) in &mut mail.headers {
            *value = words(value)?;
        }
        Some(mail)
    }

    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// How often a header stands there.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(other, _)| other == name).count()
    }

    /// The headers as JSON; of those that stand there twice, all values in a list.
    pub(crate) fn headers_json(&self) -> Value {
        let mut shown = Map::new();
        for (name, value) in &self.headers {
            let value = Value::from(value.as_str());
            match shown.get_mut(name) {
                None => {
                    shown.insert(name.clone(), value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(single) => *single = Value::from(vec![single.take(), value]),
            }
        }
        shown.into()
    }

    fn read_part(&mut self, headers: &[(String, String)], body: &str, depth: usize) -> Option<()> {
        let kind = find(headers, "content-type").unwrap_or("text/plain");
        let (name, parameters) = kind.split_once(';').unwrap_or((kind, ""));
        let name = name.trim().to_ascii_lowercase();
        if name.starts_with("multipart/") {
            let boundary = parameter(parameters, "boundary").filter(|_| depth < DEPTH_MAX)?;
            for part in parts(body, &boundary)? {
                let (headers, body) = split(part)?;
                self.read_part(&headers, body, depth + 1)?;
            }
            return Some(());
        }
        let charset = parameter(parameters, "charset").unwrap_or_else(|| "us-ascii".to_owned());
        if !matches!(charset.to_ascii_lowercase().as_str(), "utf-8" | "us-ascii") {
            return None;
        }
        let encoding = find(headers, "content-transfer-encoding").unwrap_or("7bit").to_ascii_lowercase();
        let text = match encoding.as_str() {
            "7bit" if body.is_ascii() => body.to_owned(),
            "8bit" => body.to_owned(),
            "base64" => base64(body)?,
            "quoted-printable" => quoted_printable(body)?,
            _ => return None,
        };
        let text = text.replace("\r\n", "\n");
        match name.as_str() {
            "text/plain" => self.text.push_str(&text),
            "text/html" => self.html.push_str(&text),
            _ => {}
        }
        Some(())
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// Headers, unfolded, and what follows them.
fn split(source: &str) -> Option<(Vec<(String, String)>, &str)> {
    let (head, body) = match source.strip_prefix("\r\n") {
        Some(body) => ("", body),
        None => source.split_once("\r\n\r\n").unwrap_or((source, "")),
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            let (_name, value) = headers.last_mut()?;
            value.push_str(line);
            continue;
        }
        let (name, value) = line.split_once(':')?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        headers.push((name.to_ascii_lowercase(), value.trim_start().to_owned()));
    }
    Some((headers, body))
}

fn parameter(parameters: &str, name: &str) -> Option<String> {
    let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let found =
        pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim_matches('"').to_owned())
}

/// The parts between the lines that a boundary makes; the last one must be closed.
fn parts<'a>(body: &'a str, boundary: &str) -> Option<Vec<&'a str>> {
    let mark = format!("--{boundary}");
    let (mut found, mut start, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive("\r\n") {
        let text = line.trim_end_matches("\r\n");
        if text == mark || text.strip_suffix("--") == Some(mark.as_str()) {
            if let Some(start) = start {
                // The line end before the mark belongs to the mark.
                let part: &str = body.get(start..at)?;
                found.push(part.strip_suffix("\r\n").unwrap_or(part));
            }
            start = Some(at + line.len());
            if text != mark {
                return Some(found);
            }
        }
        at += line.len();
    }
    None
}

fn base64(body: &str) -> Option<String> {
    let packed: String = body.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    String::from_utf8(BASE64.decode(packed.as_bytes()).ok()?).ok()
}

fn quoted_printable(body: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(body.len()), body.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            bytes.push(*first);
        } else if let Some(after) = rest.strip_prefix(b"\r\n") {
            rest = after;
        } else {
            let (pair, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Decodes the encoded words of a header; blanks between two of them are none.
fn words(value: &str) -> Option<String> {
    let (mut out, mut rest, mut after_word) = (String::new(), value, false);
    while let Some((before, tail)) = rest.split_once("=?") {
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        let mut pieces = tail.splitn(3, '?');
        let (charset, way, tail) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let (text, tail) = tail.split_once("?=")?;
        if !charset.eq_ignore_ascii_case("utf-8") {
            return None;
        }
        out.push_str(&match way {
            "b" | "B" => base64(text)?,
            "q" | "Q" => quoted_printable(&text.replace('_', " "))?,
            _ => return None,
        });
        (rest, after_word) = (tail, true);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{Decoded, words};

    #[test]
    fn a_mail_is_taken_apart() {
        let source = "Subject: =?utf-8?b?56OB?=\r\n =?UTF-8?Q?=E7=9B=98_90?=\r\nX: 1\r\nX: 2\r\n\
                      Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\n\
                      Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                      =E7=A3=81 90=\r\n%\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\
                      Content-Transfer-Encoding: base64\r\n\r\nPHA+eA==\r\n--b--\r\n";
        let mail = Decoded::read(source).unwrap();
        assert_eq!(
            (mail.header("subject"), mail.text.as_str(), mail.html.as_str()),
            (Some("磁盘 90"), "磁 90%", "<p>x")
        );
        assert_eq!((mail.count("x"), mail.headers_json()["x"][1].as_str()), (2, Some("2")));
    }

    #[test]
    fn broken_forms_are_none() {
        for broken in [
            "no colon\r\n\r\nx",
            " folded first\r\n\r\nx",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx",
            "Content-Transfer-Encoding: base64\r\n\r\n!",
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n=4",
            "Content-Type: text/plain; charset=gbk\r\n\r\nx",
            "Subject: =?utf-8?b?!!?=\r\n\r\nx",
        ] {
            assert_eq!(Decoded::read(broken), None, "{broken}");
        }
        assert_eq!(words("a =?utf-8?q?b?= c").as_deref(), Some("a b c"));
    }
}
