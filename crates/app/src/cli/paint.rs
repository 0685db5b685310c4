//! Colour, where somebody looks.

use std::io::IsTerminal;

/// Colours texts, or leaves them as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output: on when it is a terminal.
    pub(crate) fn of_stdout() -> Self {
        Self { on: std::io::stdout().is_terminal() }
    }

    /// For standard error: on when it is a terminal.
    pub(crate) fn of_stderr() -> Self {
        Self { on: std::io::stderr().is_terminal() }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.with("1;32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("1;33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.with("1;36", text)
    }
}

/// A text from outside, without the control characters that could move a terminal's cursor or change its title.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
