//! Cutting text by bytes without breaking a character.

/// The longest beginning of `text` that fits `bytes_max` bytes and ends between two characters.
#[must_use]
pub fn prefix(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// `text` in at most `bytes_max` bytes, with `…` at the end when something had to go.
#[must_use]
pub fn shorten(text: &str, bytes_max: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    if bytes_max < MARK.len() {
        return String::new();
    }
    format!("{}{MARK}", prefix(text, bytes_max - MARK.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{prefix, shorten};

    #[test]
    fn cuts_between_characters() {
        assert_eq!(prefix("汉字", 5), "汉");
        assert_eq!(prefix("汉字", 6), "汉字");
        assert_eq!(shorten("汉字汉字", 9), "汉字…");
        assert_eq!(shorten("abc", 2), "");
        assert_eq!(shorten("abcd", 3), "…");
    }

    proptest! {
        #[test]
        fn never_longer_and_always_a_beginning(text in ".{0,60}", max in 0_usize..80) {
            let cut = prefix(&text, max);
            prop_assert!(cut.len() <= max);
            prop_assert!(text.starts_with(cut));
            prop_assert!(shorten(&text, max).len() <= max.max(text.len().min(max)));
        }

        #[test]
        fn keeps_as_much_as_fits(text in ".{0,60}", max in 0_usize..80) {
            let cut = prefix(&text, max);
            if let Some(next) = text.get(cut.len()..).and_then(|rest| rest.chars().next()) {
                prop_assert!(cut.len() + next.len_utf8() > max);
            }
        }
    }
}
