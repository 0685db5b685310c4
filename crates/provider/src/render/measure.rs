//! How many bytes a text takes in a request.

/// Bytes of a text as raw UTF-8, the way `WeCom` counts `content` (`WeCom` group robot, message types).
#[must_use]
pub(crate) fn raw_bytes(text: &str) -> usize {
    text.len()
}

/// Bytes of a text inside a compact JSON string without its quotes and with non-ASCII raw, the way `DingTalk` and
/// Lark count a whole body (`DingTalk` custom robot, limits; Lark custom bot guide, limits).
#[must_use]
pub(crate) fn json_bytes(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0x00..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{json_bytes, raw_bytes};

    #[test]
    fn bytes_are_those_of_the_request() {
        assert_eq!(raw_bytes("汉😀"), 7);
        assert_eq!(json_bytes("汉😀"), 7);
        assert_eq!(json_bytes("a\"b\\c\n\r\t\u{8}\u{c}"), 17);
        assert_eq!(json_bytes("\u{0}\u{1b}\u{7f}"), 13);
    }
}
