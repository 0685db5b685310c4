//! The file of words that are kept out of messages.

use std::path::Path;

use anyhow::Context;

/// Reads the file, if one is set: a word or phrase on each line; empty lines and those that begin with `#` say nothing.
///
/// # Errors
/// When it cannot be read.
pub(super) fn sensitive_words(file: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("sensitive-words: {} cannot be read", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::sensitive_words;

    #[test]
    fn a_file_has_a_word_on_each_line() {
        assert!(sensitive_words(None).unwrap().is_empty());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("words.txt");
        let said = format!("{:#}", sensitive_words(Some(&file)).unwrap_err());
        assert!(said.contains("sensitive-words") && said.contains("words.txt"), "{said}");
        std::fs::write(&file, "# ours\n\n 绝密 \r\ntop secret\n").unwrap();
        assert_eq!(sensitive_words(Some(&file)).unwrap(), ["绝密", "top secret"]);
    }
}
